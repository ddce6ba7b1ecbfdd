-- One message a day: news that can wait is gathered, and told together at the hour that the family chose.

alter table family add column digest_hour smallint check (digest_hour between 0 and 23);
alter table family add column digest_topics text[] not null default '{}'
    check (digest_topics <@ array['PROCEDURE_STATUS', 'PROCEDURE_MESSAGE', 'INVOICE_ISSUED']);
alter table family add column digested_at timestamptz;
comment on column family.digest_hour is 'At which hour, by the clocks of the city, the daily message comes; null: none.';
comment on column family.digest_topics is 'Topics of which what can wait comes in it.';
comment on column family.digested_at is 'When the last one was written: no second one comes before the next hour.';
grant select (digest_hour, digest_topics, digested_at), update (digested_at) on family to kiosque_dispatch;

alter table news add column awaits_digest boolean not null default false;
alter table news add column digested_in bigint;
create index news_awaiting_digest on news (family_id, seq) where awaits_digest;
comment on column news.awaits_digest is 'It is in the inbox already, and will be told in the daily message.';
comment on column news.digested_in is 'Number of the daily message that told it.';
grant update (awaits_digest, digested_in) on news to kiosque_dispatch;
create policy digested on news for update to kiosque_dispatch using (true);
create policy daily on news for insert to kiosque_dispatch with check (type = 'daily_message');

-- The daily message is a topic with an order of channels of its own.
alter table news drop constraint news_topic_check;
alter table news add constraint news_topic_check check (topic in
    ('PROCEDURE_STATUS', 'PROCEDURE_MESSAGE', 'INVOICE_ISSUED', 'PAYMENT', 'DIRECT_DEBIT', 'ACCOUNT_SECURITY', 'TERMS',
    'MAINTENANCE', 'CITY_INFORMATION', 'DAILY_MESSAGE'));
alter table channel_preference drop constraint channel_preference_topic_check;
alter table channel_preference add constraint channel_preference_topic_check check (topic in
    ('PROCEDURE_STATUS', 'PROCEDURE_MESSAGE', 'INVOICE_ISSUED', 'PAYMENT', 'DIRECT_DEBIT', 'ACCOUNT_SECURITY', 'TERMS',
    'MAINTENANCE', 'CITY_INFORMATION', 'DAILY_MESSAGE'));

-- Where news of a topic would go: also the daily message, and the post where nothing else reaches a family.
create or replace function channel_routes(owner uuid, about text)
returns table (family_id uuid, id text, place integer, channel text, addresses integer, state text)
language sql stable set search_path = pg_catalog, public as $$
    with chosen as (
        select coalesce(p.channels, '{EMAIL,IN_APP}') as channels, p.email_ended_at is not null as ended
        from (select) as always left join channel_preference p on p.family_id = owner and p.topic = about
    ), counted as (
        select a.channel, count(*)::integer as addresses from address a
        where a.family_id = owner and a.verified_at is not null and a.retired_at is null group by a.channel
    ), posted as (
        select count(*) = 1 and min(c.channel) = 'POST' as only from counted c
    ), named as (
        select c.channel, c.place::integer from chosen,
            unnest(chosen.channels || case when 'IN_APP' = any (chosen.channels) then '{}' else '{IN_APP}'::text[] end)
            with ordinality as c(channel, place)
        union all
        select 'POST', 0 from chosen, posted where posted.only and not 'POST' = any (chosen.channels)
    ), listed as (
        select n.channel, n.place, case when n.channel = 'IN_APP' then 1 else coalesce(c.addresses, 0) end as addresses,
            n.channel = 'EMAIL' and chosen.ended or n.channel = 'POST' and posted.only and n.place >
                (select min(i.place) from named i where i.channel = 'IN_APP') or n.place = 0 as required
        from chosen, posted, named n left join counted c using (channel)
    ), daily as (
        select r.channel, r.addresses from family f, channel_routes(owner, 'DAILY_MESSAGE') r
        where about <> 'DAILY_MESSAGE' and f.id = owner and f.digest_hour is not null and about = any (f.digest_topics)
            and r.state = 'FIRST'
    )
    select owner, about || ':daily', -1, d.channel, d.addresses, 'DAILY' from daily d
    union all
    select owner, about || ':' || l.channel, l.place, l.channel, l.addresses,
        case when l.addresses = 0 then 'UNREACHABLE' when l.required then 'REQUIRED_ONLY'
            when l.place = (select min(f.place) from listed f where f.addresses > 0 and not f.required) then 'FIRST'
            else 'FALLBACK' end
    from listed l
$$;
