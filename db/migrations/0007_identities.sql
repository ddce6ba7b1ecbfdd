-- Identities: second factors of agents, and families' sign-in by an outside provider (OpenID Connect).

create table second_factor (
    id uuid primary key,
    agent_id uuid not null references agent,
    method text not null check (method in ('TOTP', 'PASSKEY')),
    name text not null check (length(name) between 1 and 60),
    sealed_secret bytea,
    last_step bigint,
    credential_id bytea unique,
    public_key bytea,
    sign_count bigint,
    created_at timestamptz not null,
    used_at timestamptz,
    check ((method = 'TOTP') = (sealed_secret is not null)),
    check ((method = 'TOTP') = (last_step is not null)),
    check ((method = 'PASSKEY') = (credential_id is not null)),
    check ((method = 'PASSKEY') = (public_key is not null)),
    check ((method = 'PASSKEY') = (sign_count is not null))
);
create index second_factor_of_agent on second_factor (agent_id, id);
comment on table second_factor is 'What an agent shows beside the password: an authenticator app (TOTP) or a passkey.';
comment on column second_factor.sealed_secret is 'Sealed with a key from the settings.';
comment on column second_factor.last_step is 'The last 30-second step whose code was used: it and those before it are spent.';

create table recovery_code (
    agent_id uuid not null references agent,
    hash bytea not null,
    created_at timestamptz not null,
    used_at timestamptz,
    primary key (agent_id, hash)
);
comment on table recovery_code is 'Ten codes by their HMAC, each good once, for an agent who has lost the second factor.';

create table agent_challenge (
    id uuid primary key,
    agent_id uuid not null references agent,
    purpose text not null check (purpose in ('SIGN_IN', 'ENROL_TOTP', 'ADD_PASSKEY')),
    shared_computer boolean not null default false,
    nonce bytea not null,
    sealed_secret bytea,
    failures integer not null default 0,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    ended_at timestamptz
);
create index agent_challenge_of_agent on agent_challenge (agent_id, expires_at);
comment on table agent_challenge is 'What an agent was asked to prove: answered once, for a few minutes, with a few wrong answers at the most.';

create table identity_provider (
    id uuid primary key default gen_random_uuid(),
    issuer text not null unique,
    name text not null,
    retired_at timestamptz
);
comment on table identity_provider is 'Outside providers of sign-in; the gateway keeps the one of its settings here.';

create table provider_link (
    family_id uuid not null,
    id uuid not null,
    account_id uuid not null,
    provider_id uuid not null references identity_provider,
    subject_hmac bytea not null,
    created_at timestamptz not null,
    used_at timestamptz,
    primary key (family_id, id),
    unique (provider_id, subject_hmac),
    unique (family_id, account_id, provider_id),
    foreign key (family_id, account_id) references account
);
comment on table provider_link is 'Who signs in to an account by a provider: the HMAC of its subject, never a name or an address.';

create table identity_attempt (
    id uuid primary key,
    provider_id uuid not null references identity_provider,
    intent text not null check (intent in ('SIGN_IN', 'LINK')),
    state_hash bytea not null unique,
    binding_hash bytea not null,
    sealed bytea not null,
    redirect_uri text not null,
    shared_computer boolean not null default false,
    family_id uuid,
    account_id uuid,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    used_at timestamptz,
    foreign key (family_id, account_id) references account,
    check ((intent = 'LINK') = (family_id is not null)),
    check ((family_id is null) = (account_id is null))
);
create index identity_attempt_by_end on identity_attempt (expires_at);
comment on table identity_attempt is 'A browser that was sent to a provider and may come back once, within minutes.';
comment on column identity_attempt.sealed is 'PKCE verifier and nonce, sealed with a key from the settings.';

do $$
declare owned text;
begin
    foreach owned in array array['second_factor', 'recovery_code', 'agent_challenge'] loop
        execute format('alter table %I enable row level security', owned);
        execute format('alter table %I force row level security', owned);
        execute format('create policy seen on %I to kiosque_api using (agent_id = (select viewer_agent()) '
            'or (select viewer_is_admin()) or (select viewer_is_system()))', owned);
    end loop;
    foreach owned in array array['provider_link', 'identity_attempt'] loop
        execute format('alter table %I enable row level security', owned);
        execute format('alter table %I force row level security', owned);
        execute format('create policy seen on %I to kiosque_api using (family_id = (select viewer_family()) or (select viewer_is_system()))', owned);
    end loop;
end $$;

-- An administrator ends the sessions of an agent whose rights change.
create policy admins_end on session to kiosque_api using (agent_id is not null and (select viewer_is_admin()));

-- Staff is read by everybody's sign-in; who belongs to it, and with which rights, only an administrator says.
create function keep_agent() returns trigger language plpgsql as $$
begin
    if current_user = 'kiosque_api' and not (viewer_is_admin() or viewer_is_system()) then
        raise exception 'only an administrator changes an agent' using errcode = 'insufficient_privilege';
    end if;
    return new;
end $$;
create trigger keep before insert or update of email, name, roles, services, disabled_at on agent
    for each row execute function keep_agent();

grant select, insert, update, delete on second_factor, recovery_code, agent_challenge, provider_link, identity_attempt to kiosque_api;
grant select, insert, update on identity_provider to kiosque_api;
grant insert, update (email, name, password_hash, roles, services, disabled_at) on agent to kiosque_api;
