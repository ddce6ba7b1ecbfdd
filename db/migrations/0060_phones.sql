-- Phones and push: where devices are reached, what a text message cost, and whether it arrived.

alter table address add column target json;
alter table address add column label text check (length(label) between 1 and 200);
comment on column address.target is 'What a push service needs: endpoint and keys, or a token. The value is then a fingerprint of it.';
comment on column address.label is 'What the family calls the device.';
create index address_by_value on address (channel, value) where channel in ('SMS', 'WEB_PUSH', 'MOBILE_PUSH');
grant delete on address to kiosque_api;

alter table delivery add column provider text;
alter table delivery add column reference text;
alter table delivery add column segments smallint check (segments between 1 and 100);
alter table delivery add column arrived_at timestamptz;
alter table delivery add column receipt_due_at timestamptz;
comment on column delivery.provider is 'Which of several providers took it.';
comment on column delivery.reference is 'What that provider calls it; its receipts name it so.';
comment on column delivery.segments is 'Text messages that were paid for it.';
comment on column delivery.receipt_due_at is 'When the next channel is tried unless a receipt came; null when none is waited for.';
create index delivery_by_reference on delivery (provider, reference) where reference is not null;
create index delivery_of_provider on delivery (provider, sent_at) where provider is not null;
create index delivery_awaits_receipt on delivery (receipt_due_at) where receipt_due_at is not null;

create table phone_challenge (
    family_id uuid not null references family,
    id uuid not null,
    account_id uuid not null,
    address_id uuid not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    used_at timestamptz,
    primary key (family_id, id),
    foreign key (family_id, account_id) references account,
    foreign key (family_id, address_id) references address on delete cascade
);
create index phone_challenge_of_address on phone_challenge (family_id, address_id, id);
create index phone_challenge_of_account on phone_challenge (family_id, account_id);
comment on table phone_challenge is 'Codes sent to numbers. The code itself is kept nowhere: it is an HMAC of the id.';
alter table phone_challenge enable row level security;
alter table phone_challenge force row level security;
create policy seen on phone_challenge to kiosque_api
    using (family_id = (select viewer_family()) or (select viewer_is_system()));
grant select, insert, update, delete on phone_challenge to kiosque_api;

create table sms_receipt (
    provider text not null,
    reference text not null check (length(reference) between 1 and 100),
    state text not null check (state in ('DELIVERED', 'FAILED')),
    received_at timestamptz not null,
    primary key (provider, reference, state)
);
create index sms_receipt_by_age on sms_receipt (received_at);
comment on table sms_receipt is 'Receipts as they came; a dispatcher moves each into its delivery, and may find it before the delivery is written.';
grant insert on sms_receipt to kiosque_api;
grant select, insert, delete on sms_receipt to kiosque_dispatch;

create table sms_provider (
    name text primary key,
    demoted_until timestamptz not null
);
comment on table sms_provider is 'Providers of text messages that were too slow, and until when the others go first; the same for all nodes.';
grant select, insert, update on sms_provider to kiosque_dispatch;
