"""Invoices on paper as stored: what one says, the bytes as issued, and the code for a family not yet active."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec


class PrintedLine(msgspec.Struct):
    """A line as it is printed; amounts in cents."""

    label_fr: str
    label_en: str
    member: str | None
    first_day: date | None
    last_day: date | None
    quantity: int
    unit_cents: int
    cents: int
    cesu_eligible: bool
    explanation: dict[str, Any]


LINES = msgspec.json.Decoder(list[PrintedLine])


@dataclass(frozen=True, slots=True)
class Printed:
    """An invoice as it is printed; amounts in cents."""

    family_id: UUID
    id: UUID
    number: str
    period: date
    issued_on: date
    due_on: date
    total_cents: int
    cesu_cents: int
    settled_cents: int
    """What a credit, or a payment that was faster, has settled of it already."""
    reference: str
    family_number: str
    family_name: str
    language: str
    waiting: bool
    """True for a family that has not activated its account."""
    address: str | None
    replaces: str | None
    """Number of the invoice that it stands for."""
    lines: list[PrintedLine]


COLUMNS = """
    select i.family_id, i.id, i.number, i.period, i.issued_on, i.due_on, i.total_cents, i.cesu_cents,
        coalesce((select sum(a.cents) from allocation a where a.family_id = i.family_id and a.invoice_id = i.id
            and a.freed_at is null), 0)::integer,
        i.reference, f.number, f.name, f.language, f.activated_at is null and f.erased_at is null,
        (select a.value from address a where a.family_id = i.family_id and a.channel = 'POST' and a.retired_at is null
            order by a.id desc limit 1),
        (select r.number from invoice r where r.family_id = i.family_id and r.id = i.replaces_id),
        (select json_agg(json_build_object('label_fr', l.label_fr, 'label_en', l.label_en,
                'member', m.first_name || ' ' || m.last_name, 'first_day', l.first_day, 'last_day', l.last_day,
                'quantity', l.quantity, 'unit_cents', l.unit_cents, 'cents', l.cents,
                'cesu_eligible', l.cesu_eligible, 'explanation', l.explanation) order by l.position)
            from invoice_line l left join member m on m.family_id = l.family_id and m.id = l.member_id
            where l.family_id = i.family_id and l.invoice_id = i.id)::text
    from invoice i join family f on f.id = i.family_id
"""
OF_RUN = f"""{COLUMNS} where i.run_id = $1 and i.pdf is null and i.cancelled_at is null
    and ($2::uuid is null or i.id > $2) order by i.id limit $3"""
ONE = f"{COLUMNS} where i.family_id = $1 and i.id = $2"


def _printed(row: Any) -> Printed:
    values = [*row.values()]
    values[-1] = LINES.decode(values[-1])
    return Printed(*values)


async def unissued(tx: Any, run_id: UUID, after: UUID | None, count: int) -> list[Printed]:
    """Give the next invoices of a run that are not set in type yet."""
    return [_printed(row) for row in await tx.fetch(OF_RUN, run_id, after, count)]


async def invoice(tx: Any, family_id: UUID, invoice_id: UUID) -> Printed | None:
    """Give an invoice that the viewer sees."""
    row = await tx.fetchrow(ONE, family_id, invoice_id)
    return _printed(row) if row else None


@dataclass(frozen=True, slots=True)
class Kept:
    """Where an invoice is, and its bytes as issued, sealed."""

    family_id: UUID
    id: UUID
    pdf: bytes | None


async def kept(tx: Any, number: str) -> Kept | None:
    """Give the sealed bytes of an invoice that the viewer sees, by its number."""
    row = await tx.fetchrow("select family_id, id, pdf from invoice where number = $1", number)
    return Kept(*row.values()) if row else None


KEEP = "update invoice set pdf = $3 where family_id = $1 and id = $2 and pdf is null returning id"


async def keep(tx: Any, family_id: UUID, invoice_id: UUID, sealed: bytes) -> bool:
    """Write the bytes as issued, once; False when they were there already."""
    return await tx.fetchval(KEEP, family_id, invoice_id, sealed) is not None


INSERT_CODE = """
    insert into activation_code (family_id, id, code_hmac, expires_at, created_at) values ($1, $2, $3, $4, $5)
"""


async def insert_code(
    tx: Any, family_id: UUID, code_id: UUID, code_hmac: bytes, expires_at: datetime, at: datetime
) -> None:
    """Write the code that is printed on an invoice; those before it hold until their own day."""
    await tx.execute(INSERT_CODE, family_id, code_id, code_hmac, expires_at, at)


IS_TOLD = """
    select exists (select from news where family_id = $1 and subject_id = $2 and type = 'invoice_issued')
"""


async def is_told(tx: Any, family_id: UUID, invoice_id: UUID) -> bool:
    """Tell whether the family knows of an invoice, as of one that an agent issued again by hand."""
    found: bool = await tx.fetchval(IS_TOLD, family_id, invoice_id)
    return found


TOLD = "update billing_run set invoices_told = invoices_told + $2 where id = $1"
ALL_TOLD = "update billing_run set told_at = coalesce(told_at, $2) where id = $1"


async def told(tx: Any, run_id: UUID, invoices: int) -> None:
    """Count invoices of a run that are set in type and told."""
    await tx.execute(TOLD, run_id, invoices)


async def all_told(tx: Any, run_id: UUID, at: datetime) -> None:
    """Write that all invoices of a run are."""
    await tx.execute(ALL_TOLD, run_id, at)
