CREATE EXTENSION IF NOT EXISTS btree_gist WITH SCHEMA public;

COMMENT ON EXTENSION btree_gist IS 'support for indexing common datatypes in GiST';

CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public;

COMMENT ON EXTENSION pg_trgm IS 'text similarity measurement and index searching based on trigrams';

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

CREATE FUNCTION public.folded(words text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (' '::text || btrim(regexp_replace(translate(replace(replace(lower(regexp_replace(NORMALIZE(words, NFKD), '[\u0300-\u036f]'::text, ''::text, 'g'::text)), 'œ'::text, 'oe'::text), 'æ'::text, 'ae'::text), '!"#$%&''()*+,-./:;<=>?@[\]^_`{|}~’‘ʼ«»“”‐‑–—·'::text, repeat(' '::text, 44)), '\s+'::text, ' '::text, 'g'::text)));

COMMENT ON FUNCTION public.folded(words text) IS 'A text as it is searched: a blank before each word, no accents, capitals or punctuation.';

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

CREATE FUNCTION public.keep_terms() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    raise exception 'published terms of use are never changed' using errcode = 'restrict_violation';
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

CREATE FUNCTION public.viewer_agent() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (NULLIF(current_setting('kiosque.agent'::text, true), ''::text))::uuid;

COMMENT ON FUNCTION public.viewer_agent() IS 'The agent that looks, or null.';

CREATE FUNCTION public.viewer_family() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (NULLIF(current_setting('kiosque.family'::text, true), ''::text))::uuid;

COMMENT ON FUNCTION public.viewer_family() IS 'The family that looks, or null.';

CREATE FUNCTION public.viewer_is_admin() RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (COALESCE(current_setting('kiosque.admin'::text, true), ''::text) = 'on'::text);

COMMENT ON FUNCTION public.viewer_is_admin() IS 'True for an agent with the role ADMIN.';

CREATE FUNCTION public.viewer_is_system() RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (COALESCE(current_setting('kiosque.system'::text, true), ''::text) = 'on'::text);

COMMENT ON FUNCTION public.viewer_is_system() IS 'True for the portal itself: sign-in, activation, imports, scheduled jobs.';

CREATE FUNCTION public.viewer_services() RETURNS uuid[]
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (NULLIF(current_setting('kiosque.services'::text, true), ''::text))::uuid[];

COMMENT ON FUNCTION public.viewer_services() IS 'The services of the agent that looks; null when it is not an agent.';

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
    CONSTRAINT address_channel_check CHECK ((channel = ANY (ARRAY['EMAIL'::text, 'SMS'::text, 'WEB_PUSH'::text, 'MOBILE_PUSH'::text, 'POST'::text]))),
    CONSTRAINT address_source_check CHECK ((source = ANY (ARRAY['FAMILY'::text, 'CITY'::text]))),
    CONSTRAINT address_value_check CHECK (((length(value) >= 1) AND (length(value) <= 2000)))
);

ALTER TABLE ONLY public.address FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.address IS 'Where a family can be reached; one that proves dead is retired, never deleted by a channel.';

COMMENT ON COLUMN public.address.source IS 'Who gave it: the family, or the city''s register, which nobody has verified.';

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

CREATE TABLE public.agent_task (
    family_id uuid NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL,
    roles text[] NOT NULL,
    subject_id uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    done_at timestamp with time zone,
    done_by uuid,
    CONSTRAINT agent_task_check CHECK (((done_at IS NULL) = (done_by IS NULL))),
    CONSTRAINT agent_task_kind_check CHECK ((kind = 'UNAUTHORIZED_USE'::text)),
    CONSTRAINT agent_task_roles_check CHECK (((roles <@ ARRAY['AGENT'::text, 'CASHIER'::text, 'EDITOR'::text, 'ADMIN'::text]) AND (cardinality(roles) > 0)))
);

ALTER TABLE ONLY public.agent_task FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.agent_task IS 'What waits for a member of the staff with one of the roles; one open task a kind and subject.';

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

CREATE TABLE public.channel_preference (
    family_id uuid NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    topic text NOT NULL,
    channels text[] NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT channel_preference_channels_check CHECK ((((cardinality(channels) >= 1) AND (cardinality(channels) <= 6)) AND (channels <@ ARRAY['IN_APP'::text, 'EMAIL'::text, 'SMS'::text, 'WEB_PUSH'::text, 'MOBILE_PUSH'::text, 'POST'::text]))),
    CONSTRAINT channel_preference_topic_check CHECK ((topic = ANY (ARRAY['PROCEDURE_STATUS'::text, 'PROCEDURE_MESSAGE'::text, 'INVOICE_ISSUED'::text, 'PAYMENT'::text, 'DIRECT_DEBIT'::text, 'ACCOUNT_SECURITY'::text, 'TERMS'::text, 'MAINTENANCE'::text, 'CITY_INFORMATION'::text])))
);

ALTER TABLE ONLY public.channel_preference FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.channel_preference IS 'Ordered channels per topic (R13); the first that can reach the family is used, the next when it fails.';

CREATE TABLE public.data_choice (
    family_id uuid NOT NULL,
    datum text NOT NULL,
    id uuid NOT NULL,
    keep boolean NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    CONSTRAINT data_choice_datum_check CHECK ((datum = ANY (ARRAY['ANSWERS'::text, 'SCHOOL'::text, 'CONTACTS'::text, 'QUOTIENT_FAMILIAL'::text])))
);

ALTER TABLE ONLY public.data_choice FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.data_choice IS 'Which data a family keeps in its account between procedures, where it made a choice (R2).';

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
    CONSTRAINT delivery_channel_check CHECK ((channel = ANY (ARRAY['IN_APP'::text, 'EMAIL'::text, 'SMS'::text, 'WEB_PUSH'::text, 'MOBILE_PUSH'::text, 'POST'::text]))),
    CONSTRAINT delivery_status_check CHECK ((status = ANY (ARRAY['PENDING'::text, 'SENT'::text, 'DELIVERED'::text, 'FAILED'::text, 'DEAD_LETTER'::text])))
);

ALTER TABLE ONLY public.delivery FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.delivery IS 'One message to one address: what was sent, where, when, and whether it arrived.';

COMMENT ON COLUMN public.delivery.next_channels IS 'Channels to try, in order, should this one fail for good.';

CREATE TABLE public.device (
    family_id uuid NOT NULL,
    account_id uuid NOT NULL,
    hash bytea NOT NULL,
    first_seen_at timestamp with time zone NOT NULL,
    last_seen_at timestamp with time zone NOT NULL
);

ALTER TABLE ONLY public.device FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.device IS 'Devices on which an account has signed in, by the SHA-256 of the secret that each keeps.';

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
    CONSTRAINT family_identifier_check CHECK ((((siret IS NULL) AND (rna IS NULL) AND (registry_number IS NULL)) OR (profile = 'ASSOCIATION'::text) OR ((profile = 'PROFESSIONAL'::text) AND (rna IS NULL) AND (registry_number IS NULL)))),
    CONSTRAINT family_language_check CHECK ((language = ANY (ARRAY['fr'::text, 'en'::text]))),
    CONSTRAINT family_name_check CHECK (((length(name) >= 1) AND (length(name) <= 200))),
    CONSTRAINT family_number_check CHECK ((number ~ '^[0-9]{6,10}$'::text)),
    CONSTRAINT family_profile_check CHECK ((profile = ANY (ARRAY['INDIVIDUAL'::text, 'PROFESSIONAL'::text, 'ASSOCIATION'::text]))),
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
    CONSTRAINT news_seq_check CHECK ((seq > 0)),
    CONSTRAINT news_topic_check CHECK ((topic = ANY (ARRAY['PROCEDURE_STATUS'::text, 'PROCEDURE_MESSAGE'::text, 'INVOICE_ISSUED'::text, 'PAYMENT'::text, 'DIRECT_DEBIT'::text, 'ACCOUNT_SECURITY'::text, 'TERMS'::text, 'MAINTENANCE'::text, 'CITY_INFORMATION'::text])))
);

ALTER TABLE ONLY public.news FORCE ROW LEVEL SECURITY;

COMMENT ON COLUMN public.news.seq IS 'Gapless per family; the cursor of every subscription.';

COMMENT ON COLUMN public.news.xid IS 'Lets a gateway read each item once, also when transactions commit out of order.';

COMMENT ON COLUMN public.news.broadcast_id IS 'What of the city''s stream it repeats: once for a family, whatever crashes.';

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
    CONSTRAINT procedure_answers_check CHECK ((json_typeof(answers) <> 'null'::text)),
    CONSTRAINT procedure_check CHECK (((status = 'DRAFT'::text) OR (status = 'WITHDRAWN'::text) OR ((submitted_at IS NOT NULL) AND (attestation IS NOT NULL)))),
    CONSTRAINT procedure_status_check CHECK ((status = ANY (ARRAY['DRAFT'::text, 'SUBMITTED'::text, 'IN_REVIEW'::text, 'AWAITING_FAMILY'::text, 'ACCEPTED'::text, 'REJECTED'::text, 'CLOSED'::text, 'WITHDRAWN'::text])))
);

ALTER TABLE ONLY public.procedure FORCE ROW LEVEL SECURITY;

COMMENT ON COLUMN public.procedure.event_count IS 'Number of the last event; the next one takes the next number under this row''s lock.';

COMMENT ON COLUMN public.procedure.answers_erased_at IS 'When its answers were erased because the family does not keep them (R2), or their time had passed.';

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
    CONSTRAINT procedure_kind_code_check CHECK ((code ~ '^[a-z][a-z0-9-]{1,59}$'::text)),
    CONSTRAINT procedure_kind_decision_months_check CHECK (((decision_months >= 1) AND (decision_months <= 24))),
    CONSTRAINT procedure_kind_form_check CHECK ((json_typeof(form) = 'object'::text)),
    CONSTRAINT procedure_kind_silence_means_check CHECK ((silence_means = ANY (ARRAY['ACCEPTED'::text, 'REJECTED'::text]))),
    CONSTRAINT procedure_kind_version_check CHECK ((version > 0))
);

COMMENT ON TABLE public.procedure_kind IS 'Catalogue of procedures; a version never changes once published.';

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
    CONSTRAINT session_check CHECK ((((agent_id IS NULL) = (account_id IS NOT NULL)) AND ((account_id IS NULL) = (family_id IS NULL))))
);

ALTER TABLE ONLY public.session FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.session IS 'One sign-in on one device, of an account or of an agent.';

COMMENT ON COLUMN public.session.idle_ends_at IS 'When it ends unless it is refreshed before; null for those opened before there was this column.';

CREATE TABLE public.signing_key (
    kid text NOT NULL,
    sealed_private_key bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    retired_at timestamp with time zone
);

COMMENT ON TABLE public.signing_key IS 'Keys that sign access tokens, sealed with the master key of the settings.';

COMMENT ON COLUMN public.signing_key.retired_at IS 'From when on its signatures count no more; it signs nothing once this is set.';

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

ALTER TABLE ONLY public.account
    ADD CONSTRAINT account_pkey PRIMARY KEY (family_id, id);

ALTER TABLE ONLY public.activation_code
    ADD CONSTRAINT activation_code_pkey PRIMARY KEY (family_id, id);

ALTER TABLE ONLY public.address
    ADD CONSTRAINT address_family_id_channel_value_key UNIQUE (family_id, channel, value);

ALTER TABLE ONLY public.address
    ADD CONSTRAINT address_pkey PRIMARY KEY (family_id, id);

ALTER TABLE ONLY public.agent_challenge
    ADD CONSTRAINT agent_challenge_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.agent
    ADD CONSTRAINT agent_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.agent_task
    ADD CONSTRAINT agent_task_pkey PRIMARY KEY (family_id, id);

ALTER TABLE ONLY public.audit_entry
    ADD CONSTRAINT audit_entry_number_key UNIQUE (number);

ALTER TABLE ONLY public.audit_entry
    ADD CONSTRAINT audit_entry_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.broadcast
    ADD CONSTRAINT broadcast_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.bucket
    ADD CONSTRAINT bucket_pkey PRIMARY KEY (subject);

ALTER TABLE ONLY public.channel_preference
    ADD CONSTRAINT channel_preference_family_id_id_key UNIQUE (family_id, id);

ALTER TABLE ONLY public.channel_preference
    ADD CONSTRAINT channel_preference_pkey PRIMARY KEY (family_id, topic);

ALTER TABLE ONLY public.data_choice
    ADD CONSTRAINT data_choice_family_id_id_key UNIQUE (family_id, id);

ALTER TABLE ONLY public.data_choice
    ADD CONSTRAINT data_choice_pkey PRIMARY KEY (family_id, datum);

ALTER TABLE ONLY public.delivery
    ADD CONSTRAINT delivery_family_id_news_seq_channel_address_key UNIQUE (family_id, news_seq, channel, address);

ALTER TABLE ONLY public.delivery
    ADD CONSTRAINT delivery_pkey PRIMARY KEY (family_id, id);

ALTER TABLE ONLY public.device
    ADD CONSTRAINT device_pkey PRIMARY KEY (family_id, account_id, hash);

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

ALTER TABLE ONLY public.invitation
    ADD CONSTRAINT invitation_pkey PRIMARY KEY (family_id, id);

ALTER TABLE ONLY public.job
    ADD CONSTRAINT job_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.lane
    ADD CONSTRAINT lane_pkey PRIMARY KEY (family_id, subject_id, channel, address);

ALTER TABLE ONLY public.maintenance
    ADD CONSTRAINT maintenance_pkey PRIMARY KEY (id);

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

ALTER TABLE ONLY public.page_category
    ADD CONSTRAINT page_category_code_key UNIQUE (code);

ALTER TABLE ONLY public.page_category
    ADD CONSTRAINT page_category_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.page_kind
    ADD CONSTRAINT page_kind_pkey PRIMARY KEY (page_id, kind_code, phase);

ALTER TABLE ONLY public.page
    ADD CONSTRAINT page_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.page_place
    ADD CONSTRAINT page_place_pkey PRIMARY KEY (page_id, place_id);

ALTER TABLE ONLY public.page
    ADD CONSTRAINT page_slug_key UNIQUE (slug);

ALTER TABLE ONLY public.page_version
    ADD CONSTRAINT page_version_page_id_number_key UNIQUE (page_id, number);

ALTER TABLE ONLY public.page_version
    ADD CONSTRAINT page_version_page_id_tstzrange_excl EXCLUDE USING gist (page_id WITH =, tstzrange(visible_from, visible_until) WITH &&) WHERE ((visible_from IS NOT NULL));

ALTER TABLE ONLY public.page_version
    ADD CONSTRAINT page_version_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.page_word
    ADD CONSTRAINT page_word_pkey PRIMARY KEY (word);

ALTER TABLE ONLY public.password_reset
    ADD CONSTRAINT password_reset_pkey PRIMARY KEY (family_id, id);

ALTER TABLE ONLY public.place
    ADD CONSTRAINT place_code_key UNIQUE (code);

ALTER TABLE ONLY public.place
    ADD CONSTRAINT place_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.procedure_event
    ADD CONSTRAINT procedure_event_family_id_id_key UNIQUE (family_id, id);

ALTER TABLE ONLY public.procedure_event
    ADD CONSTRAINT procedure_event_pkey PRIMARY KEY (family_id, procedure_id, number);

ALTER TABLE ONLY public.procedure_kind
    ADD CONSTRAINT procedure_kind_code_version_key UNIQUE (code, version);

ALTER TABLE ONLY public.procedure_kind
    ADD CONSTRAINT procedure_kind_pkey PRIMARY KEY (id);

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

ALTER TABLE ONLY public.registered_document
    ADD CONSTRAINT registered_document_pkey PRIMARY KEY (hash, client);

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

ALTER TABLE ONLY public.terms_acceptance
    ADD CONSTRAINT terms_acceptance_pkey PRIMARY KEY (family_id, account_id, version);

ALTER TABLE ONLY public.terms
    ADD CONSTRAINT terms_id_key UNIQUE (id);

ALTER TABLE ONLY public.terms
    ADD CONSTRAINT terms_pkey PRIMARY KEY (version);

ALTER TABLE ONLY public.throttle
    ADD CONSTRAINT throttle_pkey PRIMARY KEY (subject);

CREATE INDEX account_email ON public.account USING btree (email);

CREATE UNIQUE INDEX account_verified_email ON public.account USING btree (email) WHERE (email_verified_at IS NOT NULL);

CREATE INDEX agent_challenge_of_agent ON public.agent_challenge USING btree (agent_id, expires_at);

CREATE UNIQUE INDEX agent_email ON public.agent USING btree (email);

CREATE UNIQUE INDEX agent_task_open ON public.agent_task USING btree (family_id, kind, subject_id) WHERE (done_at IS NULL);

CREATE INDEX agent_task_waiting ON public.agent_task USING btree (id) WHERE (done_at IS NULL);

CREATE INDEX audit_entry_by_time ON public.audit_entry USING btree (occurred_at);

CREATE INDEX audit_entry_of_act ON public.audit_entry USING btree (act, number);

CREATE INDEX audit_entry_of_actor ON public.audit_entry USING btree (actor_id, number) WHERE (actor_id IS NOT NULL);

CREATE INDEX audit_entry_of_family ON public.audit_entry USING btree (family_id, number) WHERE (family_id IS NOT NULL);

CREATE INDEX broadcast_unfinished ON public.broadcast USING btree (created_at) WHERE (finished_at IS NULL);

CREATE INDEX delivery_dead ON public.delivery USING btree (family_id) WHERE (status = 'DEAD_LETTER'::text);

CREATE INDEX delivery_of_family ON public.delivery USING btree (family_id, created_at DESC, id DESC);

CREATE INDEX delivery_of_lane ON public.delivery USING btree (family_id, subject_id, channel, address, news_seq) WHERE (status = 'PENDING'::text);

CREATE INDEX delivery_recent ON public.delivery USING btree (created_at);

CREATE INDEX delivery_waiting ON public.delivery USING btree (created_at) WHERE (status = 'PENDING'::text);

CREATE INDEX device_by_last_seen ON public.device USING btree (last_seen_at);

CREATE UNIQUE INDEX email_change_open ON public.email_change USING btree (family_id, account_id) WHERE ((done_at IS NULL) AND (cancelled_at IS NULL));

CREATE INDEX exceptional_day_of_place ON public.exceptional_day USING btree (place_id, last_day, id);

CREATE INDEX export_expiring ON public.export USING btree (expires_at);

CREATE INDEX export_of_job ON public.export USING btree (job_id);

CREATE INDEX family_closed ON public.family USING btree (closed_at) WHERE ((closed_at IS NOT NULL) AND (erased_at IS NULL));

CREATE INDEX idempotency_key_by_age ON public.idempotency_key USING btree (created_at);

CREATE INDEX identity_attempt_by_end ON public.identity_attempt USING btree (expires_at);

CREATE UNIQUE INDEX invitation_open ON public.invitation USING btree (family_id, email) WHERE ((accepted_at IS NULL) AND (revoked_at IS NULL));

CREATE INDEX job_finished ON public.job USING btree (finished_at) WHERE (state = ANY (ARRAY['DONE'::text, 'FAILED'::text]));

CREATE UNIQUE INDEX job_of_period ON public.job USING btree (kind, period) WHERE (period IS NOT NULL);

CREATE INDEX job_running ON public.job USING btree (lease_until) WHERE (state = 'RUNNING'::text);

CREATE INDEX job_waiting ON public.job USING btree (run_at, id) WHERE (state = 'PENDING'::text);

CREATE INDEX lane_due ON public.lane USING btree (channel, priority, due_at) WHERE (due_at IS NOT NULL);

CREATE INDEX maintenance_not_ended ON public.maintenance USING btree (starts_at) WHERE (ended_at IS NULL);

CREATE UNIQUE INDEX member_change_open ON public.member_change USING btree (family_id, member_id) WHERE (decided_at IS NULL);

CREATE INDEX member_change_waiting ON public.member_change USING btree (id) WHERE (decided_at IS NULL);

CREATE UNIQUE INDEX member_of_child ON public.member USING btree (child_id, family_id) WHERE (child_id IS NOT NULL);

CREATE INDEX news_by_time ON public.news USING brin (occurred_at);

CREATE INDEX news_by_transaction ON public.news USING btree (xid);

CREATE UNIQUE INDEX news_of_broadcast ON public.news USING btree (family_id, broadcast_id) WHERE (broadcast_id IS NOT NULL);

CREATE INDEX news_of_procedure ON public.news USING btree (family_id, procedure_id, seq) WHERE (procedure_id IS NOT NULL);

CREATE INDEX opening_rule_of_place ON public.opening_rule USING btree (place_id, weekday, opens, id);

CREATE UNIQUE INDEX opening_span_id ON public.opening_span USING btree (id);

CREATE INDEX page_category_below ON public.page_category USING btree (parent_id, "position", id);

CREATE INDEX page_kind_of_kind ON public.page_kind USING btree (kind_code, phase, "position");

CREATE INDEX page_place_of_place ON public.page_place USING btree (place_id);

CREATE INDEX page_version_of_category ON public.page_version USING btree (category_id) WHERE (visible_from IS NOT NULL);

CREATE INDEX page_version_search ON public.page_version USING gin (search);

CREATE INDEX page_word_similar ON public.page_word USING gin (plain public.gin_trgm_ops);

CREATE INDEX password_reset_of_account ON public.password_reset USING btree (family_id, account_id, requested_at);

CREATE UNIQUE INDEX procedure_kind_current ON public.procedure_kind USING btree (code) WHERE (superseded_at IS NULL);

CREATE INDEX procedure_of_service ON public.procedure USING btree (service_id, id DESC);

CREATE INDEX procedure_of_service_by_change ON public.procedure USING btree (service_id, updated_at DESC, id DESC);

CREATE INDEX procedure_of_service_by_status ON public.procedure USING btree (service_id, status, id DESC);

CREATE INDEX procedure_to_erase ON public.procedure USING btree (updated_at) WHERE ((status = ANY (ARRAY['ACCEPTED'::text, 'REJECTED'::text, 'CLOSED'::text, 'WITHDRAWN'::text])) AND (answers_erased_at IS NULL));

CREATE INDEX procedure_to_forget ON public.procedure USING btree (updated_at) WHERE ((status = ANY (ARRAY['ACCEPTED'::text, 'REJECTED'::text, 'CLOSED'::text, 'WITHDRAWN'::text])) AND (messages_erased_at IS NULL));

CREATE INDEX quotient_familial_by_day ON public.quotient_familial USING btree (family_id, valid_from DESC, id DESC);

CREATE INDEX refresh_token_of_session ON public.refresh_token USING btree (session_id);

CREATE INDEX registered_document_of_client ON public.registered_document USING btree (client, created_at);

CREATE INDEX second_factor_of_agent ON public.second_factor USING btree (agent_id, id);

CREATE INDEX session_by_end ON public.session USING btree (LEAST(expires_at, ended_at, idle_ends_at));

CREATE INDEX session_of_account ON public.session USING btree (family_id, account_id) WHERE (ended_at IS NULL);

CREATE INDEX session_of_agent ON public.session USING btree (agent_id) WHERE ((agent_id IS NOT NULL) AND (ended_at IS NULL));

CREATE UNIQUE INDEX terms_acceptance_id ON public.terms_acceptance USING btree (family_id, id);

CREATE INDEX throttle_by_day ON public.throttle USING btree (day);

CREATE CONSTRAINT TRIGGER chain AFTER INSERT ON public.audit_entry DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.chain_audit_entry();

CREATE TRIGGER keep BEFORE INSERT OR UPDATE OF email, name, roles, services, disabled_at ON public.agent FOR EACH ROW EXECUTE FUNCTION public.keep_agent();

CREATE TRIGGER keep BEFORE DELETE OR UPDATE ON public.audit_entry FOR EACH ROW EXECUTE FUNCTION public.keep_audit_entry();

CREATE TRIGGER keep BEFORE DELETE OR UPDATE ON public.terms FOR EACH ROW EXECUTE FUNCTION public.keep_terms();

CREATE TRIGGER keep_all BEFORE TRUNCATE ON public.audit_entry FOR EACH STATEMENT EXECUTE FUNCTION public.keep_audit_entry();

CREATE TRIGGER keep_all BEFORE TRUNCATE ON public.terms FOR EACH STATEMENT EXECUTE FUNCTION public.keep_terms();

CREATE TRIGGER ring AFTER INSERT ON public.delivery FOR EACH STATEMENT EXECUTE FUNCTION public.ring_lane();

CREATE TRIGGER ring AFTER INSERT OR UPDATE ON public.maintenance FOR EACH STATEMENT EXECUTE FUNCTION public.ring_city();

CREATE TRIGGER ring AFTER INSERT ON public.news FOR EACH STATEMENT EXECUTE FUNCTION public.ring_news();

CREATE TRIGGER ring AFTER INSERT OR DELETE OR UPDATE ON public.registered_document FOR EACH STATEMENT EXECUTE FUNCTION public.ring_documents();

CREATE TRIGGER ring AFTER UPDATE OF ended_at ON public.session FOR EACH ROW WHEN (((new.ended_at IS NOT NULL) AND (old.ended_at IS NULL))) EXECUTE FUNCTION public.ring_session();

CREATE TRIGGER ring AFTER INSERT OR UPDATE ON public.signing_key FOR EACH STATEMENT EXECUTE FUNCTION public.ring_signing_key();

CREATE TRIGGER ring AFTER INSERT ON public.terms FOR EACH STATEMENT EXECUTE FUNCTION public.ring_city();

ALTER TABLE ONLY public.account
    ADD CONSTRAINT account_family_id_fkey FOREIGN KEY (family_id) REFERENCES public.family(id);

ALTER TABLE ONLY public.account
    ADD CONSTRAINT account_family_id_member_id_fkey FOREIGN KEY (family_id, member_id) REFERENCES public.member(family_id, id);

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

ALTER TABLE ONLY public.agent_task
    ADD CONSTRAINT agent_task_done_by_fkey FOREIGN KEY (done_by) REFERENCES public.agent(id);

ALTER TABLE ONLY public.agent_task
    ADD CONSTRAINT agent_task_family_id_fkey FOREIGN KEY (family_id) REFERENCES public.family(id);

ALTER TABLE ONLY public.channel_preference
    ADD CONSTRAINT channel_preference_family_id_fkey FOREIGN KEY (family_id) REFERENCES public.family(id);

ALTER TABLE ONLY public.data_choice
    ADD CONSTRAINT data_choice_family_id_fkey FOREIGN KEY (family_id) REFERENCES public.family(id);

ALTER TABLE ONLY public.delivery
    ADD CONSTRAINT delivery_family_id_news_seq_fkey FOREIGN KEY (family_id, news_seq) REFERENCES public.news(family_id, seq);

ALTER TABLE ONLY public.device
    ADD CONSTRAINT device_family_id_account_id_fkey FOREIGN KEY (family_id, account_id) REFERENCES public.account(family_id, id);

ALTER TABLE ONLY public.device
    ADD CONSTRAINT device_family_id_fkey FOREIGN KEY (family_id) REFERENCES public.family(id);

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

ALTER TABLE ONLY public.idempotency_key
    ADD CONSTRAINT idempotency_key_family_id_fkey FOREIGN KEY (family_id) REFERENCES public.family(id);

ALTER TABLE ONLY public.identity_attempt
    ADD CONSTRAINT identity_attempt_family_id_account_id_fkey FOREIGN KEY (family_id, account_id) REFERENCES public.account(family_id, id);

ALTER TABLE ONLY public.identity_attempt
    ADD CONSTRAINT identity_attempt_provider_id_fkey FOREIGN KEY (provider_id) REFERENCES public.identity_provider(id);

ALTER TABLE ONLY public.invitation
    ADD CONSTRAINT invitation_family_id_fkey FOREIGN KEY (family_id) REFERENCES public.family(id);

ALTER TABLE ONLY public.invitation
    ADD CONSTRAINT invitation_family_id_invited_by_fkey FOREIGN KEY (family_id, invited_by) REFERENCES public.account(family_id, id);

ALTER TABLE ONLY public.invitation
    ADD CONSTRAINT invitation_family_id_member_id_fkey FOREIGN KEY (family_id, member_id) REFERENCES public.member(family_id, id);

ALTER TABLE ONLY public.job
    ADD CONSTRAINT job_family_id_fkey FOREIGN KEY (family_id) REFERENCES public.family(id);

ALTER TABLE ONLY public.lane
    ADD CONSTRAINT lane_family_id_fkey FOREIGN KEY (family_id) REFERENCES public.family(id);

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

ALTER TABLE ONLY public.page
    ADD CONSTRAINT page_category_id_fkey FOREIGN KEY (category_id) REFERENCES public.page_category(id);

ALTER TABLE ONLY public.page_category
    ADD CONSTRAINT page_category_parent_id_fkey FOREIGN KEY (parent_id) REFERENCES public.page_category(id);

ALTER TABLE ONLY public.page_kind
    ADD CONSTRAINT page_kind_page_id_fkey FOREIGN KEY (page_id) REFERENCES public.page(id);

ALTER TABLE ONLY public.page_place
    ADD CONSTRAINT page_place_page_id_fkey FOREIGN KEY (page_id) REFERENCES public.page(id);

ALTER TABLE ONLY public.page_place
    ADD CONSTRAINT page_place_place_id_fkey FOREIGN KEY (place_id) REFERENCES public.place(id);

ALTER TABLE ONLY public.page_version
    ADD CONSTRAINT page_version_category_id_fkey FOREIGN KEY (category_id) REFERENCES public.page_category(id);

ALTER TABLE ONLY public.page_version
    ADD CONSTRAINT page_version_edited_by_fkey FOREIGN KEY (edited_by) REFERENCES public.agent(id);

ALTER TABLE ONLY public.page_version
    ADD CONSTRAINT page_version_page_id_fkey FOREIGN KEY (page_id) REFERENCES public.page(id);

ALTER TABLE ONLY public.password_reset
    ADD CONSTRAINT password_reset_family_id_account_id_fkey FOREIGN KEY (family_id, account_id) REFERENCES public.account(family_id, id);

ALTER TABLE ONLY public.procedure
    ADD CONSTRAINT procedure_assigned_agent_id_fkey FOREIGN KEY (assigned_agent_id) REFERENCES public.agent(id);

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

ALTER TABLE ONLY public.procedure
    ADD CONSTRAINT procedure_kind_id_fkey FOREIGN KEY (kind_id) REFERENCES public.procedure_kind(id);

ALTER TABLE ONLY public.procedure_kind
    ADD CONSTRAINT procedure_kind_service_id_fkey FOREIGN KEY (service_id) REFERENCES public.service(id);

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

ALTER TABLE ONLY public.terms_acceptance
    ADD CONSTRAINT terms_acceptance_family_id_account_id_fkey FOREIGN KEY (family_id, account_id) REFERENCES public.account(family_id, id);

ALTER TABLE ONLY public.terms_acceptance
    ADD CONSTRAINT terms_acceptance_version_fkey FOREIGN KEY (version) REFERENCES public.terms(version);

ALTER TABLE public.account ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.activation_code ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.address ENABLE ROW LEVEL SECURITY;

CREATE POLICY admins_end ON public.session TO kiosque_api USING (((agent_id IS NOT NULL) AND ( SELECT public.viewer_is_admin() AS viewer_is_admin)));

ALTER TABLE public.agent_challenge ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.agent_task ENABLE ROW LEVEL SECURITY;

CREATE POLICY agents_confirm ON public.news TO kiosque_api USING (((( SELECT public.viewer_services() AS viewer_services) IS NOT NULL) AND (xid = pg_current_xact_id_if_assigned())));

CREATE POLICY agents_issue ON public.activation_code FOR INSERT TO kiosque_api WITH CHECK ((( SELECT public.viewer_services() AS viewer_services) IS NOT NULL));

CREATE POLICY agents_order ON public.job FOR INSERT TO kiosque_api WITH CHECK ((( SELECT public.viewer_agent() AS viewer_agent) IS NOT NULL));

CREATE POLICY agents_record ON public.quotient_familial FOR INSERT TO kiosque_api WITH CHECK (((( SELECT public.viewer_services() AS viewer_services) IS NOT NULL) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY agents_tell ON public.address FOR SELECT TO kiosque_api USING ((( SELECT public.viewer_services() AS viewer_services) IS NOT NULL));

CREATE POLICY agents_tell ON public.channel_preference FOR SELECT TO kiosque_api USING ((( SELECT public.viewer_services() AS viewer_services) IS NOT NULL));

CREATE POLICY agents_tell ON public.delivery FOR INSERT TO kiosque_api WITH CHECK ((( SELECT public.viewer_services() AS viewer_services) IS NOT NULL));

CREATE POLICY agents_tell ON public.lane TO kiosque_api USING ((( SELECT public.viewer_services() AS viewer_services) IS NOT NULL));

CREATE POLICY agents_tell ON public.service_opt_in FOR SELECT TO kiosque_api USING ((( SELECT public.viewer_services() AS viewer_services) IS NOT NULL));

CREATE POLICY announced ON public.broadcast FOR INSERT TO kiosque_api WITH CHECK (((( SELECT public.viewer_agent() AS viewer_agent) IS NOT NULL) AND (told_up_to IS NULL) AND (finished_at IS NULL)));

ALTER TABLE public.audit_entry ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.broadcast ENABLE ROW LEVEL SECURITY;

CREATE POLICY chained ON public.audit_entry TO kiosque_audit USING (true);

ALTER TABLE public.channel_preference ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.data_choice ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.delivery ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.device ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.email_change ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.export ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.export_chunk ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.family ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.idempotency_key ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.identity_attempt ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.invitation ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.job ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.lane ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.member ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.member_change ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.news ENABLE ROW LEVEL SECURITY;

CREATE POLICY numbered ON public.family FOR UPDATE TO kiosque_dispatch USING (true);

CREATE POLICY only_the_portal_deletes ON public.delivery AS RESTRICTIVE FOR DELETE TO kiosque_api USING (( SELECT public.viewer_is_system() AS viewer_is_system));

CREATE POLICY only_the_portal_deletes ON public.lane AS RESTRICTIVE FOR DELETE TO kiosque_api USING (( SELECT public.viewer_is_system() AS viewer_is_system));

CREATE POLICY only_the_portal_deletes ON public.news AS RESTRICTIVE FOR DELETE TO kiosque_api USING (( SELECT public.viewer_is_system() AS viewer_is_system));

CREATE POLICY only_the_portal_deletes ON public.quotient_familial FOR DELETE TO kiosque_api USING (( SELECT public.viewer_is_system() AS viewer_is_system));

CREATE POLICY only_the_portal_erases ON public.procedure_event AS RESTRICTIVE FOR UPDATE TO kiosque_api USING (( SELECT public.viewer_is_system() AS viewer_is_system));

ALTER TABLE public.password_reset ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.procedure ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.procedure_event ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.provider_link ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.quotient_familial ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.recovery_code ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.second_factor ENABLE ROW LEVEL SECURITY;

CREATE POLICY seen ON public.account TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.activation_code TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.address TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.agent_challenge TO kiosque_api USING (((agent_id = ( SELECT public.viewer_agent() AS viewer_agent)) OR ( SELECT public.viewer_is_admin() AS viewer_is_admin) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.agent_task TO kiosque_api USING (((( SELECT public.viewer_agent() AS viewer_agent) IS NOT NULL) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.audit_entry FOR SELECT TO kiosque_api USING (( SELECT public.viewer_is_admin() AS viewer_is_admin));

CREATE POLICY seen ON public.channel_preference TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.data_choice TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.delivery TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.device TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.email_change TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.export TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.export_chunk TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.family TO kiosque_api USING (((id = ( SELECT public.viewer_family() AS viewer_family)) OR (( SELECT public.viewer_services() AS viewer_services) IS NOT NULL) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.idempotency_key TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.identity_attempt TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.invitation TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.job TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.lane TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.member TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR (( SELECT public.viewer_services() AS viewer_services) IS NOT NULL) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.member_change TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR (( SELECT public.viewer_services() AS viewer_services) IS NOT NULL) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.news TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR (service_id = ANY (( SELECT public.viewer_services() AS viewer_services)::uuid[])) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.password_reset TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.procedure TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR (service_id = ANY (( SELECT public.viewer_services() AS viewer_services)::uuid[])) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.procedure_event TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR (service_id = ANY (( SELECT public.viewer_services() AS viewer_services)::uuid[])) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.provider_link TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.quotient_familial FOR SELECT TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR (( SELECT public.viewer_services() AS viewer_services) IS NOT NULL) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.recovery_code TO kiosque_api USING (((agent_id = ( SELECT public.viewer_agent() AS viewer_agent)) OR ( SELECT public.viewer_is_admin() AS viewer_is_admin) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.second_factor TO kiosque_api USING (((agent_id = ( SELECT public.viewer_agent() AS viewer_agent)) OR ( SELECT public.viewer_is_admin() AS viewer_is_admin) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.service_opt_in TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.session TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR (agent_id = ( SELECT public.viewer_agent() AS viewer_agent)) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

CREATE POLICY seen ON public.terms_acceptance TO kiosque_api USING (((family_id = ( SELECT public.viewer_family() AS viewer_family)) OR ( SELECT public.viewer_is_system() AS viewer_is_system)));

ALTER TABLE public.service_opt_in ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.session ENABLE ROW LEVEL SECURITY;

CREATE POLICY spread ON public.news FOR INSERT TO kiosque_dispatch WITH CHECK ((broadcast_id IS NOT NULL));

ALTER TABLE public.terms_acceptance ENABLE ROW LEVEL SECURITY;

CREATE POLICY told ON public.account FOR SELECT TO kiosque_dispatch USING (true);

CREATE POLICY told ON public.address TO kiosque_dispatch USING (true);

CREATE POLICY told ON public.broadcast TO kiosque_dispatch USING (true);

CREATE POLICY told ON public.channel_preference TO kiosque_dispatch USING (true);

CREATE POLICY told ON public.delivery TO kiosque_dispatch USING (true);

CREATE POLICY told ON public.family FOR SELECT TO kiosque_dispatch USING (true);

CREATE POLICY told ON public.lane TO kiosque_dispatch USING (true);

CREATE POLICY told ON public.news FOR SELECT TO kiosque_dispatch USING (true);

CREATE POLICY written ON public.audit_entry FOR INSERT TO kiosque_api, kiosque_dispatch WITH CHECK (((number IS NULL) AND (previous_hash IS NULL) AND (hash IS NULL)));

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

REVOKE ALL ON FUNCTION public.date_dist(date, date) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.float4_dist(real, real) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.float8_dist(double precision, double precision) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.folded(words text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.folded(words text) TO kiosque_api;

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

REVOKE ALL ON FUNCTION public.int2_dist(smallint, smallint) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.int4_dist(integer, integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.int8_dist(bigint, bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.interval_dist(interval, interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.keep_agent() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.keep_audit_entry() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.keep_terms() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.oid_dist(oid, oid) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.outbox_state() FROM PUBLIC;
GRANT ALL ON FUNCTION public.outbox_state() TO kiosque_api;

REVOKE ALL ON FUNCTION public.page_query(words text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.page_query(words text) TO kiosque_api;

GRANT SELECT,INSERT ON TABLE public.maintenance TO kiosque_api;

GRANT UPDATE(ended_at) ON TABLE public.maintenance TO kiosque_api;

REVOKE ALL ON FUNCTION public.present_maintenance(moment timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION public.present_maintenance(moment timestamp with time zone) TO kiosque_api;

REVOKE ALL ON FUNCTION public.ring_city() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.ring_documents() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.ring_lane() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.ring_news() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.ring_session() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.ring_signing_key() FROM PUBLIC;

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

REVOKE ALL ON FUNCTION public.time_dist(time without time zone, time without time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.ts_dist(timestamp without time zone, timestamp without time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.tstz_dist(timestamp with time zone, timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.viewer_agent() FROM PUBLIC;
GRANT ALL ON FUNCTION public.viewer_agent() TO kiosque_api;
GRANT ALL ON FUNCTION public.viewer_agent() TO kiosque_dispatch;

REVOKE ALL ON FUNCTION public.viewer_family() FROM PUBLIC;
GRANT ALL ON FUNCTION public.viewer_family() TO kiosque_api;
GRANT ALL ON FUNCTION public.viewer_family() TO kiosque_dispatch;

REVOKE ALL ON FUNCTION public.viewer_is_admin() FROM PUBLIC;
GRANT ALL ON FUNCTION public.viewer_is_admin() TO kiosque_api;

REVOKE ALL ON FUNCTION public.viewer_is_system() FROM PUBLIC;
GRANT ALL ON FUNCTION public.viewer_is_system() TO kiosque_api;
GRANT ALL ON FUNCTION public.viewer_is_system() TO kiosque_dispatch;

REVOKE ALL ON FUNCTION public.viewer_services() FROM PUBLIC;
GRANT ALL ON FUNCTION public.viewer_services() TO kiosque_api;
GRANT ALL ON FUNCTION public.viewer_services() TO kiosque_dispatch;

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

GRANT SELECT,INSERT,UPDATE ON TABLE public.activation_code TO kiosque_api;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.address TO kiosque_api;
GRANT SELECT,UPDATE ON TABLE public.address TO kiosque_dispatch;

GRANT SELECT,INSERT ON TABLE public.agent TO kiosque_api;

GRANT UPDATE(email) ON TABLE public.agent TO kiosque_api;

GRANT UPDATE(name) ON TABLE public.agent TO kiosque_api;

GRANT UPDATE(password_hash) ON TABLE public.agent TO kiosque_api;

GRANT UPDATE(roles) ON TABLE public.agent TO kiosque_api;

GRANT UPDATE(services) ON TABLE public.agent TO kiosque_api;

GRANT UPDATE(disabled_at) ON TABLE public.agent TO kiosque_api;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.agent_challenge TO kiosque_api;

GRANT SELECT,INSERT,UPDATE ON TABLE public.agent_task TO kiosque_api;

GRANT INSERT ON TABLE public.broadcast TO kiosque_api;
GRANT SELECT ON TABLE public.broadcast TO kiosque_dispatch;

GRANT UPDATE(told_up_to) ON TABLE public.broadcast TO kiosque_dispatch;

GRANT UPDATE(families) ON TABLE public.broadcast TO kiosque_dispatch;

GRANT UPDATE(finished_at) ON TABLE public.broadcast TO kiosque_dispatch;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.bucket TO kiosque_api;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.channel_preference TO kiosque_api;
GRANT SELECT ON TABLE public.channel_preference TO kiosque_dispatch;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.data_choice TO kiosque_api;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.delivery TO kiosque_api;
GRANT SELECT,INSERT,UPDATE ON TABLE public.delivery TO kiosque_dispatch;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.device TO kiosque_api;

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

GRANT SELECT,INSERT,DELETE ON TABLE public.idempotency_key TO kiosque_api;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.identity_attempt TO kiosque_api;

GRANT SELECT,INSERT,UPDATE ON TABLE public.identity_provider TO kiosque_api;

GRANT SELECT,INSERT,UPDATE ON TABLE public.invitation TO kiosque_api;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.job TO kiosque_api;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.lane TO kiosque_api;
GRANT SELECT,INSERT,UPDATE ON TABLE public.lane TO kiosque_dispatch;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.member TO kiosque_api;

GRANT SELECT,INSERT,UPDATE ON TABLE public.member_change TO kiosque_api;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.news TO kiosque_api;
GRANT SELECT,INSERT ON TABLE public.news TO kiosque_dispatch;

GRANT SELECT,INSERT,DELETE ON TABLE public.opening_rule TO kiosque_api;

GRANT SELECT,INSERT,DELETE ON TABLE public.opening_span TO kiosque_api;

GRANT SELECT,INSERT,UPDATE ON TABLE public.page TO kiosque_api;

GRANT SELECT,INSERT,UPDATE ON TABLE public.page_category TO kiosque_api;

GRANT SELECT,INSERT,DELETE ON TABLE public.page_kind TO kiosque_api;

GRANT SELECT,INSERT,DELETE ON TABLE public.page_place TO kiosque_api;

GRANT SELECT,INSERT,UPDATE ON TABLE public.page_version TO kiosque_api;

GRANT SELECT,INSERT ON TABLE public.page_word TO kiosque_api;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.password_reset TO kiosque_api;

GRANT SELECT,INSERT,UPDATE ON TABLE public.place TO kiosque_api;

GRANT SELECT,INSERT,UPDATE ON TABLE public.procedure TO kiosque_api;

GRANT SELECT,INSERT ON TABLE public.procedure_event TO kiosque_api;

GRANT UPDATE(message) ON TABLE public.procedure_event TO kiosque_api;

GRANT SELECT ON TABLE public.procedure_kind TO kiosque_api;
GRANT SELECT ON TABLE public.procedure_kind TO kiosque_dispatch;

GRANT USAGE ON SEQUENCE public.procedure_reference TO kiosque_api;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.provider_link TO kiosque_api;

GRANT SELECT,INSERT,DELETE ON TABLE public.quotient_familial TO kiosque_api;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.recovery_code TO kiosque_api;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.refresh_token TO kiosque_api;

GRANT SELECT,INSERT ON TABLE public.registered_document TO kiosque_api;

GRANT UPDATE(retired_at) ON TABLE public.registered_document TO kiosque_api;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.second_factor TO kiosque_api;

GRANT SELECT ON TABLE public.service TO kiosque_api;
GRANT SELECT ON TABLE public.service TO kiosque_dispatch;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.service_opt_in TO kiosque_api;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.session TO kiosque_api;

GRANT SELECT,INSERT ON TABLE public.signing_key TO kiosque_api;

GRANT UPDATE(retired_at) ON TABLE public.signing_key TO kiosque_api;

GRANT SELECT,INSERT ON TABLE public.terms TO kiosque_api;
GRANT SELECT ON TABLE public.terms TO kiosque_dispatch;

GRANT SELECT,INSERT ON TABLE public.terms_acceptance TO kiosque_api;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.throttle TO kiosque_api;

ALTER DEFAULT PRIVILEGES FOR ROLE postgres REVOKE ALL ON FUNCTIONS FROM PUBLIC;
