"""Receipts as stored: the payments of one visit and what they settled when they were received."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

PAYMENTS = """
    select p.id, p.family_id, f.number, f.name, p.receipt_number, p.received_at, p.source, p.means, p.cents,
        p.forfeited_cents, p.undone_at, p.undone_reason
    from payment p join family f on f.id = p.family_id
    where p.visit_id = $1 and ($2::uuid is null or p.family_id = $2) order by p.id
"""
SETTLED = """
    select i.number, i.period, a.line_position, sum(a.cents)::integer as cents
    from payment p join allocation a on a.family_id = p.family_id and a.payment_id = p.id
        join invoice i on i.family_id = a.family_id and i.id = a.invoice_id
    where p.family_id = $1 and p.visit_id = $2 and a.allocated_at = p.received_at
        and p.undone_at is null
    group by i.number, i.period, a.line_position order by i.number, a.line_position
"""


@dataclass(frozen=True, slots=True)
class Part:
    """One means of a visit."""

    means: str
    cents: int
    forfeited_cents: int
    undone_at: datetime | None
    undone_reason: str | None


@dataclass(frozen=True, slots=True)
class Settled:
    """What the visit settled of one invoice."""

    number: str
    period: date
    cents: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """A visit; what it settled is what it settled then, whatever came later."""

    family_id: UUID
    family_number: str
    family_name: str
    number: str
    received_at: datetime
    source: str
    parts: list[Part]
    settled: list[Settled]


async def of_visit(tx: Any, visit_id: UUID, family_id: UUID | None = None) -> Receipt | None:
    """Give the receipt of a visit that the viewer sees; of one family alone where it is named."""
    rows = await tx.fetch(PAYMENTS, visit_id, family_id)
    if not rows:
        return None
    first = rows[0]
    by_invoice: dict[tuple[str, date], int] = {}
    for row in await tx.fetch(SETTLED, first["family_id"], visit_id):
        key = row["number"], row["period"]
        by_invoice[key] = by_invoice.get(key, 0) + row["cents"]
    return Receipt(
        first["family_id"],
        first["number"],
        first["name"],
        first["receipt_number"],
        first["received_at"],
        first["source"],
        [Part(*(row[name] for name in Part.__slots__)) for row in rows],
        [Settled(number, period, cents) for (number, period), cents in by_invoice.items()],
    )


async def visit_of(tx: Any, family_id: UUID, payment_id: UUID) -> UUID | None:
    """Give the visit of a payment that the viewer sees."""
    found: UUID | None = await tx.fetchval(
        "select visit_id from payment where family_id = $1 and id = $2", family_id, payment_id
    )
    return found
