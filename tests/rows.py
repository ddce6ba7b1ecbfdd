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
from tests.house import KEYS

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
    "9999-12-31T23:59:59.999999Z",
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


GUIDE = """
    update opening_rule set valid_from = '2020-01-01', valid_until = '2099-12-31' where weekday = 1;
    update page_version set visible_until = '2999-01-01' where slug = 'mentions-legales';
    update exceptional_day set opens = '10:00', closes = '12:00'
    where first_day = (select max(first_day) from exceptional_day);
"""


async def fill(connection: asyncpg.Connection) -> None:
    """Add to a demo city what it does not have: sessions of families and agents, choices of channels, acts,
    invitations, quotients, proposals of changes, planned maintenance, choices of
    data, exports, what comes of leaving, recovery of logins, tasks of the staff.
    """
    for statement in CREDENTIALS:
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
    await connection.execute(LINK, await connection.fetchval(PROVIDER))
    await connection.execute(FACTORS)
    await connection.execute(ACTS)
    await connection.execute(GUIDE)
    await connection.execute(MAINTENANCE)
    for statement in PRIVACY:
        await connection.execute(statement)


async def spoil(connection: asyncpg.Connection, random: Random) -> int:
    """Put hostile and extreme values wherever the database allows them, NULL among them; give how many."""
    written = 0
    for column in await connection.fetch(FREE_COLUMNS, list(VALUES)):
        table, name, cast = column["table_name"], column["column_name"], column["data_type"]
        for row in await connection.fetch(f"select ctid::text from {table} order by 1"):
            if random.random() < 0.4:
                continue
            value = random.choice([*VALUES[cast], *([None] * 4 if column["nullable"] else [])])
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
    chosen: tuple[list[UUID], ...] = (services[:1], services[1:3], services, [])
    agents = [each for each in sessions if each["agent_id"]]
    return found + [agent_viewer(session, of) for session, of in zip(agents, chosen, strict=False)]


def family_viewer(session: Any, language: str = "fr") -> Viewer:
    """Give the viewer of a family's session, terms accepted."""
    family, account = session["family_id"], session["account_id"]
    return Viewer(Kind.FAMILY, language, session["id"], None, family, account, terms_accepted=True)


def agent_viewer(session: Any, services: Sequence[UUID]) -> Viewer:
    """Give the viewer of an agent's session, with all roles, for these services."""
    roles = frozenset({"AGENT", "CASHIER", "EDITOR", "ADMIN"})
    agent = session["agent_id"]
    return Viewer(Kind.AGENT, "fr", session["id"], None, agent_id=agent, roles=roles, services=tuple(services))
