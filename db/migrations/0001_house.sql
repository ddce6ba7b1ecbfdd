-- The house: who may connect as whom, whose rows one sees, what everybody shares.

-- Roles belong to the whole server, so that another database of the same server may have made them already.
do $$
declare wanted text;
begin
    foreach wanted in array array['kiosque_api', 'kiosque_dispatch'] loop
        begin
            execute format('create role %I nologin noinherit nobypassrls', wanted);
        exception when duplicate_object or unique_violation then
            null;  -- made by another database of this server
        end;
        execute format('grant %I to current_user', wanted);
    end loop;
end $$;

revoke create on schema public from public;
grant usage on schema public to kiosque_api, kiosque_dispatch;
alter default privileges revoke execute on functions from public;

-- Whose rows: settings that live as long as one transaction. Unset means nobody, so that a forgotten one shows no rows.
create function viewer_family() returns uuid language sql stable parallel safe
    return nullif(current_setting('kiosque.family', true), '')::uuid;
comment on function viewer_family() is 'The family that looks, or null.';

create function viewer_services() returns uuid[] language sql stable parallel safe
    return nullif(current_setting('kiosque.services', true), '')::uuid[];
comment on function viewer_services() is 'The services of the agent that looks; null when it is not an agent.';

create function viewer_agent() returns uuid language sql stable parallel safe
    return nullif(current_setting('kiosque.agent', true), '')::uuid;
comment on function viewer_agent() is 'The agent that looks, or null.';

create function viewer_is_system() returns boolean language sql stable parallel safe
    return coalesce(current_setting('kiosque.system', true), '') = 'on';
comment on function viewer_is_system() is 'True for the portal itself: sign-in, activation, imports, scheduled jobs.';

grant execute on function viewer_family(), viewer_services(), viewer_agent(), viewer_is_system() to kiosque_api, kiosque_dispatch;

-- Reference tables, readable by everybody.

create table service (
    id uuid primary key,
    code text not null unique check (code ~ '^[a-z][a-z0-9-]{1,39}$'),
    name_fr text not null,
    name_en text not null,
    address text not null,
    phone text not null,
    email text not null,
    hours_fr text not null,
    hours_en text not null
);
comment on table service is 'A service of the city: canteen, civil registry …';

create table agent (
    id uuid primary key,
    email text not null check (email = lower(email)),
    name text not null,
    password_hash text not null,
    roles text[] not null check (roles <@ array['AGENT', 'CASHIER', 'EDITOR', 'ADMIN'] and cardinality(roles) > 0),
    services uuid[] not null default '{}',
    created_at timestamptz not null,
    disabled_at timestamptz
);
create unique index agent_email on agent (email);
comment on table agent is 'City staff; sees the procedures of its services.';

create table signing_key (
    kid text primary key,
    sealed_private_key bytea not null,
    created_at timestamptz not null,
    retired_at timestamptz
);
comment on table signing_key is 'Keys that sign access tokens, sealed with the master key of the settings.';

create table throttle (
    subject bytea primary key,
    failures integer not null default 0,
    today integer not null default 0,
    day date not null,
    blocked_until timestamptz
);
comment on table throttle is 'Failed attempts per subject (an HMAC, never an address or number), shared by all nodes.';

create table terms (
    version integer primary key check (version > 0),
    id uuid not null unique default gen_random_uuid(),
    effective_at timestamptz not null,
    published_at timestamptz not null,
    body_fr text not null,
    body_en text not null,
    hash text not null check (hash ~ '^[0-9a-f]{64}$')
);
comment on table terms is 'Versions of the terms of use (CGU); R3–R5.';

create table procedure_kind (
    id uuid primary key,
    code text not null check (code ~ '^[a-z][a-z0-9-]{1,59}$'),
    version integer not null check (version > 0),
    service_id uuid not null references service,
    title_fr text not null,
    title_en text not null,
    summary_fr text not null,
    summary_en text not null,
    form json not null check (json_typeof(form) = 'object'),
    attestation_fr text not null,
    attestation_en text not null,
    decision_months integer not null check (decision_months between 1 and 24),
    silence_means text not null check (silence_means in ('ACCEPTED', 'REJECTED')),
    published_at timestamptz not null,
    superseded_at timestamptz,
    unique (code, version)
);
create unique index procedure_kind_current on procedure_kind (code) where superseded_at is null;
comment on table procedure_kind is 'Catalogue of procedures; a version never changes once published.';

grant select on service, agent, signing_key, terms, procedure_kind to kiosque_api;
grant insert on signing_key to kiosque_api;
grant select, insert, update, delete on throttle to kiosque_api;
grant select on service, procedure_kind, terms to kiosque_dispatch;
