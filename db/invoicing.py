"""Invoices as they are published: numbered without gap, added up, settled by credits, and never changed again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from db import audit
from db.ids import uuid7
from db.ledger import PARIS, PORTAL, By, hold, use_credits


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an invoice to be published; `unit_cents` may be negative in corrections."""

    service_id: UUID
    label: Mapping[str, str]
    """`fr` and `en`."""
    quantity: int
    unit_cents: int
    member_id: UUID | None = None
    tariff_id: UUID | None = None
    first_day: date | None = None
    last_day: date | None = None
    cesu_eligible: bool = False
    explanation: Mapping[str, Any] = field(default_factory=dict)
    """Why this price: sentences `fr` and `en`, and the figures behind them."""

    @property
    def cents(self) -> int:
        """Give what the line comes to."""
        return self.quantity * self.unit_cents


@dataclass(frozen=True, slots=True)
class NewInvoice:
    """An invoice to be published; its number and reference are given to it then."""

    family_id: UUID
    period: date
    """First day of its month."""
    due_on: date
    lines: Sequence[Line]
    run_id: UUID | None = None
    replaces_id: UUID | None = None
    id: UUID | None = None
    """Its id, where the caller has chosen one."""


@dataclass(frozen=True, slots=True)
class Published:
    """What publishing gave."""

    family_id: UUID
    id: UUID
    number: str
    reference: str
    total_cents: int


NUMBERS = """
    insert into invoice_series (year, last) values ($1, $2)
    on conflict (year) do update set last = invoice_series.last + $2 returning last
"""
INSERT_INVOICES = """
    insert into invoice (family_id, id, number, run_id, period, issued_on, due_on, total_cents, cesu_cents, reference,
        replaces_id, published_at)
    select family_id, id, number, run_id, period, $2, due_on, total_cents, cesu_cents, reference, replaces_id, $3
    from json_to_recordset($1) i (family_id uuid, id uuid, number text, run_id uuid, period date, due_on date,
        total_cents integer, cesu_cents integer, reference text, replaces_id uuid)
"""
INSERT_LINES = """
    insert into invoice_line (family_id, invoice_id, position, id, member_id, service_id, tariff_id, label_fr, label_en,
        first_day, last_day, quantity, unit_cents, cents, cesu_eligible, explanation)
    select * from json_to_recordset($1) l (family_id uuid, invoice_id uuid, position integer, id uuid, member_id uuid,
        service_id uuid, tariff_id uuid, label_fr text, label_en text, first_day date, last_day date, quantity integer,
        unit_cents integer, cents integer, cesu_eligible boolean, explanation json)
"""


def reference_of(number: str) -> str:
    """Give the reference of an invoice number: its digits and two check digits (ISO 7064, MOD 97-10)."""
    digits = number.replace("-", "")
    return f"{digits}{98 - int(digits) * 100 % 97:02d}"


async def publish(
    tx: Any, invoices: Sequence[NewInvoice], at: datetime, by: By = PORTAL, *, issued_on: date | None = None
) -> list[Published]:
    """Publish invoices, in this order, with numbers that have no gap within a year; give what they became.

    Credits of their families are used for them at once, oldest first. The caller tells the families.
    """
    if not invoices:
        return []
    day = issued_on or at.astimezone(PARIS).date()
    await hold(tx, *(each.family_id for each in invoices))
    last = await tx.fetchval(NUMBERS, day.year, len(invoices))
    rows, lines, made = [], [], []
    for number, each in enumerate(invoices, last - len(invoices) + 1):
        written = f"{day.year}-{number:06d}"
        total = sum(line.cents for line in each.lines)
        found = Published(each.family_id, each.id or uuid7(at), written, reference_of(written), total)
        rows.append(_invoice_row(found, each))
        lines += [_line_row(found, n, line, at) for n, line in enumerate(each.lines, 1)]
        made.append(found)
    await tx.execute(INSERT_INVOICES, msgspec.json.encode(rows).decode(), day, at)
    await tx.execute(INSERT_LINES, msgspec.json.encode(lines).decode())
    data = {"count": len(made), "first": made[0].number, "last": made[-1].number}
    act = audit.Act("invoices_published", by.kind, at, by.id, data=data)
    if len(made) == 1:
        act = replace(act, family_id=made[0].family_id, subject_id=made[0].id)
    await audit.record(tx, act)
    await use_credits(tx, [(each.family_id, each.id) for each in made], at)
    return made


def _invoice_row(made: Published, wanted: NewInvoice) -> dict[str, Any]:
    return {
        "family_id": made.family_id,
        "id": made.id,
        "number": made.number,
        "run_id": wanted.run_id,
        "period": wanted.period,
        "due_on": wanted.due_on,
        "total_cents": made.total_cents,
        "cesu_cents": sum(line.cents for line in wanted.lines if line.cesu_eligible),
        "reference": made.reference,
        "replaces_id": wanted.replaces_id,
    }


def _line_row(made: Published, position: int, line: Line, at: datetime) -> dict[str, Any]:
    return {
        "family_id": made.family_id,
        "invoice_id": made.id,
        "position": position,
        "id": uuid7(at),
        "member_id": line.member_id,
        "service_id": line.service_id,
        "tariff_id": line.tariff_id,
        "label_fr": line.label["fr"],
        "label_en": line.label["en"],
        "first_day": line.first_day,
        "last_day": line.last_day,
        "quantity": line.quantity,
        "unit_cents": line.unit_cents,
        "cents": line.cents,
        "cesu_eligible": line.cesu_eligible,
        "explanation": dict(line.explanation),
    }


@dataclass(frozen=True, slots=True)
class Invoice:
    """A published invoice, to be issued again."""

    period: date
    due_on: date
    run_id: UUID | None
    cancelled: bool
    lines: list[Line]


INVOICE = """
    select period, due_on, run_id, cancelled_at is not null as cancelled from invoice where family_id = $1 and id = $2
"""
LINES = """
    select service_id, label_fr, label_en, quantity, unit_cents, member_id, tariff_id, first_day, last_day,
        cesu_eligible, explanation::text
    from invoice_line where family_id = $1 and invoice_id = $2 order by position
"""


async def published(tx: Any, family_id: UUID, invoice_id: UUID) -> Invoice | None:
    """Give a published invoice with its lines in order, where the viewer sees it."""
    row = await tx.fetchrow(INVOICE, family_id, invoice_id)
    if row is None:
        return None
    lines = []
    for service_id, fr, en, *rest, why in await tx.fetch(LINES, family_id, invoice_id):
        lines.append(replace(Line(service_id, {"fr": fr, "en": en}, *rest), explanation=msgspec.json.decode(why)))
    return Invoice(row["period"], row["due_on"], row["run_id"], row["cancelled"], lines)


def with_quantity(line: Line, quantity: int) -> Line:
    """Give the same line for another number of units."""
    return replace(line, quantity=quantity)
