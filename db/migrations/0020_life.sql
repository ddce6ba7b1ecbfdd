-- The life of procedures: kinds that editors write, assignment, information requests, messages, and live work lists.

-- Kinds: when one may start a procedure, how many may be granted, which documents are asked for.

alter table procedure_kind
    add column opens_on date,
    add column closes_on date,
    add column capacity integer check (capacity > 0),
    add constraint procedure_kind_period check (closes_on >= opens_on);
comment on column procedure_kind.opens_on is 'First day (Paris) on which one may start it; null: always could.';
comment on column procedure_kind.closes_on is 'Last day; null: no end.';
comment on column procedure_kind.capacity is 'Procedures of one opening period that may be open or accepted; null: no limit.';
grant insert, update (superseded_at) on procedure_kind to kiosque_api;

create table required_document (
    kind_id uuid not null references procedure_kind,
    id uuid primary key,
    code text not null check (code ~ '^[a-z][a-z0-9-]{1,59}$'),
    position integer not null,
    label_fr text not null check (length(label_fr) between 1 and 200),
    label_en text not null check (length(label_en) between 1 and 200),
    help_fr text check (length(help_fr) <= 1000),
    help_en text check (length(help_en) <= 1000),
    required boolean not null,
    unique (kind_id, code)
);
comment on table required_document is 'Documents that a version of a kind asks for.';
grant select, insert on required_document to kiosque_api;

create table kind_intake (
    code text not null,
    opens_on date not null,
    taken integer not null default 0,
    primary key (code, opens_on)
);
comment on table kind_intake is 'Places taken in one opening period of a kind that has a capacity; its row is held while one is given.';
comment on column kind_intake.opens_on is 'First day of the period; -infinity where it has none.';
grant select, insert, update on kind_intake to kiosque_api;

alter table procedure
    add column intake date,
    add column message_count integer not null default 0;
comment on column procedure.intake is 'Opening period in which it was submitted, see kind_intake; null before there were any.';
comment on column procedure.message_count is 'Number of the last message; the next one takes the next number under this row''s lock.';

create function holds_place(status text) returns integer language sql immutable parallel safe
    return case when status in ('SUBMITTED', 'IN_REVIEW', 'AWAITING_FAMILY', 'ACCEPTED') then 1 else 0 end;
comment on function holds_place(text) is '1 while a procedure takes one of the places of its kind, else 0.';
grant execute on function holds_place(text) to kiosque_api;

create function count_place() returns trigger language plpgsql as $$
begin
    update kind_intake i set taken = i.taken + holds_place(new.status) - holds_place(old.status)
    from procedure_kind k
    where k.id = new.kind_id and i.code = k.code and i.opens_on = coalesce(new.intake, '-infinity');
    return null;
end $$;
create trigger place after update of status on procedure
    for each row when (holds_place(new.status) <> holds_place(old.status)) execute function count_place();

-- How many procedures of a service stand where: kept beside them, so that no list is counted. A row is in several
-- slots, so that submissions at once do not wait for one row.

create table procedure_tally (
    service_id uuid not null references service,
    status text not null,
    slot integer not null,
    n bigint not null,
    primary key (service_id, status, slot)
);
comment on table procedure_tally is 'Procedures by service and status: the sum of `n` over all slots.';
grant select, insert, update on procedure_tally to kiosque_api;

create function tally_added() returns trigger language plpgsql as $$
begin
    insert into procedure_tally (service_id, status, slot, n)
    select service_id, status, pg_backend_pid() % 64, count(*) from added group by 1, 2 order by 1, 2
    on conflict (service_id, status, slot) do update set n = procedure_tally.n + excluded.n;
    return null;
end $$;
create function tally_moved() returns trigger language plpgsql as $$
begin
    insert into procedure_tally (service_id, status, slot, n)
    select service_id, status, pg_backend_pid() % 64, sum(d) from (
        select service_id, status, 1 as d from moved union all select service_id, status, -1 from past
    ) c group by 1, 2 having sum(d) <> 0 order by 1, 2
    on conflict (service_id, status, slot) do update set n = procedure_tally.n + excluded.n;
    return null;
end $$;
create trigger tally_added after insert on procedure
    referencing new table as added for each statement execute function tally_added();
create trigger tally_moved after update on procedure
    referencing old table as past new table as moved for each statement execute function tally_moved();

alter table procedure no force row level security;
insert into procedure_tally (service_id, status, slot, n)
select service_id, status, 0, count(*) from procedure group by 1, 2;
alter table procedure force row level security;

-- An opaque id that a filter names: its parts, or null for a text that is no id of two parts.
create function id_part(id text, place integer) returns uuid language sql immutable strict parallel safe
    return case when id ~ '^[A-Za-z0-9+/]{44}$'
        then encode(substring(decode(id, 'base64') from 2 + 16 * place for 16), 'hex')::uuid end;
comment on function id_part(text, integer) is 'The first (0) or second (1) uuid in the opaque id of a row of a family.';
grant execute on function id_part(text, integer) to kiosque_api;

-- Agents: what waits, by its deadline; a draft is the family's own.

create index procedure_work on procedure (service_id, coalesce(implied_decision_on, '9999-12-31'::date), id)
    where status in ('SUBMITTED', 'IN_REVIEW', 'AWAITING_FAMILY');
create index procedure_of_member on procedure (family_id, member_id, id desc) where member_id is not null;
create index procedure_assigned on procedure (assigned_agent_id)
    where assigned_agent_id is not null and status in ('SUBMITTED', 'IN_REVIEW', 'AWAITING_FAMILY');

alter policy seen on procedure to kiosque_api using (family_id = (select viewer_family())
    or service_id = any ((select viewer_services())::uuid[]) and submitted_at is not null or (select viewer_is_system()));

create function ring_work() returns trigger language plpgsql as $$
begin
    perform pg_notify('kiosque_work', new.service_id || ' ' || new.family_id || ' ' || new.id);
    return null;
end $$;
create trigger ring after update on procedure
    for each row when (new.submitted_at is not null and (new.status <> old.status
        or new.assigned_agent_id is distinct from old.assigned_agent_id or new.message_count <> old.message_count))
    execute function ring_work();

-- What an agent asks a family for, and what it answered.

create table information_request (
    family_id uuid not null,
    id uuid not null,
    procedure_id uuid not null,
    service_id uuid not null references service,
    event_number integer not null,
    fields text[] not null default '{}' check (cardinality(fields) <= 100),
    documents text[] not null default '{}' check (cardinality(documents) <= 20),
    message text check (length(message) <= 4000),
    asked_by uuid references agent,
    asked_at timestamptz not null,
    answers json,
    answered_at timestamptz,
    primary key (family_id, id),
    unique (family_id, procedure_id, event_number),
    foreign key (family_id, procedure_id, event_number) references procedure_event
);
comment on column information_request.fields is 'Fields of the form that the family may change.';
comment on column information_request.documents is 'What is missing, in words.';
comment on column information_request.answers is 'What the family changed, as a JSON merge patch (RFC 7396).';

create table procedure_message (
    family_id uuid not null,
    procedure_id uuid not null,
    number integer not null check (number > 0),
    id uuid not null,
    service_id uuid not null references service,
    author text not null check (author in ('FAMILY', 'AGENT')),
    account_id uuid,
    agent_id uuid references agent,
    body text not null check (length(body) <= 4000),
    request_key text not null check (length(request_key) between 8 and 100),
    posted_at timestamptz not null,
    read_at timestamptz,
    primary key (family_id, procedure_id, number),
    unique (family_id, id),
    unique (family_id, procedure_id, author, request_key),
    foreign key (family_id, procedure_id) references procedure,
    foreign key (family_id, account_id) references account
);
create index procedure_message_unread on procedure_message (family_id, procedure_id, author) where read_at is null;
comment on table procedure_message is 'What a family and the service say to each other about a procedure.';
comment on column procedure_message.request_key is 'Recognises a request that is sent again: a message is written once.';
comment on column procedure_message.read_at is 'When somebody of the other side marked it as read.';

do $$
declare owned text;
begin
    foreach owned in array array['information_request', 'procedure_message'] loop
        execute format('alter table %I enable row level security', owned);
        execute format('alter table %I force row level security', owned);
        execute format('create policy seen on %I to kiosque_api using (family_id = (select viewer_family())
            or service_id = any ((select viewer_services())::uuid[]) or (select viewer_is_system()))', owned);
    end loop;
end $$;
grant select, insert on information_request, procedure_message to kiosque_api;
grant update (answers, answered_at, message, documents) on information_request to kiosque_api;
grant update (read_at), delete on procedure_message to kiosque_api;
