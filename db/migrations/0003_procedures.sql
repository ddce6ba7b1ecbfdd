-- Procedures (démarches) and their history.

create sequence procedure_reference;

create table procedure (
    family_id uuid not null references family,
    id uuid not null,
    reference text not null unique,
    kind_id uuid not null references procedure_kind,
    service_id uuid not null references service,
    member_id uuid,
    status text not null check (status in
        ('DRAFT', 'SUBMITTED', 'IN_REVIEW', 'AWAITING_FAMILY', 'ACCEPTED', 'REJECTED', 'CLOSED', 'WITHDRAWN')),
    event_count integer not null default 0,
    answers json not null check (json_typeof(answers) <> 'null'),
    attestation text,
    submitted_at timestamptz,
    implied_decision_on date,
    assigned_agent_id uuid references agent,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (family_id, id),
    foreign key (family_id, member_id) references member,
    check (status = 'DRAFT' or status = 'WITHDRAWN' or (submitted_at is not null and attestation is not null))
);
-- Ids are UUIDv7: their order is that of creation. A family's own are found by the primary key.
create index procedure_of_service on procedure (service_id, id desc);
create index procedure_of_service_by_status on procedure (service_id, status, id desc);
create index procedure_of_service_by_change on procedure (service_id, updated_at desc, id desc);
comment on column procedure.event_count is 'Number of the last event; the next one takes the next number under this row''s lock.';

create table procedure_event (
    family_id uuid not null,
    procedure_id uuid not null,
    number integer not null check (number > 0),
    id uuid not null,
    service_id uuid not null references service,
    from_status text not null check (from_status in
        ('DRAFT', 'SUBMITTED', 'IN_REVIEW', 'AWAITING_FAMILY', 'ACCEPTED', 'REJECTED', 'CLOSED', 'WITHDRAWN')),
    to_status text not null check (to_status in
        ('DRAFT', 'SUBMITTED', 'IN_REVIEW', 'AWAITING_FAMILY', 'ACCEPTED', 'REJECTED', 'CLOSED', 'WITHDRAWN')),
    actor text not null check (actor in ('FAMILY', 'AGENT', 'CLOCK')),
    agent_id uuid references agent,
    message text check (length(message) <= 4000),
    occurred_at timestamptz not null,
    primary key (family_id, procedure_id, number),
    unique (family_id, id),
    foreign key (family_id, procedure_id) references procedure
);
comment on table procedure_event is 'What happened to a procedure, in order and without gap; never changed.';

create table idempotency_key (
    family_id uuid not null references family,
    key text not null check (length(key) between 8 and 100),
    operation text not null,
    parameters_hash bytea not null,
    result uuid not null,
    created_at timestamptz not null,
    primary key (family_id, key)
);

do $$
declare owned text;
begin
    foreach owned in array array['procedure', 'procedure_event'] loop
        execute format('alter table %I enable row level security', owned);
        execute format('alter table %I force row level security', owned);
        execute format('create policy seen on %I to kiosque_api using (family_id = (select viewer_family())
            or service_id = any ((select viewer_services())::uuid[]) or (select viewer_is_system()))', owned);
    end loop;
end $$;
alter table idempotency_key enable row level security;
alter table idempotency_key force row level security;
create policy seen on idempotency_key to kiosque_api using (family_id = (select viewer_family()) or (select viewer_is_system()));

grant select, insert, update on procedure to kiosque_api;
grant select, insert on procedure_event to kiosque_api;
grant select, insert, delete on idempotency_key to kiosque_api;
grant usage on sequence procedure_reference to kiosque_api;
