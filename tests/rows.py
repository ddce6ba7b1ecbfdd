"""Rows for proofs about reads: what a small city lacks, values that break careless code, and those who look at them."""

from collections.abc import Sequence
from datetime import date
from random import Random
from typing import Any
from uuid import UUID

import asyncpg

from db.families import sealed_quotient
from db.ids import uuid7
from resolvers.viewer import Kind, Viewer, anonymous
from schema.access import PartnerScope
from tests.house import KEYS
from tests.purse import BILLING, DEBITS, OUTCOME_OF_A_RUN, card_payments, household_accounts, thaw

TEXTS = (
    "",
    "'",
    '"',
    "\\",
    "\\'; drop table family; --",
    "$1 :family {t}.id {o} %s %(a)s",
    "é à ô œ ç ÿ – « » \N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}",
    "👩‍👧‍👦 🇫🇷 \U0010ffff",
    "\u2028\u2029\ufeff\u200f\u0301",
    "\x01\x08\x1f\x7f\t\r\n",
    "</script><!-- &amp; -->",
    "null",
    "x" * 3000,
)
MOMENTS = (
    "0001-01-01T00:00:00Z",
    "9999-12-31T22:59:59.999999Z",
    "1970-01-01T00:00:00.1Z",
    "2026-03-29T01:00:00.000001Z",
    "2026-10-25T00:30:00.12Z",
    "2024-02-29T23:59:59.123450Z",
    "1582-10-10T12:00:00Z",
)
DAYS = ("0001-01-01", "9999-12-31", "1900-02-28", "2024-02-29", "1582-10-15")
ANSWERS = (
    "{}",
    "[]",
    "null",
    '"\\ud83d\\ude00 \\\\ \\" \\/"',
    '{"b": [1, 2.50, -0.0, 1e-7, 12345678901234567890, true, null], "a": {"": {"é": ["", {}]}, "\\u0001": "\\n"}}',
    '{"summary_fr": "Ça « va »", "summary_en": 7, "z": [[[[[]]]]]}',
    ' { "spaces" :\n\t[ ] , "summary_en" : "it\'s 👍" } ',
    "1.0",
)
NUMBERS = (0, 1, -1, 2**31 - 1, -(2**31))
VALUES: dict[str, Sequence[Any]] = {
    "text": TEXTS,
    "timestamp with time zone": MOMENTS,
    "date": DAYS,
    "json": ANSWERS,
    "integer": NUMBERS,
    "boolean": (True, False),
}

FREE_COLUMNS = """
    select c.table_name, c.column_name, c.data_type, c.is_nullable = 'YES' as nullable
    from information_schema.columns c join information_schema.tables t using (table_schema, table_name)
    where c.table_schema = 'public' and t.table_type = 'BASE TABLE' and c.data_type = any($1)
        and c.is_generated = 'NEVER' and not exists (
        select from pg_constraint k join pg_attribute a on a.attrelid = k.conrelid and a.attnum = any(k.conkey)
        where k.conrelid = c.table_name::regclass and a.attname = c.column_name and k.contype in ('p', 'f'))
    order by c.table_name, c.ordinal_position
"""
"""Columns that are part of no primary or foreign key."""

SESSION = """
    insert into session (id, family_id, account_id, agent_id, device, created_at, used_at, expires_at)
    values ($1, $2, $3, $4, 'Un appareil', now(), now(), now() + interval '1 day')
"""
PREFERENCES = """
    insert into channel_preference (family_id, topic, channels, updated_at)
    select f.id, topic, '{EMAIL,IN_APP}', now() from family f, unnest('{TERMS,PAYMENT,MAINTENANCE}'::text[]) topic
    on conflict do nothing
"""
MAINTENANCE = """
    insert into maintenance (id, starts_at, ends_at, message_fr, message_en, agents_may_work, created_at)
    values (gen_random_uuid(), '2100-01-01', '2100-01-02', 'Le portail se repose.', 'The portal rests.', true, now())
"""


ACTS = """
    insert into audit_entry (id, act, actor, actor_id, family_id, subject_id, occurred_at)
    select gen_random_uuid(), 'signed_in', 'FAMILY', id, family_id, id, created_at from account union all
    select gen_random_uuid(), 'account_seen', 'AGENT', g.id, a.family_id, a.id, a.created_at
    from account a, (select id from agent order by id desc limit 1) g
"""
ISSUER = "https://provider.example"
PROVIDER = f"insert into identity_provider (issuer, name) values ('{ISSUER}', 'FranceConnect') returning id"
LINK = """
    insert into provider_link (family_id, id, account_id, provider_id, subject_hmac, created_at, used_at)
    select a.family_id, gen_random_uuid(), a.id, $1, sha256(a.id::text::bytea), now(), now() from account a
"""
FACTORS = """
    with totp as (
        insert into second_factor (id, agent_id, method, name, sealed_secret, last_step, created_at, used_at)
        select gen_random_uuid(), id, 'TOTP', 'Mon application', '\\x00', 0, now(), now() from agent
    ), codes as (
        insert into recovery_code (agent_id, hash, created_at) select id, '\\x00', now() from agent
    )
    insert into second_factor (id, agent_id, method, name, credential_id, public_key, sign_count, created_at, used_at)
    select gen_random_uuid(), id, 'PASSKEY', 'Ma passkey', sha256(id::text::bytea), '\\x00', 0, now(), now() from agent
"""


INVITATIONS = """
    insert into invitation (family_id, id, email, member_id, invited_by, created_at, expires_at)
    select a.family_id, gen_random_uuid(), 'adulte@example.org',
        (select m.id from member m where m.family_id = a.family_id order by m.id limit 1), a.id, now(), now()
    from account a on conflict do nothing
"""
CHANGES = """
    insert into member_change (family_id, id, member_id, first_name, last_name, proposed_by, proposed_at, decided_at,
        accepted)
    select m.family_id, gen_random_uuid(), m.id, 'Autre', 'Nom', a.id, now(), d.at,
        case when d.at is not null then true end
    from (select distinct on (family_id) family_id, id from account order by family_id, id) a
    join member m on m.family_id = a.family_id, (values (null::timestamptz), (now())) d(at)
"""
QUOTIENT = """
    insert into quotient_familial (family_id, id, sealed_value, valid_from, source, recorded_by, recorded_at)
    values ($1, $2, $3, $4, 'CAF', (select id from agent limit 1), now())
"""

CREDENTIALS = (
    """insert into password_reset (family_id, id, account_id, requested_at, expires_at)
       select family_id, gen_random_uuid(), id, now(), now() + interval '30 minutes' from account""",
    """insert into email_change (family_id, id, account_id, old_email, new_email, requested_at, expires_at)
       select family_id, gen_random_uuid(), id, email, 'nouvelle@example.org', now(), now() + interval '1 day'
       from account""",
    """insert into agent_task (family_id, id, kind, roles, subject_id, created_at, done_at, done_by)
       select a.family_id, gen_random_uuid(), 'UNAUTHORIZED_USE', '{AGENT,ADMIN}', a.id, now(), d.at,
           case when d.at is not null then (select g.id from agent g order by g.id limit 1) end
       from account a, (values (null::timestamptz), (now())) d(at)""",
    """insert into agent_task (family_id, id, kind, roles, service_id, subject_id, created_at)
       select family_id, gen_random_uuid(), 'DEADLINE_NEAR', '{AGENT}', service_id, id, now()
       from procedure where submitted_at is not null""",
)


LIFE = (
    """update information_request set answers = '{"people": 3}', answered_at = coalesce(answered_at, now())
       where event_number % 2 = 0""",
    """insert into information_request (family_id, id, procedure_id, service_id, event_number, fields, documents,
           message, asked_at, answers, answered_at)
       select e.family_id, gen_random_uuid(), e.procedure_id, e.service_id, e.number, '{people,remark}', '{Un plan}',
           'Combien ?', now(), '{"people": 4}', now()
       from procedure_event e join procedure p on p.family_id = e.family_id and p.id = e.procedure_id
       where p.submitted_at is not null on conflict do nothing""",
    """insert into procedure_message (family_id, procedure_id, number, id, service_id, author, agent_id, body,
           request_key, posted_at, read_at)
       select p.family_id, p.id, p.message_count + n, gen_random_uuid(), p.service_id, a.author,
           (select id from agent order by id limit 1), 'Bonjour.', 'cle-' || gen_random_uuid(), now(), a.read_at
       from procedure p, (values (1, 'FAMILY', now()), (2, 'AGENT', null)) a(n, author, read_at)
       where p.submitted_at is not null""",
    """update procedure set message_count = (select count(*) from procedure_message m
           where m.family_id = procedure.family_id and m.procedure_id = procedure.id)""",
    """update procedure_kind set opens_on = '2020-01-01', closes_on = '2999-12-31', capacity = 40
       where code in ('cantine', 'creche')""",
    "insert into kind_intake (code, opens_on, taken) values ('cantine', '2020-01-01', 50), ('creche', '2020-01-01', 7)",
    "update required_document set help_fr = 'Une aide.', help_en = 'Some help.'",
    """insert into required_document (kind_id, id, code, position, label_fr, label_en, required)
       select id, gen_random_uuid(), 'piece', 99, 'Une pièce', 'A document', false from procedure_kind""",
)


PRIVACY = (
    """insert into data_choice (family_id, datum, id, keep, changed_at)
       select id, 'SCHOOL', gen_random_uuid(), true, now() from family""",
    """insert into service_opt_in (family_id, service_id, id, opted_in, changed_at)
       select f.id, s.id, gen_random_uuid(), true, now() from family f, (select id from service limit 2) s
       on conflict do nothing""",
    """insert into job (id, kind, family_id, state, run_at, created_at, finished_at)
       select gen_random_uuid(), 'build_export', id, 'DONE', now(), now(), now() from family""",
    """insert into export (family_id, id, account_id, job_id, requested_at, ready_at, expires_at, size)
       select j.family_id, gen_random_uuid(), a.id, j.id, now(), now(), now() + interval '7 days', 1000
       from job j join account a on a.family_id = j.family_id""",
    """update family set closed_at = now(), terminated_at = now(), termination_reason = 'Faux documents',
       erased_at = now()""",
    "update procedure set answers_erased_at = now()",
)


DOCUMENTS = (
    """insert into document (family_id, id, name, media_type, size, sha256, expires_on, uploaded_by, created_at,
           scanned_at)
       select a.family_id, gen_random_uuid(), 'attestation.pdf', 'application/pdf', 1000, sha256(a.id::text::bytea),
           '2099-12-31', a.id, now(), now()
       from (select distinct on (family_id) family_id, id from account order by family_id, id) a, generate_series(1, 3)
    """,
    """insert into document (family_id, id, name, media_type, size, expires_on, uploaded_by, created_at, erased_at)
       select distinct on (family_id) family_id, gen_random_uuid(), '', 'image/png', 1000, '2099-12-31'::date, id,
           now(), now() from account order by family_id, id""",
    """insert into procedure_document (family_id, procedure_id, field, document_id, id, service_id, attached_at)
       select p.family_id, p.id, 'piece', d.id, gen_random_uuid(), p.service_id, now()
       from procedure p cross join lateral (
           (select id from document d where d.family_id = p.family_id and d.erased_at is null order by id limit 2)
           union all select id from document d where d.family_id = p.family_id and d.erased_at is not null) d""",
    """insert into document (family_id, id, name, media_type, size, sha256, expires_on, agent_id, procedure_id,
           created_at, sent_at)
       select p.family_id, gen_random_uuid(), 'reponse.pdf', 'application/pdf', 1000, sha256(p.id::text::bytea),
           '2099-12-31', (select id from agent order by id limit 1), p.id, now(), s.sent_at
       from (select distinct on (family_id) family_id, id from procedure where submitted_at is not null
           order by family_id, id) p, (values (now()), (null)) s(sent_at)""",
    """insert into procedure_document (family_id, procedure_id, field, document_id, id, service_id, attached_at)
       select p.family_id, p.id, 'message.2', d.id, gen_random_uuid(), p.service_id, now()
       from document d join procedure p on p.family_id = d.family_id and p.id = d.procedure_id
       where d.sent_at is not null""",
    """insert into procedure_document (family_id, procedure_id, field, document_id, id, service_id, attached_at)
       select q.family_id, q.procedure_id, q.field, d.id, gen_random_uuid(), q.service_id, now()
       from requested_document q join lateral (select id from document d where d.family_id = q.family_id
           and d.erased_at is null and d.agent_id is null order by id limit 1) d on q.position = 1""",
)
"""Of each family three documents, two of them filed with every procedure, and one that was filed and is erased;
of agents one that is sent and one that waits."""


GUIDE = """
    update opening_rule set valid_from = '2020-01-01', valid_until = '2099-12-31' where weekday = 1;
    update tariff_price set valid_until = '2099-12-31' where quotient_from = 0;
    update page_version set visible_until = '2999-01-01' where slug = 'mentions-legales';
    update exceptional_day set opens = '10:00', closes = '12:00'
    where first_day = (select max(first_day) from exceptional_day);
"""


PARTNER_TASKS = """
    insert into partner_task (partner_id, id, kind, subject_id, created_at, done_at)
    select p.id, gen_random_uuid(), 'PARTNER_EXPIRES', gen_random_uuid(), now(), d.at
    from partner p, (values (null::timestamptz), (now())) d(at)
"""


HOOKS = (
    """insert into webhook (partner_id, id, url, sealed_secret, created_at, disabled_at, disabled_because,
           sealed_old_secret, old_secret_until)
       select p.id, gen_random_uuid(), 'https://crochet.example/', '\\x00', now(), now(), 'BY_PARTNER', '\\x00',
           now() + interval '1 day' from partner p
       where not exists (select from webhook w where w.partner_id = p.id)""",
    """insert into webhook_delivery (partner_id, webhook_id, id, message_id, type, body, next_try_at, created_at,
           delivered_at)
       select w.partner_id, w.id, gen_random_uuid(), 'msg', 'test', '{}', now(), now(), now() from webhook w
       where not exists (select from webhook_delivery d where d.webhook_id = w.id)""",
    """insert into webhook_attempt (partner_id, delivery_id, number, id, begun_at, milliseconds, status_code, problem,
           answer)
       select d.partner_id, d.id, 1, gen_random_uuid(), now(), 5, 500, 'status 500', 'non' from webhook_delivery d
       where not exists (select from webhook_attempt a where a.delivery_id = d.id)""",
)
FEED = """
    update procedure_feed f set position = w.nth
    from (select family_id, procedure_id, number, row_number() over (order by noted) as nth from procedure_feed) w
    where (f.family_id, f.procedure_id, f.number) = (w.family_id, w.procedure_id, w.number);
    update procedure_feed_end set position = (select count(*) from procedure_feed)
"""


SENT = """
    update delivery set provider = 'ovh', reference = id::text, segments = 2, arrived_at = now();
    update delivery set status = 'DEAD_LETTER', crashes = 3, problem = 'CRASHED'
        where id in (select distinct on (family_id) id from delivery where channel = 'EMAIL' order by family_id, id);
    update address set label = 'Téléphone', target = '{"token": "x"}' where channel <> 'POST';
"""


async def fill(connection: asyncpg.Connection) -> None:
    """Add to a demo city what it does not have: sessions of families and agents, choices of channels, acts,
    invitations, quotients, proposals of changes, planned maintenance, choices of
    data, exports, what comes of leaving, documents, recovery of logins, tasks of the staff, requests and messages.
    """
    for statement in (*CREDENTIALS, *LIFE):
        await connection.execute(statement)
    await connection.execute(INVITATIONS)
    await connection.execute(CHANGES)
    for row in await connection.fetch("select id from family order by id"):
        for value, day in ((412, date(2020, 1, 1)), (1234, date(2150, 1, 1))):
            sealed = sealed_quotient(KEYS, row["id"], value)
            await connection.execute(QUOTIENT, row["id"], uuid7(), sealed, day)
    for account in await connection.fetch("select family_id, id from account"):
        for _ in range(2):
            await connection.execute(SESSION, uuid7(), account["family_id"], account["id"], None)
    for agent in await connection.fetch("select id from agent"):
        await connection.execute(SESSION, uuid7(), None, None, agent["id"])
    await connection.execute(PREFERENCES)
    await connection.execute(
        "update family set quiet_starts = '21:30', quiet_ends = '07:15', digest_hour = 18,"
        " digest_topics = '{PROCEDURE_STATUS,PROCEDURE_MESSAGE,INVOICE_ISSUED}'"
    )
    await connection.execute(LINK, await connection.fetchval(PROVIDER))
    await connection.execute(FACTORS)
    await connection.execute(BILLING)
    await connection.execute(OUTCOME_OF_A_RUN)
    await household_accounts(connection)
    await card_payments(connection)
    await thaw(connection)
    await connection.execute(ACTS)
    await connection.execute(GUIDE)
    await connection.execute(SENT)
    await connection.execute(MAINTENANCE)
    await connection.execute(PARTNER_TASKS)
    await connection.execute(FEED)
    for statement in HOOKS:
        await connection.execute(statement)
    for statement in (*PRIVACY, *DOCUMENTS, *DEBITS):
        await connection.execute(statement)


async def spoil(connection: asyncpg.Connection, random: Random) -> int:
    """Put hostile and extreme values wherever the database allows them, NULL among them; give how many."""
    written = 0
    await connection.execute("set constraints all immediate")
    for column in await connection.fetch(FREE_COLUMNS, list(VALUES)):
        table, name, cast = column["table_name"], column["column_name"], column["data_type"]
        for row in await connection.fetch(f"select ctid::text from {table} order by 1"):
            if random.random() < 0.4:
                continue
            value = random.choice([*VALUES[cast], *([None] * 4 if column["nullable"] else [])])
            if name.endswith("cents") and isinstance(value, int):
                value %= 1_000_000  # sums of money fit an Int of GraphQL: 21 million euros
            text = value if value is None or isinstance(value, str) else str(value)
            update = f"update {table} set {name} = $1::text::{cast} where ctid = $2::text::tid"
            try:
                async with connection.transaction():
                    written += int((await connection.execute(update, text, row["ctid"])).split()[-1])
            except (asyncpg.IntegrityConstraintViolationError, asyncpg.DataError):
                continue
    return written


async def viewers(connection: asyncpg.Connection) -> list[Viewer]:
    """Give every kind of viewer: families in both languages, agents of some, all and no services, a partner, nobody."""
    found = [anonymous(), anonymous("en"), Viewer(Kind.PARTNER)]
    sessions = await connection.fetch("select * from session order by id")
    for number, session in enumerate([each for each in sessions if each["family_id"]][:6]):
        found.append(family_viewer(session, ("fr", "en")[number % 2]))
    services: list[UUID] = [row["id"] for row in await connection.fetch("select id from service order by id")]
    partner = await connection.fetchval("select id from partner order by id limit 1")
    found += [partner_viewer(partner, services[1:4]), partner_viewer(partner, services, frozenset({"STATISTICS_READ"}))]
    chosen: tuple[list[UUID], ...] = (services[:1], services[1:3], services, [])
    agents = [each for each in sessions if each["agent_id"]]
    return found + [agent_viewer(session, of) for session, of in zip(agents, chosen, strict=False)]


def family_viewer(session: Any, language: str = "fr") -> Viewer:
    """Give the viewer of a family's session, terms accepted."""
    family, account = session["family_id"], session["account_id"]
    return Viewer(Kind.FAMILY, language, session["id"], None, family, account, terms_accepted=True)


SCOPES = frozenset(scope.name for scope in PartnerScope)


def partner_viewer(partner: UUID, services: Sequence[UUID], scopes: frozenset[str] = SCOPES) -> Viewer:
    """Give the viewer of a partner's token."""
    return Viewer(Kind.PARTNER, "fr", services=tuple(services), partner_id=partner, scopes=scopes)


def agent_viewer(session: Any, services: Sequence[UUID]) -> Viewer:
    """Give the viewer of an agent's session, with all roles, for these services."""
    roles = frozenset({"AGENT", "CASHIER", "EDITOR", "ADMIN"})
    agent = session["agent_id"]
    return Viewer(Kind.AGENT, "fr", session["id"], None, agent_id=agent, roles=roles, services=tuple(services))
