"""Two walls stand between a viewer and a foreign row: predicates of reads, row-level security. Each holds alone."""

import json
import re
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
from db.ids import uuid7
from db.pool import API_ROLE, DISPATCH_ROLE, see_as
from db.pool import Database as Pool
from db.settings import Settings
from resolvers.reading.identity import read_id
from resolvers.reading.mapping import Column, Computed, Mapping, Reading
from resolvers.reading.reader import Reader
from resolvers.viewer import Kind, Viewer, anonymous
from tests.conftest import Cluster, Database
from tests.marked import Canaries, Side, sides
from tests.test_reading import parts
from tests.walks import Walk, Way

BUILT = schema.build()
CONSTANTS = schema.constants(Settings())

SHARED = {
    "service": "the city's services, public",
    "terms": "terms of use, public",
    "maintenance": "when the portal pauses, public",
    "migration": "names and hashes of migrations, for readiness",
    "procedure_kind": "the catalogue, public",
    "required_document": "the catalogue, public",
    "kind_intake": "places taken: counts by code, public",
    "signing_key": "keys sealed with a key from the settings; the gateway signs with them before anybody is known",
    "throttle": "failed attempts by HMAC: no row says whose it is",
    "registered_document": "texts of programs, published with the apps; read before anybody is known",
    **dict.fromkeys(("place", "opening_rule", "exceptional_day", "opening_span"), "places of the city, public"),
    **dict.fromkeys(("page", "page_version", "page_category", "page_word"), "pages: the city's words, drafts as well"),
    **dict.fromkeys(("page_place", "page_kind", "page_tariff"), "what pages are linked with, public"),
    "page_audience": "for whom pages are, by age: names nobody",
    "page_invoice": "which invoices pages help with, by when they are due: names nobody",
    **dict.fromkeys(("tariff", "tariff_price"), "what services cost, public"),
    "procedure_feed_end": "one number: how long the feed is",
    "invoice_series": "the last invoice number of each year: names nobody",
    "bucket": "points spent by HMAC: no row says whose they are",
    "identity_provider": "the providers of sign-in, public",
    "agent": "the city's own staff; read at sign-in, before anybody is known",
    "refresh_token": "found by the SHA-256 of a secret only its holder has; names nothing but a session",
}
"""Tables that the API reads without row-level security, and why."""

BY_OTHER_KEYS = {
    "billing_run",
    "debit_batch",
    "docket",
    "daily_closing",
    "daily_total",
    "session",
    "audit_entry",
    "job",
    "second_factor",
    "recovery_code",
    "agent_challenge",
    "identity_attempt",
    "webhook",
    "webhook_delivery",
    "webhook_attempt",
    "partner",
    "partner_secret",
    "partner_assertion",
    "partner_notice",
    "agent_notice",
    "partner_task",
    "procedure_count",
    "procedure_count_change",
    "revenue_count",
    "revenue_count_change",
}
"""Tables whose rows may be no family's (sessions and acts of agents, jobs of the portal, counts): their keys do not
begin with `family_id`."""

OF_STAFF = {"second_factor"}
"""Tables whose rows are agents' own."""

STAFF_SEES = {"agent_task", "family", "member", "member_change", "quotient_familial", "statistics"}
"""Every agent finds every family, its members and its quotients, what its roles must do, and counts."""

STAFF_ONLY = {"agent_task", "audit_entry", "bank_message", "draft_invoice", "draft_line", "billing_check"}
"""What is about a family, but for the staff alone."""

AGENTS_TELL = {"channel_preference", "address", "lane", "service_opt_in", "channel_routes"}
"""An agent's act tells a family as it chose: the second wall lets agents read its choice, the first does not."""

OF_THE_CITY = {
    "BillingRun": "billing_run",
    "DailyClosing": "daily_closing",
    "DailyTotal": "daily_total",
    "DebitBatch": "debit_batch",
    "Docket": "docket",
    "RevenueRow": "revenue",
    "StatisticsRow": "statistics",
    "TillTotal": "till_totals",
}
"""Types whose rows are about everybody, and their tables: any row of them is one that strangers must not see."""

SETTINGS = tuple(f"kiosque.{name}" for name in ("family", "agent", "services", "admin", "cashier", "system"))


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
        name: Column(reading.inputs[-1], reading.casts) if isinstance(reading, Computed) else reading
        for name, reading in mapping.fields.items()
    }


async def test_without_any_predicate_no_foreign_row_is_seen(breached: Breached) -> None:
    seen = await walked(breached, STAFF_SEES | AGENTS_TELL, set(SHARED))
    stored = {BUILT.mapping.tables[name].table for name in breached.theirs.ids} & set(breached.canaries.tables)
    owned = stored - STAFF_ONLY - BY_OTHER_KEYS - set(SHARED)
    assert owned - seen == set(), "the second wall hides from a family what is its own"


async def test_without_row_security_no_foreign_row_is_seen(unwalled: Breached) -> None:
    await walked(unwalled, STAFF_SEES, set())


async def test_without_row_security_administrators_see_only_what_was_put_aside(unwalled: Breached) -> None:
    text = f"{{ nodes(ids: {json.dumps(unwalled.theirs.ids['DeadLetter'])}) {{ id }} }}"
    admin = replace(unwalled.ours.agent, roles=frozenset({"AGENT", "ADMIN"}))
    connection = await asyncpg.connect(unwalled.dsn, timeout=10)
    try:
        before = json.loads(await unwalled.read(text, admin))["nodes"]
        await connection.execute("update delivery set status = 'SENT' where status = 'DEAD_LETTER'")
        after = json.loads(await unwalled.read(text, admin))["nodes"]
    finally:
        await connection.close()
    assert any(before) and not any(after)


async def test_without_row_security_counts_of_ones_own_services_need_the_scope_or_the_till_all_the_same(
    unwalled: Breached,
) -> None:
    """What the gate refuses as a list is refused by the row as a node: everybody here has the services."""
    ids = [*unwalled.theirs.ids["StatisticsRow"][:20], *unwalled.theirs.ids["RevenueRow"][:20]]
    text = f"{{ nodes(ids: {json.dumps(ids)}) {{ __typename }} }}"
    own = unwalled.theirs.partner
    every = tuple(read_id(BUILT.mapping, each).key[0] for each in unwalled.theirs.ids["Service"])

    async def found(viewer: Viewer) -> set[str]:
        nodes = json.loads(await unwalled.read(text, replace(viewer, services=every)))["nodes"]
        return {node["__typename"] for node in nodes if node}

    assert await found(own) == {"StatisticsRow", "RevenueRow"}
    for scope, shown in (("STATISTICS_READ", {"StatisticsRow"}), ("INVOICES_AGGREGATE", {"RevenueRow"}), ("", set())):
        assert await found(replace(own, scopes=frozenset({scope}))) == shown
    agent = unwalled.theirs.agent
    assert await found(replace(agent, roles=frozenset({"CASHIER"}))) == {"StatisticsRow", "RevenueRow"}
    assert await found(replace(agent, roles=frozenset({"AGENT", "EDITOR"}))) == {"StatisticsRow"}
    for nobody in (unwalled.theirs.family, anonymous()):
        assert await found(nobody) == set()


async def walked(town: Breached, staff: set[str], shared: set[str]) -> set[str]:
    """Walk every way through the schema as everybody whom theirs does not concern; give what its family sees of it."""
    seen: set[str] = set()
    for way in ways(town):
        for viewer in strangers(town):
            await seen_by(town, way, viewer, (staff if viewer.kind is Kind.AGENT else set()) | shared)
        seen |= await shown(town, way, town.theirs.family)
    return seen


def ways(town: Breached) -> list[Way]:
    """Give every way through the reads and the streams of the schema."""
    walk = Walk(BUILT.graphql, town.theirs)
    roots = [root for root in (BUILT.graphql.query_type, BUILT.graphql.subscription_type) if root is not None]
    return [way for root in roots for way in walk.of(root)]


async def shown(town: Breached, way: Way, viewer: Viewer) -> set[str]:
    """Give the tables of theirs whose rows somebody sees on a way; a stream is pushed two items of their news."""
    if any(parent == "Subscription" for parent, _ in way.pairs):
        pushed = [await town.read(f"subscription {{ {way.text} }}", viewer, row) for row in town.theirs.news[:2]]
        return {table for answer in pushed for table in town.canaries.found(answer)}
    answer = await town.read(f"query {{ {way.text} }}", viewer)
    return town.canaries.found(answer) | {
        OF_THE_CITY[name] for name in re.findall(r'"__typename" ?: ?"(\w+)"', answer) if name in OF_THE_CITY
    }


def strangers(town: Breached) -> list[Viewer]:
    """Give everybody whom theirs does not concern."""
    agent = replace(town.ours.agent, roles=frozenset({"AGENT"}))
    return [town.ours.family, agent, Viewer(Kind.PARTNER), anonymous()]


async def seen_by(town: Breached, way: Way, viewer: Viewer, allowed: set[str]) -> None:
    """Go one way as somebody, who must not see rows of theirs but those of the tables allowed."""
    found = await shown(town, way, viewer)
    assert found <= allowed, f"{viewer.kind} sees {found - allowed}: {way.text}"


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


async def changed(breached: Breached, viewer: Viewer, command: str) -> str:
    """Say what a statement changes as somebody, and take it back."""
    async with breached.pool.connection() as connection:
        transaction = connection.transaction()
        await transaction.start()
        try:
            await see_as(connection, viewer.sight)
            return str(await connection.execute(command))
        finally:
            await transaction.rollback()


async def test_a_family_ends_only_what_is_its_own_and_open(breached: Breached) -> None:
    """The statements read no column, so that no policy of reading comes to help."""
    ours, nobody = breached.ours.family, Viewer(Kind.FAMILY, family_id=uuid7(), account_id=uuid7())
    assert await changed(breached, nobody, "update card_attempt set redirected_at = null") == "UPDATE 0"
    drop = "update debit set state = 'DROPPED', dropped_at = now(), dropped_because = 'INVOICE_PAID'"
    assert await changed(breached, ours, drop) == "UPDATE 1", "the one that was announced"
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await changed(breached, ours, "update card_attempt_invoice set live = true")


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
    views = """select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('v', 'm')
        and not coalesce(reloptions @> '{security_invoker=true}', false)"""
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
