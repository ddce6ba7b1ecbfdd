-- How many procedures stand where, and how long decisions take: counted as they move, so that nobody counts a million.

-- The counts of 0020 held less: these take their place.
drop trigger tally_added on procedure;
drop trigger tally_moved on procedure;
drop function tally_added();
drop function tally_moved();
drop table procedure_tally;

create function delay_class(submitted_at timestamptz, decided_at timestamptz) returns smallint
language sql immutable parallel safe return
    case when decided_at is not null then
        least(1 + round(ln(1 + greatest(extract(epoch from decided_at - submitted_at), 0)::float8 / 3600) / ln(1.1::float8)), 105)::smallint
    end;
comment on function delay_class(timestamptz, timestamptz) is
    'In which of 105 classes a delay falls, null while undecided; class c stands for 1.1 ^ (c - 1) - 1 hours, wrong by 5 % and 3 minutes at the most. The last one holds all beyond 2 years and 3 months.';

create function delay_at(classes bigint[], share double precision) returns double precision
language sql immutable parallel safe as $$
    select 1.1::float8 ^ (c.class - 1) - 1 from (
        select u.class, sum(u.n) over (order by u.class) as up_to, sum(u.n) over () as total
        from unnest(classes) with ordinality u(n, class)
    ) c where c.total > 0 and c.up_to >= c.total * share order by c.class limit 1
$$;
comment on function delay_at(bigint[], double precision) is 'Within how many hours a share of decisions was made (nearest rank), from how many fall into each class.';

create function added(a integer[], b integer[]) returns integer[] language sql immutable parallel safe as $$
    select case when a is null then b when b is null then a else
        array(select coalesce(u.x, 0) + coalesce(u.y, 0) from unnest(a, b) with ordinality u(x, y, place) order by u.place) end
$$;
comment on function added(integer[], integer[]) is 'The sums of two lists, place by place.';

create table procedure_count (
    grain text not null check (grain in ('DAY', 'MONTH')),
    starts_on date not null,
    service_id uuid not null references service,
    kind_id uuid not null references procedure_kind,
    status text not null,
    n integer not null,
    delays integer[] check (cardinality(delays) = 105),
    primary key (grain, starts_on, service_id, kind_id, status)
) with (fillfactor = 80);
comment on table procedure_count is 'Submitted procedures by day or month of submission (Europe/Paris), service, kind and status.';
comment on column procedure_count.delays is 'How many of them were decided within each class of delays; null where none was.';

-- What still waits is a small part, whatever lies in the past.
create index procedure_count_open on procedure_count (service_id, status)
    where grain = 'MONTH' and status in ('SUBMITTED', 'IN_REVIEW', 'AWAITING_FAMILY') and n <> 0;

-- Nobody waits for somebody else's count: a move adds lines here, a job folds them into the counts.
create table procedure_count_change (
    id bigint generated always as identity primary key,
    day date not null,
    service_id uuid not null,
    kind_id uuid not null,
    status text not null,
    delay smallint,
    n smallint not null
);
comment on table procedure_count_change is 'What moves changed since the counts were last folded; both together are exact at any moment.';

create function count_procedure() returns trigger language plpgsql as $$
begin
    if tg_op <> 'INSERT' and old.submitted_at is not null then
        insert into procedure_count_change (day, service_id, kind_id, status, delay, n)
        values ((old.submitted_at at time zone 'Europe/Paris')::date, old.service_id, old.kind_id, old.status,
            delay_class(old.submitted_at, old.decided_at), -1);
    end if;
    if tg_op <> 'DELETE' and new.submitted_at is not null then
        insert into procedure_count_change (day, service_id, kind_id, status, delay, n)
        values ((new.submitted_at at time zone 'Europe/Paris')::date, new.service_id, new.kind_id, new.status,
            delay_class(new.submitted_at, new.decided_at), 1);
    end if;
    return null;
end $$;
create trigger count_new after insert on procedure
    for each row when (new.submitted_at is not null) execute function count_procedure();
create trigger count_gone after delete on procedure
    for each row when (old.submitted_at is not null) execute function count_procedure();
create trigger count_moved after update on procedure
    for each row when ((old.status, old.submitted_at, old.decided_at, old.service_id, old.kind_id)
        is distinct from (new.status, new.submitted_at, new.decided_at, new.service_id, new.kind_id))
    execute function count_procedure();

create function fold_procedure_counts(lines integer) returns bigint language sql as $$
    with taken as (
        delete from procedure_count_change where id in (select c.id from procedure_count_change c order by c.id limit lines)
        returning day, service_id, kind_id, status, delay, n
    ), both_grains as (
        select 'DAY' as grain, day as starts_on, service_id, kind_id, status, delay, n from taken
        union all
        select 'MONTH', date_trunc('month', day::timestamp)::date, service_id, kind_id, status, delay, n from taken
    ), by_class as (
        select grain, starts_on, service_id, kind_id, status, delay, sum(n)::integer as n
        from both_grains group by grain, starts_on, service_id, kind_id, status, delay having sum(n) <> 0
    ), summed as (
        select b.grain, b.starts_on, b.service_id, b.kind_id, b.status, sum(b.n)::integer as n,
            case when count(b.delay) > 0 then array(
                select coalesce(sum(o.n), 0)::integer from generate_series(1, 105) class
                left join unnest(array_agg(b.delay), array_agg(b.n)) o(delay, n) on o.delay = class
                group by class order by class) end as delays
        from by_class b group by b.grain, b.starts_on, b.service_id, b.kind_id, b.status
    ), written as (
        insert into procedure_count as t (grain, starts_on, service_id, kind_id, status, n, delays)
        select s.* from summed s order by 1, 2, 3, 4, 5
        on conflict (grain, starts_on, service_id, kind_id, status) do update
            set n = t.n + excluded.n, delays = added(t.delays, excluded.delays)
    )
    select count(*) from taken
$$;
comment on function fold_procedure_counts(integer) is 'Adds the oldest lines to the counts; gives how many there were.';

-- One sum a class: summing columns is thirty times as fast as taking lists apart and grouping their members again.
do $outer$
begin
    execute format($create$
create function statistics(wanted text[], first_day date, last_day date, codes text[], of_services uuid[], everywhere boolean)
returns table (id text, month date, service_id uuid, kind_code text, status text, submitted bigint, open bigint,
    accepted bigint, rejected bigint, classes bigint[])
language sql stable as $body$
    with asked as (
        select a.since, a.until, date_trunc('month', (a.since + interval '1 month' - interval '1 day'))::date as first_month,
            date_trunc('month', a.until::timestamp)::date as end_month
        from (select coalesce(first_day, date '0001-01-01') as since, coalesce(last_day, date '9998-12-31') + 1 as until) a
    ), cells as (
        select t.starts_on as day, t.service_id, t.kind_id, t.status, t.n, t.delays, null::smallint as delay
        from procedure_count t
        where t.grain = 'MONTH' and t.starts_on >= (select a.first_month from asked a)
            and t.starts_on < (select a.end_month from asked a)
        union all
        select t.starts_on, t.service_id, t.kind_id, t.status, t.n, t.delays, null from procedure_count t
        where t.grain = 'DAY' and t.starts_on >= (select a.since from asked a)
            and t.starts_on < (select least(a.first_month, a.until) from asked a)
        union all
        select t.starts_on, t.service_id, t.kind_id, t.status, t.n, t.delays, null from procedure_count t
        where t.grain = 'DAY' and t.starts_on >= (select greatest(a.end_month, a.first_month) from asked a)
            and t.starts_on < (select a.until from asked a)
        union all
        select c.day, c.service_id, c.kind_id, c.status, sum(c.n)::integer, null, c.delay from procedure_count_change c
        where c.day >= (select a.since from asked a) and c.day < (select a.until from asked a)
        group by c.day, c.service_id, c.kind_id, c.status, c.delay having sum(c.n) <> 0
    ), chosen as (
        select case when 'MONTH' = any (wanted) then date_trunc('month', c.day::timestamp)::date end as month,
            case when 'SERVICE' = any (wanted) then c.service_id end as service_id,
            case when 'KIND' = any (wanted) then k.code end as kind_code,
            case when 'STATUS' = any (wanted) then c.status end as status, c.status as stands, c.n, c.delays, c.delay
        from cells c join procedure_kind k on k.id = c.kind_id
        where (everywhere or c.service_id = any (of_services))
            and (codes is null or c.service_id = any (array(select s.id from service s where s.code = any (codes))))
    ), counted as (
        select c.month, c.service_id, c.kind_code, c.status, sum(c.n)::bigint as submitted,
            coalesce(sum(c.n) filter (where c.stands in ('SUBMITTED', 'IN_REVIEW', 'AWAITING_FAMILY')), 0)::bigint as open,
            coalesce(sum(c.n) filter (where c.stands = 'ACCEPTED'), 0)::bigint as accepted,
            coalesce(sum(c.n) filter (where c.stands = 'REJECTED'), 0)::bigint as rejected
        from chosen c group by c.month, c.service_id, c.kind_code, c.status having sum(c.n) <> 0
    ), decided as (
        select c.month, c.service_id, c.kind_code, c.status, array[%s]::bigint[] as classes
        from chosen c where c.delays is not null or c.delay is not null
        group by c.month, c.service_id, c.kind_code, c.status
    )
    select concat_ws('/', coalesce(c.month::text, '*'), coalesce((select s.code from service s where s.id = c.service_id), '*'),
            coalesce(c.kind_code, '*'), coalesce(c.status, '*')),
        c.month, c.service_id, c.kind_code, c.status, c.submitted, c.open, c.accepted, c.rejected, d.classes
    from counted c left join decided d on coalesce(d.month, date '0001-01-01') = coalesce(c.month, date '0001-01-01')
        and coalesce(d.service_id, uuid '00000000-0000-0000-0000-000000000000')
            = coalesce(c.service_id, uuid '00000000-0000-0000-0000-000000000000')
        and coalesce(d.kind_code, '') = coalesce(c.kind_code, '') and coalesce(d.status, '') = coalesce(c.status, '')
$body$
$create$, (
        select string_agg(format('sum(coalesce(c.delays[%1$s], case when c.delay = %1$s then c.n end))', class), ', ' order by class)
        from generate_series(1, 105) class));
end $outer$;
comment on function statistics(text[], date, date, text[], uuid[], boolean) is
    'Procedures submitted from one day to another, by what is wanted of MONTH, SERVICE, KIND, STATUS: whole months from their counts, the days at both ends from theirs. For classes see delay_at.';

alter table procedure_count enable row level security;
alter table procedure_count force row level security;
alter table procedure_count_change enable row level security;
alter table procedure_count_change force row level security;
create policy seen on procedure_count to kiosque_api using (service_id = any ((select viewer_services())::uuid[])
    or (select viewer_is_admin()) or (select viewer_is_system()));
create policy seen on procedure_count_change to kiosque_api using (service_id = any ((select viewer_services())::uuid[])
    or (select viewer_is_admin()) or (select viewer_is_system()));
create policy counted on procedure_count_change for insert to kiosque_api with check (true);
grant select, insert, update on procedure_count to kiosque_api;
grant select, insert, delete on procedure_count_change to kiosque_api;
grant execute on function delay_class(timestamptz, timestamptz), delay_at(bigint[], double precision),
    added(integer[], integer[]), fold_procedure_counts(integer), statistics(text[], date, date, text[], uuid[], boolean) to kiosque_api;

-- What was there before: its decisions, and its count. Row-level security would hide it from an owner that is no superuser.
alter table procedure no force row level security;
alter table procedure_event no force row level security;
alter table procedure_count_change no force row level security;
alter table procedure disable trigger user;
update procedure p set decided_at = coalesce((
    select max(e.occurred_at) from procedure_event e
    where e.family_id = p.family_id and e.procedure_id = p.id and e.to_status = p.status), p.updated_at)
where p.status in ('ACCEPTED', 'REJECTED', 'CLOSED');
update procedure p set clock_paused_at = coalesce((
    select max(e.occurred_at) from procedure_event e
    where e.family_id = p.family_id and e.procedure_id = p.id and e.to_status = 'AWAITING_FAMILY'), p.updated_at)
where p.status = 'AWAITING_FAMILY';
update procedure p set implied_decision_on = null
where p.status in ('SUBMITTED', 'IN_REVIEW', 'AWAITING_FAMILY') and exists (
    select from procedure_event e where e.family_id = p.family_id and e.procedure_id = p.id
        and e.to_status in ('ACCEPTED', 'REJECTED', 'CLOSED'));
alter table procedure enable trigger user;
insert into procedure_count_change (day, service_id, kind_id, status, delay, n)
select (p.submitted_at at time zone 'Europe/Paris')::date, p.service_id, p.kind_id, p.status,
    delay_class(p.submitted_at, p.decided_at), 1
from procedure p where p.submitted_at is not null;
alter table procedure force row level security;
alter table procedure_event force row level security;
alter table procedure_count_change force row level security;
