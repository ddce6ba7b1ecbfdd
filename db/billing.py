"""Billing runs as stored: what is consumed and not billed yet becomes drafts, one statement for each batch of families.

A draft says what the invoices of a family and month should hold beyond those that stand. So a run after a published one
finds only what was corrected since, and running twice bills nothing twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any
from uuid import UUID

from db.families import opened
from db.keys import Keys


@dataclass(frozen=True, slots=True)
class Run:
    """A run whose row is held."""

    id: UUID
    period: date
    """First day of its month."""
    service_id: UUID | None
    state: str
    drafted_up_to: UUID | None
    families_total: int
    families_done: int
    issued_on: date | None
    due_on: date | None
    published_by: UUID | None
    first_number: str | None
    """Number of the first invoice that it has published so far."""
    untold: bool
    """Published, and its families were not all told when the job was put aside for good."""

    @property
    def end(self) -> date:
        """Give the first day of the next month."""
        return (self.period + timedelta(days=32)).replace(day=1)

    @property
    def before(self) -> date:
        """Give the first day of the month before."""
        return (self.period - timedelta(days=1)).replace(day=1)


INSERT = """
    insert into billing_run (id, period, service_id, kind, state, started_by, started_at)
    select $1, $2::date, $3::uuid, case when exists (
            select from billing_run r where r.period = $2 and r.state = 'PUBLISHED'
                and (r.service_id is null or $3 is null or r.service_id = $3)) then 'ADJUSTMENT' else 'REGULAR' end,
        'DRAFTING', $4, $5
    on conflict ((true)) where state in ('DRAFTING', 'DRAFTING_FAILED', 'DRAFTED', 'PUBLISHING', 'PUBLICATION_FAILED')
        do nothing
    returning id
"""


async def insert(tx: Any, run_id: UUID, period: date, service_id: UUID | None, by: UUID | None, at: datetime) -> bool:
    """Begin a run; False while another one is not published or discarded."""
    return await tx.fetchval(INSERT, run_id, period, service_id, by, at) is not None


RUN = """id, period, service_id, state, drafted_up_to, families_total, families_done, issued_on, due_on, published_by,
    first_number, state = 'PUBLISHED' and failed_at is not null and told_at is null"""
OPEN = f"select {RUN} from billing_run where state not in ('PUBLISHED', 'DISCARDED') for update"


async def hold(tx: Any, run_id: UUID) -> Run | None:
    """Give a run and hold it."""
    row = await tx.fetchrow(f"select {RUN} from billing_run where id = $1 for update", run_id)
    return Run(*row.values()) if row else None


async def open_run(tx: Any) -> Run | None:
    """Give the run that is neither published nor discarded, and hold it."""
    row = await tx.fetchrow(OPEN)
    return Run(*row.values()) if row else None


CONCERNED = """
    from family f where (exists (select from consumption c where c.family_id = f.id and c.day >= $1 and c.day < $2)
        or exists (select from invoice i where i.family_id = f.id and i.period in ($1, $3) and i.cancelled_at is null))
"""


async def count_families(tx: Any, run: Run) -> int:
    """Count the families that a run concerns: those who consumed, or have invoices of this month or the last."""
    found: int = await tx.fetchval(f"select count(*) {CONCERNED}", run.period, run.end, run.before)
    return found


async def next_families(tx: Any, run: Run, count: int) -> list[UUID]:
    """Give the next families to draft, by id."""
    after = "and ($4::uuid is null or f.id > $4) order by f.id limit $5"
    rows = await tx.fetch(f"select f.id {CONCERNED} {after}", run.period, run.end, run.before, run.drafted_up_to, count)
    return [row["id"] for row in rows]


QUOTIENTS = """
    select family_id, valid_from, valid_until, source, sealed_value from quotient_familial
    where family_id = any($1) and valid_from < $2 order by family_id, valid_from, id
"""


@dataclass(frozen=True, slots=True)
class Quotient:
    """A quotient that counts from one day to another, in euros a month."""

    family_id: UUID
    first_day: date
    last_day: date
    value: int
    since: date
    source: str


async def quotients(tx: Any, keys: Keys, families: Sequence[UUID], first: date, end: date) -> list[Quotient]:
    """Give which quotient counts on which days from `first` to before `end`; on the other days none is known.

    Of those recorded, the last to begin counts, and of these the last recorded, also where it has run out: the same
    rule as `families.quotient_on`.
    """
    rows = await tx.fetch(QUOTIENTS, list(families), end)
    found = []
    for _, group in groupby(rows, key=itemgetter("family_id")):
        known = list({row["valid_from"]: row for row in group}.values())
        following = [row["valid_from"] for row in known[1:]] + [end]
        for row, until in zip(known, following, strict=True):
            last_day = min(row["valid_until"] or end, until - timedelta(days=1))
            first_day = max(row["valid_from"], first)
            if first_day <= last_day:
                value = opened(keys, row["family_id"], row["sealed_value"])
                found.append(Quotient(row["family_id"], first_day, last_day, value, row["valid_from"], row["source"]))
    return found


# From what was used on which day to lines: the price of the day, by the quotient of the day, the dearest where none is
# known; days with the same price for the same reason are one line.
LINES = """
    with quotient(family_id, first_day, last_day, value, since, source) as materialized (
        select * from unnest($5::uuid[], $6::date[], $7::date[], $8::integer[], $9::date[], $10::text[])
    ), used as materialized (
        select c.*, q.value, q.since, q.source,
            t.cesu = 'ALWAYS' or t.cesu = 'UNDER_6' and c.day < m.birth_date + interval '6 years' as cesu
        from unnest($4::uuid[]) b(id)
        cross join lateral (
            select k.family_id, k.member_id, k.tariff_id, k.service_id, k.day, k.quantity from consumption k
            where k.family_id = b.id and k.day >= $2 and k.day < $3 and k.quantity > 0 offset 0
        ) c
        join tariff t on t.id = c.tariff_id
        left join member m on m.family_id = c.family_id and m.id = c.member_id
        left join quotient q on q.family_id = c.family_id and c.day between q.first_day and q.last_day
    ), valid as materialized (
        select p.tariff_id, d.day::date as day, p.quotient_from as low, p.quotient_until as high, p.cents,
            count(*) over of_day as brackets,
            row_number() over (partition by p.tariff_id, d.day
                order by p.cents desc, p.quotient_from desc) = 1 as dearest
        from generate_series($2::date, $3::date - 1, interval '1 day') d(day) join tariff_price p
            on p.valid_from <= d.day and (p.valid_until is null or p.valid_until >= d.day)
        window of_day as (partition by p.tariff_id, d.day)
    ), priced as materialized (
        select u.family_id, u.member_id, u.tariff_id, u.service_id, u.day, u.quantity, coalesce(u.cesu, false) as cesu,
            coalesce(p.cents, h.cents) as unit_cents, r.reason,
            case when r.reason = 'BRACKET' then coalesce(p.low, h.low) end as low,
            case when r.reason = 'BRACKET' and p.cents is not null then p.high end as high,
            case when r.reason = 'BRACKET' then u.since end as since,
            case when r.reason = 'BRACKET' then u.source end as source
        from used u
        left join valid h on h.tariff_id = u.tariff_id and h.day = u.day and h.dearest
        left join valid p on p.tariff_id = u.tariff_id and p.day = u.day and u.value >= p.low
            and (p.high is null or u.value < p.high)
        cross join lateral (select case when h.brackets = 1 then 'SAME_FOR_ALL' when u.value is null then 'UNKNOWN'
            else 'BRACKET' end as reason) r
    ), line as materialized (
        select family_id, member_id, tariff_id, service_id, unit_cents, cesu, reason, low, high, since, source,
            min(day) as first_day, max(day) as last_day, sum(quantity)::integer as quantity
        from priced where unit_cents is not null
        group by family_id, member_id, tariff_id, service_id, unit_cents, cesu, reason, low, high, since, source
    )
"""
# What stands already is taken off. More than stands: a complement; less: everything that stands is replaced.
DRAFTS = f"""{LINES}, standing as materialized (
        select b.id as family_id, i.id from unnest($4::uuid[]) b(id)
        cross join lateral (select k.id from invoice k where k.family_id = b.id and k.period = $2
            and k.cancelled_at is null offset 0) i
    ), billed as materialized (
        select l.family_id, l.member_id, l.tariff_id, l.service_id, l.unit_cents, l.cesu_eligible as cesu,
            sum(l.quantity)::integer as quantity
        from standing s cross join lateral (select * from invoice_line k where k.family_id = s.family_id
            and k.invoice_id = s.id and k.tariff_id is not null and k.member_id is not null offset 0) l
        group by l.family_id, l.member_id, l.tariff_id, l.service_id, l.unit_cents, l.cesu_eligible
    ), compared as materialized (
        select family_id, member_id, tariff_id, service_id, unit_cents, cesu,
            coalesce(n.quantity, 0) - coalesce(b.quantity, 0) as difference, b.quantity is not null as was
        from (select family_id, member_id, tariff_id, service_id, unit_cents, cesu, sum(quantity)::integer as quantity
            from line group by 1, 2, 3, 4, 5, 6) n
        full join billed b using (family_id, member_id, tariff_id, service_id, unit_cents, cesu)
    ), changed as materialized (
        select family_id, bool_or(difference < 0) as less, bool_or(was) as was from compared
        where $11::uuid is null or service_id = $11
        group by family_id having bool_or(difference <> 0)
    ), wanted as materialized (
        select l.*, case when c.less then 'REPLACEMENT' else 'NEW' end as kind
        from changed c join line l using (family_id)
        where (c.less or not c.was) and ($11 is null or l.service_id = $11
            or c.less and exists (select from billed b where b.family_id = l.family_id and b.service_id = l.service_id))
        union all
        select family_id, member_id, tariff_id, service_id, unit_cents, cesu, l.reason, l.low, l.high, l.since,
            l.source, l.first_day, l.last_day, d.difference, 'COMPLEMENT'
        from changed c join compared d using (family_id) join (
            select distinct on (family_id, member_id, tariff_id, service_id, unit_cents, cesu) * from line
            order by family_id, member_id, tariff_id, service_id, unit_cents, cesu, first_day desc
        ) l using (family_id, member_id, tariff_id, service_id, unit_cents, cesu)
        where c.was and not c.less and d.difference > 0 and ($11 is null or d.service_id = $11)
    ), too_large as materialized (
        select family_id from wanted group by family_id having sum(quantity::bigint * unit_cents) > 2147483647
    ), draft as materialized (
        select c.family_id, gen_random_uuid() as id, coalesce(max(w.kind), 'CANCELLATION') as kind,
            array(select s.id from standing s where s.family_id = c.family_id order by s.id) as standing,
            count(w.kind)::integer as line_count,
            coalesce(sum(w.quantity::bigint * w.unit_cents), 0)::integer as total_cents,
            coalesce(sum(w.quantity::bigint * w.unit_cents) filter (where w.cesu), 0)::integer as cesu_cents,
            coalesce(bool_or(w.reason = 'UNKNOWN'), false) as unknown
        from changed c left join wanted w using (family_id)
        where not exists (select from too_large l where l.family_id = c.family_id) group by c.family_id
    ), earlier as materialized (
        select b.id as family_id, sum(l.cents)::integer as cents from unnest($4::uuid[]) b(id)
        cross join lateral (select k.id from invoice k where k.family_id = b.id and k.period = $12
            and k.cancelled_at is null offset 0) i
        cross join lateral (select k.cents from invoice_line k where k.family_id = b.id and k.invoice_id = i.id
            and ($11 is null or k.service_id = $11) offset 0) l
        group by b.id
    ), check_found(family_id, code, tariff_id, day, before_cents, now_cents, member_id) as (
        select family_id, 'NO_PRICE', tariff_id, min(day), null::integer, null::integer, null::uuid from priced
        where unit_cents is null and ($11 is null or service_id = $11) group by family_id, tariff_id
        union all
        (select distinct on (family_id) family_id, 'TOO_LARGE', tariff_id, first_day, null, null, member_id
        from wanted join too_large using (family_id)
        order by family_id, quantity::bigint * unit_cents desc, first_day, tariff_id, member_id)
        union all
        select family_id, 'QUOTIENT_MISSING', null, null, null, total_cents, null from draft where unknown
        union all
        select family_id, 'ZERO_AMOUNT', null, null, null, 0, null from draft
        where total_cents = 0 and kind <> 'CANCELLATION'
        union all
        select family_id, 'HUGE_AMOUNT', null, null, null, total_cents, null from draft where total_cents > $13
        union all
        select family_id, 'REPLACES', null, null, (select sum(i.total_cents)::integer from invoice i
            where i.family_id = d.family_id and i.id = any(d.standing)), total_cents, null
        from draft d where kind in ('REPLACEMENT', 'CANCELLATION')
        union all
        select e.family_id, 'DIFFERENCE', null, null, e.cents, coalesce(d.total_cents, 0), null
        from earlier e left join draft d using (family_id)
        where coalesce(d.kind, 'NEW') = 'NEW' and not exists (
                select from too_large l where l.family_id = e.family_id) and not exists (
                select from compared c where c.family_id = e.family_id and c.was
                    and ($11 is null or c.service_id = $11))
            and abs(coalesce(d.total_cents, 0) - e.cents) > greatest($14, e.cents::bigint * $15 / 100)
    ), drafts_written as (
        insert into draft_invoice (family_id, id, run_id, kind, standing, line_count, total_cents, cesu_cents)
        select family_id, id, $1, kind, standing, line_count, total_cents, cesu_cents from draft
    ), lines_written as (
        insert into draft_line (family_id, draft_id, position, member_id, service_id, tariff_id, label_fr, label_en,
            first_day, last_day, quantity, unit_cents, cents, cesu_eligible, explanation)
        select w.family_id, d.id, row_number() over (partition by w.family_id
                order by m.birth_date desc nulls last, w.member_id, t.position, t.id, w.first_day, w.cesu,
                w.unit_cents),
            w.member_id, w.service_id, w.tariff_id, t.label_fr, t.label_en, w.first_day, w.last_day, w.quantity,
            w.unit_cents, w.quantity * w.unit_cents, w.cesu, json_strip_nulls(json_build_object(
                'fr', price_reason(w.reason, w.low, w.high, w.since, w.source, 'fr'),
                'en', price_reason(w.reason, w.low, w.high, w.since, w.source, 'en'),
                'reason', w.reason, 'from', w.low, 'until', w.high, 'since', w.since, 'source', w.source))
        from wanted w join draft d using (family_id) join tariff t on t.id = w.tariff_id
            left join member m on m.family_id = w.family_id and m.id = w.member_id
    )
    insert into billing_check (family_id, run_id, id, code, tariff_id, day, before_cents, now_cents, member_id)
    select family_id, $1, gen_random_uuid(), code, tariff_id, day, before_cents, now_cents, member_id from check_found
"""


@dataclass(frozen=True, slots=True)
class Limits:
    """From when on a draft is worth a look; amounts in cents."""

    huge_cents: int
    difference_cents: int
    difference_percent: int


async def draft(tx: Any, run: Run, families: Sequence[UUID], known: Sequence[Quotient], limits: Limits) -> None:
    """Write the drafts and checks of some families, in one statement."""
    columns: list[list[Any]] = [list(each) for each in zip(*map(_values, known), strict=True)] or [[] for _ in range(6)]
    await tx.execute(
        DRAFTS,
        run.id,
        run.period,
        run.end,
        list(families),
        *columns,
        run.service_id,
        run.before,
        limits.huge_cents,
        limits.difference_cents,
        limits.difference_percent,
    )


def _values(known: Quotient) -> tuple[Any, ...]:
    return known.family_id, known.first_day, known.last_day, known.value, known.since, known.source


async def has_check(tx: Any, run_id: UUID, code: str) -> bool:
    """Tell whether a run has a check of this code."""
    found: bool = await tx.fetchval(
        "select exists (select from billing_check where run_id = $1 and code = $2)", run_id, code
    )
    return found


TOO_LARGE = """
    select coalesce(max(total_cents) > 100000000 or sum(total_cents) > 2147483647, false)
    from draft_invoice where run_id = $1
"""


async def is_too_large(tx: Any, run_id: UUID) -> bool:
    """Tell whether a draft is for more than an invoice can be, 1,000,000 €, or all are for more than can be told."""
    found: bool = await tx.fetchval(TOO_LARGE, run_id)
    return found


async def has_drafts(tx: Any, run_id: UUID) -> bool:
    """Tell whether there is anything to publish."""
    found: bool = await tx.fetchval("select exists (select from draft_invoice where run_id = $1)", run_id)
    return found


async def drop_drafts(tx: Any, run_id: UUID, count: int) -> int:
    """Delete drafts of a run that is over, `count` at the most; give how many went."""
    told: str = await tx.execute(
        """delete from draft_invoice where (family_id, id) in (
            select family_id, id from draft_invoice where run_id = $1 limit $2)""",
        run_id,
        count,
    )
    return int(told.rpartition(" ")[2])
