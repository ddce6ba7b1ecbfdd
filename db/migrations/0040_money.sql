-- Money: invoices, what was paid, how it settles what is owed. Published rows never change; what follows is added.

create function viewer_is_cashier() returns boolean language sql stable parallel safe
    return coalesce(current_setting('kiosque.cashier', true), '') = 'on';
comment on function viewer_is_cashier() is 'True for an agent who may see and take money: roles CASHIER and ADMIN.';
grant execute on function viewer_is_cashier() to kiosque_api;

create table invoice_series (
    year integer primary key check (year between 2000 and 9999),
    last integer not null check (last between 1 and 999999)
);
comment on table invoice_series is 'Last invoice number of each year; its row is held until the commit, so that numbers have no gap.';

create table invoice (
    family_id uuid not null references family,
    id uuid not null,
    number text not null unique check (number ~ '^[0-9]{4}-[0-9]{6}$'),
    run_id uuid,
    period date not null check (extract(day from period) = 1),
    issued_on date not null,
    due_on date not null,
    total_cents integer not null check (total_cents between 0 and 100000000),
    cesu_cents integer not null check (cesu_cents between 0 and total_cents),
    -- Year and number, then two check digits (ISO 7064, MOD 97-10).
    reference text not null unique check (reference ~ '^[0-9]{12}$' and reference::bigint % 97 = 1),
    replaces_id uuid,
    published_at timestamptz not null,
    cancelled_at timestamptz,
    cancelled_reason text check (length(cancelled_reason) between 1 and 4000),
    cancelled_by uuid references agent,
    pdf bytea,
    primary key (family_id, id),
    unique (family_id, replaces_id),
    foreign key (family_id, replaces_id) references invoice,
    check (due_on >= issued_on),
    check ((cancelled_at is null) = (cancelled_reason is null))
);
create index invoice_newest on invoice (id);
create index invoice_of_run on invoice (run_id) where run_id is not null;
comment on table invoice is 'A published invoice: never changed, only cancelled and replaced. Its status is derived; see invoice_status.';
comment on column invoice.period is 'First day of the month that it is for (R29).';
comment on column invoice.cesu_cents is 'What of it may be paid by CESU: the sum of its eligible lines.';
comment on column invoice.pdf is 'The bytes as issued; written once.';

create table invoice_line (
    family_id uuid not null,
    invoice_id uuid not null,
    position integer not null check (position > 0),
    id uuid not null,
    member_id uuid,
    service_id uuid not null references service,
    tariff_id uuid references tariff,
    label_fr text not null check (length(label_fr) between 1 and 300),
    label_en text not null check (length(label_en) between 1 and 300),
    first_day date,
    last_day date check (last_day >= first_day),
    quantity integer not null,
    unit_cents integer not null,
    cents integer not null,
    cesu_eligible boolean not null default false,
    explanation json not null default '{}' check (json_typeof(explanation) = 'object'),
    primary key (family_id, invoice_id, position),
    unique (family_id, id),
    foreign key (family_id, invoice_id) references invoice,
    foreign key (family_id, member_id) references member,
    check (cents = quantity * unit_cents),
    check (cents >= 0 or not cesu_eligible)
);
comment on column invoice_line.explanation is 'Why this price: sentences `fr` and `en`, and the figures behind them.';

create sequence receipt_number;
create table payment (
    family_id uuid not null references family,
    id uuid not null,
    means text not null check (means in
        ('CASH', 'CHEQUE', 'CARD', 'CESU', 'HOLIDAY_VOUCHER', 'ONLINE_CARD', 'DIRECT_DEBIT', 'TRANSFER', 'CREDIT_NOTE')),
    source text not null check (source in ('COUNTER', 'POST', 'CARD', 'DEBIT', 'CITY')),
    cents integer not null check (cents between 1 and 100000000),
    forfeited_cents integer not null default 0 check (forfeited_cents >= 0 and (forfeited_cents = 0 or means = 'HOLIDAY_VOUCHER')),
    bank_reference text check (length(bank_reference) between 1 and 64 and bank_reference !~ '[0-9]{13}'),
    cashier_id uuid references agent,
    visit_id uuid not null,
    receipt_number text not null check (length(receipt_number) between 1 and 60),
    received_on date not null,
    received_at timestamptz not null,
    undone_at timestamptz,
    undone_reason text check (length(undone_reason) between 1 and 4000),
    undone_by uuid references agent,
    primary key (family_id, id),
    check ((undone_at is null) = (undone_reason is null)),
    check (means <> 'CASH' or source = 'COUNTER')
);
create index payment_newest on payment (id);
create index payment_of_visit on payment (family_id, visit_id);
create index payment_of_day on payment (received_on, means);
comment on table payment is 'Money received by one means. What of it is neither allocated nor paid back is a credit of the family.';
comment on column payment.bank_reference is 'The bank''s authorisation code, and nothing else of a card or an account (R35).';
comment on column payment.forfeited_cents is 'What vouchers were worth beyond what was owed: no change is given.';
comment on column payment.visit_id is 'Payments received together have one receipt.';

create table allocation (
    family_id uuid not null,
    id uuid not null,
    payment_id uuid not null,
    invoice_id uuid not null,
    line_position integer,
    cents integer not null check (cents > 0),
    allocated_at timestamptz not null,
    freed_at timestamptz,
    freed_because text check (freed_because in ('UNDONE', 'CANCELLED')),
    primary key (family_id, id),
    foreign key (family_id, payment_id) references payment,
    foreign key (family_id, invoice_id) references invoice,
    foreign key (family_id, invoice_id, line_position) references invoice_line,
    check ((freed_at is null) = (freed_because is null))
);
create index allocation_of_invoice on allocation (family_id, invoice_id, cents) where freed_at is null;
create index allocation_of_payment on allocation (family_id, payment_id, cents) where freed_at is null;
create index allocation_ever_of_payment on allocation (family_id, payment_id, id);
create index allocation_ever_of_invoice on allocation (family_id, invoice_id, id);
comment on table allocation is 'What a payment settles. Never deleted: freed when the payment is undone or the invoice cancelled.';
comment on column allocation.line_position is 'The line that it settles, where the means is good for some lines only (CESU).';

create table refund (
    family_id uuid not null,
    id uuid not null,
    payment_id uuid not null,
    cents integer not null check (cents > 0),
    means text not null check (means in ('CASH', 'CARD', 'TRANSFER')),
    reason text not null check (length(reason) between 1 and 4000),
    refunded_on date not null,
    refunded_at timestamptz not null,
    refunded_by uuid references agent,
    primary key (family_id, id),
    foreign key (family_id, payment_id) references payment
);
create index refund_of_payment on refund (family_id, payment_id, cents);
comment on table refund is 'Credit that was paid back.';

create function invoice_status(total integer, settled bigint, cancelled_at timestamptz, due_on date, today date)
returns text language sql immutable parallel safe return
    case
        when cancelled_at is not null then 'CANCELLED'
        when settled >= total then 'PAID'
        when today > due_on then 'OVERDUE'
        when settled > 0 then 'PARTLY_PAID'
        else 'ISSUED'
    end;
comment on function invoice_status(integer, bigint, timestamptz, date, date) is 'Where an invoice stands: derived from its allocations, never stored.';
grant execute on function invoice_status(integer, bigint, timestamptz, date, date) to kiosque_api;

-- Published rows do not change: what may be added to them is added once.
create function keep_money() returns trigger language plpgsql as $$
declare still_empty text[];
begin
    if tg_op = 'UPDATE' and tg_nargs > 0 then
        select coalesce(array_agg(c), '{}') into still_empty from unnest(tg_argv) c where to_jsonb(old) ->> c is null;
        if to_jsonb(old) - still_empty <@ to_jsonb(new) then
            return new;
        end if;
    end if;
    raise exception '% keeps what was published', tg_table_name using errcode = 'restrict_violation';
end $$;
comment on function keep_money() is 'Refuses every change but the first value of the columns named.';

do $$
declare kept text; once jsonb := '{"invoice": ["cancelled_at", "cancelled_reason", "cancelled_by", "pdf"], "invoice_line": [],
    "payment": ["undone_at", "undone_reason", "undone_by"], "allocation": ["freed_at", "freed_because"], "refund": []}';
begin
    foreach kept in array array['invoice', 'invoice_line', 'payment', 'allocation', 'refund'] loop
        execute format('create trigger keep before update or delete on %I for each row execute function keep_money(%s)', kept,
            (select string_agg(quote_literal(c), ', ') from jsonb_array_elements_text(once -> kept) c));
        execute format('alter table %I enable row level security', kept);
        execute format('alter table %I force row level security', kept);
        execute format('create policy seen on %I for select to kiosque_api using (family_id = (select viewer_family())
            or (select viewer_is_cashier()) or (select viewer_is_system()))', kept);
        execute format('create policy written on %I for insert to kiosque_api with check ((select viewer_is_cashier()) or (select viewer_is_system()))', kept);
        execute format('create policy added_to on %I for update to kiosque_api using ((select viewer_is_cashier()) or (select viewer_is_system()))', kept);
    end loop;
end $$;
grant select, insert on invoice, invoice_line, payment, allocation, refund to kiosque_api;
grant update (cancelled_at, cancelled_reason, cancelled_by, pdf) on invoice to kiosque_api;
grant update (undone_at, undone_reason, undone_by) on payment to kiosque_api;
grant update (freed_at, freed_because) on allocation to kiosque_api;
grant select, insert, update on invoice_series to kiosque_api;
grant usage on sequence receipt_number to kiosque_api;

-- The lines come in one statement with their invoice and add up to it, for ever.
create function check_lines() returns trigger language plpgsql as $$
declare wrong text;
begin
    select i.number into wrong from invoice i
    where (i.family_id, i.id) in (select family_id, invoice_id from added) and (i.total_cents, i.cesu_cents) <> (
        select sum(l.cents), coalesce(sum(l.cents) filter (where l.cesu_eligible), 0)
        from invoice_line l where l.family_id = i.family_id and l.invoice_id = i.id) limit 1;
    if found then
        raise exception 'the lines of invoice % do not add up to it', wrong using errcode = 'check_violation', constraint = 'lines_add_up';
    end if;
    return null;
end $$;
create trigger add_up after insert on invoice_line referencing new table as added
    for each statement execute function check_lines();

create function check_has_lines() returns trigger language plpgsql as $$
begin
    if not exists (select from invoice_line where family_id = new.family_id and invoice_id = new.id) then
        raise exception 'invoice % has no line', new.number using errcode = 'check_violation', constraint = 'has_lines';
    end if;
    return null;
end $$;
create constraint trigger has_lines after insert on invoice deferrable initially deferred
    for each row execute function check_has_lines();

-- Σ allocations of an invoice ≤ its total; Σ allocations and refunds of a payment ≤ its amount: looked at when the
-- transaction commits, while it holds both rows, so that no other one can add to them meanwhile.
create function hold_money() returns trigger language plpgsql as $$
begin
    if current_setting('transaction_isolation') = 'repeatable read' then
        raise exception 'sums of money need every committed row' using errcode = 'restrict_violation';
    end if;
    perform from payment where family_id = new.family_id and id = new.payment_id for no key update;
    if tg_table_name = 'allocation' then
        perform from invoice where family_id = new.family_id and id = new.invoice_id for no key update;
    end if;
    return new;
end $$;
create trigger hold before insert on allocation for each row execute function hold_money();
create trigger hold before insert on refund for each row execute function hold_money();

create function check_invoice() returns trigger language plpgsql as $$
declare
    owner uuid := new.family_id;
    wanted uuid := case tg_table_name when 'invoice' then to_jsonb(new) ->> 'id' else to_jsonb(new) ->> 'invoice_id' end;
begin
    if coalesce((select sum(cents) from allocation where family_id = owner and invoice_id = wanted and freed_at is null), 0)
        > coalesce((select total_cents from invoice where family_id = owner and id = wanted and cancelled_at is null), 0) then
        raise exception 'more is allocated to an invoice than it is for' using errcode = 'check_violation', constraint = 'allocated_within_total';
    end if;
    if exists (
        select from allocation a join payment p on p.family_id = a.family_id and p.id = a.payment_id
            left join invoice_line l on l.family_id = a.family_id and l.invoice_id = a.invoice_id and l.position = a.line_position
        where a.family_id = owner and a.invoice_id = wanted and a.freed_at is null and (a.line_position is not null or p.means = 'CESU')
        group by a.line_position, l.cents, l.cesu_eligible
        having l.cents is null or sum(a.cents) > l.cents or bool_or(p.means = 'CESU') and not l.cesu_eligible) then
        raise exception 'CESU settle eligible lines only' using errcode = 'check_violation', constraint = 'allocated_within_line';
    end if;
    return null;
end $$;
create constraint trigger within_total after insert on allocation deferrable initially deferred
    for each row execute function check_invoice();
create constraint trigger within_total after update of cancelled_at on invoice deferrable initially deferred
    for each row execute function check_invoice();

create function check_payment() returns trigger language plpgsql as $$
declare
    owner uuid := new.family_id;
    wanted uuid := case tg_table_name when 'payment' then to_jsonb(new) ->> 'id' else to_jsonb(new) ->> 'payment_id' end;
    received record;
    used bigint := (select coalesce(sum(cents), 0) from allocation where family_id = owner and payment_id = wanted and freed_at is null);
    returned bigint := (select coalesce(sum(cents), 0) from refund where family_id = owner and payment_id = wanted);
begin
    select cents, undone_at into received from payment where family_id = owner and id = wanted;
    if not found or returned > received.cents or used > (case when received.undone_at is null then received.cents - returned else 0 end) then
        raise exception 'more of a payment is used than was received' using errcode = 'check_violation', constraint = 'used_within_received';
    end if;
    return null;
end $$;
create constraint trigger within_received after insert on allocation deferrable initially deferred
    for each row execute function check_payment();
create constraint trigger within_received after insert on refund deferrable initially deferred
    for each row execute function check_payment();
create constraint trigger within_received after update of undone_at on payment deferrable initially deferred
    for each row execute function check_payment();

-- One more kind of task, whatever kinds there are already.
do $$
declare kinds text;
begin
    select string_agg(quote_literal(m[1]), ', ') into kinds
    from pg_constraint, regexp_matches(pg_get_constraintdef(oid), '''([A-Z_]+)''::text', 'g') m
    where conrelid = 'agent_task'::regclass and conname = 'agent_task_kind_check';
    alter table agent_task drop constraint agent_task_kind_check;
    execute format('alter table agent_task add constraint agent_task_kind_check check (kind in (%s, ''UNEXPLAINED_CREDIT''))', kinds);
end $$;
