-- Reminders of overdue invoices: each once.

create table invoice_reminder (
    family_id uuid not null,
    invoice_id uuid not null,
    number integer not null check (number between 1 and 9),
    sent_at timestamptz not null,
    primary key (family_id, invoice_id, number),
    foreign key (family_id, invoice_id) references invoice
);
comment on table invoice_reminder is 'The first, second … reminder of an overdue invoice.';

alter table invoice_reminder enable row level security;
alter table invoice_reminder force row level security;
create policy seen on invoice_reminder for select to kiosque_api
    using (family_id = (select viewer_family()) or (select viewer_is_cashier()) or (select viewer_is_system()));
create policy written on invoice_reminder for insert to kiosque_api with check ((select viewer_is_system()));
grant select, insert on invoice_reminder to kiosque_api;

create index invoice_due on invoice (due_on, family_id, id) where cancelled_at is null;
