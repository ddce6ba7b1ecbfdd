"""Twelve months of invoices of every family, for the benchmarks: by sets, and through the constraints of the ledger.

A month is one transaction of six statements: what is billed, numbers, invoices, lines, payments, what they settle. All
but the last two months are paid; of the last but one every other family has paid a part.
"""

from datetime import date, datetime

import asyncpg

from db.clock import PARIS, utc_now

MONTHS = 12
DUE_DAYS = 27

# The same quantities every time: by a hash of the family, the month and the tariff.
BILLED = """
    create temp table billed on commit drop as
    with line as materialized (
        select t.id as tariff_id, t.service_id, t.label_fr, t.label_en, t.cesu = 'ALWAYS' as cesu_eligible,
            row_number() over (order by t.position, t.id) as position,
            (select min(p.cents) from tariff_price p where p.tariff_id = t.id and p.cents > 0) as unit_cents
        from tariff t order by t.position, t.id limit 4
    ), invoice as materialized (
        select f.id as family_id, uuidv7($2::timestamptz - clock_timestamp()) as invoice_id,
            row_number() over (order by f.id) as n,
            (select m.id from member m where m.family_id = f.id order by m.id desc limit 1) as member_id
        from family f
    )
    select i.*, l.*, 1 + abs(hashtext(i.family_id::text || $1::date || l.position)) % 18 as quantity
    from invoice i cross join line l
"""
NUMBERED = """
    insert into invoice_series (year, last) select $1, count(*) from family having count(*) > 0
    on conflict (year) do update set last = invoice_series.last + excluded.last
    returning last - (select count(*) from family)
"""
# The reference: year and number, then two check digits (ISO 7064, MOD 97-10).
INVOICES = """
    insert into invoice (family_id, id, number, period, issued_on, due_on, total_cents, cesu_cents, reference,
        published_at)
    select family_id, invoice_id, year || '-' || lpad(number::text, 6, '0'), $1, $2::date, $3, total, cesu,
        year || lpad(number::text, 6, '0') || lpad((98 - (year * 100000000 + number * 100) % 97)::text, 2, '0'), $5
    from (select family_id, invoice_id, extract(year from $2::date)::bigint as year, $4::bigint + n as number,
            sum(quantity * unit_cents)::integer as total,
            coalesce(sum(quantity * unit_cents) filter (where cesu_eligible), 0)::integer as cesu
        from billed group by family_id, invoice_id, n) b
    order by family_id
"""
LINES = """
    insert into invoice_line (family_id, invoice_id, position, id, member_id, service_id, tariff_id, label_fr, label_en,
        first_day, last_day, quantity, unit_cents, cents, cesu_eligible)
    select family_id, invoice_id, position, gen_random_uuid(), member_id, service_id, tariff_id, label_fr, label_en,
        $1::date, ($1::date + interval '1 month')::date - 1, quantity, unit_cents, quantity * unit_cents, cesu_eligible
    from billed order by family_id, position
"""
PAYMENTS = """
    insert into payment (family_id, id, means, source, cents, bank_reference, visit_id, receipt_number, received_on,
        received_at)
    select i.family_id, i.id, 'ONLINE_CARD', 'CARD', case when $2 then i.total_cents / 2 else i.total_cents end,
        'XXXXXX', i.id, i.number, i.due_on - 5, i.published_at
    from invoice i where i.period = $1 and (not $2 or hashtext(i.family_id::text) % 2 = 0)
"""
ALLOCATIONS = """
    insert into allocation (family_id, id, payment_id, invoice_id, cents, allocated_at)
    select p.family_id, gen_random_uuid(), p.id, i.id, p.cents, p.received_at
    from payment p join invoice i on i.family_id = p.family_id and i.id = p.id where i.period = $1
"""


async def write_invoices(connection: asyncpg.Connection) -> None:
    """Write twelve invoices of four lines for every family, up to those of last month."""
    this_month = utc_now().astimezone(PARIS).date().replace(day=1)
    for ago in range(MONTHS, 0, -1):
        async with connection.transaction():
            await connection.execute("set local statement_timeout = 0")
            await _month(connection, _earlier(this_month, ago), _earlier(this_month, ago - 1), ago)


async def _month(connection: asyncpg.Connection, period: date, issued_on: date, ago: int) -> None:
    """Write the invoices of the month `period` and, unless it is the last, their payments."""
    at = datetime(issued_on.year, issued_on.month, 1, 6, tzinfo=PARIS)
    await connection.execute(BILLED, period, at, timeout=600)
    last = await connection.fetchval(NUMBERED, issued_on.year)
    due_on = date.fromordinal(issued_on.toordinal() + DUE_DAYS)
    await connection.execute(INVOICES, period, issued_on, due_on, last, at, timeout=600)
    await connection.execute(LINES, period, timeout=600)
    if ago > 1:
        await connection.execute(PAYMENTS, period, ago == 2, timeout=600)
        await connection.execute(ALLOCATIONS, period, timeout=600)


def _earlier(month: date, count: int) -> date:
    """Give the first day of the month that lies `count` months before."""
    months = month.year * 12 + month.month - 1 - count
    return date(months // 12, months % 12 + 1, 1)
