-- Partners: an organisation's API client, what it may read, and how it proves who it is.

create function viewer_partner() returns uuid language sql stable parallel safe
    return nullif(current_setting('kiosque.partner', true), '')::uuid;
comment on function viewer_partner() is 'The partner that looks, or null.';

create function viewer_partner_services(scope text) returns uuid[] language sql stable parallel safe
    return case when scope = any (string_to_array(coalesce(current_setting('kiosque.partner_scopes', true), ''), ' '))
        then nullif(current_setting('kiosque.partner_services', true), '')::uuid[] end;
comment on function viewer_partner_services(text) is 'The services that the partner that looks may read under a scope; null when it has not got it.';
grant execute on function viewer_partner(), viewer_partner_services(text) to kiosque_api;

create table partner (
    id uuid primary key,
    name text not null unique check (length(name) between 1 and 100),
    contact_email text not null check (contact_email = lower(contact_email) and length(contact_email) <= 254),
    language text not null check (language in ('fr', 'en')),
    scopes text[] not null check (cardinality(scopes) > 0 and scopes <@ array['PROCEDURES_READ', 'STATISTICS_READ',
        'PAGES_READ', 'INVOICES_AGGREGATE', 'FAMILIES_NAMES', 'EXPLORE']),
    services uuid[] not null,
    networks text[] not null default '{}',
    jwks json,
    created_by uuid not null references agent,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    warned_at timestamptz,
    revoked_at timestamptz
);
comment on column partner.networks is 'Networks that it may call from (CIDR); any when empty.';
comment on column partner.jwks is 'Public keys with which it signs assertions (RFC 7523).';
comment on column partner.warned_at is 'When its contact was told that it expires soon.';

create table partner_secret (
    partner_id uuid not null references partner,
    id uuid not null,
    digest bytea not null,
    hint text not null check (length(hint) = 4),
    created_at timestamptz not null,
    expires_at timestamptz,
    primary key (partner_id, id)
);
comment on column partner_secret.digest is 'HMAC-SHA-256 of a secret of 256 bits; the secret is shown once.';
comment on column partner_secret.hint is 'Its last characters, to tell secrets apart.';

create table partner_assertion (
    partner_id uuid not null references partner,
    digest bytea not null,
    expires_at timestamptz not null,
    primary key (partner_id, digest)
);
create index partner_assertion_by_end on partner_assertion (expires_at);
comment on table partner_assertion is 'Assertions that were used: each counts once (RFC 7523, section 3).';

-- A partner's access token is a session like any other: revocation reaches every gateway and every socket.
alter table session
    add column partner_id uuid references partner,
    add column scopes text[],
    drop constraint session_check,
    add constraint session_holder_check check (num_nonnulls(account_id, agent_id, partner_id) = 1
        and (account_id is null) = (family_id is null) and (partner_id is null) = (scopes is null));
create index session_of_partner on session (partner_id) where partner_id is not null and ended_at is null;
comment on column session.scopes is 'What a partner asked for; it has of them what it may still have.';

-- What a partner's contact is told by e-mail, and what the staff must look at.
create table partner_notice (
    partner_id uuid not null references partner,
    id uuid not null,
    type text not null check (type ~ '^partner_[a-z_]+$'),
    data json not null,
    created_at timestamptz not null,
    attempts integer not null default 0,
    next_try_at timestamptz not null,
    sent_at timestamptz,
    failed_at timestamptz,
    primary key (partner_id, id)
);
create index partner_notice_waiting on partner_notice (next_try_at) where sent_at is null and failed_at is null;

create table partner_task (
    partner_id uuid not null references partner,
    id uuid not null,
    kind text not null check (kind in ('WEBHOOK_DISABLED', 'PARTNER_EXPIRES')),
    subject_id uuid not null,
    created_at timestamptz not null,
    done_at timestamptz,
    done_by uuid references agent,
    primary key (partner_id, id)
);
create unique index partner_task_open on partner_task (partner_id, kind, subject_id) where done_at is null;

do $$
declare named text;
begin
    foreach named in array array['partner_secret', 'partner_assertion', 'partner_notice', 'partner_task'] loop
        execute format('alter table %I enable row level security', named);
        execute format('alter table %I force row level security', named);
        execute format('create policy seen on %I to kiosque_api using ((select viewer_is_admin()) or (select viewer_is_system()))', named);
    end loop;
end $$;
alter table partner enable row level security;
alter table partner force row level security;
create policy seen on partner to kiosque_api using (id = (select viewer_partner())
    or (select viewer_is_admin()) or (select viewer_is_system()));
create policy told on partner_notice to kiosque_dispatch using (true);
create policy asked on partner_task to kiosque_dispatch using (true);
create policy told on partner for select to kiosque_dispatch using (true);
create policy admins_end_partners on session to kiosque_api using (partner_id is not null and (select viewer_is_admin()));

grant select, insert, update on partner, partner_task to kiosque_api;
grant select, insert, update, delete on partner_secret, partner_assertion to kiosque_api;
grant select, insert, delete on partner_notice to kiosque_api;
grant select (id, name, contact_email, language, scopes, services, expires_at, revoked_at) on partner to kiosque_dispatch;
grant select, insert, update on partner_notice, partner_task to kiosque_dispatch;

-- What a partner sees, beside what the reads say themselves: procedures of its services once they were submitted, their
-- steps, the counts; names of families only under a scope of its own.
create policy partners_see on procedure for select to kiosque_api
    using (service_id = any ((select viewer_partner_services('PROCEDURES_READ'))::uuid[]) and submitted_at is not null);
create policy partners_see on procedure_event for select to kiosque_api
    using (service_id = any ((select viewer_partner_services('PROCEDURES_READ'))::uuid[])
        and (from_status, to_status) <> ('DRAFT', 'WITHDRAWN'));
create policy partners_see on family for select to kiosque_api
    using ((select viewer_partner_services('FAMILIES_NAMES')) is not null and exists (
        select from procedure p where p.family_id = family.id
            and p.service_id = any ((select viewer_partner_services('PROCEDURES_READ'))::uuid[])));
