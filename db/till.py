"""The till as stored: what coupons name, days and their totals."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from db.ids import uuid7

OF_THE_TILL = frozenset({"COUNTER", "POST"})
"""Sources of payments that a day of the till counts."""

SHARE_DAY = "select pg_advisory_xact_lock_shared(40, $1::date - date '2000-01-01')"
HOLD_DAY = "select pg_advisory_xact_lock(40, $1::date - date '2000-01-01')"
IS_CLOSED = "select exists (select from daily_closing where day = $1)"


async def is_closed(tx: Any, day: date) -> bool:
    """Tell whether a day is closed; it stays so, or open, until the transaction ends."""
    await tx.execute(SHARE_DAY, day)
    found: bool = await tx.fetchval(IS_CLOSED, day)
    return found


@dataclass(frozen=True, slots=True)
class Coupon:
    """An invoice that a coupon names."""

    family_id: UUID
    id: UUID
    reference: str
    cancelled: bool


COUPONS = """
    select family_id, id, reference, cancelled_at is not null from invoice where reference = any($1)
    order by array_position($1, reference)
"""


async def coupons(tx: Any, references: Sequence[str]) -> list[Coupon]:
    """Give the invoices of these references, in their order; unknown ones are left out."""
    return [Coupon(*row.values()) for row in await tx.fetch(COUPONS, list(references))]


@dataclass(frozen=True, slots=True)
class Taken:
    """A payment as it stands."""

    cents: int
    means: str
    source: str
    received_on: date
    undone: bool


TAKEN = "select cents, means, source, received_on, undone_at is not null from payment where family_id = $1 and id = $2"


async def taken(tx: Any, family_id: UUID, payment_id: UUID) -> Taken | None:
    """Give a payment that the viewer sees."""
    row = await tx.fetchrow(TAKEN, family_id, payment_id)
    return Taken(*row.values()) if row else None


@dataclass(frozen=True, slots=True)
class Total:
    """What a day came to by one means."""

    means: str
    count: int
    cents: int
    forfeited_cents: int
    refunded_cents: int


async def totals(tx: Any, day: date) -> list[Total]:
    """Give what a day came to until now."""
    rows = await tx.fetch(
        "select means, count, cents, forfeited_cents, refunded_cents from till_totals($1) order by means", day
    )
    return [Total(*row.values()) for row in rows]


CLOSE = "insert into daily_closing (day, id, closed_by, closed_at) values ($1, $2, $3, $4)"
CLOSE_TOTAL = """
    insert into daily_total (day, means, id, count, cents, forfeited_cents, refunded_cents)
    values ($1, $2, $3, $4, $5, $6, $7)
"""


async def hold_day(tx: Any, day: date) -> bool:
    """Hold a day alone; tell whether it is closed."""
    await tx.execute(HOLD_DAY, day)
    found: bool = await tx.fetchval(IS_CLOSED, day)
    return found


async def close(tx: Any, day: date, found: Sequence[Total], agent_id: UUID, at: datetime) -> UUID:
    """Close a day that is held, with its totals; give the closing."""
    closing_id = uuid7(at)
    await tx.execute(CLOSE, day, closing_id, agent_id, at)
    for each in found:
        row = (each.count, each.cents, each.forfeited_cents, each.refunded_cents)
        await tx.execute(CLOSE_TOTAL, day, each.means, uuid7(at), *row)
    return closing_id


async def closing_of(tx: Any, day: date) -> UUID:
    """Give the closing of a closed day."""
    found: UUID = await tx.fetchval("select id from daily_closing where day = $1", day)
    return found
