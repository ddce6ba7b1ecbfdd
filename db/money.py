"""Money: invoices published and cancelled, payments booked, taken back, paid back; the only writers of these tables.

Every function works in the caller's transaction, under the sight of a cashier or of the portal, and first holds the
family's row: what happens to the money of one family happens one after the other. The database checks the sums again
at the commit (migration 0040).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from db import audit, money_news, tasks
from db.ids import uuid7
from db.invoicing import Line, NewInvoice, Published, publish, reference_of
from db.ledger import (
    OF_THE_TILL,
    PARIS,
    PORTAL,
    UNEXPLAINED_CREDIT,
    By,
    allocate,
    hold,
    settle_task,
    still_open,
    use_credits,
)
from db.outbox import tell

__all__ = (
    "PORTAL",
    "Booked",
    "By",
    "Line",
    "NewInvoice",
    "NotStanding",
    "Published",
    "Received",
    "TooMuch",
    "book",
    "book_visit",
    "cancel",
    "hold",
    "publish",
    "reference_of",
    "refund",
    "unbook",
    "use_credits",
)


@dataclass(frozen=True, slots=True)
class Received:
    """Money that came in by one means, in cents of euros."""

    family_id: UUID
    means: str
    cents: int
    source: str
    received_at: datetime
    bank_reference: str | None = None
    """The bank's authorisation code (R35)."""
    forfeited_cents: int = 0
    """What vouchers were worth beyond `cents`."""
    id: UUID | None = None
    """Chosen by a caller who may hear of the same payment again: the second time books nothing."""


@dataclass(frozen=True, slots=True)
class Booked:
    """What booking came to."""

    payments: tuple[UUID, ...]
    visit_id: UUID
    receipt_number: str
    settled: tuple[tuple[UUID, int], ...]
    """Invoices and the cents that were allocated to them."""
    credit_cents: int
    """What was not owed."""
    again: bool = False
    """True when it had been booked before: nothing was written."""


INSERT_PAYMENT = """
    insert into payment (family_id, id, means, source, cents, forfeited_cents, bank_reference, cashier_id, visit_id,
        receipt_number, received_on, received_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
    on conflict (family_id, id) do nothing returning id
"""
BOOKED = """
    select p.visit_id, p.receipt_number, p.cents - coalesce((select sum(a.cents) from allocation a
            where a.family_id = p.family_id and a.payment_id = p.id and a.freed_at is null), 0)
        - coalesce((select sum(r.cents) from refund r
            where r.family_id = p.family_id and r.payment_id = p.id), 0) as credit,
        p.undone_at is not null as undone
    from payment p where p.family_id = $1 and p.id = $2
"""
SETTLED = """
    select invoice_id, sum(cents)::integer from allocation
    where family_id = $1 and payment_id = $2 and freed_at is null group by invoice_id order by invoice_id
"""
RECEIPT = "select 'Q' || $1::text || '-' || lpad(nextval('receipt_number')::text, 6, '0')"


async def book(tx: Any, received: Received, invoices: Sequence[UUID], by: By = PORTAL) -> Booked:
    """Book one payment; see `book_visit`. One whose `id` is known was booked before: nothing is written."""
    if received.id is not None:
        await hold(tx, received.family_id)
        known = await tx.fetchrow(BOOKED, received.family_id, received.id)
        if known is not None:
            settled = tuple((row[0], row[1]) for row in await tx.fetch(SETTLED, received.family_id, received.id))
            credit = 0 if known["undone"] else int(known["credit"])
            return Booked((received.id,), known["visit_id"], known["receipt_number"], settled, credit, again=True)
    return await book_visit(tx, [received], invoices, by)


async def book_visit(tx: Any, received: Sequence[Received], invoices: Sequence[UUID], by: By = PORTAL) -> Booked:
    """The one way in which money comes in: settle invoices of a family, as far as they are open and in this order.

    What is not owed becomes a credit, and a task for the cashiers: it is never an error. The family is told once
    (R16), with one receipt for all means of a visit. CESU settle eligible lines only.
    """
    family_id, at = received[0].family_id, received[0].received_at
    await hold(tx, family_id)
    still = await still_open(tx, family_id, invoices)
    payments = [each.id or uuid7(at) for each in received]
    visit_id, day = payments[0], at.astimezone(PARIS).date()
    receipt = await tx.fetchval(RECEIPT, str(day.year))
    settled: dict[UUID, int] = {}
    credits = []
    for payment_id, each in zip(payments, received, strict=True):
        row = (each.means, each.source, each.cents, each.forfeited_cents, each.bank_reference, by.agent)
        await tx.execute(INSERT_PAYMENT, family_id, payment_id, *row, visit_id, receipt, day, at)
        rest = await allocate(tx, family_id, payment_id, each.means, each.cents, still, at, settled)
        data = {"means": each.means, "source": each.source, "cents": each.cents, "credit": rest}
        await audit.record(tx, audit.Act("payment_booked", by.kind, at, by.id, family_id, payment_id, data))
        if rest:
            credits.append(rest)
            await tasks.insert(tx, family_id, uuid7(at), UNEXPLAINED_CREDIT, OF_THE_TILL, payment_id, at)
    booked = Booked(tuple(payments), visit_id, receipt, tuple(settled.items()), sum(credits))
    await tell(tx, await money_news.received(tx, family_id, received, booked, at))
    return booked


class NotStanding(Exception):
    """The payment was undone, or the invoice cancelled, before."""


class TooMuch(Exception):
    """More would be paid back than is left of the payment."""


UNDO = """
    update payment set undone_at = $3, undone_reason = $4, undone_by = $5
    where family_id = $1 and id = $2 and undone_at is null returning id
"""
FREE_PAYMENT = """
    update allocation set freed_at = $3, freed_because = 'UNDONE'
    where family_id = $1 and payment_id = $2 and freed_at is null returning invoice_id
"""


async def unbook(
    tx: Any, family_id: UUID, payment_id: UUID, reason: str, at: datetime, by: By = PORTAL, *, told: bool = True
) -> list[UUID]:
    """Take a payment back that was booked in error or came back from the bank; give the invoices that it had settled.

    These are open again. The family is told unless the caller tells it. Raises NotStanding.
    """
    await hold(tx, family_id)
    freed = [row["invoice_id"] for row in await tx.fetch(FREE_PAYMENT, family_id, payment_id, at)]
    if await tx.fetchval(UNDO, family_id, payment_id, at, reason, by.agent) is None:
        raise NotStanding
    await settle_task(tx, family_id, payment_id, at)
    await audit.record(tx, audit.Act("payment_undone", by.kind, at, by.id, family_id, payment_id))
    if told:
        await tell(tx, await money_news.undone(tx, family_id, payment_id, reason, at))
    return list(dict.fromkeys(freed))


CANCEL = """
    update invoice set cancelled_at = $3, cancelled_reason = $4, cancelled_by = $5
    where family_id = $1 and id = $2 and cancelled_at is null returning id
"""
FREE_INVOICE = """
    with freed as (
        update allocation set freed_at = $3, freed_because = 'CANCELLED'
        where family_id = $1 and invoice_id = $2 and freed_at is null returning cents
    )
    select coalesce(sum(cents), 0)::integer from freed
"""


async def cancel(
    tx: Any, family_id: UUID, invoice_id: UUID, reason: str, at: datetime, by: By = PORTAL, *, told: bool = True
) -> int:
    """Cancel an invoice and free what settled it; give the cents that became credit. Raises NotStanding."""
    await hold(tx, family_id)
    if await tx.fetchval(CANCEL, family_id, invoice_id, at, reason, by.agent) is None:
        raise NotStanding
    freed: int = await tx.fetchval(FREE_INVOICE, family_id, invoice_id, at)
    act = audit.Act("invoice_cancelled", by.kind, at, by.id, family_id, invoice_id, {"credit": freed})
    await audit.record(tx, act)
    if told:
        await tell(tx, await money_news.cancelled(tx, family_id, invoice_id, reason, at))
    return freed


INSERT_REFUND = """
    insert into refund (family_id, id, payment_id, cents, means, reason, refunded_on, refunded_at, refunded_by)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""


async def refund(
    tx: Any,
    family_id: UUID,
    payment_id: UUID,
    cents: int,
    means: str,
    reason: str,
    at: datetime,
    by: By = PORTAL,
    *,
    refund_id: UUID | None = None,
) -> UUID:
    """Pay credit of a payment back, in cents; give the refund. Raises TooMuch for more than its credit, NotStanding."""
    await hold(tx, family_id)
    known = await tx.fetchrow(BOOKED, family_id, payment_id)
    if known is None or known["undone"]:
        raise NotStanding
    if cents > known["credit"]:
        raise TooMuch
    made, day = refund_id or uuid7(at), at.astimezone(PARIS).date()
    await tx.execute(INSERT_REFUND, family_id, made, payment_id, cents, means, reason, day, at, by.agent)
    if cents == known["credit"]:
        await settle_task(tx, family_id, payment_id, at)
    data = {"means": means, "cents": cents, "payment": str(payment_id)}
    await audit.record(tx, audit.Act("payment_refunded", by.kind, at, by.id, family_id, made, data))
    await tell(tx, await money_news.refunded(tx, family_id, payment_id, cents, means, at))
    return made
