-- The legal clock: when silence decides, the acknowledgement that says so, and what reminds agents of it.

alter table procedure
    add column clock_paused_at timestamptz,
    add column paused_days integer not null default 0 check (paused_days >= 0),
    add column decided_at timestamptz;
comment on column procedure.clock_paused_at is 'Since when the clock stands because the family is asked for something (CRPA L114-5, L114-6).';
comment on column procedure.paused_days is 'By how many days the answers of the family moved the implied decision.';
comment on column procedure.decided_at is 'When the city decided, or silence did; null again when it is reopened.';
create index procedure_due on procedure (implied_decision_on) where status in ('SUBMITTED', 'IN_REVIEW');

-- Agents list work by the day on which silence decides: where the clock stands there is none.
drop index procedure_work;
create index procedure_work on procedure (service_id,
        (case when clock_paused_at is null and implied_decision_on is not null then implied_decision_on else '9999-12-31'::date end), id)
    where status in ('SUBMITTED', 'IN_REVIEW', 'AWAITING_FAMILY');


-- The rule is `resolvers.legal_clock.after_an_answer`; it stands here too so that no move can forget it.
create function keep_legal_clock() returns trigger language plpgsql as $$
declare
    decided constant text[] := '{ACCEPTED,REJECTED,CLOSED}';
    kind record;
    today date := (new.updated_at at time zone 'Europe/Paris')::date;
    moved date;
begin
    if tg_op = 'INSERT' then
        if new.status = any (decided) then
            new.decided_at := coalesce(new.decided_at, new.updated_at);
        elsif new.status = 'AWAITING_FAMILY' then
            new.clock_paused_at := coalesce(new.clock_paused_at, new.updated_at);
        end if;
        return new;
    end if;
    if new.status = old.status then
        return new;
    end if;
    if new.status = 'AWAITING_FAMILY' then
        new.clock_paused_at := new.updated_at;
    elsif old.status = 'AWAITING_FAMILY' then
        if new.status = 'IN_REVIEW' and old.clock_paused_at is not null and old.implied_decision_on is not null then
            select k.silence_means, k.decision_months into kind from procedure_kind k where k.id = new.kind_id;
            moved := implied_after_answer(old.implied_decision_on, kind.silence_means, kind.decision_months,
                (old.clock_paused_at at time zone 'Europe/Paris')::date, today);
            new.implied_decision_on := moved;
            new.paused_days := old.paused_days + (moved - old.implied_decision_on);
        end if;
        new.clock_paused_at := null;
    end if;
    if new.status = any (decided) then
        new.decided_at := new.updated_at;
    elsif old.status = any (decided) then
        -- The request has had its decision: what the city examines of its own accord is not decided by silence.
        new.decided_at := null;
        new.implied_decision_on := null;
    end if;
    return new;
end $$;

create function implied_after_answer(before date, silence_means text, months integer, asked_on date, answered_on date)
returns date language sql immutable parallel safe return
    least(greatest(before, case silence_means
        when 'ACCEPTED' then (answered_on + make_interval(months => months))::date
        else before + greatest(answered_on - asked_on, 0)
    end), date '9999-12-31');
comment on function implied_after_answer(date, text, integer, date, date) is
    'The day on which silence decides once the family has answered: where it accepts, the time begins anew with the answer; where it rejects, it stood still (CRPA L114-5).';
grant execute on function implied_after_answer(date, text, integer, date, date) to kiosque_api;

create trigger keep_clock before insert or update of status on procedure
    for each row execute function keep_legal_clock();

-- What the family was told when it submitted, and what it had submitted: the ground of its certificate.
create table acknowledgement (
    family_id uuid not null,
    procedure_id uuid not null,
    id uuid not null,
    service_id uuid not null references service,
    received_at timestamptz not null,
    implied_decision_on date not null,
    silence_means text not null check (silence_means in ('ACCEPTED', 'REJECTED')),
    service json not null check (json_typeof(service) = 'object'),
    content json check (json_typeof(content) = 'object'),
    content_sha256 text not null check (content_sha256 ~ '^[0-9a-f]{64}$'),
    primary key (family_id, procedure_id),
    unique (family_id, id),
    foreign key (family_id, procedure_id) references procedure
);
comment on table acknowledgement is 'The acknowledgement of receipt of a procedure, as it was given (CRPA L112-3, R112-5, R112-11-1); never changed.';
comment on column acknowledgement.content is 'What was submitted, as text in one canonical order; erased with the answers (R2), its hash stays.';
comment on column acknowledgement.content_sha256 is 'SHA-256 of the bytes of `content`.';
alter table acknowledgement enable row level security;
alter table acknowledgement force row level security;
create policy seen on acknowledgement to kiosque_api using (family_id = (select viewer_family())
    or service_id = any ((select viewer_services())::uuid[]) or (select viewer_is_system()));
create policy only_the_portal_erases on acknowledgement as restrictive for update to kiosque_api using ((select viewer_is_system()));
grant select, insert, update (content) on acknowledgement to kiosque_api;

-- A task may concern the agents of one service only, and what it asked for may settle itself.
alter table agent_task add column service_id uuid references service;
comment on column agent_task.service_id is 'Of a task for the agents of one service.';
alter table agent_task drop constraint agent_task_kind_check;
alter table agent_task add constraint agent_task_kind_check check (kind in ('UNAUTHORIZED_USE', 'DEADLINE_NEAR'));
alter table agent_task drop constraint agent_task_check;
alter table agent_task add constraint agent_task_check check (done_by is null or done_at is not null);
comment on column agent_task.done_by is 'Who did it; nobody where what it asked for settled itself.';
drop policy seen on agent_task;
create policy seen on agent_task to kiosque_api using (
    (select viewer_agent()) is not null and (service_id is null or service_id = any ((select viewer_services())::uuid[]))
    or (select viewer_is_system()));
