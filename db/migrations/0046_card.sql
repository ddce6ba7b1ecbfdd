-- Paying by card online: what a family was sent to the bank with, and what the bank said. Of the card nothing is kept (R35).

create table card_attempt (
    family_id uuid not null references family,
    id uuid not null,
    reference text not null unique check (reference ~ '^[0-9A-Z]{26}$'),
    bank text not null check (bank ~ '^[a-z][a-z0-9-]{1,30}$'),
    bank_reference text check (length(bank_reference) between 1 and 64),
    account_id uuid,
    status text not null default 'CREATED'
        check (status in ('CREATED', 'REDIRECTED', 'PAID', 'REFUSED', 'CANCELLED', 'EXPIRED')),
    end_reason text check (end_reason in ('BANK', 'FAMILY', 'TIME', 'BANK_UNAVAILABLE')),
    cents integer not null check (cents > 0),
    redirect json,
    created_at timestamptz not null,
    expires_at timestamptz not null check (expires_at > created_at),
    redirected_at timestamptz,
    ended_at timestamptz,
    settled_at timestamptz,
    primary key (family_id, id),
    foreign key (family_id, account_id) references account,
    check ((status in ('CREATED', 'REDIRECTED')) = (ended_at is null)),
    check ((ended_at is null) = (end_reason is null)),
    check (redirect is null or ended_at is null)
);
create unique index card_attempt_at_bank on card_attempt (bank, bank_reference);
create index card_attempt_unsettled on card_attempt (created_at, id) where settled_at is null;
comment on table card_attempt is 'One way to the bank and back. Once paid, the payment in the ledger has the same id.';
comment on column card_attempt.reference is 'Names it at the bank and on the page that browsers come back to; never used twice.';
comment on column card_attempt.bank_reference is 'By which the bank names it; none before the browser can be sent there.';
comment on column card_attempt.redirect is 'Where the browser is sent, so that a repeated request gets the same; erased when it ends.';
comment on column card_attempt.settled_at is 'When the bank said its last word; until then it is asked again.';

create table card_attempt_invoice (
    family_id uuid not null,
    attempt_id uuid not null,
    invoice_id uuid not null,
    position integer not null check (position > 0),
    cents integer not null check (cents > 0),
    live boolean not null default true,
    primary key (family_id, attempt_id, invoice_id),
    foreign key (family_id, attempt_id) references card_attempt,
    foreign key (family_id, invoice_id) references invoice
);
create unique index one_live_attempt on card_attempt_invoice (family_id, invoice_id) where live;
comment on index one_live_attempt is 'An invoice is paid in one place at a time.';

create table bank_message (
    family_id uuid not null,
    id uuid not null,
    attempt_id uuid not null,
    bank text not null,
    source text not null check (source in ('NOTIFICATION', 'ENQUIRY')),
    verdict text not null check (verdict ~ '^[A-Z_]{3,20}$'),
    bank_status text check (bank_status ~ '^[A-Z_]{1,40}$'),
    cents integer,
    transaction_id text check (transaction_id ~ '^[0-9A-Za-z-]{1,64}$'),
    fingerprint bytea not null check (length(fingerprint) = 32),
    payment_id uuid,
    times integer not null default 1 check (times > 0),
    first_at timestamptz not null,
    last_at timestamptz not null,
    primary key (family_id, id),
    unique (family_id, attempt_id, fingerprint, verdict),
    foreign key (family_id, attempt_id) references card_attempt,
    foreign key (family_id, payment_id) references payment,
    check ((verdict = 'BOOKED') = (payment_id is not null))
);
create unique index bank_message_booked_once on bank_message (bank, transaction_id) where verdict = 'BOOKED';
comment on table bank_message is 'What a bank said of an attempt, and what we made of it. The columns are all that is kept of a message: no card, no expiry, no brand, no holder, and never the message itself (R35).';
comment on column bank_message.fingerprint is 'SHA-256 of what was compared, so that the same message is one row, however often it comes.';

do $$
declare owned text;
begin
    foreach owned in array array['card_attempt', 'card_attempt_invoice', 'bank_message'] loop
        execute format('alter table %I enable row level security', owned);
        execute format('alter table %I force row level security', owned);
        execute format('create policy seen on %I for select to kiosque_api using ((select viewer_is_cashier()) or (select viewer_is_system()))', owned);
        execute format('create policy decided on %I to kiosque_api using ((select viewer_is_system()))', owned);
    end loop;
    -- A family starts and gives up; that something was paid is never its word.
    foreach owned in array array['card_attempt', 'card_attempt_invoice'] loop
        execute format('create policy own on %I for select to kiosque_api using (family_id = (select viewer_family()))', owned);
    end loop;
end $$;
create policy started on card_attempt for insert to kiosque_api
    with check (family_id = (select viewer_family()) and status = 'CREATED');
create policy given_up on card_attempt for update to kiosque_api
    using (family_id = (select viewer_family())) with check (status not in ('PAID', 'REFUSED') and settled_at is null);
create policy started on card_attempt_invoice for insert to kiosque_api with check (family_id = (select viewer_family()));
create policy given_up on card_attempt_invoice for update to kiosque_api
    using (family_id = (select viewer_family())) with check (not live);
grant select, insert on card_attempt, card_attempt_invoice, bank_message to kiosque_api;
grant update (bank_reference, status, end_reason, redirect, redirected_at, ended_at, settled_at) on card_attempt to kiosque_api;
grant update (live) on card_attempt_invoice to kiosque_api;
grant update (times, last_at) on bank_message to kiosque_api;

-- One more kind of task, whatever kinds there are already.
do $$
declare kinds text;
begin
    select string_agg(quote_literal(m[1]), ', ') into kinds
    from pg_constraint, regexp_matches(pg_get_constraintdef(oid), '''([A-Z_]+)''::text', 'g') m
    where conrelid = 'agent_task'::regclass and conname = 'agent_task_kind_check';
    alter table agent_task drop constraint agent_task_kind_check;
    execute format('alter table agent_task add constraint agent_task_kind_check check (kind in (%s, ''BANK_MISMATCH''))', kinds);
end $$;
