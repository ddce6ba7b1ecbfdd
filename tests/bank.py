"""A city that collects by direct debit: families with mandates, invoices that fall due, and what banks say."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from db import money
from db.money import Line, NewInvoice, Received
from resolvers.mandates import PARIS
from resolvers.viewer import SYSTEM_SIGHT
from tests.clockwork import run_due
from tests.house import PASSWORD, House, Made, opened

IBAN = "FR1420041010050500013M02606"
OTHER_IBAN = "DE89370400440532013000"
SIGN = """mutation ($iban: String!, $bic: String, $holder: String! = "Camille Essai", $agrees: Boolean! = true,
        $password: String!, $address: HolderAddress) {
    signMandate(iban: $iban, bic: $bic, holder: $holder, agrees: $agrees, password: $password, address: $address) {
        problems { code path } mandate { id rum account creditorIdentifier signedOn endedAt endedReason } } }"""
REVOKE = """mutation ($mandate: ID!) { revokeMandate(mandate: $mandate) {
    problems { code path } mandate { endedAt endedReason } } }"""
RETURN = """mutation ($named: String!, $reason: DebitReturnReason!, $on: Date!) {
    recordDebitReturn(endToEndId: $named, reason: $reason, returnedOn: $on) {
        problems { code path } debit { state returnReason returnedBecause invoiceNumber rum } } }"""


@dataclass(frozen=True, slots=True)
class Owed:
    """An invoice."""

    id: UUID
    number: str
    cents: int


@dataclass(frozen=True, slots=True)
class Payer:
    """A family with a mandate."""

    family: Made
    token: str
    mandate: dict[str, Any]


def today(house: House) -> date:
    """Give the day in Paris."""
    return house.clock().astimezone(PARIS).date()


LONG = {
    "access_seconds": 100_000_000,
    "refresh_idle_days": 1_500,
    "refresh_absolute_days": 1_500,
    "agent_idle_seconds": 100_000_000,
    "agent_absolute_seconds": 100_000_000,
}
"""Tokens that outlive the weeks between an announcement and a debit."""


MONEY = (
    "debit", "handover", "mandate", "allocation", "refund", "invoice_line", "payment", "invoice",
)  # fmt: skip


@asynccontextmanager
async def calm(dsn: str) -> AsyncIterator[House]:
    """Run a portal at which one stays signed in for months, in a city where nobody owes anything yet."""
    async with opened(dsn, tokens=LONG) as house:
        await forgive(house)
        yield house


async def forgive(house: House) -> None:
    """Begin anew: nobody owes anything."""
    await house.connection.execute("set session_replication_role = replica")
    for table in MONEY:
        await house.connection.execute(f"delete from {table}")
    await house.connection.execute("set session_replication_role = default")


async def by_the_clock(house: House, kind: str) -> None:
    """Do a periodic job as if its next period had begun."""
    await house.connection.execute("delete from job where kind = $1", kind)
    await run_due(house, kind)


async def payer(house: House, iban: str = IBAN) -> Payer:
    """Give a family that signed."""
    family, token = await house.member()
    signed = await house.do(SIGN, token, iban=iban, password=PASSWORD)
    return Payer(family, token, signed["mandate"])


async def owe(house: House, family: UUID, cents: Sequence[int] = (2_350,), *, days: int = 20) -> list[Owed]:
    """Publish invoices of a family, due in some days."""
    assert house.opened is not None
    service = await house.connection.fetchval("select id from service order by id limit 1")
    due = today(house) + timedelta(days=days)
    wanted = [
        NewInvoice(
            family, today(house).replace(day=1), due, [Line(service, {"fr": "Cantine", "en": "Canteen"}, 1, each)]
        )
        for each in cents
    ]
    async with house.opened.process.database.transaction(SYSTEM_SIGHT) as tx:
        made = await money.publish(tx, wanted, house.clock())
    return [Owed(each.id, each.number, each.total_cents) for each in made]


async def debits(house: House, family: UUID) -> list[dict[str, Any]]:
    """Give the debits of a family as they are stored."""
    rows = await house.connection.fetch("select * from debit where family_id = $1 order by id", family)
    return [dict(row) for row in rows]


async def collect_day(house: House, family: UUID) -> date:
    """Give the day for which a debit of a family is announced."""
    found: date = await house.connection.fetchval(
        "select collect_on from debit where family_id = $1 and state = 'ANNOUNCED' limit 1", family
    )
    return found


async def cashier(house: House, role: str = "CASHIER") -> str:
    """Give the token of an agent with one role only."""
    await house.connection.execute("update agent set roles = array[$1] where email = 'regie@mairie.example'", role)
    return await house.agent("regie")


def process(house: House) -> Any:
    """Give the inside of the portal."""
    assert house.opened is not None
    return house.opened.process


async def announced(house: House, signed: Payer, *cents: int, days: int = 20) -> list[Owed]:
    """Publish invoices of a family and let them be announced."""
    owed = await owe(house, signed.family.id, cents or (2_350,), days=days)
    await by_the_clock(house, "announce_debits")
    return owed


async def pay(house: House, family: Any, owed: Owed, cents: int) -> None:
    """Let a family pay at the counter."""
    async with process(house).database.transaction(SYSTEM_SIGHT) as tx:
        await money.book(tx, Received(family.id, "CHEQUE", cents, "COUNTER", house.clock()), [owed.id])


async def states(house: House, signed: Payer) -> list[tuple[str, str | None]]:
    """Give where the debits of a family stand."""
    return [(each["state"], each["dropped_because"]) for each in await debits(house, signed.family.id)]


async def on_the_day(house: House, due_on: date) -> None:
    """Let the day of a debit come and book what was sent."""
    while today(house) < due_on:  # whole days of 24 hours fall short where the clocks go back
        house.clock.ahead += timedelta(hours=12)
    await by_the_clock(house, "book_debits")
