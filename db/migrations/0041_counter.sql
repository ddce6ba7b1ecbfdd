-- The till: days that are closed, and the statement of a family's account.

create table daily_closing (
    day date primary key,
    id uuid not null unique,
    closed_by uuid not null references agent,
    closed_at timestamptz not null
);
comment on table daily_closing is 'A day of the till that cannot change any more.';

create table daily_total (
    day date not null references daily_closing,
    means text not null check (means in ('CASH', 'CHEQUE', 'CARD', 'CESU', 'HOLIDAY_VOUCHER', 'TRANSFER')),
    id uuid not null unique,
    count integer not null check (count >= 0),
    cents integer not null check (cents >= 0),
    forfeited_cents integer not null check (forfeited_cents >= 0),
    refunded_cents integer not null check (refunded_cents >= 0),
    primary key (day, means)
);
comment on table daily_total is 'What a closed day came to by means, as it was counted.';

do $$
declare kept text;
begin
    foreach kept in array array['daily_closing', 'daily_total'] loop
        execute format('create trigger keep before update or delete on %I for each row execute function keep_money()', kept);
        execute format('alter table %I enable row level security', kept);
        execute format('alter table %I force row level security', kept);
        execute format('create policy seen on %I to kiosque_api using ((select viewer_is_cashier()) or (select viewer_is_system()))', kept);
    end loop;
end $$;
grant select, insert on daily_closing, daily_total to kiosque_api;

create function till_totals(of_day date)
returns table (id text, day date, means text, count integer, cents integer, forfeited_cents integer, refunded_cents integer)
language sql stable set search_path = pg_catalog, public as $$
    select to_char(of_day, 'YYYY-MM-DD') || '/' || m.means, of_day, m.means, sum(m.n)::integer, sum(m.cents)::integer,
        sum(m.forfeited)::integer, sum(m.refunded)::integer
    from (
        select p.means, 1 as n, p.cents, p.forfeited_cents as forfeited, 0 as refunded from payment p
        where p.received_on = of_day and p.source in ('COUNTER', 'POST') and p.undone_at is null
        union all
        select r.means, 0, 0, 0, r.cents from refund r where r.refunded_on = of_day
    ) m group by m.means
$$;
comment on function till_totals(date) is 'What the till took and gave on a day, by means.';
grant execute on function till_totals(date) to kiosque_api;

-- A closed day does not change. Who writes into a day shares its lock, who closes it has it alone.
create function check_day_open() returns trigger language plpgsql as $$
declare of_day date := case tg_table_name when 'refund' then (to_jsonb(new) ->> 'refunded_on')::date else (to_jsonb(new) ->> 'received_on')::date end;
begin
    perform pg_advisory_xact_lock_shared(40, of_day - date '2000-01-01');
    if exists (select from daily_closing c where c.day = of_day) then
        raise exception 'the day is closed' using errcode = 'check_violation', constraint = 'day_is_open';
    end if;
    return new;
end $$;
create trigger day_is_open before insert or update of undone_at on payment
    for each row when (new.source in ('COUNTER', 'POST')) execute function check_day_open();
create trigger day_is_open before insert on refund for each row execute function check_day_open();

create policy of_the_till on idempotency_key to kiosque_api using ((select viewer_is_cashier()));

create index refund_of_day on refund (refunded_on);

-- The statement of account: what a family came to owe and what it gave, in order, with what it then owed.
create function account_entries(owner uuid, since date, until date)
returns table (family_id uuid, id text, kind text, happened_at timestamptz, cents integer, balance_cents integer, invoice_id uuid, payment_id uuid)
language sql stable set search_path = pg_catalog, public as $$
    select s.* from (
        select owner, e.id, e.kind, e.happened_at, e.cents, (sum(e.cents) over (order by e.happened_at, e.id))::integer, e.invoice_id, e.payment_id
        from (
            select 'a' || i.id as id, 'INVOICE' as kind, i.published_at as happened_at, i.total_cents as cents, i.id as invoice_id, null::uuid as payment_id
            from invoice i where i.family_id = owner
            union all
            select 'd' || i.id, 'CANCELLATION', i.cancelled_at, -i.total_cents, i.id, null
            from invoice i where i.family_id = owner and i.cancelled_at is not null
            union all
            select 'b' || p.id, 'PAYMENT', p.received_at, -p.cents, null, p.id from payment p where p.family_id = owner
            union all
            select 'e' || p.id, 'UNDONE', p.undone_at, p.cents, null, p.id
            from payment p where p.family_id = owner and p.undone_at is not null
            union all
            select 'c' || r.id, 'REFUND', r.refunded_at, r.cents, null, r.payment_id from refund r where r.family_id = owner
        ) e
    ) s (family_id, id, kind, happened_at, cents, balance_cents, invoice_id, payment_id)
    where (since is null or s.happened_at >= (since::timestamp at time zone 'Europe/Paris'))
        and (until is null or s.happened_at < ((until + 1)::timestamp at time zone 'Europe/Paris'))
$$;
comment on function account_entries(uuid, date, date) is 'The account of a family, entry by entry, with the running balance; a balance counts everything before it, whatever days are asked for.';
grant execute on function account_entries(uuid, date, date) to kiosque_api;
