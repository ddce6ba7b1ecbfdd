"""A month of card payments with the troubles that banks have, then the bank's journal against the ledger.

`python -m tests.month --payments 10000` prints what happened and what differs; `test_reconciliation.py` is its short
form.
"""

import argparse
import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from db.ids import uuid7
from gateway.demo.bank import GIVEN_UP, REFUSED, TAKEN
from gateway.demo.bank_systempay import signed
from tests.clockwork import run_due
from tests.conftest import running
from tests.house import Made
from tests.till import CANCEL, START, Till, ids, till_on

DAYS = 30
FAMILIES = 60
AT_ONCE = 8
PAYFIP_SHARE = 0.15
LONG_SESSIONS = {"access_seconds": 40 * 86_400, "refresh_idle_days": 90}

Trouble = Callable[["Month", Any, str], Awaitable[None]]


@dataclass(slots=True)
class Reconciled:
    """What the bank says that it took, and what the ledger says that came in."""

    bank_cents: int
    ledger_cents: int
    bank_payments: int
    ledger_payments: int
    unknown_to_us: int
    """Money of the bank that is not booked."""
    unknown_to_bank: int
    """Booked money that the bank does not know."""
    differing: int
    """Payments of another amount than the bank's."""
    credit_cents: int
    credits_without_task: int
    live: int
    happened: Counter[str] = field(default_factory=Counter)

    @property
    def difference(self) -> int:
        """Cents."""
        return self.bank_cents - self.ledger_cents


@dataclass(slots=True)
class Month:
    """Families that pay every day; a share of the payments meets a trouble."""

    till: Till
    random: random.Random
    faults: float
    families: list[tuple[Made, str]] = field(default_factory=list)
    happened: Counter[str] = field(default_factory=Counter)
    arranging: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Behind the scenes there is one connection."""

    async def run(self, payments: int) -> Reconciled:
        """Let a month pass, and compare."""
        self.families = [await self.till.family() for _ in range(min(FAMILIES, payments))]
        for day in range(DAYS):
            count = payments // DAYS + (day < payments % DAYS)
            gate = asyncio.Semaphore(AT_ONCE)
            await asyncio.gather(*(self._pay(gate) for _ in range(count)))
            self.till.banks.post.release(shuffled=self.random)
            await self.till.banks.post.idle()
            self.till.banks.post.sent.clear()
            self.till.wait(days=1)
            await run_due(self.till.house, "card_enquiry", "card_enquiries")
        return await self.reconcile()

    async def _pay(self, gate: asyncio.Semaphore) -> None:
        async with gate:
            family, token = self.random.choice(self.families)
            async with self.arranging:
                invoice = await self.till.invoice(family, self.random.randint(100, 30_000))
            bank = "payfip" if self.random.random() < PAYFIP_SHARE else "systempay"
            variables = {"invoices": ids(invoice), "key": str(uuid7()), "bank": bank}
            payload = (await self.till.house.ask(START, token, **variables)).data["startCardPayment"]
            codes = [problem["code"] for problem in payload["problems"]]
            if codes == ["INVOICE_PAID"] or codes == ["AMOUNT_NOT_PAYABLE"]:  # a credit of earlier days has settled it
                self.happened["settled by a credit"] += 1
                return
            assert codes == []
            name = self.random.choice(list(TROUBLES)) if self.random.random() < self.faults else "paid"
            self.happened[name] += 1
            await TROUBLES.get(name, paid)(self, payload, token)

    def decide(self, reference: str, payload: Any, choice: str) -> None:
        """Let a payment come out at its bank."""
        banks = self.till.banks
        (banks.systempay if payload["payment"]["bank"] == "systempay" else banks.payfip).decide(reference, choice)

    async def reconcile(self) -> Reconciled:
        """Lay the journals of the banks beside the ledger."""
        bank = self._journal()
        rows = await self.till.house.connection.fetch(
            """select m.transaction_id, p.cents from bank_message m
               join payment p on p.family_id = m.family_id and p.id = m.payment_id where m.verdict = 'BOOKED'"""
        )
        ours = {row["transaction_id"]: row["cents"] for row in rows}
        books = await self.till.books()
        return Reconciled(
            sum(bank.values()),
            books.paid_cents,
            len(bank),
            books.payments,
            len(bank.keys() - ours.keys()),
            len(ours.keys() - bank.keys()) + len(rows) - len(ours),
            sum(bank[each] != ours[each] for each in bank.keys() & ours.keys()),
            books.credit_cents,
            await self.till.house.connection.fetchval(CREDITS_WITHOUT_TASK),
            books.live,
            self.happened,
        )

    def _journal(self) -> dict[str, int]:
        """Give what the banks took, in cents by their own ids."""
        cards = {
            each["vads_trans_uuid"]: int(each["vads_effective_amount"])
            for order in self.till.banks.systempay.orders.values()
            for each in order.tries
            if each["vads_trans_status"] == "AUTHORISED"
        }
        payfip = {
            each.idop: int(each.asked["montant"])
            for each in self.till.banks.payfip.operations.values()
            if each.result in ("P", "V")
        }
        return cards | payfip


CREDITS_WITHOUT_TASK = """
    select count(*) from payment p where p.undone_at is null
        and p.cents > coalesce((select sum(a.cents) from allocation a
            where a.family_id = p.family_id and a.payment_id = p.id and a.freed_at is null), 0)
        and not exists (select from agent_task t where t.family_id = p.family_id and t.subject_id = p.id
            and t.kind = 'UNEXPLAINED_CREDIT')
"""


async def paid(month: Month, payload: Any, token: str) -> None:
    """Pay, as nearly everybody does."""
    month.decide(month.till.enter(payload), payload, TAKEN)


async def refused(month: Month, payload: Any, token: str) -> None:
    """The bank refuses."""
    month.decide(month.till.enter(payload), payload, REFUSED)


async def given_up(month: Month, payload: Any, token: str) -> None:
    """Somebody gives up at the bank's page."""
    month.decide(month.till.enter(payload), payload, GIVEN_UP)


async def forsaken(month: Month, payload: Any, token: str) -> None:
    """Somebody closes the window."""
    month.till.enter(payload)


async def never_told(month: Month, payload: Any, token: str) -> None:
    """The bank takes the money and tells nobody: the enquiry finds it."""
    reference = month.till.enter(payload)
    manners = month.till.banks.manners
    manners.mute = True
    month.decide(reference, payload, TAKEN)
    manners.mute = False


async def told_late(month: Month, payload: Any, token: str) -> None:
    """The notification comes in the evening, among others, in any order, and three times."""
    reference = month.till.enter(payload)
    manners = month.till.banks.manners
    manners.held, manners.copies = True, 3
    month.decide(reference, payload, TAKEN)
    manners.held, manners.copies = False, 1


async def paid_after_giving_up(month: Month, payload: Any, token: str) -> None:
    """Given up in the portal, and paid at the bank all the same."""
    reference = month.till.enter(payload)
    await month.till.house.do(CANCEL, token, payment=payload["payment"]["id"])
    month.decide(reference, payload, TAKEN)


async def taken_twice(month: Month, payload: Any, token: str) -> None:
    """The bank takes the money twice, where it can."""
    reference = month.till.enter(payload)
    month.decide(reference, payload, TAKEN)
    if payload["payment"]["bank"] == "systempay":
        month.decide(reference, payload, TAKEN)


async def refused_then_paid(month: Month, payload: Any, token: str) -> None:
    """A second card helps."""
    reference = month.till.enter(payload)
    if payload["payment"]["bank"] == "systempay":
        month.decide(reference, payload, REFUSED)
    month.decide(reference, payload, TAKEN)


async def forged(month: Month, payload: Any, token: str) -> None:
    """Somebody says in the bank's name that it was paid; nothing was."""
    reference = month.till.enter(payload)
    if payload["payment"]["bank"] == "payfip":
        assert await month.till.post(f"idop={reference}", "payfip") == 200
        return
    message = month.till.banks.systempay.message(reference, TAKEN)
    assert await month.till.tell(message, key=str(uuid7())) == 400
    assert await month.till.post(signed({**message, "vads_amount": "1", "vads_effective_amount": "1"})) == 400


TROUBLES: dict[str, Trouble] = {
    each.__name__: each
    for each in (
        refused, given_up, forsaken, never_told, told_late, paid_after_giving_up, taken_twice, refused_then_paid,
        forged,
    )
}  # fmt: skip


async def month_on(dsn: str, payments: int, faults: float, seed: int) -> Reconciled:
    """Run a month on a city's database."""
    async with till_on(dsn, tokens=LONG_SESSIONS, outbox={"lanes": 1}) as till:
        return await Month(till, random.Random(seed), faults).run(payments)


async def main() -> None:
    """Run a month of the wanted size and print what came of it."""
    parser = argparse.ArgumentParser(prog="tests.month", description=__doc__)
    parser.add_argument("--payments", type=int, default=10_000)
    parser.add_argument("--faults", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=2026)
    given = parser.parse_args()
    async with running() as cluster, cluster.database("city") as city:
        found = await month_on(city.dsn, given.payments, given.faults, given.seed)
    for name, count in found.happened.most_common():
        print(f"{name:24}{count:>8,}")
    print(f"bank   {found.bank_payments:>8,} payments {found.bank_cents:>14,} cents")
    print(f"ledger {found.ledger_payments:>8,} payments {found.ledger_cents:>14,} cents")
    print(f"difference {found.difference} cents, credit {found.credit_cents:,} cents")
    print(f"not booked {found.unknown_to_us}, not at the bank {found.unknown_to_bank}, other amounts {found.differing}")
    print(f"credits without a task {found.credits_without_task}, attempts still live {found.live}")


if __name__ == "__main__":
    asyncio.run(main())
