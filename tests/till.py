"""Families that pay at the banks of this machine, and what the portal made of it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from db.ids import uuid7
from db.money import Published
from gateway.demo.bank import TAKEN, DemoBanks
from gateway.demo.bank_payfip import idop_of
from gateway.demo.bank_systempay import signed
from resolvers.reading.identity import make_id
from schema import build
from tests.house import House, Made, MovableClock, opened
from tests.purse import invoice

START = """mutation ($invoices: [ID!]!, $key: String!, $bank: String, $cents: Int) {
    startCardPayment(invoices: $invoices, idempotencyKey: $key, bank: $bank, cents: $cents) {
        problems { code path message }
        payment { id reference bank status amount { cents } expiresAt }
        redirect { url method fields { name value } }
    } }"""
CANCEL = """mutation ($payment: ID!) { cancelPayment(payment: $payment) {
    problems { code path } payment { id status endReason } } }"""
SHOW = """query ($id: ID!) { node(id: $id) { ... on CardPayment {
    status endReason amount { cents } invoices { edges { node { number status open { cents } } } }
    payment { amount { cents } credit { cents } bankReference means source } } } }"""
MESSAGES = """query ($id: ID!) { node(id: $id) { ... on CardPayment {
    bankMessages { edges { node { source verdict bankStatus times transactionId amount { cents } } } } } } }"""
TASKS = "query { agentTasks(done: false) { edges { node { kind } } } }"
IMMEDIATE = (0.01, 0.01)


@dataclass(frozen=True, slots=True)
class Books:
    """What the ledger holds, for "and without effect"."""

    payments: int
    paid_cents: int
    allocated_cents: int
    credit_cents: int
    live: int


@dataclass(slots=True)
class Till:
    """A portal with banks."""

    house: House
    banks: DemoBanks
    bank_clock: MovableClock

    def wait(self, **delta: float) -> None:
        """Let time pass, here and at the banks."""
        self.house.clock.ahead += timedelta(**delta)
        self.bank_clock.ahead = self.house.clock.ahead

    async def family(self) -> tuple[Made, str]:
        """Give a family that can pay, and its token."""
        return await self.house.member()

    async def invoice(self, family: Made, *cents: int) -> Published:
        """Publish an invoice."""
        return await invoice(self.house.connection, family.id, *cents)

    async def start(self, token: str, *invoices: Published, **more: Any) -> Any:
        """Start to pay; give the payload, which must have no problems."""
        return await self.house.do(START, token, **{"key": str(uuid7()), "invoices": ids(*invoices), **more})

    async def refused(self, token: str, invoices: list[str], **more: Any) -> list[str]:
        """Start to pay; give the codes of its problems."""
        return await self.house.problems(START, token, **{"key": str(uuid7()), "invoices": invoices, **more})

    def enter(self, payload: Any) -> str:
        """Go to the page of the bank as the browser does; give the bank's reference."""
        redirect = payload["redirect"]
        if redirect["method"] == "POST":
            form = {field["name"]: field["value"] for field in redirect["fields"]}
            self.banks.systempay.take(form)
            reference: str = form["vads_order_id"]
            return reference
        idop = idop_of(redirect["url"])
        self.banks.payfip.open(idop)
        return idop

    async def pay(self, payload: Any, choice: str = TAKEN) -> str:
        """Go to the bank, choose, and wait until the bank has told; give the bank's reference."""
        reference = self.enter(payload)
        bank = self.banks.systempay if payload["redirect"]["method"] == "POST" else self.banks.payfip
        bank.decide(reference, choice)
        await self.banks.post.idle()
        return reference

    async def tell(self, fields: Mapping[str, str], *, key: str | None = None, bank: str = "systempay") -> int:
        """Send a notification of one's own; give the status of the answer."""
        body = signed(fields, key) if key else signed(fields)
        return await self.post(body, bank)

    async def post(self, body: str, bank: str = "systempay") -> int:
        """Send anything as a notification; give the status of the answer."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        url = f"{self.house.url}/bank/{bank}/notification"
        async with self.house.http.post(url, data=body.encode(), headers=headers) as response:
            return response.status

    async def show(self, token: str, payload: Any) -> Any:
        """Give a card payment as its family sees it."""
        return (await self.house.ask(SHOW, token, id=payload["payment"]["id"])).data["node"]

    async def verdicts(self, payload: Any) -> list[str]:
        """Give what was made of the messages about a payment, each as often as it came."""
        token = await self.house.sign_in("regie@mairie.example", agent=True)
        found = (await self.house.ask(MESSAGES, token, id=payload["payment"]["id"])).data["node"]
        edges = found["bankMessages"]["edges"]
        return [edge["node"]["verdict"] for edge in edges for _ in range(edge["node"]["times"])]

    async def books(self) -> Books:
        """Add up the ledger."""
        row = await self.house.connection.fetchrow(BOOKS)
        assert row is not None, "sums are always there"
        return Books(*row.values())

    async def tasks(self, kind: str) -> int:
        """Count the tasks of a kind that wait."""
        count: int = await self.house.connection.fetchval(
            "select count(*) from agent_task where kind = $1 and done_at is null", kind
        )
        return count


BOOKS = """
    select (select count(*) from payment), (select coalesce(sum(cents), 0) from payment where undone_at is null),
        (select coalesce(sum(cents), 0) from allocation where freed_at is null),
        (select coalesce(sum(cents), 0) from payment where undone_at is null)
            - (select coalesce(sum(cents), 0) from allocation where freed_at is null),
        (select count(*) from card_attempt_invoice where live)
"""


def ids(*invoices: Published) -> list[str]:
    """Give the global ids of invoices."""
    return [global_id("Invoice", each.family_id, each.id) for each in invoices]


def global_id(type_name: str, *key: UUID) -> str:
    """Give a global id."""
    return make_id(build().mapping, type_name, *key)


@asynccontextmanager
async def till_on(dsn: str, **settings: dict[str, Any]) -> AsyncIterator[Till]:
    """Run a portal on a database, with the banks of this machine."""
    clock = MovableClock()
    banks = DemoBanks(clock)
    await banks.start()
    banks.manners.pauses = IMMEDIATE
    try:
        async with opened(dsn, **{**banks.settings(), **settings}) as house:
            banks.post.portal = house.url
            yield Till(house, banks, clock)
    finally:
        await banks.stop()
