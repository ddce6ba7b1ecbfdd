-- Webhooks: addresses to which a partner is told the feed, in its order, with the proof of every attempt.

create table webhook (
    partner_id uuid not null references partner,
    id uuid not null,
    url text not null check (length(url) between 8 and 2000),
    sealed_secret bytea not null,
    sealed_certificate bytea,
    created_at timestamptz not null,
    disabled_at timestamptz,
    disabled_because text check (disabled_because in ('BY_PARTNER', 'FAILING', 'GONE', 'PARTNER_ENDED')),
    leased boolean not null default false,
    lease bigint not null default 0,
    due_at timestamptz,
    slow boolean not null default false,
    primary key (partner_id, id),
    check ((disabled_at is null) = (disabled_because is null))
);
create index webhook_due on webhook (slow, due_at) where due_at is not null and disabled_at is null;
comment on table webhook is 'One address of a partner, and the lane to it: leased as a whole, so that the order holds.';
comment on column webhook.sealed_secret is 'What signs (Standard Webhooks), encrypted with a key from the settings.';
comment on column webhook.sealed_certificate is 'Certificate and key that we show to the address (mTLS), encrypted.';
comment on column webhook.due_at is 'When a dispatcher may take it; while leased, when the lease ends; null when nothing waits.';
comment on column webhook.slow is 'Its last attempt failed or took long: such addresses get a part of the places only.';
comment on column webhook.lease is 'Fencing number: a dispatcher that lost its lease writes nothing more.';

create table webhook_delivery (
    partner_id uuid not null,
    webhook_id uuid not null,
    id uuid not null,
    place bigint not null generated always as identity,
    message_id text not null,
    type text not null check (type in ('procedure.moved', 'test')),
    body text not null,
    status text not null default 'PENDING' check (status in ('PENDING', 'DELIVERED', 'FAILED')),
    attempts integer not null default 0,
    next_try_at timestamptz not null,
    created_at timestamptz not null,
    delivered_at timestamptz,
    replay boolean not null default false,
    primary key (partner_id, id),
    foreign key (partner_id, webhook_id) references webhook
);
create index webhook_delivery_waiting on webhook_delivery (webhook_id, place) where status = 'PENDING';
create index webhook_delivery_of on webhook_delivery (partner_id, webhook_id, id desc);
create index webhook_delivery_by_age on webhook_delivery (created_at);
comment on table webhook_delivery is 'The journal: what was or will be sent, byte for byte, for seven days.';
comment on column webhook_delivery.message_id is 'Header webhook-id: the same for every attempt and every replay of one step.';

create table webhook_attempt (
    partner_id uuid not null,
    delivery_id uuid not null,
    number integer not null,
    id uuid not null,
    begun_at timestamptz not null,
    milliseconds integer not null,
    status_code integer,
    problem text check (length(problem) <= 200),
    answer text check (length(answer) <= 1000),
    primary key (partner_id, delivery_id, number),
    foreign key (partner_id, delivery_id) references webhook_delivery on delete cascade
);

do $$
declare named text;
begin
    foreach named in array array['webhook', 'webhook_delivery', 'webhook_attempt'] loop
        execute format('alter table %I enable row level security', named);
        execute format('alter table %I force row level security', named);
        execute format('create policy seen on %I to kiosque_api using (partner_id = (select viewer_partner())
            or (select viewer_is_admin()) or (select viewer_is_system()))', named);
        execute format('create policy told on %I to kiosque_dispatch using (true)', named);
    end loop;
end $$;
create policy told_steps on procedure_event for select to kiosque_dispatch using (true);
create policy told_procedures on procedure for select to kiosque_dispatch using (true);

create function ring_webhook() returns trigger language plpgsql as $$
begin
    perform pg_notify('kiosque_webhook', '');
    return null;
end $$;
create trigger ring after insert on webhook_delivery for each statement execute function ring_webhook();

grant select, insert, update on webhook, webhook_delivery to kiosque_api;
grant select on webhook_attempt to kiosque_api;
grant delete on webhook_delivery to kiosque_api;
grant select, update on webhook to kiosque_dispatch;
grant select, insert, update on webhook_delivery to kiosque_dispatch;
grant select, insert on webhook_attempt to kiosque_dispatch;
grant select (family_id, procedure_id, number, from_status, to_status, actor, occurred_at, service_id) on procedure_event to kiosque_dispatch;
grant select (family_id, id, reference, kind_id) on procedure to kiosque_dispatch;

-- The counts of a partner's services.
create policy partners_see on procedure_count for select to kiosque_api
    using (service_id = any ((select viewer_partner_services('STATISTICS_READ'))::uuid[]));
create policy partners_see on procedure_count_change for select to kiosque_api
    using (service_id = any ((select viewer_partner_services('STATISTICS_READ'))::uuid[]));
