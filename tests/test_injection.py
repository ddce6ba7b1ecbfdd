"""Text of a request never becomes SQL: names, texts, cursors and ids of strangers are parameters or nothing."""

import base64
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import pytest
from graphql import parse, validate
from graphql.execution import get_variable_values
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import schema
from db.pool import Database as Pool
from db.settings import Settings
from resolvers.reading.arguments import BadArgument
from resolvers.reading.identity import NotOurs, make_id, read_cursor, read_id
from resolvers.reading.mapping import Page, node_type, object_type
from resolvers.reading.reader import Plan, Reader
from resolvers.viewer import Viewer, anonymous
from tests.conftest import Cluster
from tests.rows import fill, viewers
from tests.test_reading import parts

BUILT = schema.build()
CONSTANTS = schema.constants(Settings())
MANY = settings(max_examples=150, suppress_health_check=list(HealthCheck))

NAMES = st.from_regex(r"\A[_A-Za-z][_A-Za-z0-9]{0,20}\Z").map(lambda name: f"{name}zqx")
"""Names that GraphQL allows, marked so that they are found again."""
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40).map(lambda text: f"zqx{text}zqx")
"""Any text, marked."""
ATTACKS = st.sampled_from(
    [
        "zqx'; drop table family; --",
        'zqx"); select 1; --',
        "zqx\\' or true --",
        "zqx$1 :family {t}.id {o}.id ::uuid",
        "zqx') union select password_hash from account --",
        "zqx%' escape '!",
        "zqx\N{FULLWIDTH APOSTROPHE}\N{MODIFIER LETTER APOSTROPHE}",
    ]
)
HOSTILE = ATTACKS | TEXTS


class Town:
    """A city, its readers and a family."""

    def __init__(self, reader: Reader, looking: list[Viewer]) -> None:
        self.reader = reader
        self.viewers = looking
        self.plans: list[str] = []

    async def read(self, text: str, viewer: Viewer, /, **variables: Any) -> Any:
        """Read, and keep the statement's text."""
        document = parse(text)
        assert validate(BUILT.graphql, document) == []
        operation, fragments = parts(document)
        coerced = get_variable_values(BUILT.graphql, operation.variable_definitions or (), variables)
        assert not isinstance(coerced, list)
        try:
            data = await self.reader.whole(text, operation, fragments, coerced, viewer)
        finally:
            self.plans = [plan.sql for plan in self.reader._plans.values() if isinstance(plan, Plan)]
            self.reader._plans.clear()
        assert data is not None
        return msgspec.json.decode(data)


@pytest.fixture(scope="module")
async def town(cluster: Cluster) -> AsyncIterator[Town]:
    """Give a city to attack."""
    async with cluster.database("city") as database:
        connection = await asyncpg.connect(database.dsn, timeout=10)
        await fill(connection)
        looking = await viewers(connection)
        await connection.close()
        pool = await Pool.open(database.dsn, size=2, command_seconds=30, statement_seconds=30)
        try:
            yield Town(Reader(BUILT.mapping, pool, schema.VIEWER_CASTS, constants=CONSTANTS), looking)
        finally:
            await pool.close()


def _clean(town: Town) -> None:
    assert town.plans and all("zqx" not in sql.lower() for sql in town.plans)


@MANY
@given(operation=NAMES, fragment=NAMES, variable=NAMES, aliases=st.lists(NAMES, min_size=4, max_size=4, unique=True))
async def test_no_name_of_a_request_is_in_the_statement(
    town: Town, operation: str, fragment: str, variable: str, aliases: list[str]
) -> None:
    a, b, c, d = aliases
    text = f"""query {operation}(${variable}: Int = 2) {{
        {a}: procedureKinds(first: ${variable}) {{
            {b}: edges {{ {c}: node {{ ...{fragment} }} }} {d}: pageInfo {{ {c}: endCursor }} }}
        {d}: viewer {{ {a}: family {{ {b}: members {{ {c}: totalCount }} {c}: name }} {d}: __typename }} }}
        fragment {fragment} on ProcedureKind {{ {d}: code {a}: service {{ {b}: name }} }}"""
    answer = await town.read(text, town.viewers[4])
    _clean(town)
    assert list(answer) == [a, d] and list(answer[a]) == [b, d] and list(answer[d]) == [a, d]
    assert list(answer[a][b][0][c]) == [d, a]


@MANY
@given(text=HOSTILE)
async def test_no_text_of_a_request_is_in_the_statement_be_it_written_or_a_variable(town: Town, text: str) -> None:
    literal = json.dumps(text)
    agent = next(viewer for viewer in town.viewers if viewer.kind == "AGENT")
    selection = """ {{ procedure(reference: {0}) {{ id }} procedureKind(code: {0}) {{ id }} family(number: {0}) {{ id }}
        families(search: {0}) {{ totalCount }} node(id: {0}) {{ id }} nodes(ids: [{0}]) {{ id }}
        procedures(kind: {0}) {{ totalCount }} }}"""
    for query, variables in (
        (selection.format(literal), {}),
        (f"query ($v: String!, $i: ID!){selection.format('$v')}", {"v": text, "i": text}),
    ):
        query = query.replace("id: $v", "id: $i").replace("ids: [$v]", "ids: [$i]")
        answer = await town.read(query, agent, **variables)
        _clean(town)
        assert answer["procedure"] is answer["procedureKind"] is answer["family"] is answer["node"] is None
        assert answer["nodes"] == [None] and answer["procedures"]["totalCount"] == answer["families"]["totalCount"] == 0


LISTS = {
    "{{ procedureKinds({}) {{ edges {{ node {{ id }} }} }} }}": "ProcedureKind",
    "{{ procedures({}) {{ edges {{ node {{ id }} }} }} }}": "Procedure",
    "{{ viewer {{ family {{ inbox({}) {{ edges {{ node {{ id }} }} }} }} }} }}": "NewsItem",
    "{{ viewer {{ family {{ notificationSettings({}) {{ edges {{ node {{ id }} }} }} }} }} }}": "ChannelPreference",
}


def _cursor(*values: Any) -> str:
    return base64.b64encode(json.dumps(values).encode()).decode()


FORGED = st.one_of(
    HOSTILE,
    st.binary(max_size=60).map(lambda raw: base64.b64encode(raw).decode()),
    st.lists(HOSTILE | st.integers() | st.none() | st.uuids().map(str), max_size=4).map(
        lambda values: _cursor(*values)
    ),
    st.tuples(st.sampled_from(["Procedure", "NewsItem"]), HOSTILE).map(lambda values: _cursor(*values)),
    st.sampled_from(["Procedure", "NewsItem"]).map(lambda name: _cursor(name, "1", "2")),
    st.sampled_from(["NaN", "1e3", "1_0", " 1", "9" * 30, "-9223372036854775809", "+5", "٣"]).map(
        lambda n: _cursor("NewsItem", n)
    ),
    st.integers(10**4, 10**6).map(lambda size: "A" * size),
)


@MANY
@given(cursor=FORGED, shape=st.sampled_from(sorted(LISTS)), backward=st.booleans())
async def test_a_forged_cursor_is_refused_or_a_mere_place_and_never_sql(
    town: Town, cursor: str, shape: str, backward: bool
) -> None:
    """A place that nobody gave out, but of the right form, is a place all the same: it names no row."""
    arguments = "last: 3, before: $c" if backward else "first: 3, after: $c"
    try:
        await town.read("query ($c: String) " + shape.format(arguments), town.viewers[4], c=cursor)
    except BadArgument as refused:
        assert refused.code == "BAD_USER_INPUT" and "zqx" not in refused.message
    _clean_or_none(town)


def _clean_or_none(town: Town) -> None:
    assert all("zqx" not in sql.lower() for sql in town.plans)


@pytest.mark.parametrize("shape", LISTS)
async def test_a_cursor_of_another_type_is_refused(town: Town, shape: str) -> None:
    own = LISTS[shape]
    others = [name for name in BUILT.mapping.tables if name != own]
    for name in others:
        for value in ("1", "TERMS", str(UUID(int=7))):
            with pytest.raises(BadArgument):
                await town.read(
                    "query ($c: String) " + shape.format("first: 3, after: $c"), town.viewers[4], c=_cursor(name, value)
                )


def test_cursors_of_one_list_are_read_back_and_those_of_all_others_are_not() -> None:
    lists = [
        (node_type(object_type(BUILT.graphql, parent, name)).name, reading.order)
        for (parent, name), reading in BUILT.mapping.fields.items()
        if isinstance(reading, Page)
    ]
    orders = {name + order.name: (name, order) for name, order in lists}
    moment = "2026-11-23T08:00:00+00:00"
    samples = {"uuid": str(UUID(int=1)), "bigint": "5", "integer": "5", "text": "TERMS", "timestamptz": moment}
    samples["date"] = "2026-11-23"
    for named, (name, order) in orders.items():
        values = [samples[kind] for _, kind in order.columns]
        assert read_cursor(name, order, _cursor(named, *values)) == values
        for other in orders:
            if other != named:
                with pytest.raises(NotOurs):
                    read_cursor(name, order, _cursor(other, *values))


@MANY
@given(text=HOSTILE | st.binary(max_size=60).map(lambda raw: base64.b64encode(raw).decode()) | st.text(max_size=50))
def test_an_id_is_one_of_ours_or_none_at_all(text: str) -> None:
    try:
        found = read_id(BUILT.mapping, text)
    except NotOurs:
        return
    assert make_id(BUILT.mapping, found.type_name, *found.key) == text or base64.b64decode(text)


async def test_an_id_of_another_type_finds_nothing_under_a_condition_and_no_row_of_ours(town: Town) -> None:
    """The same key under the tag of every other type: null, unless the tables share the key by chance of the test."""
    viewer = next(each for each in town.viewers if each.kind == "FAMILY")
    member = await town.read("{ viewer { family { members(first: 1) { edges { node { id } } } } } }", viewer)
    identity = member["viewer"]["family"]["members"]["edges"][0]["node"]["id"]
    key = read_id(BUILT.mapping, identity).key
    others = [
        name
        for name, stored in BUILT.mapping.tables.items()
        if stored.tag and name != "Member" and len(stored.key) == 2
    ]
    ids = [make_id(BUILT.mapping, name, *key) for name in others]
    assert (await town.read("query ($i: [ID!]!) { nodes(ids: $i) { id } }", viewer, i=ids))["nodes"] == [None] * len(
        ids
    )
    cut = base64.b64encode(base64.b64decode(identity)[:-1]).decode()
    for wrong in (cut, identity + "AAAA", identity.lower(), "", "="):
        assert (await town.read("query ($i: ID!) { node(id: $i) { id } }", viewer, i=wrong))["node"] is None


async def test_more_ids_than_a_page_are_refused(town: Town) -> None:
    with pytest.raises(BadArgument):
        await town.read("query ($i: [ID!]!) { nodes(ids: $i) { id } }", anonymous(), i=["x"] * 101)


@pytest.mark.parametrize(
    "arguments",
    [
        "first: -1",
        "first: 101",
        "last: 101",
        "last: -1",
        "first: 1, last: 1",
        'after: ""',
        'last: 1, after: "x"',
        'before: "x"',
    ],
)
async def test_a_page_that_makes_no_sense_is_refused(town: Town, arguments: str) -> None:
    with pytest.raises(BadArgument):
        await town.read(f"{{ procedureKinds({arguments}) {{ totalCount }} }}", anonymous())
