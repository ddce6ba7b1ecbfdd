"""The portal killed at every named step of a card payment: nothing is lost, and nothing happens twice."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import pytest

from db.ids import uuid7
from db.steps import STEPS
from gateway.demo.bank import TAKEN, DemoBanks
from tests.conftest import Database
from tests.house import MovableClock
from tests.program import Portal, apart
from tests.till import Till

T = TypeVar("T")
OF_A_PAYMENT = [step for step in STEPS if step.startswith(("mutation.", "card.", "bank.", "enquiry."))]
PATIENCE = 60.0


@dataclass(slots=True)
class Insisting:
    """Somebody who asks until there is an answer, as a client does after a lost one, with the same key.

    A portal that was killed is started again, as its operator's service manager does.
    """

    portal: Portal
    till: Till
    deaths: int = 0

    async def ask(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Ask, and give the answer."""
        program = self.portal.gateway
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    return await ask()
                except aiohttp.ClientError:
                    assert await program.ended() == -signal.SIGKILL
                    self.deaths += 1
                    await program.start()
                    await program.ready()

    async def until_paid(self, token: str, payload: Any) -> None:
        """Wait until a payment is booked."""
        async with asyncio.timeout(PATIENCE):
            while (await self.ask(lambda: self.till.show(token, payload)))["status"] != "PAID":
                await asyncio.sleep(0.1)


@pytest.mark.parametrize("bank", ["systempay", pytest.param("payfip", marks=pytest.mark.long)])
async def test_a_payment_outlives_a_kill_at_every_step(city: Database, tmp_path: Path, bank: str) -> None:
    banks = DemoBanks(MovableClock())
    await banks.start()
    banks.manners.pauses = (0.2,) * 200
    settings = {
        f"{section}__{name}": value for section, values in banks.settings().items() for name, value in values.items()
    }
    settings |= {"cards__enquire_after": "2,4", "jobs__lease": 1, "jobs__poll": 0.2}
    try:
        async with apart(city.dsn, tmp_path, **settings) as portal:
            till = Till(portal.house, banks, MovableClock())
            family, token = await till.family()
            for number, step in enumerate(OF_A_PAYMENT, 1):
                insisting = Insisting(portal, till)
                invoice, key = await till.invoice(family, 4250), str(uuid7())
                await portal.gateway.kill()
                await portal.gateway.start(step)
                await portal.gateway.ready()
                banks.manners.mute = step.startswith("enquiry.")
                start = partial(till.start, token, invoice, key=key, bank=bank)
                payload = await insisting.ask(start)
                reference = till.enter(payload)
                (banks.systempay if bank == "systempay" else banks.payfip).decide(reference, TAKEN)
                await insisting.until_paid(token, payload)
                await banks.post.idle()
                books, paid = await till.books(), 4250 * number
                assert insisting.deaths == 1, step
                assert (books.payments, books.paid_cents, books.allocated_cents) == (number, paid, paid), step
                assert books.live == 0, step
                told = "select count(*) from news where family_id = $1 and type = 'payment_received'"
                assert await till.house.connection.fetchval(told, family.id) == number, step
                assert await till.house.connection.fetchval("select count(*) from card_attempt") == number, step
    finally:
        await banks.stop()
