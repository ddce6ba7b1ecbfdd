"""Drafts on their way to invoices: read in order, compared with what stands by now, published by the money core."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from db import money
from db.billing import Run
from db.money import By, Line, NewInvoice, Published

CANCELLED_BY_RUN = {
    "REPLACEMENT": "Vos consommations ont été corrigées : cette facture est remplacée. / "
    "What you used was corrected: this invoice is replaced.",
    "CANCELLATION": "Vos consommations ont été corrigées : rien n’est dû. / "
    "What you used was corrected: nothing is owed.",
}
"""Reasons as families read them; the reason of a cancellation is one text for both languages."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft with its lines."""

    family_id: UUID
    id: UUID
    kind: str
    standing: list[UUID]
    lines: list[Line]
    overtaken: bool
    """True when other invoices stand for this month than when it was drafted."""


class _Row(msgspec.Struct):
    """A line as the database tells it."""

    member_id: UUID
    service_id: UUID
    tariff_id: UUID
    label_fr: str
    label_en: str
    first_day: date
    last_day: date
    quantity: int
    unit_cents: int
    cesu_eligible: bool
    explanation: dict[str, Any]


ROWS = msgspec.json.Decoder(list[_Row])
LINES = """coalesce((select json_agg(l order by l.position) from draft_line l
    where l.family_id = d.family_id and l.draft_id = d.id), '[]')::text"""
# The families are held first, by the statement before: what stands then stands until the commit.
IN_ORDER = f"""
    select d.family_id, d.id, d.kind, d.standing, {LINES}, d.standing <> array(select i.id from invoice i
        where i.family_id = d.family_id and i.period = $2 and i.cancelled_at is null order by i.id)
    from draft_invoice d where d.run_id = $1 and d.family_id = any($3) order by d.family_id
"""
NEXT = "select family_id from draft_invoice where run_id = $1 order by family_id limit $2"


async def _next(tx: Any, run: Run, count: int) -> list[Draft]:
    """Give the next drafts of a run by family, and hold the money of these families."""
    families = [row["family_id"] for row in await tx.fetch(NEXT, run.id, count)]
    await money.hold(tx, *families)
    return [
        Draft(row[0], row[1], row[2], row[3], [_line(each) for each in ROWS.decode(row[4])], row[5])
        for row in await tx.fetch(IN_ORDER, run.id, run.period, families)
    ]


def _line(row: _Row) -> Line:
    return Line(
        row.service_id,
        {"fr": row.label_fr, "en": row.label_en},
        row.quantity,
        row.unit_cents,
        row.member_id,
        row.tariff_id,
        row.first_day,
        row.last_day,
        row.cesu_eligible,
        row.explanation,
    )


# Of a month, the invoice of a run that was cancelled last and that nothing replaces, if none was issued after it that
# stands: the same consumptions are billed again.
CANCELLED = """
    select distinct on (c.family_id) c.family_id, c.id from invoice c
    where c.family_id = any($1) and c.period = $2 and c.run_id is not null and c.cancelled_at is not null
        and not exists (select from invoice r where r.family_id = c.family_id and (r.replaces_id = c.id
            or r.period = $2 and r.cancelled_at is null and r.number > c.number))
    order by c.family_id, c.number desc
"""


async def _replaced(tx: Any, run: Run, drafts: Sequence[Draft]) -> dict[UUID, UUID]:
    """Give which cancelled invoice is issued again by the draft of each family, where there is one."""
    rows = await tx.fetch(CANCELLED, [each.family_id for each in drafts if each.lines], run.period)
    found = {row["family_id"]: row["id"] for row in rows}
    return found | {each.family_id: each.standing[0] for each in drafts if each.kind == "REPLACEMENT"}


async def _published(tx: Any, run: Run, drafts: Sequence[Draft], at: datetime) -> list[Published]:
    """Publish drafts of a run; invoices that they replace are cancelled first, so that what was paid becomes credit
    and settles what comes instead. Families are told of invoices by `issue`, of a mere cancellation here.
    """
    assert run.issued_on is not None and run.due_on is not None, "ordered with its days"
    by = By("AGENT", run.published_by) if run.published_by else money.PORTAL
    replaced = await _replaced(tx, run, drafts)
    for each in drafts:
        for standing in each.standing if each.kind in CANCELLED_BY_RUN else ():
            told = each.kind == "CANCELLATION"
            await money.cancel(tx, each.family_id, standing, CANCELLED_BY_RUN[each.kind], at, by, told=told)
    wanted = [
        NewInvoice(
            each.family_id,
            run.period,
            run.due_on,
            each.lines,
            run.id,
            replaced.get(each.family_id),
        )
        for each in drafts
        if each.lines
    ]
    return await money.publish(tx, wanted, at, by, issued_on=run.issued_on)


OVERTAKEN = """
    insert into billing_check (family_id, run_id, id, code)
    select f, $1, gen_random_uuid(), 'OVERTAKEN' from unnest($2::uuid[]) f
"""


DONE = "delete from draft_invoice where run_id = $1 and family_id = any($2)"
MOVED_ON = """
    update billing_run set first_number = coalesce(first_number, $2), last_number = coalesce($3, last_number),
        left_out = left_out + $4
    where id = $1
"""


async def publish_next(tx: Any, run: Run, count: int, at: datetime) -> int:
    """Publish the next drafts of a run that are still true; give how many there were, 0 when all are done.

    They are drafts no more: what is published is known by that, also after a crash. Those that other invoices overtook
    are noted and left out.
    """
    drafts = await _next(tx, run, count)
    late = [each.family_id for each in drafts if each.overtaken]
    await tx.execute(OVERTAKEN, run.id, late)
    made = await _published(tx, run, [each for each in drafts if not each.overtaken], at)
    await tx.execute(DONE, run.id, [each.family_id for each in drafts])
    first, last = (made[0].number, made[-1].number) if made else (None, None)
    await tx.execute(MOVED_ON, run.id, first, last, len(late))
    return len(drafts)
