-- What concerns everybody: terms that never change once published, maintenance, and what the whole city is told.

-- What was accepted must stay what it was (R4): not even the owner of the table changes a text.
create function keep_terms() returns trigger language plpgsql as $$
begin
    raise exception 'published terms of use are never changed' using errcode = 'restrict_violation';
end $$;
create trigger keep before update or delete on terms for each row execute function keep_terms();
create trigger keep_all before truncate on terms for each statement execute function keep_terms();
grant insert on terms to kiosque_api;

create table maintenance (
    id uuid primary key,
    starts_at timestamptz not null,
    ends_at timestamptz check (ends_at > starts_at),
    message_fr text not null check (length(message_fr) between 1 and 2000),
    message_en text not null check (length(message_en) between 1 and 2000),
    agents_may_work boolean not null,
    created_at timestamptz not null,
    ended_at timestamptz
);
create index maintenance_not_ended on maintenance (starts_at) where ended_at is null;
comment on table maintenance is 'Times at which families only read (R8), planned or immediate.';
comment on column maintenance.ends_at is 'When it ends by itself; null when nobody knows yet.';
comment on column maintenance.ended_at is 'When an agent ended, cancelled or replaced it.';

-- The one that counts: of those that run, the last begun; else the next to begin.
create function present_maintenance(moment timestamptz) returns setof maintenance language sql stable as $$
    select * from maintenance
    where ended_at is null and (ends_at is null or ends_at > moment)
    order by starts_at > moment, greatest(starts_at - moment, moment - starts_at), id limit 1
$$;
grant execute on function present_maintenance(timestamptz) to kiosque_api;
grant select, insert, update (ended_at) on maintenance to kiosque_api;

-- Every gateway hears at once what concerns everybody.
create function ring_city() returns trigger language plpgsql as $$
begin
    perform pg_notify('kiosque_city', '');
    return null;
end $$;
create trigger ring after insert on terms for each statement execute function ring_city();
create trigger ring after insert or update on maintenance for each statement execute function ring_city();

-- The city's own stream: one row for what all families are told, spread over them by the dispatcher.
create table broadcast (
    id uuid primary key,
    topic text not null check (topic in ('TERMS', 'MAINTENANCE', 'CITY_INFORMATION')),
    type text not null,
    data json not null,
    created_at timestamptz not null,
    told_up_to uuid,
    families integer not null default 0,
    finished_at timestamptz
);
create index broadcast_unfinished on broadcast (created_at) where finished_at is null;
comment on column broadcast.told_up_to is 'Families up to this id have their item of news: it moves in the transaction that writes them.';

alter table news add column broadcast_id uuid references broadcast;
create unique index news_of_broadcast on news (family_id, broadcast_id) where broadcast_id is not null;
comment on column news.broadcast_id is 'What of the city''s stream it repeats: once for a family, whatever crashes.';

alter table broadcast enable row level security;
alter table broadcast force row level security;
create policy announced on broadcast for insert to kiosque_api
    with check ((select viewer_agent()) is not null and told_up_to is null and finished_at is null);
create policy told on broadcast to kiosque_dispatch using (true);
grant insert on broadcast to kiosque_api;
grant select, update (told_up_to, families, finished_at) on broadcast to kiosque_dispatch;

-- The dispatcher writes news of broadcasts only, and takes their numbers as a mutation does.
create policy spread on news for insert to kiosque_dispatch with check (broadcast_id is not null);
grant insert on news to kiosque_dispatch;
create policy numbered on family for update to kiosque_dispatch using (true);
grant select (activated_at, news_seq), update (news_seq) on family to kiosque_dispatch;

-- What 20,000 families are told takes its minutes: priority 2 is no sign that messages are stuck.
create or replace function outbox_state() returns table (
    age_seconds double precision, dead_letters bigint, channels text[], statuses text[], counts bigint[]
) language sql stable security definer set search_path = pg_catalog, public as $$
    with sent as (
        select d.channel, d.status, count(*) as n from delivery d
        where d.created_at > now() - interval '1 day' group by d.channel, d.status
    )
    select
        coalesce((select extract(epoch from now() - min(l.due_at)) from lane l
            where l.due_at <= now() and not l.leased and l.priority < 2), 0)::float8,
        (select count(*) from delivery d where d.status = 'DEAD_LETTER'),
        coalesce((select array_agg(s.channel order by s.channel, s.status) from sent s), '{}'),
        coalesce((select array_agg(s.status order by s.channel, s.status) from sent s), '{}'),
        coalesce((select array_agg(s.n order by s.channel, s.status) from sent s), '{}')
$$;
