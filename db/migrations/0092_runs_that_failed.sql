-- Billing runs whose job was put aside for good: a state that says so, from which they go on; and lines that no amount can tell.

alter table billing_run add column failed_at timestamptz;
alter table billing_run add column failed_because text check (length(failed_because) between 1 and 100);
comment on column billing_run.failed_at is 'When its job was put aside for good; none while it is worked on. Of a published run: its invoices were not all told.';
comment on column billing_run.failed_because is 'Code of the fault, as the job has it; never personal data.';

alter table billing_run drop constraint billing_run_state_check;
alter table billing_run add constraint billing_run_state_check check
    (state in ('DRAFTING', 'DRAFTING_FAILED', 'DRAFTED', 'PUBLISHING', 'PUBLICATION_FAILED', 'PUBLISHED', 'DISCARDED')) not valid;
alter table billing_run validate constraint billing_run_state_check;
-- One run is open at a time, also one that failed: it is gone on with, or given up.
create unique index billing_run_one_open on billing_run ((true))
    where state in ('DRAFTING', 'DRAFTING_FAILED', 'DRAFTED', 'PUBLISHING', 'PUBLICATION_FAILED');
drop index billing_run_open;

-- Those that stopped before there was a way out. The owner of the tables sees no row of them otherwise.
alter table billing_run no force row level security;
alter table job no force row level security;
update billing_run r set
    state = case r.state when 'DRAFTING' then 'DRAFTING_FAILED' when 'PUBLISHING' then 'PUBLICATION_FAILED' else r.state end,
    failed_at = j.finished_at, failed_because = left(coalesce(nullif(j.problem, ''), 'CRASHED'), 100)
from (select distinct on (f.kind, f.parameters ->> 'run') f.kind, f.parameters ->> 'run' as run, f.state, f.finished_at, f.problem
      from job f where f.kind in ('draft_billing_run', 'publish_billing_run', 'issue_invoices')
      order by f.kind, f.parameters ->> 'run', f.id desc) j
where j.run = r.id::text and j.state = 'FAILED'
    and (r.state, j.kind) in (('DRAFTING', 'draft_billing_run'), ('PUBLISHING', 'publish_billing_run'), ('PUBLISHED', 'issue_invoices'))
    and (r.state <> 'PUBLISHED' or r.told_at is null);
alter table billing_run force row level security;
alter table job force row level security;

alter table billing_check add column member_id uuid;
alter table billing_check add foreign key (family_id, member_id) references member not valid;
alter table billing_check validate constraint billing_check_family_id_member_id_fkey;
alter table billing_check drop constraint billing_check_code_check;
alter table billing_check add constraint billing_check_code_check check (code in
    ('NO_PRICE', 'QUOTIENT_MISSING', 'ZERO_AMOUNT', 'HUGE_AMOUNT', 'DIFFERENCE', 'REPLACES', 'OVERTAKEN', 'TOO_LARGE')) not valid;
alter table billing_check validate constraint billing_check_code_check;
comment on column billing_check.member_id is 'Of TOO_LARGE: who used what the line is about.';
