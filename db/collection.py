"""Handing over to the public accountant, as stored: a docket, and which invoices are in it."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from db.card_payments import PAYING
from db.ids import uuid7

ALLOCATED = """coalesce((select sum(a.cents) from allocation a
    where a.family_id = i.family_id and a.invoice_id = i.id and a.freed_at is null), 0)"""


@dataclass(frozen=True, slots=True)
class Docket:
    """A docket."""

    id: UUID
    year: int
    number: int
    made_on: date
    invoices: int
    cents: int
    sealed_files: bytes | None
    filed_at: datetime | None


DOCKET = "id, year, number, made_on, invoices, cents, sealed_files, filed_at"
UNFINISHED = f"select {DOCKET} from docket where filed_at is null for update"


async def unfinished(tx: Any) -> Docket | None:
    """Give the docket that was begun and has no files, and hold it."""
    row = await tx.fetchrow(UNFINISHED)
    return Docket(*row.values()) if row else None


BEGIN = f"""
    insert into docket (id, year, number, made_on, created_at)
    select $1, $2, 1 + coalesce((select max(number) from docket where year = $2), 0), $3, $4
    on conflict do nothing returning {DOCKET}
"""


async def begin(tx: Any, made_on: date, at: datetime) -> Docket:
    """Give the unfinished docket, begun if there is none, and hold it."""
    row = await tx.fetchrow(BEGIN, uuid7(at), made_on.year, made_on, at)
    found = Docket(*row.values()) if row else await unfinished(tx)
    assert found is not None, "begun just now, or there before"
    return found


HOLD = f"select {DOCKET} from docket where id = $1 for update"
NUMBERED = f"select {DOCKET} from docket where year = $1 and number = $2"


async def hold(tx: Any, docket_id: UUID) -> Docket | None:
    """Give a docket and hold it."""
    row = await tx.fetchrow(HOLD, docket_id)
    return Docket(*row.values()) if row else None


async def numbered(tx: Any, year: int, number: int) -> Docket | None:
    """Give a docket by its number."""
    row = await tx.fetchrow(NUMBERED, year, number)
    return Docket(*row.values()) if row else None


# Overdue for long, not wholly paid, in no docket, and nobody is collecting it at the moment; the debtor can be found.
OVERDUE = f"""
    from invoice i join family f on f.id = i.family_id and f.erased_at is null
    where i.cancelled_at is null and i.due_on < $1 and i.total_cents > {ALLOCATED}
        and not exists (select from handover h where h.family_id = i.family_id and h.invoice_id = i.id)
        and not exists (select from debit d where d.family_id = i.family_id and d.invoice_id = i.id
            and d.state in ('ANNOUNCED', 'SENT'))
        and not {PAYING}
"""
POSTAL = """
    (select a.value from address a where a.family_id = f.id and a.channel = 'POST' and a.retired_at is null
        order by a.verified_at desc nulls last, a.id desc limit 1)
"""
FAMILIES = f"""
    select i.family_id, {POSTAL} as address {OVERDUE} and i.family_id > $3
    group by i.family_id, f.id having sum(i.total_cents - {ALLOCATED}) >= $2 order by i.family_id limit $4
"""


async def debtors(
    tx: Any, due_before: date, least_cents: int, after: UUID, count: int
) -> list[tuple[UUID, str | None]]:
    """Give families that owe enough for long enough, in order of their ids, with their postal address."""
    rows = await tx.fetch(FAMILIES, due_before, least_cents, after, count)
    return [(row["family_id"], row["address"]) for row in rows]


HAND_OVER = f"""
    with overdue as (
        select i.family_id, i.id, i.number, (i.total_cents - {ALLOCATED})::integer as cents {OVERDUE}
        and i.family_id = $2 order by i.number for no key update of i
    ), handed as (
        insert into handover (family_id, invoice_id, docket_id, cents, handed_on)
        select family_id, id, $3, cents, $4 from overdue on conflict do nothing returning invoice_id
    )
    select o.id, o.number, o.cents from overdue o join handed h on h.invoice_id = o.id order by o.number
"""


@dataclass(frozen=True, slots=True)
class Handed:
    """An invoice that is handed over, and what is owed of it."""

    invoice_id: UUID
    number: str
    cents: int


async def hand_over(tx: Any, due_before: date, family_id: UUID, docket_id: UUID, on: date) -> list[Handed]:
    """Put a family's overdue invoices into a docket; the caller holds the family."""
    return [Handed(*row.values()) for row in await tx.fetch(HAND_OVER, due_before, family_id, docket_id, on)]


@dataclass(frozen=True, slots=True)
class Debt:
    """A line of a docket."""

    family_number: str
    family_name: str
    profile: str
    siret: str | None
    first_name: str | None
    last_name: str | None
    """Of the first adult of a household."""
    address: str | None
    invoice: str
    reference: str
    period: date
    issued_on: date
    due_on: date
    total_cents: int
    cents: int


DEBTS = f"""
    select f.number, f.name, f.profile, f.siret, m.first_name, m.last_name, {POSTAL}, i.number, i.reference, i.period,
        i.issued_on, i.due_on, i.total_cents, h.cents
    from handover h
    join invoice i on i.family_id = h.family_id and i.id = h.invoice_id
    join family f on f.id = h.family_id
    left join lateral (
        select m.first_name, m.last_name from member m
        where m.family_id = f.id and m.role = 'ADULT' and m.ended_at is null order by m.id limit 1
    ) m on true
    where h.docket_id = $1 order by i.number
"""


async def debts(tx: Any, docket_id: UUID) -> list[Debt]:
    """Give what is in a docket."""
    return [Debt(*row.values()) for row in await tx.fetch(DEBTS, docket_id)]


FILE = """
    update docket set sealed_files = $2, csv_hash = $3, xml_hash = $4, invoices = $5, cents = $6, filed_at = $7
    where id = $1 and filed_at is null
"""


async def file(
    tx: Any, docket_id: UUID, sealed: bytes, hashes: tuple[bytes, bytes], invoices: int, cents: int, at: datetime
) -> None:
    """Keep the files of a docket (hashes of CSV and XML), for good."""
    await tx.execute(FILE, docket_id, sealed, *hashes, invoices, cents, at)
