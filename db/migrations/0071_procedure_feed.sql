-- The feed of partners: every step of every procedure, in one order without gap that clients can resume.
--
-- A number taken in the transaction of the step would either have gaps that fill later (readers miss what commits late)
-- or hold all agents of a service up behind one lock. So the step is only noted with the change, and numbered a moment
-- later by one dispatcher at a time: see docs/decisions/0023.

create table procedure_feed (
    family_id uuid not null,
    procedure_id uuid not null,
    number integer not null,
    service_id uuid not null references service,
    noted bigint not null generated always as identity,
    position bigint unique,
    primary key (family_id, procedure_id, number),
    foreign key (family_id, procedure_id, number) references procedure_event on delete cascade
);
create index procedure_feed_waiting on procedure_feed (noted) where position is null;
create index procedure_feed_of_service on procedure_feed (service_id, position) where position is not null;
comment on column procedure_feed.noted is 'Order of notes: of two steps of one procedure the later one has the higher.';
comment on column procedure_feed.position is 'Place in the feed, 1, 2, 3 … in the order of commits that gave it; null until then.';

create table procedure_feed_end (
    only_one boolean primary key default true check (only_one),
    position bigint not null
);
insert into procedure_feed_end (position) values (0);
comment on table procedure_feed_end is 'The last place given; its lock makes those who number take turns.';

-- A draft that was withdrawn before anybody at the city saw it is no step of a procedure.
create function note_procedure_event() returns trigger language plpgsql as $$
begin
    insert into procedure_feed (family_id, procedure_id, number, service_id)
    select e.family_id, e.procedure_id, e.number, e.service_id from written e
    where (e.from_status, e.to_status) <> ('DRAFT', 'WITHDRAWN')
    order by e.occurred_at, e.family_id, e.procedure_id, e.number;
    perform pg_notify('kiosque_noted', '');
    return null;
end $$;
create trigger noted after insert on procedure_event referencing new table as written
    for each statement execute function note_procedure_event();

create function ring_feed() returns trigger language plpgsql as $$
begin
    perform pg_notify('kiosque_feed', '');
    return null;
end $$;
create trigger ring after update on procedure_feed_end for each statement execute function ring_feed();

-- What happened before there was a feed begins it.
alter table procedure_event no force row level security;
insert into procedure_feed (family_id, procedure_id, number, service_id)
select e.family_id, e.procedure_id, e.number, e.service_id from procedure_event e
where (e.from_status, e.to_status) <> ('DRAFT', 'WITHDRAWN')
order by e.occurred_at, e.family_id, e.procedure_id, e.number;
alter table procedure_event force row level security;

alter table procedure_feed enable row level security;
alter table procedure_feed force row level security;
create policy partners_see on procedure_feed for select to kiosque_api
    using (service_id = any ((select viewer_partner_services('PROCEDURES_READ'))::uuid[]) and position is not null);
create policy hub on procedure_feed for select to kiosque_api using ((select viewer_is_system()));
create policy noted on procedure_feed for insert to kiosque_api with check (position is null);
create policy numbered on procedure_feed to kiosque_dispatch using (true);
grant select, insert (family_id, procedure_id, number, service_id) on procedure_feed to kiosque_api;
grant select, update (position) on procedure_feed to kiosque_dispatch;
grant select on procedure_feed_end to kiosque_api;
grant select, update on procedure_feed_end to kiosque_dispatch;
