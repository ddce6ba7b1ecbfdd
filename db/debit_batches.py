"""Batches of direct debits as stored: what is sent to the bank for one day, and the one file of it."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from db.ids import uuid7


@dataclass(frozen=True, slots=True)
class Batch:
    """What is sent to the bank for one day."""

    id: UUID
    due_on: date
    message_id: str
    created_at: datetime
    debits: int
    cents: int
    sealed_file: bytes | None
    file_hash: bytes | None
    filed_at: datetime | None
    withdrawn_at: datetime | None
    booked_at: datetime | None


BATCH = """
    id, due_on, message_id, created_at, debits, cents, sealed_file, file_hash, filed_at, withdrawn_at, booked_at
"""
BEGIN = """
    insert into debit_batch (id, due_on, message_id, created_at)
    select $1, $2, $3::text || (1 + (select count(*) from debit_batch b where b.due_on = $2)), $4
    on conflict (due_on) where withdrawn_at is null do nothing
"""
OF_DAY = f"select {BATCH} from debit_batch where due_on = $1 and withdrawn_at is null for update"


async def of_day(tx: Any, due_on: date) -> Batch | None:
    """Give the batch of a day and hold it."""
    row = await tx.fetchrow(OF_DAY, due_on)
    return Batch(*row.values()) if row else None


async def begin(tx: Any, due_on: date, prefix: str, at: datetime) -> Batch:
    """Give the batch of a day, made if there is none, and hold it."""
    await tx.execute(BEGIN, uuid7(at), due_on, f"{prefix}-{due_on:%Y%m%d}-", at)
    found = await of_day(tx, due_on)
    assert found is not None, "made just now, or there before"
    return found


# Who announces holds it with others, who fills a batch alone: whatever was announced for its day is seen by then, and
# whoever announces afterwards sees the batch.
ANNOUNCING = "select pg_advisory_xact_lock_shared(hashtext('debit days'))"
FILLING = "select pg_advisory_xact_lock(hashtext('debit days'))"
TAKEN = "select due_on from debit_batch where due_on >= $1 and withdrawn_at is null"


async def days_taken(tx: Any, since: date) -> set[date]:
    """Give the days from one on whose file is made, or being made; until the transaction ends none is added.

    Called before the rows of families are held.
    """
    await tx.execute(ANNOUNCING)
    return {row["due_on"] for row in await tx.fetch(TAKEN, since)}


async def hold_days(tx: Any) -> None:
    """Wait for those who announce debits, and let nobody announce until the transaction ends."""
    await tx.execute(FILLING)


HOLD = f"select {BATCH} from debit_batch where id = $1 for update"


async def hold(tx: Any, batch_id: UUID) -> Batch | None:
    """Give a batch and hold it."""
    row = await tx.fetchrow(HOLD, batch_id)
    return Batch(*row.values()) if row else None


@dataclass(frozen=True, slots=True)
class Sent:
    """A debit as the file says it, its account sealed."""

    family_id: UUID
    end_to_end_id: str
    cents: int
    sequence: str
    number: str
    rum: str
    signed_on: date
    sealed_account: bytes


SENT = """
    select d.family_id, d.end_to_end_id, d.cents, d.sequence, i.number, m.rum, m.signed_on, m.sealed_account
    from debit d
    join invoice i on i.family_id = d.family_id and i.id = d.invoice_id
    join mandate m on m.family_id = d.family_id and m.id = d.mandate_id
    where d.batch_id = $1 and d.state = 'SENT' order by d.end_to_end_id
"""


async def sent(tx: Any, batch_id: UUID) -> list[Sent]:
    """Give what a batch sends."""
    return [Sent(*row.values()) for row in await tx.fetch(SENT, batch_id)]


FILE = """
    update debit_batch set sealed_file = $2, file_hash = $3, debits = $4, cents = $5, filed_at = $6
    where id = $1 and filed_at is null
"""


async def file(tx: Any, batch_id: UUID, sealed: bytes, file_hash: bytes, debits: int, cents: int, at: datetime) -> None:
    """Keep the file of a batch, for good."""
    await tx.execute(FILE, batch_id, sealed, file_hash, debits, cents, at)


WITHDRAW = (
    """update debit_batch set withdrawn_at = $2, withdrawn_by = $3 where id = $1""",
    """update debit set state = 'DROPPED', dropped_at = $2, dropped_because = 'WITHDRAWN'
       where batch_id = $1 and state = 'SENT'""",
)


async def withdraw(tx: Any, batch_id: UUID, agent_id: UUID | None, at: datetime) -> int:
    """Take a batch back that the bank never got; give how many debits it held."""
    await tx.execute(WITHDRAW[0], batch_id, at, agent_id)
    return _count(await tx.execute(WITHDRAW[1], batch_id, at))


UNBOOKED = """
    select id from debit_batch
    where filed_at is not null and withdrawn_at is null and booked_at is null and due_on <= $1 order by due_on
"""


async def unbooked(tx: Any, today: date) -> list[UUID]:
    """Give batches whose day has come and that are not booked."""
    return [row["id"] for row in await tx.fetch(UNBOOKED, today)]


TO_BOOK = """
    select family_id, id from debit where batch_id = $1 and state = 'SENT' order by family_id, id limit $2
"""


async def to_book(tx: Any, batch_id: UUID, count: int) -> list[tuple[UUID, UUID]]:
    """Give debits of a batch that are not booked."""
    return [(row["family_id"], row["id"]) for row in await tx.fetch(TO_BOOK, batch_id, count)]


END = """
    update debit_batch set booked_at = $2 where id = $1 and booked_at is null
        and not exists (select from debit where batch_id = $1 and state = 'SENT')
"""


async def end(tx: Any, batch_id: UUID, at: datetime) -> None:
    """Write that all of a batch is booked."""
    await tx.execute(END, batch_id, at)


def _count(status: str) -> int:
    return int(status.rpartition(" ")[2])
