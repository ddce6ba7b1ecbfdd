"""Erasure (GDPR art. 17): nothing that names a family is left, everything that points at it stays whole."""

import asyncio
from datetime import timedelta
from pathlib import Path

import asyncpg

from db import closure, exports
from db.ids import uuid7
from tests.clockwork import run_due
from tests.conftest import Database
from tests.house import PASSWORD, House, Made
from tests.program import Program, environment
from tests.test_closure import CLOSE, last_message_gone
from tests.test_termination import admin, family_id

ERASE = """mutation ($family: ID!, $number: String!) { eraseFamily(family: $family, number: $number) {
    problems { code } } }"""
EXPORT = "mutation { exportMyData { problems { code } } }"
WITHDRAW = "mutation ($procedure: ID!) { withdrawProcedure(procedure: $procedure) { problems { code } } }"
KEPT = {
    "procedure_feed": "ids and places; names nobody",
    **dict.fromkeys(("draft_invoice", "draft_line", "billing_check"), "drafts of invoices: ids, codes, tariffs' names"),
    "agent_task": "ids and codes; what the staff has to do",
    "audit_entry": "ids and codes; proves who did what",
    "terms_acceptance": "proof that a login accepted a version: ids, the hash of the terms",
    "procedure_document": "ids and names of fields; the document itself is erased",
    **dict.fromkeys(
        ("invoice", "invoice_line", "payment", "allocation", "refund", "consumption", "consumption_change", "handover"),
        "accounts, kept for their term (R10)",
    ),
    "invoice_reminder": "ids and moments",
    **dict.fromkeys(("card_attempt_invoice", "bank_message"), "ids, cents and codes of the accounts"),
    "job": "ids and counts, forgotten after some days",
    "export": "dropped by `exports.drop_of_family`",
    "export_chunk": "dropped by `exports.drop_of_family`",
}
"""Tables of families that erasing leaves to others, and why."""
CODED = {"act", "actor", "hash", "manner", "kind", "state", "topic", "type", "channel", "status", "end_reason"}
CODED |= {"from_status", "to_status", "provider", "attestation", "reference", "number", "retired_reason", "operation"}
CODED |= {"service"}
"""Columns of codes and of the city's own words, which name nobody."""


OWNED_COLUMNS = """
    select c.table_name, c.column_name, c.data_type from information_schema.columns c
    join information_schema.tables t using (table_schema, table_name)
    where c.table_schema = 'public' and t.table_type = 'BASE TABLE'
    and c.data_type in ('text', 'json') and c.is_generated = 'NEVER' and (
        c.table_name = 'family' or c.table_name in (select table_name from information_schema.columns
            where table_schema = 'public' and column_name = 'family_id'))
    order by c.table_name, c.ordinal_position
"""
TEXT = "'canari-prive ' || gen_random_uuid()"
JSON = """'{"a": "canari-prive"}'"""


async def canaries(house: House, family: Made) -> int:
    """Write a mark into every text and JSON of a family that may hold one; give how many."""
    written = 0
    for column in await house.connection.fetch(OWNED_COLUMNS):
        table, name = column["table_name"], column["column_name"]
        if name in CODED or table in ("audit_entry", "job"):
            continue
        value = TEXT if column["data_type"] == "text" else JSON
        whose = "id" if table == "family" else "family_id"
        update = f"update {table} set {name} = {value} where {whose} = $1"
        try:
            async with house.connection.transaction():
                status = await house.connection.execute(update, family.id)
        except asyncpg.IntegrityConstraintViolationError:
            continue
        written += int(status.rpartition(" ")[2])
    return written


async def marked(house: House) -> dict[str, int]:
    """Count the rows with a mark, by table."""
    found = {}
    for row in await house.connection.fetch(
        "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'"
    ):
        table = row["relname"]
        count = await house.connection.fetchval(f"select count(*) from {table} t where t::text like '%canari-prive%'")
        if count:
            found[table] = count
    return found


async def lived_in(house: House) -> tuple[Made, str]:
    """Give a family that did much and has nothing open."""
    family, token = await house.member()
    await house.do(WITHDRAW, token, procedure=await house.submitted(token))
    await house.do(EXPORT, token)
    await run_due(house, "build_export")
    await house.mail_to(family.email, "exports")
    await house.connection.execute("update member set birth_date = '2018-03-04' where family_id = $1", family.id)
    await house.connection.execute(
        """insert into invitation (family_id, id, email, invited_by, created_at, expires_at)
           select family_id, $2, 'invite@example.org', id, now(), now() from account where family_id = $1""",
        family.id,
        uuid7(),
    )
    return family, token


async def counts(house: House, family: Made) -> dict[str, int]:
    """Count what accounts and history need."""
    tables = ("procedure", "procedure_event", "news", "delivery", "account", "terms_acceptance", "member")
    return {
        table: await house.connection.fetchval(f"select count(*) from {table} where family_id = $1", family.id)
        for table in tables
    }


async def test_erasing_leaves_no_word_of_the_family_and_every_row_that_others_need(house: House) -> None:
    family, token = await lived_in(house)
    boss = await admin(house)
    identity = await family_id(house, boss, family.number)
    assert await canaries(house, family) > 20
    assert set(await marked(house)) >= {"family", "member", "account", "procedure", "procedure_event", "news"}
    before = await counts(house, family)
    await house.do(ERASE, boss, family=identity, number=family.number)
    assert await marked(house) == {}
    assert await counts(house, family) == before
    row = await house.connection.fetchrow("select number, name, erased_at from family where id = $1", family.id)
    assert row is not None and (row["number"], row["name"]) == (family.number, closure.ERASED_NAME) and row["erased_at"]
    births = "select count(birth_date) from member where family_id = $1"
    assert await house.connection.fetchval(births, family.id) == 0
    assert await house.connection.fetchval("select count(*) from export_chunk where family_id = $1", family.id) == 0
    assert (await house.ask("{ viewer { family { number } } }", token)).codes == ["UNAUTHENTICATED"]


async def test_the_audit_log_still_verifies_after_an_erasure(house: House, tmp_path: Path) -> None:
    family, _ = await lived_in(house)
    boss = await admin(house)
    await house.do(ERASE, boss, family=await family_id(house, boss, family.number), number=family.number)
    acts = await house.connection.fetch("select act from audit_entry where family_id = $1 order by number", family.id)
    assert acts[-1]["act"] == "family_erased" and len(acts) > 2
    verify = Program(["gateway", "audit", "verify", "--database", house.dsn], environment(), tmp_path / "log")
    await verify.start()
    assert await verify.ended() == 0, verify.said()


async def test_an_erasure_is_refused_for_a_wrong_number_for_agents_and_while_something_is_open(house: House) -> None:
    family, token = await house.member()
    identity_of_procedure = await house.submitted(token)
    boss = await admin(house)
    identity = await family_id(house, boss, family.number)
    before = await house.connection.fetchval("select t::text from family t where id = $1", family.id)
    assert await house.problems(ERASE, boss, family=identity, number="123456") == ["NOT_FOUND"]
    assert await house.problems(ERASE, boss, family=identity, number=family.number) == ["FAMILY_IN_USE"]
    for stranger in (token, await house.agent("etat.civil")):
        assert (await house.ask(ERASE, stranger, family=identity, number=family.number)).codes == ["FORBIDDEN"]
    assert await house.connection.fetchval("select t::text from family t where id = $1", family.id) == before
    await house.do(WITHDRAW, token, procedure=identity_of_procedure)
    for _ in range(2):
        await house.do(ERASE, boss, family=identity, number=family.number)
    acts = "select count(*) from audit_entry where family_id = $1 and act = 'family_erased'"
    assert await house.connection.fetchval(acts, family.id) == 1


async def test_a_closed_family_is_erased_ten_years_later_unless_it_came_back(house: House) -> None:
    gone, token = await house.member()
    back, other = await house.member()
    for family, each in ((gone, token), (back, other)):
        await house.do(CLOSE, each, password=PASSWORD)
        await last_message_gone(house, family)
    erased = "select erased_at is not null from family where id = $1"
    house.clock.ahead = timedelta(days=3650)
    await run_due(house, "erase_closed", "erase_family")
    assert not await house.connection.fetchval(erased, gone.id)
    await house.connection.execute("update family set closed_at = null where id = $1", back.id)
    house.clock.ahead = timedelta(days=3655)
    assert (await run_due(house, "erase_closed", "erase_family"))["erase_family", "done"] == 1
    assert await house.connection.fetchval(erased, gone.id) and not await house.connection.fetchval(erased, back.id)


async def test_news_and_proofs_go_after_two_years(house: House) -> None:
    family, token = await house.member()
    await house.submitted(token)
    await house.mail_to(family.email, "démarche")
    waiting = "select exists (select from delivery where family_id = $1 and status = 'PENDING')"
    async with asyncio.timeout(10):
        while await house.connection.fetchval(waiting, family.id):
            await asyncio.sleep(0.02)
    both = (
        "select (select count(*) from news where family_id = $1), (select count(*) from delivery where family_id = $1)"
    )
    for days, left in ((720, True), (740, False)):
        house.clock.ahead = timedelta(days=days)
        await run_due(house, "sweep")
        row = await house.connection.fetchrow(both, family.id)
        assert row is not None and [bool(count) for count in row] == [left, left]
    events = "select count(*) from procedure_event where family_id = $1"
    assert await house.connection.fetchval(events, family.id) == 1
    seq = await house.connection.fetchval("select news_seq from family where id = $1", family.id)
    assert seq > 0, "the stream goes on where it was: no cursor is given out twice"


async def test_every_table_of_a_family_is_erased_or_kept_for_a_reason(database: Database) -> None:
    connection = await asyncpg.connect(database.dsn, timeout=10)
    try:
        rows = await connection.fetch(
            "select table_name from information_schema.columns join information_schema.tables "
            "using (table_schema, table_name) where table_schema = 'public' and column_name = 'family_id' "
            "and table_type = 'BASE TABLE'"
        )
    finally:
        await connection.close()
    tables = {row["table_name"] for row in rows} | {"family"}
    assert tables == set(closure.ERASE) | set(KEPT), "say in db/closure.py what erasing does to a new table of a family"
    assert tables == {part.table for part in exports.PARTS} | set(exports.LEFT_OUT)
