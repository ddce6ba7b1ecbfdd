CREATE EXTENSION IF NOT EXISTS btree_gist WITH SCHEMA public;

COMMENT ON EXTENSION btree_gist IS 'support for indexing common datatypes in GiST';

CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public;

COMMENT ON EXTENSION pg_trgm IS 'text similarity measurement and index searching based on trigrams';

CREATE FUNCTION public.account_entries(owner uuid, since date, until date) RETURNS TABLE(family_id uuid, id text, kind text, happened_at timestamp with time zone, cents integer, balance_cents integer, invoice_id uuid, payment_id uuid)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'public'
    AS $$
    select s.* from (
        select owner, e.id, e.kind, e.happened_at, e.cents, (sum(e.cents) over (order by e.happened_at, e.id))::integer, e.invoice_id, e.payment_id
        from (
            select 'a' || i.id as id, 'INVOICE' as kind, i.published_at as happened_at, i.total_cents as cents, i.id as invoice_id, null::uuid as payment_id
            from invoice i where i.family_id = owner
            union all
            select 'd' || i.id, 'CANCELLATION', i.cancelled_at, -i.total_cents, i.id, null
            from invoice i where i.family_id = owner and i.cancelled_at is not null
            union all
            select 'b' || p.id, 'PAYMENT', p.received_at, -p.cents, null, p.id from payment p where p.family_id = owner
            union all
            select 'e' || p.id, 'UNDONE', p.undone_at, p.cents, null, p.id
            from payment p where p.family_id = owner and p.undone_at is not null
            union all
            select 'c' || r.id, 'REFUND', r.refunded_at, r.cents, null, r.payment_id from refund r where r.family_id = owner
        ) e
    ) s (family_id, id, kind, happened_at, cents, balance_cents, invoice_id, payment_id)
    where (since is null or s.happened_at >= (since::timestamp at time zone 'Europe/Paris'))
        and (until is null or s.happened_at < ((until + 1)::timestamp at time zone 'Europe/Paris'))
$$;

COMMENT ON FUNCTION public.account_entries(owner uuid, since date, until date) IS 'The account of a family, entry by entry, with the running balance; a balance counts everything before it, whatever days are asked for.';

CREATE FUNCTION public.added(a integer[], b integer[]) RETURNS integer[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    select case when a is null then b when b is null then a else
        array(select coalesce(u.x, 0) + coalesce(u.y, 0) from unnest(a, b) with ordinality u(x, y, place) order by u.place) end
$$;

COMMENT ON FUNCTION public.added(a integer[], b integer[]) IS 'The sums of two lists, place by place.';

CREATE TABLE public.audit_entry (
    id uuid NOT NULL,
    number bigint,
    act text NOT NULL,
    actor text NOT NULL,
    actor_id uuid,
    family_id uuid,
    subject_id uuid,
    data json DEFAULT '{}'::json NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    previous_hash bytea,
    hash bytea,
    CONSTRAINT audit_entry_act_check CHECK ((act ~ '^[a-z][a-z_]{2,59}$'::text)),
    CONSTRAINT audit_entry_actor_check CHECK ((actor = ANY (ARRAY['ANONYMOUS'::text, 'FAMILY'::text, 'AGENT'::text, 'PARTNER'::text, 'SYSTEM'::text])))
);

ALTER TABLE ONLY public.audit_entry FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.audit_entry IS 'Append-only: ids and codes, never names or addresses. Families have no foreign key, because entries outlive them.';

COMMENT ON COLUMN public.audit_entry.number IS 'Place in the chain: 1, 2, 3 … without gap, given at commit.';

COMMENT ON COLUMN public.audit_entry.hash IS 'SHA-256 of previous_hash and audit_text of this row.';

CREATE FUNCTION public.audit_text(e public.audit_entry) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'public'
    AS $$
    select string_agg(coalesce(length(v) || ':' || v, '-'), ',' order by n) from unnest(array[
        e.number::text, e.id::text, e.act, e.actor, e.actor_id::text, e.family_id::text, e.subject_id::text,
        e.data::text, to_char(e.occurred_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
    ]) with ordinality as part(v, n)
$$;

CREATE FUNCTION public.chain_audit_entry() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public'
    AS $$
declare
    before audit_entry;
    entry audit_entry;
begin
    perform pg_advisory_xact_lock(hashtext('kiosque.audit'));
    select * into entry from audit_entry where id = new.id;
    select * into before from audit_entry where number is not null order by number desc limit 1;
    entry.number := coalesce(before.number, 0) + 1;
    entry.previous_hash := coalesce(before.hash, sha256('kiosque.audit'));
    update audit_entry set number = entry.number, previous_hash = entry.previous_hash,
        hash = sha256(entry.previous_hash || convert_to(audit_text(entry), 'UTF8'))
    where id = new.id;
    return null;
end $$;

CREATE FUNCTION public.channel_routes(owner uuid, about text) RETURNS TABLE(family_id uuid, id text, place integer, channel text, addresses integer, state text)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'public'
    AS $$
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

COMMENT ON FUNCTION public.channel_routes(owner uuid, about text) IS 'The ordered channels of a family for a topic, and which of them would be used now.';

CREATE FUNCTION public.check_day_open() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
declare of_day date := case tg_table_name when 'refund' then (to_jsonb(new) ->> 'refunded_on')::date else (to_jsonb(new) ->> 'received_on')::date end;
begin
    perform pg_advisory_xact_lock_shared(40, of_day - date '2000-01-01');
    if exists (select from daily_closing c where c.day = of_day) then
        raise exception 'the day is closed' using errcode = 'check_violation', constraint = 'day_is_open';
    end if;
    return new;
end $$;

CREATE FUNCTION public.check_has_lines() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    if not exists (select from invoice_line where family_id = new.family_id and invoice_id = new.id) then
        raise exception 'invoice % has no line', new.number using errcode = 'check_violation', constraint = 'has_lines';
    end if;
    return null;
end $$;

CREATE FUNCTION public.check_invoice() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
declare
    owner uuid := new.family_id;
    wanted uuid := case tg_table_name when 'invoice' then to_jsonb(new) ->> 'id' else to_jsonb(new) ->> 'invoice_id' end;
begin
    if coalesce((select sum(cents) from allocation where family_id = owner and invoice_id = wanted and freed_at is null), 0)
        > coalesce((select total_cents from invoice where family_id = owner and id = wanted and cancelled_at is null), 0) then
        raise exception 'more is allocated to an invoice than it is for' using errcode = 'check_violation', constraint = 'allocated_within_total';
    end if;
    if exists (
        select from allocation a join payment p on p.family_id = a.family_id and p.id = a.payment_id
            left join invoice_line l on l.family_id = a.family_id and l.invoice_id = a.invoice_id and l.position = a.line_position
        where a.family_id = owner and a.invoice_id = wanted and a.freed_at is null and (a.line_position is not null or p.means = 'CESU')
        group by a.line_position, l.cents, l.cesu_eligible
        having l.cents is null or sum(a.cents) > l.cents or bool_or(p.means = 'CESU') and not l.cesu_eligible) then
        raise exception 'CESU settle eligible lines only' using errcode = 'check_violation', constraint = 'allocated_within_line';
    end if;
    return null;
end $$;

CREATE FUNCTION public.check_lines() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
declare wrong text;
begin
    select i.number into wrong from invoice i
    where (i.family_id, i.id) in (select family_id, invoice_id from added) and (i.total_cents, i.cesu_cents) <> (
        select sum(l.cents), coalesce(sum(l.cents) filter (where l.cesu_eligible), 0)
        from invoice_line l where l.family_id = i.family_id and l.invoice_id = i.id) limit 1;
    if found then
        raise exception 'the lines of invoice % do not add up to it', wrong using errcode = 'check_violation', constraint = 'lines_add_up';
    end if;
    return null;
end $$;

CREATE FUNCTION public.check_payment() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
declare
    owner uuid := new.family_id;
    wanted uuid := case tg_table_name when 'payment' then to_jsonb(new) ->> 'id' else to_jsonb(new) ->> 'payment_id' end;
    received record;
    used bigint := (select coalesce(sum(cents), 0) from allocation where family_id = owner and payment_id = wanted and freed_at is null);
    returned bigint := (select coalesce(sum(cents), 0) from refund where family_id = owner and payment_id = wanted);
begin
    select cents, undone_at into received from payment where family_id = owner and id = wanted;
    if not found or returned > received.cents or used > (case when received.undone_at is null then received.cents - returned else 0 end) then
        raise exception 'more of a payment is used than was received' using errcode = 'check_violation', constraint = 'used_within_received';
    end if;
    return null;
end $$;

CREATE FUNCTION public.count_allocated() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    perform note_paid(array_agg(a.family_id), array_agg(a.invoice_id), array_agg(a.line_position), array_agg(a.cents::bigint))
    from added a having count(*) > 0;
    return null;
end $$;

CREATE FUNCTION public.count_cancelled() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    perform note_invoiced(-1, array_agg(n.family_id), array_agg(n.id))
    from now_so n join before_it o on o.family_id = n.family_id and o.id = n.id
    where o.cancelled_at is null and n.cancelled_at is not null having count(*) > 0;
    return null;
end $$;

CREATE FUNCTION public.count_freed() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    perform from invoice i where (i.family_id, i.id) in (select n.family_id, n.invoice_id from now_so n)
        order by i.family_id, i.id for no key update;
    perform note_paid(array_agg(n.family_id), array_agg(n.invoice_id), array_agg(n.line_position), array_agg(-n.cents::bigint))
    from now_so n join before_it o on o.family_id = n.family_id and o.id = n.id
    where o.freed_at is null and n.freed_at is not null having count(*) > 0;
    return null;
end $$;

CREATE FUNCTION public.count_lines() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    perform note_invoiced(1, array_agg(a.family_id), array_agg(a.invoice_id))
    from (select distinct family_id, invoice_id from added) a having count(*) > 0;
    return null;
end $$;

CREATE FUNCTION public.count_place() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    update kind_intake i set taken = i.taken + holds_place(new.status) - holds_place(old.status)
    from procedure_kind k
    where k.id = new.kind_id and i.code = k.code and i.opens_on = coalesce(new.intake, '-infinity');
    return null;
end $$;

CREATE FUNCTION public.count_procedure() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    if tg_op <> 'INSERT' and old.submitted_at is not null then
        insert into procedure_count_change (day, service_id, kind_id, status, delay, n)
        values ((old.submitted_at at time zone 'Europe/Paris')::date, old.service_id, old.kind_id, old.status,
            delay_class(old.submitted_at, old.decided_at), -1);
    end if;
    if tg_op <> 'DELETE' and new.submitted_at is not null then
        insert into procedure_count_change (day, service_id, kind_id, status, delay, n)
        values ((new.submitted_at at time zone 'Europe/Paris')::date, new.service_id, new.kind_id, new.status,
            delay_class(new.submitted_at, new.decided_at), 1);
    end if;
    return null;
end $$;

CREATE FUNCTION public.delay_at(classes bigint[], share double precision) RETURNS double precision
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    AS $$
declare
    n bigint;
    total bigint := 0;
    up_to bigint := 0;
    class integer := 0;
begin
    foreach n in array classes loop
        total := total + coalesce(n, 0);
    end loop;
    if total = 0 then
        return null;
    end if;
    foreach n in array classes loop
        up_to := up_to + coalesce(n, 0);
        class := class + 1;
        exit when up_to >= total * share;
    end loop;
    return 1.1::float8 ^ (class - 1) - 1;
end $$;

COMMENT ON FUNCTION public.delay_at(classes bigint[], share double precision) IS 'Within how many hours a share of decisions was made (nearest rank), from how many fall into each class.';

CREATE FUNCTION public.delay_class(submitted_at timestamp with time zone, decided_at timestamp with time zone) RETURNS smallint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN (decided_at IS NOT NULL) THEN (LEAST(((1)::double precision + round((ln(((1)::double precision + ((GREATEST(EXTRACT(epoch FROM (decided_at - submitted_at)), (0)::numeric))::double precision / (3600)::double precision))) / ln((1.1)::double precision)))), (105)::double precision))::smallint ELSE NULL::smallint END;

COMMENT ON FUNCTION public.delay_class(submitted_at timestamp with time zone, decided_at timestamp with time zone) IS 'In which of 105 classes a delay falls, null while undecided; class c stands for 1.1 ^ (c - 1) - 1 hours, wrong by 5 % and 3 minutes at the most. The last one holds all beyond 2 years and 3 months.';

CREATE FUNCTION public.fold_procedure_counts(lines integer) RETURNS bigint
    LANGUAGE sql
    AS $$
    with taken as (
        delete from procedure_count_change where id in (select c.id from procedure_count_change c order by c.id limit lines)
        returning day, service_id, kind_id, status, delay, n
    ), both_grains as (
        select 'DAY' as grain, day as starts_on, service_id, kind_id, status, delay, n from taken
        union all
        select 'MONTH', date_trunc('month', day::timestamp)::date, service_id, kind_id, status, delay, n from taken
    ), by_class as (
        select grain, starts_on, service_id, kind_id, status, delay, sum(n)::integer as n
        from both_grains group by grain, starts_on, service_id, kind_id, status, delay having sum(n) <> 0
    ), summed as (
        select b.grain, b.starts_on, b.service_id, b.kind_id, b.status, sum(b.n)::integer as n,
            case when count(b.delay) > 0 then array(
                select coalesce(sum(o.n), 0)::integer from generate_series(1, 105) class
                left join unnest(array_agg(b.delay), array_agg(b.n)) o(delay, n) on o.delay = class
                group by class order by class) end as delays
        from by_class b group by b.grain, b.starts_on, b.service_id, b.kind_id, b.status
    ), written as (
        insert into procedure_count as t (grain, starts_on, service_id, kind_id, status, n, delays)
        select s.* from summed s order by 1, 2, 3, 4, 5
        on conflict (grain, starts_on, service_id, kind_id, status) do update
            set n = t.n + excluded.n, delays = added(t.delays, excluded.delays)
    )
    select count(*) from taken
$$;

COMMENT ON FUNCTION public.fold_procedure_counts(lines integer) IS 'Adds the oldest lines to the counts; gives how many there were.';

CREATE FUNCTION public.fold_revenue_counts(lines integer) RETURNS bigint
    LANGUAGE sql
    AS $$
    with taken as (
        delete from revenue_count_change where id in (select c.id from revenue_count_change c order by c.id limit lines)
        returning period, service_id, invoices, families, invoiced_cents, paid_cents
    ), written as (
        insert into revenue_count as t (period, service_id, invoices, families, invoiced_cents, paid_cents)
        select n.period, n.service_id, sum(n.invoices), sum(n.families), sum(n.invoiced_cents), sum(n.paid_cents)
        from taken n group by n.period, n.service_id order by n.period, n.service_id
        on conflict (period, service_id) do update set invoices = t.invoices + excluded.invoices,
            families = t.families + excluded.families, invoiced_cents = t.invoiced_cents + excluded.invoiced_cents,
            paid_cents = t.paid_cents + excluded.paid_cents
    )
    select count(*) from taken
$$;

COMMENT ON FUNCTION public.fold_revenue_counts(lines integer) IS 'Adds the oldest lines to the sums; gives how many there were.';

CREATE FUNCTION public.folded(words text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (' '::text || btrim(regexp_replace(translate(replace(replace(lower(regexp_replace(NORMALIZE(words, NFKD), '[\u0300-\u036f]'::text, ''::text, 'g'::text)), 'œ'::text, 'oe'::text), 'æ'::text, 'ae'::text), '!"#$%&''()*+,-./:;<=>?@[\]^_`{|}~’‘ʼ«»“”‐‑–—·'::text, repeat(' '::text, 44)), '\s+'::text, ' '::text, 'g'::text)));

COMMENT ON FUNCTION public.folded(words text) IS 'A text as it is searched: a blank before each word, no accents, capitals or punctuation.';

CREATE FUNCTION public.formatted_money(cents bigint, language text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE language WHEN 'en'::text THEN ((CASE WHEN (cents < 0) THEN '-'::text ELSE ''::text END || '€'::text) || to_char(((abs(cents))::numeric / 100.0), 'FM999,999,999,999,990.00'::text)) ELSE (translate(to_char(((cents)::numeric / 100.0), 'FM999,999,999,999,990.00'::text), ',.'::text, ' ,'::text) || ' €'::text) END;

COMMENT ON FUNCTION public.formatted_money(cents bigint, language text) IS 'An amount as people write it: 1 234,50 € or €1,234.50.';

CREATE FUNCTION public.viewer_agent() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (NULLIF(current_setting('kiosque.agent'::text, true), ''::text))::uuid;

COMMENT ON FUNCTION public.viewer_agent() IS 'The agent that looks, or null.';

CREATE TABLE public.document (
    family_id uuid NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    media_type text NOT NULL,
    size integer NOT NULL,
    sha256 bytea,
    expires_on date NOT NULL,
    uploaded_by uuid,
    created_at timestamp with time zone NOT NULL,
    scanned_at timestamp with time zone,
    erased_at timestamp with time zone,
    file_erased_at timestamp with time zone,
    agent_id uuid,
    procedure_id uuid,
    sent_at timestamp with time zone,
    CONSTRAINT document_check CHECK (((sha256 IS NULL) = (erased_at IS NOT NULL))),
    CONSTRAINT document_check1 CHECK (((erased_at IS NULL) OR (name = ''::text))),
    CONSTRAINT document_check2 CHECK (((file_erased_at IS NULL) OR (erased_at IS NOT NULL))),
    CONSTRAINT document_for_procedure CHECK (((agent_id IS NULL) = (procedure_id IS NULL))),
    CONSTRAINT document_from_one CHECK ((num_nonnulls(uploaded_by, agent_id) = 1)),
    CONSTRAINT document_media_type_check CHECK ((media_type = ANY (ARRAY['application/pdf'::text, 'image/jpeg'::text, 'image/png'::text, 'image/heic'::text, 'image/webp'::text, 'text/plain'::text]))),
    CONSTRAINT document_name_check CHECK ((length(name) <= 120)),
    CONSTRAINT document_sent CHECK (((sent_at IS NULL) OR (agent_id IS NOT NULL))),
    CONSTRAINT document_sha256_check CHECK ((length(sha256) = 32)),
    CONSTRAINT document_size_check CHECK ((size > 0))
);

ALTER TABLE ONLY public.document FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.document IS 'A file of a family; its key in the storage is made of family_id and id. The row is written when the file is safe.';

COMMENT ON COLUMN public.document.size IS 'Bytes, as uploaded.';

COMMENT ON COLUMN public.document.sha256 IS 'Of the bytes as uploaded.';

COMMENT ON COLUMN public.document.expires_on IS 'The last day on which it may be filed.';

COMMENT ON COLUMN public.document.uploaded_by IS 'The login that uploaded it; null where an agent did.';

COMMENT ON COLUMN public.document.scanned_at IS 'When the virus scanner found nothing in it; null where there is no scanner.';

COMMENT ON COLUMN public.document.erased_at IS 'When it was erased; what procedures it was filed with stays known.';

COMMENT ON COLUMN public.document.file_erased_at IS 'When its bytes were gone from the storage.';

COMMENT ON COLUMN public.document.agent_id IS 'The agent who uploaded it for the family; null where a login did.';

COMMENT ON COLUMN public.document.procedure_id IS 'The procedure that the agent uploaded it for.';

COMMENT ON COLUMN public.document.sent_at IS 'When the agent sent it with a message; before that the family does not see it.';

CREATE FUNCTION public.handed_in(family uuid, procedure uuid, document uuid) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (EXISTS (SELECT FROM public.document d WHERE ((d.family_id = handed_in.family) AND (d.id = handed_in.document) AND (d.procedure_id = handed_in.procedure) AND (d.agent_id = public.viewer_agent()))));

COMMENT ON FUNCTION public.handed_in(family uuid, procedure uuid, document uuid) IS 'True for a document that the agent that looks uploaded for a procedure.';

CREATE FUNCTION public.viewer_services() RETURNS uuid[]
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (NULLIF(current_setting('kiosque.services'::text, true), ''::text))::uuid[];

COMMENT ON FUNCTION public.viewer_services() IS 'The services of the agent that looks; null when it is not an agent.';

CREATE TABLE public.procedure (
    family_id uuid NOT NULL,
    id uuid NOT NULL,
    reference text NOT NULL,
    kind_id uuid CONSTRAINT procedure_kind_id_not_null1 NOT NULL,
    service_id uuid NOT NULL,
    member_id uuid,
    status text NOT NULL,
    event_count integer DEFAULT 0 NOT NULL,
    answers json NOT NULL,
    attestation text,
    submitted_at timestamp with time zone,
    implied_decision_on date,
    assigned_agent_id uuid,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    answers_erased_at timestamp with time zone,
    messages_erased_at timestamp with time zone,
    intake date,
    message_count integer DEFAULT 0 NOT NULL,
    clock_paused_at timestamp with time zone,
    paused_days integer DEFAULT 0 NOT NULL,
    decided_at timestamp with time zone,
    CONSTRAINT procedure_answers_check CHECK ((json_typeof(answers) <> 'null'::text)),
    CONSTRAINT procedure_check CHECK (((status = 'DRAFT'::text) OR (status = 'WITHDRAWN'::text) OR ((submitted_at IS NOT NULL) AND (attestation IS NOT NULL)))),
    CONSTRAINT procedure_paused_days_check CHECK ((paused_days >= 0)),
    CONSTRAINT procedure_status_check CHECK ((status = ANY (ARRAY['DRAFT'::text, 'SUBMITTED'::text, 'IN_REVIEW'::text, 'AWAITING_FAMILY'::text, 'ACCEPTED'::text, 'REJECTED'::text, 'CLOSED'::text, 'WITHDRAWN'::text])))
);

ALTER TABLE ONLY public.procedure FORCE ROW LEVEL SECURITY;

COMMENT ON COLUMN public.procedure.event_count IS 'Number of the last event; the next one takes the next number under this row''s lock.';

COMMENT ON COLUMN public.procedure.answers_erased_at IS 'When its answers were erased because the family does not keep them (R2), or their time had passed.';

COMMENT ON COLUMN public.procedure.intake IS 'Opening period in which it was submitted, see kind_intake; null before there were any.';

COMMENT ON COLUMN public.procedure.message_count IS 'Number of the last message; the next one takes the next number under this row''s lock.';

COMMENT ON COLUMN public.procedure.clock_paused_at IS 'Since when the clock stands because the family is asked for something (CRPA L114-5, L114-6).';

COMMENT ON COLUMN public.procedure.paused_days IS 'By how many days the answers of the family moved the implied decision.';

COMMENT ON COLUMN public.procedure.decided_at IS 'When the city decided, or silence did; null again when it is reopened.';

CREATE FUNCTION public.handled(family uuid, procedure uuid) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (EXISTS (SELECT FROM public.procedure p WHERE ((p.family_id = handled.family) AND (p.id = handled.procedure) AND (p.submitted_at IS NOT NULL) AND (p.service_id = ANY (public.viewer_services())))));

COMMENT ON FUNCTION public.handled(family uuid, procedure uuid) IS 'True for a submitted procedure of the services of the agent that looks.';

CREATE FUNCTION public.hold_money() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    if current_setting('transaction_isolation') = 'repeatable read' then
        raise exception 'sums of money need every committed row' using errcode = 'restrict_violation';
    end if;
    perform from payment where family_id = new.family_id and id = new.payment_id for no key update;
    if tg_table_name = 'allocation' then
        perform from invoice where family_id = new.family_id and id = new.invoice_id for no key update;
    end if;
    return new;
end $$;

CREATE FUNCTION public.holds_place(status text) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN (status = ANY (ARRAY['SUBMITTED'::text, 'IN_REVIEW'::text, 'AWAITING_FAMILY'::text, 'ACCEPTED'::text])) THEN 1 ELSE 0 END;

COMMENT ON FUNCTION public.holds_place(status text) IS '1 while a procedure takes one of the places of its kind, else 0.';

CREATE FUNCTION public.id_part(id text, place integer) RETURNS uuid
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN CASE WHEN (id ~ '^[A-Za-z0-9+/]{44}$'::text) THEN (encode(SUBSTRING(decode(id, 'base64'::text) FROM (2 + (16 * place)) FOR 16), 'hex'::text))::uuid ELSE NULL::uuid END;

COMMENT ON FUNCTION public.id_part(id text, place integer) IS 'The first (0) or second (1) uuid in the opaque id of a row of a family.';

CREATE FUNCTION public.implied_after_answer(before date, silence_means text, months integer, asked_on date, answered_on date) RETURNS date
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN LEAST(GREATEST(before, CASE silence_means WHEN 'ACCEPTED'::text THEN ((answered_on + make_interval(months => months)))::date ELSE (before + GREATEST((answered_on - asked_on), 0)) END), '9999-12-31'::date);

COMMENT ON FUNCTION public.implied_after_answer(before date, silence_means text, months integer, asked_on date, answered_on date) IS 'The day on which silence decides once the family has answered: where it accepts, the time begins anew with the answer; where it rejects, it stood still (CRPA L114-5).';

CREATE FUNCTION public.invoice_status(total integer, settled bigint, cancelled_at timestamp with time zone, due_on date, today date) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN (cancelled_at IS NOT NULL) THEN 'CANCELLED'::text WHEN (settled >= total) THEN 'PAID'::text WHEN (today > due_on) THEN 'OVERDUE'::text WHEN (settled > 0) THEN 'PARTLY_PAID'::text ELSE 'ISSUED'::text END;

COMMENT ON FUNCTION public.invoice_status(total integer, settled bigint, cancelled_at timestamp with time zone, due_on date, today date) IS 'Where an invoice stands: derived from its allocations, never stored.';

CREATE FUNCTION public.keep_agent() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    if current_user = 'kiosque_api' and not (viewer_is_admin() or viewer_is_system()) then
        raise exception 'only an administrator changes an agent' using errcode = 'insufficient_privilege';
    end if;
    return new;
end $$;

CREATE FUNCTION public.keep_audit_entry() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    if tg_op = 'UPDATE' and old.hash is null and current_user = 'kiosque_audit' then
        return new;
    end if;
    raise exception 'the audit log is append-only' using errcode = 'restrict_violation';
end $$;

CREATE FUNCTION public.keep_legal_clock() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.keep_money() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
declare still_empty text[];
begin
    if tg_op = 'UPDATE' and tg_nargs > 0 then
        select coalesce(array_agg(c), '{}') into still_empty from unnest(tg_argv) c where to_jsonb(old) ->> c is null;
        if to_jsonb(old) - still_empty <@ to_jsonb(new) then
            return new;
        end if;
    end if;
    raise exception '% keeps what was published', tg_table_name using errcode = 'restrict_violation';
end $$;

COMMENT ON FUNCTION public.keep_money() IS 'Refuses every change but the first value of the columns named.';

CREATE FUNCTION public.keep_terms() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    raise exception 'published terms of use are never changed' using errcode = 'restrict_violation';
end $$;

CREATE FUNCTION public.note_invoiced(sign integer, owners uuid[], ids uuid[]) RETURNS void
    LANGUAGE sql
    AS $$
    with named as (
        select distinct u.family_id, u.id from unnest(owners, ids) u(family_id, id)
    ), own as (
        select i.family_id, i.period, l.service_id, i.id, sum(l.cents) as cents
        from named n join invoice i on i.family_id = n.family_id and i.id = n.id
            join invoice_line l on l.family_id = i.family_id and l.invoice_id = i.id
        group by i.family_id, i.period, l.service_id, i.id
    )
    insert into revenue_count_change (period, service_id, invoices, families, invoiced_cents, paid_cents)
    select o.period, o.service_id, sign * count(*), sign * count(distinct o.family_id) filter (where not exists (
            select from invoice e join invoice_line l on l.family_id = e.family_id and l.invoice_id = e.id
            where e.family_id = o.family_id and e.period = o.period and e.cancelled_at is null
                and l.service_id = o.service_id and (e.family_id, e.id) not in (select n.family_id, n.id from named n))),
        sign * sum(o.cents), 0
    from own o group by o.period, o.service_id
$$;

COMMENT ON FUNCTION public.note_invoiced(sign integer, owners uuid[], ids uuid[]) IS 'Notes that invoices came to stand, or with sign −1 that they no longer do.';

CREATE FUNCTION public.note_paid(owners uuid[], ids uuid[], positions integer[], cents bigint[]) RETURNS void
    LANGUAGE sql
    AS $$
    with moved as (
        select u.family_id, u.id, u.position, sum(u.cents) as cents
        from unnest(owners, ids, positions, cents) u(family_id, id, position, cents) group by u.family_id, u.id, u.position
    ), stands as (
        select n.family_id, n.id, a.line_position as position, sum(a.cents) as cents
        from (select distinct m.family_id, m.id from moved m) n
            join allocation a on a.family_id = n.family_id and a.invoice_id = n.id and a.freed_at is null
        group by n.family_id, n.id, a.line_position
    ), settled as (
        select 1 as sign, s.family_id, s.id, s.position, s.cents from stands s
        union all
        select -1, s.family_id, s.id, s.position, sum(s.cents) from (
            select * from stands union all select m.family_id, m.id, m.position, -m.cents from moved m) s
        group by s.family_id, s.id, s.position
    ), sides as (
        select s.sign, s.family_id, s.id, coalesce(sum(s.cents) filter (where s.position is null), 0) as free
        from settled s group by s.sign, s.family_id, s.id
    ), lines as (
        select d.sign, d.family_id, d.id, d.free, l.service_id, coalesce(s.cents, 0) as own,
            sum(l.cents - coalesce(s.cents, 0)) over (along rows between unbounded preceding and unbounded following) as whole,
            sum(l.cents - coalesce(s.cents, 0)) over along as up_to,
            sum(l.cents - coalesce(s.cents, 0)) over along - (l.cents - coalesce(s.cents, 0)) as before
        from sides d join invoice_line l on l.family_id = d.family_id and l.invoice_id = d.id
            left join settled s on s.sign = d.sign and s.family_id = d.family_id and s.id = d.id and s.position = l.position
        window along as (partition by d.sign, d.family_id, d.id order by l.position)
    )
    insert into revenue_count_change (period, service_id, invoices, families, invoiced_cents, paid_cents)
    select i.period, l.service_id, 0, 0, 0, sum(l.sign * (l.own + case when l.whole <> 0 then
        round(l.free * l.up_to / l.whole) - round(l.free * l.before / l.whole) else 0 end))
    from lines l join invoice i on i.family_id = l.family_id and i.id = l.id
    group by i.period, l.service_id
    having sum(l.sign * (l.own + case when l.whole <> 0 then
        round(l.free * l.up_to / l.whole) - round(l.free * l.before / l.whole) else 0 end)) <> 0
$$;

COMMENT ON FUNCTION public.note_paid(owners uuid[], ids uuid[], positions integer[], cents bigint[]) IS 'Notes what of each service was settled by allocations that were just made, or with negative cents freed: the share now less the share before.';

CREATE FUNCTION public.note_procedure_event() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    insert into procedure_feed (family_id, procedure_id, number, service_id)
    select e.family_id, e.procedure_id, e.number, e.service_id from written e
    where (e.from_status, e.to_status) <> ('DRAFT', 'WITHDRAWN')
    order by e.occurred_at, e.family_id, e.procedure_id, e.number;
    perform pg_notify('kiosque_noted', '');
    return null;
end $$;

CREATE FUNCTION public.outbox_state() RETURNS TABLE(age_seconds double precision, dead_letters bigint, channels text[], statuses text[], counts bigint[])
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public'
    AS $$
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

CREATE FUNCTION public.page_query(words text) RETURNS tsquery
    LANGUAGE sql STABLE PARALLEL SAFE
    SET "pg_trgm.similarity_threshold" TO '0.45'
    AS $_$
    with given as (
        select g.plain, g.n from unnest(string_to_array(btrim(left(folded(words), 200)), ' ')) with ordinality g(plain, n)
        where g.plain ~ '^[[:alnum:]]+$'
    ), meant as (
        select g.n, coalesce(
            (select string_agg(k.word, ' | ') from (
                select k.word from page_word k where k.plain % g.plain and similarity(k.plain, g.plain) >= 0.65
                order by similarity(k.plain, g.plain) desc, k.word limit 6) k),
            (select k.word from page_word k where k.plain % g.plain order by similarity(k.plain, g.plain) desc, k.word limit 1),
            g.plain) as spellings
        from given g
    ), query as (
        select coalesce(string_agg('(' || spellings || ')', ' & ' order by n), '') as words from meant
    )
    select to_tsquery('french', words) || to_tsquery('english', words) from query
$_$;

COMMENT ON FUNCTION public.page_query(words text) IS 'What a search means: for each word the words of pages that are spelled almost alike, so that accents and endings do not matter; else the most similar one.';

CREATE TABLE public.maintenance (
    id uuid NOT NULL,
    starts_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone,
    message_fr text NOT NULL,
    message_en text NOT NULL,
    agents_may_work boolean NOT NULL,
    created_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT maintenance_check CHECK ((ends_at > starts_at)),
    CONSTRAINT maintenance_message_en_check CHECK (((length(message_en) >= 1) AND (length(message_en) <= 2000))),
    CONSTRAINT maintenance_message_fr_check CHECK (((length(message_fr) >= 1) AND (length(message_fr) <= 2000)))
);

COMMENT ON TABLE public.maintenance IS 'Times at which families only read (R8), planned or immediate.';

COMMENT ON COLUMN public.maintenance.ends_at IS 'When it ends by itself; null when nobody knows yet.';

COMMENT ON COLUMN public.maintenance.ended_at IS 'When an agent ended, cancelled or replaced it.';

CREATE FUNCTION public.present_maintenance(moment timestamp with time zone) RETURNS SETOF public.maintenance
    LANGUAGE sql STABLE
    AS $$
    select * from maintenance
    where ended_at is null and (ends_at is null or ends_at > moment)
    order by starts_at > moment, greatest(starts_at - moment, moment - starts_at), id limit 1
$$;

CREATE FUNCTION public.price_reason(reason text, low integer, high integer, since date, source text, language text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE ((reason || '/'::text) || language) WHEN 'SAME_FOR_ALL/fr'::text THEN 'Prix unique.'::text WHEN 'SAME_FOR_ALL/en'::text THEN 'One price for all.'::text WHEN 'UNKNOWN/fr'::text THEN ('Quotient familial inconnu à ces dates'::text || ' : prix le plus élevé.'::text) WHEN 'UNKNOWN/en'::text THEN 'Quotient familial unknown on these days: highest price.'::text WHEN 'BRACKET/fr'::text THEN ((((('Quotient familial '::text || CASE source WHEN 'TAX_NOTICE'::text THEN '(avis d’imposition'::text WHEN 'OTHER'::text THEN '(autre document'::text ELSE ('('::text || source) END) || ', depuis le '::text) || to_char((since)::timestamp with time zone, 'DD/MM/YYYY'::text)) || ') : tranche '::text) || CASE WHEN (high IS NULL) THEN (('à partir de '::text || low) || ' €.'::text) ELSE (((('de '::text || low) || ' à moins de '::text) || high) || ' €.'::text) END) WHEN 'BRACKET/en'::text THEN ((((('Quotient familial '::text || CASE source WHEN 'TAX_NOTICE'::text THEN '(tax notice'::text WHEN 'OTHER'::text THEN '(other document'::text ELSE ('('::text || source) END) || ', since '::text) || to_char((since)::timestamp with time zone, 'FMDD FMMonth YYYY'::text)) || '): bracket '::text) || CASE WHEN (high IS NULL) THEN (('from €'::text || low) || '.'::text) ELSE (((('from €'::text || low) || ' to below €'::text) || high) || '.'::text) END) ELSE NULL::text END;

CREATE FUNCTION public.revenue(first_month date, last_month date, codes text[], of_services uuid[], everywhere boolean) RETURNS TABLE(id text, month date, service_id uuid, invoices bigint, families bigint, invoiced_cents bigint, paid_cents bigint)
    LANGUAGE sql STABLE
    AS $$
    select c.period || '/' || s.code, c.period, c.service_id, sum(c.invoices), sum(c.families),
        case when everywhere or sum(c.families) >= 5 then sum(c.invoiced_cents)::bigint end,
        case when everywhere or sum(c.families) >= 5 then sum(c.paid_cents)::bigint end
    from (
        select t.period, t.service_id, t.invoices, t.families, t.invoiced_cents, t.paid_cents from revenue_count t
        union all
        select t.period, t.service_id, t.invoices, t.families, t.invoiced_cents, t.paid_cents from revenue_count_change t
    ) c join service s on s.id = c.service_id
    where (everywhere or c.service_id = any (of_services)) and (codes is null or s.code = any (codes))
        and c.period >= coalesce(date_trunc('month', first_month::timestamp)::date, date '0001-01-01')
        and c.period <= coalesce(last_month, date '9999-12-31')
    group by c.period, c.service_id, s.code having sum(c.invoices) > 0
$$;

COMMENT ON FUNCTION public.revenue(first_month date, last_month date, codes text[], of_services uuid[], everywhere boolean) IS 'Revenue by month and service; whoever may not see the invoices themselves gets no sums over fewer than five families.';

CREATE FUNCTION public.ring_city() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    perform pg_notify('kiosque_city', '');
    return null;
end $$;

CREATE FUNCTION public.ring_documents() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    perform pg_notify('kiosque_documents', '');
    return null;
end $$;

CREATE FUNCTION public.ring_feed() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    perform pg_notify('kiosque_feed', '');
    return null;
end $$;

CREATE FUNCTION public.ring_inbox() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    perform pg_notify('kiosque_inbox', new.family_id::text);
    return null;
end $$;

CREATE FUNCTION public.ring_lane() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    perform pg_notify('kiosque_lane', '');
    return null;
end $$;

CREATE FUNCTION public.ring_news() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    perform pg_notify('kiosque_news', '');
    return null;
end $$;

CREATE FUNCTION public.ring_session() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    perform pg_notify('kiosque_session', new.id::text);
    return null;
end $$;

CREATE FUNCTION public.ring_signing_key() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    perform pg_notify('kiosque_signing_key', '');
    return null;
end $$;

CREATE FUNCTION public.ring_webhook() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    perform pg_notify('kiosque_webhook', '');
    return null;
end $$;

CREATE FUNCTION public.ring_work() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    perform pg_notify('kiosque_work', new.service_id || ' ' || new.family_id || ' ' || new.id);
    return null;
end $$;

CREATE FUNCTION public.statistics(wanted text[], first_day date, last_day date, codes text[], of_services uuid[], everywhere boolean) RETURNS TABLE(id text, month date, service_id uuid, kind_code text, status text, submitted bigint, open bigint, accepted bigint, rejected bigint, classes bigint[])
    LANGUAGE sql STABLE
    AS $$
    with asked as (
        select a.since, a.until, date_trunc('month', (a.since + interval '1 month' - interval '1 day'))::date as first_month,
            date_trunc('month', a.until::timestamp)::date as end_month
        from (select coalesce(first_day, date '0001-01-01') as since, coalesce(last_day, date '9998-12-31') + 1 as until) a
    ), cells as (
        select t.starts_on as day, t.service_id, t.kind_id, t.status, t.n, t.delays, null::smallint as delay
        from procedure_count t
        where t.grain = 'MONTH' and t.starts_on >= (select a.first_month from asked a)
            and t.starts_on < (select a.end_month from asked a)
        union all
        select t.starts_on, t.service_id, t.kind_id, t.status, t.n, t.delays, null from procedure_count t
        where t.grain = 'DAY' and t.starts_on >= (select a.since from asked a)
            and t.starts_on < (select least(a.first_month, a.until) from asked a)
        union all
        select t.starts_on, t.service_id, t.kind_id, t.status, t.n, t.delays, null from procedure_count t
        where t.grain = 'DAY' and t.starts_on >= (select greatest(a.end_month, a.first_month) from asked a)
            and t.starts_on < (select a.until from asked a)
        union all
        select c.day, c.service_id, c.kind_id, c.status, sum(c.n)::integer, null, c.delay from procedure_count_change c
        where c.day >= (select a.since from asked a) and c.day < (select a.until from asked a)
        group by c.day, c.service_id, c.kind_id, c.status, c.delay having sum(c.n) <> 0
    ), chosen as (
        select case when 'MONTH' = any (wanted) then date_trunc('month', c.day::timestamp)::date end as month,
            case when 'SERVICE' = any (wanted) then c.service_id end as service_id,
            case when 'KIND' = any (wanted) then k.code end as kind_code,
            case when 'STATUS' = any (wanted) then c.status end as status, c.status as stands, c.n, c.delays, c.delay
        from cells c join procedure_kind k on k.id = c.kind_id
        where (everywhere or c.service_id = any (of_services))
            and (codes is null or c.service_id = any (array(select s.id from service s where s.code = any (codes))))
    ), counted as (
        select c.month, c.service_id, c.kind_code, c.status, sum(c.n)::bigint as submitted,
            coalesce(sum(c.n) filter (where c.stands in ('SUBMITTED', 'IN_REVIEW', 'AWAITING_FAMILY')), 0)::bigint as open,
            coalesce(sum(c.n) filter (where c.stands = 'ACCEPTED'), 0)::bigint as accepted,
            coalesce(sum(c.n) filter (where c.stands = 'REJECTED'), 0)::bigint as rejected
        from chosen c group by c.month, c.service_id, c.kind_code, c.status having sum(c.n) <> 0
    ), decided as (
        select c.month, c.service_id, c.kind_code, c.status, array[sum(coalesce(c.delays[1], case when c.delay = 1 then c.n end)), sum(coalesce(c.delays[2], case when c.delay = 2 then c.n end)), sum(coalesce(c.delays[3], case when c.delay = 3 then c.n end)), sum(coalesce(c.delays[4], case when c.delay = 4 then c.n end)), sum(coalesce(c.delays[5], case when c.delay = 5 then c.n end)), sum(coalesce(c.delays[6], case when c.delay = 6 then c.n end)), sum(coalesce(c.delays[7], case when c.delay = 7 then c.n end)), sum(coalesce(c.delays[8], case when c.delay = 8 then c.n end)), sum(coalesce(c.delays[9], case when c.delay = 9 then c.n end)), sum(coalesce(c.delays[10], case when c.delay = 10 then c.n end)), sum(coalesce(c.delays[11], case when c.delay = 11 then c.n end)), sum(coalesce(c.delays[12], case when c.delay = 12 then c.n end)), sum(coalesce(c.delays[13], case when c.delay = 13 then c.n end)), sum(coalesce(c.delays[14], case when c.delay = 14 then c.n end)), sum(coalesce(c.delays[15], case when c.delay = 15 then c.n end)), sum(coalesce(c.delays[16], case when c.delay = 16 then c.n end)), sum(coalesce(c.delays[17], case when c.delay = 17 then c.n end)), sum(coalesce(c.delays[18], case when c.delay = 18 then c.n end)), sum(coalesce(c.delays[19], case when c.delay = 19 then c.n end)), sum(coalesce(c.delays[20], case when c.delay = 20 then c.n end)), sum(coalesce(c.delays[21], case when c.delay = 21 then c.n end)), sum(coalesce(c.delays[22], case when c.delay = 22 then c.n end)), sum(coalesce(c.delays[23], case when c.delay = 23 then c.n end)), sum(coalesce(c.delays[24], case when c.delay = 24 then c.n end)), sum(coalesce(c.delays[25], case when c.delay = 25 then c.n end)), sum(coalesce(c.delays[26], case when c.delay = 26 then c.n end)), sum(coalesce(c.delays[27], case when c.delay = 27 then c.n end)), sum(coalesce(c.delays[28], case when c.delay = 28 then c.n end)), sum(coalesce(c.delays[29], case when c.delay = 29 then c.n end)), sum(coalesce(c.delays[30], case when c.delay = 30 then c.n end)), sum(coalesce(c.delays[31], case when c.delay = 31 then c.n end)), sum(coalesce(c.delays[32], case when c.delay = 32 then c.n end)), sum(coalesce(c.delays[33], case when c.delay = 33 then c.n end)), sum(coalesce(c.delays[34], case when c.delay = 34 then c.n end)), sum(coalesce(c.delays[35], case when c.delay = 35 then c.n end)), sum(coalesce(c.delays[36], case when c.delay = 36 then c.n end)), sum(coalesce(c.delays[37], case when c.delay = 37 then c.n end)), sum(coalesce(c.delays[38], case when c.delay = 38 then c.n end)), sum(coalesce(c.delays[39], case when c.delay = 39 then c.n end)), sum(coalesce(c.delays[40], case when c.delay = 40 then c.n end)), sum(coalesce(c.delays[41], case when c.delay = 41 then c.n end)), sum(coalesce(c.delays[42], case when c.delay = 42 then c.n end)), sum(coalesce(c.delays[43], case when c.delay = 43 then c.n end)), sum(coalesce(c.delays[44], case when c.delay = 44 then c.n end)), sum(coalesce(c.delays[45], case when c.delay = 45 then c.n end)), sum(coalesce(c.delays[46], case when c.delay = 46 then c.n end)), sum(coalesce(c.delays[47], case when c.delay = 47 then c.n end)), sum(coalesce(c.delays[48], case when c.delay = 48 then c.n end)), sum(coalesce(c.delays[49], case when c.delay = 49 then c.n end)), sum(coalesce(c.delays[50], case when c.delay = 50 then c.n end)), sum(coalesce(c.delays[51], case when c.delay = 51 then c.n end)), sum(coalesce(c.delays[52], case when c.delay = 52 then c.n end)), sum(coalesce(c.delays[53], case when c.delay = 53 then c.n end)), sum(coalesce(c.delays[54], case when c.delay = 54 then c.n end)), sum(coalesce(c.delays[55], case when c.delay = 55 then c.n end)), sum(coalesce(c.delays[56], case when c.delay = 56 then c.n end)), sum(coalesce(c.delays[57], case when c.delay = 57 then c.n end)), sum(coalesce(c.delays[58], case when c.delay = 58 then c.n end)), sum(coalesce(c.delays[59], case when c.delay = 59 then c.n end)), sum(coalesce(c.delays[60], case when c.delay = 60 then c.n end)), sum(coalesce(c.delays[61], case when c.delay = 61 then c.n end)), sum(coalesce(c.delays[62], case when c.delay = 62 then c.n end)), sum(coalesce(c.delays[63], case when c.delay = 63 then c.n end)), sum(coalesce(c.delays[64], case when c.delay = 64 then c.n end)), sum(coalesce(c.delays[65], case when c.delay = 65 then c.n end)), sum(coalesce(c.delays[66], case when c.delay = 66 then c.n end)), sum(coalesce(c.delays[67], case when c.delay = 67 then c.n end)), sum(coalesce(c.delays[68], case when c.delay = 68 then c.n end)), sum(coalesce(c.delays[69], case when c.delay = 69 then c.n end)), sum(coalesce(c.delays[70], case when c.delay = 70 then c.n end)), sum(coalesce(c.delays[71], case when c.delay = 71 then c.n end)), sum(coalesce(c.delays[72], case when c.delay = 72 then c.n end)), sum(coalesce(c.delays[73], case when c.delay = 73 then c.n end)), sum(coalesce(c.delays[74], case when c.delay = 74 then c.n end)), sum(coalesce(c.delays[75], case when c.delay = 75 then c.n end)), sum(coalesce(c.delays[76], case when c.delay = 76 then c.n end)), sum(coalesce(c.delays[77], case when c.delay = 77 then c.n end)), sum(coalesce(c.delays[78], case when c.delay = 78 then c.n end)), sum(coalesce(c.delays[79], case when c.delay = 79 then c.n end)), sum(coalesce(c.delays[80], case when c.delay = 80 then c.n end)), sum(coalesce(c.delays[81], case when c.delay = 81 then c.n end)), sum(coalesce(c.delays[82], case when c.delay = 82 then c.n end)), sum(coalesce(c.delays[83], case when c.delay = 83 then c.n end)), sum(coalesce(c.delays[84], case when c.delay = 84 then c.n end)), sum(coalesce(c.delays[85], case when c.delay = 85 then c.n end)), sum(coalesce(c.delays[86], case when c.delay = 86 then c.n end)), sum(coalesce(c.delays[87], case when c.delay = 87 then c.n end)), sum(coalesce(c.delays[88], case when c.delay = 88 then c.n end)), sum(coalesce(c.delays[89], case when c.delay = 89 then c.n end)), sum(coalesce(c.delays[90], case when c.delay = 90 then c.n end)), sum(coalesce(c.delays[91], case when c.delay = 91 then c.n end)), sum(coalesce(c.delays[92], case when c.delay = 92 then c.n end)), sum(coalesce(c.delays[93], case when c.delay = 93 then c.n end)), sum(coalesce(c.delays[94], case when c.delay = 94 then c.n end)), sum(coalesce(c.delays[95], case when c.delay = 95 then c.n end)), sum(coalesce(c.delays[96], case when c.delay = 96 then c.n end)), sum(coalesce(c.delays[97], case when c.delay = 97 then c.n end)), sum(coalesce(c.delays[98], case when c.delay = 98 then c.n end)), sum(coalesce(c.delays[99], case when c.delay = 99 then c.n end)), sum(coalesce(c.delays[100], case when c.delay = 100 then c.n end)), sum(coalesce(c.delays[101], case when c.delay = 101 then c.n end)), sum(coalesce(c.delays[102], case when c.delay = 102 then c.n end)), sum(coalesce(c.delays[103], case when c.delay = 103 then c.n end)), sum(coalesce(c.delays[104], case when c.delay = 104 then c.n end)), sum(coalesce(c.delays[105], case when c.delay = 105 then c.n end))]::bigint[] as classes
        from chosen c where c.delays is not null or c.delay is not null
        group by c.month, c.service_id, c.kind_code, c.status
    )
    select concat_ws('/', coalesce(c.month::text, '*'), coalesce((select s.code from service s where s.id = c.service_id), '*'),
            coalesce(c.kind_code, '*'), coalesce(c.status, '*')),
        c.month, c.service_id, c.kind_code, c.status, c.submitted, c.open, c.accepted, c.rejected, d.classes
    from counted c left join decided d on coalesce(d.month, date '0001-01-01') = coalesce(c.month, date '0001-01-01')
        and coalesce(d.service_id, uuid '00000000-0000-0000-0000-000000000000')
            = coalesce(c.service_id, uuid '00000000-0000-0000-0000-000000000000')
        and coalesce(d.kind_code, '') = coalesce(c.kind_code, '') and coalesce(d.status, '') = coalesce(c.status, '')
$$;

COMMENT ON FUNCTION public.statistics(wanted text[], first_day date, last_day date, codes text[], of_services uuid[], everywhere boolean) IS 'Procedures submitted from one day to another, by what is wanted of MONTH, SERVICE, KIND, STATUS: whole months from their counts, the days at both ends from theirs. For classes see delay_at.';

CREATE FUNCTION public.till_totals(of_day date) RETURNS TABLE(id text, day date, means text, count integer, cents integer, forfeited_cents integer, refunded_cents integer)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'public'
    AS $$
    select to_char(of_day, 'YYYY-MM-DD') || '/' || m.means, of_day, m.means, sum(m.n)::integer, sum(m.cents)::integer,
        sum(m.forfeited)::integer, sum(m.refunded)::integer
    from (
        select p.means, 1 as n, p.cents, p.forfeited_cents as forfeited, 0 as refunded from payment p
        where p.received_on = of_day and p.source in ('COUNTER', 'POST') and p.undone_at is null
        union all
        select r.means, 0, 0, 0, r.cents from refund r where r.refunded_on = of_day
    ) m group by m.means
$$;

COMMENT ON FUNCTION public.till_totals(of_day date) IS 'What the till took and gave on a day, by means.';

CREATE FUNCTION public.viewer_family() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (NULLIF(current_setting('kiosque.family'::text, true), ''::text))::uuid;

COMMENT ON FUNCTION public.viewer_family() IS 'The family that looks, or null.';

CREATE FUNCTION public.viewer_is_admin() RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (COALESCE(current_setting('kiosque.admin'::text, true), ''::text) = 'on'::text);

COMMENT ON FUNCTION public.viewer_is_admin() IS 'True for an agent with the role ADMIN.';

CREATE FUNCTION public.viewer_is_cashier() RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (COALESCE(current_setting('kiosque.cashier'::text, true), ''::text) = 'on'::text);

COMMENT ON FUNCTION public.viewer_is_cashier() IS 'True for an agent who may see and take money: roles CASHIER and ADMIN.';

CREATE FUNCTION public.viewer_is_system() RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (COALESCE(current_setting('kiosque.system'::text, true), ''::text) = 'on'::text);

COMMENT ON FUNCTION public.viewer_is_system() IS 'True for the portal itself: sign-in, activation, imports, scheduled jobs.';

CREATE FUNCTION public.viewer_partner() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (NULLIF(current_setting('kiosque.partner'::text, true), ''::text))::uuid;

COMMENT ON FUNCTION public.viewer_partner() IS 'The partner that looks, or null.';

CREATE FUNCTION public.viewer_partner_services(scope text) RETURNS uuid[]
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE WHEN (scope = ANY (string_to_array(COALESCE(current_setting('kiosque.partner_scopes'::text, true), ''::text), ' '::text))) THEN (NULLIF(current_setting('kiosque.partner_services'::text, true), ''::text))::uuid[] ELSE NULL::uuid[] END;

COMMENT ON FUNCTION public.viewer_partner_services(scope text) IS 'The services that the partner that looks may read under a scope; null when it has not got it.';

CREATE TABLE public.account (
    family_id uuid NOT NULL,
    id uuid NOT NULL,
    email text NOT NULL,
    email_verified_at timestamp with time zone,
    password_hash text NOT NULL,
    language text DEFAULT 'fr'::text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    locked_at timestamp with time zone,
    unlocked_at timestamp with time zone,
    member_id uuid,
    removed_at timestamp with time zone,
    CONSTRAINT account_email_check CHECK (((email = lower(email)) AND (length(email) <= 254))),
    CONSTRAINT account_language_check CHECK ((language = ANY (ARRAY['fr'::text, 'en'::text])))
);

ALTER TABLE ONLY public.account FORCE ROW LEVEL SECURITY;

COMMENT ON COLUMN public.account.locked_at IS 'Since when its family says that somebody else uses it; null when it is not locked.';

COMMENT ON COLUMN public.account.unlocked_at IS 'When it was last unlocked: alerts from before cannot lock it again.';

COMMENT ON COLUMN public.account.member_id IS 'The adult whose login it is, where it was said at the invitation.';

COMMENT ON COLUMN public.account.removed_at IS 'When another login of the family removed it; its address and password are erased then.';

CREATE TABLE public.acknowledgement (
    family_id uuid NOT NULL,
    procedure_id uuid NOT NULL,
    id uuid NOT NULL,
    service_id uuid NOT NULL,
    received_at timestamp with time zone NOT NULL,
    implied_decision_on date NOT NULL,
    silence_means text NOT NULL,
    service json NOT NULL,
    content json,
    content_sha256 text NOT NULL,
    CONSTRAINT acknowledgement_content_check CHECK ((json_typeof(content) = 'object'::text)),
    CONSTRAINT acknowledgement_content_sha256_check CHECK ((content_sha256 ~ '^[0-9a-f]{64}$'::text)),
    CONSTRAINT acknowledgement_service_check CHECK ((json_typeof(service) = 'object'::text)),
    CONSTRAINT acknowledgement_silence_means_check CHECK ((silence_means = ANY (ARRAY['ACCEPTED'::text, 'REJECTED'::text])))
);

ALTER TABLE ONLY public.acknowledgement FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.acknowledgement IS 'The acknowledgement of receipt of a procedure, as it was given (CRPA L112-3, R112-5, R112-11-1); never changed.';

COMMENT ON COLUMN public.acknowledgement.content IS 'What was submitted, as text in one canonical order; erased with the answers (R2), its hash stays.';

COMMENT ON COLUMN public.acknowledgement.content_sha256 IS 'SHA-256 of the bytes of `content`.';

CREATE TABLE public.activation_code (
    family_id uuid NOT NULL,
    id uuid NOT NULL,
    code_hmac bytea NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone,
    issued_by uuid,
    created_at timestamp with time zone NOT NULL
);

ALTER TABLE ONLY public.activation_code FORCE ROW LEVEL SECURITY;

CREATE TABLE public.address (
    family_id uuid NOT NULL,
    id uuid NOT NULL,
    account_id uuid,
    channel text NOT NULL,
    value text NOT NULL,
    verified_at timestamp with time zone,
    retired_at timestamp with time zone,
    retired_reason text,
    created_at timestamp with time zone NOT NULL,
    source text DEFAULT 'FAMILY'::text NOT NULL,
    target json,
    label text,
    dead_untold boolean DEFAULT false NOT NULL,
    CONSTRAINT address_channel_check CHECK ((channel = ANY (ARRAY['EMAIL'::text, 'SMS'::text, 'WEB_PUSH'::text, 'MOBILE_PUSH'::text, 'POST'::text]))),
    CONSTRAINT address_label_check CHECK (((length(label) >= 1) AND (length(label) <= 200))),
    CONSTRAINT address_source_check CHECK ((source = ANY (ARRAY['FAMILY'::text, 'CITY'::text]))),
    CONSTRAINT address_value_check CHECK (((length(value) >= 1) AND (length(value) <= 2000)))
);

ALTER TABLE ONLY public.address FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.address IS 'Where a family can be reached; one that proves dead is retired, never deleted by a channel.';

COMMENT ON COLUMN public.address.source IS 'Who gave it: the family, or the city''s register, which nobody has verified.';

COMMENT ON COLUMN public.address.target IS 'What a push service needs: endpoint and keys, or a token. The value is then a fingerprint of it.';

COMMENT ON COLUMN public.address.label IS 'What the family calls the device.';

COMMENT ON COLUMN public.address.dead_untold IS 'It proved dead, and neither the staff nor the family have been told yet.';

CREATE TABLE public.agent (
    id uuid NOT NULL,
    email text NOT NULL,
    name text NOT NULL,
    password_hash text NOT NULL,
    roles text[] NOT NULL,
    services uuid[] DEFAULT '{}'::uuid[] NOT NULL,
    created_at timestamp with time zone NOT NULL,
    disabled_at timestamp with time zone,
    CONSTRAINT agent_email_check CHECK ((email = lower(email))),
    CONSTRAINT agent_roles_check CHECK (((roles <@ ARRAY['AGENT'::text, 'CASHIER'::text, 'EDITOR'::text, 'ADMIN'::text]) AND (cardinality(roles) > 0)))
);

COMMENT ON TABLE public.agent IS 'City staff; sees the procedures of its services.';

CREATE TABLE public.agent_challenge (
    id uuid NOT NULL,
    agent_id uuid NOT NULL,
    purpose text NOT NULL,
    shared_computer boolean DEFAULT false NOT NULL,
    nonce bytea NOT NULL,
    sealed_secret bytea,
    failures integer DEFAULT 0 NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT agent_challenge_purpose_check CHECK ((purpose = ANY (ARRAY['SIGN_IN'::text, 'ENROL_TOTP'::text, 'ADD_PASSKEY'::text])))
);

ALTER TABLE ONLY public.agent_challenge FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.agent_challenge IS 'What an agent was asked to prove: answered once, for a few minutes, with a few wrong answers at the most.';

CREATE TABLE public.agent_notice (
    agent_id uuid NOT NULL,
    id uuid NOT NULL,
    type text NOT NULL,
    data json NOT NULL,
    created_at timestamp with time zone NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    next_try_at timestamp with time zone NOT NULL,
    sent_at timestamp with time zone,
    failed_at timestamp with time zone,
    CONSTRAINT agent_notice_type_check CHECK ((type ~ '^agent_[a-z_]+$'::text))
);

ALTER TABLE ONLY public.agent_notice FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.agent_notice IS 'Mails to the city''s staff: months, counts and codes, nothing about a family.';

CREATE TABLE public.agent_task (
    family_id uuid NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL,
    roles text[] NOT NULL,
    subject_id uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    done_at timestamp with time zone,
    done_by uuid,
    service_id uuid,
    CONSTRAINT agent_task_check CHECK (((done_by IS NULL) OR (done_at IS NOT NULL))),
    CONSTRAINT agent_task_kind_check CHECK ((kind = ANY (ARRAY['UNAUTHORIZED_USE'::text, 'DEADLINE_NEAR'::text, 'UNEXPLAINED_CREDIT'::text, 'BANK_MISMATCH'::text, 'DEBIT_RETURNED'::text, 'EMAIL_UNREACHABLE'::text]))),
    CONSTRAINT agent_task_roles_check CHECK (((roles <@ ARRAY['AGENT'::text, 'CASHIER'::text, 'EDITOR'::text, 'ADMIN'::text]) AND (cardinality(roles) > 0)))
);

ALTER TABLE ONLY public.agent_task FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.agent_task IS 'What waits for a member of the staff with one of the roles; one open task a kind and subject.';

COMMENT ON COLUMN public.agent_task.done_by IS 'Who did it; nobody where what it asked for settled itself.';

COMMENT ON COLUMN public.agent_task.service_id IS 'Of a task for the agents of one service.';

CREATE TABLE public.allocation (
    family_id uuid NOT NULL,
    id uuid NOT NULL,
    payment_id uuid NOT NULL,
    invoice_id uuid NOT NULL,
    line_position integer,
    cents integer NOT NULL,
    allocated_at timestamp with time zone NOT NULL,
    freed_at timestamp with time zone,
    freed_because text,
    CONSTRAINT allocation_cents_check CHECK ((cents > 0)),
    CONSTRAINT allocation_check CHECK (((freed_at IS NULL) = (freed_because IS NULL))),
    CONSTRAINT allocation_freed_because_check CHECK ((freed_because = ANY (ARRAY['UNDONE'::text, 'CANCELLED'::text])))
);

ALTER TABLE ONLY public.allocation FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.allocation IS 'What a payment settles. Never deleted: freed when the payment is undone or the invoice cancelled.';

COMMENT ON COLUMN public.allocation.line_position IS 'The line that it settles, where the means is good for some lines only (CESU).';

CREATE TABLE public.bank_message (
    family_id uuid NOT NULL,
    id uuid NOT NULL,
    attempt_id uuid NOT NULL,
    bank text NOT NULL,
    source text NOT NULL,
    verdict text NOT NULL,
    bank_status text,
    cents integer,
    transaction_id text,
    fingerprint bytea NOT NULL,
    payment_id uuid,
    times integer DEFAULT 1 NOT NULL,
    first_at timestamp with time zone NOT NULL,
    last_at timestamp with time zone NOT NULL,
    CONSTRAINT bank_message_bank_status_check CHECK ((bank_status ~ '^[A-Z_]{1,40}$'::text)),
    CONSTRAINT bank_message_check CHECK (((verdict = 'BOOKED'::text) = (payment_id IS NOT NULL))),
    CONSTRAINT bank_message_fingerprint_check CHECK ((length(fingerprint) = 32)),
    CONSTRAINT bank_message_source_check CHECK ((source = ANY (ARRAY['NOTIFICATION'::text, 'ENQUIRY'::text]))),
    CONSTRAINT bank_message_times_check CHECK ((times > 0)),
    CONSTRAINT bank_message_transaction_id_check CHECK ((transaction_id ~ '^[0-9A-Za-z-]{1,64}$'::text)),
    CONSTRAINT bank_message_verdict_check CHECK ((verdict ~ '^[A-Z_]{3,20}$'::text))
);

ALTER TABLE ONLY public.bank_message FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.bank_message IS 'What a bank said of an attempt, and what we made of it. The columns are all that is kept of a message: no card, no expiry, no brand, no holder, and never the message itself (R35).';

COMMENT ON COLUMN public.bank_message.fingerprint IS 'SHA-256 of what was compared, so that the same message is one row, however often it comes.';

CREATE TABLE public.billing_check (
    family_id uuid NOT NULL,
    run_id uuid NOT NULL,
    id uuid NOT NULL,
    code text NOT NULL,
    tariff_id uuid,
    day date,
    before_cents integer,
    now_cents integer,
    member_id uuid,
    CONSTRAINT billing_check_code_check CHECK ((code = ANY (ARRAY['NO_PRICE'::text, 'QUOTIENT_MISSING'::text, 'ZERO_AMOUNT'::text, 'HUGE_AMOUNT'::text, 'DIFFERENCE'::text, 'REPLACES'::text, 'OVERTAKEN'::text, 'TOO_LARGE'::text])))
);

ALTER TABLE ONLY public.billing_check FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.billing_check IS 'What an agent should look at before publishing; NO_PRICE must be mended first.';

COMMENT ON COLUMN public.billing_check.member_id IS 'Of TOO_LARGE: who used what the line is about.';

CREATE TABLE public.billing_run (
    id uuid NOT NULL,
    period date NOT NULL,
    service_id uuid,
    kind text NOT NULL,
    state text NOT NULL,
    families_total integer DEFAULT 0 NOT NULL,
    families_done integer DEFAULT 0 NOT NULL,
    drafted_up_to uuid,
    invoices_told integer DEFAULT 0 NOT NULL,
    issued_on date,
    due_on date,
    first_number text,
    last_number text,
    left_out integer DEFAULT 0 NOT NULL,
    started_by uuid,
    started_at timestamp with time zone NOT NULL,
    drafted_at timestamp with time zone,
    published_by uuid,
    published_at timestamp with time zone,
    told_at timestamp with time zone,
    discarded_by uuid,
    discarded_at timestamp with time zone,
    failed_at timestamp with time zone,
    failed_because text,
    CONSTRAINT billing_run_check CHECK ((due_on >= issued_on)),
    CONSTRAINT billing_run_failed_because_check CHECK (((length(failed_because) >= 1) AND (length(failed_because) <= 100))),
    CONSTRAINT billing_run_kind_check CHECK ((kind = ANY (ARRAY['REGULAR'::text, 'ADJUSTMENT'::text]))),
    CONSTRAINT billing_run_period_check CHECK ((EXTRACT(day FROM period) = (1)::numeric)),
    CONSTRAINT billing_run_state_check CHECK ((state = ANY (ARRAY['DRAFTING'::text, 'DRAFTING_FAILED'::text, 'DRAFTED'::text, 'PUBLISHING'::text, 'PUBLICATION_FAILED'::text, 'PUBLISHED'::text, 'DISCARDED'::text])))
);

ALTER TABLE ONLY public.billing_run FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.billing_run IS 'One month of one service or of all: from consumptions to published invoices (campagne).';

COMMENT ON COLUMN public.billing_run.drafted_up_to IS 'Families up to this id have their drafts: it moves in the transaction that writes them.';

COMMENT ON COLUMN public.billing_run.left_out IS 'Drafts that were overtaken before publication; the next run bills them.';

COMMENT ON COLUMN public.billing_run.failed_at IS 'When its job was put aside for good; none while it is worked on. Of a published run: its invoices were not all told.';

COMMENT ON COLUMN public.billing_run.failed_because IS 'Code of the fault, as the job has it; never personal data.';

CREATE TABLE public.broadcast (
    id uuid NOT NULL,
    topic text NOT NULL,
    type text NOT NULL,
    data json NOT NULL,
    created_at timestamp with time zone NOT NULL,
    told_up_to uuid,
    families integer DEFAULT 0 NOT NULL,
    finished_at timestamp with time zone,
    CONSTRAINT broadcast_topic_check CHECK ((topic = ANY (ARRAY['TERMS'::text, 'MAINTENANCE'::text, 'CITY_INFORMATION'::text])))
);

ALTER TABLE ONLY public.broadcast FORCE ROW LEVEL SECURITY;

COMMENT ON COLUMN public.broadcast.told_up_to IS 'Families up to this id have their item of news: it moves in the transaction that writes them.';

CREATE UNLOGGED TABLE public.bucket (
    subject bytea NOT NULL,
    tat timestamp with time zone NOT NULL
)
WITH (fillfactor='70');

COMMENT ON TABLE public.bucket IS 'Points spent, by HMAC of the account or network address (GCRA).';

COMMENT ON COLUMN public.bucket.tat IS 'When everything that was spent will have flowed back.';

CREATE TABLE public.card_attempt (
    family_id uuid NOT NULL,
    id uuid NOT NULL,
    reference text NOT NULL,
    bank text NOT NULL,
    bank_reference text,
    account_id uuid,
    status text DEFAULT 'CREATED'::text NOT NULL,
    end_reason text,
    cents integer NOT NULL,
    redirect json,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    redirected_at timestamp with time zone,
    ended_at timestamp with time zone,
    settled_at timestamp with time zone,
    CONSTRAINT card_attempt_bank_check CHECK ((bank ~ '^[a-z][a-z0-9-]{1,30}$'::text)),
    CONSTRAINT card_attempt_bank_reference_check CHECK (((length(bank_reference) >= 1) AND (length(bank_reference) <= 64))),
    CONSTRAINT card_attempt_cents_check CHECK ((cents > 0)),
    CONSTRAINT card_attempt_check CHECK ((expires_at > created_at)),
    CONSTRAINT card_attempt_check1 CHECK (((status = ANY (ARRAY['CREATED'::text, 'REDIRECTED'::text])) = (ended_at IS NULL))),
    CONSTRAINT card_attempt_check2 CHECK (((ended_at IS NULL) = (end_reason IS NULL))),
    CONSTRAINT card_attempt_check3 CHECK (((redirect IS NULL) OR (ended_at IS NULL))),
    CONSTRAINT card_attempt_end_reason_check CHECK ((end_reason = ANY (ARRAY['BANK'::text, 'FAMILY'::text, 'TIME'::text, 'BANK_UNAVAILABLE'::text]))),
    CONSTRAINT card_attempt_reference_check CHECK ((reference ~ '^[0-9A-Z]{26}$'::text)),
    CONSTRAINT card_attempt_status_check CHECK ((status = ANY (ARRAY['CREATED'::text, 'REDIRECTED'::text, 'PAID'::text, 'REFUSED'::text, 'CANCELLED'::text, 'EXPIRED'::text])))
);

ALTER TABLE ONLY public.card_attempt FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.card_attempt IS 'One way to the bank and back. Once paid, the payment in the ledger has the same id.';

COMMENT ON COLUMN public.card_attempt.reference IS 'Names it at the bank and on the page that browsers come back to; never used twice.';

COMMENT ON COLUMN public.card_attempt.bank_reference IS 'By which the bank names it; none before the browser can be sent there.';

COMMENT ON COLUMN public.card_attempt.redirect IS 'Where the browser is sent, so that a repeated request gets the same; erased when it ends.';

COMMENT ON COLUMN public.card_attempt.settled_at IS 'When the bank said its last word; until then it is asked again.';

CREATE TABLE public.card_attempt_invoice (
    family_id uuid NOT NULL,
    attempt_id uuid NOT NULL,
    invoice_id uuid NOT NULL,
    "position" integer NOT NULL,
    cents integer NOT NULL,
    live boolean DEFAULT true NOT NULL,
    CONSTRAINT card_attempt_invoice_cents_check CHECK ((cents > 0)),
    CONSTRAINT card_attempt_invoice_position_check CHECK (("position" > 0))
);

ALTER TABLE ONLY public.card_attempt_invoice FORCE ROW LEVEL SECURITY;

CREATE TABLE public.channel_preference (
    family_id uuid NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    topic text NOT NULL,
    channels text[] NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    email_ended_at timestamp with time zone,
    CONSTRAINT channel_preference_channels_check CHECK ((((cardinality(channels) >= 1) AND (cardinality(channels) <= 6)) AND (channels <@ ARRAY['IN_APP'::text, 'EMAIL'::text, 'SMS'::text, 'WEB_PUSH'::text, 'MOBILE_PUSH'::text, 'POST'::text]))),
    CONSTRAINT channel_preference_topic_check CHECK ((topic = ANY (ARRAY['PROCEDURE_STATUS'::text, 'PROCEDURE_MESSAGE'::text, 'INVOICE_ISSUED'::text, 'PAYMENT'::text, 'DIRECT_DEBIT'::text, 'ACCOUNT_SECURITY'::text, 'TERMS'::text, 'MAINTENANCE'::text, 'CITY_INFORMATION'::text, 'DAILY_MESSAGE'::text])))
);

ALTER TABLE ONLY public.channel_preference FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.channel_preference IS 'Ordered channels per topic (R13); the first that can reach the family is used, the next when it fails.';

COMMENT ON COLUMN public.channel_preference.email_ended_at IS 'Since when news of this topic that nothing requires goes past e-mail; the order itself stays, for what is required.';

CREATE TABLE public.consumption (
    family_id uuid NOT NULL,
    day date NOT NULL,
    member_id uuid NOT NULL,
    tariff_id uuid NOT NULL,
    id uuid NOT NULL,
    service_id uuid NOT NULL,
    quantity integer NOT NULL,
    source text NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    CONSTRAINT consumption_day_check CHECK ((day >= '2000-01-01'::date)),
    CONSTRAINT consumption_quantity_check CHECK (((quantity >= 0) AND (quantity <= 1000))),
    CONSTRAINT consumption_source_check CHECK ((source = ANY (ARRAY['IMPORT'::text, 'AGENT'::text])))
);

ALTER TABLE ONLY public.consumption FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.consumption IS 'What a member used on a day, as it is known now; what it was before is in consumption_change.';

COMMENT ON COLUMN public.consumption.quantity IS 'Units of the tariff; 0 for what was recorded and proved wrong.';

COMMENT ON COLUMN public.consumption.source IS 'Who said it last: an agent''s word is not overwritten by a later import.';

CREATE TABLE public.consumption_change (
    family_id uuid NOT NULL,
    consumption_id uuid NOT NULL,
    id uuid NOT NULL,
    service_id uuid NOT NULL,
    from_quantity integer NOT NULL,
    to_quantity integer NOT NULL,
    source text NOT NULL,
    agent_id uuid,
    reason text,
    changed_at timestamp with time zone NOT NULL,
    CONSTRAINT consumption_change_check CHECK (((source = 'AGENT'::text) = ((agent_id IS NOT NULL) AND (reason IS NOT NULL)))),
    CONSTRAINT consumption_change_reason_check CHECK (((length(reason) >= 1) AND (length(reason) <= 500))),
    CONSTRAINT consumption_change_source_check CHECK ((source = ANY (ARRAY['IMPORT'::text, 'AGENT'::text])))
);

ALTER TABLE ONLY public.consumption_change FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.consumption_change IS 'Corrections of consumptions, by whom and why; never changed.';

CREATE TABLE public.daily_closing (
    day date NOT NULL,
    id uuid NOT NULL,
    closed_by uuid NOT NULL,
    closed_at timestamp with time zone NOT NULL
);

ALTER TABLE ONLY public.daily_closing FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.daily_closing IS 'A day of the till that cannot change any more.';

CREATE TABLE public.daily_total (
    day date NOT NULL,
    means text NOT NULL,
    id uuid NOT NULL,
    count integer NOT NULL,
    cents integer NOT NULL,
    forfeited_cents integer NOT NULL,
    refunded_cents integer NOT NULL,
    CONSTRAINT daily_total_cents_check CHECK ((cents >= 0)),
    CONSTRAINT daily_total_count_check CHECK ((count >= 0)),
    CONSTRAINT daily_total_forfeited_cents_check CHECK ((forfeited_cents >= 0)),
    CONSTRAINT daily_total_means_check CHECK ((means = ANY (ARRAY['CASH'::text, 'CHEQUE'::text, 'CARD'::text, 'CESU'::text, 'HOLIDAY_VOUCHER'::text, 'TRANSFER'::text]))),
    CONSTRAINT daily_total_refunded_cents_check CHECK ((refunded_cents >= 0))
);

ALTER TABLE ONLY public.daily_total FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.daily_total IS 'What a closed day came to by means, as it was counted.';

CREATE TABLE public.data_choice (
    family_id uuid NOT NULL,
    datum text NOT NULL,
    id uuid NOT NULL,
    keep boolean NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    CONSTRAINT data_choice_datum_check CHECK ((datum = ANY (ARRAY['ANSWERS'::text, 'SCHOOL'::text, 'CONTACTS'::text, 'QUOTIENT_FAMILIAL'::text, 'DOCUMENTS'::text])))
);

ALTER TABLE ONLY public.data_choice FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.data_choice IS 'Which data a family keeps in its account between procedures, where it made a choice (R2).';

CREATE TABLE public.debit (
    family_id uuid NOT NULL,
    id uuid NOT NULL,
    invoice_id uuid NOT NULL,
    mandate_id uuid NOT NULL,
    cents integer NOT NULL,
    collect_on date NOT NULL,
    end_to_end_id text NOT NULL,
    state text DEFAULT 'ANNOUNCED'::text NOT NULL,
    announced_at timestamp with time zone NOT NULL,
    batch_id uuid,
    sequence text,
    payment_id uuid,
    dropped_at timestamp with time zone,
    dropped_because text,
    return_reason text,
    returned_on date,
    return_recorded_at timestamp with time zone,
    return_recorded_by uuid,
    CONSTRAINT debit_cents_check CHECK ((cents > 0)),
    CONSTRAINT debit_check CHECK ((((state = 'DROPPED'::text) = (dropped_at IS NOT NULL)) AND ((dropped_at IS NULL) = (dropped_because IS NULL)))),
    CONSTRAINT debit_check1 CHECK ((((state = 'RETURNED'::text) = (returned_on IS NOT NULL)) AND ((returned_on IS NULL) = (return_reason IS NULL)) AND ((returned_on IS NULL) = (return_recorded_at IS NULL)))),
    CONSTRAINT debit_check2 CHECK (((batch_id IS NULL) = (sequence IS NULL))),
    CONSTRAINT debit_check3 CHECK (((state <> ALL (ARRAY['SENT'::text, 'BOOKED'::text, 'RETURNED'::text])) OR (batch_id IS NOT NULL))),
    CONSTRAINT debit_check4 CHECK (((state <> 'BOOKED'::text) OR (payment_id IS NOT NULL))),
    CONSTRAINT debit_dropped_because_check CHECK ((dropped_because = ANY (ARRAY['MANDATE_ENDED'::text, 'INVOICE_CANCELLED'::text, 'INVOICE_PAID'::text, 'INVOICE_PARTLY_PAID'::text, 'CARD_PAYMENT'::text, 'HANDED_OVER'::text, 'MISSED'::text, 'WITHDRAWN'::text]))),
    CONSTRAINT debit_end_to_end_id_check CHECK ((end_to_end_id ~ '^[A-Za-z0-9-]{1,35}$'::text)),
    CONSTRAINT debit_return_reason_check CHECK ((return_reason = ANY (ARRAY['AC01'::text, 'AC04'::text, 'AC06'::text, 'AC13'::text, 'AG01'::text, 'AG02'::text, 'AM04'::text, 'AM05'::text, 'BE05'::text, 'CNOR'::text, 'DNOR'::text, 'FOCR'::text, 'MD01'::text, 'MD02'::text, 'MD06'::text, 'MD07'::text, 'MS02'::text, 'MS03'::text, 'RC01'::text, 'RR01'::text, 'RR02'::text, 'RR03'::text, 'RR04'::text, 'SL01'::text]))),
    CONSTRAINT debit_sequence_check CHECK ((sequence = ANY (ARRAY['FRST'::text, 'RCUR'::text]))),
    CONSTRAINT debit_state_check CHECK ((state = ANY (ARRAY['ANNOUNCED'::text, 'SENT'::text, 'BOOKED'::text, 'RETURNED'::text, 'DROPPED'::text])))
);

ALTER TABLE ONLY public.debit FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.debit IS 'The collection of one invoice from one account: announced, sent to the bank, booked on its day, perhaps returned.';

COMMENT ON COLUMN public.debit.end_to_end_id IS 'What the bank calls it by: number of the invoice, and which attempt it is.';

COMMENT ON COLUMN public.debit.return_reason IS 'Code of ISO 20022 (ExternalReturnReason).';

CREATE TABLE public.debit_batch (
    id uuid NOT NULL,
    due_on date NOT NULL,
    message_id text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    debits integer DEFAULT 0 NOT NULL,
    cents bigint DEFAULT 0 NOT NULL,
    sealed_file bytea,
    file_hash bytea,
    filed_at timestamp with time zone,
    withdrawn_at timestamp with time zone,
    withdrawn_by uuid,
    booked_at timestamp with time zone,
    CONSTRAINT debit_batch_cents_check CHECK ((cents >= 0)),
    CONSTRAINT debit_batch_check CHECK ((((filed_at IS NULL) = (sealed_file IS NULL)) AND ((filed_at IS NULL) = (file_hash IS NULL)))),
    CONSTRAINT debit_batch_check1 CHECK (((filed_at IS NULL) OR ((debits > 0) AND (cents > 0)))),
    CONSTRAINT debit_batch_check2 CHECK (((booked_at IS NULL) OR ((filed_at IS NOT NULL) AND (withdrawn_at IS NULL)))),
    CONSTRAINT debit_batch_check3 CHECK (((withdrawn_by IS NULL) OR (withdrawn_at IS NOT NULL))),
    CONSTRAINT debit_batch_debits_check CHECK ((debits >= 0)),
    CONSTRAINT debit_batch_file_hash_check CHECK ((length(file_hash) = 32)),
    CONSTRAINT debit_batch_message_id_check CHECK ((message_id ~ '^[A-Za-z0-9-]{1,30}$'::text))
);

ALTER TABLE ONLY public.debit_batch FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.debit_batch IS 'What is sent to the bank for one day: one pain.008 file, kept as it is.';

COMMENT ON COLUMN public.debit_batch.sealed_file IS 'The file, compressed and encrypted: it names accounts.';

COMMENT ON COLUMN public.debit_batch.file_hash IS 'SHA-256 of the file in clear.';

CREATE TABLE public.delivery (
    family_id uuid NOT NULL,
    id uuid NOT NULL,
    news_seq bigint NOT NULL,
    subject_id uuid NOT NULL,
    channel text NOT NULL,
    address text NOT NULL,
    status text DEFAULT 'PENDING'::text NOT NULL,
    next_channels text[] DEFAULT '{}'::text[] NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    crashes integer DEFAULT 0 NOT NULL,
    next_try_at timestamp with time zone NOT NULL,
    sent_at timestamp with time zone,
    receipt text,
    problem text,
    created_at timestamp with time zone NOT NULL,
    provider text,
    reference text,
    segments smallint,
    arrived_at timestamp with time zone,
    receipt_due_at timestamp with time zone,
    CONSTRAINT delivery_channel_check CHECK ((channel = ANY (ARRAY['IN_APP'::text, 'EMAIL'::text, 'SMS'::text, 'WEB_PUSH'::text, 'MOBILE_PUSH'::text, 'POST'::text]))),
    CONSTRAINT delivery_segments_check CHECK (((segments >= 1) AND (segments <= 100))),
    CONSTRAINT delivery_status_check CHECK ((status = ANY (ARRAY['PENDING'::text, 'SENT'::text, 'DELIVERED'::text, 'FAILED'::text, 'DEAD_LETTER'::text])))
);

ALTER TABLE ONLY public.delivery FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.delivery IS 'One message to one address: what was sent, where, when, and whether it arrived.';

COMMENT ON COLUMN public.delivery.next_channels IS 'Channels to try, in order, should this one fail for good.';

COMMENT ON COLUMN public.delivery.provider IS 'Which of several providers took it.';

COMMENT ON COLUMN public.delivery.reference IS 'What that provider calls it; its receipts name it so.';

COMMENT ON COLUMN public.delivery.segments IS 'Text messages that were paid for it.';

COMMENT ON COLUMN public.delivery.receipt_due_at IS 'When the next channel is tried unless a receipt came; null when none is waited for.';

CREATE TABLE public.device (
    family_id uuid NOT NULL,
    account_id uuid NOT NULL,
    hash bytea NOT NULL,
    first_seen_at timestamp with time zone NOT NULL,
    last_seen_at timestamp with time zone NOT NULL
);

ALTER TABLE ONLY public.device FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.device IS 'Devices on which an account has signed in, by the SHA-256 of the secret that each keeps.';

CREATE TABLE public.docket (
    id uuid NOT NULL,
    year integer NOT NULL,
    number integer NOT NULL,
    made_on date NOT NULL,
    created_at timestamp with time zone NOT NULL,
    invoices integer DEFAULT 0 NOT NULL,
    cents bigint DEFAULT 0 NOT NULL,
    sealed_files bytea,
    csv_hash bytea,
    xml_hash bytea,
    filed_at timestamp with time zone,
    CONSTRAINT docket_cents_check CHECK ((cents >= 0)),
    CONSTRAINT docket_check CHECK ((((filed_at IS NULL) = (sealed_files IS NULL)) AND ((filed_at IS NULL) = (csv_hash IS NULL)) AND ((filed_at IS NULL) = (xml_hash IS NULL)))),
    CONSTRAINT docket_check1 CHECK (((filed_at IS NULL) OR ((invoices > 0) AND (cents > 0)))),
    CONSTRAINT docket_csv_hash_check CHECK ((length(csv_hash) = 32)),
    CONSTRAINT docket_invoices_check CHECK ((invoices >= 0)),
    CONSTRAINT docket_number_check CHECK (((number >= 1) AND (number <= 9999999))),
    CONSTRAINT docket_xml_hash_check CHECK ((length(xml_hash) = 32)),
    CONSTRAINT docket_year_check CHECK (((year >= 2000) AND (year <= 9999)))
);

ALTER TABLE ONLY public.docket FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.docket IS 'What is handed over at once: a list (CSV) and a PES v2 file.';

COMMENT ON COLUMN public.docket.sealed_files IS 'Both files, compressed and encrypted: they name debtors.';

CREATE TABLE public.draft_invoice (
    family_id uuid NOT NULL,
    id uuid NOT NULL,
    run_id uuid NOT NULL,
    kind text NOT NULL,
    standing uuid[] NOT NULL,
    line_count integer NOT NULL,
    total_cents integer NOT NULL,
    cesu_cents integer NOT NULL,
    CONSTRAINT draft_invoice_check CHECK (((cesu_cents >= 0) AND (cesu_cents <= total_cents))),
    CONSTRAINT draft_invoice_check1 CHECK (((line_count = 0) = (kind = 'CANCELLATION'::text))),
    CONSTRAINT draft_invoice_kind_check CHECK ((kind = ANY (ARRAY['NEW'::text, 'COMPLEMENT'::text, 'REPLACEMENT'::text, 'CANCELLATION'::text]))),
    CONSTRAINT draft_invoice_line_count_check CHECK ((line_count >= 0)),
    CONSTRAINT draft_invoice_total_cents_check CHECK ((total_cents >= 0))
);

ALTER TABLE ONLY public.draft_invoice FORCE ROW LEVEL SECURITY;

COMMENT ON COLUMN public.draft_invoice.kind IS 'First of its month, more for the same month, instead of invoices of the month that billed too much, or only their end.';

COMMENT ON COLUMN public.draft_invoice.standing IS 'Invoices of the month when it was drafted: it counts only while these and no others stand.';

CREATE TABLE public.draft_line (
    family_id uuid NOT NULL,
    draft_id uuid NOT NULL,
    "position" integer NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    member_id uuid NOT NULL,
    service_id uuid NOT NULL,
    tariff_id uuid NOT NULL,
    label_fr text NOT NULL,
    label_en text NOT NULL,
    first_day date NOT NULL,
    last_day date NOT NULL,
    quantity integer NOT NULL,
    unit_cents integer NOT NULL,
    cents integer NOT NULL,
    cesu_eligible boolean NOT NULL,
    explanation json NOT NULL,
    CONSTRAINT draft_line_check CHECK ((cents = (quantity * unit_cents))),
    CONSTRAINT draft_line_position_check CHECK (("position" > 0)),
    CONSTRAINT draft_line_quantity_check CHECK ((quantity > 0)),
    CONSTRAINT draft_line_unit_cents_check CHECK ((unit_cents >= 0))
);

ALTER TABLE ONLY public.draft_line FORCE ROW LEVEL SECURITY;

CREATE TABLE public.email_change (
    family_id uuid NOT NULL,
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    old_email text NOT NULL,
    new_email text NOT NULL,
    requested_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    old_confirmed_at timestamp with time zone,
    new_confirmed_at timestamp with time zone,
    done_at timestamp with time zone,
    cancelled_at timestamp with time zone,
    CONSTRAINT email_change_check CHECK (((done_at IS NULL) OR (cancelled_at IS NULL))),
    CONSTRAINT email_change_check1 CHECK (((done_at IS NULL) OR ((old_confirmed_at IS NOT NULL) AND (new_confirmed_at IS NOT NULL)))),
    CONSTRAINT email_change_new_email_check CHECK (((new_email = lower(new_email)) AND (length(new_email) <= 254)))
);

ALTER TABLE ONLY public.email_change FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.email_change IS 'Changes of a login''s address: carried out once both addresses have confirmed.';

CREATE TABLE public.exceptional_day (
    id uuid NOT NULL,
    place_id uuid NOT NULL,
    first_day date NOT NULL,
    last_day date NOT NULL,
    opens time without time zone,
    closes time without time zone,
    reason_fr text NOT NULL,
    reason_en text NOT NULL,
    CONSTRAINT exceptional_day_check CHECK (((last_day >= first_day) AND ((last_day - first_day) <= 366))),
    CONSTRAINT exceptional_day_check1 CHECK ((((opens IS NULL) = (closes IS NULL)) AND ((closes IS NULL) OR (closes > opens)))),
    CONSTRAINT exceptional_day_reason_en_check CHECK (((length(reason_en) >= 1) AND (length(reason_en) <= 300))),
    CONSTRAINT exceptional_day_reason_fr_check CHECK (((length(reason_fr) >= 1) AND (length(reason_fr) <= 300)))
);

COMMENT ON TABLE public.exceptional_day IS 'Days on which other hours hold than the weekly ones; no hours: closed.';

CREATE TABLE public.export (
    family_id uuid NOT NULL,
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    job_id uuid NOT NULL,
    requested_at timestamp with time zone NOT NULL,
    ready_at timestamp with time zone,
    expires_at timestamp with time zone,
    size integer,
    CONSTRAINT export_check CHECK ((((ready_at IS NULL) = (expires_at IS NULL)) AND ((ready_at IS NULL) = (size IS NULL)))),
    CONSTRAINT export_size_check CHECK ((size > 0))
);

ALTER TABLE ONLY public.export FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.export IS 'A family''s copy of its data; `size` in bytes.';

CREATE TABLE public.export_chunk (
    family_id uuid NOT NULL,
    export_id uuid NOT NULL,
    number integer NOT NULL,
    sealed bytea NOT NULL,
    CONSTRAINT export_chunk_number_check CHECK ((number >= 0))
);

ALTER TABLE ONLY public.export_chunk FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.export_chunk IS 'The archive in pieces, each sealed with a key of its own, so that every node can give it and none needs much memory.';

CREATE TABLE public.family (
    id uuid NOT NULL,
    number text NOT NULL,
    profile text DEFAULT 'INDIVIDUAL'::text NOT NULL,
    name text NOT NULL,
    language text DEFAULT 'fr'::text NOT NULL,
    activated_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    news_seq bigint DEFAULT 0 NOT NULL,
    siret text,
    rna text,
    registry_number text,
    search text GENERATED ALWAYS AS (public.folded(name)) STORED NOT NULL,
    closed_at timestamp with time zone,
    terminated_at timestamp with time zone,
    termination_reason text,
    erased_at timestamp with time zone,
    quiet_starts time without time zone,
    quiet_ends time without time zone,
    digest_hour smallint,
    digest_topics text[] DEFAULT '{}'::text[] NOT NULL,
    digested_at timestamp with time zone,
    CONSTRAINT family_digest_hour_check CHECK (((digest_hour >= 0) AND (digest_hour <= 23))),
    CONSTRAINT family_digest_topics_check CHECK ((digest_topics <@ ARRAY['PROCEDURE_STATUS'::text, 'PROCEDURE_MESSAGE'::text, 'INVOICE_ISSUED'::text])),
    CONSTRAINT family_identifier_check CHECK ((((siret IS NULL) AND (rna IS NULL) AND (registry_number IS NULL)) OR (profile = 'ASSOCIATION'::text) OR ((profile = 'PROFESSIONAL'::text) AND (rna IS NULL) AND (registry_number IS NULL)))),
    CONSTRAINT family_language_check CHECK ((language = ANY (ARRAY['fr'::text, 'en'::text]))),
    CONSTRAINT family_name_check CHECK (((length(name) >= 1) AND (length(name) <= 200))),
    CONSTRAINT family_number_check CHECK ((number ~ '^[0-9]{6,10}$'::text)),
    CONSTRAINT family_profile_check CHECK ((profile = ANY (ARRAY['INDIVIDUAL'::text, 'PROFESSIONAL'::text, 'ASSOCIATION'::text]))),
    CONSTRAINT family_quiet_check CHECK (((quiet_starts IS NULL) = (quiet_ends IS NULL))),
    CONSTRAINT family_registry_number_check CHECK ((registry_number ~ '^([0-9]{1,4}/[0-9]{1,4}|[0-9]{9})$'::text)),
    CONSTRAINT family_rna_check CHECK ((rna ~ '^W[0-9][0-9A-Z][0-9]{7}$'::text)),
    CONSTRAINT family_siret_check CHECK ((siret ~ '^[0-9]{14}$'::text)),
    CONSTRAINT family_termination_reason_check CHECK ((length(termination_reason) <= 1000))
);

ALTER TABLE ONLY public.family FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.family IS 'A household, professional or association; its number is public-ish, never a secret.';

COMMENT ON COLUMN public.family.news_seq IS 'Last number given in this family''s stream of news; taken under this row''s lock, so that it has no gap.';

COMMENT ON COLUMN public.family.siret IS 'Of a professional, or of an association that has one (R6). The portal asks for it; the city''s register may lack it.';

COMMENT ON COLUMN public.family.rna IS 'National register of associations (R6).';

COMMENT ON COLUMN public.family.registry_number IS 'Volume/folio of the register of associations in Alsace-Moselle, or a SIREN.';

COMMENT ON COLUMN public.family.closed_at IS 'When its last login left (R10); a new activation opens it again.';

COMMENT ON COLUMN public.family.terminated_at IS 'When the city ended its access (R22).';

COMMENT ON COLUMN public.family.erased_at IS 'When everything that names it was erased; its number stays for the accounts.';

COMMENT ON COLUMN public.family.quiet_starts IS 'From when on nothing rings at this family, by the clocks of the city; null: the hours of the settings. Equal to the end: never quiet.';

COMMENT ON COLUMN public.family.digest_hour IS 'At which hour, by the clocks of the city, the daily message comes; null: none.';

COMMENT ON COLUMN public.family.digest_topics IS 'Topics of which what can wait comes in it.';

COMMENT ON COLUMN public.family.digested_at IS 'When the last one was written: no second one comes before the next hour.';

CREATE TABLE public.handover (
    family_id uuid NOT NULL,
    invoice_id uuid NOT NULL,
    docket_id uuid NOT NULL,
    cents integer NOT NULL,
    handed_on date NOT NULL,
    CONSTRAINT handover_cents_check CHECK ((cents > 0))
);

ALTER TABLE ONLY public.handover FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.handover IS 'An invoice that the public accountant collects: once, for ever.';

COMMENT ON COLUMN public.handover.cents IS 'What was owed on that day.';

CREATE TABLE public.idempotency_key (
    family_id uuid NOT NULL,
    key text NOT NULL,
    operation text NOT NULL,
    parameters_hash bytea NOT NULL,
    result uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT idempotency_key_key_check CHECK (((length(key) >= 8) AND (length(key) <= 100)))
);

ALTER TABLE ONLY public.idempotency_key FORCE ROW LEVEL SECURITY;

CREATE TABLE public.identity_attempt (
    id uuid NOT NULL,
    provider_id uuid NOT NULL,
    intent text NOT NULL,
    state_hash bytea NOT NULL,
    binding_hash bytea NOT NULL,
    sealed bytea NOT NULL,
    redirect_uri text NOT NULL,
    shared_computer boolean DEFAULT false NOT NULL,
    family_id uuid,
    account_id uuid,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone,
    CONSTRAINT identity_attempt_check CHECK (((intent = 'LINK'::text) = (family_id IS NOT NULL))),
    CONSTRAINT identity_attempt_check1 CHECK (((family_id IS NULL) = (account_id IS NULL))),
    CONSTRAINT identity_attempt_intent_check CHECK ((intent = ANY (ARRAY['SIGN_IN'::text, 'LINK'::text])))
);

ALTER TABLE ONLY public.identity_attempt FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.identity_attempt IS 'A browser that was sent to a provider and may come back once, within minutes.';

COMMENT ON COLUMN public.identity_attempt.sealed IS 'PKCE verifier and nonce, sealed with a key from the settings.';

CREATE TABLE public.identity_provider (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    issuer text NOT NULL,
    name text NOT NULL,
    retired_at timestamp with time zone
);

COMMENT ON TABLE public.identity_provider IS 'Outside providers of sign-in; the gateway keeps the one of its settings here.';

CREATE TABLE public.information_request (
    family_id uuid NOT NULL,
    id uuid NOT NULL,
    procedure_id uuid NOT NULL,
    service_id uuid NOT NULL,
    event_number integer NOT NULL,
    fields text[] DEFAULT '{}'::text[] NOT NULL,
    documents text[] DEFAULT '{}'::text[] NOT NULL,
    message text,
    asked_by uuid,
    asked_at timestamp with time zone NOT NULL,
    answers json,
    answered_at timestamp with time zone,
    CONSTRAINT information_request_documents_check CHECK ((cardinality(documents) <= 20)),
    CONSTRAINT information_request_fields_check CHECK ((cardinality(fields) <= 100)),
    CONSTRAINT information_request_message_check CHECK ((length(message) <= 4000))
);

ALTER TABLE ONLY public.information_request FORCE ROW LEVEL SECURITY;

COMMENT ON COLUMN public.information_request.fields IS 'Fields of the form that the family may change.';

COMMENT ON COLUMN public.information_request.documents IS 'What is missing, in words.';

COMMENT ON COLUMN public.information_request.answers IS 'What the family changed, as a JSON merge patch (RFC 7396).';

CREATE TABLE public.invitation (
    family_id uuid NOT NULL,
    id uuid NOT NULL,
    email text NOT NULL,
    member_id uuid,
    invited_by uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    accepted_at timestamp with time zone,
    revoked_at timestamp with time zone,
    CONSTRAINT invitation_email_check CHECK (((email = lower(email)) AND (length(email) <= 254)))
);

ALTER TABLE ONLY public.invitation FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.invitation IS 'An adult invited by e-mail to have a login of its own (R11); the link names this row.';

CREATE TABLE public.invoice (
    family_id uuid NOT NULL,
    id uuid NOT NULL,
    number text NOT NULL,
    run_id uuid,
    period date NOT NULL,
    issued_on date NOT NULL,
    due_on date NOT NULL,
    total_cents integer NOT NULL,
    cesu_cents integer NOT NULL,
    reference text NOT NULL,
    replaces_id uuid,
    published_at timestamp with time zone NOT NULL,
    cancelled_at timestamp with time zone,
    cancelled_reason text,
    cancelled_by uuid,
    pdf bytea,
    CONSTRAINT invoice_cancelled_reason_check CHECK (((length(cancelled_reason) >= 1) AND (length(cancelled_reason) <= 4000))),
    CONSTRAINT invoice_check CHECK (((cesu_cents >= 0) AND (cesu_cents <= total_cents))),
    CONSTRAINT invoice_check1 CHECK ((due_on >= issued_on)),
    CONSTRAINT invoice_check2 CHECK (((cancelled_at IS NULL) = (cancelled_reason IS NULL))),
    CONSTRAINT invoice_number_check CHECK ((number ~ '^[0-9]{4}-[0-9]{6}$'::text)),
    CONSTRAINT invoice_period_check CHECK ((EXTRACT(day FROM period) = (1)::numeric)),
    CONSTRAINT invoice_reference_check CHECK (((reference ~ '^[0-9]{12}$'::text) AND (((reference)::bigint % (97)::bigint) = 1))),
    CONSTRAINT invoice_total_cents_check CHECK (((total_cents >= 0) AND (total_cents <= 100000000)))
);

ALTER TABLE ONLY public.invoice FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.invoice IS 'A published invoice: never changed, only cancelled and replaced. Its status is derived; see invoice_status.';

COMMENT ON COLUMN public.invoice.period IS 'First day of the month that it is for (R29).';

COMMENT ON COLUMN public.invoice.cesu_cents IS 'What of it may be paid by CESU: the sum of its eligible lines.';

COMMENT ON COLUMN public.invoice.pdf IS 'The bytes as issued; written once.';

CREATE TABLE public.invoice_line (
    family_id uuid NOT NULL,
    invoice_id uuid NOT NULL,
    "position" integer NOT NULL,
    id uuid NOT NULL,
    member_id uuid,
    service_id uuid NOT NULL,
    tariff_id uuid,
    label_fr text NOT NULL,
    label_en text NOT NULL,
    first_day date,
    last_day date,
    quantity integer NOT NULL,
    unit_cents integer NOT NULL,
    cents integer NOT NULL,
    cesu_eligible boolean DEFAULT false NOT NULL,
    explanation json DEFAULT '{}'::json NOT NULL,
    CONSTRAINT invoice_line_check CHECK ((last_day >= first_day)),
    CONSTRAINT invoice_line_check1 CHECK ((cents = (quantity * unit_cents))),
    CONSTRAINT invoice_line_check2 CHECK (((cents >= 0) OR (NOT cesu_eligible))),
    CONSTRAINT invoice_line_explanation_check CHECK ((json_typeof(explanation) = 'object'::text)),
    CONSTRAINT invoice_line_label_en_check CHECK (((length(label_en) >= 1) AND (length(label_en) <= 300))),
    CONSTRAINT invoice_line_label_fr_check CHECK (((length(label_fr) >= 1) AND (length(label_fr) <= 300))),
    CONSTRAINT invoice_line_position_check CHECK (("position" > 0))
);

ALTER TABLE ONLY public.invoice_line FORCE ROW LEVEL SECURITY;

COMMENT ON COLUMN public.invoice_line.explanation IS 'Why this price: sentences `fr` and `en`, and the figures behind them.';

CREATE TABLE public.invoice_reminder (
    family_id uuid NOT NULL,
    invoice_id uuid NOT NULL,
    number integer NOT NULL,
    sent_at timestamp with time zone NOT NULL,
    CONSTRAINT invoice_reminder_number_check CHECK (((number >= 1) AND (number <= 9)))
);

ALTER TABLE ONLY public.invoice_reminder FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.invoice_reminder IS 'The first, second … reminder of an overdue invoice.';

CREATE TABLE public.invoice_series (
    year integer NOT NULL,
    last integer NOT NULL,
    CONSTRAINT invoice_series_last_check CHECK (((last >= 1) AND (last <= 999999))),
    CONSTRAINT invoice_series_year_check CHECK (((year >= 2000) AND (year <= 9999)))
);

COMMENT ON TABLE public.invoice_series IS 'Last invoice number of each year; its row is held until the commit, so that numbers have no gap.';

CREATE TABLE public.job (
    id uuid NOT NULL,
    kind text NOT NULL,
    family_id uuid,
    parameters json DEFAULT '{}'::json NOT NULL,
    state text DEFAULT 'PENDING'::text NOT NULL,
    progress smallint DEFAULT 0 NOT NULL,
    run_at timestamp with time zone NOT NULL,
    lease_until timestamp with time zone,
    fence bigint DEFAULT 0 NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    period text,
    result json,
    problem text,
    created_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone,
    CONSTRAINT job_check CHECK (((state = 'RUNNING'::text) = (lease_until IS NOT NULL))),
    CONSTRAINT job_check1 CHECK (((state = ANY (ARRAY['DONE'::text, 'FAILED'::text])) = (finished_at IS NOT NULL))),
    CONSTRAINT job_kind_check CHECK ((kind ~ '^[a-z][a-z_]{2,59}$'::text)),
    CONSTRAINT job_progress_check CHECK (((progress >= 0) AND (progress <= 100))),
    CONSTRAINT job_state_check CHECK ((state = ANY (ARRAY['PENDING'::text, 'RUNNING'::text, 'DONE'::text, 'FAILED'::text])))
);

ALTER TABLE ONLY public.job FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.job IS 'Work that is done later, once, by whichever node is free. Parameters and results hold ids and counts, no names and no addresses.';

COMMENT ON COLUMN public.job.fence IS 'Fencing number: a node that lost its lease can write no result.';

COMMENT ON COLUMN public.job.period IS 'Of a periodic job: the beginning of its period, so that it runs once a period for the whole portal.';

CREATE TABLE public.kind_intake (
    code text NOT NULL,
    opens_on date NOT NULL,
    taken integer DEFAULT 0 NOT NULL
);

COMMENT ON TABLE public.kind_intake IS 'Places taken in one opening period of a kind that has a capacity; its row is held while one is given.';

COMMENT ON COLUMN public.kind_intake.opens_on IS 'First day of the period; -infinity where it has none.';

CREATE TABLE public.lane (
    family_id uuid NOT NULL,
    subject_id uuid NOT NULL,
    channel text NOT NULL,
    address text NOT NULL,
    priority smallint DEFAULT 1 NOT NULL,
    due_at timestamp with time zone,
    leased boolean DEFAULT false NOT NULL,
    lease bigint DEFAULT 0 NOT NULL
);

ALTER TABLE ONLY public.lane FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.lane IS 'Deliveries about one subject to one address on one channel are sent one after the other: the lane is leased, not the delivery.';

COMMENT ON COLUMN public.lane.due_at IS 'When a dispatcher may take the lane; while leased, when the lease ends; null when nothing waits.';

COMMENT ON COLUMN public.lane.lease IS 'Fencing number: a dispatcher that lost its lease cannot write results.';

CREATE TABLE public.mandate (
    family_id uuid NOT NULL,
    id uuid NOT NULL,
    rum text NOT NULL,
    ics text NOT NULL,
    account_id uuid NOT NULL,
    sealed_account bytea,
    account_hmac bytea,
    country text NOT NULL,
    iban_end text NOT NULL,
    text_hash bytea NOT NULL,
    signed_at timestamp with time zone NOT NULL,
    signed_on date NOT NULL,
    used_on date,
    ended_at timestamp with time zone,
    ended_reason text,
    CONSTRAINT mandate_check CHECK (((ended_at IS NULL) = (ended_reason IS NULL))),
    CONSTRAINT mandate_check1 CHECK (((sealed_account IS NULL) = (account_hmac IS NULL))),
    CONSTRAINT mandate_check2 CHECK (((sealed_account IS NOT NULL) OR (ended_at IS NOT NULL))),
    CONSTRAINT mandate_country_check CHECK ((country ~ '^[A-Z]{2}$'::text)),
    CONSTRAINT mandate_ended_reason_check CHECK ((ended_reason = ANY (ARRAY['REVOKED'::text, 'REPLACED'::text, 'LAPSED'::text, 'RETURNED'::text, 'ERASED'::text]))),
    CONSTRAINT mandate_iban_end_check CHECK ((iban_end ~ '^([0-9A-Z]{4}|)$'::text)),
    CONSTRAINT mandate_ics_check CHECK ((ics ~ '^[A-Z]{2}[0-9]{2}[A-Z0-9]{3,31}$'::text)),
    CONSTRAINT mandate_rum_check CHECK ((rum ~ '^[A-Z0-9-]{1,35}$'::text))
);

ALTER TABLE ONLY public.mandate FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.mandate IS 'SEPA mandates (EPC016-06); a family has one in force at the most. Ended ones stay: the bank may ask for proof of a debit up to 13 months after it.';

COMMENT ON COLUMN public.mandate.rum IS 'Référence unique du mandat: never given twice.';

COMMENT ON COLUMN public.mandate.ics IS 'Identifiant créancier SEPA of the city when it was signed.';

COMMENT ON COLUMN public.mandate.account_id IS 'The login that signed, with its password.';

COMMENT ON COLUMN public.mandate.sealed_account IS 'IBAN, BIC, holder and address, encrypted with a key of the settings that is derived for this family.';

COMMENT ON COLUMN public.mandate.account_hmac IS 'HMAC of the IBAN: tells that the same account is signed for again.';

COMMENT ON COLUMN public.mandate.iban_end IS 'Last four characters, by which people know their account; empty once erased.';

COMMENT ON COLUMN public.mandate.text_hash IS 'SHA-256 of the words that were agreed to.';

COMMENT ON COLUMN public.mandate.used_on IS 'Day of the last debit that was sent to the bank; 36 months after it the mandate lapses.';

CREATE TABLE public.member (
    family_id uuid NOT NULL,
    id uuid NOT NULL,
    role text NOT NULL,
    first_name text NOT NULL,
    last_name text NOT NULL,
    birth_date date,
    school text,
    created_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    child_id uuid,
    CONSTRAINT member_first_name_check CHECK (((length(first_name) >= 1) AND (length(first_name) <= 100))),
    CONSTRAINT member_last_name_check CHECK (((length(last_name) >= 1) AND (length(last_name) <= 100))),
    CONSTRAINT member_role_check CHECK ((role = ANY (ARRAY['ADULT'::text, 'CHILD'::text]))),
    CONSTRAINT member_school_check CHECK ((length(school) <= 200))
);

ALTER TABLE ONLY public.member FORCE ROW LEVEL SECURITY;

COMMENT ON COLUMN public.member.ended_at IS 'When it left the family; it stays because procedures or invoices name it.';

COMMENT ON COLUMN public.member.child_id IS 'Child that another family has too (R11); null for all others. Never shown.';

CREATE TABLE public.member_change (
    family_id uuid NOT NULL,
    id uuid NOT NULL,
    member_id uuid NOT NULL,
    first_name text NOT NULL,
    last_name text NOT NULL,
    birth_date date,
    proposed_by uuid NOT NULL,
    proposed_at timestamp with time zone NOT NULL,
    decided_by uuid,
    decided_at timestamp with time zone,
    accepted boolean,
    CONSTRAINT member_change_check CHECK (((decided_at IS NULL) = (accepted IS NULL))),
    CONSTRAINT member_change_first_name_check CHECK (((length(first_name) >= 1) AND (length(first_name) <= 100))),
    CONSTRAINT member_change_last_name_check CHECK (((length(last_name) >= 1) AND (length(last_name) <= 100)))
);

ALTER TABLE ONLY public.member_change FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.member_change IS 'What a family says of a child that another family has too: an agent decides, because it changes both.';

CREATE TABLE public.news (
    family_id uuid NOT NULL,
    seq bigint NOT NULL,
    id uuid NOT NULL,
    topic text NOT NULL,
    type text NOT NULL,
    subject_id uuid NOT NULL,
    service_id uuid,
    procedure_id uuid,
    procedure_event_number integer,
    data json DEFAULT '{}'::json NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    read_at timestamp with time zone,
    xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    broadcast_id uuid,
    awaits_digest boolean DEFAULT false NOT NULL,
    digested_in bigint,
    CONSTRAINT news_seq_check CHECK ((seq > 0)),
    CONSTRAINT news_topic_check CHECK ((topic = ANY (ARRAY['PROCEDURE_STATUS'::text, 'PROCEDURE_MESSAGE'::text, 'INVOICE_ISSUED'::text, 'PAYMENT'::text, 'DIRECT_DEBIT'::text, 'ACCOUNT_SECURITY'::text, 'TERMS'::text, 'MAINTENANCE'::text, 'CITY_INFORMATION'::text, 'DAILY_MESSAGE'::text])))
);

ALTER TABLE ONLY public.news FORCE ROW LEVEL SECURITY;

COMMENT ON COLUMN public.news.seq IS 'Gapless per family; the cursor of every subscription.';

COMMENT ON COLUMN public.news.xid IS 'Lets a gateway read each item once, also when transactions commit out of order.';

COMMENT ON COLUMN public.news.broadcast_id IS 'What of the city''s stream it repeats: once for a family, whatever crashes.';

COMMENT ON COLUMN public.news.awaits_digest IS 'It is in the inbox already, and will be told in the daily message.';

COMMENT ON COLUMN public.news.digested_in IS 'Number of the daily message that told it.';

CREATE TABLE public.opening_rule (
    id uuid NOT NULL,
    place_id uuid NOT NULL,
    weekday smallint NOT NULL,
    opens time without time zone NOT NULL,
    closes time without time zone NOT NULL,
    season text DEFAULT 'ALWAYS'::text NOT NULL,
    valid_from date,
    valid_until date,
    CONSTRAINT opening_rule_check CHECK ((closes > opens)),
    CONSTRAINT opening_rule_check1 CHECK ((valid_until >= valid_from)),
    CONSTRAINT opening_rule_season_check CHECK ((season = ANY (ARRAY['ALWAYS'::text, 'TERM'::text, 'HOLIDAYS'::text]))),
    CONSTRAINT opening_rule_weekday_check CHECK (((weekday >= 1) AND (weekday <= 7)))
);

COMMENT ON TABLE public.opening_rule IS 'Weekly hours, by the clocks of the city; ISO weekdays, Monday is 1. 24:00 is midnight.';

COMMENT ON COLUMN public.opening_rule.season IS 'In school time only, in school holidays only, or always.';

CREATE TABLE public.opening_span (
    id uuid GENERATED ALWAYS AS ((md5((((place_id)::text || '/'::text) || (EXTRACT(epoch FROM (opens_at AT TIME ZONE 'UTC'::text)))::bigint)))::uuid) STORED NOT NULL,
    place_id uuid NOT NULL,
    opens_at timestamp with time zone NOT NULL,
    closes_at timestamp with time zone NOT NULL,
    CONSTRAINT opening_span_check CHECK ((closes_at > opens_at))
);

COMMENT ON TABLE public.opening_span IS 'When a place is open, worked out from its rules for the months around today; read by "open now?".';

CREATE TABLE public.page (
    id uuid NOT NULL,
    slug text NOT NULL,
    category_id uuid CONSTRAINT page_category_id_not_null1 NOT NULL,
    created_at timestamp with time zone NOT NULL,
    archived_at timestamp with time zone,
    CONSTRAINT page_slug_check CHECK (((slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'::text) AND (length(slug) <= 100)))
);

CREATE TABLE public.page_audience (
    page_id uuid NOT NULL,
    age_from smallint NOT NULL,
    age_until smallint NOT NULL,
    at_school boolean,
    CONSTRAINT page_audience_age_from_check CHECK (((age_from >= 0) AND (age_from <= 120))),
    CONSTRAINT page_audience_age_until_check CHECK (((age_until >= 1) AND (age_until <= 121))),
    CONSTRAINT page_audience_check CHECK ((age_until > age_from))
);

COMMENT ON TABLE public.page_audience IS 'Pages for families with a member of `age_from` to below `age_until` years; at school, not at school, or (null) either.';

CREATE TABLE public.page_category (
    id uuid NOT NULL,
    code text NOT NULL,
    parent_id uuid,
    title_fr text NOT NULL,
    title_en text NOT NULL,
    "position" integer DEFAULT 0 NOT NULL,
    CONSTRAINT page_category_code_check CHECK ((code ~ '^[a-z][a-z0-9-]{1,59}$'::text)),
    CONSTRAINT page_category_title_en_check CHECK (((length(title_en) >= 1) AND (length(title_en) <= 200))),
    CONSTRAINT page_category_title_fr_check CHECK (((length(title_fr) >= 1) AND (length(title_fr) <= 200)))
);

CREATE TABLE public.page_invoice (
    page_id uuid NOT NULL,
    moment text NOT NULL,
    CONSTRAINT page_invoice_moment_check CHECK ((moment = ANY (ARRAY['DUE_SOON'::text, 'OVERDUE'::text])))
);

COMMENT ON TABLE public.page_invoice IS 'Pages for families with an open invoice that is due within 14 days (DUE_SOON), or whose due date has passed (OVERDUE).';

CREATE TABLE public.page_kind (
    page_id uuid NOT NULL,
    kind_code text NOT NULL,
    phase text NOT NULL,
    "position" integer DEFAULT 0 NOT NULL,
    CONSTRAINT page_kind_phase_check CHECK ((phase = ANY (ARRAY['BEFORE'::text, 'AFTER'::text])))
);

COMMENT ON TABLE public.page_kind IS 'What to read before and after a procedure of a kind (R14).';

CREATE TABLE public.page_place (
    page_id uuid NOT NULL,
    place_id uuid NOT NULL,
    "position" integer DEFAULT 0 NOT NULL
);

CREATE TABLE public.page_tariff (
    page_id uuid NOT NULL,
    tariff_id uuid NOT NULL,
    "position" integer DEFAULT 0 NOT NULL
);

CREATE TABLE public.page_version (
    id uuid NOT NULL,
    page_id uuid NOT NULL,
    number integer NOT NULL,
    category_id uuid NOT NULL,
    slug text NOT NULL,
    title_fr text NOT NULL,
    title_en text NOT NULL,
    summary_fr text NOT NULL,
    summary_en text NOT NULL,
    body_fr text NOT NULL,
    body_en text NOT NULL,
    html_fr text NOT NULL,
    html_en text NOT NULL,
    plain_fr text NOT NULL,
    plain_en text NOT NULL,
    visible_from timestamp with time zone,
    visible_until timestamp with time zone,
    edited_by uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    head tsvector GENERATED ALWAYS AS ((((setweight(to_tsvector('french'::regconfig, translate(title_fr, '’ʼ'''::text, '   '::text)), 'A'::"char") || setweight(to_tsvector('english'::regconfig, translate(title_en, '’ʼ'''::text, '   '::text)), 'A'::"char")) || setweight(to_tsvector('french'::regconfig, translate(summary_fr, '’ʼ'''::text, '   '::text)), 'B'::"char")) || setweight(to_tsvector('english'::regconfig, translate(summary_en, '’ʼ'''::text, '   '::text)), 'B'::"char"))) STORED NOT NULL,
    search tsvector GENERATED ALWAYS AS ((((((setweight(to_tsvector('french'::regconfig, translate(title_fr, '’ʼ'''::text, '   '::text)), 'A'::"char") || setweight(to_tsvector('english'::regconfig, translate(title_en, '’ʼ'''::text, '   '::text)), 'A'::"char")) || setweight(to_tsvector('french'::regconfig, translate(summary_fr, '’ʼ'''::text, '   '::text)), 'B'::"char")) || setweight(to_tsvector('english'::regconfig, translate(summary_en, '’ʼ'''::text, '   '::text)), 'B'::"char")) || setweight(to_tsvector('french'::regconfig, translate(plain_fr, '’ʼ'''::text, '   '::text)), 'C'::"char")) || setweight(to_tsvector('english'::regconfig, translate(plain_en, '’ʼ'''::text, '   '::text)), 'C'::"char"))) STORED NOT NULL,
    CONSTRAINT page_version_body_en_check CHECK ((length(body_en) <= 100000)),
    CONSTRAINT page_version_body_fr_check CHECK ((length(body_fr) <= 100000)),
    CONSTRAINT page_version_check CHECK ((visible_until > visible_from)),
    CONSTRAINT page_version_number_check CHECK ((number > 0)),
    CONSTRAINT page_version_summary_en_check CHECK ((length(summary_en) <= 500)),
    CONSTRAINT page_version_summary_fr_check CHECK ((length(summary_fr) <= 500)),
    CONSTRAINT page_version_title_en_check CHECK (((length(title_en) >= 1) AND (length(title_en) <= 200))),
    CONSTRAINT page_version_title_fr_check CHECK (((length(title_fr) >= 1) AND (length(title_fr) <= 200)))
);

COMMENT ON TABLE public.page_version IS 'Every text a page ever had; the public sees the one whose time it is.';

COMMENT ON COLUMN public.page_version.html_fr IS 'Made from body_fr when it was saved, and sanitised.';

COMMENT ON COLUMN public.page_version.head IS 'Title and summary alone: a match there ranks first, and so small a vector is ranked fast.';

CREATE TABLE public.page_word (
    word text NOT NULL,
    plain text GENERATED ALWAYS AS (btrim(public.folded(word))) STORED NOT NULL
);

CREATE TABLE public.partner (
    id uuid NOT NULL,
    name text NOT NULL,
    contact_email text NOT NULL,
    language text NOT NULL,
    scopes text[] NOT NULL,
    services uuid[] NOT NULL,
    networks text[] DEFAULT '{}'::text[] NOT NULL,
    jwks json,
    created_by uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    warned_at timestamp with time zone,
    revoked_at timestamp with time zone,
    CONSTRAINT partner_contact_email_check CHECK (((contact_email = lower(contact_email)) AND (length(contact_email) <= 254))),
    CONSTRAINT partner_language_check CHECK ((language = ANY (ARRAY['fr'::text, 'en'::text]))),
    CONSTRAINT partner_name_check CHECK (((length(name) >= 1) AND (length(name) <= 100))),
    CONSTRAINT partner_scopes_check CHECK (((cardinality(scopes) > 0) AND (scopes <@ ARRAY['PROCEDURES_READ'::text, 'STATISTICS_READ'::text, 'PAGES_READ'::text, 'INVOICES_AGGREGATE'::text, 'FAMILIES_NAMES'::text, 'EXPLORE'::text])))
);

ALTER TABLE ONLY public.partner FORCE ROW LEVEL SECURITY;

COMMENT ON COLUMN public.partner.networks IS 'Networks that it may call from (CIDR); any when empty.';

COMMENT ON COLUMN public.partner.jwks IS 'Public keys with which it signs assertions (RFC 7523).';

COMMENT ON COLUMN public.partner.warned_at IS 'When its contact was told that it expires soon.';

CREATE TABLE public.partner_assertion (
    partner_id uuid NOT NULL,
    digest bytea NOT NULL,
    expires_at timestamp with time zone NOT NULL
);

ALTER TABLE ONLY public.partner_assertion FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.partner_assertion IS 'Assertions that were used: each counts once (RFC 7523, section 3).';

CREATE TABLE public.partner_notice (
    partner_id uuid NOT NULL,
    id uuid NOT NULL,
    type text NOT NULL,
    data json NOT NULL,
    created_at timestamp with time zone NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    next_try_at timestamp with time zone NOT NULL,
    sent_at timestamp with time zone,
    failed_at timestamp with time zone,
    CONSTRAINT partner_notice_type_check CHECK ((type ~ '^partner_[a-z_]+$'::text))
);

ALTER TABLE ONLY public.partner_notice FORCE ROW LEVEL SECURITY;

CREATE TABLE public.partner_secret (
    partner_id uuid NOT NULL,
    id uuid NOT NULL,
    digest bytea NOT NULL,
    hint text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone,
    CONSTRAINT partner_secret_hint_check CHECK ((length(hint) = 4))
);

ALTER TABLE ONLY public.partner_secret FORCE ROW LEVEL SECURITY;

COMMENT ON COLUMN public.partner_secret.digest IS 'HMAC-SHA-256 of a secret of 256 bits; the secret is shown once.';

COMMENT ON COLUMN public.partner_secret.hint IS 'Its last characters, to tell secrets apart.';

CREATE TABLE public.partner_task (
    partner_id uuid NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL,
    subject_id uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    done_at timestamp with time zone,
    done_by uuid,
    CONSTRAINT partner_task_kind_check CHECK ((kind = ANY (ARRAY['WEBHOOK_DISABLED'::text, 'PARTNER_EXPIRES'::text])))
);

ALTER TABLE ONLY public.partner_task FORCE ROW LEVEL SECURITY;

CREATE TABLE public.password_reset (
    family_id uuid NOT NULL,
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    requested_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone
);

ALTER TABLE ONLY public.password_reset FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.password_reset IS 'Links asked for to choose a new password; a link is signed with the portal''s key, so that no row gives one away.';

CREATE TABLE public.payment (
    family_id uuid NOT NULL,
    id uuid NOT NULL,
    means text NOT NULL,
    source text NOT NULL,
    cents integer NOT NULL,
    forfeited_cents integer DEFAULT 0 NOT NULL,
    bank_reference text,
    cashier_id uuid,
    visit_id uuid NOT NULL,
    receipt_number text NOT NULL,
    received_on date NOT NULL,
    received_at timestamp with time zone NOT NULL,
    undone_at timestamp with time zone,
    undone_reason text,
    undone_by uuid,
    CONSTRAINT payment_bank_reference_check CHECK ((((length(bank_reference) >= 1) AND (length(bank_reference) <= 64)) AND (bank_reference !~ '[0-9]{13}'::text))),
    CONSTRAINT payment_cents_check CHECK (((cents >= 1) AND (cents <= 100000000))),
    CONSTRAINT payment_check CHECK (((forfeited_cents >= 0) AND ((forfeited_cents = 0) OR (means = 'HOLIDAY_VOUCHER'::text)))),
    CONSTRAINT payment_check1 CHECK (((undone_at IS NULL) = (undone_reason IS NULL))),
    CONSTRAINT payment_check2 CHECK (((means <> 'CASH'::text) OR (source = 'COUNTER'::text))),
    CONSTRAINT payment_means_check CHECK ((means = ANY (ARRAY['CASH'::text, 'CHEQUE'::text, 'CARD'::text, 'CESU'::text, 'HOLIDAY_VOUCHER'::text, 'ONLINE_CARD'::text, 'DIRECT_DEBIT'::text, 'TRANSFER'::text, 'CREDIT_NOTE'::text]))),
    CONSTRAINT payment_receipt_number_check CHECK (((length(receipt_number) >= 1) AND (length(receipt_number) <= 60))),
    CONSTRAINT payment_source_check CHECK ((source = ANY (ARRAY['COUNTER'::text, 'POST'::text, 'CARD'::text, 'DEBIT'::text, 'CITY'::text]))),
    CONSTRAINT payment_undone_reason_check CHECK (((length(undone_reason) >= 1) AND (length(undone_reason) <= 4000)))
);

ALTER TABLE ONLY public.payment FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.payment IS 'Money received by one means. What of it is neither allocated nor paid back is a credit of the family.';

COMMENT ON COLUMN public.payment.forfeited_cents IS 'What vouchers were worth beyond what was owed: no change is given.';

COMMENT ON COLUMN public.payment.bank_reference IS 'The bank''s authorisation code, and nothing else of a card or an account (R35).';

COMMENT ON COLUMN public.payment.visit_id IS 'Payments received together have one receipt.';

CREATE TABLE public.phone_challenge (
    family_id uuid NOT NULL,
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    address_id uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone
);

ALTER TABLE ONLY public.phone_challenge FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.phone_challenge IS 'Codes sent to numbers. The code itself is kept nowhere: it is an HMAC of the id.';

CREATE TABLE public.place (
    id uuid NOT NULL,
    code text NOT NULL,
    name_fr text NOT NULL,
    name_en text NOT NULL,
    address text NOT NULL,
    latitude double precision NOT NULL,
    longitude double precision NOT NULL,
    access_fr text DEFAULT ''::text NOT NULL,
    access_en text DEFAULT ''::text NOT NULL,
    accessibility text[] DEFAULT '{}'::text[] NOT NULL,
    phone text DEFAULT ''::text NOT NULL,
    email text DEFAULT ''::text NOT NULL,
    open_on_public_holidays boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone NOT NULL,
    archived_at timestamp with time zone,
    CONSTRAINT place_accessibility_check CHECK ((accessibility <@ ARRAY['WHEELCHAIR'::text, 'HEARING_LOOP'::text, 'BRAILLE'::text, 'SIGN_LANGUAGE'::text, 'PARKING'::text])),
    CONSTRAINT place_address_check CHECK (((length(address) >= 1) AND (length(address) <= 500))),
    CONSTRAINT place_code_check CHECK ((code ~ '^[a-z][a-z0-9-]{1,59}$'::text)),
    CONSTRAINT place_latitude_check CHECK (((latitude >= ('-90'::integer)::double precision) AND (latitude <= (90)::double precision))),
    CONSTRAINT place_longitude_check CHECK (((longitude >= ('-180'::integer)::double precision) AND (longitude <= (180)::double precision))),
    CONSTRAINT place_name_en_check CHECK (((length(name_en) >= 1) AND (length(name_en) <= 200))),
    CONSTRAINT place_name_fr_check CHECK (((length(name_fr) >= 1) AND (length(name_fr) <= 200)))
);

COMMENT ON TABLE public.place IS 'Where something is: a town hall, a school, a pool.';

CREATE TABLE public.procedure_count (
    grain text NOT NULL,
    starts_on date NOT NULL,
    service_id uuid NOT NULL,
    kind_id uuid NOT NULL,
    status text NOT NULL,
    n integer NOT NULL,
    delays integer[],
    CONSTRAINT procedure_count_delays_check CHECK ((cardinality(delays) = 105)),
    CONSTRAINT procedure_count_grain_check CHECK ((grain = ANY (ARRAY['DAY'::text, 'MONTH'::text]))),
    CONSTRAINT procedure_count_status_check CHECK ((status = ANY (ARRAY['DRAFT'::text, 'SUBMITTED'::text, 'IN_REVIEW'::text, 'AWAITING_FAMILY'::text, 'ACCEPTED'::text, 'REJECTED'::text, 'CLOSED'::text, 'WITHDRAWN'::text])))
)
WITH (fillfactor='80');

ALTER TABLE ONLY public.procedure_count FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.procedure_count IS 'Submitted procedures by day or month of submission (Europe/Paris), service, kind and status.';

COMMENT ON COLUMN public.procedure_count.delays IS 'How many of them were decided within each class of delays; null where none was.';

CREATE TABLE public.procedure_count_change (
    id bigint NOT NULL,
    day date NOT NULL,
    service_id uuid NOT NULL,
    kind_id uuid NOT NULL,
    status text NOT NULL,
    delay smallint,
    n smallint NOT NULL,
    CONSTRAINT procedure_count_change_status_check CHECK ((status = ANY (ARRAY['DRAFT'::text, 'SUBMITTED'::text, 'IN_REVIEW'::text, 'AWAITING_FAMILY'::text, 'ACCEPTED'::text, 'REJECTED'::text, 'CLOSED'::text, 'WITHDRAWN'::text])))
);

ALTER TABLE ONLY public.procedure_count_change FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.procedure_count_change IS 'What moves changed since the counts were last folded; both together are exact at any moment.';

ALTER TABLE public.procedure_count_change ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.procedure_count_change_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.procedure_document (
    family_id uuid NOT NULL,
    procedure_id uuid NOT NULL,
    field text NOT NULL,
    document_id uuid NOT NULL,
    id uuid NOT NULL,
    service_id uuid NOT NULL,
    attached_at timestamp with time zone NOT NULL,
    CONSTRAINT procedure_document_field_check CHECK ((field ~ '^[A-Za-z][A-Za-z0-9_.-]{0,59}$'::text))
);

ALTER TABLE ONLY public.procedure_document FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.procedure_document IS 'What was filed with a procedure, under which field of its form; lasting once the procedure is submitted.';

COMMENT ON COLUMN public.procedure_document.field IS 'Field of the form, code of the kind, asked.<event>.<position> of a request, or message.<number>.';

CREATE TABLE public.procedure_event (
    family_id uuid NOT NULL,
    procedure_id uuid NOT NULL,
    number integer NOT NULL,
    id uuid NOT NULL,
    service_id uuid NOT NULL,
    from_status text NOT NULL,
    to_status text NOT NULL,
    actor text NOT NULL,
    agent_id uuid,
    message text,
    occurred_at timestamp with time zone NOT NULL,
    CONSTRAINT procedure_event_actor_check CHECK ((actor = ANY (ARRAY['FAMILY'::text, 'AGENT'::text, 'CLOCK'::text]))),
    CONSTRAINT procedure_event_from_status_check CHECK ((from_status = ANY (ARRAY['DRAFT'::text, 'SUBMITTED'::text, 'IN_REVIEW'::text, 'AWAITING_FAMILY'::text, 'ACCEPTED'::text, 'REJECTED'::text, 'CLOSED'::text, 'WITHDRAWN'::text]))),
    CONSTRAINT procedure_event_message_check CHECK ((length(message) <= 4000)),
    CONSTRAINT procedure_event_number_check CHECK ((number > 0)),
    CONSTRAINT procedure_event_to_status_check CHECK ((to_status = ANY (ARRAY['DRAFT'::text, 'SUBMITTED'::text, 'IN_REVIEW'::text, 'AWAITING_FAMILY'::text, 'ACCEPTED'::text, 'REJECTED'::text, 'CLOSED'::text, 'WITHDRAWN'::text])))
);

ALTER TABLE ONLY public.procedure_event FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.procedure_event IS 'What happened to a procedure, in order and without gap; never changed.';

CREATE TABLE public.procedure_feed (
    family_id uuid NOT NULL,
    procedure_id uuid NOT NULL,
    number integer NOT NULL,
    service_id uuid NOT NULL,
    noted bigint NOT NULL,
    "position" bigint
);

ALTER TABLE ONLY public.procedure_feed FORCE ROW LEVEL SECURITY;

COMMENT ON COLUMN public.procedure_feed.noted IS 'Order of notes: of two steps of one procedure the later one has the higher.';

COMMENT ON COLUMN public.procedure_feed."position" IS 'Place in the feed, 1, 2, 3 … in the order of commits that gave it; null until then.';

CREATE TABLE public.procedure_feed_end (
    only_one boolean DEFAULT true NOT NULL,
    "position" bigint NOT NULL,
    CONSTRAINT procedure_feed_end_only_one_check CHECK (only_one)
);

COMMENT ON TABLE public.procedure_feed_end IS 'The last place given; its lock makes those who number take turns.';

ALTER TABLE public.procedure_feed ALTER COLUMN noted ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.procedure_feed_noted_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.procedure_kind (
    id uuid NOT NULL,
    code text NOT NULL,
    version integer NOT NULL,
    service_id uuid NOT NULL,
    title_fr text NOT NULL,
    title_en text NOT NULL,
    summary_fr text NOT NULL,
    summary_en text NOT NULL,
    form json NOT NULL,
    attestation_fr text NOT NULL,
    attestation_en text NOT NULL,
    decision_months integer NOT NULL,
    silence_means text NOT NULL,
    published_at timestamp with time zone NOT NULL,
    superseded_at timestamp with time zone,
    opens_on date,
    closes_on date,
    capacity integer,
    CONSTRAINT procedure_kind_capacity_check CHECK ((capacity > 0)),
    CONSTRAINT procedure_kind_code_check CHECK ((code ~ '^[a-z][a-z0-9-]{1,59}$'::text)),
    CONSTRAINT procedure_kind_decision_months_check CHECK (((decision_months >= 1) AND (decision_months <= 24))),
    CONSTRAINT procedure_kind_form_check CHECK ((json_typeof(form) = 'object'::text)),
    CONSTRAINT procedure_kind_period CHECK ((closes_on >= opens_on)),
    CONSTRAINT procedure_kind_silence_means_check CHECK ((silence_means = ANY (ARRAY['ACCEPTED'::text, 'REJECTED'::text]))),
    CONSTRAINT procedure_kind_version_check CHECK ((version > 0))
);

COMMENT ON TABLE public.procedure_kind IS 'Catalogue of procedures; a version never changes once published.';

COMMENT ON COLUMN public.procedure_kind.opens_on IS 'First day (Paris) on which one may start it; null: always could.';

COMMENT ON COLUMN public.procedure_kind.closes_on IS 'Last day; null: no end.';

COMMENT ON COLUMN public.procedure_kind.capacity IS 'Procedures of one opening period that may be open or accepted; null: no limit.';

CREATE TABLE public.procedure_message (
    family_id uuid NOT NULL,
    procedure_id uuid NOT NULL,
    number integer NOT NULL,
    id uuid NOT NULL,
    service_id uuid NOT NULL,
    author text NOT NULL,
    account_id uuid,
    agent_id uuid,
    body text NOT NULL,
    request_key text NOT NULL,
    posted_at timestamp with time zone NOT NULL,
    read_at timestamp with time zone,
    CONSTRAINT procedure_message_author_check CHECK ((author = ANY (ARRAY['FAMILY'::text, 'AGENT'::text]))),
    CONSTRAINT procedure_message_body_check CHECK ((length(body) <= 4000)),
    CONSTRAINT procedure_message_number_check CHECK ((number > 0)),
    CONSTRAINT procedure_message_request_key_check CHECK (((length(request_key) >= 8) AND (length(request_key) <= 100)))
);

ALTER TABLE ONLY public.procedure_message FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.procedure_message IS 'What a family and the service say to each other about a procedure.';

COMMENT ON COLUMN public.procedure_message.request_key IS 'Recognises a request that is sent again: a message is written once.';

COMMENT ON COLUMN public.procedure_message.read_at IS 'When somebody of the other side marked it as read.';

CREATE SEQUENCE public.procedure_reference
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

CREATE TABLE public.provider_link (
    family_id uuid NOT NULL,
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    provider_id uuid NOT NULL,
    subject_hmac bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone
);

ALTER TABLE ONLY public.provider_link FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.provider_link IS 'Who signs in to an account by a provider: the HMAC of its subject, never a name or an address.';

CREATE TABLE public.quotient_familial (
    family_id uuid NOT NULL,
    id uuid NOT NULL,
    sealed_value bytea NOT NULL,
    valid_from date NOT NULL,
    valid_until date,
    source text NOT NULL,
    recorded_by uuid NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    CONSTRAINT quotient_familial_check CHECK ((valid_until >= valid_from)),
    CONSTRAINT quotient_familial_source_check CHECK ((source = ANY (ARRAY['CAF'::text, 'MSA'::text, 'TAX_NOTICE'::text, 'OTHER'::text])))
);

ALTER TABLE ONLY public.quotient_familial FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.quotient_familial IS 'Dated income index; never changed: what is recorded later for the same day wins.';

COMMENT ON COLUMN public.quotient_familial.sealed_value IS 'The value, encrypted with a key of the settings that is derived for this family.';

CREATE SEQUENCE public.receipt_number
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

CREATE TABLE public.recovery_code (
    agent_id uuid NOT NULL,
    hash bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone
);

ALTER TABLE ONLY public.recovery_code FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.recovery_code IS 'Ten codes by their HMAC, each good once, for an agent who has lost the second factor.';

CREATE TABLE public.refresh_token (
    hash bytea NOT NULL,
    session_id uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone
);

COMMENT ON TABLE public.refresh_token IS 'Refresh tokens by their SHA-256; a used one that comes back ends its session.';

CREATE TABLE public.refund (
    family_id uuid NOT NULL,
    id uuid NOT NULL,
    payment_id uuid NOT NULL,
    cents integer NOT NULL,
    means text NOT NULL,
    reason text NOT NULL,
    refunded_on date NOT NULL,
    refunded_at timestamp with time zone NOT NULL,
    refunded_by uuid,
    CONSTRAINT refund_cents_check CHECK ((cents > 0)),
    CONSTRAINT refund_means_check CHECK ((means = ANY (ARRAY['CASH'::text, 'CARD'::text, 'TRANSFER'::text]))),
    CONSTRAINT refund_reason_check CHECK (((length(reason) >= 1) AND (length(reason) <= 4000)))
);

ALTER TABLE ONLY public.refund FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.refund IS 'Credit that was paid back.';

CREATE TABLE public.registered_document (
    hash text NOT NULL,
    client text NOT NULL,
    document text NOT NULL,
    operations text[] NOT NULL,
    created_at timestamp with time zone NOT NULL,
    retired_at timestamp with time zone,
    CONSTRAINT registered_document_check CHECK ((hash = encode(sha256(convert_to(document, 'UTF8'::name)), 'hex'::text))),
    CONSTRAINT registered_document_client_check CHECK ((client ~ '^[a-z][a-z0-9_.-]{0,49}$'::text)),
    CONSTRAINT registered_document_hash_check CHECK ((hash ~ '^[0-9a-f]{64}$'::text))
);

COMMENT ON TABLE public.registered_document IS 'Documents of GraphQL that may be called by their SHA-256; the same text may be of several clients, and counts while one of them has not retired it.';

CREATE VIEW public.requested_document WITH (security_invoker='true') AS
 SELECT r.family_id,
    (md5(((r.id || '.'::text) || d."position")))::uuid AS id,
    r.id AS request_id,
    r.procedure_id,
    r.service_id,
    r.event_number,
    (d."position")::integer AS "position",
    ((('asked.'::text || r.event_number) || '.'::text) || d."position") AS field,
    d.label
   FROM (public.information_request r
     CROSS JOIN LATERAL unnest(r.documents) WITH ORDINALITY d(label, "position"));

COMMENT ON VIEW public.requested_document IS 'Each document of an information request, and the field that it is filed under; sees what its reader sees.';

CREATE TABLE public.required_document (
    kind_id uuid NOT NULL,
    id uuid NOT NULL,
    code text NOT NULL,
    "position" integer NOT NULL,
    label_fr text NOT NULL,
    label_en text NOT NULL,
    help_fr text,
    help_en text,
    required boolean NOT NULL,
    CONSTRAINT required_document_code_check CHECK ((code ~ '^[a-z][a-z0-9-]{1,59}$'::text)),
    CONSTRAINT required_document_help_en_check CHECK ((length(help_en) <= 1000)),
    CONSTRAINT required_document_help_fr_check CHECK ((length(help_fr) <= 1000)),
    CONSTRAINT required_document_label_en_check CHECK (((length(label_en) >= 1) AND (length(label_en) <= 200))),
    CONSTRAINT required_document_label_fr_check CHECK (((length(label_fr) >= 1) AND (length(label_fr) <= 200)))
);

COMMENT ON TABLE public.required_document IS 'Documents that a version of a kind asks for.';

CREATE TABLE public.revenue_count (
    period date NOT NULL,
    service_id uuid NOT NULL,
    invoices integer NOT NULL,
    families integer NOT NULL,
    invoiced_cents bigint NOT NULL,
    paid_cents bigint NOT NULL,
    CONSTRAINT revenue_count_period_check CHECK ((EXTRACT(day FROM period) = (1)::numeric))
)
WITH (fillfactor='80');

ALTER TABLE ONLY public.revenue_count FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.revenue_count IS 'Standing invoices by the month that they are for, and service.';

COMMENT ON COLUMN public.revenue_count.invoices IS 'How many have a line of the service.';

COMMENT ON COLUMN public.revenue_count.families IS 'How many families these are of.';

COMMENT ON COLUMN public.revenue_count.paid_cents IS 'What settles lines of the service; see note_paid.';

CREATE TABLE public.revenue_count_change (
    id bigint NOT NULL,
    period date NOT NULL,
    service_id uuid NOT NULL,
    invoices integer NOT NULL,
    families integer NOT NULL,
    invoiced_cents bigint NOT NULL,
    paid_cents bigint NOT NULL
);

ALTER TABLE ONLY public.revenue_count_change FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.revenue_count_change IS 'What moves changed since the sums were last folded; both together are exact at any moment.';

ALTER TABLE public.revenue_count_change ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.revenue_count_change_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.second_factor (
    id uuid NOT NULL,
    agent_id uuid NOT NULL,
    method text NOT NULL,
    name text NOT NULL,
    sealed_secret bytea,
    last_step bigint,
    credential_id bytea,
    public_key bytea,
    sign_count bigint,
    created_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone,
    CONSTRAINT second_factor_check CHECK (((method = 'TOTP'::text) = (sealed_secret IS NOT NULL))),
    CONSTRAINT second_factor_check1 CHECK (((method = 'TOTP'::text) = (last_step IS NOT NULL))),
    CONSTRAINT second_factor_check2 CHECK (((method = 'PASSKEY'::text) = (credential_id IS NOT NULL))),
    CONSTRAINT second_factor_check3 CHECK (((method = 'PASSKEY'::text) = (public_key IS NOT NULL))),
    CONSTRAINT second_factor_check4 CHECK (((method = 'PASSKEY'::text) = (sign_count IS NOT NULL))),
    CONSTRAINT second_factor_method_check CHECK ((method = ANY (ARRAY['TOTP'::text, 'PASSKEY'::text]))),
    CONSTRAINT second_factor_name_check CHECK (((length(name) >= 1) AND (length(name) <= 60)))
);

ALTER TABLE ONLY public.second_factor FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.second_factor IS 'What an agent shows beside the password: an authenticator app (TOTP) or a passkey.';

COMMENT ON COLUMN public.second_factor.sealed_secret IS 'Sealed with a key from the settings.';

COMMENT ON COLUMN public.second_factor.last_step IS 'The last 30-second step whose code was used: it and those before it are spent.';

CREATE TABLE public.service (
    id uuid NOT NULL,
    code text NOT NULL,
    name_fr text NOT NULL,
    name_en text NOT NULL,
    address text NOT NULL,
    phone text NOT NULL,
    email text NOT NULL,
    hours_fr text NOT NULL,
    hours_en text NOT NULL,
    CONSTRAINT service_code_check CHECK ((code ~ '^[a-z][a-z0-9-]{1,39}$'::text))
);

COMMENT ON TABLE public.service IS 'A service of the city: canteen, civil registry …';

CREATE TABLE public.service_opt_in (
    family_id uuid NOT NULL,
    service_id uuid NOT NULL,
    id uuid NOT NULL,
    opted_in boolean NOT NULL,
    changed_at timestamp with time zone NOT NULL
);

ALTER TABLE ONLY public.service_opt_in FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.service_opt_in IS 'Which services a family chose to use, and which it left (R2).';

CREATE TABLE public.session (
    id uuid NOT NULL,
    family_id uuid,
    account_id uuid,
    agent_id uuid,
    device text NOT NULL,
    shared_computer boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    end_reason text,
    idle_ends_at timestamp with time zone,
    partner_id uuid,
    scopes text[],
    CONSTRAINT session_holder_check CHECK (((num_nonnulls(account_id, agent_id, partner_id) = 1) AND ((account_id IS NULL) = (family_id IS NULL)) AND ((partner_id IS NULL) = (scopes IS NULL))))
);

ALTER TABLE ONLY public.session FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.session IS 'One sign-in on one device, of an account or of an agent.';

COMMENT ON COLUMN public.session.idle_ends_at IS 'When it ends unless it is refreshed before; null for those opened before there was this column.';

COMMENT ON COLUMN public.session.scopes IS 'What a partner asked for; it has of them what it may still have.';

CREATE TABLE public.signing_key (
    kid text NOT NULL,
    sealed_private_key bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    retired_at timestamp with time zone
);

COMMENT ON TABLE public.signing_key IS 'Keys that sign access tokens, sealed with the master key of the settings.';

COMMENT ON COLUMN public.signing_key.retired_at IS 'From when on its signatures count no more; it signs nothing once this is set.';

CREATE TABLE public.sms_provider (
    name text NOT NULL,
    demoted_until timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.sms_provider IS 'Providers of text messages that were too slow, and until when the others go first; the same for all nodes.';

CREATE TABLE public.sms_receipt (
    provider text NOT NULL,
    reference text NOT NULL,
    state text NOT NULL,
    received_at timestamp with time zone NOT NULL,
    problem text,
    retires boolean DEFAULT false NOT NULL,
    CONSTRAINT sms_receipt_problem_check CHECK (((length(problem) >= 1) AND (length(problem) <= 200))),
    CONSTRAINT sms_receipt_reference_check CHECK (((length(reference) >= 1) AND (length(reference) <= 100))),
    CONSTRAINT sms_receipt_state_check CHECK ((state = ANY (ARRAY['DELIVERED'::text, 'FAILED'::text, 'RETRY'::text])))
);

COMMENT ON TABLE public.sms_receipt IS 'Receipts and bounces as they came, of text messages and of e-mail; a dispatcher moves each into its delivery, and may find it before the delivery is written.';

COMMENT ON COLUMN public.sms_receipt.retires IS 'Nothing will ever arrive at that address: it is retired.';

CREATE TABLE public.sms_sender (
    node uuid NOT NULL,
    seen_at timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.sms_sender IS 'Dispatchers that send text messages, and when each was last at work: the rate of a provider is divided by their number.';

CREATE TABLE public.tariff (
    id uuid NOT NULL,
    code text NOT NULL,
    service_id uuid NOT NULL,
    label_fr text NOT NULL,
    label_en text NOT NULL,
    unit_fr text NOT NULL,
    unit_en text NOT NULL,
    "position" integer DEFAULT 0 NOT NULL,
    created_at timestamp with time zone NOT NULL,
    cesu text DEFAULT 'NEVER'::text NOT NULL,
    CONSTRAINT tariff_cesu_check CHECK ((cesu = ANY (ARRAY['NEVER'::text, 'UNDER_6'::text, 'ALWAYS'::text]))),
    CONSTRAINT tariff_code_check CHECK ((code ~ '^[a-z][a-z0-9-]{1,59}$'::text)),
    CONSTRAINT tariff_label_en_check CHECK (((length(label_en) >= 1) AND (length(label_en) <= 200))),
    CONSTRAINT tariff_label_fr_check CHECK (((length(label_fr) >= 1) AND (length(label_fr) <= 200))),
    CONSTRAINT tariff_unit_en_check CHECK ((length(unit_en) <= 60)),
    CONSTRAINT tariff_unit_fr_check CHECK ((length(unit_fr) <= 60))
);

COMMENT ON TABLE public.tariff IS 'Something that has a price: a meal, a half-day.';

COMMENT ON COLUMN public.tariff.unit_fr IS 'For what one price is, e.g. « le repas ».';

COMMENT ON COLUMN public.tariff.cesu IS 'Whether CESU pay for it: never (canteen), for children under 6 on the day (leisure centre), or always (code du travail L1271-1).';

CREATE TABLE public.tariff_price (
    id uuid NOT NULL,
    tariff_id uuid NOT NULL,
    quotient_from integer NOT NULL,
    quotient_until integer,
    cents integer NOT NULL,
    valid_from date NOT NULL,
    valid_until date,
    CONSTRAINT tariff_price_cents_check CHECK ((cents >= 0)),
    CONSTRAINT tariff_price_check CHECK ((quotient_until > quotient_from)),
    CONSTRAINT tariff_price_check1 CHECK ((valid_until >= valid_from)),
    CONSTRAINT tariff_price_quotient_from_check CHECK ((quotient_from >= 0))
);

COMMENT ON TABLE public.tariff_price IS 'One price of a tariff, in cents: for quotients from `quotient_from` to below `quotient_until` (euros a month; null: without end).';

COMMENT ON COLUMN public.tariff_price.valid_until IS 'The last day on which it holds; null while nobody knows of another.';

CREATE TABLE public.terms (
    version integer NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    published_at timestamp with time zone NOT NULL,
    body_fr text NOT NULL,
    body_en text NOT NULL,
    hash text NOT NULL,
    CONSTRAINT terms_hash_check CHECK ((hash ~ '^[0-9a-f]{64}$'::text)),
    CONSTRAINT terms_version_check CHECK ((version > 0))
);

COMMENT ON TABLE public.terms IS 'Versions of the terms of use (CGU); R3–R5.';

CREATE TABLE public.terms_acceptance (
    family_id uuid NOT NULL,
    account_id uuid NOT NULL,
    version integer NOT NULL,
    hash text NOT NULL,
    manner text NOT NULL,
    accepted_at timestamp with time zone NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    CONSTRAINT terms_acceptance_manner_check CHECK ((manner = ANY (ARRAY['REGISTRATION'::text, 'EXPLICIT'::text])))
);

ALTER TABLE ONLY public.terms_acceptance FORCE ROW LEVEL SECURITY;

CREATE TABLE public.throttle (
    subject bytea NOT NULL,
    failures integer DEFAULT 0 NOT NULL,
    today integer DEFAULT 0 NOT NULL,
    day date NOT NULL,
    blocked_until timestamp with time zone
);

COMMENT ON TABLE public.throttle IS 'Failed attempts per subject (an HMAC, never an address or number), shared by all nodes.';

CREATE TABLE public.webhook (
    partner_id uuid NOT NULL,
    id uuid NOT NULL,
    url text NOT NULL,
    sealed_secret bytea NOT NULL,
    sealed_certificate bytea,
    created_at timestamp with time zone NOT NULL,
    disabled_at timestamp with time zone,
    disabled_because text,
    leased boolean DEFAULT false NOT NULL,
    lease bigint DEFAULT 0 NOT NULL,
    due_at timestamp with time zone,
    slow boolean DEFAULT false NOT NULL,
    sealed_old_secret bytea,
    old_secret_until timestamp with time zone,
    CONSTRAINT webhook_check CHECK (((disabled_at IS NULL) = (disabled_because IS NULL))),
    CONSTRAINT webhook_disabled_because_check CHECK ((disabled_because = ANY (ARRAY['BY_PARTNER'::text, 'FAILING'::text, 'GONE'::text, 'PARTNER_ENDED'::text]))),
    CONSTRAINT webhook_old_secret_ends CHECK (((sealed_old_secret IS NULL) = (old_secret_until IS NULL))),
    CONSTRAINT webhook_url_check CHECK (((length(url) >= 8) AND (length(url) <= 2000)))
);

ALTER TABLE ONLY public.webhook FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.webhook IS 'One address of a partner, and the lane to it: leased as a whole, so that the order holds.';

COMMENT ON COLUMN public.webhook.sealed_secret IS 'What signs (Standard Webhooks), encrypted with a key from the settings.';

COMMENT ON COLUMN public.webhook.sealed_certificate IS 'Certificate and key that we show to the address (mTLS), encrypted.';

COMMENT ON COLUMN public.webhook.lease IS 'Fencing number: a dispatcher that lost its lease writes nothing more.';

COMMENT ON COLUMN public.webhook.due_at IS 'When a dispatcher may take it; while leased, when the lease ends; null when nothing waits.';

COMMENT ON COLUMN public.webhook.slow IS 'Its last attempt failed or took long: such addresses get a part of the places only.';

COMMENT ON COLUMN public.webhook.sealed_old_secret IS 'The secret before this one, which signs too until it ends; then it is forgotten.';

CREATE TABLE public.webhook_attempt (
    partner_id uuid NOT NULL,
    delivery_id uuid NOT NULL,
    number integer NOT NULL,
    id uuid NOT NULL,
    begun_at timestamp with time zone NOT NULL,
    milliseconds integer NOT NULL,
    status_code integer,
    problem text,
    answer text,
    CONSTRAINT webhook_attempt_answer_check CHECK ((length(answer) <= 1000)),
    CONSTRAINT webhook_attempt_problem_check CHECK ((length(problem) <= 200))
);

ALTER TABLE ONLY public.webhook_attempt FORCE ROW LEVEL SECURITY;

CREATE TABLE public.webhook_delivery (
    partner_id uuid NOT NULL,
    webhook_id uuid NOT NULL,
    id uuid NOT NULL,
    place bigint NOT NULL,
    message_id text NOT NULL,
    type text NOT NULL,
    body text NOT NULL,
    status text DEFAULT 'PENDING'::text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    next_try_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone NOT NULL,
    delivered_at timestamp with time zone,
    replay boolean DEFAULT false NOT NULL,
    CONSTRAINT webhook_delivery_status_check CHECK ((status = ANY (ARRAY['PENDING'::text, 'DELIVERED'::text, 'FAILED'::text]))),
    CONSTRAINT webhook_delivery_type_check CHECK ((type = ANY (ARRAY['procedure.moved'::text, 'test'::text])))
);

ALTER TABLE ONLY public.webhook_delivery FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.webhook_delivery IS 'The journal: what was or will be sent, byte for byte, for seven days.';

COMMENT ON COLUMN public.webhook_delivery.message_id IS 'Header webhook-id: the same for every attempt and every replay of one step.';

ALTER TABLE public.webhook_delivery ALTER COLUMN place ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.webhook_delivery_place_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE ONLY public.account
    ADD CONSTRAINT account_pkey PRIMARY KEY (family_id, id);

ALTER TABLE ONLY public.acknowledgement
    ADD CONSTRAINT acknowledgement_family_id_id_key UNIQUE (family_id, id);

ALTER TABLE ONLY public.acknowledgement
    ADD CONSTRAINT acknowledgement_pkey PRIMARY KEY (family_id, procedure_id);

ALTER TABLE ONLY public.activation_code
    ADD CONSTRAINT activation_code_pkey PRIMARY KEY (family_id, id);

ALTER TABLE ONLY public.address
    ADD CONSTRAINT address_family_id_channel_value_key UNIQUE (family_id, channel, value);

ALTER TABLE ONLY public.address
    ADD CONSTRAINT address_pkey PRIMARY KEY (family_id, id);

ALTER TABLE ONLY public.agent_challenge
    ADD CONSTRAINT agent_challenge_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.agent_notice
    ADD CONSTRAINT agent_notice_pkey PRIMARY KEY (agent_id, id);

ALTER TABLE ONLY public.agent
    ADD CONSTRAINT agent_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.agent_task
    ADD CONSTRAINT agent_task_pkey PRIMARY KEY (family_id, id);

ALTER TABLE ONLY public.allocation
    ADD CONSTRAINT allocation_pkey PRIMARY KEY (family_id, id);

ALTER TABLE ONLY public.audit_entry
    ADD CONSTRAINT audit_entry_number_key UNIQUE (number);

ALTER TABLE ONLY public.audit_entry
    ADD CONSTRAINT audit_entry_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.bank_message
    ADD CONSTRAINT bank_message_family_id_attempt_id_fingerprint_verdict_key UNIQUE (family_id, attempt_id, fingerprint, verdict);

ALTER TABLE ONLY public.bank_message
    ADD CONSTRAINT bank_message_pkey PRIMARY KEY (family_id, id);

ALTER TABLE ONLY public.billing_check
    ADD CONSTRAINT billing_check_family_id_id_key UNIQUE (family_id, id);

ALTER TABLE ONLY public.billing_check
    ADD CONSTRAINT billing_check_pkey PRIMARY KEY (family_id, run_id, id);

ALTER TABLE ONLY public.billing_run
    ADD CONSTRAINT billing_run_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.broadcast
    ADD CONSTRAINT broadcast_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.bucket
    ADD CONSTRAINT bucket_pkey PRIMARY KEY (subject);

ALTER TABLE ONLY public.card_attempt_invoice
    ADD CONSTRAINT card_attempt_invoice_pkey PRIMARY KEY (family_id, attempt_id, invoice_id);

ALTER TABLE ONLY public.card_attempt
    ADD CONSTRAINT card_attempt_pkey PRIMARY KEY (family_id, id);

ALTER TABLE ONLY public.card_attempt
    ADD CONSTRAINT card_attempt_reference_key UNIQUE (reference);

ALTER TABLE ONLY public.channel_preference
    ADD CONSTRAINT channel_preference_family_id_id_key UNIQUE (family_id, id);

ALTER TABLE ONLY public.channel_preference
    ADD CONSTRAINT channel_preference_pkey PRIMARY KEY (family_id, topic);

ALTER TABLE ONLY public.consumption_change
    ADD CONSTRAINT consumption_change_pkey PRIMARY KEY (family_id, consumption_id, id);

ALTER TABLE ONLY public.consumption
    ADD CONSTRAINT consumption_family_id_id_key UNIQUE (family_id, id);

ALTER TABLE ONLY public.consumption
    ADD CONSTRAINT consumption_pkey PRIMARY KEY (family_id, day, member_id, tariff_id);

ALTER TABLE ONLY public.daily_closing
    ADD CONSTRAINT daily_closing_id_key UNIQUE (id);

ALTER TABLE ONLY public.daily_closing
    ADD CONSTRAINT daily_closing_pkey PRIMARY KEY (day);

ALTER TABLE ONLY public.daily_total
    ADD CONSTRAINT daily_total_id_key UNIQUE (id);

ALTER TABLE ONLY public.daily_total
    ADD CONSTRAINT daily_total_pkey PRIMARY KEY (day, means);

ALTER TABLE ONLY public.data_choice
    ADD CONSTRAINT data_choice_family_id_id_key UNIQUE (family_id, id);

ALTER TABLE ONLY public.data_choice
    ADD CONSTRAINT data_choice_pkey PRIMARY KEY (family_id, datum);

ALTER TABLE ONLY public.debit_batch
    ADD CONSTRAINT debit_batch_message_id_key UNIQUE (message_id);

ALTER TABLE ONLY public.debit_batch
    ADD CONSTRAINT debit_batch_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.debit
    ADD CONSTRAINT debit_end_to_end_id_key UNIQUE (end_to_end_id);

ALTER TABLE ONLY public.debit
    ADD CONSTRAINT debit_pkey PRIMARY KEY (family_id, id);

ALTER TABLE ONLY public.delivery
    ADD CONSTRAINT delivery_family_id_news_seq_channel_address_key UNIQUE (family_id, news_seq, channel, address);

ALTER TABLE ONLY public.delivery
    ADD CONSTRAINT delivery_pkey PRIMARY KEY (family_id, id);

ALTER TABLE ONLY public.device
    ADD CONSTRAINT device_pkey PRIMARY KEY (family_id, account_id, hash);

ALTER TABLE ONLY public.docket
    ADD CONSTRAINT docket_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.docket
    ADD CONSTRAINT docket_year_number_key UNIQUE (year, number);

ALTER TABLE ONLY public.document
    ADD CONSTRAINT document_pkey PRIMARY KEY (family_id, id);

ALTER TABLE ONLY public.draft_invoice
    ADD CONSTRAINT draft_invoice_family_id_run_id_key UNIQUE (family_id, run_id);

ALTER TABLE ONLY public.draft_invoice
    ADD CONSTRAINT draft_invoice_pkey PRIMARY KEY (family_id, id);

ALTER TABLE ONLY public.draft_line
    ADD CONSTRAINT draft_line_family_id_id_key UNIQUE (family_id, id);

ALTER TABLE ONLY public.draft_line
    ADD CONSTRAINT draft_line_pkey PRIMARY KEY (family_id, draft_id, "position");

ALTER TABLE ONLY public.email_change
    ADD CONSTRAINT email_change_pkey PRIMARY KEY (family_id, id);

ALTER TABLE ONLY public.exceptional_day
    ADD CONSTRAINT exceptional_day_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.export_chunk
    ADD CONSTRAINT export_chunk_pkey PRIMARY KEY (family_id, export_id, number);

ALTER TABLE ONLY public.export
    ADD CONSTRAINT export_pkey PRIMARY KEY (family_id, id);

ALTER TABLE ONLY public.family
    ADD CONSTRAINT family_number_key UNIQUE (number);

ALTER TABLE ONLY public.family
    ADD CONSTRAINT family_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.handover
    ADD CONSTRAINT handover_pkey PRIMARY KEY (family_id, invoice_id);

ALTER TABLE ONLY public.idempotency_key
    ADD CONSTRAINT idempotency_key_pkey PRIMARY KEY (family_id, key);

ALTER TABLE ONLY public.identity_attempt
    ADD CONSTRAINT identity_attempt_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.identity_attempt
    ADD CONSTRAINT identity_attempt_state_hash_key UNIQUE (state_hash);

ALTER TABLE ONLY public.identity_provider
    ADD CONSTRAINT identity_provider_issuer_key UNIQUE (issuer);

ALTER TABLE ONLY public.identity_provider
    ADD CONSTRAINT identity_provider_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.information_request
    ADD CONSTRAINT information_request_family_id_procedure_id_event_number_key UNIQUE (family_id, procedure_id, event_number);

ALTER TABLE ONLY public.information_request
    ADD CONSTRAINT information_request_pkey PRIMARY KEY (family_id, id);

ALTER TABLE ONLY public.invitation
    ADD CONSTRAINT invitation_pkey PRIMARY KEY (family_id, id);

ALTER TABLE ONLY public.invoice
    ADD CONSTRAINT invoice_family_id_replaces_id_key UNIQUE (family_id, replaces_id);

ALTER TABLE ONLY public.invoice_line
    ADD CONSTRAINT invoice_line_family_id_id_key UNIQUE (family_id, id);

ALTER TABLE ONLY public.invoice_line
    ADD CONSTRAINT invoice_line_pkey PRIMARY KEY (family_id, invoice_id, "position");

ALTER TABLE ONLY public.invoice
    ADD CONSTRAINT invoice_number_key UNIQUE (number);

ALTER TABLE ONLY public.invoice
    ADD CONSTRAINT invoice_pkey PRIMARY KEY (family_id, id);

ALTER TABLE ONLY public.invoice
    ADD CONSTRAINT invoice_reference_key UNIQUE (reference);

ALTER TABLE ONLY public.invoice_reminder
    ADD CONSTRAINT invoice_reminder_pkey PRIMARY KEY (family_id, invoice_id, number);

ALTER TABLE ONLY public.invoice_series
    ADD CONSTRAINT invoice_series_pkey PRIMARY KEY (year);

ALTER TABLE ONLY public.job
    ADD CONSTRAINT job_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.kind_intake
    ADD CONSTRAINT kind_intake_pkey PRIMARY KEY (code, opens_on);

ALTER TABLE ONLY public.lane
    ADD CONSTRAINT lane_pkey PRIMARY KEY (family_id, subject_id, channel, address);

ALTER TABLE ONLY public.maintenance
    ADD CONSTRAINT maintenance_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.mandate
    ADD CONSTRAINT mandate_pkey PRIMARY KEY (family_id, id);

ALTER TABLE ONLY public.mandate
    ADD CONSTRAINT mandate_rum_key UNIQUE (rum);

ALTER TABLE ONLY public.member_change
    ADD CONSTRAINT member_change_pkey PRIMARY KEY (family_id, id);

ALTER TABLE ONLY public.member
    ADD CONSTRAINT member_pkey PRIMARY KEY (family_id, id);

ALTER TABLE ONLY public.news
    ADD CONSTRAINT news_family_id_id_key UNIQUE (family_id, id);

ALTER TABLE ONLY public.news
    ADD CONSTRAINT news_pkey PRIMARY KEY (family_id, seq);

ALTER TABLE ONLY public.opening_rule
    ADD CONSTRAINT opening_rule_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.opening_span
    ADD CONSTRAINT opening_span_pkey PRIMARY KEY (place_id, opens_at);

ALTER TABLE ONLY public.page_audience
    ADD CONSTRAINT page_audience_pkey PRIMARY KEY (page_id, age_from, age_until);

ALTER TABLE ONLY public.page_category
    ADD CONSTRAINT page_category_code_key UNIQUE (code);

ALTER TABLE ONLY public.page_category
    ADD CONSTRAINT page_category_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.page_invoice
    ADD CONSTRAINT page_invoice_pkey PRIMARY KEY (page_id, moment);

ALTER TABLE ONLY public.page_kind
    ADD CONSTRAINT page_kind_pkey PRIMARY KEY (page_id, kind_code, phase);

ALTER TABLE ONLY public.page
    ADD CONSTRAINT page_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.page_place
    ADD CONSTRAINT page_place_pkey PRIMARY KEY (page_id, place_id);

ALTER TABLE ONLY public.page
    ADD CONSTRAINT page_slug_key UNIQUE (slug);

ALTER TABLE ONLY public.page_tariff
    ADD CONSTRAINT page_tariff_pkey PRIMARY KEY (page_id, tariff_id);

ALTER TABLE ONLY public.page_version
    ADD CONSTRAINT page_version_page_id_number_key UNIQUE (page_id, number);

ALTER TABLE ONLY public.page_version
    ADD CONSTRAINT page_version_page_id_tstzrange_excl EXCLUDE USING gist (page_id WITH =, tstzrange(visible_from, visible_until) WITH &&) WHERE ((visible_from IS NOT NULL));

ALTER TABLE ONLY public.page_version
    ADD CONSTRAINT page_version_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.page_word
    ADD CONSTRAINT page_word_pkey PRIMARY KEY (word);

ALTER TABLE ONLY public.partner_assertion
    ADD CONSTRAINT partner_assertion_pkey PRIMARY KEY (partner_id, digest);

ALTER TABLE ONLY public.partner
    ADD CONSTRAINT partner_name_key UNIQUE (name);

ALTER TABLE ONLY public.partner_notice
    ADD CONSTRAINT partner_notice_pkey PRIMARY KEY (partner_id, id);

ALTER TABLE ONLY public.partner
    ADD CONSTRAINT partner_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.partner_secret
    ADD CONSTRAINT partner_secret_pkey PRIMARY KEY (partner_id, id);

ALTER TABLE ONLY public.partner_task
    ADD CONSTRAINT partner_task_pkey PRIMARY KEY (partner_id, id);

ALTER TABLE ONLY public.password_reset
    ADD CONSTRAINT password_reset_pkey PRIMARY KEY (family_id, id);

ALTER TABLE ONLY public.payment
    ADD CONSTRAINT payment_pkey PRIMARY KEY (family_id, id);

ALTER TABLE ONLY public.phone_challenge
    ADD CONSTRAINT phone_challenge_pkey PRIMARY KEY (family_id, id);

ALTER TABLE ONLY public.place
    ADD CONSTRAINT place_code_key UNIQUE (code);

ALTER TABLE ONLY public.place
    ADD CONSTRAINT place_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.procedure_count_change
    ADD CONSTRAINT procedure_count_change_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.procedure_count
    ADD CONSTRAINT procedure_count_pkey PRIMARY KEY (grain, starts_on, service_id, kind_id, status);

ALTER TABLE ONLY public.procedure_document
    ADD CONSTRAINT procedure_document_family_id_id_key UNIQUE (family_id, id);

ALTER TABLE ONLY public.procedure_document
    ADD CONSTRAINT procedure_document_pkey PRIMARY KEY (family_id, procedure_id, field, document_id);

ALTER TABLE ONLY public.procedure_event
    ADD CONSTRAINT procedure_event_family_id_id_key UNIQUE (family_id, id);

ALTER TABLE ONLY public.procedure_event
    ADD CONSTRAINT procedure_event_pkey PRIMARY KEY (family_id, procedure_id, number);

ALTER TABLE ONLY public.procedure_feed_end
    ADD CONSTRAINT procedure_feed_end_pkey PRIMARY KEY (only_one);

ALTER TABLE ONLY public.procedure_feed
    ADD CONSTRAINT procedure_feed_pkey PRIMARY KEY (family_id, procedure_id, number);

ALTER TABLE ONLY public.procedure_feed
    ADD CONSTRAINT procedure_feed_position_key UNIQUE ("position");

ALTER TABLE ONLY public.procedure_kind
    ADD CONSTRAINT procedure_kind_code_version_key UNIQUE (code, version);

ALTER TABLE ONLY public.procedure_kind
    ADD CONSTRAINT procedure_kind_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.procedure_message
    ADD CONSTRAINT procedure_message_family_id_id_key UNIQUE (family_id, id);

ALTER TABLE ONLY public.procedure_message
    ADD CONSTRAINT procedure_message_family_id_procedure_id_author_request_key_key UNIQUE (family_id, procedure_id, author, request_key);

ALTER TABLE ONLY public.procedure_message
    ADD CONSTRAINT procedure_message_pkey PRIMARY KEY (family_id, procedure_id, number);

ALTER TABLE ONLY public.procedure
    ADD CONSTRAINT procedure_pkey PRIMARY KEY (family_id, id);

ALTER TABLE ONLY public.procedure
    ADD CONSTRAINT procedure_reference_key UNIQUE (reference);

ALTER TABLE ONLY public.provider_link
    ADD CONSTRAINT provider_link_family_id_account_id_provider_id_key UNIQUE (family_id, account_id, provider_id);

ALTER TABLE ONLY public.provider_link
    ADD CONSTRAINT provider_link_pkey PRIMARY KEY (family_id, id);

ALTER TABLE ONLY public.provider_link
    ADD CONSTRAINT provider_link_provider_id_subject_hmac_key UNIQUE (provider_id, subject_hmac);

ALTER TABLE ONLY public.quotient_familial
    ADD CONSTRAINT quotient_familial_pkey PRIMARY KEY (family_id, id);

ALTER TABLE ONLY public.recovery_code
    ADD CONSTRAINT recovery_code_pkey PRIMARY KEY (agent_id, hash);

ALTER TABLE ONLY public.refresh_token
    ADD CONSTRAINT refresh_token_pkey PRIMARY KEY (hash);

ALTER TABLE ONLY public.refund
    ADD CONSTRAINT refund_pkey PRIMARY KEY (family_id, id);

ALTER TABLE ONLY public.registered_document
    ADD CONSTRAINT registered_document_pkey PRIMARY KEY (hash, client);

ALTER TABLE ONLY public.required_document
    ADD CONSTRAINT required_document_kind_id_code_key UNIQUE (kind_id, code);

ALTER TABLE ONLY public.required_document
    ADD CONSTRAINT required_document_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.revenue_count_change
    ADD CONSTRAINT revenue_count_change_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.revenue_count
    ADD CONSTRAINT revenue_count_pkey PRIMARY KEY (period, service_id);

ALTER TABLE ONLY public.second_factor
    ADD CONSTRAINT second_factor_credential_id_key UNIQUE (credential_id);

ALTER TABLE ONLY public.second_factor
    ADD CONSTRAINT second_factor_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.service
    ADD CONSTRAINT service_code_key UNIQUE (code);

ALTER TABLE ONLY public.service_opt_in
    ADD CONSTRAINT service_opt_in_family_id_id_key UNIQUE (family_id, id);

ALTER TABLE ONLY public.service_opt_in
    ADD CONSTRAINT service_opt_in_pkey PRIMARY KEY (family_id, service_id);

ALTER TABLE ONLY public.service
    ADD CONSTRAINT service_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.session
    ADD CONSTRAINT session_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.signing_key
    ADD CONSTRAINT signing_key_pkey PRIMARY KEY (kid);

ALTER TABLE ONLY public.sms_provider
    ADD CONSTRAINT sms_provider_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.sms_receipt
    ADD CONSTRAINT sms_receipt_pkey PRIMARY KEY (provider, reference, state);

ALTER TABLE ONLY public.sms_sender
    ADD CONSTRAINT sms_sender_pkey PRIMARY KEY (node);

ALTER TABLE ONLY public.tariff
    ADD CONSTRAINT tariff_code_key UNIQUE (code);

ALTER TABLE ONLY public.tariff
    ADD CONSTRAINT tariff_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.tariff_price
    ADD CONSTRAINT tariff_price_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.tariff_price
    ADD CONSTRAINT tariff_price_tariff_id_int4range_daterange_excl EXCLUDE USING gist (tariff_id WITH =, int4range(quotient_from, quotient_until) WITH &&, daterange(valid_from, valid_until, '[]'::text) WITH &&);

ALTER TABLE ONLY public.terms_acceptance
    ADD CONSTRAINT terms_acceptance_pkey PRIMARY KEY (family_id, account_id, version);

ALTER TABLE ONLY public.terms
    ADD CONSTRAINT terms_id_key UNIQUE (id);

ALTER TABLE ONLY public.terms
    ADD CONSTRAINT terms_pkey PRIMARY KEY (version);

ALTER TABLE ONLY public.throttle
    ADD CONSTRAINT throttle_pkey PRIMARY KEY (subject);

ALTER TABLE ONLY public.webhook_attempt
    ADD CONSTRAINT webhook_attempt_pkey PRIMARY KEY (partner_id, delivery_id, number);

ALTER TABLE ONLY public.webhook_delivery
    ADD CONSTRAINT webhook_delivery_pkey PRIMARY KEY (partner_id, id);

ALTER TABLE ONLY public.webhook
    ADD CONSTRAINT webhook_pkey PRIMARY KEY (partner_id, id);

CREATE INDEX account_email ON public.account USING btree (email);

CREATE UNIQUE INDEX account_verified_email ON public.account USING btree (email) WHERE (email_verified_at IS NOT NULL);

CREATE INDEX address_by_value ON public.address USING btree (channel, value) WHERE (channel = ANY (ARRAY['SMS'::text, 'WEB_PUSH'::text, 'MOBILE_PUSH'::text]));

CREATE INDEX address_dead_untold ON public.address USING btree (family_id, id) WHERE dead_untold;

CREATE INDEX agent_challenge_of_agent ON public.agent_challenge USING btree (agent_id, expires_at);

CREATE UNIQUE INDEX agent_email ON public.agent USING btree (email);

CREATE INDEX agent_notice_waiting ON public.agent_notice USING btree (next_try_at) WHERE ((sent_at IS NULL) AND (failed_at IS NULL));

CREATE UNIQUE INDEX agent_task_open ON public.agent_task USING btree (family_id, kind, subject_id) WHERE (done_at IS NULL);

CREATE INDEX agent_task_waiting ON public.agent_task USING btree (id) WHERE (done_at IS NULL);

CREATE INDEX allocation_ever_of_invoice ON public.allocation USING btree (family_id, invoice_id, id);

CREATE INDEX allocation_ever_of_payment ON public.allocation USING btree (family_id, payment_id, id);

CREATE INDEX allocation_of_invoice ON public.allocation USING btree (family_id, invoice_id, cents) WHERE (freed_at IS NULL);

CREATE INDEX allocation_of_payment ON public.allocation USING btree (family_id, payment_id, cents) WHERE (freed_at IS NULL);

CREATE INDEX audit_entry_by_time ON public.audit_entry USING btree (occurred_at);

CREATE INDEX audit_entry_of_act ON public.audit_entry USING btree (act, number);

CREATE INDEX audit_entry_of_actor ON public.audit_entry USING btree (actor_id, number) WHERE (actor_id IS NOT NULL);

CREATE INDEX audit_entry_of_family ON public.audit_entry USING btree (family_id, number) WHERE (family_id IS NOT NULL);

CREATE UNIQUE INDEX bank_message_booked_once ON public.bank_message USING btree (bank, transaction_id) WHERE (verdict = 'BOOKED'::text);

CREATE INDEX billing_check_of_run ON public.billing_check USING btree (run_id, code, id);

CREATE INDEX billing_run_newest ON public.billing_run USING btree (period DESC, id DESC);

CREATE UNIQUE INDEX billing_run_one_open ON public.billing_run USING btree ((true)) WHERE (state = ANY (ARRAY['DRAFTING'::text, 'DRAFTING_FAILED'::text, 'DRAFTED'::text, 'PUBLISHING'::text, 'PUBLICATION_FAILED'::text]));

CREATE INDEX broadcast_unfinished ON public.broadcast USING btree (created_at) WHERE (finished_at IS NULL);

CREATE UNIQUE INDEX card_attempt_at_bank ON public.card_attempt USING btree (bank, bank_reference);

CREATE INDEX card_attempt_unsettled ON public.card_attempt USING btree (created_at, id) WHERE (settled_at IS NULL);

CREATE INDEX debit_announced ON public.debit USING btree (collect_on, family_id, id) WHERE (state = 'ANNOUNCED'::text);

CREATE UNIQUE INDEX debit_batch_of_day ON public.debit_batch USING btree (due_on) WHERE (withdrawn_at IS NULL);

CREATE INDEX debit_batch_unbooked ON public.debit_batch USING btree (due_on) WHERE ((booked_at IS NULL) AND (withdrawn_at IS NULL));

CREATE UNIQUE INDEX debit_live ON public.debit USING btree (family_id, invoice_id) WHERE (state = ANY (ARRAY['ANNOUNCED'::text, 'SENT'::text, 'BOOKED'::text]));

CREATE INDEX debit_of_batch ON public.debit USING btree (batch_id, family_id, id) WHERE (batch_id IS NOT NULL);

CREATE INDEX debit_of_mandate ON public.debit USING btree (family_id, mandate_id);

CREATE INDEX delivery_awaits_receipt ON public.delivery USING btree (receipt_due_at) WHERE (receipt_due_at IS NOT NULL);

CREATE INDEX delivery_by_post ON public.delivery USING btree (created_at, family_id, id) WHERE ((channel = 'POST'::text) AND (status = 'PENDING'::text));

CREATE INDEX delivery_by_reference ON public.delivery USING btree (provider, reference) WHERE (reference IS NOT NULL);

CREATE INDEX delivery_dead ON public.delivery USING btree (family_id) WHERE (status = 'DEAD_LETTER'::text);

CREATE INDEX delivery_of_family ON public.delivery USING btree (family_id, created_at DESC, id DESC);

CREATE INDEX delivery_of_lane ON public.delivery USING btree (family_id, subject_id, channel, address, news_seq) WHERE (status = 'PENDING'::text);

CREATE INDEX delivery_of_provider ON public.delivery USING btree (provider, sent_at) WHERE (provider IS NOT NULL);

CREATE INDEX delivery_put_aside ON public.delivery USING btree (created_at DESC, family_id, id) WHERE (status = 'DEAD_LETTER'::text);

CREATE INDEX delivery_recent ON public.delivery USING btree (created_at);

CREATE INDEX delivery_waiting ON public.delivery USING btree (created_at) WHERE (status = 'PENDING'::text);

CREATE INDEX device_by_last_seen ON public.device USING btree (last_seen_at);

CREATE UNIQUE INDEX docket_unfinished ON public.docket USING btree ((true)) WHERE (filed_at IS NULL);

CREATE INDEX document_file_to_erase ON public.document USING btree (erased_at) WHERE ((erased_at IS NOT NULL) AND (file_erased_at IS NULL));

CREATE INDEX document_handed_in ON public.document USING btree (family_id, procedure_id) WHERE (procedure_id IS NOT NULL);

CREATE INDEX document_of_uploader ON public.document USING btree (family_id, uploaded_by);

CREATE INDEX document_waiting ON public.document USING btree (created_at) WHERE (erased_at IS NULL);

CREATE INDEX draft_invoice_of_run ON public.draft_invoice USING btree (run_id, total_cents DESC, id DESC);

CREATE UNIQUE INDEX email_change_open ON public.email_change USING btree (family_id, account_id) WHERE ((done_at IS NULL) AND (cancelled_at IS NULL));

CREATE INDEX exceptional_day_of_place ON public.exceptional_day USING btree (place_id, last_day, id);

CREATE INDEX export_expiring ON public.export USING btree (expires_at);

CREATE INDEX export_of_job ON public.export USING btree (job_id);

CREATE INDEX family_closed ON public.family USING btree (closed_at) WHERE ((closed_at IS NOT NULL) AND (erased_at IS NULL));

CREATE INDEX handover_of_docket ON public.handover USING btree (docket_id, family_id);

CREATE INDEX idempotency_key_by_age ON public.idempotency_key USING btree (created_at);

CREATE INDEX identity_attempt_by_end ON public.identity_attempt USING btree (expires_at);

CREATE UNIQUE INDEX invitation_open ON public.invitation USING btree (family_id, email) WHERE ((accepted_at IS NULL) AND (revoked_at IS NULL));

CREATE INDEX invoice_due ON public.invoice USING btree (due_on, family_id, id) WHERE (cancelled_at IS NULL);

CREATE INDEX invoice_newest ON public.invoice USING btree (id);

CREATE INDEX invoice_of_run ON public.invoice USING btree (run_id) WHERE (run_id IS NOT NULL);

CREATE INDEX job_finished ON public.job USING btree (finished_at) WHERE (state = ANY (ARRAY['DONE'::text, 'FAILED'::text]));

CREATE UNIQUE INDEX job_of_period ON public.job USING btree (kind, period) WHERE (period IS NOT NULL);

CREATE INDEX job_running ON public.job USING btree (lease_until) WHERE (state = 'RUNNING'::text);

CREATE INDEX job_waiting ON public.job USING btree (run_at, id) WHERE (state = 'PENDING'::text);

CREATE INDEX lane_due ON public.lane USING btree (channel, priority, due_at) WHERE (due_at IS NOT NULL);

CREATE INDEX maintenance_not_ended ON public.maintenance USING btree (starts_at) WHERE (ended_at IS NULL);

CREATE UNIQUE INDEX mandate_in_force ON public.mandate USING btree (family_id) WHERE (ended_at IS NULL);

CREATE INDEX mandate_unused ON public.mandate USING btree (COALESCE(used_on, signed_on)) WHERE (ended_at IS NULL);

CREATE UNIQUE INDEX member_change_open ON public.member_change USING btree (family_id, member_id) WHERE (decided_at IS NULL);

CREATE INDEX member_change_waiting ON public.member_change USING btree (id) WHERE (decided_at IS NULL);

CREATE UNIQUE INDEX member_of_child ON public.member USING btree (child_id, family_id) WHERE (child_id IS NOT NULL);

CREATE INDEX news_awaiting_digest ON public.news USING btree (family_id, seq) WHERE awaits_digest;

CREATE INDEX news_by_time ON public.news USING brin (occurred_at);

CREATE INDEX news_by_transaction ON public.news USING btree (xid);

CREATE UNIQUE INDEX news_of_broadcast ON public.news USING btree (family_id, broadcast_id) WHERE (broadcast_id IS NOT NULL);

CREATE INDEX news_of_procedure ON public.news USING btree (family_id, procedure_id, seq) WHERE (procedure_id IS NOT NULL);

CREATE UNIQUE INDEX one_live_attempt ON public.card_attempt_invoice USING btree (family_id, invoice_id) WHERE live;

COMMENT ON INDEX public.one_live_attempt IS 'An invoice is paid in one place at a time.';

CREATE INDEX opening_rule_of_place ON public.opening_rule USING btree (place_id, weekday, opens, id);

CREATE UNIQUE INDEX opening_span_id ON public.opening_span USING btree (id);

CREATE INDEX page_category_below ON public.page_category USING btree (parent_id, "position", id);

CREATE INDEX page_kind_of_kind ON public.page_kind USING btree (kind_code, phase, "position");

CREATE INDEX page_place_of_place ON public.page_place USING btree (place_id);

CREATE INDEX page_tariff_of_tariff ON public.page_tariff USING btree (tariff_id);

CREATE INDEX page_version_of_category ON public.page_version USING btree (category_id) WHERE (visible_from IS NOT NULL);

CREATE INDEX page_version_search ON public.page_version USING gin (search);

CREATE INDEX page_word_similar ON public.page_word USING gin (plain public.gin_trgm_ops);

CREATE INDEX partner_assertion_by_end ON public.partner_assertion USING btree (expires_at);

CREATE INDEX partner_notice_waiting ON public.partner_notice USING btree (next_try_at) WHERE ((sent_at IS NULL) AND (failed_at IS NULL));

CREATE UNIQUE INDEX partner_task_open ON public.partner_task USING btree (partner_id, kind, subject_id) WHERE (done_at IS NULL);

CREATE INDEX password_reset_of_account ON public.password_reset USING btree (family_id, account_id, requested_at);

CREATE INDEX payment_newest ON public.payment USING btree (id);

CREATE INDEX payment_of_day ON public.payment USING btree (received_on, means);

CREATE INDEX payment_of_visit ON public.payment USING btree (family_id, visit_id);

CREATE INDEX phone_challenge_of_account ON public.phone_challenge USING btree (family_id, account_id);

CREATE INDEX phone_challenge_of_address ON public.phone_challenge USING btree (family_id, address_id, id);

CREATE INDEX procedure_assigned ON public.procedure USING btree (assigned_agent_id) WHERE ((assigned_agent_id IS NOT NULL) AND (status = ANY (ARRAY['SUBMITTED'::text, 'IN_REVIEW'::text, 'AWAITING_FAMILY'::text])));

CREATE INDEX procedure_count_open ON public.procedure_count USING btree (service_id, status) WHERE ((grain = 'MONTH'::text) AND (status = ANY (ARRAY['SUBMITTED'::text, 'IN_REVIEW'::text, 'AWAITING_FAMILY'::text])) AND (n <> 0));

CREATE INDEX procedure_document_of_document ON public.procedure_document USING btree (family_id, document_id);

CREATE INDEX procedure_due ON public.procedure USING btree (implied_decision_on) WHERE (status = ANY (ARRAY['SUBMITTED'::text, 'IN_REVIEW'::text]));

CREATE INDEX procedure_feed_of_service ON public.procedure_feed USING btree (service_id, "position") WHERE ("position" IS NOT NULL);

CREATE INDEX procedure_feed_waiting ON public.procedure_feed USING btree (noted) WHERE ("position" IS NULL);

CREATE UNIQUE INDEX procedure_kind_current ON public.procedure_kind USING btree (code) WHERE (superseded_at IS NULL);

CREATE INDEX procedure_message_unread ON public.procedure_message USING btree (family_id, procedure_id, author) WHERE (read_at IS NULL);

CREATE INDEX procedure_of_member ON public.procedure USING btree (family_id, member_id, id DESC) WHERE (member_id IS NOT NULL);

CREATE INDEX procedure_of_service ON public.procedure USING btree (service_id, id DESC);

CREATE INDEX procedure_of_service_by_change ON public.procedure USING btree (service_id, updated_at DESC, id DESC);

CREATE INDEX procedure_of_service_by_status ON public.procedure USING btree (service_id, status, id DESC);

CREATE INDEX procedure_to_erase ON public.procedure USING btree (updated_at) WHERE ((status = ANY (ARRAY['ACCEPTED'::text, 'REJECTED'::text, 'CLOSED'::text, 'WITHDRAWN'::text])) AND (answers_erased_at IS NULL));

CREATE INDEX procedure_to_forget ON public.procedure USING btree (updated_at) WHERE ((status = ANY (ARRAY['ACCEPTED'::text, 'REJECTED'::text, 'CLOSED'::text, 'WITHDRAWN'::text])) AND (messages_erased_at IS NULL));

CREATE INDEX procedure_work ON public.procedure USING btree (service_id, (
CASE
    WHEN ((clock_paused_at IS NULL) AND (implied_decision_on IS NOT NULL)) THEN implied_decision_on
    ELSE '9999-12-31'::date
END), id) WHERE (status = ANY (ARRAY['SUBMITTED'::text, 'IN_REVIEW'::text, 'AWAITING_FAMILY'::text]));

CREATE INDEX quotient_familial_by_day ON public.quotient_familial USING btree (family_id, valid_from DESC, id DESC);

CREATE INDEX refresh_token_of_session ON public.refresh_token USING btree (session_id);

CREATE INDEX refund_of_day ON public.refund USING btree (refunded_on);

CREATE INDEX refund_of_payment ON public.refund USING btree (family_id, payment_id, cents);

CREATE INDEX registered_document_of_client ON public.registered_document USING btree (client, created_at);

CREATE INDEX second_factor_of_agent ON public.second_factor USING btree (agent_id, id);

CREATE INDEX session_by_end ON public.session USING btree (LEAST(expires_at, ended_at, idle_ends_at));

CREATE INDEX session_of_account ON public.session USING btree (family_id, account_id) WHERE (ended_at IS NULL);

CREATE INDEX session_of_agent ON public.session USING btree (agent_id) WHERE ((agent_id IS NOT NULL) AND (ended_at IS NULL));

CREATE INDEX session_of_partner ON public.session USING btree (partner_id) WHERE ((partner_id IS NOT NULL) AND (ended_at IS NULL));

CREATE INDEX sms_receipt_by_age ON public.sms_receipt USING btree (received_at);

CREATE INDEX tariff_of_service ON public.tariff USING btree (service_id, "position", id);

CREATE INDEX tariff_price_of_tariff ON public.tariff_price USING btree (tariff_id, valid_from, quotient_from, id);

CREATE UNIQUE INDEX terms_acceptance_id ON public.terms_acceptance USING btree (family_id, id);

CREATE INDEX throttle_by_day ON public.throttle USING btree (day);

CREATE INDEX webhook_delivery_by_age ON public.webhook_delivery USING btree (created_at);

CREATE INDEX webhook_delivery_of ON public.webhook_delivery USING btree (partner_id, webhook_id, id DESC);

CREATE INDEX webhook_delivery_waiting ON public.webhook_delivery USING btree (webhook_id, place) WHERE (status = 'PENDING'::text);

CREATE INDEX webhook_due ON public.webhook USING btree (slow, due_at) WHERE ((due_at IS NOT NULL) AND (disabled_at IS NULL));

CREATE TRIGGER add_up AFTER INSERT ON public.invoice_line REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION public.check_lines();

CREATE CONSTRAINT TRIGGER chain AFTER INSERT ON public.audit_entry DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.chain_audit_entry();

CREATE TRIGGER count_cancelled AFTER UPDATE ON public.invoice REFERENCING OLD TABLE AS before_it NEW TABLE AS now_so FOR EACH STATEMENT EXECUTE FUNCTION public.count_cancelled();

CREATE TRIGGER count_freed AFTER UPDATE ON public.allocation REFERENCING OLD TABLE AS before_it NEW TABLE AS now_so FOR EACH STATEMENT EXECUTE FUNCTION public.count_freed();

CREATE TRIGGER count_gone AFTER DELETE ON public.procedure FOR EACH ROW WHEN ((old.submitted_at IS NOT NULL)) EXECUTE FUNCTION public.count_procedure();

CREATE TRIGGER count_moved AFTER UPDATE ON public.procedure FOR EACH ROW WHEN ((((((old.status IS DISTINCT FROM new.status) OR (old.submitted_at IS DISTINCT FROM new.submitted_at)) OR (old.decided_at IS DISTINCT FROM new.decided_at)) OR (old.service_id IS DISTINCT FROM new.service_id)) OR (old.kind_id IS DISTINCT FROM new.kind_id))) EXECUTE FUNCTION public.count_procedure();

CREATE TRIGGER count_new AFTER INSERT ON public.allocation REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION public.count_allocated();

CREATE TRIGGER count_new AFTER INSERT ON public.invoice_line REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION public.count_lines();

CREATE TRIGGER count_new AFTER INSERT ON public.procedure FOR EACH ROW WHEN ((new.submitted_at IS NOT NULL)) EXECUTE FUNCTION public.count_procedure();

CREATE TRIGGER day_is_open BEFORE INSERT OR UPDATE OF undone_at ON public.payment FOR EACH ROW WHEN ((new.source = ANY (ARRAY['COUNTER'::text, 'POST'::text]))) EXECUTE FUNCTION public.check_day_open();

CREATE TRIGGER day_is_open BEFORE INSERT ON public.refund FOR EACH ROW EXECUTE FUNCTION public.check_day_open();

CREATE CONSTRAINT TRIGGER has_lines AFTER INSERT ON public.invoice DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.check_has_lines();

CREATE TRIGGER hold BEFORE INSERT ON public.allocation FOR EACH ROW EXECUTE FUNCTION public.hold_money();

CREATE TRIGGER hold BEFORE INSERT ON public.refund FOR EACH ROW EXECUTE FUNCTION public.hold_money();

CREATE TRIGGER keep BEFORE INSERT OR UPDATE OF email, name, roles, services, disabled_at ON public.agent FOR EACH ROW EXECUTE FUNCTION public.keep_agent();

CREATE TRIGGER keep BEFORE DELETE OR UPDATE ON public.allocation FOR EACH ROW EXECUTE FUNCTION public.keep_money('freed_at', 'freed_because');

CREATE TRIGGER keep BEFORE DELETE OR UPDATE ON public.audit_entry FOR EACH ROW EXECUTE FUNCTION public.keep_audit_entry();

CREATE TRIGGER keep BEFORE DELETE OR UPDATE ON public.daily_closing FOR EACH ROW EXECUTE FUNCTION public.keep_money();

CREATE TRIGGER keep BEFORE DELETE OR UPDATE ON public.daily_total FOR EACH ROW EXECUTE FUNCTION public.keep_money();

CREATE TRIGGER keep BEFORE DELETE OR UPDATE ON public.invoice FOR EACH ROW EXECUTE FUNCTION public.keep_money('cancelled_at', 'cancelled_reason', 'cancelled_by', 'pdf');

CREATE TRIGGER keep BEFORE DELETE OR UPDATE ON public.invoice_line FOR EACH ROW EXECUTE FUNCTION public.keep_money();

CREATE TRIGGER keep BEFORE DELETE OR UPDATE ON public.payment FOR EACH ROW EXECUTE FUNCTION public.keep_money('undone_at', 'undone_reason', 'undone_by');

CREATE TRIGGER keep BEFORE DELETE OR UPDATE ON public.refund FOR EACH ROW EXECUTE FUNCTION public.keep_money();

CREATE TRIGGER keep BEFORE DELETE OR UPDATE ON public.terms FOR EACH ROW EXECUTE FUNCTION public.keep_terms();

CREATE TRIGGER keep_all BEFORE TRUNCATE ON public.audit_entry FOR EACH STATEMENT EXECUTE FUNCTION public.keep_audit_entry();

CREATE TRIGGER keep_all BEFORE TRUNCATE ON public.terms FOR EACH STATEMENT EXECUTE FUNCTION public.keep_terms();

CREATE TRIGGER keep_clock BEFORE INSERT OR UPDATE OF status ON public.procedure FOR EACH ROW EXECUTE FUNCTION public.keep_legal_clock();

CREATE TRIGGER noted AFTER INSERT ON public.procedure_event REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION public.note_procedure_event();

CREATE TRIGGER place AFTER UPDATE OF status ON public.procedure FOR EACH ROW WHEN ((public.holds_place(new.status) <> public.holds_place(old.status))) EXECUTE FUNCTION public.count_place();

CREATE TRIGGER ring AFTER INSERT ON public.delivery FOR EACH STATEMENT EXECUTE FUNCTION public.ring_lane();

CREATE TRIGGER ring AFTER INSERT OR UPDATE ON public.maintenance FOR EACH STATEMENT EXECUTE FUNCTION public.ring_city();

CREATE TRIGGER ring AFTER INSERT ON public.news FOR EACH STATEMENT EXECUTE FUNCTION public.ring_news();

CREATE TRIGGER ring AFTER UPDATE ON public.procedure FOR EACH ROW WHEN (((new.submitted_at IS NOT NULL) AND ((new.status <> old.status) OR (new.assigned_agent_id IS DISTINCT FROM old.assigned_agent_id) OR (new.message_count <> old.message_count)))) EXECUTE FUNCTION public.ring_work();

CREATE TRIGGER ring AFTER UPDATE ON public.procedure_feed_end FOR EACH STATEMENT EXECUTE FUNCTION public.ring_feed();

CREATE TRIGGER ring AFTER INSERT OR DELETE OR UPDATE ON public.registered_document FOR EACH STATEMENT EXECUTE FUNCTION public.ring_documents();

CREATE TRIGGER ring AFTER UPDATE OF ended_at ON public.session FOR EACH ROW WHEN (((new.ended_at IS NOT NULL) AND (old.ended_at IS NULL))) EXECUTE FUNCTION public.ring_session();

CREATE TRIGGER ring AFTER INSERT OR UPDATE ON public.signing_key FOR EACH STATEMENT EXECUTE FUNCTION public.ring_signing_key();

CREATE TRIGGER ring AFTER INSERT ON public.terms FOR EACH STATEMENT EXECUTE FUNCTION public.ring_city();

CREATE TRIGGER ring AFTER INSERT ON public.webhook_delivery FOR EACH STATEMENT EXECUTE FUNCTION public.ring_webhook();

CREATE TRIGGER ring_inbox AFTER UPDATE OF read_at ON public.news FOR EACH ROW WHEN ((old.read_at IS DISTINCT FROM new.read_at)) EXECUTE FUNCTION public.ring_inbox();

CREATE CONSTRAINT TRIGGER within_received AFTER INSERT ON public.allocation DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.check_payment();

CREATE CONSTRAINT TRIGGER within_received AFTER UPDATE OF undone_at ON public.payment DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.check_payment();

CREATE CONSTRAINT TRIGGER within_received AFTER INSERT ON public.refund DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.check_payment();

CREATE CONSTRAINT TRIGGER within_total AFTER INSERT ON public.allocation DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.check_invoice();

CREATE CONSTRAINT TRIGGER within_total AFTER UPDATE OF cancelled_at ON public.invoice DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.check_invoice();

ALTER TABLE ONLY public.account
    ADD CONSTRAINT account_family_id_fkey FOREIGN KEY (family_id) REFERENCES public.family(id);

ALTER TABLE ONLY public.account
    ADD CONSTRAINT account_family_id_member_id_fkey FOREIGN KEY (family_id, member_id) REFERENCES public.member(family_id, id);

ALTER TABLE ONLY public.acknowledgement
    ADD CONSTRAINT acknowledgement_family_id_procedure_id_fkey FOREIGN KEY (family_id, procedure_id) REFERENCES public.procedure(family_id, id);

ALTER TABLE ONLY public.acknowledgement
    ADD CONSTRAINT acknowledgement_service_id_fkey FOREIGN KEY (service_id) REFERENCES public.service(id);

ALTER TABLE ONLY public.activation_code
    ADD CONSTRAINT activation_code_family_id_fkey FOREIGN KEY (family_id) REFERENCES public.family(id);

ALTER TABLE ONLY public.activation_code
    ADD CONSTRAINT activation_code_issued_by_fkey FOREIGN KEY (issued_by) REFERENCES public.agent(id);

ALTER TABLE ONLY public.address
    ADD CONSTRAINT address_family_id_account_id_fkey FOREIGN KEY (family_id, account_id) REFERENCES public.account(family_id, id);

ALTER TABLE ONLY public.address
    ADD CONSTRAINT address_family_id_fkey FOREIGN KEY (family_id) REFERENCES public.family(id);

ALTER TABLE ONLY public.agent_challenge
    ADD CONSTRAINT agent_challenge_agent_id_fkey FOREIGN KEY (agent_id) REFERENCES public.agent(id);

ALTER TABLE ONLY public.agent_notice
    ADD CONSTRAINT agent_notice_agent_id_fkey FOREIGN KEY (agent_id) REFERENCES public.agent(id);

ALTER TABLE ONLY public.agent_task
    ADD CONSTRAINT agent_task_done_by_fkey FOREIGN KEY (done_by) REFERENCES public.agent(id);

ALTER TABLE ONLY public.agent_task
    ADD CONSTRAINT agent_task_family_id_fkey FOREIGN KEY (family_id) REFERENCES public.family(id);

ALTER TABLE ONLY public.agent_task
    ADD CONSTRAINT agent_task_service_id_fkey FOREIGN KEY (service_id) REFERENCES public.service(id);

ALTER TABLE ONLY public.allocation
    ADD CONSTRAINT allocation_family_id_invoice_id_fkey FOREIGN KEY (family_id, invoice_id) REFERENCES public.invoice(family_id, id);

ALTER TABLE ONLY public.allocation
    ADD CONSTRAINT allocation_family_id_invoice_id_line_position_fkey FOREIGN KEY (family_id, invoice_id, line_position) REFERENCES public.invoice_line(family_id, invoice_id, "position");

ALTER TABLE ONLY public.allocation
    ADD CONSTRAINT allocation_family_id_payment_id_fkey FOREIGN KEY (family_id, payment_id) REFERENCES public.payment(family_id, id);

ALTER TABLE ONLY public.bank_message
    ADD CONSTRAINT bank_message_family_id_attempt_id_fkey FOREIGN KEY (family_id, attempt_id) REFERENCES public.card_attempt(family_id, id);

ALTER TABLE ONLY public.bank_message
    ADD CONSTRAINT bank_message_family_id_payment_id_fkey FOREIGN KEY (family_id, payment_id) REFERENCES public.payment(family_id, id);

ALTER TABLE ONLY public.billing_check
    ADD CONSTRAINT billing_check_family_id_fkey FOREIGN KEY (family_id) REFERENCES public.family(id);

ALTER TABLE ONLY public.billing_check
    ADD CONSTRAINT billing_check_family_id_member_id_fkey FOREIGN KEY (family_id, member_id) REFERENCES public.member(family_id, id);

ALTER TABLE ONLY public.billing_check
    ADD CONSTRAINT billing_check_run_id_fkey FOREIGN KEY (run_id) REFERENCES public.billing_run(id);

ALTER TABLE ONLY public.billing_check
    ADD CONSTRAINT billing_check_tariff_id_fkey FOREIGN KEY (tariff_id) REFERENCES public.tariff(id);

ALTER TABLE ONLY public.billing_run
    ADD CONSTRAINT billing_run_discarded_by_fkey FOREIGN KEY (discarded_by) REFERENCES public.agent(id);

ALTER TABLE ONLY public.billing_run
    ADD CONSTRAINT billing_run_published_by_fkey FOREIGN KEY (published_by) REFERENCES public.agent(id);

ALTER TABLE ONLY public.billing_run
    ADD CONSTRAINT billing_run_service_id_fkey FOREIGN KEY (service_id) REFERENCES public.service(id);

ALTER TABLE ONLY public.billing_run
    ADD CONSTRAINT billing_run_started_by_fkey FOREIGN KEY (started_by) REFERENCES public.agent(id);

ALTER TABLE ONLY public.card_attempt
    ADD CONSTRAINT card_attempt_family_id_account_id_fkey FOREIGN KEY (family_id, account_id) REFERENCES public.account(family_id, id);

ALTER TABLE ONLY public.card_attempt
    ADD CONSTRAINT card_attempt_family_id_fkey FOREIGN KEY (family_id) REFERENCES public.family(id);

ALTER TABLE ONLY public.card_attempt_invoice
    ADD CONSTRAINT card_attempt_invoice_family_id_attempt_id_fkey FOREIGN KEY (family_id, attempt_id) REFERENCES public.card_attempt(family_id, id);

ALTER TABLE ONLY public.card_attempt_invoice
    ADD CONSTRAINT card_attempt_invoice_family_id_invoice_id_fkey FOREIGN KEY (family_id, invoice_id) REFERENCES public.invoice(family_id, id);

ALTER TABLE ONLY public.channel_preference
    ADD CONSTRAINT channel_preference_family_id_fkey FOREIGN KEY (family_id) REFERENCES public.family(id);

ALTER TABLE ONLY public.consumption_change
    ADD CONSTRAINT consumption_change_agent_id_fkey FOREIGN KEY (agent_id) REFERENCES public.agent(id);

ALTER TABLE ONLY public.consumption_change
    ADD CONSTRAINT consumption_change_family_id_consumption_id_fkey FOREIGN KEY (family_id, consumption_id) REFERENCES public.consumption(family_id, id);

ALTER TABLE ONLY public.consumption_change
    ADD CONSTRAINT consumption_change_service_id_fkey FOREIGN KEY (service_id) REFERENCES public.service(id);

ALTER TABLE ONLY public.consumption
    ADD CONSTRAINT consumption_family_id_fkey FOREIGN KEY (family_id) REFERENCES public.family(id);

ALTER TABLE ONLY public.consumption
    ADD CONSTRAINT consumption_family_id_member_id_fkey FOREIGN KEY (family_id, member_id) REFERENCES public.member(family_id, id);

ALTER TABLE ONLY public.consumption
    ADD CONSTRAINT consumption_service_id_fkey FOREIGN KEY (service_id) REFERENCES public.service(id);

ALTER TABLE ONLY public.consumption
    ADD CONSTRAINT consumption_tariff_id_fkey FOREIGN KEY (tariff_id) REFERENCES public.tariff(id);

ALTER TABLE ONLY public.daily_closing
    ADD CONSTRAINT daily_closing_closed_by_fkey FOREIGN KEY (closed_by) REFERENCES public.agent(id);

ALTER TABLE ONLY public.daily_total
    ADD CONSTRAINT daily_total_day_fkey FOREIGN KEY (day) REFERENCES public.daily_closing(day);

ALTER TABLE ONLY public.data_choice
    ADD CONSTRAINT data_choice_family_id_fkey FOREIGN KEY (family_id) REFERENCES public.family(id);

ALTER TABLE ONLY public.debit
    ADD CONSTRAINT debit_batch_id_fkey FOREIGN KEY (batch_id) REFERENCES public.debit_batch(id);

ALTER TABLE ONLY public.debit_batch
    ADD CONSTRAINT debit_batch_withdrawn_by_fkey FOREIGN KEY (withdrawn_by) REFERENCES public.agent(id);

ALTER TABLE ONLY public.debit
    ADD CONSTRAINT debit_family_id_invoice_id_fkey FOREIGN KEY (family_id, invoice_id) REFERENCES public.invoice(family_id, id);

ALTER TABLE ONLY public.debit
    ADD CONSTRAINT debit_family_id_mandate_id_fkey FOREIGN KEY (family_id, mandate_id) REFERENCES public.mandate(family_id, id);

ALTER TABLE ONLY public.debit
    ADD CONSTRAINT debit_family_id_payment_id_fkey FOREIGN KEY (family_id, payment_id) REFERENCES public.payment(family_id, id);

ALTER TABLE ONLY public.debit
    ADD CONSTRAINT debit_return_recorded_by_fkey FOREIGN KEY (return_recorded_by) REFERENCES public.agent(id);

ALTER TABLE ONLY public.delivery
    ADD CONSTRAINT delivery_family_id_news_seq_fkey FOREIGN KEY (family_id, news_seq) REFERENCES public.news(family_id, seq);

ALTER TABLE ONLY public.device
    ADD CONSTRAINT device_family_id_account_id_fkey FOREIGN KEY (family_id, account_id) REFERENCES public.account(family_id, id);

ALTER TABLE ONLY public.device
    ADD CONSTRAINT device_family_id_fkey FOREIGN KEY (family_id) REFERENCES public.family(id);

ALTER TABLE ONLY public.document
    ADD CONSTRAINT document_agent_id_fkey FOREIGN KEY (agent_id) REFERENCES public.agent(id);

ALTER TABLE ONLY public.document
    ADD CONSTRAINT document_family_id_fkey FOREIGN KEY (family_id) REFERENCES public.family(id);

ALTER TABLE ONLY public.document
    ADD CONSTRAINT document_family_id_uploaded_by_fkey FOREIGN KEY (family_id, uploaded_by) REFERENCES public.account(family_id, id);

ALTER TABLE ONLY public.document
    ADD CONSTRAINT document_of_procedure FOREIGN KEY (family_id, procedure_id) REFERENCES public.procedure(family_id, id);

ALTER TABLE ONLY public.draft_invoice
    ADD CONSTRAINT draft_invoice_family_id_fkey FOREIGN KEY (family_id) REFERENCES public.family(id);

ALTER TABLE ONLY public.draft_invoice
    ADD CONSTRAINT draft_invoice_run_id_fkey FOREIGN KEY (run_id) REFERENCES public.billing_run(id);

ALTER TABLE ONLY public.draft_line
    ADD CONSTRAINT draft_line_family_id_draft_id_fkey FOREIGN KEY (family_id, draft_id) REFERENCES public.draft_invoice(family_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.draft_line
    ADD CONSTRAINT draft_line_family_id_member_id_fkey FOREIGN KEY (family_id, member_id) REFERENCES public.member(family_id, id);

ALTER TABLE ONLY public.draft_line
    ADD CONSTRAINT draft_line_service_id_fkey FOREIGN KEY (service_id) REFERENCES public.service(id);

ALTER TABLE ONLY public.draft_line
    ADD CONSTRAINT draft_line_tariff_id_fkey FOREIGN KEY (tariff_id) REFERENCES public.tariff(id);

ALTER TABLE ONLY public.email_change
    ADD CONSTRAINT email_change_family_id_account_id_fkey FOREIGN KEY (family_id, account_id) REFERENCES public.account(family_id, id);

ALTER TABLE ONLY public.exceptional_day
    ADD CONSTRAINT exceptional_day_place_id_fkey FOREIGN KEY (place_id) REFERENCES public.place(id);

ALTER TABLE ONLY public.export_chunk
    ADD CONSTRAINT export_chunk_family_id_export_id_fkey FOREIGN KEY (family_id, export_id) REFERENCES public.export(family_id, id);

ALTER TABLE ONLY public.export
    ADD CONSTRAINT export_family_id_account_id_fkey FOREIGN KEY (family_id, account_id) REFERENCES public.account(family_id, id);

ALTER TABLE ONLY public.export
    ADD CONSTRAINT export_family_id_fkey FOREIGN KEY (family_id) REFERENCES public.family(id);

ALTER TABLE ONLY public.export
    ADD CONSTRAINT export_job_id_fkey FOREIGN KEY (job_id) REFERENCES public.job(id);

ALTER TABLE ONLY public.handover
    ADD CONSTRAINT handover_docket_id_fkey FOREIGN KEY (docket_id) REFERENCES public.docket(id);

ALTER TABLE ONLY public.handover
    ADD CONSTRAINT handover_family_id_invoice_id_fkey FOREIGN KEY (family_id, invoice_id) REFERENCES public.invoice(family_id, id);

ALTER TABLE ONLY public.idempotency_key
    ADD CONSTRAINT idempotency_key_family_id_fkey FOREIGN KEY (family_id) REFERENCES public.family(id);

ALTER TABLE ONLY public.identity_attempt
    ADD CONSTRAINT identity_attempt_family_id_account_id_fkey FOREIGN KEY (family_id, account_id) REFERENCES public.account(family_id, id);

ALTER TABLE ONLY public.identity_attempt
    ADD CONSTRAINT identity_attempt_provider_id_fkey FOREIGN KEY (provider_id) REFERENCES public.identity_provider(id);

ALTER TABLE ONLY public.information_request
    ADD CONSTRAINT information_request_asked_by_fkey FOREIGN KEY (asked_by) REFERENCES public.agent(id);

ALTER TABLE ONLY public.information_request
    ADD CONSTRAINT information_request_family_id_procedure_id_event_number_fkey FOREIGN KEY (family_id, procedure_id, event_number) REFERENCES public.procedure_event(family_id, procedure_id, number);

ALTER TABLE ONLY public.information_request
    ADD CONSTRAINT information_request_service_id_fkey FOREIGN KEY (service_id) REFERENCES public.service(id);

ALTER TABLE ONLY public.invitation
    ADD CONSTRAINT invitation_family_id_fkey FOREIGN KEY (family_id) REFERENCES public.family(id);

ALTER TABLE ONLY public.invitation
    ADD CONSTRAINT invitation_family_id_invited_by_fkey FOREIGN KEY (family_id, invited_by) REFERENCES public.account(family_id, id);

ALTER TABLE ONLY public.invitation
    ADD CONSTRAINT invitation_family_id_member_id_fkey FOREIGN KEY (family_id, member_id) REFERENCES public.member(family_id, id);

ALTER TABLE ONLY public.invoice
    ADD CONSTRAINT invoice_cancelled_by_fkey FOREIGN KEY (cancelled_by) REFERENCES public.agent(id);

ALTER TABLE ONLY public.invoice
    ADD CONSTRAINT invoice_family_id_fkey FOREIGN KEY (family_id) REFERENCES public.family(id);

ALTER TABLE ONLY public.invoice
    ADD CONSTRAINT invoice_family_id_replaces_id_fkey FOREIGN KEY (family_id, replaces_id) REFERENCES public.invoice(family_id, id);

ALTER TABLE ONLY public.invoice_line
    ADD CONSTRAINT invoice_line_family_id_invoice_id_fkey FOREIGN KEY (family_id, invoice_id) REFERENCES public.invoice(family_id, id);

ALTER TABLE ONLY public.invoice_line
    ADD CONSTRAINT invoice_line_family_id_member_id_fkey FOREIGN KEY (family_id, member_id) REFERENCES public.member(family_id, id);

ALTER TABLE ONLY public.invoice_line
    ADD CONSTRAINT invoice_line_service_id_fkey FOREIGN KEY (service_id) REFERENCES public.service(id);

ALTER TABLE ONLY public.invoice_line
    ADD CONSTRAINT invoice_line_tariff_id_fkey FOREIGN KEY (tariff_id) REFERENCES public.tariff(id);

ALTER TABLE ONLY public.invoice_reminder
    ADD CONSTRAINT invoice_reminder_family_id_invoice_id_fkey FOREIGN KEY (family_id, invoice_id) REFERENCES public.invoice(family_id, id);

ALTER TABLE ONLY public.invoice
    ADD CONSTRAINT invoice_run_id_fkey FOREIGN KEY (run_id) REFERENCES public.billing_run(id);

ALTER TABLE ONLY public.job
    ADD CONSTRAINT job_family_id_fkey FOREIGN KEY (family_id) REFERENCES public.family(id);

ALTER TABLE ONLY public.lane
    ADD CONSTRAINT lane_family_id_fkey FOREIGN KEY (family_id) REFERENCES public.family(id);

ALTER TABLE ONLY public.mandate
    ADD CONSTRAINT mandate_family_id_account_id_fkey FOREIGN KEY (family_id, account_id) REFERENCES public.account(family_id, id);

ALTER TABLE ONLY public.mandate
    ADD CONSTRAINT mandate_family_id_fkey FOREIGN KEY (family_id) REFERENCES public.family(id);

ALTER TABLE ONLY public.member_change
    ADD CONSTRAINT member_change_decided_by_fkey FOREIGN KEY (decided_by) REFERENCES public.agent(id);

ALTER TABLE ONLY public.member_change
    ADD CONSTRAINT member_change_family_id_member_id_fkey FOREIGN KEY (family_id, member_id) REFERENCES public.member(family_id, id);

ALTER TABLE ONLY public.member_change
    ADD CONSTRAINT member_change_family_id_proposed_by_fkey FOREIGN KEY (family_id, proposed_by) REFERENCES public.account(family_id, id);

ALTER TABLE ONLY public.member
    ADD CONSTRAINT member_family_id_fkey FOREIGN KEY (family_id) REFERENCES public.family(id);

ALTER TABLE ONLY public.news
    ADD CONSTRAINT news_broadcast_id_fkey FOREIGN KEY (broadcast_id) REFERENCES public.broadcast(id);

ALTER TABLE ONLY public.news
    ADD CONSTRAINT news_family_id_fkey FOREIGN KEY (family_id) REFERENCES public.family(id);

ALTER TABLE ONLY public.news
    ADD CONSTRAINT news_family_id_procedure_id_procedure_event_number_fkey FOREIGN KEY (family_id, procedure_id, procedure_event_number) REFERENCES public.procedure_event(family_id, procedure_id, number);

ALTER TABLE ONLY public.opening_rule
    ADD CONSTRAINT opening_rule_place_id_fkey FOREIGN KEY (place_id) REFERENCES public.place(id);

ALTER TABLE ONLY public.opening_span
    ADD CONSTRAINT opening_span_place_id_fkey FOREIGN KEY (place_id) REFERENCES public.place(id);

ALTER TABLE ONLY public.page_audience
    ADD CONSTRAINT page_audience_page_id_fkey FOREIGN KEY (page_id) REFERENCES public.page(id);

ALTER TABLE ONLY public.page
    ADD CONSTRAINT page_category_id_fkey FOREIGN KEY (category_id) REFERENCES public.page_category(id);

ALTER TABLE ONLY public.page_category
    ADD CONSTRAINT page_category_parent_id_fkey FOREIGN KEY (parent_id) REFERENCES public.page_category(id);

ALTER TABLE ONLY public.page_invoice
    ADD CONSTRAINT page_invoice_page_id_fkey FOREIGN KEY (page_id) REFERENCES public.page(id);

ALTER TABLE ONLY public.page_kind
    ADD CONSTRAINT page_kind_page_id_fkey FOREIGN KEY (page_id) REFERENCES public.page(id);

ALTER TABLE ONLY public.page_place
    ADD CONSTRAINT page_place_page_id_fkey FOREIGN KEY (page_id) REFERENCES public.page(id);

ALTER TABLE ONLY public.page_place
    ADD CONSTRAINT page_place_place_id_fkey FOREIGN KEY (place_id) REFERENCES public.place(id);

ALTER TABLE ONLY public.page_tariff
    ADD CONSTRAINT page_tariff_page_id_fkey FOREIGN KEY (page_id) REFERENCES public.page(id);

ALTER TABLE ONLY public.page_tariff
    ADD CONSTRAINT page_tariff_tariff_id_fkey FOREIGN KEY (tariff_id) REFERENCES public.tariff(id);

ALTER TABLE ONLY public.page_version
    ADD CONSTRAINT page_version_category_id_fkey FOREIGN KEY (category_id) REFERENCES public.page_category(id);

ALTER TABLE ONLY public.page_version
    ADD CONSTRAINT page_version_edited_by_fkey FOREIGN KEY (edited_by) REFERENCES public.agent(id);

ALTER TABLE ONLY public.page_version
    ADD CONSTRAINT page_version_page_id_fkey FOREIGN KEY (page_id) REFERENCES public.page(id);

ALTER TABLE ONLY public.partner_assertion
    ADD CONSTRAINT partner_assertion_partner_id_fkey FOREIGN KEY (partner_id) REFERENCES public.partner(id);

ALTER TABLE ONLY public.partner
    ADD CONSTRAINT partner_created_by_fkey FOREIGN KEY (created_by) REFERENCES public.agent(id);

ALTER TABLE ONLY public.partner_notice
    ADD CONSTRAINT partner_notice_partner_id_fkey FOREIGN KEY (partner_id) REFERENCES public.partner(id);

ALTER TABLE ONLY public.partner_secret
    ADD CONSTRAINT partner_secret_partner_id_fkey FOREIGN KEY (partner_id) REFERENCES public.partner(id);

ALTER TABLE ONLY public.partner_task
    ADD CONSTRAINT partner_task_done_by_fkey FOREIGN KEY (done_by) REFERENCES public.agent(id);

ALTER TABLE ONLY public.partner_task
    ADD CONSTRAINT partner_task_partner_id_fkey FOREIGN KEY (partner_id) REFERENCES public.partner(id);

ALTER TABLE ONLY public.password_reset
    ADD CONSTRAINT password_reset_family_id_account_id_fkey FOREIGN KEY (family_id, account_id) REFERENCES public.account(family_id, id);

ALTER TABLE ONLY public.payment
    ADD CONSTRAINT payment_cashier_id_fkey FOREIGN KEY (cashier_id) REFERENCES public.agent(id);

ALTER TABLE ONLY public.payment
    ADD CONSTRAINT payment_family_id_fkey FOREIGN KEY (family_id) REFERENCES public.family(id);

ALTER TABLE ONLY public.payment
    ADD CONSTRAINT payment_undone_by_fkey FOREIGN KEY (undone_by) REFERENCES public.agent(id);

ALTER TABLE ONLY public.phone_challenge
    ADD CONSTRAINT phone_challenge_family_id_account_id_fkey FOREIGN KEY (family_id, account_id) REFERENCES public.account(family_id, id);

ALTER TABLE ONLY public.phone_challenge
    ADD CONSTRAINT phone_challenge_family_id_address_id_fkey FOREIGN KEY (family_id, address_id) REFERENCES public.address(family_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.phone_challenge
    ADD CONSTRAINT phone_challenge_family_id_fkey FOREIGN KEY (family_id) REFERENCES public.family(id);

ALTER TABLE ONLY public.procedure
    ADD CONSTRAINT procedure_assigned_agent_id_fkey FOREIGN KEY (assigned_agent_id) REFERENCES public.agent(id);

ALTER TABLE ONLY public.procedure_count
    ADD CONSTRAINT procedure_count_kind_id_fkey FOREIGN KEY (kind_id) REFERENCES public.procedure_kind(id);

ALTER TABLE ONLY public.procedure_count
    ADD CONSTRAINT procedure_count_service_id_fkey FOREIGN KEY (service_id) REFERENCES public.service(id);

ALTER TABLE ONLY public.procedure_document
    ADD CONSTRAINT procedure_document_family_id_document_id_fkey FOREIGN KEY (family_id, document_id) REFERENCES public.document(family_id, id);

ALTER TABLE ONLY public.procedure_document
    ADD CONSTRAINT procedure_document_family_id_procedure_id_fkey FOREIGN KEY (family_id, procedure_id) REFERENCES public.procedure(family_id, id);

ALTER TABLE ONLY public.procedure_document
    ADD CONSTRAINT procedure_document_service_id_fkey FOREIGN KEY (service_id) REFERENCES public.service(id);

ALTER TABLE ONLY public.procedure_event
    ADD CONSTRAINT procedure_event_agent_id_fkey FOREIGN KEY (agent_id) REFERENCES public.agent(id);

ALTER TABLE ONLY public.procedure_event
    ADD CONSTRAINT procedure_event_family_id_procedure_id_fkey FOREIGN KEY (family_id, procedure_id) REFERENCES public.procedure(family_id, id);

ALTER TABLE ONLY public.procedure_event
    ADD CONSTRAINT procedure_event_service_id_fkey FOREIGN KEY (service_id) REFERENCES public.service(id);

ALTER TABLE ONLY public.procedure
    ADD CONSTRAINT procedure_family_id_fkey FOREIGN KEY (family_id) REFERENCES public.family(id);

ALTER TABLE ONLY public.procedure
    ADD CONSTRAINT procedure_family_id_member_id_fkey FOREIGN KEY (family_id, member_id) REFERENCES public.member(family_id, id);

ALTER TABLE ONLY public.procedure_feed
    ADD CONSTRAINT procedure_feed_family_id_procedure_id_number_fkey FOREIGN KEY (family_id, procedure_id, number) REFERENCES public.procedure_event(family_id, procedure_id, number) ON DELETE CASCADE;

ALTER TABLE ONLY public.procedure_feed
    ADD CONSTRAINT procedure_feed_service_id_fkey FOREIGN KEY (service_id) REFERENCES public.service(id);

ALTER TABLE ONLY public.procedure
    ADD CONSTRAINT procedure_kind_id_fkey FOREIGN KEY (kind_id) REFERENCES public.procedure_kind(id);

ALTER TABLE ONLY public.procedure_kind
    ADD CONSTRAINT procedure_kind_service_id_fkey FOREIGN KEY (service_id) REFERENCES public.service(id);

ALTER TABLE ONLY public.procedure_message
    ADD CONSTRAINT procedure_message_agent_id_fkey FOREIGN KEY (agent_id) REFERENCES public.agent(id);

ALTER TABLE ONLY public.procedure_message
    ADD CONSTRAINT procedure_message_family_id_account_id_fkey FOREIGN KEY (family_id, account_id) REFERENCES public.account(family_id, id);

ALTER TABLE ONLY public.procedure_message
    ADD CONSTRAINT procedure_message_family_id_procedure_id_fkey FOREIGN KEY (family_id, procedure_id) REFERENCES public.procedure(family_id, id);

ALTER TABLE ONLY public.procedure_message
    ADD CONSTRAINT procedure_message_service_id_fkey FOREIGN KEY (service_id) REFERENCES public.service(id);

ALTER TABLE ONLY public.procedure
    ADD CONSTRAINT procedure_service_id_fkey FOREIGN KEY (service_id) REFERENCES public.service(id);

ALTER TABLE ONLY public.provider_link
    ADD CONSTRAINT provider_link_family_id_account_id_fkey FOREIGN KEY (family_id, account_id) REFERENCES public.account(family_id, id);

ALTER TABLE ONLY public.provider_link
    ADD CONSTRAINT provider_link_provider_id_fkey FOREIGN KEY (provider_id) REFERENCES public.identity_provider(id);

ALTER TABLE ONLY public.quotient_familial
    ADD CONSTRAINT quotient_familial_family_id_fkey FOREIGN KEY (family_id) REFERENCES public.family(id);

ALTER TABLE ONLY public.quotient_familial
    ADD CONSTRAINT quotient_familial_recorded_by_fkey FOREIGN KEY (recorded_by) REFERENCES public.agent(id);

ALTER TABLE ONLY public.recovery_code
    ADD CONSTRAINT recovery_code_agent_id_fkey FOREIGN KEY (agent_id) REFERENCES public.agent(id);

ALTER TABLE ONLY public.refresh_token
    ADD CONSTRAINT refresh_token_session_id_fkey FOREIGN KEY (session_id) REFERENCES public.session(id);

ALTER TABLE ONLY public.refund
    ADD CONSTRAINT refund_family_id_payment_id_fkey FOREIGN KEY (family_id, payment_id) REFERENCES public.payment(family_id, id);

ALTER TABLE ONLY public.refund
    ADD CONSTRAINT refund_refunded_by_fkey FOREIGN KEY (refunded_by) REFERENCES public.agent(id);

ALTER TABLE ONLY public.required_document
    ADD CONSTRAINT required_document_kind_id_fkey FOREIGN KEY (kind_id) REFERENCES public.procedure_kind(id);

ALTER TABLE ONLY public.revenue_count
    ADD CONSTRAINT revenue_count_service_id_fkey FOREIGN KEY (service_id) REFERENCES public.service(id);

ALTER TABLE ONLY public.second_factor
    ADD CONSTRAINT second_factor_agent_id_fkey FOREIGN KEY (agent_id) REFERENCES public.agent(id);

ALTER TABLE ONLY public.service_opt_in
    ADD CONSTRAINT service_opt_in_family_id_fkey FOREIGN KEY (family_id) REFERENCES public.family(id);

ALTER TABLE ONLY public.service_opt_in
    ADD CONSTRAINT service_opt_in_service_id_fkey FOREIGN KEY (service_id) REFERENCES public.service(id);

ALTER TABLE ONLY public.session
    ADD CONSTRAINT session_agent_id_fkey FOREIGN KEY (agent_id) REFERENCES public.agent(id);

ALTER TABLE ONLY public.session
    ADD CONSTRAINT session_family_id_account_id_fkey FOREIGN KEY (family_id, account_id) REFERENCES public.account(family_id, id);

ALTER TABLE ONLY public.session
    ADD CONSTRAINT session_family_id_fkey FOREIGN KEY (family_id) REFERENCES public.family(id);

ALTER TABLE ONLY public.session
    ADD CONSTRAINT session_partner_id_fkey FOREIGN KEY (partner_id) REFERENCES public.partner(id);

ALTER TABLE ONLY public.tariff_price
    ADD CONSTRAINT tariff_price_tariff_id_fkey FOREIGN KEY (tariff_id) REFERENCES public.tariff(id);

ALTER TABLE ONLY public.tariff
    ADD CONSTRAINT tariff_service_id_fkey FOREIGN KEY (service_id) REFERENCES public.service(id);

ALTER TABLE ONLY public.terms_acceptance
    ADD CONSTRAINT terms_acceptance_family_id_account_id_fkey FOREIGN KEY (family_id, account_id) REFERENCES public.account(family_id, id);

ALTER TABLE ONLY public.terms_acceptance
    ADD CONSTRAINT terms_acceptance_version_fkey FOREIGN KEY (version) REFERENCES public.terms(version);

ALTER TABLE ONLY public.webhook_attempt
    ADD CONSTRAINT webhook_attempt_partner_id_delivery_id_fkey FOREIGN KEY (partner_id, delivery_id) REFERENCES public.webhook_delivery(partner_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.webhook_delivery
    ADD CONSTRAINT webhook_delivery_partner_id_webhook_id_fkey FOREIGN KEY (partner_id, webhook_id) REFERENCES public.webhook(partner_id, id);

ALTER TABLE ONLY public.webhook
    ADD CONSTRAINT webhook_partner_id_fkey FOREIGN KEY (partner_id) REFERENCES public.partner(id);

ALTER TABLE public.account ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.acknowledgement ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.activation_code ENABLE ROW LEVEL SECURITY;

CREATE POLICY added_to ON public.allocation FOR UPDATE TO kiosque_api USING ((( SELECT public.viewer_is_cashier() AS viewer_is_cashier) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY added_to ON public.invoice FOR UPDATE TO kiosque_api USING ((( SELECT public.viewer_is_cashier() AS viewer_is_cashier) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY added_to ON public.invoice_line FOR UPDATE TO kiosque_api USING ((( SELECT public.viewer_is_cashier() AS viewer_is_cashier) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY added_to ON public.payment FOR UPDATE TO kiosque_api USING ((( SELECT public.viewer_is_cashier() AS viewer_is_cashier) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY added_to ON public.refund FOR UPDATE TO kiosque_api USING ((( SELECT public.viewer_is_cashier() AS viewer_is_cashier) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY added_to ON public.revenue_count FOR UPDATE TO kiosque_api USING (( SELECT public.viewer_is_system() AS viewer_is_system));

ALTER TABLE public.address ENABLE ROW LEVEL SECURITY;

CREATE POLICY admins_end ON public.session TO kiosque_api USING (((agent_id IS NOT NULL) AND ( SELECT public.viewer_is_admin() AS viewer_is_admin)));

CREATE POLICY admins_end_partners ON public.session TO kiosque_api USING (((partner_id IS NOT NULL) AND ( SELECT public.viewer_is_admin() AS viewer_is_admin)));

ALTER TABLE public.agent_challenge ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.agent_notice ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.agent_task ENABLE ROW LEVEL SECURITY;

CREATE POLICY agents_change_post ON public.address FOR UPDATE TO kiosque_api USING (((channel = 'POST'::text) AND (( SELECT public.viewer_services() AS viewer_services) IS NOT NULL)));

CREATE POLICY agents_confirm ON public.news TO kiosque_api USING (((( SELECT public.viewer_services() AS viewer_services) IS NOT NULL) AND (xid = pg_current_xact_id_if_assigned())));

CREATE POLICY agents_issue ON public.activation_code FOR INSERT TO kiosque_api WITH CHECK ((( SELECT public.viewer_services() AS viewer_services) IS NOT NULL));

CREATE POLICY agents_order ON public.job FOR INSERT TO kiosque_api WITH CHECK ((( SELECT public.viewer_agent() AS viewer_agent) IS NOT NULL));

CREATE POLICY agents_record ON public.quotient_familial FOR INSERT TO kiosque_api WITH CHECK (((( SELECT public.viewer_services() AS viewer_services) IS NOT NULL) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY agents_tell ON public.address FOR SELECT TO kiosque_api USING ((( SELECT public.viewer_services() AS viewer_services) IS NOT NULL));

CREATE POLICY agents_tell ON public.channel_preference FOR SELECT TO kiosque_api USING ((( SELECT public.viewer_services() AS viewer_services) IS NOT NULL));

CREATE POLICY agents_tell ON public.delivery FOR INSERT TO kiosque_api WITH CHECK ((( SELECT public.viewer_services() AS viewer_services) IS NOT NULL));

CREATE POLICY agents_tell ON public.lane TO kiosque_api USING ((( SELECT public.viewer_services() AS viewer_services) IS NOT NULL));

CREATE POLICY agents_tell ON public.service_opt_in FOR SELECT TO kiosque_api USING ((( SELECT public.viewer_services() AS viewer_services) IS NOT NULL));

CREATE POLICY agents_write_post ON public.address FOR INSERT TO kiosque_api WITH CHECK (((channel = 'POST'::text) AND (( SELECT public.viewer_services() AS viewer_services) IS NOT NULL)));

ALTER TABLE public.allocation ENABLE ROW LEVEL SECURITY;

CREATE POLICY announced ON public.broadcast FOR INSERT TO kiosque_api WITH CHECK (((( SELECT public.viewer_agent() AS viewer_agent) IS NOT NULL) AND (told_up_to IS NULL) AND (finished_at IS NULL)));

CREATE POLICY asked ON public.partner_task TO kiosque_dispatch USING (true);

ALTER TABLE public.audit_entry ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.bank_message ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.billing_check ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.billing_run ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.broadcast ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.card_attempt ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.card_attempt_invoice ENABLE ROW LEVEL SECURITY;

CREATE POLICY chained ON public.audit_entry TO kiosque_audit USING (true);

ALTER TABLE public.channel_preference ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.consumption ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.consumption_change ENABLE ROW LEVEL SECURITY;

CREATE POLICY counted ON public.procedure_count_change FOR INSERT TO kiosque_api WITH CHECK ((pg_trigger_depth() > 0));

CREATE POLICY counted ON public.revenue_count_change FOR INSERT TO kiosque_api WITH CHECK ((pg_trigger_depth() > 0));

CREATE POLICY daily ON public.news FOR INSERT TO kiosque_dispatch WITH CHECK ((type = 'daily_message'::text));

ALTER TABLE public.daily_closing ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.daily_total ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.data_choice ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.debit ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.debit_batch ENABLE ROW LEVEL SECURITY;

CREATE POLICY decided ON public.bank_message TO kiosque_api USING (( SELECT public.viewer_is_system() AS viewer_is_system));

CREATE POLICY decided ON public.card_attempt TO kiosque_api USING (( SELECT public.viewer_is_system() AS viewer_is_system));

CREATE POLICY decided ON public.card_attempt_invoice TO kiosque_api USING (( SELECT public.viewer_is_system() AS viewer_is_system));

ALTER TABLE public.delivery ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.device ENABLE ROW LEVEL SECURITY;

CREATE POLICY digested ON public.news FOR UPDATE TO kiosque_dispatch USING (true);

ALTER TABLE public.docket ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.document ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.draft_invoice ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.draft_line ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.email_change ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.export ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.export_chunk ENABLE ROW LEVEL SECURITY;

CREATE POLICY families_drop ON public.debit AS RESTRICTIVE FOR UPDATE TO kiosque_api USING ((( SELECT public.viewer_is_cashier() AS viewer_is_cashier) OR ( SELECT public.viewer_is_system() AS viewer_is_system) OR (state = 'ANNOUNCED'::text))) WITH CHECK ((( SELECT public.viewer_is_cashier() AS viewer_is_cashier) OR ( SELECT public.viewer_is_system() AS viewer_is_system) OR (state = 'DROPPED'::text)));

ALTER TABLE public.family ENABLE ROW LEVEL SECURITY;

CREATE POLICY filed ON public.document FOR SELECT TO kiosque_api USING (((( SELECT public.viewer_services() AS viewer_services) IS NOT NULL) AND (EXISTS ( SELECT
   FROM public.procedure_document l
  WHERE ((l.family_id = document.family_id) AND (l.document_id = document.id))))));

CREATE POLICY filed ON public.procedure_document FOR SELECT TO kiosque_api USING (((service_id = ANY (( SELECT public.viewer_services() AS viewer_services)::uuid[])) AND (EXISTS ( SELECT
   FROM public.procedure p
  WHERE ((p.family_id = procedure_document.family_id) AND (p.id = procedure_document.procedure_id) AND (p.submitted_at IS NOT NULL))))));

CREATE POLICY folded ON public.revenue_count FOR INSERT TO kiosque_api WITH CHECK (( SELECT public.viewer_is_system() AS viewer_is_system));

CREATE POLICY folded ON public.revenue_count_change FOR DELETE TO kiosque_api USING (( SELECT public.viewer_is_system() AS viewer_is_system));

CREATE POLICY given_up ON public.card_attempt FOR UPDATE TO kiosque_api USING ((family_id = ( SELECT public.viewer_family() AS viewer_family))) WITH CHECK (((status <> ALL (ARRAY['PAID'::text, 'REFUSED'::text])) AND (settled_at IS NULL)));

CREATE POLICY given_up ON public.card_attempt_invoice FOR UPDATE TO kiosque_api USING ((family_id = ( SELECT public.viewer_family() AS viewer_family))) WITH CHECK ((NOT live));

CREATE POLICY hand_in ON public.document FOR INSERT TO kiosque_api WITH CHECK (((agent_id = ( SELECT public.viewer_agent() AS viewer_agent)) AND (sent_at IS NULL) AND public.handled(family_id, procedure_id)));

CREATE POLICY handed_in ON public.document FOR SELECT TO kiosque_api USING (((agent_id IS NOT NULL) AND (( SELECT public.viewer_services() AS viewer_services) IS NOT NULL) AND public.handled(family_id, procedure_id)));

ALTER TABLE public.handover ENABLE ROW LEVEL SECURITY;

CREATE POLICY hub ON public.procedure_feed FOR SELECT TO kiosque_api USING (( SELECT public.viewer_is_system() AS viewer_is_system));

ALTER TABLE public.idempotency_key ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.identity_attempt ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.information_request ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.invitation ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.invoice ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.invoice_line ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.invoice_reminder ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.job ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.lane ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.mandate ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.member ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.member_change ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.news ENABLE ROW LEVEL SECURITY;

CREATE POLICY noted ON public.procedure_feed FOR INSERT TO kiosque_api WITH CHECK (("position" IS NULL));

CREATE POLICY numbered ON public.family FOR UPDATE TO kiosque_dispatch USING (true);

CREATE POLICY numbered ON public.procedure_feed TO kiosque_dispatch USING (true);

CREATE POLICY of_the_till ON public.idempotency_key TO kiosque_api USING (( SELECT public.viewer_is_cashier() AS viewer_is_cashier));

CREATE POLICY only_from_drafts ON public.procedure_document AS RESTRICTIVE FOR DELETE TO kiosque_api USING ((( SELECT public.viewer_is_system() AS viewer_is_system) OR (EXISTS ( SELECT
   FROM public.procedure p
  WHERE ((p.family_id = procedure_document.family_id) AND (p.id = procedure_document.procedure_id) AND (p.submitted_at IS NULL))))));

CREATE POLICY only_the_portal_announces ON public.debit AS RESTRICTIVE FOR INSERT TO kiosque_api WITH CHECK (( SELECT public.viewer_is_system() AS viewer_is_system));

CREATE POLICY only_the_portal_deletes ON public.delivery AS RESTRICTIVE FOR DELETE TO kiosque_api USING (( SELECT public.viewer_is_system() AS viewer_is_system));

CREATE POLICY only_the_portal_deletes ON public.lane AS RESTRICTIVE FOR DELETE TO kiosque_api USING (( SELECT public.viewer_is_system() AS viewer_is_system));

CREATE POLICY only_the_portal_deletes ON public.news AS RESTRICTIVE FOR DELETE TO kiosque_api USING (( SELECT public.viewer_is_system() AS viewer_is_system));

CREATE POLICY only_the_portal_deletes ON public.quotient_familial FOR DELETE TO kiosque_api USING (( SELECT public.viewer_is_system() AS viewer_is_system));

CREATE POLICY only_the_portal_erases ON public.acknowledgement AS RESTRICTIVE FOR UPDATE TO kiosque_api USING (( SELECT public.viewer_is_system() AS viewer_is_system));

CREATE POLICY only_the_portal_erases ON public.procedure_event AS RESTRICTIVE FOR UPDATE TO kiosque_api USING (( SELECT public.viewer_is_system() AS viewer_is_system));

CREATE POLICY only_the_portal_hands_over ON public.handover FOR INSERT TO kiosque_api WITH CHECK (( SELECT public.viewer_is_system() AS viewer_is_system));

CREATE POLICY own ON public.card_attempt FOR SELECT TO kiosque_api USING ((family_id = ( SELECT public.viewer_family() AS viewer_family)));

CREATE POLICY own ON public.card_attempt_invoice FOR SELECT TO kiosque_api USING ((family_id = ( SELECT public.viewer_family() AS viewer_family)));

CREATE POLICY own ON public.document TO kiosque_api USING ((((family_id = ( SELECT public.viewer_family() AS viewer_family)) AND ((agent_id IS NULL) OR (sent_at IS NOT NULL))) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY own ON public.procedure_document TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

ALTER TABLE public.partner ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.partner_assertion ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.partner_notice ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.partner_secret ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.partner_task ENABLE ROW LEVEL SECURITY;

CREATE POLICY partners_see ON public.family FOR SELECT TO kiosque_api USING (((( SELECT public.viewer_partner_services('FAMILIES_NAMES'::text) AS viewer_partner_services) IS NOT NULL) AND (EXISTS ( SELECT
   FROM public.procedure p
  WHERE ((p.family_id = family.id) AND (p.service_id = ANY (( SELECT public.viewer_partner_services('PROCEDURES_READ'::text) AS viewer_partner_services)::uuid[])))))));

CREATE POLICY partners_see ON public.procedure FOR SELECT TO kiosque_api USING (((service_id = ANY (( SELECT public.viewer_partner_services('PROCEDURES_READ'::text) AS viewer_partner_services)::uuid[])) AND (submitted_at IS NOT NULL)));

CREATE POLICY partners_see ON public.procedure_count FOR SELECT TO kiosque_api USING ((service_id = ANY (( SELECT public.viewer_partner_services('STATISTICS_READ'::text) AS viewer_partner_services)::uuid[])));

CREATE POLICY partners_see ON public.procedure_count_change FOR SELECT TO kiosque_api USING ((service_id = ANY (( SELECT public.viewer_partner_services('STATISTICS_READ'::text) AS viewer_partner_services)::uuid[])));

CREATE POLICY partners_see ON public.procedure_event FOR SELECT TO kiosque_api USING (((service_id = ANY (( SELECT public.viewer_partner_services('PROCEDURES_READ'::text) AS viewer_partner_services)::uuid[])) AND ((from_status <> 'DRAFT'::text) OR (to_status <> 'WITHDRAWN'::text))));

CREATE POLICY partners_see ON public.procedure_feed FOR SELECT TO kiosque_api USING (((service_id = ANY (( SELECT public.viewer_partner_services('PROCEDURES_READ'::text) AS viewer_partner_services)::uuid[])) AND ("position" IS NOT NULL)));

CREATE POLICY partners_see ON public.revenue_count FOR SELECT TO kiosque_api USING ((service_id = ANY (( SELECT public.viewer_partner_services('INVOICES_AGGREGATE'::text) AS viewer_partner_services)::uuid[])));

CREATE POLICY partners_see ON public.revenue_count_change FOR SELECT TO kiosque_api USING ((service_id = ANY (( SELECT public.viewer_partner_services('INVOICES_AGGREGATE'::text) AS viewer_partner_services)::uuid[])));

ALTER TABLE public.password_reset ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.payment ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.phone_challenge ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.procedure ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.procedure_count ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.procedure_count_change ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.procedure_document ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.procedure_event ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.procedure_feed ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.procedure_message ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.provider_link ENABLE ROW LEVEL SECURITY;

CREATE POLICY put_aside ON public.delivery FOR SELECT TO kiosque_api USING (((status = 'DEAD_LETTER'::text) AND ( SELECT public.viewer_is_admin() AS viewer_is_admin)));

ALTER TABLE public.quotient_familial ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.recovery_code ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.refund ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.revenue_count ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.revenue_count_change ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.second_factor ENABLE ROW LEVEL SECURITY;

CREATE POLICY seen ON public.account TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.acknowledgement TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR (service_id = ANY (( SELECT public.viewer_services() AS viewer_services)::uuid[])) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.activation_code TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.address TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.agent_challenge TO kiosque_api USING (((agent_id = ( SELECT public.viewer_agent() AS viewer_agent)) OR ( SELECT public.viewer_is_admin() AS viewer_is_admin) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.agent_notice TO kiosque_api USING (( SELECT public.viewer_is_system() AS viewer_is_system));

CREATE POLICY seen ON public.agent_task TO kiosque_api USING ((((( SELECT public.viewer_agent() AS viewer_agent) IS NOT NULL) AND ((service_id IS NULL) OR (service_id = ANY (( SELECT public.viewer_services() AS viewer_services)::uuid[])))) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.allocation FOR SELECT TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR ( SELECT public.viewer_is_cashier() AS viewer_is_cashier) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.audit_entry FOR SELECT TO kiosque_api USING (( SELECT public.viewer_is_admin() AS viewer_is_admin));

CREATE POLICY seen ON public.bank_message FOR SELECT TO kiosque_api USING ((( SELECT public.viewer_is_cashier() AS viewer_is_cashier) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.billing_check TO kiosque_api USING ((( SELECT public.viewer_is_cashier() AS viewer_is_cashier) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.billing_run TO kiosque_api USING ((( SELECT public.viewer_is_cashier() AS viewer_is_cashier) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.card_attempt FOR SELECT TO kiosque_api USING ((( SELECT public.viewer_is_cashier() AS viewer_is_cashier) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.card_attempt_invoice FOR SELECT TO kiosque_api USING ((( SELECT public.viewer_is_cashier() AS viewer_is_cashier) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.channel_preference TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.consumption TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR (service_id = ANY (( SELECT public.viewer_services() AS viewer_services)::uuid[])) OR ( SELECT public.viewer_is_cashier() AS viewer_is_cashier) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.consumption_change TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR (service_id = ANY (( SELECT public.viewer_services() AS viewer_services)::uuid[])) OR ( SELECT public.viewer_is_cashier() AS viewer_is_cashier) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.daily_closing TO kiosque_api USING ((( SELECT public.viewer_is_cashier() AS viewer_is_cashier) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.daily_total TO kiosque_api USING ((( SELECT public.viewer_is_cashier() AS viewer_is_cashier) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.data_choice TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.debit TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR ( SELECT public.viewer_is_cashier() AS viewer_is_cashier) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.debit_batch TO kiosque_api USING ((( SELECT public.viewer_is_cashier() AS viewer_is_cashier) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.delivery TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.device TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.docket TO kiosque_api USING ((( SELECT public.viewer_is_cashier() AS viewer_is_cashier) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.draft_invoice TO kiosque_api USING ((( SELECT public.viewer_is_cashier() AS viewer_is_cashier) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.draft_line TO kiosque_api USING ((( SELECT public.viewer_is_cashier() AS viewer_is_cashier) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.email_change TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.export TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.export_chunk TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.family TO kiosque_api USING (((id = ( SELECT public.viewer_family() AS viewer_family)) OR (( SELECT public.viewer_services() AS viewer_services) IS NOT NULL) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.handover FOR SELECT TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR ( SELECT public.viewer_is_cashier() AS viewer_is_cashier) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.idempotency_key TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.identity_attempt TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.information_request TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR (service_id = ANY (( SELECT public.viewer_services() AS viewer_services)::uuid[])) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.invitation TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.invoice FOR SELECT TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR ( SELECT public.viewer_is_cashier() AS viewer_is_cashier) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.invoice_line FOR SELECT TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR ( SELECT public.viewer_is_cashier() AS viewer_is_cashier) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.invoice_reminder FOR SELECT TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR ( SELECT public.viewer_is_cashier() AS viewer_is_cashier) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.job TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.lane TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.mandate TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR ( SELECT public.viewer_is_cashier() AS viewer_is_cashier) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.member TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR (( SELECT public.viewer_services() AS viewer_services) IS NOT NULL) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.member_change TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR (( SELECT public.viewer_services() AS viewer_services) IS NOT NULL) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.news TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR (service_id = ANY (( SELECT public.viewer_services() AS viewer_services)::uuid[])) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.partner TO kiosque_api USING (((id = ( SELECT public.viewer_partner() AS viewer_partner)) OR ( SELECT public.viewer_is_admin() AS viewer_is_admin) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.partner_assertion TO kiosque_api USING ((( SELECT public.viewer_is_admin() AS viewer_is_admin) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.partner_notice TO kiosque_api USING ((( SELECT public.viewer_is_admin() AS viewer_is_admin) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.partner_secret TO kiosque_api USING ((( SELECT public.viewer_is_admin() AS viewer_is_admin) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.partner_task TO kiosque_api USING ((( SELECT public.viewer_is_admin() AS viewer_is_admin) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.password_reset TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.payment FOR SELECT TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR ( SELECT public.viewer_is_cashier() AS viewer_is_cashier) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.phone_challenge TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.procedure TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR ((service_id = ANY (( SELECT public.viewer_services() AS viewer_services)::uuid[])) AND (submitted_at IS NOT NULL)) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.procedure_count TO kiosque_api USING (((service_id = ANY (( SELECT public.viewer_services() AS viewer_services)::uuid[])) OR ( SELECT public.viewer_is_admin() AS viewer_is_admin) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.procedure_count_change TO kiosque_api USING (((service_id = ANY (( SELECT public.viewer_services() AS viewer_services)::uuid[])) OR ( SELECT public.viewer_is_admin() AS viewer_is_admin) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.procedure_event TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR (service_id = ANY (( SELECT public.viewer_services() AS viewer_services)::uuid[])) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.procedure_message TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR (service_id = ANY (( SELECT public.viewer_services() AS viewer_services)::uuid[])) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.provider_link TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.quotient_familial FOR SELECT TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR (( SELECT public.viewer_services() AS viewer_services) IS NOT NULL) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.recovery_code TO kiosque_api USING (((agent_id = ( SELECT public.viewer_agent() AS viewer_agent)) OR ( SELECT public.viewer_is_admin() AS viewer_is_admin) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.refund FOR SELECT TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR ( SELECT public.viewer_is_cashier() AS viewer_is_cashier) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.revenue_count FOR SELECT TO kiosque_api USING ((( SELECT public.viewer_is_cashier() AS viewer_is_cashier) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.revenue_count_change FOR SELECT TO kiosque_api USING ((( SELECT public.viewer_is_cashier() AS viewer_is_cashier) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.second_factor TO kiosque_api USING (((agent_id = ( SELECT public.viewer_agent() AS viewer_agent)) OR ( SELECT public.viewer_is_admin() AS viewer_is_admin) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.service_opt_in TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.session TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR (agent_id = ( SELECT public.viewer_agent() AS viewer_agent)) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.terms_acceptance TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.webhook TO kiosque_api USING (((partner_id = ( SELECT public.viewer_partner() AS viewer_partner)) OR ( SELECT public.viewer_is_admin() AS viewer_is_admin) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.webhook_attempt TO kiosque_api USING (((partner_id = ( SELECT public.viewer_partner() AS viewer_partner)) OR ( SELECT public.viewer_is_admin() AS viewer_is_admin) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.webhook_delivery TO kiosque_api USING (((partner_id = ( SELECT public.viewer_partner() AS viewer_partner)) OR ( SELECT public.viewer_is_admin() AS viewer_is_admin) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY send ON public.document FOR UPDATE TO kiosque_api USING (((agent_id = ( SELECT public.viewer_agent() AS viewer_agent)) AND public.handled(family_id, procedure_id)));

CREATE POLICY send ON public.procedure_document FOR INSERT TO kiosque_api WITH CHECK (((field ~~ 'message.%'::text) AND (service_id = ANY (( SELECT public.viewer_services() AS viewer_services)::uuid[])) AND public.handed_in(family_id, procedure_id, document_id)));

ALTER TABLE public.service_opt_in ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.session ENABLE ROW LEVEL SECURITY;

CREATE POLICY spread ON public.news FOR INSERT TO kiosque_dispatch WITH CHECK ((broadcast_id IS NOT NULL));

CREATE POLICY started ON public.card_attempt FOR INSERT TO kiosque_api WITH CHECK (((family_id = ( SELECT public.viewer_family() AS viewer_family)) AND (status = 'CREATED'::text)));

CREATE POLICY started ON public.card_attempt_invoice FOR INSERT TO kiosque_api WITH CHECK ((family_id = ( SELECT public.viewer_family() AS viewer_family)));

ALTER TABLE public.terms_acceptance ENABLE ROW LEVEL SECURITY;

CREATE POLICY told ON public.account FOR SELECT TO kiosque_dispatch USING (true);

CREATE POLICY told ON public.address TO kiosque_dispatch USING (true);

CREATE POLICY told ON public.agent_notice TO kiosque_dispatch USING (true);

CREATE POLICY told ON public.broadcast TO kiosque_dispatch USING (true);

CREATE POLICY told ON public.channel_preference TO kiosque_dispatch USING (true);

CREATE POLICY told ON public.delivery TO kiosque_dispatch USING (true);

CREATE POLICY told ON public.family FOR SELECT TO kiosque_dispatch USING (true);

CREATE POLICY told ON public.lane TO kiosque_dispatch USING (true);

CREATE POLICY told ON public.news FOR SELECT TO kiosque_dispatch USING (true);

CREATE POLICY told ON public.partner FOR SELECT TO kiosque_dispatch USING (true);

CREATE POLICY told ON public.partner_notice TO kiosque_dispatch USING (true);

CREATE POLICY told ON public.webhook TO kiosque_dispatch USING (true);

CREATE POLICY told ON public.webhook_attempt TO kiosque_dispatch USING (true);

CREATE POLICY told ON public.webhook_delivery TO kiosque_dispatch USING (true);

CREATE POLICY told_procedures ON public.procedure FOR SELECT TO kiosque_dispatch USING (true);

CREATE POLICY told_steps ON public.procedure_event FOR SELECT TO kiosque_dispatch USING (true);

ALTER TABLE public.webhook ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.webhook_attempt ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.webhook_delivery ENABLE ROW LEVEL SECURITY;

CREATE POLICY written ON public.allocation FOR INSERT TO kiosque_api WITH CHECK ((( SELECT public.viewer_is_cashier() AS viewer_is_cashier) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY written ON public.audit_entry FOR INSERT TO kiosque_api, kiosque_dispatch WITH CHECK (((number IS NULL) AND (previous_hash IS NULL) AND (hash IS NULL)));

CREATE POLICY written ON public.invoice FOR INSERT TO kiosque_api WITH CHECK ((( SELECT public.viewer_is_cashier() AS viewer_is_cashier) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY written ON public.invoice_line FOR INSERT TO kiosque_api WITH CHECK ((( SELECT public.viewer_is_cashier() AS viewer_is_cashier) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY written ON public.invoice_reminder FOR INSERT TO kiosque_api WITH CHECK (( SELECT public.viewer_is_system() AS viewer_is_system));

CREATE POLICY written ON public.payment FOR INSERT TO kiosque_api WITH CHECK ((( SELECT public.viewer_is_cashier() AS viewer_is_cashier) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY written ON public.refund FOR INSERT TO kiosque_api WITH CHECK ((( SELECT public.viewer_is_cashier() AS viewer_is_cashier) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

GRANT USAGE ON SCHEMA public TO kiosque_api;
GRANT USAGE ON SCHEMA public TO kiosque_dispatch;
GRANT USAGE ON SCHEMA public TO kiosque_audit;

REVOKE ALL ON FUNCTION public.gbtreekey16_in(cstring) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbtreekey16_out(public.gbtreekey16) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbtreekey2_in(cstring) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbtreekey2_out(public.gbtreekey2) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbtreekey32_in(cstring) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbtreekey32_out(public.gbtreekey32) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbtreekey4_in(cstring) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbtreekey4_out(public.gbtreekey4) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbtreekey8_in(cstring) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbtreekey8_out(public.gbtreekey8) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbtreekey_var_in(cstring) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbtreekey_var_out(public.gbtreekey_var) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gtrgm_in(cstring) FROM PUBLIC;
GRANT ALL ON FUNCTION public.gtrgm_in(cstring) TO kiosque_api;

REVOKE ALL ON FUNCTION public.gtrgm_out(public.gtrgm) FROM PUBLIC;
GRANT ALL ON FUNCTION public.gtrgm_out(public.gtrgm) TO kiosque_api;

REVOKE ALL ON FUNCTION public.account_entries(owner uuid, since date, until date) FROM PUBLIC;
GRANT ALL ON FUNCTION public.account_entries(owner uuid, since date, until date) TO kiosque_api;

REVOKE ALL ON FUNCTION public.added(a integer[], b integer[]) FROM PUBLIC;
GRANT ALL ON FUNCTION public.added(a integer[], b integer[]) TO kiosque_api;

GRANT SELECT ON TABLE public.audit_entry TO kiosque_api;
GRANT SELECT ON TABLE public.audit_entry TO kiosque_audit;

GRANT INSERT(id) ON TABLE public.audit_entry TO kiosque_api;
GRANT INSERT(id) ON TABLE public.audit_entry TO kiosque_dispatch;

GRANT UPDATE(number) ON TABLE public.audit_entry TO kiosque_audit;

GRANT INSERT(act) ON TABLE public.audit_entry TO kiosque_api;
GRANT INSERT(act) ON TABLE public.audit_entry TO kiosque_dispatch;

GRANT INSERT(actor) ON TABLE public.audit_entry TO kiosque_api;
GRANT INSERT(actor) ON TABLE public.audit_entry TO kiosque_dispatch;

GRANT INSERT(actor_id) ON TABLE public.audit_entry TO kiosque_api;
GRANT INSERT(actor_id) ON TABLE public.audit_entry TO kiosque_dispatch;

GRANT INSERT(family_id) ON TABLE public.audit_entry TO kiosque_api;
GRANT INSERT(family_id) ON TABLE public.audit_entry TO kiosque_dispatch;

GRANT INSERT(subject_id) ON TABLE public.audit_entry TO kiosque_api;
GRANT INSERT(subject_id) ON TABLE public.audit_entry TO kiosque_dispatch;

GRANT INSERT(data) ON TABLE public.audit_entry TO kiosque_api;
GRANT INSERT(data) ON TABLE public.audit_entry TO kiosque_dispatch;

GRANT INSERT(occurred_at) ON TABLE public.audit_entry TO kiosque_api;
GRANT INSERT(occurred_at) ON TABLE public.audit_entry TO kiosque_dispatch;

GRANT UPDATE(previous_hash) ON TABLE public.audit_entry TO kiosque_audit;

GRANT UPDATE(hash) ON TABLE public.audit_entry TO kiosque_audit;

REVOKE ALL ON FUNCTION public.audit_text(e public.audit_entry) FROM PUBLIC;
GRANT ALL ON FUNCTION public.audit_text(e public.audit_entry) TO kiosque_audit;

REVOKE ALL ON FUNCTION public.cash_dist(money, money) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.chain_audit_entry() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.channel_routes(owner uuid, about text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.channel_routes(owner uuid, about text) TO kiosque_api;

REVOKE ALL ON FUNCTION public.check_day_open() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.check_has_lines() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.check_invoice() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.check_lines() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.check_payment() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.count_allocated() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.count_cancelled() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.count_freed() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.count_lines() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.count_place() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.count_procedure() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.date_dist(date, date) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.delay_at(classes bigint[], share double precision) FROM PUBLIC;
GRANT ALL ON FUNCTION public.delay_at(classes bigint[], share double precision) TO kiosque_api;

REVOKE ALL ON FUNCTION public.delay_class(submitted_at timestamp with time zone, decided_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION public.delay_class(submitted_at timestamp with time zone, decided_at timestamp with time zone) TO kiosque_api;

REVOKE ALL ON FUNCTION public.float4_dist(real, real) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.float8_dist(double precision, double precision) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.fold_procedure_counts(lines integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.fold_procedure_counts(lines integer) TO kiosque_api;

REVOKE ALL ON FUNCTION public.fold_revenue_counts(lines integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.fold_revenue_counts(lines integer) TO kiosque_api;

REVOKE ALL ON FUNCTION public.folded(words text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.folded(words text) TO kiosque_api;

REVOKE ALL ON FUNCTION public.formatted_money(cents bigint, language text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.formatted_money(cents bigint, language text) TO kiosque_api;

REVOKE ALL ON FUNCTION public.gbt_bit_compress(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_bit_consistent(internal, bit, smallint, oid, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_bit_penalty(internal, internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_bit_picksplit(internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_bit_same(public.gbtreekey_var, public.gbtreekey_var, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_bit_sortsupport(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_bit_union(internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_bool_compress(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_bool_consistent(internal, boolean, smallint, oid, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_bool_fetch(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_bool_penalty(internal, internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_bool_picksplit(internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_bool_same(public.gbtreekey2, public.gbtreekey2, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_bool_sortsupport(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_bool_union(internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_bpchar_compress(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_bpchar_consistent(internal, character, smallint, oid, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_bpchar_sortsupport(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_bytea_compress(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_bytea_consistent(internal, bytea, smallint, oid, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_bytea_penalty(internal, internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_bytea_picksplit(internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_bytea_same(public.gbtreekey_var, public.gbtreekey_var, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_bytea_sortsupport(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_bytea_union(internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_cash_compress(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_cash_consistent(internal, money, smallint, oid, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_cash_distance(internal, money, smallint, oid, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_cash_fetch(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_cash_penalty(internal, internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_cash_picksplit(internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_cash_same(public.gbtreekey16, public.gbtreekey16, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_cash_sortsupport(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_cash_union(internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_date_compress(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_date_consistent(internal, date, smallint, oid, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_date_distance(internal, date, smallint, oid, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_date_fetch(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_date_penalty(internal, internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_date_picksplit(internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_date_same(public.gbtreekey8, public.gbtreekey8, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_date_sortsupport(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_date_union(internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_decompress(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_enum_compress(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_enum_consistent(internal, anyenum, smallint, oid, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_enum_fetch(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_enum_penalty(internal, internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_enum_picksplit(internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_enum_same(public.gbtreekey8, public.gbtreekey8, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_enum_sortsupport(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_enum_union(internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_float4_compress(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_float4_consistent(internal, real, smallint, oid, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_float4_distance(internal, real, smallint, oid, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_float4_fetch(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_float4_penalty(internal, internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_float4_picksplit(internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_float4_same(public.gbtreekey8, public.gbtreekey8, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_float4_sortsupport(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_float4_union(internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_float8_compress(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_float8_consistent(internal, double precision, smallint, oid, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_float8_distance(internal, double precision, smallint, oid, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_float8_fetch(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_float8_penalty(internal, internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_float8_picksplit(internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_float8_same(public.gbtreekey16, public.gbtreekey16, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_float8_sortsupport(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_float8_union(internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_inet_compress(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_inet_consistent(internal, inet, smallint, oid, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_inet_penalty(internal, internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_inet_picksplit(internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_inet_same(public.gbtreekey16, public.gbtreekey16, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_inet_sortsupport(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_inet_union(internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_int2_compress(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_int2_consistent(internal, smallint, smallint, oid, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_int2_distance(internal, smallint, smallint, oid, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_int2_fetch(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_int2_penalty(internal, internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_int2_picksplit(internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_int2_same(public.gbtreekey4, public.gbtreekey4, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_int2_sortsupport(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_int2_union(internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_int4_compress(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_int4_consistent(internal, integer, smallint, oid, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_int4_distance(internal, integer, smallint, oid, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_int4_fetch(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_int4_penalty(internal, internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_int4_picksplit(internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_int4_same(public.gbtreekey8, public.gbtreekey8, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_int4_sortsupport(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_int4_union(internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_int8_compress(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_int8_consistent(internal, bigint, smallint, oid, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_int8_distance(internal, bigint, smallint, oid, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_int8_fetch(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_int8_penalty(internal, internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_int8_picksplit(internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_int8_same(public.gbtreekey16, public.gbtreekey16, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_int8_sortsupport(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_int8_union(internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_intv_compress(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_intv_consistent(internal, interval, smallint, oid, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_intv_decompress(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_intv_distance(internal, interval, smallint, oid, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_intv_fetch(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_intv_penalty(internal, internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_intv_picksplit(internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_intv_same(public.gbtreekey32, public.gbtreekey32, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_intv_sortsupport(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_intv_union(internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_macad8_compress(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_macad8_consistent(internal, macaddr8, smallint, oid, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_macad8_fetch(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_macad8_penalty(internal, internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_macad8_picksplit(internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_macad8_same(public.gbtreekey16, public.gbtreekey16, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_macad8_sortsupport(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_macad8_union(internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_macad_compress(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_macad_consistent(internal, macaddr, smallint, oid, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_macad_fetch(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_macad_penalty(internal, internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_macad_picksplit(internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_macad_same(public.gbtreekey16, public.gbtreekey16, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_macad_union(internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_macaddr_sortsupport(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_numeric_compress(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_numeric_consistent(internal, numeric, smallint, oid, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_numeric_penalty(internal, internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_numeric_picksplit(internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_numeric_same(public.gbtreekey_var, public.gbtreekey_var, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_numeric_sortsupport(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_numeric_union(internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_oid_compress(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_oid_consistent(internal, oid, smallint, oid, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_oid_distance(internal, oid, smallint, oid, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_oid_fetch(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_oid_penalty(internal, internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_oid_picksplit(internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_oid_same(public.gbtreekey8, public.gbtreekey8, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_oid_sortsupport(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_oid_union(internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_text_compress(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_text_consistent(internal, text, smallint, oid, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_text_penalty(internal, internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_text_picksplit(internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_text_same(public.gbtreekey_var, public.gbtreekey_var, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_text_sortsupport(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_text_union(internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_time_compress(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_time_consistent(internal, time without time zone, smallint, oid, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_time_distance(internal, time without time zone, smallint, oid, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_time_fetch(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_time_penalty(internal, internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_time_picksplit(internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_time_same(public.gbtreekey16, public.gbtreekey16, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_time_sortsupport(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_time_union(internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_timetz_compress(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_timetz_consistent(internal, time with time zone, smallint, oid, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_ts_compress(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_ts_consistent(internal, timestamp without time zone, smallint, oid, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_ts_distance(internal, timestamp without time zone, smallint, oid, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_ts_fetch(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_ts_penalty(internal, internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_ts_picksplit(internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_ts_same(public.gbtreekey16, public.gbtreekey16, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_ts_sortsupport(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_ts_union(internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_tstz_compress(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_tstz_consistent(internal, timestamp with time zone, smallint, oid, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_tstz_distance(internal, timestamp with time zone, smallint, oid, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_uuid_compress(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_uuid_consistent(internal, uuid, smallint, oid, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_uuid_fetch(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_uuid_penalty(internal, internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_uuid_picksplit(internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_uuid_same(public.gbtreekey32, public.gbtreekey32, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_uuid_sortsupport(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_uuid_union(internal, internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_var_decompress(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_var_fetch(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gbt_varbit_sortsupport(internal) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gin_extract_query_trgm(text, internal, smallint, internal, internal, internal, internal) FROM PUBLIC;
GRANT ALL ON FUNCTION public.gin_extract_query_trgm(text, internal, smallint, internal, internal, internal, internal) TO kiosque_api;

REVOKE ALL ON FUNCTION public.gin_extract_value_trgm(text, internal) FROM PUBLIC;
GRANT ALL ON FUNCTION public.gin_extract_value_trgm(text, internal) TO kiosque_api;

REVOKE ALL ON FUNCTION public.gin_trgm_consistent(internal, smallint, text, integer, internal, internal, internal, internal) FROM PUBLIC;
GRANT ALL ON FUNCTION public.gin_trgm_consistent(internal, smallint, text, integer, internal, internal, internal, internal) TO kiosque_api;

REVOKE ALL ON FUNCTION public.gin_trgm_triconsistent(internal, smallint, text, integer, internal, internal, internal) FROM PUBLIC;
GRANT ALL ON FUNCTION public.gin_trgm_triconsistent(internal, smallint, text, integer, internal, internal, internal) TO kiosque_api;

REVOKE ALL ON FUNCTION public.gist_translate_cmptype_btree(integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.gtrgm_compress(internal) FROM PUBLIC;
GRANT ALL ON FUNCTION public.gtrgm_compress(internal) TO kiosque_api;

REVOKE ALL ON FUNCTION public.gtrgm_consistent(internal, text, smallint, oid, internal) FROM PUBLIC;
GRANT ALL ON FUNCTION public.gtrgm_consistent(internal, text, smallint, oid, internal) TO kiosque_api;

REVOKE ALL ON FUNCTION public.gtrgm_decompress(internal) FROM PUBLIC;
GRANT ALL ON FUNCTION public.gtrgm_decompress(internal) TO kiosque_api;

REVOKE ALL ON FUNCTION public.gtrgm_distance(internal, text, smallint, oid, internal) FROM PUBLIC;
GRANT ALL ON FUNCTION public.gtrgm_distance(internal, text, smallint, oid, internal) TO kiosque_api;

REVOKE ALL ON FUNCTION public.gtrgm_options(internal) FROM PUBLIC;
GRANT ALL ON FUNCTION public.gtrgm_options(internal) TO kiosque_api;

REVOKE ALL ON FUNCTION public.gtrgm_penalty(internal, internal, internal) FROM PUBLIC;
GRANT ALL ON FUNCTION public.gtrgm_penalty(internal, internal, internal) TO kiosque_api;

REVOKE ALL ON FUNCTION public.gtrgm_picksplit(internal, internal) FROM PUBLIC;
GRANT ALL ON FUNCTION public.gtrgm_picksplit(internal, internal) TO kiosque_api;

REVOKE ALL ON FUNCTION public.gtrgm_same(public.gtrgm, public.gtrgm, internal) FROM PUBLIC;
GRANT ALL ON FUNCTION public.gtrgm_same(public.gtrgm, public.gtrgm, internal) TO kiosque_api;

REVOKE ALL ON FUNCTION public.gtrgm_union(internal, internal) FROM PUBLIC;
GRANT ALL ON FUNCTION public.gtrgm_union(internal, internal) TO kiosque_api;

REVOKE ALL ON FUNCTION public.viewer_agent() FROM PUBLIC;
GRANT ALL ON FUNCTION public.viewer_agent() TO kiosque_api;
GRANT ALL ON FUNCTION public.viewer_agent() TO kiosque_dispatch;

GRANT SELECT,INSERT ON TABLE public.document TO kiosque_api;

GRANT UPDATE(name) ON TABLE public.document TO kiosque_api;

GRANT UPDATE(sha256) ON TABLE public.document TO kiosque_api;

GRANT UPDATE(erased_at) ON TABLE public.document TO kiosque_api;

GRANT UPDATE(file_erased_at) ON TABLE public.document TO kiosque_api;

GRANT UPDATE(sent_at) ON TABLE public.document TO kiosque_api;

REVOKE ALL ON FUNCTION public.handed_in(family uuid, procedure uuid, document uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.handed_in(family uuid, procedure uuid, document uuid) TO kiosque_api;

REVOKE ALL ON FUNCTION public.viewer_services() FROM PUBLIC;
GRANT ALL ON FUNCTION public.viewer_services() TO kiosque_api;
GRANT ALL ON FUNCTION public.viewer_services() TO kiosque_dispatch;

GRANT SELECT,INSERT,UPDATE ON TABLE public.procedure TO kiosque_api;

GRANT SELECT(family_id) ON TABLE public.procedure TO kiosque_dispatch;

GRANT SELECT(id) ON TABLE public.procedure TO kiosque_dispatch;

GRANT SELECT(reference) ON TABLE public.procedure TO kiosque_dispatch;

GRANT SELECT(kind_id) ON TABLE public.procedure TO kiosque_dispatch;

REVOKE ALL ON FUNCTION public.handled(family uuid, procedure uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.handled(family uuid, procedure uuid) TO kiosque_api;

REVOKE ALL ON FUNCTION public.hold_money() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.holds_place(status text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.holds_place(status text) TO kiosque_api;

REVOKE ALL ON FUNCTION public.id_part(id text, place integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.id_part(id text, place integer) TO kiosque_api;

REVOKE ALL ON FUNCTION public.implied_after_answer(before date, silence_means text, months integer, asked_on date, answered_on date) FROM PUBLIC;
GRANT ALL ON FUNCTION public.implied_after_answer(before date, silence_means text, months integer, asked_on date, answered_on date) TO kiosque_api;

REVOKE ALL ON FUNCTION public.int2_dist(smallint, smallint) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.int4_dist(integer, integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.int8_dist(bigint, bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.interval_dist(interval, interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.invoice_status(total integer, settled bigint, cancelled_at timestamp with time zone, due_on date, today date) FROM PUBLIC;
GRANT ALL ON FUNCTION public.invoice_status(total integer, settled bigint, cancelled_at timestamp with time zone, due_on date, today date) TO kiosque_api;

REVOKE ALL ON FUNCTION public.keep_agent() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.keep_audit_entry() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.keep_legal_clock() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.keep_money() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.keep_terms() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.note_invoiced(sign integer, owners uuid[], ids uuid[]) FROM PUBLIC;
GRANT ALL ON FUNCTION public.note_invoiced(sign integer, owners uuid[], ids uuid[]) TO kiosque_api;

REVOKE ALL ON FUNCTION public.note_paid(owners uuid[], ids uuid[], positions integer[], cents bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION public.note_paid(owners uuid[], ids uuid[], positions integer[], cents bigint[]) TO kiosque_api;

REVOKE ALL ON FUNCTION public.note_procedure_event() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.oid_dist(oid, oid) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.outbox_state() FROM PUBLIC;
GRANT ALL ON FUNCTION public.outbox_state() TO kiosque_api;

REVOKE ALL ON FUNCTION public.page_query(words text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.page_query(words text) TO kiosque_api;

GRANT SELECT,INSERT ON TABLE public.maintenance TO kiosque_api;

GRANT UPDATE(ended_at) ON TABLE public.maintenance TO kiosque_api;

REVOKE ALL ON FUNCTION public.present_maintenance(moment timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION public.present_maintenance(moment timestamp with time zone) TO kiosque_api;

REVOKE ALL ON FUNCTION public.price_reason(reason text, low integer, high integer, since date, source text, language text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.price_reason(reason text, low integer, high integer, since date, source text, language text) TO kiosque_api;

REVOKE ALL ON FUNCTION public.revenue(first_month date, last_month date, codes text[], of_services uuid[], everywhere boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION public.revenue(first_month date, last_month date, codes text[], of_services uuid[], everywhere boolean) TO kiosque_api;

REVOKE ALL ON FUNCTION public.ring_city() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.ring_documents() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.ring_feed() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.ring_inbox() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.ring_lane() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.ring_news() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.ring_session() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.ring_signing_key() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.ring_webhook() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.ring_work() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.set_limit(real) FROM PUBLIC;
GRANT ALL ON FUNCTION public.set_limit(real) TO kiosque_api;

REVOKE ALL ON FUNCTION public.show_limit() FROM PUBLIC;
GRANT ALL ON FUNCTION public.show_limit() TO kiosque_api;

REVOKE ALL ON FUNCTION public.show_trgm(text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.show_trgm(text) TO kiosque_api;

REVOKE ALL ON FUNCTION public.similarity(text, text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.similarity(text, text) TO kiosque_api;

REVOKE ALL ON FUNCTION public.similarity_dist(text, text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.similarity_dist(text, text) TO kiosque_api;

REVOKE ALL ON FUNCTION public.similarity_op(text, text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.similarity_op(text, text) TO kiosque_api;

REVOKE ALL ON FUNCTION public.statistics(wanted text[], first_day date, last_day date, codes text[], of_services uuid[], everywhere boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION public.statistics(wanted text[], first_day date, last_day date, codes text[], of_services uuid[], everywhere boolean) TO kiosque_api;

REVOKE ALL ON FUNCTION public.strict_word_similarity(text, text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.strict_word_similarity(text, text) TO kiosque_api;

REVOKE ALL ON FUNCTION public.strict_word_similarity_commutator_op(text, text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.strict_word_similarity_commutator_op(text, text) TO kiosque_api;

REVOKE ALL ON FUNCTION public.strict_word_similarity_dist_commutator_op(text, text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.strict_word_similarity_dist_commutator_op(text, text) TO kiosque_api;

REVOKE ALL ON FUNCTION public.strict_word_similarity_dist_op(text, text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.strict_word_similarity_dist_op(text, text) TO kiosque_api;

REVOKE ALL ON FUNCTION public.strict_word_similarity_op(text, text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.strict_word_similarity_op(text, text) TO kiosque_api;

REVOKE ALL ON FUNCTION public.till_totals(of_day date) FROM PUBLIC;
GRANT ALL ON FUNCTION public.till_totals(of_day date) TO kiosque_api;

REVOKE ALL ON FUNCTION public.time_dist(time without time zone, time without time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.ts_dist(timestamp without time zone, timestamp without time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.tstz_dist(timestamp with time zone, timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.viewer_family() FROM PUBLIC;
GRANT ALL ON FUNCTION public.viewer_family() TO kiosque_api;
GRANT ALL ON FUNCTION public.viewer_family() TO kiosque_dispatch;

REVOKE ALL ON FUNCTION public.viewer_is_admin() FROM PUBLIC;
GRANT ALL ON FUNCTION public.viewer_is_admin() TO kiosque_api;

REVOKE ALL ON FUNCTION public.viewer_is_cashier() FROM PUBLIC;
GRANT ALL ON FUNCTION public.viewer_is_cashier() TO kiosque_api;

REVOKE ALL ON FUNCTION public.viewer_is_system() FROM PUBLIC;
GRANT ALL ON FUNCTION public.viewer_is_system() TO kiosque_api;
GRANT ALL ON FUNCTION public.viewer_is_system() TO kiosque_dispatch;

REVOKE ALL ON FUNCTION public.viewer_partner() FROM PUBLIC;
GRANT ALL ON FUNCTION public.viewer_partner() TO kiosque_api;

REVOKE ALL ON FUNCTION public.viewer_partner_services(scope text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.viewer_partner_services(scope text) TO kiosque_api;

REVOKE ALL ON FUNCTION public.word_similarity(text, text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.word_similarity(text, text) TO kiosque_api;

REVOKE ALL ON FUNCTION public.word_similarity_commutator_op(text, text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.word_similarity_commutator_op(text, text) TO kiosque_api;

REVOKE ALL ON FUNCTION public.word_similarity_dist_commutator_op(text, text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.word_similarity_dist_commutator_op(text, text) TO kiosque_api;

REVOKE ALL ON FUNCTION public.word_similarity_dist_op(text, text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.word_similarity_dist_op(text, text) TO kiosque_api;

REVOKE ALL ON FUNCTION public.word_similarity_op(text, text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.word_similarity_op(text, text) TO kiosque_api;

GRANT SELECT,INSERT,UPDATE ON TABLE public.account TO kiosque_api;

GRANT SELECT(family_id) ON TABLE public.account TO kiosque_dispatch;

GRANT SELECT(id) ON TABLE public.account TO kiosque_dispatch;

GRANT SELECT(email) ON TABLE public.account TO kiosque_dispatch;

GRANT SELECT(language) ON TABLE public.account TO kiosque_dispatch;

GRANT SELECT(removed_at) ON TABLE public.account TO kiosque_dispatch;

GRANT SELECT,INSERT ON TABLE public.acknowledgement TO kiosque_api;

GRANT UPDATE(content) ON TABLE public.acknowledgement TO kiosque_api;

GRANT SELECT,INSERT,UPDATE ON TABLE public.activation_code TO kiosque_api;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.address TO kiosque_api;
GRANT SELECT,UPDATE ON TABLE public.address TO kiosque_dispatch;

GRANT SELECT,INSERT ON TABLE public.agent TO kiosque_api;

GRANT SELECT(id) ON TABLE public.agent TO kiosque_dispatch;

GRANT UPDATE(email) ON TABLE public.agent TO kiosque_api;
GRANT SELECT(email) ON TABLE public.agent TO kiosque_dispatch;

GRANT UPDATE(name) ON TABLE public.agent TO kiosque_api;
GRANT SELECT(name) ON TABLE public.agent TO kiosque_dispatch;

GRANT UPDATE(password_hash) ON TABLE public.agent TO kiosque_api;

GRANT UPDATE(roles) ON TABLE public.agent TO kiosque_api;

GRANT UPDATE(services) ON TABLE public.agent TO kiosque_api;

GRANT UPDATE(disabled_at) ON TABLE public.agent TO kiosque_api;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.agent_challenge TO kiosque_api;

GRANT SELECT,INSERT,DELETE ON TABLE public.agent_notice TO kiosque_api;
GRANT SELECT,UPDATE ON TABLE public.agent_notice TO kiosque_dispatch;

GRANT SELECT,INSERT,UPDATE ON TABLE public.agent_task TO kiosque_api;

GRANT SELECT,INSERT ON TABLE public.allocation TO kiosque_api;

GRANT UPDATE(freed_at) ON TABLE public.allocation TO kiosque_api;

GRANT UPDATE(freed_because) ON TABLE public.allocation TO kiosque_api;

GRANT SELECT,INSERT ON TABLE public.bank_message TO kiosque_api;

GRANT UPDATE(times) ON TABLE public.bank_message TO kiosque_api;

GRANT UPDATE(last_at) ON TABLE public.bank_message TO kiosque_api;

GRANT SELECT,INSERT,DELETE ON TABLE public.billing_check TO kiosque_api;

GRANT SELECT,INSERT,UPDATE ON TABLE public.billing_run TO kiosque_api;

GRANT INSERT ON TABLE public.broadcast TO kiosque_api;
GRANT SELECT ON TABLE public.broadcast TO kiosque_dispatch;

GRANT UPDATE(told_up_to) ON TABLE public.broadcast TO kiosque_dispatch;

GRANT UPDATE(families) ON TABLE public.broadcast TO kiosque_dispatch;

GRANT UPDATE(finished_at) ON TABLE public.broadcast TO kiosque_dispatch;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.bucket TO kiosque_api;

GRANT SELECT,INSERT ON TABLE public.card_attempt TO kiosque_api;

GRANT UPDATE(bank_reference) ON TABLE public.card_attempt TO kiosque_api;

GRANT UPDATE(status) ON TABLE public.card_attempt TO kiosque_api;

GRANT UPDATE(end_reason) ON TABLE public.card_attempt TO kiosque_api;

GRANT UPDATE(redirect) ON TABLE public.card_attempt TO kiosque_api;

GRANT UPDATE(redirected_at) ON TABLE public.card_attempt TO kiosque_api;

GRANT UPDATE(ended_at) ON TABLE public.card_attempt TO kiosque_api;

GRANT UPDATE(settled_at) ON TABLE public.card_attempt TO kiosque_api;

GRANT SELECT,INSERT ON TABLE public.card_attempt_invoice TO kiosque_api;

GRANT UPDATE(live) ON TABLE public.card_attempt_invoice TO kiosque_api;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.channel_preference TO kiosque_api;
GRANT SELECT ON TABLE public.channel_preference TO kiosque_dispatch;

GRANT SELECT,INSERT,UPDATE ON TABLE public.consumption TO kiosque_api;

GRANT SELECT,INSERT ON TABLE public.consumption_change TO kiosque_api;

GRANT SELECT,INSERT ON TABLE public.daily_closing TO kiosque_api;

GRANT SELECT,INSERT ON TABLE public.daily_total TO kiosque_api;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.data_choice TO kiosque_api;

GRANT SELECT,INSERT,UPDATE ON TABLE public.debit TO kiosque_api;

GRANT SELECT,INSERT,UPDATE ON TABLE public.debit_batch TO kiosque_api;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.delivery TO kiosque_api;
GRANT SELECT,INSERT,UPDATE ON TABLE public.delivery TO kiosque_dispatch;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.device TO kiosque_api;

GRANT SELECT,INSERT,UPDATE ON TABLE public.docket TO kiosque_api;

GRANT SELECT,INSERT,DELETE ON TABLE public.draft_invoice TO kiosque_api;

GRANT SELECT,INSERT,DELETE ON TABLE public.draft_line TO kiosque_api;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.email_change TO kiosque_api;

GRANT SELECT,INSERT,DELETE ON TABLE public.exceptional_day TO kiosque_api;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.export TO kiosque_api;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.export_chunk TO kiosque_api;

GRANT SELECT,INSERT,UPDATE ON TABLE public.family TO kiosque_api;

GRANT SELECT(id) ON TABLE public.family TO kiosque_dispatch;

GRANT SELECT(number) ON TABLE public.family TO kiosque_dispatch;

GRANT SELECT(name) ON TABLE public.family TO kiosque_dispatch;

GRANT SELECT(language) ON TABLE public.family TO kiosque_dispatch;

GRANT SELECT(activated_at) ON TABLE public.family TO kiosque_dispatch;

GRANT SELECT(news_seq),UPDATE(news_seq) ON TABLE public.family TO kiosque_dispatch;

GRANT SELECT(quiet_starts) ON TABLE public.family TO kiosque_dispatch;

GRANT SELECT(quiet_ends) ON TABLE public.family TO kiosque_dispatch;

GRANT SELECT(digest_hour) ON TABLE public.family TO kiosque_dispatch;

GRANT SELECT(digest_topics) ON TABLE public.family TO kiosque_dispatch;

GRANT SELECT(digested_at),UPDATE(digested_at) ON TABLE public.family TO kiosque_dispatch;

GRANT SELECT,INSERT ON TABLE public.handover TO kiosque_api;

GRANT SELECT,INSERT,DELETE ON TABLE public.idempotency_key TO kiosque_api;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.identity_attempt TO kiosque_api;

GRANT SELECT,INSERT,UPDATE ON TABLE public.identity_provider TO kiosque_api;

GRANT SELECT,INSERT ON TABLE public.information_request TO kiosque_api;

GRANT UPDATE(documents) ON TABLE public.information_request TO kiosque_api;

GRANT UPDATE(message) ON TABLE public.information_request TO kiosque_api;

GRANT UPDATE(answers) ON TABLE public.information_request TO kiosque_api;

GRANT UPDATE(answered_at) ON TABLE public.information_request TO kiosque_api;

GRANT SELECT,INSERT,UPDATE ON TABLE public.invitation TO kiosque_api;

GRANT SELECT,INSERT ON TABLE public.invoice TO kiosque_api;

GRANT UPDATE(cancelled_at) ON TABLE public.invoice TO kiosque_api;

GRANT UPDATE(cancelled_reason) ON TABLE public.invoice TO kiosque_api;

GRANT UPDATE(cancelled_by) ON TABLE public.invoice TO kiosque_api;

GRANT UPDATE(pdf) ON TABLE public.invoice TO kiosque_api;

GRANT SELECT,INSERT ON TABLE public.invoice_line TO kiosque_api;

GRANT SELECT,INSERT ON TABLE public.invoice_reminder TO kiosque_api;

GRANT SELECT,INSERT,UPDATE ON TABLE public.invoice_series TO kiosque_api;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.job TO kiosque_api;

GRANT SELECT,INSERT,UPDATE ON TABLE public.kind_intake TO kiosque_api;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.lane TO kiosque_api;
GRANT SELECT,INSERT,UPDATE ON TABLE public.lane TO kiosque_dispatch;

GRANT SELECT,INSERT,UPDATE ON TABLE public.mandate TO kiosque_api;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.member TO kiosque_api;

GRANT SELECT,INSERT,UPDATE ON TABLE public.member_change TO kiosque_api;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.news TO kiosque_api;
GRANT SELECT,INSERT ON TABLE public.news TO kiosque_dispatch;

GRANT UPDATE(awaits_digest) ON TABLE public.news TO kiosque_dispatch;

GRANT UPDATE(digested_in) ON TABLE public.news TO kiosque_dispatch;

GRANT SELECT,INSERT,DELETE ON TABLE public.opening_rule TO kiosque_api;

GRANT SELECT,INSERT,DELETE ON TABLE public.opening_span TO kiosque_api;

GRANT SELECT,INSERT,UPDATE ON TABLE public.page TO kiosque_api;

GRANT SELECT,INSERT,DELETE ON TABLE public.page_audience TO kiosque_api;

GRANT SELECT,INSERT,UPDATE ON TABLE public.page_category TO kiosque_api;

GRANT SELECT,INSERT,DELETE ON TABLE public.page_invoice TO kiosque_api;

GRANT SELECT,INSERT,DELETE ON TABLE public.page_kind TO kiosque_api;

GRANT SELECT,INSERT,DELETE ON TABLE public.page_place TO kiosque_api;

GRANT SELECT,INSERT,DELETE ON TABLE public.page_tariff TO kiosque_api;

GRANT SELECT,INSERT,UPDATE ON TABLE public.page_version TO kiosque_api;

GRANT SELECT,INSERT ON TABLE public.page_word TO kiosque_api;

GRANT SELECT,INSERT,UPDATE ON TABLE public.partner TO kiosque_api;

GRANT SELECT(id) ON TABLE public.partner TO kiosque_dispatch;

GRANT SELECT(name) ON TABLE public.partner TO kiosque_dispatch;

GRANT SELECT(contact_email) ON TABLE public.partner TO kiosque_dispatch;

GRANT SELECT(language) ON TABLE public.partner TO kiosque_dispatch;

GRANT SELECT(scopes) ON TABLE public.partner TO kiosque_dispatch;

GRANT SELECT(services) ON TABLE public.partner TO kiosque_dispatch;

GRANT SELECT(expires_at) ON TABLE public.partner TO kiosque_dispatch;

GRANT SELECT(revoked_at) ON TABLE public.partner TO kiosque_dispatch;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.partner_assertion TO kiosque_api;

GRANT SELECT,INSERT,DELETE ON TABLE public.partner_notice TO kiosque_api;
GRANT SELECT,INSERT,UPDATE ON TABLE public.partner_notice TO kiosque_dispatch;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.partner_secret TO kiosque_api;

GRANT SELECT,INSERT,UPDATE ON TABLE public.partner_task TO kiosque_api;
GRANT SELECT,INSERT,UPDATE ON TABLE public.partner_task TO kiosque_dispatch;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.password_reset TO kiosque_api;

GRANT SELECT,INSERT ON TABLE public.payment TO kiosque_api;

GRANT UPDATE(undone_at) ON TABLE public.payment TO kiosque_api;

GRANT UPDATE(undone_reason) ON TABLE public.payment TO kiosque_api;

GRANT UPDATE(undone_by) ON TABLE public.payment TO kiosque_api;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.phone_challenge TO kiosque_api;

GRANT SELECT,INSERT,UPDATE ON TABLE public.place TO kiosque_api;

GRANT SELECT,INSERT,UPDATE ON TABLE public.procedure_count TO kiosque_api;

GRANT SELECT,INSERT,DELETE ON TABLE public.procedure_count_change TO kiosque_api;

GRANT SELECT,INSERT,DELETE ON TABLE public.procedure_document TO kiosque_api;

GRANT SELECT,INSERT ON TABLE public.procedure_event TO kiosque_api;

GRANT SELECT(family_id) ON TABLE public.procedure_event TO kiosque_dispatch;

GRANT SELECT(procedure_id) ON TABLE public.procedure_event TO kiosque_dispatch;

GRANT SELECT(number) ON TABLE public.procedure_event TO kiosque_dispatch;

GRANT SELECT(service_id) ON TABLE public.procedure_event TO kiosque_dispatch;

GRANT SELECT(from_status) ON TABLE public.procedure_event TO kiosque_dispatch;

GRANT SELECT(to_status) ON TABLE public.procedure_event TO kiosque_dispatch;

GRANT SELECT(actor) ON TABLE public.procedure_event TO kiosque_dispatch;

GRANT UPDATE(message) ON TABLE public.procedure_event TO kiosque_api;

GRANT SELECT(occurred_at) ON TABLE public.procedure_event TO kiosque_dispatch;

GRANT SELECT ON TABLE public.procedure_feed TO kiosque_api;
GRANT SELECT ON TABLE public.procedure_feed TO kiosque_dispatch;

GRANT INSERT(family_id) ON TABLE public.procedure_feed TO kiosque_api;

GRANT INSERT(procedure_id) ON TABLE public.procedure_feed TO kiosque_api;

GRANT INSERT(number) ON TABLE public.procedure_feed TO kiosque_api;

GRANT INSERT(service_id) ON TABLE public.procedure_feed TO kiosque_api;

GRANT UPDATE("position") ON TABLE public.procedure_feed TO kiosque_dispatch;

GRANT SELECT ON TABLE public.procedure_feed_end TO kiosque_api;
GRANT SELECT,UPDATE ON TABLE public.procedure_feed_end TO kiosque_dispatch;

GRANT SELECT,INSERT ON TABLE public.procedure_kind TO kiosque_api;
GRANT SELECT ON TABLE public.procedure_kind TO kiosque_dispatch;

GRANT UPDATE(superseded_at) ON TABLE public.procedure_kind TO kiosque_api;

GRANT SELECT,INSERT,DELETE ON TABLE public.procedure_message TO kiosque_api;

GRANT UPDATE(read_at) ON TABLE public.procedure_message TO kiosque_api;

GRANT USAGE ON SEQUENCE public.procedure_reference TO kiosque_api;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.provider_link TO kiosque_api;

GRANT SELECT,INSERT,DELETE ON TABLE public.quotient_familial TO kiosque_api;

GRANT USAGE ON SEQUENCE public.receipt_number TO kiosque_api;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.recovery_code TO kiosque_api;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.refresh_token TO kiosque_api;

GRANT SELECT,INSERT ON TABLE public.refund TO kiosque_api;

GRANT SELECT,INSERT ON TABLE public.registered_document TO kiosque_api;

GRANT UPDATE(retired_at) ON TABLE public.registered_document TO kiosque_api;

GRANT SELECT ON TABLE public.requested_document TO kiosque_api;

GRANT SELECT,INSERT ON TABLE public.required_document TO kiosque_api;

GRANT SELECT,INSERT,UPDATE ON TABLE public.revenue_count TO kiosque_api;

GRANT SELECT,INSERT,DELETE ON TABLE public.revenue_count_change TO kiosque_api;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.second_factor TO kiosque_api;

GRANT SELECT ON TABLE public.service TO kiosque_api;
GRANT SELECT ON TABLE public.service TO kiosque_dispatch;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.service_opt_in TO kiosque_api;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.session TO kiosque_api;

GRANT SELECT,INSERT ON TABLE public.signing_key TO kiosque_api;

GRANT UPDATE(retired_at) ON TABLE public.signing_key TO kiosque_api;

GRANT SELECT,INSERT,UPDATE ON TABLE public.sms_provider TO kiosque_dispatch;

GRANT INSERT ON TABLE public.sms_receipt TO kiosque_api;
GRANT SELECT,INSERT,DELETE ON TABLE public.sms_receipt TO kiosque_dispatch;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.sms_sender TO kiosque_dispatch;

GRANT SELECT,INSERT,UPDATE ON TABLE public.tariff TO kiosque_api;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.tariff_price TO kiosque_api;

GRANT SELECT,INSERT ON TABLE public.terms TO kiosque_api;
GRANT SELECT ON TABLE public.terms TO kiosque_dispatch;

GRANT SELECT,INSERT ON TABLE public.terms_acceptance TO kiosque_api;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.throttle TO kiosque_api;

GRANT SELECT,INSERT,UPDATE ON TABLE public.webhook TO kiosque_api;
GRANT SELECT,UPDATE ON TABLE public.webhook TO kiosque_dispatch;

GRANT SELECT ON TABLE public.webhook_attempt TO kiosque_api;
GRANT SELECT,INSERT ON TABLE public.webhook_attempt TO kiosque_dispatch;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.webhook_delivery TO kiosque_api;
GRANT SELECT,INSERT,UPDATE ON TABLE public.webhook_delivery TO kiosque_dispatch;

ALTER DEFAULT PRIVILEGES FOR ROLE postgres REVOKE ALL ON FUNCTIONS FROM PUBLIC;
