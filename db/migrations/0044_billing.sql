-- Billing runs: a month of consumptions becomes drafts, the drafts are checked, and become invoices (R29).

create table billing_run (
    id uuid primary key,
    period date not null check (extract(day from period) = 1),
    service_id uuid references service,
    kind text not null check (kind in ('REGULAR', 'ADJUSTMENT')),
    state text not null check (state in ('DRAFTING', 'DRAFTED', 'PUBLISHING', 'PUBLISHED', 'DISCARDED')),
    families_total integer not null default 0,
    families_done integer not null default 0,
    drafted_up_to uuid,
    invoices_told integer not null default 0,
    issued_on date,
    due_on date check (due_on >= issued_on),
    first_number text,
    last_number text,
    left_out integer not null default 0,
    started_by uuid references agent,
    started_at timestamptz not null,
    drafted_at timestamptz,
    published_by uuid references agent,
    published_at timestamptz,
    told_at timestamptz,
    discarded_by uuid references agent,
    discarded_at timestamptz
);
-- Two at once would bill the same consumptions twice.
create unique index billing_run_open on billing_run ((true)) where state in ('DRAFTING', 'DRAFTED', 'PUBLISHING');
create index billing_run_newest on billing_run (period desc, id desc);
comment on table billing_run is 'One month of one service or of all: from consumptions to published invoices (campagne).';
comment on column billing_run.drafted_up_to is 'Families up to this id have their drafts: it moves in the transaction that writes them.';
comment on column billing_run.left_out is 'Drafts that were overtaken before publication; the next run bills them.';
alter table invoice add constraint invoice_run_id_fkey foreign key (run_id) references billing_run not valid;
alter table invoice validate constraint invoice_run_id_fkey;

create table draft_invoice (
    family_id uuid not null references family,
    id uuid not null,
    run_id uuid not null references billing_run,
    kind text not null check (kind in ('NEW', 'COMPLEMENT', 'REPLACEMENT', 'CANCELLATION')),
    standing uuid[] not null,
    line_count integer not null check (line_count >= 0),
    total_cents integer not null check (total_cents >= 0),
    cesu_cents integer not null check (cesu_cents between 0 and total_cents),
    primary key (family_id, id),
    unique (family_id, run_id),
    check ((line_count = 0) = (kind = 'CANCELLATION'))
);
create index draft_invoice_of_run on draft_invoice (run_id, total_cents desc, id desc);
comment on column draft_invoice.kind is 'First of its month, more for the same month, instead of invoices of the month that billed too much, or only their end.';
comment on column draft_invoice.standing is 'Invoices of the month when it was drafted: it counts only while these and no others stand.';

create table draft_line (
    family_id uuid not null,
    draft_id uuid not null,
    position integer not null check (position > 0),
    id uuid not null default gen_random_uuid(),
    member_id uuid not null,
    service_id uuid not null references service,
    tariff_id uuid not null references tariff,
    label_fr text not null,
    label_en text not null,
    first_day date not null,
    last_day date not null,
    quantity integer not null check (quantity > 0),
    unit_cents integer not null check (unit_cents >= 0),
    cents integer not null check (cents = quantity * unit_cents),
    cesu_eligible boolean not null,
    explanation json not null,
    primary key (family_id, draft_id, position),
    unique (family_id, id),
    foreign key (family_id, draft_id) references draft_invoice on delete cascade,
    foreign key (family_id, member_id) references member
);

create table billing_check (
    family_id uuid not null references family,
    run_id uuid not null references billing_run,
    id uuid not null,
    code text not null check (code in
        ('NO_PRICE', 'QUOTIENT_MISSING', 'ZERO_AMOUNT', 'HUGE_AMOUNT', 'DIFFERENCE', 'REPLACES', 'OVERTAKEN')),
    tariff_id uuid references tariff,
    day date,
    before_cents integer,
    now_cents integer,
    primary key (family_id, run_id, id),
    unique (family_id, id)
);
create index billing_check_of_run on billing_check (run_id, code, id);
comment on table billing_check is 'What an agent should look at before publishing; NO_PRICE must be mended first.';

alter table billing_run enable row level security;
alter table billing_run force row level security;
create policy seen on billing_run to kiosque_api using ((select viewer_is_cashier()) or (select viewer_is_system()));
do $$
declare owned text;
begin
    foreach owned in array array['draft_invoice', 'draft_line', 'billing_check'] loop
        execute format('alter table %I enable row level security', owned);
        execute format('alter table %I force row level security', owned);
        execute format('create policy seen on %I to kiosque_api using ((select viewer_is_cashier()) or (select viewer_is_system()))', owned);
        execute format('grant select, insert, delete on %I to kiosque_api', owned);
    end loop;
end $$;
grant select, insert, update on billing_run to kiosque_api;

-- Why a price is what it is, in one sentence; the quotient itself is sealed and stays so, its bracket is the price's.
create function price_reason(reason text, low integer, high integer, since date, source text, language text) returns text
language sql immutable parallel safe return
    case reason || '/' || language
        when 'SAME_FOR_ALL/fr' then 'Prix unique.'
        when 'SAME_FOR_ALL/en' then 'One price for all.'
        when 'UNKNOWN/fr' then 'Quotient familial inconnu à ces dates' || U&'\00A0: prix le plus élevé.'
        when 'UNKNOWN/en' then 'Quotient familial unknown on these days: highest price.'
        when 'BRACKET/fr' then 'Quotient familial ' || case source when 'TAX_NOTICE' then U&'(avis d\2019imposition' when 'OTHER' then '(autre document'
                else '(' || source end || ', depuis le ' || to_char(since, 'DD/MM/YYYY') || U&')\00A0: tranche '
            || case when high is null then U&'à partir de ' || low || U&'\00A0€.' else 'de ' || low || U&' à moins de ' || high || U&'\00A0€.' end
        when 'BRACKET/en' then 'Quotient familial ' || case source when 'TAX_NOTICE' then '(tax notice' when 'OTHER' then '(other document'
                else '(' || source end || ', since ' || to_char(since, 'FMDD FMMonth YYYY') || '): bracket '
            || case when high is null then 'from €' || low || '.' else 'from €' || low || ' to below €' || high || '.' end
    end;
grant execute on function price_reason(text, integer, integer, date, text, text) to kiosque_api;
