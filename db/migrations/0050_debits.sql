-- Direct debits (R26, R30): each collects one whole invoice, announced in time, once.

create table debit_batch (
    id uuid primary key,
    due_on date not null,
    message_id text not null unique check (message_id ~ '^[A-Za-z0-9-]{1,30}$'),
    created_at timestamptz not null,
    debits integer not null default 0 check (debits >= 0),
    cents bigint not null default 0 check (cents >= 0),
    sealed_file bytea,
    file_hash bytea check (length(file_hash) = 32),
    filed_at timestamptz,
    withdrawn_at timestamptz,
    withdrawn_by uuid references agent,
    booked_at timestamptz,
    check ((filed_at is null) = (sealed_file is null) and (filed_at is null) = (file_hash is null)),
    check (filed_at is null or debits > 0 and cents > 0),
    check (booked_at is null or filed_at is not null and withdrawn_at is null),
    check (withdrawn_by is null or withdrawn_at is not null)
);
create unique index debit_batch_of_day on debit_batch (due_on) where withdrawn_at is null;
create index debit_batch_unbooked on debit_batch (due_on) where booked_at is null and withdrawn_at is null;
comment on table debit_batch is 'What is sent to the bank for one day: one pain.008 file, kept as it is.';
comment on column debit_batch.sealed_file is 'The file, compressed and encrypted: it names accounts.';
comment on column debit_batch.file_hash is 'SHA-256 of the file in clear.';

create table debit (
    family_id uuid not null,
    id uuid not null,
    invoice_id uuid not null,
    mandate_id uuid not null,
    cents integer not null check (cents > 0),
    collect_on date not null,
    end_to_end_id text not null unique check (end_to_end_id ~ '^[A-Za-z0-9-]{1,35}$'),
    state text not null default 'ANNOUNCED' check (state in ('ANNOUNCED', 'SENT', 'BOOKED', 'RETURNED', 'DROPPED')),
    announced_at timestamptz not null,
    batch_id uuid references debit_batch,
    sequence text check (sequence in ('FRST', 'RCUR')),
    payment_id uuid,
    dropped_at timestamptz,
    dropped_because text check (dropped_because in ('MANDATE_ENDED', 'INVOICE_CANCELLED', 'INVOICE_PAID',
        'INVOICE_PARTLY_PAID', 'CARD_PAYMENT', 'HANDED_OVER', 'MISSED', 'WITHDRAWN')),
    return_reason text check (return_reason in ('AC01', 'AC04', 'AC06', 'AC13', 'AG01', 'AG02', 'AM04', 'AM05', 'BE05',
        'CNOR', 'DNOR', 'FOCR', 'MD01', 'MD02', 'MD06', 'MD07', 'MS02', 'MS03', 'RC01', 'RR01', 'RR02', 'RR03', 'RR04',
        'SL01')),
    returned_on date,
    return_recorded_at timestamptz,
    return_recorded_by uuid references agent,
    primary key (family_id, id),
    foreign key (family_id, mandate_id) references mandate,
    foreign key (family_id, invoice_id) references invoice,
    foreign key (family_id, payment_id) references payment,
    check ((state = 'DROPPED') = (dropped_at is not null) and (dropped_at is null) = (dropped_because is null)),
    check ((state = 'RETURNED') = (returned_on is not null) and (returned_on is null) = (return_reason is null)
        and (returned_on is null) = (return_recorded_at is null)),
    check ((batch_id is null) = (sequence is null)),
    check (state not in ('SENT', 'BOOKED', 'RETURNED') or batch_id is not null),
    check (state <> 'BOOKED' or payment_id is not null)
);
create unique index debit_live on debit (family_id, invoice_id) where state in ('ANNOUNCED', 'SENT', 'BOOKED');
create index debit_of_mandate on debit (family_id, mandate_id);
create index debit_announced on debit (collect_on, family_id, id) where state = 'ANNOUNCED';
create index debit_of_batch on debit (batch_id, family_id, id) where batch_id is not null;
comment on table debit is 'The collection of one invoice from one account: announced, sent to the bank, booked on its day, perhaps returned.';
comment on column debit.end_to_end_id is 'What the bank calls it by: number of the invoice, and which attempt it is.';
comment on column debit.return_reason is 'Code of ISO 20022 (ExternalReturnReason).';

alter table debit_batch enable row level security;
alter table debit_batch force row level security;
create policy seen on debit_batch to kiosque_api using ((select viewer_is_cashier()) or (select viewer_is_system()));
grant select, insert, update on debit_batch to kiosque_api;

alter table debit enable row level security;
alter table debit force row level security;
create policy seen on debit to kiosque_api
    using (family_id = (select viewer_family()) or (select viewer_is_cashier()) or (select viewer_is_system()));
create policy only_the_portal_announces on debit as restrictive for insert to kiosque_api
    with check ((select viewer_is_system()));
-- A family's own act, taking its mandate back, drops what was announced, and that is all.
create policy families_drop on debit as restrictive for update to kiosque_api
    using ((select viewer_is_cashier()) or (select viewer_is_system()) or state = 'ANNOUNCED')
    with check ((select viewer_is_cashier()) or (select viewer_is_system()) or state = 'DROPPED');
grant select, insert, update on debit to kiosque_api;

-- One more kind of task, whatever kinds there are already.
do $$
declare kinds text;
begin
    select string_agg(quote_literal(m[1]), ', ') into kinds
    from pg_constraint, regexp_matches(pg_get_constraintdef(oid), '''([A-Z_]+)''::text', 'g') m
    where conrelid = 'agent_task'::regclass and conname = 'agent_task_kind_check';
    alter table agent_task drop constraint agent_task_kind_check;
    execute format('alter table agent_task add constraint agent_task_kind_check check (kind in (%s, ''DEBIT_RETURNED''))', kinds);
end $$;
