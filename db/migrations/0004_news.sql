-- News: what a family may be told (its stream), where it wants to be told, and the proof of what was sent.

create table address (
    family_id uuid not null references family,
    id uuid not null,
    account_id uuid,
    channel text not null check (channel in ('EMAIL', 'SMS', 'WEB_PUSH', 'MOBILE_PUSH', 'POST')),
    value text not null check (length(value) between 1 and 2000),
    verified_at timestamptz,
    retired_at timestamptz,
    retired_reason text,
    created_at timestamptz not null,
    primary key (family_id, id),
    unique (family_id, channel, value),
    foreign key (family_id, account_id) references account
);
comment on table address is 'Where a family can be reached; one that proves dead is retired, never deleted by a channel.';

create table channel_preference (
    family_id uuid not null references family,
    id uuid not null default gen_random_uuid(),
    topic text not null check (topic in
        ('PROCEDURE_STATUS', 'PROCEDURE_MESSAGE', 'INVOICE_ISSUED', 'PAYMENT', 'DIRECT_DEBIT', 'ACCOUNT_SECURITY', 'TERMS',
        'MAINTENANCE', 'CITY_INFORMATION')),
    channels text[] not null check (cardinality(channels) between 1 and 6
        and channels <@ array['IN_APP', 'EMAIL', 'SMS', 'WEB_PUSH', 'MOBILE_PUSH', 'POST']),
    updated_at timestamptz not null,
    primary key (family_id, topic),
    unique (family_id, id)
);
comment on table channel_preference is 'Ordered channels per topic (R13); the first that can reach the family is used, the next when it fails.';

create table news (
    family_id uuid not null references family,
    seq bigint not null check (seq > 0),
    id uuid not null,
    topic text not null check (topic in
        ('PROCEDURE_STATUS', 'PROCEDURE_MESSAGE', 'INVOICE_ISSUED', 'PAYMENT', 'DIRECT_DEBIT', 'ACCOUNT_SECURITY', 'TERMS',
        'MAINTENANCE', 'CITY_INFORMATION')),
    type text not null,
    subject_id uuid not null,
    service_id uuid,
    procedure_id uuid,
    procedure_event_number integer,
    data json not null default '{}',
    occurred_at timestamptz not null,
    read_at timestamptz,
    xid xid8 not null default pg_current_xact_id(),
    primary key (family_id, seq),
    unique (family_id, id),
    foreign key (family_id, procedure_id, procedure_event_number) references procedure_event (family_id, procedure_id, number)
);
create index news_by_transaction on news (xid);
create index news_of_procedure on news (family_id, procedure_id, seq) where procedure_id is not null;
comment on column news.seq is 'Gapless per family; the cursor of every subscription.';
comment on column news.xid is 'Lets a gateway read each item once, also when transactions commit out of order.';

create table delivery (
    family_id uuid not null,
    id uuid not null,
    news_seq bigint not null,
    subject_id uuid not null,
    channel text not null check (channel in ('IN_APP', 'EMAIL', 'SMS', 'WEB_PUSH', 'MOBILE_PUSH', 'POST')),
    address text not null,
    status text not null default 'PENDING' check (status in ('PENDING', 'SENT', 'DELIVERED', 'FAILED', 'DEAD_LETTER')),
    next_channels text[] not null default '{}',
    attempts integer not null default 0,
    crashes integer not null default 0,
    next_try_at timestamptz not null,
    sent_at timestamptz,
    receipt text,
    problem text,
    created_at timestamptz not null,
    primary key (family_id, id),
    unique (family_id, news_seq, channel, address),
    foreign key (family_id, news_seq) references news
);
create index delivery_of_lane on delivery (family_id, subject_id, channel, address, news_seq) where status = 'PENDING';
create index delivery_waiting on delivery (created_at) where status = 'PENDING';
create index delivery_of_family on delivery (family_id, created_at desc, id desc);
comment on table delivery is 'One message to one address: what was sent, where, when, and whether it arrived.';
comment on column delivery.next_channels is 'Channels to try, in order, should this one fail for good.';

create table lane (
    family_id uuid not null references family,
    subject_id uuid not null,
    channel text not null,
    address text not null,
    priority smallint not null default 1,
    due_at timestamptz,
    leased boolean not null default false,
    lease bigint not null default 0,
    primary key (family_id, subject_id, channel, address)
);
create index lane_due on lane (channel, priority, due_at) where due_at is not null;
comment on table lane is 'Deliveries about one subject to one address on one channel are sent one after the other: the lane is leased, not the delivery.';
comment on column lane.due_at is 'When a dispatcher may take the lane; while leased, when the lease ends; null when nothing waits.';
comment on column lane.lease is 'Fencing number: a dispatcher that lost its lease cannot write results.';

create function ring_news() returns trigger language plpgsql as $$
begin
    perform pg_notify('kiosque_news', '');
    return null;
end $$;
create trigger ring after insert on news for each statement execute function ring_news();

create function ring_lane() returns trigger language plpgsql as $$
begin
    perform pg_notify('kiosque_lane', '');
    return null;
end $$;
create trigger ring after insert on delivery for each statement execute function ring_lane();

do $$
declare owned text;
begin
    foreach owned in array array['address', 'channel_preference', 'delivery', 'lane'] loop
        execute format('alter table %I enable row level security', owned);
        execute format('alter table %I force row level security', owned);
        execute format('create policy seen on %I to kiosque_api using (family_id = (select viewer_family()) or (select viewer_is_system()))', owned);
        execute format('create policy told on %I to kiosque_dispatch using (true)', owned);
    end loop;
end $$;
alter table news enable row level security;
alter table news force row level security;
create policy seen on news to kiosque_api using (family_id = (select viewer_family())
    or service_id = any ((select viewer_services())::uuid[]) or (select viewer_is_system()));
create policy told on news for select to kiosque_dispatch using (true);

-- An agent's act tells a family: it may write news of its services and what follows from it.
create policy agents_tell on address for select to kiosque_api using ((select viewer_services()) is not null);
create policy agents_tell on channel_preference for select to kiosque_api using ((select viewer_services()) is not null);
create policy agents_tell on delivery for insert to kiosque_api with check ((select viewer_services()) is not null);
create policy agents_tell on lane to kiosque_api using ((select viewer_services()) is not null);

grant select, insert, update on address, channel_preference, delivery, lane, news to kiosque_api;
grant select on news, channel_preference to kiosque_dispatch;
grant select, update on address to kiosque_dispatch;
grant select, insert, update on delivery, lane to kiosque_dispatch;

-- Figures for operators: counts only, so that no row-level sight is needed.
create function outbox_state() returns table (
    age_seconds double precision, dead_letters bigint, channels text[], statuses text[], counts bigint[]
) language sql stable security definer set search_path = pg_catalog, public as $$
    with sent as (
        select d.channel, d.status, count(*) as n from delivery d
        where d.created_at > now() - interval '1 day' group by d.channel, d.status
    )
    select
        coalesce((select extract(epoch from now() - min(l.due_at)) from lane l where l.due_at <= now() and not l.leased), 0)::float8,
        (select count(*) from delivery d where d.status = 'DEAD_LETTER'),
        coalesce((select array_agg(s.channel order by s.channel, s.status) from sent s), '{}'),
        coalesce((select array_agg(s.status order by s.channel, s.status) from sent s), '{}'),
        coalesce((select array_agg(s.n order by s.channel, s.status) from sent s), '{}')
$$;
-- It counts with the dispatcher's sight; a new owner needs `create` for a moment.
grant create on schema public to kiosque_dispatch;
alter function outbox_state() owner to kiosque_dispatch;
revoke create on schema public from kiosque_dispatch;
grant execute on function outbox_state() to kiosque_api;
create index delivery_dead on delivery (family_id) where status = 'DEAD_LETTER';
create index delivery_recent on delivery (created_at);
