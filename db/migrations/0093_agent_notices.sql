-- What agents are told by e-mail of what they had ordered: so far that a billing run failed for good.

create table agent_notice (
    agent_id uuid not null references agent,
    id uuid not null,
    type text not null check (type ~ '^agent_[a-z_]+$'),
    data json not null,
    created_at timestamptz not null,
    attempts integer not null default 0,
    next_try_at timestamptz not null,
    sent_at timestamptz,
    failed_at timestamptz,
    primary key (agent_id, id)
);
create index agent_notice_waiting on agent_notice (next_try_at) where sent_at is null and failed_at is null;
comment on table agent_notice is 'Mails to the city''s staff: months, counts and codes, nothing about a family.';

alter table agent_notice enable row level security;
alter table agent_notice force row level security;
create policy seen on agent_notice to kiosque_api using ((select viewer_is_system()));
create policy told on agent_notice to kiosque_dispatch using (true);

grant select, insert, delete on agent_notice to kiosque_api;
grant select, update on agent_notice to kiosque_dispatch;
grant select (id, name, email) on agent to kiosque_dispatch;
