"""Reminders of overdue invoices as stored."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

FIRST = (date.min, UUID(int=0), UUID(int=0))
"""Before the first invoice."""

DUE = """
    select i.due_on, i.family_id, i.id from invoice i
    where i.due_on <= $1 and i.cancelled_at is null and (i.due_on, i.family_id, i.id) > ($2, $3, $4)
        and i.total_cents > coalesce((select sum(a.cents) from allocation a
            where a.family_id = i.family_id and a.invoice_id = i.id and a.freed_at is null), 0)
        and not exists (select from invoice_reminder r
            where r.family_id = i.family_id and r.invoice_id = i.id and r.number = $5)
    order by i.due_on, i.family_id, i.id limit $6
"""


async def due(
    tx: Any, due_by: date, after: tuple[date, UUID, UUID], number: int, limit: int
) -> list[tuple[date, UUID, UUID]]:
    """Give invoices that are still owed though they were due by a day, and that have had no such reminder."""
    return [(row[0], row[1], row[2]) for row in await tx.fetch(DUE, due_by, *after, number, limit)]


REMIND = """
    insert into invoice_reminder (family_id, invoice_id, number, sent_at)
    select i.family_id, i.id, $3, $4 from invoice i
    where i.family_id = $1 and i.id = $2 and i.cancelled_at is null
        and i.total_cents > coalesce((select sum(a.cents) from allocation a
            where a.family_id = i.family_id and a.invoice_id = i.id and a.freed_at is null), 0)
    on conflict do nothing returning invoice_id
"""


@dataclass(frozen=True, slots=True)
class Reminder:
    """One reminder to write."""

    family_id: UUID
    invoice_id: UUID
    number: int


async def remind(tx: Any, reminder: Reminder, at: datetime) -> bool:
    """Write a reminder of a family whose row is held; False when nothing is owed any more or it was written before."""
    row = (reminder.family_id, reminder.invoice_id, reminder.number, at)
    return await tx.fetchval(REMIND, *row) is not None
