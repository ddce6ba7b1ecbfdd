"""The consistency of the ledger, looked at as a whole: the same sums that constraints keep, computed another way."""

from typing import Any

LOOKS = {
    "more is allocated to an invoice than it is for": """
        select i.family_id, i.id from invoice i join allocation a on a.family_id = i.family_id and a.invoice_id = i.id
        where a.freed_at is null group by i.family_id, i.id
        having sum(a.cents) > case when i.cancelled_at is null then i.total_cents else 0 end""",
    "more of a payment is used than was received": """
        select p.family_id, p.id from payment p
            left join (select family_id, payment_id, sum(cents) as cents from allocation where freed_at is null
                group by family_id, payment_id) a on a.family_id = p.family_id and a.payment_id = p.id
            left join (select family_id, payment_id, sum(cents) as cents from refund
                group by family_id, payment_id) r on r.family_id = p.family_id and r.payment_id = p.id
        where coalesce(r.cents, 0) > p.cents or coalesce(a.cents, 0)
            > case when p.undone_at is null then p.cents - coalesce(r.cents, 0) else 0 end""",
    "CESU settle a line that is not for them, or more of it than it is": """
        select a.family_id, a.invoice_id from allocation a
            join payment p on p.family_id = a.family_id and p.id = a.payment_id
            left join invoice_line l on l.family_id = a.family_id and l.invoice_id = a.invoice_id
                and l.position = a.line_position
        where a.freed_at is null and p.means = 'CESU'
        group by a.family_id, a.invoice_id, l.position, l.cents, l.cesu_eligible
        having l.position is null or not l.cesu_eligible or sum(a.cents) > l.cents""",
    "the lines of an invoice do not add up to it": """
        select i.family_id, i.id from invoice i
            left join invoice_line l on l.family_id = i.family_id and l.invoice_id = i.id
        group by i.family_id, i.id having count(l.*) = 0 or sum(l.cents) <> i.total_cents
            or coalesce(sum(l.cents) filter (where l.cesu_eligible), 0) <> i.cesu_cents""",
    "the numbers of invoices have a gap": """
        select null::uuid, null::uuid from invoice_series s left join invoice i on left(i.number, 4)::integer = s.year
        group by s.year, s.last having count(i.*) <> s.last or max(right(i.number, 6)::integer) <> s.last""",
    "a credit is wanted twice: the account of a family differs from its credits and debts": """
        select f.id, f.id from family f
            join lateral (select sum(e.cents) as cents from account_entries(f.id, null, null) e) b on true
            join lateral (select coalesce(sum(i.total_cents - coalesce((select sum(a.cents) from allocation a
                    where a.family_id = i.family_id and a.invoice_id = i.id and a.freed_at is null), 0)), 0) as cents
                from invoice i where i.family_id = f.id and i.cancelled_at is null) owed on true
            join lateral (select coalesce(sum(case when p.undone_at is null then p.cents else 0 end
                    - coalesce((select sum(a.cents) from allocation a
                        where a.family_id = p.family_id and a.payment_id = p.id and a.freed_at is null), 0)
                    - coalesce((select sum(r.cents) from refund r
                        where r.family_id = p.family_id and r.payment_id = p.id), 0)), 0) as cents
                from payment p where p.family_id = f.id) credit on true
        where b.cents is distinct from owed.cents - credit.cents and b.cents is not null""",
    "a closed day differs from what was recorded": """
        select null::uuid, c.id from daily_closing c where (
            select array_agg((t.means, t.count, t.cents, t.forfeited_cents, t.refunded_cents)::text order by t.means)
            from till_totals(c.day) t
        ) is distinct from (
            select array_agg((d.means, d.count, d.cents, d.forfeited_cents, d.refunded_cents)::text order by d.means)
            from daily_total d where d.day = c.day)""",
    "the revenue of a month differs from its invoices": """
        select null::uuid, coalesce(t.service_id, l.service_id) from (
            select c.period, c.service_id, sum(c.invoices) as invoices, sum(c.families) as families,
                sum(c.invoiced_cents) as cents
            from (select period, service_id, invoices, families, invoiced_cents from revenue_count
                union all select period, service_id, invoices, families, invoiced_cents from revenue_count_change) c
            group by c.period, c.service_id
            having (sum(c.invoices), sum(c.families), sum(c.invoiced_cents)) <> (0, 0, 0)
        ) t full join (
            select i.period, l.service_id, count(distinct i.id) as invoices, count(distinct i.family_id) as families,
                sum(l.cents) as cents
            from invoice i join invoice_line l on l.family_id = i.family_id and l.invoice_id = i.id
            where i.cancelled_at is null group by i.period, l.service_id
        ) l on l.period = t.period and l.service_id = t.service_id
        where (t.invoices, t.families, t.cents) is distinct from (l.invoices, l.families, l.cents)""",
    "what was paid of a month differs from what settles its invoices": """
        select null::uuid, null::uuid from (
            select c.period, sum(c.paid_cents) as cents
            from (select period, paid_cents from revenue_count
                union all select period, paid_cents from revenue_count_change) c group by c.period
        ) t full join (
            select i.period, sum(a.cents) as cents
            from allocation a join invoice i on i.family_id = a.family_id and i.id = a.invoice_id
            where a.freed_at is null group by i.period
        ) a on a.period = t.period
        where coalesce(t.cents, 0) <> coalesce(a.cents, 0)""",
}
"""What would be wrong, and the rows (family, subject) of which it is true: none, ever."""


async def violations(connection: Any) -> dict[str, list[tuple[Any, Any]]]:
    """Give what is wrong in the ledger and where; nothing is. Needs the sight of the portal."""
    found = {}
    for sentence, statement in LOOKS.items():
        rows = await connection.fetch(statement)
        if rows:
            found[sentence] = [(row[0], row[1]) for row in rows]
    return found
