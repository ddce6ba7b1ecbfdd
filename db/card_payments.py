"""Card payments as stored: attempts to pay invoices at a bank, and what the bank said of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

BANK_MISMATCH = "BANK_MISMATCH"
"""Kind of the task to look at what a bank says and what does not fit."""

LIVE = ("CREATED", "REDIRECTED")

PAYING = """exists (select from card_attempt_invoice c
    where c.family_id = i.family_id and c.invoice_id = i.id and c.live)"""
"""Whether an invoice `i` is being paid by card: nothing else may collect it meanwhile."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt."""

    family_id: UUID
    id: UUID
    reference: str
    bank: str
    bank_reference: str | None
    status: str
    end_reason: str | None
    cents: int
    redirect: str | None
    """JSON."""
    created_at: datetime
    expires_at: datetime
    settled_at: datetime | None

    @property
    def live(self) -> bool:
        """Whether it can still be paid."""
        return self.status in LIVE


@dataclass(frozen=True, slots=True)
class Owed:
    """An invoice, as far as paying it online is concerned."""

    id: UUID
    number: str
    open_cents: int
    cancelled: bool


COLUMNS = """
    a.family_id, a.id, a.reference, a.bank, a.bank_reference, a.status, a.end_reason, a.cents,
    a.redirect::text as redirect, a.created_at, a.expires_at, a.settled_at
"""
OWED = """
    select i.id, i.number, (i.total_cents - coalesce((select sum(a.cents) from allocation a
            where a.family_id = i.family_id and a.invoice_id = i.id and a.freed_at is null), 0))::integer,
        i.cancelled_at is not null
    from invoice i where i.family_id = $1 and i.id = any($2) order by array_position($2, i.id)
"""


async def owed(tx: Any, family_id: UUID, invoices: Sequence[UUID]) -> list[Owed]:
    """Give invoices of a family, in this order, with what is open of them; those that it has not are left out."""
    return [Owed(*row.values()) for row in await tx.fetch(OWED, family_id, list(invoices))]


RUN_OUT = f"""
    select {COLUMNS} from card_attempt a
    where a.family_id = $1 and a.status in ('CREATED', 'REDIRECTED') and a.expires_at <= $3 and exists (
        select from card_attempt_invoice i
        where i.family_id = a.family_id and i.attempt_id = a.id and i.invoice_id = any($2) and i.live)
    order by a.id for no key update
"""


async def run_out(tx: Any, family_id: UUID, invoices: Sequence[UUID], now: datetime) -> list[Attempt]:
    """Give the attempts on these invoices whose time is over and which nobody has ended yet."""
    return [Attempt(*row.values()) for row in await tx.fetch(RUN_OUT, family_id, list(invoices), now)]


UNDER_WAY = """
    select exists (select from card_attempt_invoice where family_id = $1 and invoice_id = any($2) and live)
"""


async def under_way(tx: Any, family_id: UUID, invoices: Sequence[UUID]) -> bool:
    """Tell whether one of these invoices is being paid."""
    found: bool = await tx.fetchval(UNDER_WAY, family_id, list(invoices))
    return found


INSERT = """
    with attempt as (
        insert into card_attempt (family_id, id, reference, bank, account_id, cents, created_at, expires_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8) returning family_id, id
    )
    insert into card_attempt_invoice (family_id, attempt_id, invoice_id, position, cents)
    select a.family_id, a.id, i.id, i.position, i.cents
    from attempt a, unnest($9::uuid[], $10::integer[]) with ordinality i (id, cents, position)
"""


@dataclass(frozen=True, slots=True)
class NewAttempt:
    """An attempt to be written."""

    family_id: UUID
    id: UUID
    reference: str
    bank: str
    account_id: UUID
    created_at: datetime
    expires_at: datetime
    invoices: Sequence[Owed]

    @property
    def cents(self) -> int:
        """Give what all its invoices come to."""
        return sum(each.open_cents for each in self.invoices)


async def insert(tx: Any, new: NewAttempt) -> None:
    """Write an attempt; the database lets one invoice be in one live attempt only."""
    await tx.execute(
        INSERT,
        new.family_id,
        new.id,
        new.reference,
        new.bank,
        new.account_id,
        new.cents,
        new.created_at,
        new.expires_at,
        [each.id for each in new.invoices],
        [each.open_cents for each in new.invoices],
    )


LOCK = f"select {COLUMNS} from card_attempt a where a.family_id = $1 and a.id = $2 for no key update"
FIND = f"select {COLUMNS} from card_attempt a where a.bank = $1 and a.bank_reference = $2"
SHOWN = "select status, id from card_attempt where bank = $1 and reference = $2"
INVOICES = """
    select invoice_id from card_attempt_invoice where family_id = $1 and attempt_id = $2 order by position
"""


async def lock(tx: Any, family_id: UUID, attempt_id: UUID) -> Attempt | None:
    """Give an attempt that the viewer sees and hold it, or None."""
    row = await tx.fetchrow(LOCK, family_id, attempt_id)
    return Attempt(*row.values()) if row else None


async def seen(tx: Any, family_id: UUID, attempt_id: UUID) -> bool:
    """Tell whether the viewer sees an attempt."""
    found: bool = await tx.fetchval(
        "select exists (select from card_attempt where family_id = $1 and id = $2)", family_id, attempt_id
    )
    return found


async def find(tx: Any, bank: str, bank_reference: str) -> Attempt | None:
    """Give the attempt that a bank names, or None."""
    row = await tx.fetchrow(FIND, bank, bank_reference)
    return Attempt(*row.values()) if row else None


async def shown(tx: Any, bank: str, reference: str) -> tuple[str, UUID] | None:
    """Give the status and the id of an attempt by our own reference, for the page that browsers come back to."""
    row = await tx.fetchrow(SHOWN, bank, reference)
    return (row["status"], row["id"]) if row else None


async def invoices_of(tx: Any, attempt: Attempt) -> list[UUID]:
    """Give the invoices of an attempt, in the order in which it settles them."""
    return [row["invoice_id"] for row in await tx.fetch(INVOICES, attempt.family_id, attempt.id)]


REDIRECT = """
    update card_attempt set status = 'REDIRECTED', bank_reference = $3, redirect = $4, redirected_at = $5
    where family_id = $1 and id = $2
"""


async def redirect(tx: Any, attempt: Attempt, bank_reference: str, redirect: str, at: datetime) -> None:
    """Write where the browser is sent (JSON); one of the two writers of `card_attempt.status`."""
    await tx.execute(REDIRECT, attempt.family_id, attempt.id, bank_reference, redirect, at)


END = """
    with ended as (
        update card_attempt set status = $3, end_reason = $4, redirect = null, ended_at = $5,
            settled_at = case when $6 then $5 else settled_at end
        where family_id = $1 and id = $2 returning family_id, id
    )
    update card_attempt_invoice i set live = false from ended e
    where i.family_id = e.family_id and i.attempt_id = e.id and i.live
"""


async def end(tx: Any, attempt: Attempt, status: str, reason: str, at: datetime, *, settled: bool = False) -> None:
    """Write how an attempt ended; the other writer of `card_attempt.status`. `settled`: the bank said its last word."""
    await tx.execute(END, attempt.family_id, attempt.id, status, reason, at, settled)


SETTLE = "update card_attempt set settled_at = $3 where family_id = $1 and id = $2 and settled_at is null"


async def settle(tx: Any, attempt: Attempt, at: datetime) -> None:
    """Write that the bank has nothing more to say of an attempt."""
    await tx.execute(SETTLE, attempt.family_id, attempt.id, at)


UNSETTLED = f"""
    select {COLUMNS} from card_attempt a
    where a.settled_at is null and a.created_at >= $1 and a.created_at < $2 and (a.created_at, a.id) > ($3, $4)
    order by a.created_at, a.id limit $5
"""


async def unsettled(
    tx: Any, since: datetime, before: datetime, after: tuple[datetime, UUID], count: int
) -> list[Attempt]:
    """Give attempts of a span of time of which the bank has not said its last word, oldest first, after a key."""
    return [Attempt(*row.values()) for row in await tx.fetch(UNSETTLED, since, before, *after, count)]


@dataclass(frozen=True, slots=True)
class Message:
    """What is kept of what a bank said: the only columns there are (R35)."""

    source: str
    verdict: str
    fingerprint: bytes
    bank_status: str | None = None
    cents: int | None = None
    transaction_id: str | None = None
    payment_id: UUID | None = None


WRITE_MESSAGE = """
    insert into bank_message (family_id, id, attempt_id, bank, source, verdict, fingerprint, bank_status, cents,
        transaction_id, payment_id, first_at, last_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)
    on conflict (family_id, attempt_id, fingerprint, verdict) do update
        set times = bank_message.times + 1, last_at = excluded.last_at
"""


async def write_message(tx: Any, attempt: Attempt, message_id: UUID, message: Message, at: datetime) -> None:
    """Write what a bank said; the same once more is counted."""
    await tx.execute(
        WRITE_MESSAGE,
        attempt.family_id,
        message_id,
        attempt.id,
        attempt.bank,
        message.source,
        message.verdict,
        message.fingerprint,
        message.bank_status,
        message.cents,
        message.transaction_id,
        message.payment_id,
        at,
    )


BOOKED = """
    select attempt_id from bank_message where bank = $1 and transaction_id = $2 and verdict = 'BOOKED'
"""


async def booked(tx: Any, bank: str, transaction_id: str) -> UUID | None:
    """Give the attempt for which money that the bank names by this id was booked, or None."""
    found: UUID | None = await tx.fetchval(BOOKED, bank, transaction_id)
    return found
