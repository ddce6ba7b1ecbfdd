-- Families, their members, logins, sessions and what they accepted. `family_id` leads every key.

create table family (
    id uuid primary key,
    number text not null unique check (number ~ '^[0-9]{6,10}$'),
    profile text not null default 'INDIVIDUAL' check (profile in ('INDIVIDUAL', 'PROFESSIONAL', 'ASSOCIATION')),
    name text not null check (length(name) between 1 and 200),
    language text not null default 'fr' check (language in ('fr', 'en')),
    activated_at timestamptz,
    created_at timestamptz not null,
    news_seq bigint not null default 0
);
comment on table family is 'A household, professional or association; its number is public-ish, never a secret.';
comment on column family.news_seq is 'Last number given in this family''s stream of news; taken under this row''s lock, so that it has no gap.';

create table member (
    family_id uuid not null references family,
    id uuid not null,
    role text not null check (role in ('ADULT', 'CHILD')),
    first_name text not null check (length(first_name) between 1 and 100),
    last_name text not null check (length(last_name) between 1 and 100),
    birth_date date,
    school text check (length(school) <= 200),
    created_at timestamptz not null,
    primary key (family_id, id)
);

create table activation_code (
    family_id uuid not null references family,
    id uuid not null,
    code_hmac bytea not null,
    expires_at timestamptz not null,
    used_at timestamptz,
    issued_by uuid references agent,
    created_at timestamptz not null,
    primary key (family_id, id)
);

create table account (
    family_id uuid not null references family,
    id uuid not null,
    email text not null check (email = lower(email) and length(email) <= 254),
    email_verified_at timestamptz,
    password_hash text not null,
    language text not null default 'fr' check (language in ('fr', 'en')),
    created_at timestamptz not null,
    primary key (family_id, id)
);
create unique index account_verified_email on account (email) where email_verified_at is not null;

create table terms_acceptance (
    family_id uuid not null,
    account_id uuid not null,
    version integer not null references terms,
    hash text not null,
    manner text not null check (manner in ('REGISTRATION', 'EXPLICIT')),
    accepted_at timestamptz not null,
    primary key (family_id, account_id, version),
    foreign key (family_id, account_id) references account
);

create table session (
    id uuid primary key,
    family_id uuid references family,
    account_id uuid,
    agent_id uuid references agent,
    device text not null,
    shared_computer boolean not null default false,
    created_at timestamptz not null,
    used_at timestamptz not null,
    expires_at timestamptz not null,
    ended_at timestamptz,
    end_reason text,
    foreign key (family_id, account_id) references account,
    check ((agent_id is null) = (account_id is not null) and (account_id is null) = (family_id is null))
);
create index session_of_account on session (family_id, account_id) where ended_at is null;
comment on table session is 'One sign-in on one device, of an account or of an agent.';

create table refresh_token (
    hash bytea primary key,
    session_id uuid not null references session,
    created_at timestamptz not null,
    used_at timestamptz
);
create index refresh_token_of_session on refresh_token (session_id);
comment on table refresh_token is 'Refresh tokens by their SHA-256; a used one that comes back ends its session.';

-- The end of a session is heard at once by every gateway, which closes its sockets.
create function ring_session() returns trigger language plpgsql as $$
begin
    perform pg_notify('kiosque_session', new.id::text);
    return null;
end $$;
create trigger ring after update of ended_at on session
    for each row when (new.ended_at is not null and old.ended_at is null) execute function ring_session();

alter table family enable row level security;
alter table family force row level security;
create policy seen on family to kiosque_api
    using (id = (select viewer_family()) or (select viewer_services()) is not null or (select viewer_is_system()));

alter table member enable row level security;
alter table member force row level security;
create policy seen on member to kiosque_api
    using (family_id = (select viewer_family()) or (select viewer_services()) is not null or (select viewer_is_system()));

alter table session enable row level security;
alter table session force row level security;
create policy seen on session to kiosque_api
    using (family_id = (select viewer_family()) or agent_id = (select viewer_agent()) or (select viewer_is_system()));

do $$
declare owned text;
begin
    foreach owned in array array['activation_code', 'account', 'terms_acceptance'] loop
        execute format('alter table %I enable row level security', owned);
        execute format('alter table %I force row level security', owned);
        execute format('create policy seen on %I to kiosque_api using (family_id = (select viewer_family()) or (select viewer_is_system()))', owned);
    end loop;
end $$;

create policy agents_issue on activation_code for insert to kiosque_api
    with check ((select viewer_services()) is not null);

grant select, insert, update on family, member, activation_code, account, session, refresh_token to kiosque_api;
grant select, insert on terms_acceptance to kiosque_api;
grant delete on refresh_token to kiosque_api;

create policy told on family for select to kiosque_dispatch using (true);
create policy told on account for select to kiosque_dispatch using (true);
grant select (id, number, name, language) on family to kiosque_dispatch;
grant select (family_id, id, email, language) on account to kiosque_dispatch;
