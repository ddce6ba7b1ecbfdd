"""Two walls stand between a viewer and a foreign row: predicates of reads, row-level security. Each holds alone."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from graphql import parse
from graphql.execution import get_variable_values

import schema
from db.pool import API_ROLE, DISPATCH_ROLE
from db.pool import Database as Pool
from db.settings import Settings
from resolvers.reading.mapping import Column, Computed, Mapping, Reading
from resolvers.reading.reader import Reader
from resolvers.viewer import Kind, Viewer, anonymous
from tests.conftest import Cluster, Database
from tests.test_reading import parts
from tests.walks import Canaries, Path, Side, Walk, sides

BUILT = schema.build()
CONSTANTS = schema.constants(Settings().city)

SHARED = {
    "service": "the city's services, public",
    "terms": "terms of use, public",
    "maintenance": "when the portal pauses, public",
    "migration": "names and hashes of migrations, for readiness",
    "procedure_kind": "the catalogue, public",
    "signing_key": "keys sealed with a key from the settings; the gateway signs with them before anybody is known",
    "throttle": "failed attempts by HMAC: no row says whose it is",
    "registered_document": "texts of programs, published with the apps; read before anybody is known",
    **dict.fromkeys(("place", "opening_rule", "exceptional_day", "opening_span"), "places of the city, public"),
    **dict.fromkeys(("page", "page_version", "page_category", "page_word"), "pages: the city's words, drafts as well"),
    **dict.fromkeys(("page_place", "page_kind"), "what pages are linked with, public"),
    "bucket": "points spent by HMAC: no row says whose they are",
    "identity_provider": "the providers of sign-in, public",
    "agent": "the city's own staff; read at sign-in, before anybody is known",
    "refresh_token": "found by the SHA-256 of a secret only its holder has; names nothing but a session",
}
"""Tables that the API reads without row-level security, and why."""

BY_OTHER_KEYS = {
    "session",
    "audit_entry",
    "job",
    "second_factor",
    "recovery_code",
    "agent_challenge",
    "identity_attempt",
}
"""Tables whose rows may be no family's (sessions and acts of agents, jobs of the portal): their keys do not begin with
`family_id`."""

OF_STAFF = {"second_factor"}
"""Tables whose rows are agents' own."""

STAFF_SEES = {"agent_task", "family", "member", "member_change", "quotient_familial"}
"""Every agent finds every family, its members and its quotients, and what its roles must do."""

STAFF_ONLY = {"agent_task", "audit_entry"}
"""What is about a family, but for the staff alone."""

AGENTS_TELL = {"channel_preference", "address", "lane", "service_opt_in"}
"""An agent's act tells a family as it chose: the second wall lets agents read its choice, the first does not."""

SETTINGS = ("kiosque.family", "kiosque.agent", "kiosque.services", "kiosque.admin", "kiosque.system")


@dataclass(slots=True)
class Breached:
    """A reader on a city with two marked families, with one wall down."""

    reader: Reader
    pool: Pool
    dsn: str
    ours: Side
    theirs: Side
    canaries: Canaries

    async def read(self, text: str, viewer: Viewer, source: Any = None) -> str:
        """Give the answer of a query, or what a subscription pushes of an item of news."""
        operation, fragments = parts(parse(text))
        variables = get_variable_values(BUILT.graphql, (), {})
        data = await self.reader.whole(text, operation, fragments, variables, viewer, source)
        assert data is not None
        return data.decode()


@pytest.fixture(scope="module")
async def breached(cluster: Cluster) -> AsyncIterator[Breached]:
    """Break the first wall: by its predicates, every row may be seen by everybody."""
    tables = {name: replace(stored, whose={"*": "true"}) for name, stored in BUILT.mapping.tables.items()}
    async with _breached(cluster, replace(BUILT.mapping, tables=tables)) as made:
        yield made


@pytest.fixture(scope="module")
async def unwalled(cluster: Cluster) -> AsyncIterator[Breached]:
    """Break the second wall."""
    async with without_walls(cluster) as made:
        yield made


@asynccontextmanager
async def without_walls(cluster: Cluster) -> AsyncIterator[Breached]:
    """Switch off row-level security in a database of its own."""
    async with _breached(cluster, BUILT.mapping) as made:
        connection = await asyncpg.connect(made.dsn, timeout=10)
        for row in await connection.fetch("select relname from pg_class where relrowsecurity"):
            await connection.execute(f"alter table {row['relname']} disable row level security")
        await connection.close()
        yield made


@asynccontextmanager
async def _breached(cluster: Cluster, mapping: Mapping) -> AsyncIterator[Breached]:
    async with cluster.database("city") as database:
        connection = await asyncpg.connect(database.dsn, timeout=10)
        pool = await Pool.open(database.dsn, size=1, command_seconds=30, statement_seconds=30)
        try:
            made = await sides(connection, BUILT.mapping)
            fields = _stored(mapping)
            reader = Reader(replace(mapping, fields=fields), pool, schema.VIEWER_CASTS, constants=CONSTANTS)
            (ours, _), (theirs, canaries) = made["ours"], made["theirs"]
            yield Breached(reader, pool, database.dsn, ours, theirs, canaries)
        finally:
            await pool.close()
            await connection.close()


def _stored(mapping: Mapping) -> dict[tuple[str, str], Reading]:
    """Read what Python computes as it is stored: without the gate, nothing but the statement is looked at."""
    return {
        name: Column(reading.inputs[-1]) if isinstance(reading, Computed) else reading
        for name, reading in mapping.fields.items()
    }


async def test_without_any_predicate_no_foreign_row_is_seen(breached: Breached) -> None:
    seen = await walked(breached, STAFF_SEES | AGENTS_TELL, set(SHARED))
    owned = {BUILT.mapping.tables[name].table for name in breached.theirs.ids}
    assert owned <= seen | set(SHARED) | OF_STAFF | STAFF_ONLY, "the second wall hides from a family what is its own"


async def test_without_row_security_no_foreign_row_is_seen(unwalled: Breached) -> None:
    await walked(unwalled, STAFF_SEES, set())


async def walked(town: Breached, staff: set[str], shared: set[str]) -> set[str]:
    """Walk every way through the schema as everybody whom theirs does not concern; give what its family sees of it."""
    seen: set[str] = set()
    for path in ways(town):
        for viewer in strangers(town):
            await seen_by(town, path, viewer, (staff if viewer.kind is Kind.AGENT else set()) | shared)
        seen |= await shown(town, path, town.theirs.family)
    return seen


def ways(town: Breached) -> list[Path]:
    """Give every way through the reads and the streams of the schema."""
    walk = Walk(BUILT.graphql, town.theirs)
    roots = [root for root in (BUILT.graphql.query_type, BUILT.graphql.subscription_type) if root is not None]
    return [path for root in roots for path in walk.of(root)]


async def shown(town: Breached, path: Path, viewer: Viewer) -> set[str]:
    """Give the tables of theirs whose rows somebody sees on a way; a stream is pushed two items of their news."""
    if not any(parent == "Subscription" for parent, _ in path.pairs):
        return town.canaries.found(await town.read(f"query {{ {path.text} }}", viewer))
    found: set[str] = set()
    for row in town.theirs.news[:2]:
        found |= town.canaries.found(await town.read(f"subscription {{ {path.text} }}", viewer, row))
    return found


def strangers(town: Breached) -> list[Viewer]:
    """Give everybody whom theirs does not concern."""
    agent = replace(town.ours.agent, roles=frozenset({"AGENT"}))
    return [town.ours.family, agent, Viewer(Kind.PARTNER), anonymous()]


async def seen_by(town: Breached, path: Path, viewer: Viewer, allowed: set[str]) -> None:
    """Go one way as somebody, who must not see rows of theirs but those of the tables allowed."""
    found = await shown(town, path, viewer)
    assert found <= allowed, f"{viewer.kind} sees {found - allowed}: {path.text}"


COUNTED = "{ procedures { totalCount } families { totalCount } nodes(ids: []) { id } }"


async def test_the_sight_ends_with_the_statement(breached: Breached) -> None:
    """The pool has one connection: what a read set is gone for the next one, and for plain statements."""
    for _ in range(8):
        answer = json.loads(await breached.read(COUNTED, breached.theirs.family))
        assert answer["procedures"]["totalCount"] > 0 and answer["families"]["totalCount"] == 1
        nobody = json.loads(await breached.read(COUNTED, anonymous()))
        assert (nobody["procedures"]["totalCount"], nobody["families"]["totalCount"]) == (0, 0)
        async with breached.pool.connection() as connection:
            assert await connection.fetchval("select count(*) from procedure") == 0
            left = [await connection.fetchval("select current_setting($1, true)", name) for name in SETTINGS]
            assert not any(left)


@pytest.mark.parametrize("mode", ["force_generic_plan", "force_custom_plan", "auto"])
async def test_the_sight_comes_before_the_rows_in_every_kind_of_plan(breached: Breached, mode: str) -> None:
    """Often enough that `auto` goes over to a generic plan; two families in turn share the prepared statement."""
    async with breached.pool.connection() as connection:
        await connection.execute(f"set plan_cache_mode = {mode}")
    text = """{ viewer { family { id members { totalCount } } } families { totalCount }
        procedures(first: 100) { edges { node { id } } } }"""
    try:
        for turn in range(16):
            side = (breached.ours, breached.theirs)[turn % 2]
            answer = json.loads(await breached.read(text, side.family))
            found = {edge["node"]["id"] for edge in answer["procedures"]["edges"]}
            assert found == set(side.ids["Procedure"]) and answer["families"]["totalCount"] == 1
            assert answer["viewer"]["family"]["id"] == side.ids["Family"][0]
    finally:
        async with breached.pool.connection() as connection:
            await connection.execute("reset plan_cache_mode")


async def test_parallel_plans_see_the_same(breached: Breached) -> None:
    async with breached.pool.connection() as connection:
        await connection.execute(
            "set parallel_setup_cost = 0; set parallel_tuple_cost = 0; set min_parallel_table_scan_size = 0"
        )
        await connection.execute("set max_parallel_workers_per_gather = 4")
    try:
        for side in (breached.ours, breached.theirs):
            answer = json.loads(
                await breached.read("{ procedures { totalCount } families { totalCount } }", side.family)
            )
            assert answer == {"procedures": {"totalCount": len(side.ids["Procedure"])}, "families": {"totalCount": 1}}
    finally:
        async with breached.pool.connection() as connection:
            await connection.execute("reset all")
            await connection.execute("set role kiosque_api")


@pytest.mark.parametrize("broken", ["", "{}", "00000000-0000-0000-0000-000000000000"])
async def test_a_setting_that_says_nobody_shows_nothing(breached: Breached, broken: str) -> None:
    async with breached.pool.connection() as connection, connection.transaction():
        await connection.execute("select set_config('kiosque.family', $1, true)", "" if broken == "{}" else broken)
        await connection.execute("select set_config('kiosque.services', $1, true)", broken if broken == "{}" else "")
        assert await connection.fetchval("select count(*) from procedure") == 0
        assert await connection.fetchval("select count(*) from account") == 0


@pytest.fixture
async def catalogue(database: Database) -> AsyncIterator[asyncpg.Connection]:
    """Give a connection to a migrated, empty database."""
    connection = await asyncpg.connect(database.dsn, timeout=10)
    try:
        yield connection
    finally:
        await connection.close()


TABLES = """
    select c.relname as name, c.relrowsecurity as enabled, c.relforcerowsecurity as forced,
        has_table_privilege($1, c.oid, 'select') or has_any_column_privilege($1, c.oid, 'select') as readable,
        exists (select from pg_policy p where p.polrelid = c.oid and $1::regrole::oid = any(p.polroles)) as policies,
        (select a.attname::text from pg_index i join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]
            where i.indrelid = c.oid and i.indisprimary) as leading,
        exists (select from pg_attribute a
            where a.attrelid = c.oid and a.attname = 'family_id' and a.attnotnull) as owned
    from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') order by 1
"""


async def tables(catalogue: asyncpg.Connection) -> list[Any]:
    """Give what the database says of each table, as the API's role concerns it."""
    return list(await catalogue.fetch(TABLES, API_ROLE))


async def test_every_table_of_a_family_is_walled_for_the_api(catalogue: asyncpg.Connection) -> None:
    owned = [row for row in await tables(catalogue) if row["owned"]]
    assert len(owned) >= 10
    for row in owned:
        assert row["enabled"] and row["forced"] and row["policies"], row["name"]
        assert row["leading"] == "family_id", row["name"]


async def test_every_table_that_the_api_reads_is_walled_or_shared_for_a_reason(catalogue: asyncpg.Connection) -> None:
    readable = [row for row in await tables(catalogue) if row["readable"]]
    open_to_all = {row["name"] for row in readable if not (row["enabled"] and row["forced"] and row["policies"])}
    assert open_to_all == set(SHARED)
    others = {row["name"] for row in readable if row["name"] not in SHARED and row["leading"] != "family_id"}
    assert others == BY_OTHER_KEYS | {"family"}


@pytest.mark.parametrize("role", [API_ROLE, DISPATCH_ROLE])
async def test_the_roles_of_the_program_own_nothing_and_pass_no_wall(catalogue: asyncpg.Connection, role: str) -> None:
    may = await catalogue.fetchrow("select * from pg_roles where rolname = $1", role)
    assert may is not None
    forbidden = ("rolsuper", "rolbypassrls", "rolcreaterole", "rolcreatedb", "rolreplication", "rolcanlogin")
    assert not any(may[name] for name in forbidden)
    memberships = "select count(*) from pg_auth_members where member = $1::regrole"
    assert await catalogue.fetchval(memberships, role) == 0
    owned = await catalogue.fetchval("select count(*) from pg_class where relowner = $1::regrole", role)
    assert owned == 0
    assert not await catalogue.fetchval("select has_schema_privilege($1, 'public', 'create')", role)


async def test_no_policy_lets_the_api_see_every_row(catalogue: asyncpg.Connection) -> None:
    policies = """
        select c.relname || '.' || p.polname as name, pg_get_expr(p.polqual, p.polrelid) as condition
        from pg_policy p join pg_class c on c.oid = p.polrelid
        where $1::regrole::oid = any(p.polroles) and p.polqual is not null
    """
    rows = await catalogue.fetch(policies, API_ROLE)
    assert rows and all("viewer_" in row["condition"] for row in rows)
    assert await catalogue.fetchval("select count(*) from pg_policy where 0 = any(polroles)") == 0, "none for everybody"


async def test_views_and_functions_lend_nobody_their_owners_sight(catalogue: asyncpg.Connection) -> None:
    views = "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('v', 'm')"
    assert await catalogue.fetch(views) == []
    lending = """
        select p.proname from pg_proc p where p.pronamespace = 'public'::regnamespace and p.prosecdef
            and has_function_privilege($1, p.oid, 'execute')
    """
    assert {row["proname"] for row in await catalogue.fetch(lending, API_ROLE)} == {"outbox_state"}, (
        "it gives counts only"
    )


async def test_a_family_writes_no_row_of_another_one(breached: Breached) -> None:
    """Policies hold for writing as for reading."""
    family, other = breached.ours.family.family_id, breached.theirs.family.family_id
    assert isinstance(family, UUID) and isinstance(other, UUID)
    async with breached.pool.connection() as connection, connection.transaction():
        await connection.execute("select set_config('kiosque.family', $1, true)", str(family))
        assert await connection.execute("update member set school = 'x' where family_id = $1", other) == "UPDATE 0"
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
            async with connection.transaction():
                await connection.execute("update member set family_id = $1 where family_id = $2", other, family)
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
            async with connection.transaction():
                await connection.execute(
                    """insert into channel_preference (family_id, topic, channels, updated_at)
                       values ($1, 'TERMS', '{EMAIL}', now())""",
                    other,
                )
