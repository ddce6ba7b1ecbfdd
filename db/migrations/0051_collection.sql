-- Unpaid invoices handed over to the public accountant, each once, in dockets whose files are kept.

create table docket (
    id uuid primary key,
    year integer not null check (year between 2000 and 9999),
    number integer not null check (number between 1 and 9999999),
    made_on date not null,
    created_at timestamptz not null,
    invoices integer not null default 0 check (invoices >= 0),
    cents bigint not null default 0 check (cents >= 0),
    sealed_files bytea,
    csv_hash bytea check (length(csv_hash) = 32),
    xml_hash bytea check (length(xml_hash) = 32),
    filed_at timestamptz,
    unique (year, number),
    check ((filed_at is null) = (sealed_files is null) and (filed_at is null) = (csv_hash is null)
        and (filed_at is null) = (xml_hash is null)),
    check (filed_at is null or invoices > 0 and cents > 0)
);
create unique index docket_unfinished on docket ((true)) where filed_at is null;
comment on table docket is 'What is handed over at once: a list (CSV) and a PES v2 file.';
comment on column docket.sealed_files is 'Both files, compressed and encrypted: they name debtors.';

create table handover (
    family_id uuid not null,
    invoice_id uuid not null,
    docket_id uuid not null references docket,
    cents integer not null check (cents > 0),
    handed_on date not null,
    primary key (family_id, invoice_id),
    foreign key (family_id, invoice_id) references invoice
);
create index handover_of_docket on handover (docket_id, family_id);
comment on table handover is 'An invoice that the public accountant collects: once, for ever.';
comment on column handover.cents is 'What was owed on that day.';

alter table docket enable row level security;
alter table docket force row level security;
create policy seen on docket to kiosque_api using ((select viewer_is_cashier()) or (select viewer_is_system()));
grant select, insert, update on docket to kiosque_api;

alter table handover enable row level security;
alter table handover force row level security;
create policy seen on handover for select to kiosque_api
    using (family_id = (select viewer_family()) or (select viewer_is_cashier()) or (select viewer_is_system()));
create policy only_the_portal_hands_over on handover for insert to kiosque_api with check ((select viewer_is_system()));
grant select, insert on handover to kiosque_api;
