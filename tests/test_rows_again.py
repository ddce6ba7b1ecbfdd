"""Rows of reports are nodes: their ids give them again, to whom the list would give them, and no two questions mix."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from graphql import GraphQLObjectType, get_named_type, is_leaf_type

import schema
from db.ids import uuid7
from resolvers.reading.identity import LONGEST_ID, NotOurs, make_id, read_id
from tests.counters import cashier, take
from tests.house import House
from tests.purse import invoice, pay
from tests.test_partner_feed import numbered
from tests.test_partners import admin, made, partner, service_id, token
from tests.test_revenue import publish
from tests.test_statistics import GROUPS

BUILT = schema.build()
NODES = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id %s } }"
NODE = "query ($id: ID!) { node(id: $id) { __typename id } }"
PARIS = ZoneInfo("Europe/Paris")


CHANGED = """
    with used as (
        insert into consumption (family_id, day, member_id, tariff_id, id, service_id, quantity, source, recorded_at,
            changed_at)
        select m.family_id, date '2026-01-08', m.id, t.id, gen_random_uuid(), t.service_id, 2, 'IMPORT', now(), now()
        from (select * from member limit 1) m, (select * from tariff limit 1) t returning *
    )
    insert into consumption_change (family_id, consumption_id, id, service_id, from_quantity, to_quantity, source,
        changed_at)
    select family_id, id, gen_random_uuid(), service_id, n, n + 1, 'IMPORT', now() from used, generate_series(1, 3) n
"""
"""Three changes of one consumption."""


def written(type_name: str) -> str:
    """Give everything that a type tells of itself, down to its leaves."""
    holder = BUILT.graphql.type_map[type_name]
    assert isinstance(holder, GraphQLObjectType)
    return " ".join(_written(holder))


INSIDE = {"Money": "cents", "Service": "code"}


def _written(holder: GraphQLObjectType) -> Iterator[str]:
    for name, each in holder.fields.items():
        target = get_named_type(each.type)
        if is_leaf_type(target):
            yield name
        elif target.name in INSIDE:
            yield f"{name} {{ {INSIDE[target.name]} }}"
        else:
            yield f"{name} {{ id }}"


@dataclass(frozen=True, slots=True)
class Report:
    """A list whose rows a function gives, or that had no ids of nodes; and who may read it."""

    type_name: str
    text: str
    """The list, with `ROWS` for the selection."""

    def query(self) -> str:
        """Give the whole operation."""
        rows = f"pageInfo {{ hasNextPage endCursor }} edges {{ node {{ __typename {written(self.type_name)} }} }}"
        return self.text.replace("ROWS", rows).replace("PAGE", "first: 50, after: $after")


STATISTICS = Report(
    "StatisticsRow",
    """query ($by: [StatisticsGroup!]!, $from: Date, $until: Date, $services: [String!], $after: String) {
        statistics(groupBy: $by, from: $from, until: $until, services: $services, PAGE) { ROWS } }""",
)
REVENUE = Report(
    "RevenueRow",
    """query ($from: Date, $until: Date, $services: [String!], $after: String) {
        revenue(from: $from, until: $until, services: $services, PAGE) { ROWS } }""",
)
TILL = Report("TillTotal", "query ($day: Date!, $after: String) { tillTotals(day: $day, PAGE) { ROWS } }")
ENTRIES = Report(
    "AccountEntry",
    """query ($since: Date, $until: Date, $after: String) { viewer { family {
        statement(since: $since, until: $until, PAGE) { ROWS } } } }""",
)
ROUTES = Report(
    "RoutingStep",
    """query ($topic: Topic!, $after: String) { viewer { family {
        previewRouting(topic: $topic, PAGE) { ROWS } } } }""",
)
FEED = Report("ProcedureFeedEvent", "query ($after: String) { procedureEvents(PAGE) { ROWS } }")


async def rows(house: House, access: str, report: Report, **given: Any) -> list[Any]:
    """Give the rows of a list, page by page."""
    gathered: list[Any] = []
    after = None
    while True:
        found = (await house.ask(report.query(), access, **given, after=after)).data
        while "edges" not in found:
            [found] = found.values()
        gathered += [edge["node"] for edge in found["edges"]]
        if not found["pageInfo"]["hasNextPage"]:
            return gathered
        after = found["pageInfo"]["endCursor"]


async def again(house: House, access: str, report: Report, ids: list[str]) -> list[Any]:
    """Give the same rows by their ids, in both ways."""
    selection = f"... on {report.type_name} {{ {written(report.type_name)} }}"
    found: list[Any] = []
    for start in range(0, len(ids), 50):
        found += (await house.ask(NODES % selection, access, ids=ids[start : start + 50])).data["nodes"]
    for identity, node in zip(ids[:3], found, strict=False):
        alone = (await house.ask(NODE, access, id=identity)).data["node"]
        assert alone == (node and {"__typename": node["__typename"], "id": node["id"]})
    return found


async def told_again(house: House, access: str, report: Report, **given: Any) -> list[Any]:
    """See that a list's rows are given again as they were; give them."""
    found = await rows(house, access, report, **given)
    assert found, f"{report.type_name} {given}: there is something to look for"
    assert await again(house, access, report, [row["id"] for row in found]) == found
    return found


async def hidden(house: House, access: str | None, ids: list[str]) -> None:
    """See that ids give nothing to somebody."""
    for start in range(0, len(ids), 100):
        some = ids[start : start + 100]
        assert (await house.ask(NODES % "", access, ids=some)).data["nodes"] == [None] * len(some)
    assert ids


SINCE, UNTIL = [(date.today() - timedelta(days=days)).isoformat() for days in (310, 33)]
QUESTIONS: list[dict[str, Any]] = [
    {"by": list(by), "from": first, "until": last, "services": services}
    for by, (first, last), services in product(
        ((), ("KIND",), ("MONTH", "SERVICE"), GROUPS),
        ((None, None), (SINCE, None), (SINCE, UNTIL), (None, "9999-12-30"), ("0001-01-02", None)),
        (None, ["cantine"], ["cantine", "periscolaire"]),
    )
]


async def test_counts_are_given_again_and_no_two_questions_share_an_id(house: House) -> None:
    access = await admin(house)
    known: dict[str, int] = {}
    for number, question in enumerate(QUESTIONS):
        for row in await told_again(house, access, STATISTICS, **question):
            assert known.setdefault(row["id"], number) == number, (question, QUESTIONS[known[row["id"]]])
    assert len(known) > len(QUESTIONS)


async def test_the_same_question_in_other_words_has_the_same_ids(house: House) -> None:
    access = await admin(house)
    asked = {"by": ["MONTH", "SERVICE"], "services": ["cantine", "periscolaire"], "from": SINCE}
    found = await told_again(house, access, STATISTICS, **asked)
    for other in (
        {"by": ["SERVICE", "MONTH", "SERVICE"]},
        {"services": ["periscolaire", "cantine", "cantine"]},
        {"services": ["periscolaire", "there is none", "cantine", "'", '"', "{", "\\", "é"]},
        {"until": None},
        {"until": "9999-12-31"},
    ):
        assert await rows(house, access, STATISTICS, **{**asked, **other}) == found
    nothing = await rows(house, access, STATISTICS, **{**asked, "services": []})
    assert nothing == []


async def test_a_row_of_revenue_is_the_same_row_whatever_months_were_asked_for(house: House) -> None:
    family, _ = await house.member()
    await invoice(house.connection, family.id, 1000)
    till = await cashier(house)
    found = {row["id"]: row for row in await told_again(house, till, REVENUE)}
    assert len({(row["month"], row["service"]["code"]) for row in found.values()}) == len(found)
    for row in list(found.values())[:5]:
        narrow = {"from": row["month"], "until": row["month"], "services": [row["service"]["code"]]}
        assert await rows(house, till, REVENUE, **narrow) == [row]


async def test_a_days_totals_are_given_again(house: House) -> None:
    house.clock.ahead = timedelta(hours=house.clock().astimezone(PARIS).hour == 23)  # no day ends meanwhile
    family, _ = await house.member()
    till = await cashier(house)
    owed = await invoice(house.connection, family.id, 10_000)
    await take(house, till, [owed.reference], ("CASH", 1000), ("CHEQUE", 2000))
    today = house.clock().astimezone(PARIS).date()
    ids = [row["id"] for row in await told_again(house, till, TILL, day=str(today))]
    await take(house, till, [owed.reference], ("CASH", 500))
    assert [row["id"] for row in await told_again(house, till, TILL, day=str(today))] == ids
    house.clock.ahead += timedelta(hours=25)  # the longest day of the year
    till = await cashier(house)
    await take(house, till, [owed.reference], ("CASH", 700))
    later = await told_again(house, till, TILL, day=str(house.clock().astimezone(PARIS).date()))
    assert set(ids).isdisjoint(row["id"] for row in later)
    _, family_token = await house.member()
    for access in (await house.agent(), family_token, await partner(house), None):
        await hidden(house, access, ids)


async def test_an_entry_has_its_balance_whatever_days_were_asked_for(house: House) -> None:
    family, access = await house.member()
    first = await invoice(house.connection, family.id, 1000, at=house.clock() - timedelta(days=40))
    await invoice(house.connection, family.id, 700)
    await pay(house.connection, family.id, 300, [first.id])
    found = await told_again(house, access, ENTRIES)
    since = str((house.clock() - timedelta(days=2)).date())
    assert await rows(house, access, ENTRIES, since=since) == found[1:]
    ids = [row["id"] for row in found]
    assert await again(house, await cashier(house), ENTRIES, ids[:1]) != [None]
    _, stranger = await house.member()
    for other in (stranger, await house.agent(), await partner(house), None):
        await hidden(house, other, ids)


async def test_steps_of_the_routing_are_a_familys_and_of_a_topic(house: House) -> None:
    _, access = await house.member()
    _, stranger = await house.member()
    found: list[str] = []
    for topic in ("PAYMENT", "INVOICE_ISSUED"):
        for token_of in (access, stranger):
            found += [row["id"] for row in await told_again(house, token_of, ROUTES, topic=topic)]
    assert len(set(found)) == len(found) == 8
    ids = [row["id"] for row in await rows(house, access, ROUTES, topic="PAYMENT")]
    for other in (stranger, await house.agent(), await admin(house), await partner(house), None):
        await hidden(house, other, ids)


async def test_steps_of_the_feed_are_given_again_to_partners_of_the_service_with_the_scope(house: House) -> None:
    await numbered(house)
    found = await told_again(house, await partner(house), FEED)
    positions = [int(row["messageId"].removeprefix("evt_")) for row in found]
    assert positions == sorted(set(positions))
    ids = [row["id"] for row in found]
    _, client, secret = await made(house, services=[await service_id(house, "etat-civil")])
    elsewhere = (await token(house, {}, (client, secret))).access
    _, family = await house.member()
    for other in (elsewhere, await partner(house, scope="statistics:read"), family, await admin(house), None):
        await hidden(house, other, ids)
    await house.connection.execute("update procedure_feed set position = null where position = $1", positions[0])
    assert (await again(house, await partner(house), FEED, ids))[:2] == [None, found[1]]


async def test_counts_and_sums_are_given_to_whom_the_list_gives_them(house: House) -> None:
    """Without the scope or the till nothing; with it what the list would say of one's own services."""
    made_for, family = await house.member()
    for lines in ({"cantine": [1000]}, {"etat-civil": [500]}):
        await publish(house, made_for.id, lines, date(2031, 3, 1), cesu=False)
    top = await admin(house)
    counts = [row["id"] for row in await rows(house, top, STATISTICS, by=["SERVICE", "MONTH"])]
    sums = [row["id"] for row in await rows(house, await cashier(house), REVENUE)]
    for nobody in (family, await partner(house, scope="procedures:read"), None):
        await hidden(house, nobody, counts)
        await hidden(house, nobody, sums)
    await hidden(house, await house.agent(), sums)
    await hidden(house, await partner(house, scope="statistics:read"), sums)
    await hidden(house, await partner(house, scope="invoices:aggregate"), counts)
    for report, ids, access, given in (
        (STATISTICS, counts, await partner(house, scope="statistics:read"), {"by": ["MONTH", "SERVICE"]}),
        (STATISTICS, counts, await house.agent(), {"by": ["MONTH", "SERVICE"]}),
        (REVENUE, sums, await partner(house, scope="invoices:aggregate"), {}),
    ):
        listed = {row["id"]: row for row in await rows(house, access, report, **given)}
        assert set(listed) < set(ids), "somebody else sees more"
        assert await again(house, access, report, ids) == [listed.get(identity) for identity in ids]


def spoiled(type_name: str, key: list[Any]) -> Iterator[str]:
    """Give ids that look like one of a type and are none."""
    tag = BUILT.mapping.tables[type_name].tag
    values: list[Any] = ["", "x", "\0", "é", "\U0010ffff", None, [], ["\0"], "x" * 3000, "9" * 30, "-1", "0001-01-01"]
    values += ["10000-01-01", "2026-02-30", "infinity", "'", "{}", '{"a"', "NaN", 1, 1.5, True, {}, [["x"]], [None]]
    for place, value in product(range(len(key)), values):
        if value != key[place]:
            yield raw(tag, json.dumps([*key[:place], value, *key[place + 1 :]], ensure_ascii=False))
    text = json.dumps(key, ensure_ascii=False)
    for other in (text + " ", " " + text, text.replace(", ", ","), text[:-1], text[1:], text + text, "[]", "null", ""):
        yield raw(tag, other)
    yield raw(tag, json.dumps([*key, None]))
    yield raw(tag, json.dumps(key[:-1]))
    yield raw(tag, text.replace('"', '"\\u0000', 1))
    yield raw(tag, text.replace('"', '"\\ud800', 1))
    yield raw(tag, '["' + "x" * LONGEST_ID + '"]')
    yield raw(tag, "[" * 5000)
    yield base64.b64encode(bytes([tag]) + uuid7().bytes * len(key)).decode()
    yield base64.b64encode(bytes([tag]) + b"\xff\xfe" + text.encode()).decode()


def raw(tag: int, text: str) -> str:
    """Write an id by hand."""
    return base64.b64encode(bytes([tag]) + text.encode("utf-8", "surrogatepass")).decode()


async def test_spoiled_ids_find_nothing_and_break_nothing(house: House) -> None:
    family, access = await house.member()
    await invoice(house.connection, family.id, 1000)
    await numbered(house)
    top = await admin(house)
    for report, viewer, given in (
        (STATISTICS, top, {"by": ["MONTH"], "from": "2026-01-01", "services": ["cantine"]}),
        (REVENUE, top, {}),
        (ENTRIES, access, {}),
        (ROUTES, access, {"topic": "PAYMENT"}),
        (FEED, await partner(house), {}),
    ):
        [row, *_] = await rows(house, viewer, report, **given)
        key = json.loads(base64.b64decode(row["id"])[1:])
        assert make_id(BUILT.mapping, report.type_name, *key) == row["id"]
        wrong = list(dict.fromkeys(spoiled(report.type_name, key)))
        for start in range(0, len(wrong), 50):
            asked = wrong[start : start + 50]
            reply = await house.ask(NODES % "", viewer, ids=asked)
            found = [
                base64.b64decode(text)
                for text, node in zip(asked, reply.data["nodes"], strict=True)
                if node is not None and node["id"] != text
            ]
            assert found == [] and "errors" not in reply.body
        assert await again(house, viewer, report, [row["id"]]) == [row]


async def test_an_id_longer_than_any_of_ours_is_no_id(house: House) -> None:
    long = make_id(BUILT.mapping, "StatisticsRow", "x" * LONGEST_ID, [], None, None, None)
    with pytest.raises(NotOurs):
        read_id(BUILT.mapping, long)
    assert (await house.ask(NODE, await admin(house), id=long)).data["node"] is None


async def test_a_question_about_a_hundred_services_has_room_in_an_id(house: House) -> None:
    await house.connection.execute(
        """insert into service (id, code, name_fr, name_en, address, phone, email, hours_fr, hours_en)
           select gen_random_uuid(), rpad('service-' || n || '-', 40, 'x'), '', '', '', '', '', '', ''
           from generate_series(1, 100) n"""
    )
    codes = [row["code"] for row in await house.connection.fetch("select code from service")]
    assert len(codes) > 100
    await told_again(house, await admin(house), STATISTICS, by=["SERVICE"], services=codes)
    await house.connection.execute("delete from service where code like 'service-%'")


async def test_changes_of_one_consumption_are_told_apart(house: House) -> None:
    """Three UUIDs make their key, and each of them counts."""
    await house.connection.execute(CHANGED)
    changes = await house.connection.fetch(
        "select family_id, consumption_id, id, from_quantity from consumption_change"
    )
    assert len(changes) == 3
    ids = [make_id(BUILT.mapping, "ConsumptionChange", *tuple(row)[:3]) for row in changes]
    found = await house.ask(NODES % "... on ConsumptionChange { fromQuantity }", await cashier(house), ids=ids)
    assert [node["id"] for node in found.data["nodes"]] == ids
    assert [node["fromQuantity"] for node in found.data["nodes"]] == [row["from_quantity"] for row in changes]
