-- Audit: who did what, written with what was done, chained so that nobody can change the past unseen (R36).

do $$
begin
    begin
        create role kiosque_audit nologin noinherit nobypassrls;
    exception when duplicate_object or unique_violation then
        null;  -- made by another database of this server
    end;
    grant kiosque_audit to current_user;
end $$;
grant usage on schema public to kiosque_audit;

create function viewer_is_admin() returns boolean language sql stable parallel safe
    return coalesce(current_setting('kiosque.admin', true), '') = 'on';
comment on function viewer_is_admin() is 'True for an agent with the role ADMIN.';
grant execute on function viewer_is_admin() to kiosque_api;

create table audit_entry (
    id uuid primary key,
    number bigint unique,
    act text not null check (act ~ '^[a-z][a-z_]{2,59}$'),
    actor text not null check (actor in ('ANONYMOUS', 'FAMILY', 'AGENT', 'PARTNER', 'SYSTEM')),
    actor_id uuid,
    family_id uuid,
    subject_id uuid,
    data json not null default '{}',
    occurred_at timestamptz not null,
    previous_hash bytea,
    hash bytea
);
create index audit_entry_of_family on audit_entry (family_id, number) where family_id is not null;
create index audit_entry_of_act on audit_entry (act, number);
create index audit_entry_of_actor on audit_entry (actor_id, number) where actor_id is not null;
create index audit_entry_by_time on audit_entry (occurred_at);
comment on table audit_entry is 'Append-only: ids and codes, never names or addresses. Families have no foreign key, because entries outlive them.';
comment on column audit_entry.number is 'Place in the chain: 1, 2, 3 … without gap, given at commit.';
comment on column audit_entry.hash is 'SHA-256 of previous_hash and audit_text of this row.';

-- What the hash covers: each value with its length, so that none can borrow a character of its neighbour.
create function audit_text(e audit_entry) returns text language sql stable set search_path = pg_catalog, public as $$
    select string_agg(coalesce(length(v) || ':' || v, '-'), ',' order by n) from unnest(array[
        e.number::text, e.id::text, e.act, e.actor, e.actor_id::text, e.family_id::text, e.subject_id::text,
        e.data::text, to_char(e.occurred_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
    ]) with ordinality as part(v, n)
$$;

-- Chained as the last act of the transaction: the one lock that all share is held for the commit only, after all others.
create function chain_audit_entry() returns trigger language plpgsql security definer set search_path = pg_catalog, public as $$
declare
    before audit_entry;
    entry audit_entry;
begin
    perform pg_advisory_xact_lock(hashtext('kiosque.audit'));
    select * into entry from audit_entry where id = new.id;
    select * into before from audit_entry where number is not null order by number desc limit 1;
    entry.number := coalesce(before.number, 0) + 1;
    entry.previous_hash := coalesce(before.hash, sha256('kiosque.audit'));
    update audit_entry set number = entry.number, previous_hash = entry.previous_hash,
        hash = sha256(entry.previous_hash || convert_to(audit_text(entry), 'UTF8'))
    where id = new.id;
    return null;
end $$;

-- Only the chaining may touch an entry, once.
create function keep_audit_entry() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' and old.hash is null and current_user = 'kiosque_audit' then
        return new;
    end if;
    raise exception 'the audit log is append-only' using errcode = 'restrict_violation';
end $$;
create trigger keep before update or delete on audit_entry for each row execute function keep_audit_entry();
create trigger keep_all before truncate on audit_entry for each statement execute function keep_audit_entry();
create constraint trigger chain after insert on audit_entry deferrable initially deferred
    for each row execute function chain_audit_entry();

alter table audit_entry enable row level security;
alter table audit_entry force row level security;
create policy written on audit_entry for insert to kiosque_api, kiosque_dispatch
    with check (number is null and previous_hash is null and hash is null);
create policy seen on audit_entry for select to kiosque_api using ((select viewer_is_admin()));
create policy chained on audit_entry to kiosque_audit using (true);

grant select on audit_entry to kiosque_api;
grant insert (id, act, actor, actor_id, family_id, subject_id, data, occurred_at) on audit_entry to kiosque_api, kiosque_dispatch;
grant select, update (number, previous_hash, hash) on audit_entry to kiosque_audit;
grant execute on function audit_text(audit_entry) to kiosque_audit;
grant create on schema public to kiosque_audit;
alter function chain_audit_entry() owner to kiosque_audit;
revoke create on schema public from kiosque_audit;
