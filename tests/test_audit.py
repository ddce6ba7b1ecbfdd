"""The audit log: written with what it records, read by administrators only, proof against whoever changes it."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from db import audit
from db.audit_chain import FIRST_HASH, Chain, entries
from db.pool import API_ROLE, DISPATCH_ROLE, connect
from tests.conftest import Database
from tests.house import House

LOG = """query ($acts: [String!], $family: String, $since: DateTime, $first: Int) {
    auditLog(acts: $acts, familyNumber: $family, since: $since, first: $first) {
        totalCount
        edges { node { number act actor agentName familyNumber details occurredAt hash previousHash } }
    } }"""
CODE = """mutation ($number: String!) { issueActivationCode(familyNumber: $number) { problems { code } code } }"""
TAMPERED = {
    "update audit_entry set data = '{\"n\":7}' where number = 3": (3, "the entry was changed"),
    "update audit_entry set actor = 'AGENT' where number = 2": (2, "the entry was changed"),
    "delete from audit_entry where number = 4": (4, "the entry is missing: 5 follows 3"),
    "delete from audit_entry where number = 1": (1, "the entry is missing: 2 follows 0"),
    "update audit_entry set previous_hash = sha256('x') where number = 3": (
        3,
        "the entry does not follow the one before it",
    ),
    "update audit_entry set number = number + 10 where number > 4": (5, "the entry is missing: 15 follows 4"),
    "insert into audit_entry (id, act, actor, occurred_at) values (gen_random_uuid(), 'forged_act', 'SYSTEM', now())": (
        7,
        "an entry was written past the chain",
    ),
}


async def write(connection: Any, number: int) -> None:
    """Write an entry in a transaction of its own."""
    now = await connection.fetchval("select now()")
    async with connection.transaction():
        await audit.record(connection, audit.Act("tested_thing", "SYSTEM", now, data={"n": number, "é": '"'}))


async def written(database: Database, count: int = 6) -> None:
    """Write some entries as the gateway does."""
    connection = await connect(database.dsn, role=API_ROLE, application="test")
    for number in range(count):
        await write(connection, number)
    await connection.close()


async def proven(dsn: str) -> Chain:
    """Walk the chain as `audit verify` does."""
    connection = await asyncpg.connect(dsn, timeout=10)
    chain = Chain()
    async for entry in entries(connection):
        chain.take(entry)
    await connection.close()
    return chain


async def test_a_chain_of_many_writers_at_once_has_no_gap(database: Database) -> None:
    await asyncio.gather(*(written(database, 20) for _ in range(5)))
    chain = await proven(database.dsn)
    assert (chain.length, chain.broken) == (100, None)


async def test_an_act_is_recorded_only_if_its_transaction_commits(database: Database) -> None:
    connection = await connect(database.dsn, role=API_ROLE, application="test")
    await write(connection, 1)
    with pytest.raises(ZeroDivisionError):
        async with connection.transaction():
            await audit.record(connection, audit.Act("lost_thing", "SYSTEM", await connection.fetchval("select now()")))
            raise ZeroDivisionError
    await write(connection, 2)
    await connection.close()
    chain = await proven(database.dsn)
    assert (chain.length, chain.broken) == (2, None)


async def test_entries_written_in_one_transaction_are_chained_in_their_order(database: Database) -> None:
    connection = await connect(database.dsn, role=API_ROLE, application="test")
    async with connection.transaction():
        for act in ("first_thing", "second_thing", "third_thing"):
            await audit.record(connection, audit.Act(act, "SYSTEM", await connection.fetchval("select now()")))
    await connection.close()
    owner = await asyncpg.connect(database.dsn, timeout=10)
    acts = await owner.fetch("select act from audit_entry order by number")
    await owner.close()
    assert [row["act"] for row in acts] == ["first_thing", "second_thing", "third_thing"]


@pytest.mark.parametrize("tampering", TAMPERED)
async def test_whoever_changes_the_past_behind_the_portal_is_found_at_the_first_broken_link(
    database: Database, tampering: str
) -> None:
    await written(database)
    owner = await asyncpg.connect(database.dsn, timeout=10)
    await owner.execute("alter table audit_entry disable trigger all")
    await owner.execute(tampering)
    await owner.close()
    broken = (await proven(database.dsn)).broken
    assert broken is not None and (broken.number, broken.why) == TAMPERED[tampering]


@pytest.mark.parametrize("role", [API_ROLE, DISPATCH_ROLE])
@pytest.mark.parametrize(
    "statement",
    [
        "update audit_entry set act = 'other_thing'",
        "delete from audit_entry",
        "truncate audit_entry",
        "insert into audit_entry (id, act, actor, occurred_at, number) "
        "values (gen_random_uuid(), 'forged_act', 'SYSTEM', now(), 99)",
        "alter table audit_entry disable trigger all",
        "select chain_audit_entry()",
    ],
)
async def test_the_roles_of_the_program_can_only_add_to_the_log(database: Database, role: str, statement: str) -> None:
    await written(database)
    connection = await connect(database.dsn, role=role, application="test")
    await connection.execute(
        "select set_config('kiosque.system', 'on', false), set_config('kiosque.admin', 'on', false)"
    )
    with pytest.raises(asyncpg.PostgresError):
        await connection.execute(statement)
    await connection.close()
    chain = await proven(database.dsn)
    assert (chain.length, chain.broken) == (6, None)


@pytest.mark.parametrize("statement", ["update audit_entry set act = 'x_y'", "delete from audit_entry"])
async def test_even_the_owner_must_break_the_lock_to_change_an_entry(database: Database, statement: str) -> None:
    await written(database)
    owner = await asyncpg.connect(database.dsn, timeout=10)
    with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
        await owner.execute(statement)
    await owner.close()


def audited(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `audit …` as an operator does."""
    command = [sys.executable, "-m", "gateway", "audit", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


async def test_the_command_proves_the_log_in_the_database_and_in_an_exported_file(
    database: Database, tmp_path: Path
) -> None:
    await written(database)
    file = tmp_path / "audit.jsonl"

    async def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return await asyncio.to_thread(audited, *arguments)

    whole = await run("verify", "--database", database.dsn)
    assert whole.returncode == 0 and "6 entries" in whole.stdout, whole.stderr
    assert (await run("export", str(file), "--database", database.dsn)).returncode == 0
    head = json.loads(file.read_text().splitlines()[3])["hash"]
    assert (await run("verify", "--file", str(file), "--head", head)).returncode == 0

    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join([*lines[:2], lines[2].replace("tested_thing", "tasted_thing"), *lines[3:]]))
    changed = await run("verify", "--file", str(file))
    assert changed.returncode == 1 and "breaks at entry 3: the entry was changed" in changed.stdout

    file.write_text("".join(lines[:3]))
    assert (await run("verify", "--file", str(file))).returncode == 0, "a shorter chain holds by itself"
    cut = await run("verify", "--file", str(file), "--head", head)
    assert cut.returncode == 1 and "do not lead through the head" in cut.stdout

    file.write_text("no entry\n")
    rubbish = await run("verify", "--file", str(file))
    assert rubbish.returncode == 1 and "Line 1 is no entry" in rubbish.stdout


async def test_an_empty_log_is_whole(database: Database) -> None:
    chain = await proven(database.dsn)
    assert (chain.length, chain.head, chain.broken) == (0, FIRST_HASH, None)


async def test_an_administrator_reads_who_did_what_with_filters(house: House) -> None:
    family, other = await house.make_family(), await house.make_family()
    agent = await house.agent()
    for made in (family, other, family):
        await house.do(CODE, agent, number=made.number)
    admin = await house.sign_in("admin@mairie.example", agent=True)

    log = (await house.ask(LOG, admin, family=family.number, acts=["activation_code_issued"])).data["auditLog"]
    assert log["totalCount"] == 2
    entry = log["edges"][0]["node"]
    assert (entry["actor"], entry["familyNumber"]) == ("AGENT", family.number)
    assert entry["agentName"]
    assert len(entry["hash"]) == len(entry["previousHash"]) == 64

    page = (await house.ask(LOG, admin, first=2)).data["auditLog"]["edges"]
    numbers = [int(edge["node"]["number"]) for edge in page]
    assert numbers == sorted(numbers, reverse=True)
    later = house.clock().isoformat()
    assert (await house.ask(LOG, admin, since=later)).data["auditLog"]["totalCount"] == 0


async def test_nobody_but_an_administrator_reads_the_log(house: House) -> None:
    _, family = await house.member()
    for token, code in ((None, "UNAUTHENTICATED"), (family, "FORBIDDEN"), (await house.agent(), "FORBIDDEN")):
        reply = await house.ask(LOG, token)
        assert reply.codes == [code]
        assert not (reply.body.get("data") or {}).get("auditLog")


async def test_no_name_and_no_address_stands_in_the_log(house: House) -> None:
    family, token = await house.member()
    await house.do(CODE, await house.agent(), number=family.number)
    await house.ask("mutation { signOut { problems { code } } }", token)
    await house.problems(
        'mutation ($i: String!) { signIn(identifier: $i, password: "Mauvais-1") { problems { code } } }', i=family.email
    )
    # Without the hashes, whose digits may be those of the number by chance.
    rows = await house.connection.fetch(
        "select (to_jsonb(a) - '{hash,previous_hash}'::text[])::text as text from audit_entry a"
    )
    assert rows
    personal = [family.email, family.number, "Famille Essai"]
    assert not [row["text"] for row in rows if any(word in row["text"] for word in personal)]
