"""A dispatcher killed amid notices to many families, or while it writes daily messages: none lost, none made twice."""

import asyncio
import random
import signal
from collections import Counter
from datetime import timedelta

import msgspec
import pytest

from db import outbox
from db.clock import utc_now
from db.ids import uuid7
from db.outbox import BULK, Told
from gateway.demo.smtp import Catcher
from tests.notifications.house import Family, House
from tests.notifications.test_crashes import REPEATS, program
from tests.notifications.test_messages import NEWS

LATER = ("before_send", "sent", "recorded")
DAILY = "update family set digest_hour = 7, digest_topics = '{PROCEDURE_STATUS,INVOICE_ISSUED}' where id = $1"
WAIT = "select exists (select from news where awaits_digest)"
MESSAGES = "select family_id, seq, data from news where type = 'daily_message'"
TOLD_IN = "select count(*) from news where family_id = $1 and digested_in = $2"


async def tell(house: House, families: list[Family], type: str, topic: str, *, hours_ago: int = 0) -> None:
    """Tell families something, all in one transaction."""
    at = utc_now() - timedelta(hours=hours_ago)
    data = NEWS[type] | {"summary_fr": f"Voici {type} pour vous.", "summary_en": f"Here is {type}."}
    async with house.pool.acquire() as connection, connection.transaction():
        for family in families:
            await outbox.tell(connection, Told(family.id, topic, type, uuid7(), data, at, priority=BULK))


async def kill(house: House, catcher: Catcher, step: str) -> None:
    """Run a dispatcher until it kills itself."""
    async with program(house, catcher, step) as process:
        assert await asyncio.wait_for(process.wait(), 60) == -signal.SIGKILL


async def finish(house: House, catcher: Catcher) -> None:
    """Let a dispatcher do what is left."""
    async with program(house, catcher):
        await house.until(lambda: house.pool.fetchval(f"select not ({WAIT})"), 60)
        await house.quiet()


async def check(house: House, catcher: Catcher, kills: int) -> None:
    """Each message by e-mail came under its id, at most once more for each kill; few did so in all."""
    rows = await house.pool.fetch("select id, status from delivery where channel = 'EMAIL'")
    assert {row["status"] for row in rows} == {"SENT"}
    came = Counter(str(caught.message["Message-ID"]) for caught in catcher.messages)
    assert came.keys() == {f"<{row['id']}@ville.example>" for row in rows}
    assert max(came.values()) <= 1 + kills
    assert came.total() - len(came) <= REPEATS * kills


async def killed_amid(house: House, catcher: Catcher, families: int, steps: list[str]) -> None:
    """Tell so many families of their invoices, and kill a dispatcher at each of these steps."""
    everybody = [await house.make_family(f"f{n}@d{n % 8}.exemple.fr") for n in range(families)]
    await tell(house, everybody, "invoice_issued", "INVOICE_ISSUED")
    for step in steps:
        await kill(house, catcher, f"dispatch.{step}")
    assert await house.pool.fetchval("select exists (select from delivery where status = 'PENDING')"), "amid the wave"
    await finish(house, catcher)
    assert {caught.recipient for caught in catcher.messages} == {f"f{n}@d{n % 8}.exemple.fr" for n in range(families)}
    await check(house, catcher, len(steps))


@pytest.mark.parametrize("step", ["claimed", "before_send:12", "sent:12", "recorded:3"])
async def test_killed_amid_a_wave_no_notice_is_lost(house: House, catcher: Catcher, step: str) -> None:
    await killed_amid(house, catcher, 50, [step])


@pytest.mark.long
async def test_killed_again_and_again_amid_a_wave_no_notice_is_lost(house: House, catcher: Catcher) -> None:
    catcher.messages = type(catcher.messages)(maxlen=10_000)
    later = [f"{random.choice(LATER)}:{random.randint(1, 8)}" for _ in range(50)]
    await killed_amid(house, catcher, 1500, ["claimed", *later, "claimed"])


@pytest.mark.parametrize(
    "steps",
    [
        ["digest.told:1"],
        ["digest.told:3"],
        ["digest.written"],
        ["dispatch.before_send:2"],
        ["dispatch.sent:2"],
        ["dispatch.recorded:1"],
        pytest.param(["digest.told:2", "digest.written", "dispatch.sent:1"] * 10, marks=pytest.mark.long),
    ],
)
async def test_killed_while_it_writes_or_sends_daily_messages_each_family_has_one_of_everything(
    house: House, catcher: Catcher, steps: list[str]
) -> None:
    rounds = 0
    families = [await house.make_family(f"f{n}@exemple.fr") for n in range(5)]
    for family in families:
        await house.pool.execute(DAILY, family.id)
    for step in steps:
        if not await house.pool.fetchval(WAIT):
            rounds += 1
            await house.pool.execute("update family set digested_at = null")
            for kind, topic in (("invoice_issued", "INVOICE_ISSUED"), ("procedure_moved", "PROCEDURE_STATUS")):
                await tell(house, families, kind, topic, hours_ago=25)
        await kill(house, catcher, step)
    await finish(house, catcher)
    messages = await house.pool.fetch(MESSAGES)
    assert Counter(row["family_id"] for row in messages) == {family.id: rounds for family in families}
    for row in messages:
        assert await house.pool.fetchval(TOLD_IN, row["family_id"], row["seq"]) == 2
        shown = [item["fr"] for item in msgspec.json.decode(row["data"])["items"]]
        assert shown == ["Voici invoice_issued pour vous.", "Voici procedure_moved pour vous."]
    await check(house, catcher, len(steps))
