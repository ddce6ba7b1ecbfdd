"""A channel is added as docs/adding-a-channel.md says, and then everything works for it: order, retries, fallback."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from db.clock import utc_now
from db.keys import Keys
from db.settings import City
from gateway.demo.peer import Kind
from notifications.channels import Channels
from notifications.channels.in_app import InApp
from notifications.messages import Messages
from tests.notifications.house import MASTER_KEY, Family, House, dispatching, make_settings
from tests.notifications.ntfy import Ntfy, NtfyServer

TOPIC = "kiosque-7f3a9c0e"
GUIDE = Path(__file__).parents[2] / "docs" / "adding-a-channel.md"


@pytest.fixture
async def server() -> AsyncIterator[NtfyServer]:
    """A server of ntfy."""
    made = NtfyServer(keep=1000)
    await made.start()
    yield made
    await made.stop()


def channels(server: NtfyServer) -> Channels:
    """Do what the registry would."""
    messages = Messages(City(), "https://portail.example", Keys.from_text(MASTER_KEY), utc_now)
    return Channels({"IN_APP": InApp(), "NTFY": Ntfy(f"{server.url}/", 1.5, messages)})


async def reached(house: House) -> Family:
    """Widen the lists as the guide's migration does, and give a family that prefers the new channel."""
    migration = GUIDE.read_text(encoding="utf-8").partition("```sql\n")[2].partition("```")[0]
    await house.pool.execute(migration)
    family = await house.make_family(channels=("NTFY", "IN_APP"))
    await house.add_address(family, "NTFY", TOPIC)
    return family


async def test_messages_arrive_in_order_and_once(house: House, server: NtfyServer) -> None:
    family = await reached(house)
    for _ in range(4):
        await house.tell(family)
    async with dispatching(house, make_settings(9), channels(server)):
        await house.quiet()
    rows = await house.deliveries(family)
    assert [(row["channel"], row["status"]) for row in rows] == [("NTFY", "SENT")] * 4
    assert [got.reference for got in server.to(TOPIC)] == [str(row["id"]) for row in rows]
    assert server.to(TOPIC)[0].details["click"] == "https://portail.example/"


async def test_a_busy_server_is_asked_again(house: House, server: NtfyServer) -> None:
    family = await reached(house)
    server.treat(TOPIC, "answer", times=2, answer=lambda: web.Response(status=429))
    await house.tell(family)
    async with dispatching(house, make_settings(9), channels(server)):
        await house.quiet()
    assert [(row["status"], row["attempts"]) for row in await house.deliveries(family)] == [("SENT", 3)]


@pytest.mark.parametrize("kind", ["hang", "drop", "garbage"])
async def test_when_nobody_knows_it_goes_out_again_under_the_same_id(
    house: House, server: NtfyServer, kind: Kind
) -> None:
    family = await reached(house)
    server.treat(TOPIC, kind, times=1)
    await house.tell(family)
    async with dispatching(house, make_settings(9), channels(server)):
        await house.quiet()
    [row] = await house.deliveries(family)
    came = [got.reference for got in server.to(TOPIC)]
    assert row["status"] == "SENT" and set(came) == {str(row["id"])} and len(came) <= 2


async def test_a_topic_that_is_gone_is_retired_and_the_inbox_tells(house: House, server: NtfyServer) -> None:
    family = await reached(house)
    server.treat(TOPIC, "answer", answer=lambda: web.Response(status=404))
    await house.tell(family)
    async with dispatching(house, make_settings(9), channels(server)):
        await house.quiet()
    assert await house.statuses(family) == [("NTFY", "FAILED"), ("IN_APP", "DELIVERED")]
    assert await house.pool.fetchval("select retired_at is not null from address")
