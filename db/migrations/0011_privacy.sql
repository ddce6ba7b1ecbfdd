-- Privacy: jobs that run later or by the clock, what a family chooses to keep, its export, and its leaving (R2, R10, R22).

create table job (
    id uuid primary key,
    kind text not null check (kind ~ '^[a-z][a-z_]{2,59}$'),
    family_id uuid references family,
    parameters json not null default '{}',
    state text not null default 'PENDING' check (state in ('PENDING', 'RUNNING', 'DONE', 'FAILED')),
    progress smallint not null default 0 check (progress between 0 and 100),
    run_at timestamptz not null,
    lease_until timestamptz,
    fence bigint not null default 0,
    attempts integer not null default 0,
    period text,
    result json,
    problem text,
    created_at timestamptz not null,
    finished_at timestamptz,
    check ((state = 'RUNNING') = (lease_until is not null)),
    check ((state in ('DONE', 'FAILED')) = (finished_at is not null))
);
create unique index job_of_period on job (kind, period) where period is not null;
create index job_waiting on job (run_at, id) where state = 'PENDING';
create index job_running on job (lease_until) where state = 'RUNNING';
create index job_finished on job (finished_at) where state in ('DONE', 'FAILED');
comment on table job is 'Work that is done later, once, by whichever node is free. Parameters and results hold ids and counts, no names and no addresses.';
comment on column job.fence is 'Fencing number: a node that lost its lease can write no result.';
comment on column job.period is 'Of a periodic job: the beginning of its period, so that it runs once a period for the whole portal.';

alter table family
    add column closed_at timestamptz,
    add column terminated_at timestamptz,
    add column termination_reason text check (length(termination_reason) <= 1000),
    add column erased_at timestamptz;
create index family_closed on family (closed_at) where closed_at is not null and erased_at is null;
comment on column family.closed_at is 'When its last login left (R10); a new activation opens it again.';
comment on column family.terminated_at is 'When the city ended its access (R22).';
comment on column family.erased_at is 'When everything that names it was erased; its number stays for the accounts.';

alter table procedure add column answers_erased_at timestamptz;
create index procedure_to_erase on procedure (updated_at)
    where status in ('ACCEPTED', 'REJECTED', 'CLOSED', 'WITHDRAWN') and answers_erased_at is null;
comment on column procedure.answers_erased_at is 'When its answers were erased because the family does not keep them (R2), or their time had passed.';
alter table procedure add column messages_erased_at timestamptz;
create index procedure_to_forget on procedure (updated_at)
    where status in ('ACCEPTED', 'REJECTED', 'CLOSED', 'WITHDRAWN') and messages_erased_at is null;

create table data_choice (
    family_id uuid not null references family,
    datum text not null check (datum in ('ANSWERS', 'SCHOOL', 'CONTACTS', 'QUOTIENT_FAMILIAL')),
    id uuid not null,
    keep boolean not null,
    changed_at timestamptz not null,
    primary key (family_id, datum),
    unique (family_id, id)
);
comment on table data_choice is 'Which data a family keeps in its account between procedures, where it made a choice (R2).';

create table service_opt_in (
    family_id uuid not null references family,
    service_id uuid not null references service,
    id uuid not null,
    opted_in boolean not null,
    changed_at timestamptz not null,
    primary key (family_id, service_id),
    unique (family_id, id)
);
comment on table service_opt_in is 'Which services a family chose to use, and which it left (R2).';

create table export (
    family_id uuid not null references family,
    id uuid not null,
    account_id uuid not null,
    job_id uuid not null references job,
    requested_at timestamptz not null,
    ready_at timestamptz,
    expires_at timestamptz,
    size integer check (size > 0),
    primary key (family_id, id),
    foreign key (family_id, account_id) references account,
    check ((ready_at is null) = (expires_at is null) and (ready_at is null) = (size is null))
);
create index export_of_job on export (job_id);
create index export_expiring on export (expires_at);
comment on table export is 'A family''s copy of its data; `size` in bytes.';

create table export_chunk (
    family_id uuid not null,
    export_id uuid not null,
    number integer not null check (number >= 0),
    sealed bytea not null,
    primary key (family_id, export_id, number),
    foreign key (family_id, export_id) references export
);
comment on table export_chunk is 'The archive in pieces, each sealed with a key of its own, so that every node can give it and none needs much memory.';

do $$
declare owned text;
begin
    foreach owned in array array['job', 'data_choice', 'service_opt_in', 'export', 'export_chunk'] loop
        execute format('alter table %I enable row level security', owned);
        execute format('alter table %I force row level security', owned);
        execute format('create policy seen on %I to kiosque_api using (family_id = (select viewer_family()) or (select viewer_is_system()))', owned);
    end loop;
end $$;
create policy agents_order on job for insert to kiosque_api with check ((select viewer_agent()) is not null);
-- An agent's act tells a family what it chose to hear.
create policy agents_tell on service_opt_in for select to kiosque_api using ((select viewer_services()) is not null);
grant select, insert, update, delete on job, data_choice, service_opt_in, export, export_chunk to kiosque_api;

-- What was said and told is never changed by whom it concerns: only the portal itself erases it when its time has passed.
create policy only_the_portal_erases on procedure_event as restrictive for update to kiosque_api using ((select viewer_is_system()));
create policy only_the_portal_deletes on news as restrictive for delete to kiosque_api using ((select viewer_is_system()));
create policy only_the_portal_deletes on delivery as restrictive for delete to kiosque_api using ((select viewer_is_system()));
create policy only_the_portal_deletes on lane as restrictive for delete to kiosque_api using ((select viewer_is_system()));
create policy only_the_portal_deletes on quotient_familial for delete to kiosque_api using ((select viewer_is_system()));
grant update (message) on procedure_event to kiosque_api;
grant delete on news, delivery, lane, address, channel_preference, quotient_familial, password_reset, email_change to kiosque_api;

create index news_by_time on news using brin (occurred_at);
create index idempotency_key_by_age on idempotency_key (created_at);
