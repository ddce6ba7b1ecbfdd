"""One GraphQL read is one SQL statement that answers exactly what the specification says."""

import asyncio
import base64
import json
import os
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

import asyncpg
import msgspec
import pytest
from graphql import (
    ExecutionResult,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    OperationDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    execute,
    get_named_type,
    parse,
    validate,
    visit,
)
from graphql.execution import get_variable_values

import schema
from db.clock import utc_now
from db.ids import uuid7
from db.pool import Database as Pool
from db.settings import Settings
from gateway.asked import every_access
from gateway.demo.city import load_city
from resolvers.problems import Refusal
from resolvers.reading.arguments import BadArgument
from resolvers.reading.identity import make_id
from resolvers.reading.mapping import Computed
from resolvers.reading.reader import Reader
from resolvers.viewer import Kind, Viewer, anonymous
from schema.access import access_of
from tests import given
from tests.conftest import Cluster
from tests.documents import Supply, Written, document
from tests.house import KEYS
from tests.oracle import NOW, Oracle
from tests.rows import TEXTS, fill, spoil, viewers

DOCUMENTS = int(os.environ.get("KIOSQUE_DOCUMENTS", "2000"))
SEED = int(os.environ.get("KIOSQUE_SEED", "20261122"))
WALKED_EVERY = 4
"""The other lane is compared too, more slowly: for every so manieth document."""

BUILT = schema.build()


def said(text: str | bytes) -> str:
    """Give what JSON says, key order included; JSON has one kind of number, so that 2.0 says what 2 does."""
    return json.dumps(
        json.loads(text, parse_float=lambda number: int(at) if (at := float(number)).is_integer() else at)
    )


COMPUTED = re.compile(
    rf"\b({'|'.join(name for (_, name), reading in BUILT.mapping.fields.items() if isinstance(reading, Computed))})\b"
)
"""Fields that Python makes of columns: their operations are walked."""
CONSTANTS = schema.constants(Settings())
TURNS = """delete from opening_span where opens_at between now() and now() + interval '1 hour'
    or closes_at between now() and now() + interval '1 hour'"""
"""No place opens or closes while the oracle remembers whether it is open."""
ROOT = BUILT.graphql.query_type


@dataclass(frozen=True, slots=True)
class Asking:
    """What the walked lane needs of a request."""

    reader: Reader
    viewer: Viewer


@dataclass(slots=True)
class Reads:
    """A city full of hostile values, read by the planner, by the other lane and by the oracle."""

    reader: Reader
    oracle: Oracle
    viewers: list[Viewer]
    supply: Supply
    roots: dict[Kind, list[str]] = field(default_factory=dict)

    async def planned(self, written: Written, viewer: Viewer) -> bytes:
        """Give the bytes of a read in one statement."""
        data = await self.planned_if_stored(written, viewer)
        assert data is not None, "everything that is stored is planned"
        return data

    async def planned_if_stored(self, written: Written, viewer: Viewer) -> bytes | None:
        """Give the bytes of a read in one statement; None when it selects what Python makes."""
        operation, fragments = parts(written.node)
        variables = get_variable_values(BUILT.graphql, operation.variable_definitions or (), written.variables)
        assert not isinstance(variables, list), variables
        data: bytes | None = await self.reader.whole(written.text, operation, fragments, variables, viewer)
        assert data is not None or COMPUTED.search(written.text), "everything that is stored is planned"
        return data

    async def walked(self, written: Written, viewer: Viewer) -> ExecutionResult:
        """Give the result of the same read when graphql-core walks it."""
        context = Asking(self.reader, viewer)
        result = execute(BUILT.graphql, written.node, variable_values=written.variables, context_value=context)
        return result if isinstance(result, ExecutionResult) else await result

    async def compare(self, seed: int) -> bool:
        """Compare the lanes on the document of a seed; tells whether it was answered without an error."""
        viewer = self.viewers[seed % len(self.viewers)]
        written = document(BUILT.graphql, self.supply, self.roots[viewer.kind], seed)
        told = f"seed {seed}, {viewer.kind}: {written.text}\n{written.variables}"
        if viewer.kind is Kind.PARTNER and not permitted_whole(written, viewer):
            return True  # the gate refuses it before anything is read; see tests/test_isolation.py
        if written.wrong:
            return await self._refused(written, viewer, told)
        wanted = await self.oracle.answer(written.node, written.variables, viewer)
        assert not wanted.errors, f"{told}\n{wanted.errors}"
        expected = said(json.dumps(wanted.data))
        data = await self.planned_if_stored(written, viewer)
        assert data is None or said(data) == expected, told
        if data is None or seed % WALKED_EVERY == 0:
            walked = await self.walked(written, viewer)
            assert not walked.errors, f"{told}\n{walked.errors}"
            assert said(msgspec.json.encode(walked.data)) == expected, told
        return True

    async def _refused(self, written: Written, viewer: Viewer, told: str) -> bool:
        """See that a refused argument is refused by both lanes, wherever it stands, unless `@skip` leaves it out."""
        try:
            await self.planned_if_stored(written, viewer)
        except BadArgument:
            walked = await self.walked(written, viewer)
            assert walked.errors and all(isinstance(each.original_error, BadArgument) for each in walked.errors), told
        return False


def permitted_whole(written: Written, viewer: Viewer) -> bool:
    """Tell whether a viewer may select every field of a document."""
    try:
        for access in every_access(BUILT.graphql, [written.node]):
            access.permit(viewer)
    except Refusal:
        return False
    return True


def parts(node: Any) -> tuple[OperationDefinitionNode, dict[str, FragmentDefinitionNode]]:
    """Give the operation and the fragments of a document."""
    [operation] = [each for each in node.definitions if isinstance(each, OperationDefinitionNode)]
    return operation, {each.name.value: each for each in node.definitions if isinstance(each, FragmentDefinitionNode)}


@pytest.fixture(scope="module")
async def reads(cluster: Cluster) -> AsyncIterator[Reads]:
    """Give a spoiled city and all its readers."""
    async with cluster.database("empty") as database:
        connection = await asyncpg.connect(database.dsn, timeout=10)
        await load_city(connection, KEYS, utc_now, families=8)
        await fill(connection)
        async with connection.transaction():
            await spoil(connection, Random(SEED))
        await connection.execute(TURNS)
        await connection.execute("analyze")
        pool = await Pool.open(database.dsn, size=4, command_seconds=30, statement_seconds=30)
        oracle = await Oracle.on(BUILT.mapping, BUILT.sdl, database.dsn)
        try:
            made = Reads(
                Reader(BUILT.mapping, pool, schema.VIEWER_CASTS, tools=KEYS, constants=CONSTANTS, clock=lambda: NOW),
                oracle,
                await viewers(connection),
                await supply(connection),
            )
            made.roots = {kind: permitted(kind) for kind in Kind}
            yield made
        finally:
            await pool.close()
            await oracle.connection.close()
            await connection.close()


def permitted(kind: Kind) -> list[str]:
    """Give the root fields of reads that a kind of viewer may call."""
    assert ROOT is not None
    return [name for name, each in ROOT.fields.items() if kind in access_of(each).kinds]


async def supply(connection: asyncpg.Connection) -> Supply:
    """Give values for arguments out of real rows, and some that fit nothing."""
    ids, cursors = [], {}
    for name, stored in BUILT.mapping.tables.items():
        if not stored.tag:
            continue
        if stored.again:
            keys = await given.keys(connection, name)
            ids += [make_id(BUILT.mapping, name, *key) for key in Random(SEED).sample(keys, min(len(keys), 12))]
            continue
        there = f"{stored.key[0]} is not null"
        rows = await connection.fetch(
            f"select {', '.join(stored.key)} from {stored.table} where {there} order by random() limit 12"
        )
        ids += [make_id(BUILT.mapping, name, *row.values()) for row in rows]
        cursors[name] = [make_cursor(name, str(row["id" if "id" in row else stored.key[-1]])) for row in rows]
    for name, column in (
        ("NewsItem", "seq"),
        ("ChannelPreference", "topic"),
        ("AuditEntry", "number"),
        ("Terms", "version"),
        ("OpeningSpan", "opens_at"),
    ):
        table = BUILT.mapping.tables[name].table
        cursors[name] = [
            make_cursor(name, str(row[0])) for row in await connection.fetch(f"select {column} from {table} limit 12")
        ]
    changed = await connection.fetch("select updated_at::text, id::text from procedure order by random() limit 12")
    cursors["Procedure.LAST_CHANGED"] = [make_cursor("Procedure/changed", *row.values()) for row in changed]
    due = await connection.fetch(
        "select coalesce(implied_decision_on, '9999-12-31')::text, id::text from procedure order by random() limit 12"
    )
    cursors["Procedure.DEADLINE"] = [make_cursor("Procedure/deadline", *row.values()) for row in due]
    said = await connection.fetch("select number::text, id::text from procedure_message order by random() limit 12")
    cursors["ProcedureMessage"] = [make_cursor("ProcedureMessage", *row.values()) for row in said]
    asked = await connection.fetch("select position::text, id::text from required_document limit 12")
    cursors["RequiredDocument"] = [make_cursor("RequiredDocument", *row.values()) for row in asked]
    asked = await connection.fetch("select position::text, request_id::text from requested_document limit 12")
    cursors["RequestedDocument"] = [make_cursor("RequestedDocument", *row.values()) for row in asked]
    categories = await connection.fetch("select position::text, id::text from page_category")
    cursors["PageCategory"] = [make_cursor("PageCategory", *row.values()) for row in categories]
    accepted = await connection.fetch("select version::text, account_id::text from terms_acceptance limit 12")
    cursors["TermsAcceptance"] = [make_cursor("TermsAcceptance", *row.values()) for row in accepted]
    secrets = await connection.fetch("select id::text from partner_secret")
    cursors["PartnerSecret"] = [make_cursor("PartnerSecret", row[0]) for row in secrets]
    tries = await connection.fetch("select id::text from webhook_attempt limit 12")
    cursors["WebhookAttempt"] = [make_cursor("WebhookAttempt", row[0]) for row in tries]
    places = await connection.fetch("select position::text from procedure_feed where position is not null limit 12")
    cursors["ProcedureFeedEvent"] = [make_cursor("ProcedureFeedEvent", row[0]) for row in places]
    cursors["Page@suggestedPages"] = [
        make_cursor("Page/suggested", "1", str(row[0])) for row in await connection.fetch("select id from page")
    ]
    tariffs = await connection.fetch("select position::text, id::text from tariff")
    cursors["Tariff"] = [make_cursor("Tariff", *row.values()) for row in tariffs]
    prices = await connection.fetch("select valid_from::text, quotient_from::text, id::text from tariff_price")
    cursors["TariffPrice"] = [make_cursor("TariffPrice", *row.values()) for row in prices]
    parts = await connection.fetch("select distinct position::text from invoice_line limit 12")
    cursors["InvoiceLine"] = [make_cursor("InvoiceLine", row[0]) for row in parts]
    for name, table, column in (
        ("Consumption", "consumption", "day::text"),
        ("DraftLine", "draft_line", "position::text"),
        ("DraftInvoice", "draft_invoice", "total_cents::text"),
        ("BillingCheck", "billing_check", "code"),
        ("BankMessage", "bank_message", "first_at::text"),
    ):
        found = await connection.fetch(f"select {column}, id::text from {table} limit 12")
        cursors[name] = [make_cursor(name, *row.values()) for row in found]
    days = await connection.fetch("select day::text, id::text from daily_closing")
    cursors["DailyClosing"] = [make_cursor("DailyClosing", *row.values()) for row in days]
    totals = await connection.fetch("select means, id::text from daily_total")
    cursors["DailyTotal"] = [make_cursor("DailyTotal", *row.values()) for row in totals]
    cursors["TillTotal"] = [make_cursor("TillTotal", text) for text in ("2026-11-20/CHEQUE", "", "é")]
    entries = await connection.fetch(
        "select e.happened_at::text, e.id from family f, account_entries(f.id, null, null) e limit 12"
    )
    cursors["RoutingStep"] = [make_cursor("RoutingStep", "1", "PAYMENT:EMAIL"), make_cursor("RoutingStep", "2", "")]
    cursors["AccountEntry"] = [make_cursor("AccountEntry", *row.values()) for row in entries]
    cursors["StatisticsRow"] = [make_cursor("StatisticsRow", text) for text in ("*/*/*/*", "*/cantine/*/*", "")]
    cursors["RevenueRow"] = [make_cursor("RevenueRow", text) for text in ("2026-11-01/cantine", "2026", "")]
    ids += ["", "AAAA", "!", "é", make_id(BUILT.mapping, "Member", uuid7(), uuid7()), "anonymous"]
    texts = await connection.fetch(
        "select number from family union all select reference from procedure "
        "union all select number from invoice union all select reference from invoice"
    )
    names = [*(row[0] for row in texts), *TEXTS]
    codes = [row[0] for row in await connection.fetch("select code from procedure_kind")]
    searches = ["cantine", "piscine ouverte", "mention legal", *(text[:2] for text in names), "%", "_", "\\", ""]
    references = [row[0] for row in await connection.fetch("select distinct actor_id::text from audit_entry limit 5")]
    values = {
        "id": ids,
        "ids": ids,
        "number": names,
        "reference": names,
        "code": [*codes, "repas-cantine", *TEXTS],
        "kind": [*codes, *TEXTS],
        "acts": ["signed_in", "account_seen", *TEXTS],
        "actorReference": [*references, *TEXTS],
        "familyNumber": names,
        "done": [True, False],
        "text": [*searches, *names],
        "member": ids,
        "firstDay": ["2025-06-01", "0001-01-01", "9999-12-31"],
        "lastDay": ["2025-06-01", "0001-01-01", "9999-12-31"],
        "dueUntil": ["2026-12-31", "0001-01-01", "9999-12-31"],
        "service": ["cantine", "etat-civil", *TEXTS],
        "since": ["2025-06-01T00:00:00Z", "9999-12-31T23:59:59Z"],
        "at": ["2026-12-24T11:00:00Z", "2026-07-14T11:00:00Z"],
        "openAt": ["2026-12-24T11:00:00Z"],
        "latitude": [44.8, -91.5, 0.0],
        "longitude": [-0.63, 360.0, 0.0],
        "category": ["enfance", "papiers", *TEXTS],
        "place": ["mairie", "piscine", *TEXTS],
        "slug": ["mentions-legales", "cantine-inscription", *TEXTS],
        "day": ["2026-01-01", "2000-01-01", "9999-12-31"],
        "from": ["2026-01-15", "0001-01-01"],
        "since:Date": ["2026-11-02", "0001-01-01", "9999-12-31"],
        "family": ids,
        "month": ["2026-10-01", "2026-11-15", "0001-01-01", "9999-12-31"],
        "period": ["2026-10-15", "2026-11-01", "0001-01-01", "9999-12-31"],
        "until:Date": ["2026-11-02", "9999-12-31"],
        "services": ["cantine", "periscolaire", *TEXTS],
        "until": ["2025-06-01T00:00:00+02:00", "0001-01-01T00:00:00Z"],
    }
    ranked = {"Page": ["search"], "Place": ["latitude"]}
    return Supply({**values, "search": searches, "version": [0, 1, 2, -(2**31), 2**31 - 1]}, cursors, ranked)


def make_cursor(name: str, *values: str) -> str:
    """Make the cursor of a row."""
    return base64.b64encode(json.dumps([name, *values], ensure_ascii=False).encode()).decode()


async def test_a_planned_read_answers_what_the_specification_says(reads: Reads) -> None:
    """Random documents over the whole schema, every kind of viewer; key order included."""
    answered = 0
    for start in range(SEED, SEED + DOCUMENTS, 3):
        answered += sum(await asyncio.gather(*(reads.compare(seed) for seed in range(start, start + 3))))
    assert answered > DOCUMENTS * 0.6, "most documents have an answer to compare"


def test_the_documents_reach_every_field_that_can_be_read() -> None:
    assert ROOT is not None
    objects = [each for each in BUILT.graphql.type_map.values() if isinstance(each, GraphQLObjectType)]
    names = {argument for each in objects for field in each.fields.values() for argument in field.args}
    anything = Supply({name: ["x"] for name in names} | {"version": [1]}, {})
    chosen: set[tuple[str, str]] = set()
    wanted = readable()
    for seed in range(20_000):
        written = document(BUILT.graphql, anything, list(ROOT.fields), seed)
        info = TypeInfo(BUILT.graphql)
        visit(written.node, TypeInfoVisitor(info, Chosen(info, chosen)))
        if wanted <= chosen:
            break
    assert wanted - chosen == set()


class Chosen(Visitor):
    """Notes the fields of a document."""

    def __init__(self, info: TypeInfo, chosen: set[tuple[str, str]]) -> None:
        super().__init__()
        self.info, self.chosen = info, chosen

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        """Note one field."""
        parent = self.info.get_parent_type()
        assert parent is not None
        self.chosen.add((parent.name, node.name.value))


def readable() -> set[tuple[str, str]]:
    """Give every (type, field) under the root of reads."""
    assert BUILT.graphql.query_type is not None
    waiting: list[GraphQLNamedType] = [BUILT.graphql.query_type]
    found: set[tuple[str, str]] = set()
    seen: set[str] = set()
    while waiting:
        each = waiting.pop()
        if each.name in seen:
            continue
        seen.add(each.name)
        if isinstance(each, GraphQLInterfaceType):
            waiting += BUILT.graphql.get_possible_types(each)
        if isinstance(each, GraphQLObjectType):
            found |= {(each.name, field) for field in each.fields}
            waiting += [get_named_type(field.type) for field in each.fields.values()]
    return found


def written(text: str, **variables: Any) -> Written:
    """Give a document as the random ones are given."""
    node = parse(text)
    assert validate(BUILT.graphql, node) == []
    return Written(text, node, variables, False)


def family(reads: Reads) -> Viewer:
    """Give a family that looks."""
    return next(viewer for viewer in reads.viewers if viewer.kind is Kind.FAMILY)


async def test_a_key_may_look_like_the_type_of_a_node(reads: Reads) -> None:
    """`__typename` is a name like any other when it is an alias."""
    family_id = family(reads).family_id
    assert family_id is not None
    identity = make_id(BUILT.mapping, "Family", family_id)
    asked = written("query ($id: ID!) { node(id: $id) { __typename: id } }", id=identity)
    assert json.loads(await reads.planned(asked, family(reads))) == {"node": {"__typename": identity}}
    walked = await reads.walked(asked, family(reads))
    assert (walked.errors, walked.data) == (None, {"node": {"__typename": identity}})


async def test_a_null_condition_is_refused_even_when_the_true_one_was_planned(reads: Reads) -> None:
    asked = "query ($yes: Boolean = true) { terms { version @include(if: $yes) } }"
    assert json.loads(await reads.planned(written(asked, yes=True), anonymous()))["terms"]["version"] == 1
    with pytest.raises(GraphQLError):
        await reads.planned(written(asked, yes=None), anonymous())


async def test_one_plan_serves_all_values_and_each_combination_of_conditions_has_its_own(reads: Reads) -> None:
    asked = "query ($n: Int, $a: Boolean!) { procedures(first: $n) { edges { node { id @skip(if: $a) } } } }"
    looks = next(each for each in reads.viewers if len(each.services) > 2)
    before = reads.reader.planned
    for size in (1, 2, 3):
        answer = json.loads(await reads.planned(written(asked, n=size, a=False), looks))
        assert len(answer["procedures"]["edges"]) == size
    assert reads.reader.planned == before + 1
    await reads.planned(written(asked, n=1, a=True), looks)
    await reads.planned(written(asked, a=True), looks)
    assert reads.reader.planned == before + 3


@pytest.mark.parametrize("side", ["first", "last"])
@pytest.mark.parametrize("size", [1, 2, 3, 7])
async def test_pages_put_together_are_the_whole_list_both_ways(reads: Reads, side: str, size: int) -> None:
    forward = side == "first"
    cursor = "after" if forward else "before"
    text = f"""query ($n: Int, $c: String) {{ procedures({side}: $n, {cursor}: $c) {{ totalCount
        pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} edges {{ cursor node {{ id }} }} }} }}"""
    everything = json.loads(
        await reads.planned(written("{ procedures(first: 100) { edges { node { id } } } }"), family(reads))
    )
    wanted = [edge["node"]["id"] for edge in everything["procedures"]["edges"]]
    found: list[str] = []
    place = None
    while True:
        page = json.loads(await reads.planned(written(text, n=size, c=place), family(reads)))["procedures"]
        assert page["totalCount"] == len(wanted)
        ids = [edge["node"]["id"] for edge in page["edges"]]
        found = found + ids if forward else ids + found
        place = page["pageInfo"]["endCursor" if forward else "startCursor"]
        assert place == page["edges"][-1 if forward else 0]["cursor"]
        if not page["pageInfo"]["hasNextPage" if forward else "hasPreviousPage"]:
            break
    assert found == wanted and len(wanted) > 3


async def test_an_object_with_more_keys_than_a_function_takes_arguments_is_whole(reads: Reads) -> None:
    keys = [f"k{number}: version" for number in range(130)]
    answer = json.loads(await reads.planned(written(f"{{ terms {{ {' '.join(keys)} }} }}"), anonymous()))
    assert list(answer["terms"]) == [f"k{number}" for number in range(130)]


async def test_a_selection_of_which_nothing_is_left_is_an_empty_object(reads: Reads) -> None:
    asked = written("{ viewer @skip(if: true) { id } terms { version @skip(if: true) } }")
    assert json.loads(await reads.planned(asked, anonymous())) == {"terms": {}}


async def test_answers_to_forms_come_back_as_they_were_stored(reads: Reads) -> None:
    """Numbers, order of keys and spaces are the family's: JSON is not read on the way."""
    stored = await reads.oracle.connection.fetch(
        "select reference, answers::text as text from procedure where submitted_at is not null"
    )
    agent = next(each for each in reads.viewers if each.kind is Kind.AGENT and len(each.services) > 2)
    for row in stored[:40]:
        asked = written("query ($r: String!) { procedure(reference: $r) { answers } }", r=row["reference"])
        assert row["text"].encode() in await reads.planned(asked, agent)
