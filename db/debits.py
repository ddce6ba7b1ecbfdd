"""Direct debits as stored. A debit is ANNOUNCED to the family, SENT to the bank, BOOKED on its day and perhaps
RETURNED, or DROPPED before it was sent; each statement here makes one of these moves and names the state it starts
from.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from db import mandates
from db.card_payments import PAYING
from db.ids import uuid7

ALLOCATED = """coalesce((select sum(a.cents) from allocation a
    where a.family_id = i.family_id and a.invoice_id = i.id and a.freed_at is null), 0)"""

# An invoice is collected when the family had a mandate on its due date, nobody has paid any of it (R30) or is about to,
# and no debit of it lives or came back.
COLLECTABLE = f"""
    from invoice i
    join mandate m on m.family_id = i.family_id and m.ended_at is null
    join family f on f.id = i.family_id and f.closed_at is null
    where i.cancelled_at is null and i.total_cents > 0 and i.due_on >= m.signed_on and i.due_on >= $1
        and not exists (select from debit d where d.family_id = i.family_id and d.invoice_id = i.id
            and (d.state in ('ANNOUNCED', 'SENT', 'BOOKED', 'RETURNED')
                or d.dropped_because = 'INVOICE_PARTLY_PAID'))
        and not exists (select from handover h where h.family_id = i.family_id and h.invoice_id = i.id)
        and {ALLOCATED} = 0 and not {PAYING}
"""
FAMILIES = f"select distinct i.family_id {COLLECTABLE} and i.family_id > $2 order by i.family_id limit $3"


async def families_to_tell(tx: Any, due_from: date, after: UUID, count: int) -> list[UUID]:
    """Give families with invoices due from a day on that wait to be announced, in order of their ids."""
    return [row["family_id"] for row in await tx.fetch(FAMILIES, due_from, after, count)]


@dataclass(frozen=True, slots=True)
class Collectable:
    """An invoice that can be collected, and the mandate for it."""

    invoice_id: UUID
    number: str
    due_on: date
    cents: int
    attempts: int
    """Debits of it so far, all of them dropped."""
    mandate_id: UUID
    rum: str
    ics: str
    country: str
    iban_end: str

    @property
    def masked(self) -> str:
        """The account, masked."""
        return mandates.masked(self.country, self.iban_end)


OF_FAMILY = f"""
    select i.id, i.number, i.due_on, i.total_cents,
        (select count(*) from debit d where d.family_id = i.family_id and d.invoice_id = i.id),
        m.id, m.rum, m.ics, m.country, m.iban_end
    {COLLECTABLE} and i.family_id = $2 order by i.number for no key update of i, m
"""


async def collectable(tx: Any, due_from: date, family_id: UUID) -> list[Collectable]:
    """Give what can be collected from a family, whose row the caller holds, and hold these invoices."""
    return [Collectable(*row.values()) for row in await tx.fetch(OF_FAMILY, due_from, family_id)]


ANNOUNCE = """
    insert into debit (family_id, id, invoice_id, mandate_id, cents, collect_on, end_to_end_id, announced_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8)
"""


async def announce(tx: Any, family_id: UUID, wanted: Collectable, collect_on: date, at: datetime) -> UUID:
    """Write that an invoice will be collected on a day; give the debit."""
    debit_id = uuid7(at)
    named = f"{wanted.number}-{wanted.attempts + 1}"
    row = (wanted.invoice_id, wanted.mandate_id, wanted.cents, collect_on, named, at)
    await tx.execute(ANNOUNCE, family_id, debit_id, *row)
    return debit_id


DROP_OF_MANDATE = """
    update debit set state = 'DROPPED', dropped_at = $3, dropped_because = 'MANDATE_ENDED'
    where family_id = $1 and mandate_id = $2 and state = 'ANNOUNCED'
"""


async def drop_of_mandate(tx: Any, family_id: UUID, mandate_id: UUID, at: datetime) -> None:
    """Drop what was announced of a mandate that ends; what is at the bank stays there."""
    await tx.execute(DROP_OF_MANDATE, family_id, mandate_id, at)


MISSED = """
    update debit set state = 'DROPPED', dropped_at = $2, dropped_because = 'MISSED'
    where state = 'ANNOUNCED' and collect_on < $1
"""


async def drop_missed(tx: Any, before: date, at: datetime) -> int:
    """Drop what was announced for days that have passed and was never sent; give how many."""
    return _count(await tx.execute(MISSED, before, at))


DUE = """
    select distinct family_id from debit where state = 'ANNOUNCED' and collect_on = $1 order by family_id limit $2
"""


async def families_due(tx: Any, due_on: date, count: int) -> list[UUID]:
    """Give families of which debits are announced for a day and not sent."""
    return [row["family_id"] for row in await tx.fetch(DUE, due_on, count)]


@dataclass(frozen=True, slots=True)
class Due:
    """A debit of a day, and what speaks against it."""

    family_id: UUID
    id: UUID
    mandate_id: UUID
    end_to_end_id: str
    number: str
    cents: int
    open_cents: int
    obstacle: str | None
    """Why it must not be sent: a value of `dropped_because`."""
    first: bool
    """Whether the bank has accepted no debit of the mandate before."""


DUE_OF = f"""
    select d.family_id, d.id, d.mandate_id, d.end_to_end_id, i.number, d.cents, (i.total_cents - {ALLOCATED})::integer,
        case
            when m.ended_at is not null or coalesce(m.used_on, m.signed_on) <= $3 then 'MANDATE_ENDED'
            when i.cancelled_at is not null then 'INVOICE_CANCELLED'
            when {ALLOCATED} >= i.total_cents then 'INVOICE_PAID'
            when {ALLOCATED} > 0 then 'INVOICE_PARTLY_PAID'
            when exists (select from handover h where h.family_id = i.family_id and h.invoice_id = i.id)
                then 'HANDED_OVER'
            when {PAYING} then 'CARD_PAYMENT'
        end,
        not exists (select from debit b where b.family_id = d.family_id and b.mandate_id = d.mandate_id
            and (b.state in ('SENT', 'BOOKED') or b.state = 'RETURNED' and b.payment_id is not null))
    from debit d
    join invoice i on i.family_id = d.family_id and i.id = d.invoice_id
    join mandate m on m.family_id = d.family_id and m.id = d.mandate_id
    where d.state = 'ANNOUNCED' and d.collect_on = $2 and d.family_id = any($1)
    order by d.family_id, d.id for no key update of d, i
"""


async def due(tx: Any, families: Sequence[UUID], due_on: date, lapsed: date) -> list[Due]:
    """Give what was announced to families, whose rows the caller holds, for a day; mandates unused since `lapsed` have
    lapsed. Debits and invoices are held.
    """
    return [Due(*row.values()) for row in await tx.fetch(DUE_OF, families, due_on, lapsed)]


DROP = """
    update debit d set state = 'DROPPED', dropped_at = $1, dropped_because = w.why
    from unnest($2::uuid[], $3::uuid[], $4::text[]) w(family_id, id, why)
    where d.family_id = w.family_id and d.id = w.id and d.state = 'ANNOUNCED'
"""


async def drop(tx: Any, dropped: Sequence[Due], at: datetime) -> None:
    """Drop debits for what speaks against each."""
    columns = [each.family_id for each in dropped], [each.id for each in dropped], [each.obstacle for each in dropped]
    await tx.execute(DROP, at, *columns)


SEND = """
    update debit d set state = 'SENT', batch_id = $1, sequence = w.sequence
    from unnest($2::uuid[], $3::uuid[], $4::text[]) w(family_id, id, sequence)
    where d.family_id = w.family_id and d.id = w.id and d.state = 'ANNOUNCED'
"""


async def send(tx: Any, batch_id: UUID, sent: Sequence[tuple[Due, str]]) -> None:
    """Put debits into a batch, each with its sequence type: from now on no other one can hold them."""
    columns = [each.family_id for each, _ in sent], [each.id for each, _ in sent], [sequence for _, sequence in sent]
    await tx.execute(SEND, batch_id, *columns)


@dataclass(frozen=True, slots=True)
class Debit:
    """A debit that is held until the transaction ends."""

    family_id: UUID
    id: UUID
    invoice_id: UUID
    mandate_id: UUID
    cents: int
    collect_on: date
    state: str
    payment_id: UUID | None
    return_reason: str | None
    announced_at: datetime
    number: str


HOLD = """
    select d.family_id, d.id, d.invoice_id, d.mandate_id, d.cents, d.collect_on, d.state, d.payment_id,
        d.return_reason, d.announced_at, i.number
    from debit d join invoice i on i.family_id = d.family_id and i.id = d.invoice_id
    where d.family_id = $1 and d.id = $2 for no key update of d
"""


async def hold(tx: Any, family_id: UUID, debit_id: UUID) -> Debit | None:
    """Give a debit and hold it; the caller holds its family."""
    row = await tx.fetchrow(HOLD, family_id, debit_id)
    return Debit(*row.values()) if row else None


FIND = "select family_id, id from debit where end_to_end_id = $1"


async def named(tx: Any, end_to_end_id: str) -> tuple[UUID, UUID] | None:
    """Give the debit that the bank calls so."""
    row = await tx.fetchrow(FIND, end_to_end_id)
    return (row["family_id"], row["id"]) if row else None


USED = """
    update mandate set used_on = greatest(used_on, $3) where family_id = $1 and id = $2
"""
BOOK = "update debit set state = 'BOOKED', payment_id = $3 where family_id = $1 and id = $2 and state = 'SENT'"


async def book(tx: Any, debit: Debit, payment_id: UUID) -> None:
    """Write that a debit was booked as a payment."""
    await tx.execute(BOOK, debit.family_id, debit.id, payment_id)
    await tx.execute(USED, debit.family_id, debit.mandate_id, debit.collect_on)


RETURN = """
    update debit set state = 'RETURNED', return_reason = $3, returned_on = $4, return_recorded_at = $5,
        return_recorded_by = $6
    where family_id = $1 and id = $2 and state in ('SENT', 'BOOKED')
"""
RETURNS = "select count(*) from debit where family_id = $1 and mandate_id = $2 and state = 'RETURNED'"


async def give_back(tx: Any, debit: Debit, reason: str, on: date, at: datetime, agent_id: UUID | None) -> int:
    """Write that a debit came back; give how many of its mandate have."""
    await tx.execute(RETURN, debit.family_id, debit.id, reason, on, at, agent_id)
    await tx.execute(USED, debit.family_id, debit.mandate_id, debit.collect_on)
    returns: int = await tx.fetchval(RETURNS, debit.family_id, debit.mandate_id)
    return returns


AT_THE_BANK = "select exists (select from debit where family_id = $1 and invoice_id = any($2) and state = 'SENT')"


async def at_the_bank(tx: Any, family_id: UUID, invoices: Sequence[UUID]) -> bool:
    """Tell whether one of these invoices is being collected by the bank: paying it otherwise would pay it twice."""
    found: bool = await tx.fetchval(AT_THE_BANK, family_id, list(invoices))
    return found


def _count(status: str) -> int:
    return int(status.rpartition(" ")[2])
