"""The ledger under every order of events: nothing is paid twice, nothing is lost, every sum holds, always."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from db import ledger_check, money
from db.clock import PARIS
from db.ids import uuid7
from db.money import Line, NewInvoice, Received
from gateway.ledger import faults
from tests.conftest import Cluster
from tests.house import House
from tests.purse import as_portal, invoice, lines, pay

STEPS = 30
DICE = st.randoms(use_true_random=False)
REFUND = """insert into refund (family_id, id, payment_id, cents, means, reason, refunded_on, refunded_at)
    values ($1, $2, $3, $4, 'CASH', 'Rien.', '2026-11-01', now())"""
CHANGES = (
    "update invoice set total_cents = total_cents - 1",
    "update invoice set number = '2026-999999'",
    "update invoice_line set quantity = 0, cents = 0",
    "update payment set cents = cents + 1",
    "update allocation set cents = 1",
    "delete from allocation",
    "delete from payment",
    "delete from invoice_line",
    "delete from invoice",
)
"""What nobody may do to published rows."""

SERVICE = """insert into service (id, code, name_fr, name_en, address, phone, email, hours_fr, hours_en)
    values ($1, 'cantine', 'Cantine', 'Canteen', 'x', 'x', 'x', 'x', 'x')"""
SEED_FAMILY = "insert into family (id, number, name, created_at) values ($1, $2, 'Famille', now())"
MEANS = ("ONLINE_CARD", "DIRECT_DEBIT", "TRANSFER", "CHEQUE", "CESU", "HOLIDAY_VOUCHER", "CASH")
SOURCES = {"ONLINE_CARD": "CARD", "DIRECT_DEBIT": "DEBIT", "CASH": "COUNTER"}


@dataclass(slots=True)
class Books:
    """The same books, kept a second time in Python, by someone who trusts nobody."""

    total: dict[UUID, int] = field(default_factory=dict)
    lines: dict[UUID, dict[int, int]] = field(default_factory=dict)
    """Eligible lines: position and cents."""
    cancelled: set[UUID] = field(default_factory=set)
    received: dict[UUID, int] = field(default_factory=dict)
    means: dict[UUID, str] = field(default_factory=dict)
    undone: set[UUID] = field(default_factory=set)
    refunded: dict[UUID, int] = field(default_factory=dict)
    settled: list[tuple[UUID, UUID, int | None, int]] = field(default_factory=list)
    """Payment, invoice, line, cents."""

    def open(self, invoice_id: UUID) -> int:
        """Give what is owed for an invoice."""
        if invoice_id in self.cancelled:
            return 0
        return self.total[invoice_id] - sum(each[3] for each in self.settled if each[1] == invoice_id)

    def open_line(self, invoice_id: UUID, position: int) -> int:
        """Give what CESU may still settle of a line."""
        paid = sum(each[3] for each in self.settled if each[1:3] == (invoice_id, position))
        return self.lines[invoice_id][position] - paid

    def credit(self, payment_id: UUID) -> int:
        """Give what is left of a payment."""
        if payment_id in self.undone:
            return 0
        used = sum(each[3] for each in self.settled if each[0] == payment_id)
        return self.received[payment_id] - used - self.refunded.get(payment_id, 0)

    def settle(self, payment_id: UUID, invoices: list[UUID]) -> None:
        """Use what is left of a payment for invoices, in their order."""
        for invoice_id in invoices:
            if invoice_id in self.cancelled:
                continue
            if self.means[payment_id] != "CESU":
                part = min(self.credit(payment_id), self.open(invoice_id))
                if part > 0:
                    self.settled.append((payment_id, invoice_id, None, part))
                continue
            for position in sorted(self.lines[invoice_id]):
                part = min(self.credit(payment_id), self.open(invoice_id), self.open_line(invoice_id, position))
                if part > 0:
                    self.settled.append((payment_id, invoice_id, position, part))

    @property
    def balance(self) -> int:
        """Give what the family owes."""
        owed = sum(cents for each, cents in self.total.items() if each not in self.cancelled)
        got = sum(cents for each, cents in self.received.items() if each not in self.undone)
        return owed - got + sum(self.refunded.values())


@dataclass(slots=True)
class Play:
    """One run: a family, the real ledger, the second books, and dice."""

    connection: asyncpg.Connection
    family_id: UUID
    service: UUID
    dice: Random
    books: Books = field(default_factory=Books)
    messages: list[tuple[Received, list[UUID]]] = field(default_factory=list)
    """What the bank said, to be said again later."""
    now: datetime = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)

    def some_invoices(self) -> list[UUID]:
        """Choose some invoices, paid and cancelled ones too, some of them twice, in any order."""
        known = list(self.books.total)
        return [self.dice.choice(known) for _ in range(self.dice.randint(0, 3))] if known else []

    def a_payment(self) -> UUID | None:
        """Choose a payment, undone ones too."""
        return self.dice.choice(list(self.books.received)) if self.books.received else None

    def new_invoice(self, replaces: UUID | None = None) -> NewInvoice:
        """Make up an invoice."""
        cents = [self.dice.choice((0, 1, 99, 450, 1250, 10_000)) for _ in range(self.dice.randint(1, 3))]
        made = [
            Line(self.service, {"fr": "Repas", "en": "Meal"}, 1, each, cesu_eligible=self.dice.random() < 0.5)
            for each in cents
        ]
        day = self.now.date()
        return NewInvoice(
            self.family_id, day.replace(day=1), day + timedelta(days=30), made, replaces_id=replaces, id=uuid7(self.now)
        )

    def book_invoice(self, wanted: NewInvoice) -> None:
        """Write a published invoice into the second books: credits settle it, oldest first."""
        assert wanted.id is not None
        self.books.total[wanted.id] = sum(each.cents for each in wanted.lines)
        self.books.lines[wanted.id] = {n: each.cents for n, each in enumerate(wanted.lines, 1) if each.cesu_eligible}
        for payment_id in sorted(self.books.received):
            self.books.settle(payment_id, [wanted.id])

    async def publish(self) -> None:
        """Publish an invoice or two."""
        wanted = [self.new_invoice() for _ in range(self.dice.randint(1, 2))]
        async with self.connection.transaction():
            await money.publish(self.connection, wanted, self.now)
        for each in wanted:
            assert each.id is not None
            self.books.total[each.id] = sum(line.cents for line in each.lines)
            self.books.lines[each.id] = {n: line.cents for n, line in enumerate(each.lines, 1) if line.cesu_eligible}
        for payment_id in sorted(self.books.received):
            self.books.settle(payment_id, [each.id for each in wanted if each.id is not None])

    async def pay(self) -> None:
        """Pay any amount by any means for any invoices."""
        means = self.dice.choice(MEANS)
        cents = self.dice.choice((1, 50, 450, 1250, 9_999, 20_000))
        received = Received(
            self.family_id, means, cents, SOURCES.get(means, "POST"), self.now, "A1B2C3", id=uuid7(self.now)
        )
        await self.book(received, list(dict.fromkeys(self.some_invoices())))
        self.messages.append((received, self.some_invoices()))

    async def book(self, received: Received, invoices: list[UUID]) -> None:
        """Book a payment in both books; one that is known changes neither."""
        assert received.id is not None
        async with self.connection.transaction():
            booked = await money.book(self.connection, received, invoices)
        assert booked.again is (received.id in self.books.received)
        if not booked.again:
            self.books.received[received.id] = received.cents
            self.books.means[received.id] = received.means
            self.books.settle(received.id, invoices)
            assert booked.credit_cents == self.books.credit(received.id)

    async def say_again(self) -> None:
        """Let the bank say what it said before, late and perhaps about other invoices."""
        if self.messages:
            await self.book(*self.dice.choice(self.messages))

    async def undo(self) -> None:
        """Take a payment back."""
        payment_id = self.a_payment()
        if payment_id is None:
            return
        try:
            async with self.connection.transaction():
                await money.unbook(self.connection, self.family_id, payment_id, "Erreur.", self.now)
        except money.NotStanding:
            assert payment_id in self.books.undone
            return
        assert payment_id not in self.books.undone
        self.books.undone.add(payment_id)
        self.books.settled = [each for each in self.books.settled if each[0] != payment_id]

    async def cancel(self, *, reissue: bool = False) -> None:
        """Cancel an invoice."""
        for invoice_id in self.some_invoices()[:1]:
            again = self.new_invoice(invoice_id)
            try:
                async with self.connection.transaction():
                    await money.cancel(self.connection, self.family_id, invoice_id, "Erreur.", self.now)
                    if reissue:
                        await money.publish(self.connection, [again], self.now)
            except money.NotStanding:
                assert invoice_id in self.books.cancelled
                return
            assert invoice_id not in self.books.cancelled
            self.books.cancelled.add(invoice_id)
            self.books.settled = [each for each in self.books.settled if each[1] != invoice_id]
            if reissue:
                self.book_invoice(again)

    async def cancel_and_reissue(self) -> None:
        """Cancel an invoice and publish another in its place."""
        await self.cancel(reissue=True)

    async def refund(self) -> None:
        """Pay back, also more than there is."""
        payment_id = self.a_payment()
        if payment_id is None:
            return
        cents, left = self.dice.choice((1, 50, 450, 20_000)), self.books.credit(payment_id)
        try:
            async with self.connection.transaction():
                await money.refund(
                    self.connection, self.family_id, payment_id, cents, "TRANSFER", "Trop perçu.", self.now
                )
        except money.TooMuch:
            assert cents > left
        except money.NotStanding:
            assert payment_id in self.books.undone
        else:
            assert cents <= left
            self.books.refunded[payment_id] = self.books.refunded.get(payment_id, 0) + cents

    async def use_credits(self) -> None:
        """Use credits for some invoices."""
        wanted = list(dict.fromkeys(self.some_invoices()))
        async with self.connection.transaction():
            await money.hold(self.connection, self.family_id)
            await money.use_credits(self.connection, [(self.family_id, each) for each in wanted], self.now)
        for payment_id in sorted(self.books.received):
            self.books.settle(payment_id, wanted)

    async def crash(self) -> None:
        """Begin to book, and fall over before the commit."""
        with pytest.raises(ZeroDivisionError):
            async with self.connection.transaction():
                received = Received(self.family_id, "ONLINE_CARD", 500, "CARD", self.now)
                await money.book(self.connection, received, self.some_invoices())
                raise ZeroDivisionError

    async def compare(self) -> None:
        """Look at the real ledger, and compare both."""
        assert await ledger_check.violations(self.connection) == {}
        rows = await self.connection.fetch(
            """select payment_id, invoice_id, line_position, sum(cents)::integer from allocation
               where family_id = $1 and freed_at is null group by 1, 2, 3""",
            self.family_id,
        )
        books: dict[Any, int] = {}
        for payment_id, invoice_id, position, cents in self.books.settled:
            books[payment_id, invoice_id, position] = books.get((payment_id, invoice_id, position), 0) + cents
        assert {tuple(row.values())[:3]: row[3] for row in rows} == books
        found = await self.connection.fetchval(
            "select coalesce(sum(cents), 0) from account_entries($1, null, null)", self.family_id
        )
        assert found == self.books.balance


class Machine(RuleBasedStateMachine):
    """Rules that Hypothesis plays in any order; what a run wrote is rolled back when it ends."""

    def __init__(self, loop: asyncio.AbstractEventLoop, connection: asyncpg.Connection) -> None:
        super().__init__()
        self.loop = loop
        self.connection = connection
        self.outer = connection.transaction()
        self.play = loop.run_until_complete(self.begin())

    async def begin(self) -> Play:
        """Begin a run with a new family."""
        await self.outer.start()
        family_id = uuid7()
        await self.connection.execute(SEED_FAMILY, family_id, f"9{family_id.int % 10**8:08}")
        service = await self.connection.fetchval("select id from service limit 1")
        return Play(self.connection, family_id, service, Random(0))

    def teardown(self) -> None:
        """Forget the run."""
        self.loop.run_until_complete(self.outer.rollback())

    def do(self, act: Callable[[], Awaitable[None]], dice: Random) -> None:
        """Do one thing, and compare the books."""
        self.play.dice = dice
        self.play.now += timedelta(seconds=dice.randint(1, 86_400))
        self.loop.run_until_complete(self.compared(act))

    async def compared(self, act: Callable[[], Awaitable[None]]) -> None:
        """Do one thing as a transaction of its own would: its constraints are looked at when it ends."""
        await act()
        await self.connection.execute("set constraints all immediate")
        await self.connection.execute("set constraints all deferred")
        await self.play.compare()

    @rule(dice=DICE)
    def publish(self, dice: Random) -> None:
        self.do(self.play.publish, dice)

    @rule(dice=DICE)
    def pay(self, dice: Random) -> None:
        self.do(self.play.pay, dice)

    @rule(dice=DICE)
    def hear_again(self, dice: Random) -> None:
        self.do(self.play.say_again, dice)

    @rule(dice=DICE)
    def undo(self, dice: Random) -> None:
        self.do(self.play.undo, dice)

    @rule(dice=DICE)
    def cancel(self, dice: Random) -> None:
        self.do(self.play.cancel, dice)

    @rule(dice=DICE)
    def replace(self, dice: Random) -> None:
        self.do(self.play.cancel_and_reissue, dice)

    @rule(dice=DICE)
    def refund(self, dice: Random) -> None:
        self.do(self.play.refund, dice)

    @rule(dice=DICE)
    def use_credits(self, dice: Random) -> None:
        self.do(self.play.use_credits, dice)

    @rule(dice=DICE)
    def crash(self, dice: Random) -> None:
        self.do(self.play.crash, dice)


@pytest.fixture(scope="module")
async def books(cluster: Cluster) -> AsyncIterator[str]:
    """Give the address of a database of its own."""
    async with cluster.database("empty") as database:
        connection = await asyncpg.connect(database.dsn, timeout=10)
        await connection.execute(SERVICE, uuid7())
        await connection.close()
        yield database.dsn


def play(dsn: str, runs: int) -> None:
    """Let Hypothesis play so many runs of 30 steps."""
    loop = asyncio.new_event_loop()
    connection = loop.run_until_complete(asyncpg.connect(dsn, timeout=10))

    class Here(Machine):
        def __init__(self) -> None:
            super().__init__(loop, connection)

    try:
        run_state_machine_as_test(
            Here,
            settings=settings(
                max_examples=runs,
                stateful_step_count=STEPS,
                database=None,
                derandomize=True,
                suppress_health_check=list(HealthCheck),
            ),
        )
    finally:
        loop.run_until_complete(connection.close())
        loop.close()


def test_every_order_of_events_keeps_the_books(books: str) -> None:
    play(books, int(os.environ.get("KIOSQUE_LEDGER_RUNS", "15")))


@pytest.mark.long
def test_five_hundred_runs_of_thirty_steps_keep_the_books(books: str) -> None:
    play(books, int(os.environ.get("KIOSQUE_LEDGER_RUNS", "500")))


async def test_fifty_payments_at_once_never_settle_more_than_an_invoice(house: House) -> None:
    """Each from a connection of its own, with the role and the sight of the portal."""
    family, _ = await house.member()
    made = await invoice(house.connection, family.id, 10_000)
    everybody = [await asyncpg.connect(house.dsn, timeout=10) for _ in range(50)]

    async def paid(connection: asyncpg.Connection) -> money.Booked:
        async with connection.transaction():
            await as_portal(connection)
            received = Received(family.id, "ONLINE_CARD", 700, "CARD", house.clock(), "A1B2C3")
            return await money.book(connection, received, [made.id])

    booked = await asyncio.gather(*(paid(each) for each in everybody))
    assert sum(cents for each in booked for _, cents in each.settled) == 10_000
    assert sum(each.credit_cents for each in booked) == 50 * 700 - 10_000
    assert await ledger_check.violations(house.connection) == {}
    told = "select count(*) from news where family_id = $1 and type = 'payment_received'"
    assert await house.connection.fetchval(told, family.id) == 50
    for each in everybody:
        await each.close()


async def test_the_same_payment_told_fifty_times_at_once_is_booked_once(house: House) -> None:
    family, _ = await house.member()
    made = await invoice(house.connection, family.id, 10_000)
    everybody = [await asyncpg.connect(house.dsn, timeout=10) for _ in range(50)]
    payment_id = uuid7()

    async def told(connection: asyncpg.Connection) -> money.Booked:
        async with connection.transaction():
            await as_portal(connection)
            received = Received(family.id, "ONLINE_CARD", 700, "CARD", house.clock(), "A1B2C3", id=payment_id)
            return await money.book(connection, received, [made.id])

    booked = await asyncio.gather(*(told(each) for each in everybody))
    assert [each.again for each in booked].count(False) == 1
    assert {each.receipt_number for each in booked} == {booked[0].receipt_number}
    assert await house.connection.fetchval("select sum(cents) from payment where family_id = $1", family.id) == 700
    for each in everybody:
        await each.close()


OVER = """insert into allocation (family_id, id, payment_id, invoice_id, cents, allocated_at)
    values ($1, $2, $3, $4, $5, now())"""


async def test_the_database_alone_refuses_what_breaks_the_books(house: House) -> None:
    """Whatever a program forgets: written past every function of ours, as superuser."""
    family, _ = await house.member()
    made = await invoice(house.connection, family.id, 1000, 500, cesu=(2,))
    await pay(house.connection, family.id, 200, [made.id])
    paid = await pay(house.connection, family.id, 5000, [])
    [payment_id] = paid.payments
    cesu = await pay(house.connection, family.id, 900, [], means="CESU", source="POST")
    refused = (
        (OVER, (family.id, uuid7(), payment_id, made.id, 1501), "allocated_within_total"),
        (OVER, (family.id, uuid7(), cesu.payments[0], made.id, 100), "allocated_within_line"),
        (REFUND, (family.id, uuid7(), payment_id, 5001), "used_within_received"),
    )
    for statement, values, constraint in refused:
        with pytest.raises(asyncpg.CheckViolationError) as error:
            async with house.connection.transaction():
                await house.connection.execute(statement, *values)
        assert error.value.constraint_name == constraint
    for change in CHANGES:
        with pytest.raises(asyncpg.RestrictViolationError):
            await house.connection.execute(change)
    assert await ledger_check.violations(house.connection) == {}


async def test_sums_are_not_taken_from_an_old_picture_of_the_books(house: House) -> None:
    family, _ = await house.member()
    made = await invoice(house.connection, family.id, 1000)
    [payment_id] = (await pay(house.connection, family.id, 500, [])).payments
    with pytest.raises(asyncpg.RestrictViolationError):
        async with house.connection.transaction(isolation="repeatable_read"):
            await house.connection.execute(OVER, family.id, uuid7(), payment_id, made.id, 100)


async def test_invoices_published_at_once_have_numbers_without_gap(house: House) -> None:
    families = [(await house.member())[0] for _ in range(4)]
    everybody = [await asyncpg.connect(house.dsn, timeout=10) for _ in range(8)]
    made = await lines(house.connection, families[0].id, 100)

    async def published(number: int, connection: asyncpg.Connection) -> None:
        day = house.clock().astimezone(PARIS).date()
        family = families[number % 4]
        wanted = NewInvoice(family.id, day.replace(day=1), day, [Line(made[0].service_id, made[0].label, 1, 100)])
        try:
            async with connection.transaction():
                await as_portal(connection)
                await money.publish(connection, [wanted, wanted], house.clock())
                if number == 3:
                    raise ZeroDivisionError
        except ZeroDivisionError:
            return

    await asyncio.gather(*(published(number, each) for number, each in enumerate(everybody)))
    assert await house.connection.fetchval("select max(last) from invoice_series") == 14
    assert await ledger_check.violations(house.connection) == {}
    for each in everybody:
        await each.close()


async def test_the_books_are_looked_at_as_a_whole_and_every_fault_is_named(house: House) -> None:
    """Faults that only an operator past all constraints could make."""
    family, _ = await house.member()
    made = await invoice(house.connection, family.id, 1000, 500)
    await pay(house.connection, family.id, 1500, [made.id])
    assert await faults(house.dsn) == {}
    broken = (
        ("update allocation set cents = cents + 1", 2),
        ("update invoice_line set quantity = 2, cents = unit_cents * 2 where position = 1", 1),
        ("update invoice_series set last = last + 1", 1),
    )
    for statement, least in broken:
        async with house.connection.transaction():
            await house.connection.execute("set local session_replication_role = replica")
            await house.connection.execute(statement)
        assert len(await faults(house.dsn)) >= least, statement
