-- Sessions that end by themselves when they lie unused, devices that an account knows, keys that every gateway hears of.

alter table session add column idle_ends_at timestamptz;
comment on column session.idle_ends_at is 'When it ends unless it is refreshed before; null for those opened before there was this column.';
create index session_of_agent on session (agent_id) where agent_id is not null and ended_at is null;

create table device (
    family_id uuid not null references family,
    account_id uuid not null,
    hash bytea not null,
    first_seen_at timestamptz not null,
    last_seen_at timestamptz not null,
    primary key (family_id, account_id, hash),
    foreign key (family_id, account_id) references account
);
create index device_by_last_seen on device (last_seen_at);
comment on table device is 'Devices on which an account has signed in, by the SHA-256 of the secret that each keeps.';

alter table device enable row level security;
alter table device force row level security;
create policy seen on device to kiosque_api
    using (family_id = (select viewer_family()) or (select viewer_is_system()));
grant select, insert, update, delete on device to kiosque_api;

-- What is over is forgotten after its time.
create index throttle_by_day on throttle (day);
grant delete on session to kiosque_api;

-- A password hashed with older parameters is hashed anew when its owner signs in.
grant update (password_hash) on agent to kiosque_api;

-- A key that signs no more verifies until the moment in `retired_at`, which may lie ahead.
comment on column signing_key.retired_at is 'From when on its signatures count no more; it signs nothing once this is set.';
grant update (retired_at) on signing_key to kiosque_api;

create function ring_signing_key() returns trigger language plpgsql as $$
begin
    perform pg_notify('kiosque_signing_key', '');
    return null;
end $$;
create trigger ring after insert or update on signing_key
    for each statement execute function ring_signing_key();
