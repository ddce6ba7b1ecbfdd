-- Credentials: how a login is recovered, how its address changes, how it is locked; and what waits for the city's staff.

alter table account add column locked_at timestamptz;
alter table account add column unlocked_at timestamptz;
comment on column account.locked_at is 'Since when its family says that somebody else uses it; null when it is not locked.';
comment on column account.unlocked_at is 'When it was last unlocked: alerts from before cannot lock it again.';

create table password_reset (
    family_id uuid not null,
    id uuid not null,
    account_id uuid not null,
    requested_at timestamptz not null,
    expires_at timestamptz not null,
    used_at timestamptz,
    primary key (family_id, id),
    foreign key (family_id, account_id) references account
);
create index password_reset_of_account on password_reset (family_id, account_id, requested_at);
comment on table password_reset is 'Links asked for to choose a new password; a link is signed with the portal''s key, so that no row gives one away.';

create table email_change (
    family_id uuid not null,
    id uuid not null,
    account_id uuid not null,
    old_email text not null,
    new_email text not null check (new_email = lower(new_email) and length(new_email) <= 254),
    requested_at timestamptz not null,
    expires_at timestamptz not null,
    old_confirmed_at timestamptz,
    new_confirmed_at timestamptz,
    done_at timestamptz,
    cancelled_at timestamptz,
    primary key (family_id, id),
    foreign key (family_id, account_id) references account,
    check (done_at is null or cancelled_at is null),
    check (done_at is null or (old_confirmed_at is not null and new_confirmed_at is not null))
);
create unique index email_change_open on email_change (family_id, account_id) where done_at is null and cancelled_at is null;
comment on table email_change is 'Changes of a login''s address: carried out once both addresses have confirmed.';

create table agent_task (
    family_id uuid not null references family,
    id uuid not null,
    kind text not null check (kind in ('UNAUTHORIZED_USE')),
    roles text[] not null check (roles <@ array['AGENT', 'CASHIER', 'EDITOR', 'ADMIN'] and cardinality(roles) > 0),
    subject_id uuid not null,
    created_at timestamptz not null,
    done_at timestamptz,
    done_by uuid references agent,
    primary key (family_id, id),
    check ((done_at is null) = (done_by is null))
);
create unique index agent_task_open on agent_task (family_id, kind, subject_id) where done_at is null;
create index agent_task_waiting on agent_task (id) where done_at is null;
comment on table agent_task is 'What waits for a member of the staff with one of the roles; one open task a kind and subject.';

do $$
declare owned text;
begin
    foreach owned in array array['password_reset', 'email_change'] loop
        execute format('alter table %I enable row level security', owned);
        execute format('alter table %I force row level security', owned);
        execute format('create policy seen on %I to kiosque_api using (family_id = (select viewer_family()) or (select viewer_is_system()))', owned);
    end loop;
end $$;
alter table agent_task enable row level security;
alter table agent_task force row level security;
create policy seen on agent_task to kiosque_api
    using ((select viewer_agent()) is not null or (select viewer_is_system()));

grant select, insert, update on password_reset, email_change, agent_task to kiosque_api;

-- Sign-in looks for addresses that are not verified, too: found as fast as those that are.
create index account_email on account (email);
