-- Quiet hours of a family's own, and what the order of its channels comes to for a topic.

alter table family add column quiet_starts time;
alter table family add column quiet_ends time;
alter table family add constraint family_quiet_check check ((quiet_starts is null) = (quiet_ends is null));
comment on column family.quiet_starts is 'From when on nothing rings at this family, by the clocks of the city; null: the hours of the settings. Equal to the end: never quiet.';
grant select (quiet_starts, quiet_ends) on family to kiosque_dispatch;

create function channel_routes(owner uuid, about text)
returns table (family_id uuid, id text, place integer, channel text, addresses integer, state text)
language sql stable set search_path = pg_catalog, public as $$
    with chosen as (
        select coalesce(p.channels, '{EMAIL,IN_APP}') as channels, p.email_ended_at is not null as ended
        from (select) as always left join channel_preference p on p.family_id = owner and p.topic = about
    ), listed as (
        select c.channel, c.place::integer, c.channel = 'EMAIL' and chosen.ended as ended,
            case when c.channel = 'IN_APP' then 1 else (select count(*)::integer from address a where a.family_id = owner
                and a.channel = c.channel and a.verified_at is not null and a.retired_at is null) end as addresses
        from chosen, unnest(chosen.channels || case when 'IN_APP' = any (chosen.channels) then '{}' else '{IN_APP}'::text[] end)
            with ordinality as c(channel, place)
    )
    select owner, about || ':' || l.channel, l.place, l.channel, l.addresses,
        case when l.addresses = 0 then 'UNREACHABLE' when l.ended then 'REQUIRED_ONLY'
            when l.place = (select min(f.place) from listed f where f.addresses > 0 and not f.ended) then 'FIRST'
            else 'FALLBACK' end
    from listed l
$$;
comment on function channel_routes(uuid, text) is 'The ordered channels of a family for a topic, and which of them would be used now.';
grant execute on function channel_routes(uuid, text) to kiosque_api;
