-- Revenue by service and month, counted as invoices and payments move: nobody adds up a million lines, and partners see
-- sums without a row of a family. See docs/decisions/0027.

create table revenue_count (
    period date not null check (extract(day from period) = 1),
    service_id uuid not null references service,
    invoices integer not null,
    families integer not null,
    invoiced_cents bigint not null,
    paid_cents bigint not null,
    primary key (period, service_id)
) with (fillfactor = 80);
comment on table revenue_count is 'Standing invoices by the month that they are for, and service.';
comment on column revenue_count.invoices is 'How many have a line of the service.';
comment on column revenue_count.families is 'How many families these are of.';
comment on column revenue_count.paid_cents is 'What settles lines of the service; see note_paid.';

create table revenue_count_change (
    id bigint generated always as identity primary key,
    period date not null,
    service_id uuid not null,
    invoices integer not null,
    families integer not null,
    invoiced_cents bigint not null,
    paid_cents bigint not null
);
comment on table revenue_count_change is 'What moves changed since the sums were last folded; both together are exact at any moment.';

create function note_invoiced(sign integer, owners uuid[], ids uuid[]) returns void language sql as $$
    with named as (
        select distinct u.family_id, u.id from unnest(owners, ids) u(family_id, id)
    ), own as (
        select i.family_id, i.period, l.service_id, i.id, sum(l.cents) as cents
        from named n join invoice i on i.family_id = n.family_id and i.id = n.id
            join invoice_line l on l.family_id = i.family_id and l.invoice_id = i.id
        group by i.family_id, i.period, l.service_id, i.id
    )
    insert into revenue_count_change (period, service_id, invoices, families, invoiced_cents, paid_cents)
    select o.period, o.service_id, sign * count(*), sign * count(distinct o.family_id) filter (where not exists (
            select from invoice e join invoice_line l on l.family_id = e.family_id and l.invoice_id = e.id
            where e.family_id = o.family_id and e.period = o.period and e.cancelled_at is null
                and l.service_id = o.service_id and (e.family_id, e.id) not in (select n.family_id, n.id from named n))),
        sign * sum(o.cents), 0
    from own o group by o.period, o.service_id
$$;
comment on function note_invoiced(integer, uuid[], uuid[]) is 'Notes that invoices came to stand, or with sign −1 that they no longer do.';

-- A payment settles an invoice, not its services: what is settled of each is in proportion to its lines, after what is
-- settled of a line itself (CESU), and rounded along the lines so that the parts add up to the cent.
create function note_paid(owners uuid[], ids uuid[], positions integer[], cents bigint[]) returns void language sql as $$
    with moved as (
        select u.family_id, u.id, u.position, sum(u.cents) as cents
        from unnest(owners, ids, positions, cents) u(family_id, id, position, cents) group by u.family_id, u.id, u.position
    ), stands as (
        select n.family_id, n.id, a.line_position as position, sum(a.cents) as cents
        from (select distinct m.family_id, m.id from moved m) n
            join allocation a on a.family_id = n.family_id and a.invoice_id = n.id and a.freed_at is null
        group by n.family_id, n.id, a.line_position
    ), settled as (
        select 1 as sign, s.family_id, s.id, s.position, s.cents from stands s
        union all
        select -1, s.family_id, s.id, s.position, sum(s.cents) from (
            select * from stands union all select m.family_id, m.id, m.position, -m.cents from moved m) s
        group by s.family_id, s.id, s.position
    ), sides as (
        select s.sign, s.family_id, s.id, coalesce(sum(s.cents) filter (where s.position is null), 0) as free
        from settled s group by s.sign, s.family_id, s.id
    ), lines as (
        select d.sign, d.family_id, d.id, d.free, l.service_id, coalesce(s.cents, 0) as own,
            sum(l.cents - coalesce(s.cents, 0)) over (along rows between unbounded preceding and unbounded following) as whole,
            sum(l.cents - coalesce(s.cents, 0)) over along as up_to,
            sum(l.cents - coalesce(s.cents, 0)) over along - (l.cents - coalesce(s.cents, 0)) as before
        from sides d join invoice_line l on l.family_id = d.family_id and l.invoice_id = d.id
            left join settled s on s.sign = d.sign and s.family_id = d.family_id and s.id = d.id and s.position = l.position
        window along as (partition by d.sign, d.family_id, d.id order by l.position)
    )
    insert into revenue_count_change (period, service_id, invoices, families, invoiced_cents, paid_cents)
    select i.period, l.service_id, 0, 0, 0, sum(l.sign * (l.own + case when l.whole <> 0 then
        round(l.free * l.up_to / l.whole) - round(l.free * l.before / l.whole) else 0 end))
    from lines l join invoice i on i.family_id = l.family_id and i.id = l.id
    group by i.period, l.service_id
    having sum(l.sign * (l.own + case when l.whole <> 0 then
        round(l.free * l.up_to / l.whole) - round(l.free * l.before / l.whole) else 0 end)) <> 0
$$;
comment on function note_paid(uuid[], uuid[], integer[], bigint[]) is
    'Notes what of each service was settled by allocations that were just made, or with negative cents freed: the share now less the share before.';

create function count_lines() returns trigger language plpgsql as $$
begin
    perform note_invoiced(1, array_agg(a.family_id), array_agg(a.invoice_id))
    from (select distinct family_id, invoice_id from added) a having count(*) > 0;
    return null;
end $$;
create trigger count_new after insert on invoice_line referencing new table as added
    for each statement execute function count_lines();

create function count_cancelled() returns trigger language plpgsql as $$
begin
    perform note_invoiced(-1, array_agg(n.family_id), array_agg(n.id))
    from now_so n join before_it o on o.family_id = n.family_id and o.id = n.id
    where o.cancelled_at is null and n.cancelled_at is not null having count(*) > 0;
    return null;
end $$;
create trigger count_cancelled after update on invoice referencing old table as before_it new table as now_so
    for each statement execute function count_cancelled();

create function count_allocated() returns trigger language plpgsql as $$
begin
    perform note_paid(array_agg(a.family_id), array_agg(a.invoice_id), array_agg(a.line_position), array_agg(a.cents::bigint))
    from added a having count(*) > 0;
    return null;
end $$;
create trigger count_new after insert on allocation referencing new table as added
    for each statement execute function count_allocated();

-- Of two that free parts of one invoice at once the later one must see what the earlier one left.
create function count_freed() returns trigger language plpgsql as $$
begin
    perform from invoice i where (i.family_id, i.id) in (select n.family_id, n.invoice_id from now_so n)
        order by i.family_id, i.id for no key update;
    perform note_paid(array_agg(n.family_id), array_agg(n.invoice_id), array_agg(n.line_position), array_agg(-n.cents::bigint))
    from now_so n join before_it o on o.family_id = n.family_id and o.id = n.id
    where o.freed_at is null and n.freed_at is not null having count(*) > 0;
    return null;
end $$;
create trigger count_freed after update on allocation referencing old table as before_it new table as now_so
    for each statement execute function count_freed();

create function fold_revenue_counts(lines integer) returns bigint language sql as $$
    with taken as (
        delete from revenue_count_change where id in (select c.id from revenue_count_change c order by c.id limit lines)
        returning period, service_id, invoices, families, invoiced_cents, paid_cents
    ), written as (
        insert into revenue_count as t (period, service_id, invoices, families, invoiced_cents, paid_cents)
        select n.period, n.service_id, sum(n.invoices), sum(n.families), sum(n.invoiced_cents), sum(n.paid_cents)
        from taken n group by n.period, n.service_id order by n.period, n.service_id
        on conflict (period, service_id) do update set invoices = t.invoices + excluded.invoices,
            families = t.families + excluded.families, invoiced_cents = t.invoiced_cents + excluded.invoiced_cents,
            paid_cents = t.paid_cents + excluded.paid_cents
    )
    select count(*) from taken
$$;
comment on function fold_revenue_counts(integer) is 'Adds the oldest lines to the sums; gives how many there were.';

create function revenue(first_month date, last_month date, codes text[], of_services uuid[], everywhere boolean)
returns table (id text, month date, service_id uuid, invoices bigint, families bigint, invoiced_cents bigint, paid_cents bigint)
language sql stable as $$
    select c.period || '/' || s.code, c.period, c.service_id, sum(c.invoices), sum(c.families),
        case when everywhere or sum(c.families) >= 5 then sum(c.invoiced_cents)::bigint end,
        case when everywhere or sum(c.families) >= 5 then sum(c.paid_cents)::bigint end
    from (
        select t.period, t.service_id, t.invoices, t.families, t.invoiced_cents, t.paid_cents from revenue_count t
        union all
        select t.period, t.service_id, t.invoices, t.families, t.invoiced_cents, t.paid_cents from revenue_count_change t
    ) c join service s on s.id = c.service_id
    where (everywhere or c.service_id = any (of_services)) and (codes is null or s.code = any (codes))
        and c.period >= coalesce(date_trunc('month', first_month::timestamp)::date, date '0001-01-01')
        and c.period <= coalesce(last_month, date '9999-12-31')
    group by c.period, c.service_id, s.code having sum(c.invoices) > 0
$$;
comment on function revenue(date, date, text[], uuid[], boolean) is
    'Revenue by month and service; whoever may not see the invoices themselves gets no sums over fewer than five families.';

do $$
declare counted text;
begin
    foreach counted in array array['revenue_count', 'revenue_count_change'] loop
        execute format('alter table %I enable row level security', counted);
        execute format('alter table %I force row level security', counted);
        execute format('create policy seen on %I for select to kiosque_api
            using ((select viewer_is_cashier()) or (select viewer_is_system()))', counted);
        execute format('create policy partners_see on %I for select to kiosque_api
            using (service_id = any ((select viewer_partner_services(''INVOICES_AGGREGATE''))::uuid[]))', counted);
    end loop;
end $$;
create policy folded on revenue_count for insert to kiosque_api with check ((select viewer_is_system()));
create policy added_to on revenue_count for update to kiosque_api using ((select viewer_is_system()));
create policy folded on revenue_count_change for delete to kiosque_api using ((select viewer_is_system()));
create policy counted on revenue_count_change for insert to kiosque_api with check (pg_trigger_depth() > 0);
grant select, insert, update on revenue_count to kiosque_api;
grant select, insert, delete on revenue_count_change to kiosque_api;
grant execute on function note_invoiced(integer, uuid[], uuid[]), note_paid(uuid[], uuid[], integer[], bigint[]),
    fold_revenue_counts(integer), revenue(date, date, text[], uuid[], boolean) to kiosque_api;

-- What was there before. Row-level security would hide it from an owner that is no superuser.
alter table invoice no force row level security;
alter table invoice_line no force row level security;
alter table allocation no force row level security;
alter table revenue_count_change no force row level security;
select note_invoiced(1, array_agg(i.family_id), array_agg(i.id)) from invoice i where i.cancelled_at is null;
select note_paid(array_agg(a.family_id), array_agg(a.invoice_id), array_agg(a.line_position), array_agg(a.cents::bigint))
from allocation a where a.freed_at is null;
alter table invoice force row level security;
alter table invoice_line force row level security;
alter table allocation force row level security;
alter table revenue_count_change force row level security;
