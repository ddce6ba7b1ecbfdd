"""What many families are told at once leaves room for what concerns one alone."""

import asyncio
from uuid import UUID

from db import outbox
from db.clock import utc_now
from db.ids import uuid7
from db.outbox import BULK, Told
from notifications.channels import Channels, Delivery, Receipt
from notifications.slots import Room
from tests.notifications.house import Family, House, dispatching, make_settings

WAVE = 500
AT_ONCE = 4
DOMAIN = "exemple.fr"


class Counter:
    """A channel that notes in which order messages are begun; each waits until it is let."""

    limit, group_limit, patience, interrupts = AT_ONCE, 2, 5.0, False

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.begun: list[str] = []

    def group(self, address: str) -> str:
        """Give the domain."""
        return address.rpartition("@")[2]

    async def send(self, delivery: Delivery) -> Receipt:
        """Take a message."""
        self.begun.append(delivery.news.type)
        await self.gate.wait()
        await asyncio.sleep(0.02)
        return Receipt("taken")

    async def close(self) -> None:
        """Nothing is open."""


async def tell(house: House, families: list[Family], type: str, priority: int) -> UUID:
    """Tell families something in one transaction; give what it is about."""
    subject = uuid7()
    async with house.pool.acquire() as connection, connection.transaction():
        for family in families:
            news = Told(family.id, "CITY_INFORMATION", type, subject, {}, utc_now(), priority=priority)
            await outbox.tell(connection, news)
    return subject


async def test_a_procedure_overtakes_five_hundred_invoices(house: House) -> None:
    """The relay is busy with invoices, and so are all lanes that may be: the procedure waits for one message only."""
    channel = Counter()
    families = [await house.make_family(f"f{n}@{DOMAIN}") for n in range(WAVE)]
    await tell(house, families, "invoice_issued", BULK)
    async with dispatching(house, make_settings(9), Channels({"EMAIL": channel})) as dispatcher:

        async def busy() -> bool:
            return len(channel.begun) == 2

        await house.until(busy)
        subject = await tell(house, families[-1:], "procedure_moved", 0)
        await house.until(lambda: asyncio.sleep(0, dispatcher._lanes["EMAIL", False]))
        channel.gate.set()
        sent = "select status = 'SENT' from delivery where subject_id = $1"
        await house.until(lambda: house.pool.fetchval(sent, subject))
        assert channel.begun.index("procedure_moved") <= 4
        await house.quiet(180)
    assert len(channel.begun) == WAVE + 1


async def test_places_go_to_those_that_go_first_and_a_cancelled_turn_is_handed_on() -> None:
    room, came = Room(1), list[str]()

    async def visitor(name: str, *, first: bool) -> None:
        await room.take(first=first)
        came.append(name)

    await room.take(first=False)
    others = [asyncio.create_task(visitor(f"other {n}", first=False)) for n in range(2)]
    await asyncio.sleep(0)
    hurried = [asyncio.create_task(visitor(f"first {n}", first=True)) for n in range(3)]
    await asyncio.sleep(0)
    hurried[0].cancel()
    room.give_back()
    hurried[1].cancel()
    await asyncio.wait(hurried)
    assert came == ["first 2"]
    for _ in others:
        room.give_back()
        await asyncio.sleep(0)
    assert came == ["first 2", "other 0", "other 1"]
