-- SEPA mandates (R26): a family's permission to debit an account, whose number no table, log or dump says in clear.

create table mandate (
    family_id uuid not null references family,
    id uuid not null,
    rum text not null unique check (rum ~ '^[A-Z0-9-]{1,35}$'),
    ics text not null check (ics ~ '^[A-Z]{2}[0-9]{2}[A-Z0-9]{3,31}$'),
    account_id uuid not null,
    sealed_account bytea,
    account_hmac bytea,
    country text not null check (country ~ '^[A-Z]{2}$'),
    iban_end text not null check (iban_end ~ '^([0-9A-Z]{4}|)$'),
    text_hash bytea not null,
    signed_at timestamptz not null,
    signed_on date not null,
    used_on date,
    ended_at timestamptz,
    ended_reason text check (ended_reason in ('REVOKED', 'REPLACED', 'LAPSED', 'RETURNED', 'ERASED')),
    primary key (family_id, id),
    foreign key (family_id, account_id) references account,
    check ((ended_at is null) = (ended_reason is null)),
    check ((sealed_account is null) = (account_hmac is null)),
    check (sealed_account is not null or ended_at is not null)
);
create unique index mandate_in_force on mandate (family_id) where ended_at is null;
create index mandate_unused on mandate (coalesce(used_on, signed_on)) where ended_at is null;
comment on table mandate is 'SEPA mandates (EPC016-06); a family has one in force at the most. Ended ones stay: the bank may ask for proof of a debit up to 13 months after it.';
comment on column mandate.rum is 'Référence unique du mandat: never given twice.';
comment on column mandate.ics is 'Identifiant créancier SEPA of the city when it was signed.';
comment on column mandate.account_id is 'The login that signed, with its password.';
comment on column mandate.sealed_account is 'IBAN, BIC, holder and address, encrypted with a key of the settings that is derived for this family.';
comment on column mandate.account_hmac is 'HMAC of the IBAN: tells that the same account is signed for again.';
comment on column mandate.iban_end is 'Last four characters, by which people know their account; empty once erased.';
comment on column mandate.text_hash is 'SHA-256 of the words that were agreed to.';
comment on column mandate.used_on is 'Day of the last debit that was sent to the bank; 36 months after it the mandate lapses.';

alter table mandate enable row level security;
alter table mandate force row level security;
create policy seen on mandate to kiosque_api
    using (family_id = (select viewer_family()) or (select viewer_is_cashier()) or (select viewer_is_system()));
grant select, insert, update on mandate to kiosque_api;
