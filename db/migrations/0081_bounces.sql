-- Bounces: e-mails that a mailbox refused after the relay had taken them (RFC 3464).

alter table sms_receipt add column problem text check (length(problem) between 1 and 200);
alter table sms_receipt add column retires boolean not null default false;
alter table sms_receipt drop constraint sms_receipt_state_check;
alter table sms_receipt add constraint sms_receipt_state_check check (state in ('DELIVERED', 'FAILED', 'RETRY'));
comment on table sms_receipt is 'Receipts and bounces as they came, of text messages and of e-mail; a dispatcher moves each into its delivery, and may find it before the delivery is written.';
comment on column sms_receipt.retires is 'Nothing will ever arrive at that address: it is retired.';

alter table address add column dead_untold boolean not null default false;
create index address_dead_untold on address (family_id, id) where dead_untold;
comment on column address.dead_untold is 'It proved dead, and neither the staff nor the family have been told yet.';

-- One more kind of task, whatever kinds there are already.
do $$
declare kinds text;
begin
    select string_agg(quote_literal(m[1]), ', ') into kinds
    from pg_constraint, regexp_matches(pg_get_constraintdef(oid), '''([A-Z_]+)''::text', 'g') m
    where conrelid = 'agent_task'::regclass and conname = 'agent_task_kind_check';
    alter table agent_task drop constraint agent_task_kind_check;
    execute format('alter table agent_task add constraint agent_task_kind_check check (kind in (%s, ''EMAIL_UNREACHABLE''))', kinds);
end $$;
