"""What a family is told about its money (R16): the one place where such news is born.

Amounts stand in it as people write them, in both languages.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from db.outbox import BULK, Told

INVOICE_NEWS = ("invoice_issued", "invoice_cancelled", "invoice_overdue", "payment_received", "payment_undone")
"""Types of news after which an invoice stands otherwise than before."""

MEANS = {
    "CASH": ("espèces", "cash"),
    "CHEQUE": ("chèque", "cheque"),
    "CARD": ("carte bancaire", "card"),
    "CESU": ("CESU", "CESU vouchers"),
    "HOLIDAY_VOUCHER": ("chèques-vacances", "holiday vouchers"),
    "ONLINE_CARD": ("carte bancaire en ligne", "card online"),
    "DIRECT_DEBIT": ("prélèvement", "direct debit"),
    "TRANSFER": ("virement", "bank transfer"),
    "CREDIT_NOTE": ("avoir", "credit note"),
}
"""Means of payment in French and English."""

AMOUNTS = """
    select c.key, formatted_money(c.cents, 'fr'), formatted_money(c.cents, 'en')
    from unnest($1::text[], $2::integer[]) c (key, cents)
"""
INVOICES = """
    select i.number, i.due_on, i.total_cents, i.id from invoice i
    where i.family_id = $1 and i.id = any($2) order by i.due_on, i.number
"""


async def _amounts(tx: Any, **cents: int) -> dict[str, Any]:
    """Give amounts as a message needs them: `name_cents`, `name_fr`, `name_en`."""
    found: dict[str, Any] = {}
    for key, fr, en in await tx.fetch(AMOUNTS, list(cents), list(cents.values())):
        found |= {f"{key}_cents": cents[key], f"{key}_fr": fr, f"{key}_en": en}
    return found


async def _numbers(tx: Any, family_id: UUID, invoices: Sequence[UUID]) -> list[str]:
    return [row["number"] for row in await tx.fetch(INVOICES, family_id, list(invoices))]


def _means(means: Sequence[str]) -> dict[str, str]:
    names = [MEANS[each] for each in dict.fromkeys(means)]
    return {"means_fr": ", ".join(fr for fr, _ in names), "means_en": ", ".join(en for _, en in names)}


OPEN = """
    select i.number, i.reference, i.due_on, i.total_cents,
        (i.total_cents - coalesce((select sum(a.cents) from allocation a
            where a.family_id = i.family_id and a.invoice_id = i.id and a.freed_at is null), 0))::integer as cents
    from invoice i where i.family_id = $1 and i.id = $2
"""


async def issued(tx: Any, family_id: UUID, invoice_id: UUID, at: datetime) -> Told:
    """A new invoice (R29), and what a credit of the family has settled of it.

    At the end of a month all families get one: it waits for what concerns one family alone.
    """
    row = await tx.fetchrow(OPEN, family_id, invoice_id)
    settled = row["total_cents"] - row["cents"]
    amount = await _amounts(tx, total=row["total_cents"], settled=settled, open=row["cents"])
    due = row["due_on"].isoformat()
    data = {
        **amount,
        "invoice": row["number"],
        "due_on": due,
        "summary_fr": f"Votre facture {row['number']} de {amount['total_fr']} est disponible.",
        "summary_en": f"Your invoice {row['number']} of {amount['total_en']} is available.",
    }
    return Told(family_id, "INVOICE_ISSUED", "invoice_issued", invoice_id, data, at, priority=BULK)


async def overdue(tx: Any, family_id: UUID, invoice_id: UUID, number: int, at: datetime) -> Told:
    """A reminder of an invoice that is overdue: the first, the second …"""
    row = await tx.fetchrow(OPEN, family_id, invoice_id)
    amounts = await _amounts(tx, open=row["cents"])
    data = {
        **amounts,
        "invoice": row["number"],
        "coupon": row["reference"],
        "due_on": row["due_on"].isoformat(),
        "reminder": number,
        "summary_fr": f"Rappel : {amounts['open_fr']} restent à payer pour votre facture {row['number']}.",
        "summary_en": f"Reminder: {amounts['open_en']} are still owed for your invoice {row['number']}.",
    }
    return Told(family_id, "INVOICE_ISSUED", "invoice_overdue", invoice_id, data, at, priority=BULK)


async def cancelled(tx: Any, family_id: UUID, invoice_id: UUID, reason: str, at: datetime) -> Told:
    """An invoice that is no longer owed."""
    [row] = await tx.fetch(INVOICES, family_id, [invoice_id])
    data = {
        **await _amounts(tx, total=row["total_cents"]),
        "invoice": row["number"],
        "reason": reason,
        "summary_fr": f"Votre facture {row['number']} est annulée.",
        "summary_en": f"Your invoice {row['number']} was cancelled.",
    }
    return Told(family_id, "INVOICE_ISSUED", "invoice_cancelled", invoice_id, data, at)


async def received(tx: Any, family_id: UUID, payments: Sequence[Any], booked: Any, at: datetime) -> Told:
    """The acknowledgement of a payment, whatever its means; with its receipt."""
    cents = sum(each.cents for each in payments)
    forfeited = sum(each.forfeited_cents for each in payments)
    amounts = await _amounts(tx, paid=cents, credit=booked.credit_cents, forfeited=forfeited)
    data = {
        **amounts,
        **_means([each.means for each in payments]),
        "invoices": await _numbers(tx, family_id, [invoice for invoice, _ in booked.settled]),
        "receipt": booked.receipt_number,
        "visit": str(booked.visit_id),
        "summary_fr": f"Nous avons bien reçu votre paiement de {amounts['paid_fr']} (reçu {booked.receipt_number}).",
        "summary_en": f"We have received your payment of {amounts['paid_en']} (receipt {booked.receipt_number}).",
    }
    return Told(family_id, "PAYMENT", "payment_received", booked.payments[0], data, at)


PAYMENT = "select cents, means, receipt_number from payment where family_id = $1 and id = $2"
FREED = "select distinct invoice_id from allocation where family_id = $1 and payment_id = $2 and freed_at = $3"


async def undone(tx: Any, family_id: UUID, payment_id: UUID, reason: str, at: datetime) -> Told:
    """A payment that was taken back: what it had settled is owed again."""
    row = await tx.fetchrow(PAYMENT, family_id, payment_id)
    freed = [each["invoice_id"] for each in await tx.fetch(FREED, family_id, payment_id, at)]
    amounts = await _amounts(tx, paid=row["cents"])
    data = {
        **amounts,
        **_means([row["means"]]),
        "invoices": await _numbers(tx, family_id, freed),
        "receipt": row["receipt_number"],
        "reason": reason,
        "summary_fr": f"Votre paiement de {amounts['paid_fr']} (reçu {row['receipt_number']}) est annulé.",
        "summary_en": f"Your payment of {amounts['paid_en']} (receipt {row['receipt_number']}) was undone.",
    }
    return Told(family_id, "PAYMENT", "payment_undone", payment_id, data, at)


async def refunded(tx: Any, family_id: UUID, payment_id: UUID, cents: int, means: str, at: datetime) -> Told:
    """Money that was paid back."""
    row = await tx.fetchrow(PAYMENT, family_id, payment_id)
    amounts = await _amounts(tx, refund=cents)
    data = {
        **amounts,
        **_means([means]),
        "receipt": row["receipt_number"],
        "summary_fr": f"Nous vous avons remboursé {amounts['refund_fr']}.",
        "summary_en": f"We have paid {amounts['refund_en']} back to you.",
    }
    return Told(family_id, "PAYMENT", "payment_refunded", payment_id, data, at)
