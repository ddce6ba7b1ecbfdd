"""Refusals that no story tells of: each refused, and without effect."""

import base64
import json
from typing import Any

import pytest

import schema
from db.ids import uuid7
from resolvers.reading.identity import make_id
from tests.house import START, House
from tests.live import Socket

CHANNELS = """mutation ($channels: [Channel!]!) {
    setChannelPreferences(topic: PROCEDURE_STATUS, channels: $channels) { problems { code path } } }"""
SAVE = "mutation ($procedure: ID!) { saveDraft(procedure: $procedure, answers: {}) { problems { code path } } }"
SUBMIT = """mutation ($procedure: ID!) { submitProcedure(procedure: $procedure, attests: false) {
    problems { code path } } }"""
MARK = "mutation ($items: [ID!]!) { markRead(items: $items) { problems { code path } } }"
FOLLOW = "subscription ($after: String) { news(after: $after) { cursor } }"
FOLLOW_ONE = "subscription { procedureStatusChanged { cursor } }"
LIST = """query ($first: Int, $after: String, $last: Int, $before: String) {
    procedures(first: $first, after: $after, last: $last, before: $before) { edges { cursor } } }"""


@pytest.mark.parametrize(
    ("channels", "code"),
    [([], "BAD_USER_INPUT"), (["EMAIL", "EMAIL"], "BAD_USER_INPUT"), (["SMS"], "CHANNEL_NOT_AVAILABLE")],
)
async def test_channels_that_cannot_be_are_not_set(house: House, channels: list[str], code: str) -> None:
    family, token = await house.member()
    assert await house.problems(CHANNELS, token, channels=channels) == [code]
    chosen = "select count(*) from channel_preference where family_id = $1"
    assert await house.connection.fetchval(chosen, family.id) == 0


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"kind": "il-n-y-en-a-pas"}, "KIND_NOT_OPEN"),
        ({"key": "court"}, "BAD_USER_INPUT"),
        ({"key": "x" * 101}, "BAD_USER_INPUT"),
    ],
)
async def test_a_procedure_that_cannot_be_is_not_started(house: House, changed: dict[str, str], code: str) -> None:
    family, token = await house.member()
    given = {"kind": "cantine", "key": "une-clef-de-test"} | changed
    assert await house.problems(START, token, **given) == [code]
    assert await house.connection.fetchval("select count(*) from procedure where family_id = $1", family.id) == 0
    keys = "select count(*) from idempotency_key where family_id = $1"
    assert await house.connection.fetchval(keys, family.id) == 0


async def test_nothing_is_submitted_without_an_attestation_nor_changed_afterwards(house: House) -> None:
    _, token = await house.member()
    state = "select status, answers::text from procedure order by id desc limit 1"
    draft = (await house.do(START, token, kind="cantine", key="une-clef-de-test"))["procedure"]["id"]
    assert await house.problems(SUBMIT, token, procedure=draft) == ["ATTESTATION_MISSING"]
    assert await house.connection.fetchval(state) == "DRAFT"
    sent = await house.submitted(token)
    before = await house.connection.fetchrow(state)
    assert await house.problems(SAVE, token, procedure=sent) == ["MOVE_NOT_ALLOWED"]
    assert await house.connection.fetchrow(state) == before


def cursor(*values: Any) -> str:
    """Write a cursor as the portal does."""
    return base64.b64encode(json.dumps(values).encode()).decode()


@pytest.mark.parametrize(
    "page",
    [
        {"first": 1, "last": 1},
        {"first": 101},
        {"first": -1},
        {"last": 101},
        {"last": 1, "after": "GOOD"},
        {"first": 1, "before": "GOOD"},
        {"before": "GOOD"},
        {"first": 1, "after": "x" * 5_000},
        {"first": 1, "after": "%%%"},
        {"first": 1, "after": cursor("Member", "00000000-0000-0000-0000-000000000000")},
        {"first": 1, "after": cursor("Procedure")},
        {"first": 1, "after": cursor("Procedure", "not an id")},
        {"first": 1, "after": cursor("Procedure", 7)},
    ],
    ids=str,
)
async def test_a_page_that_cannot_be_is_refused(house: House, page: dict[str, Any]) -> None:
    _, token = await house.member()
    await house.submitted(token)
    good = (await house.ask(LIST, token, first=1)).data["procedures"]["edges"][0]["cursor"]
    given = {name: good if value == "GOOD" else value for name, value in page.items()}
    assert (await house.ask(LIST, token, **given)).codes == ["BAD_USER_INPUT"]


@pytest.mark.parametrize("topic", ["T" * 1_000, "TERMS\0"], ids=["too long", "a zero byte"])
async def test_a_cursor_of_words_that_no_row_can_have_is_refused(house: House, topic: str) -> None:
    _, token = await house.member()
    wishes = """query ($after: String) { viewer { family {
        notificationSettings(first: 1, after: $after) { edges { cursor } } } } }"""
    assert (await house.ask(wishes, token, after=cursor("ChannelPreference", "TERMS"))).codes == []
    assert (await house.ask(wishes, token, after=cursor("ChannelPreference", topic))).codes == ["BAD_USER_INPUT"]


async def test_more_than_a_hundred_ids_are_refused(house: House) -> None:
    _, token = await house.member()
    nodes = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    assert (await house.ask(nodes, token, ids=["AAAA"] * 101)).codes == ["BAD_USER_INPUT"]
    assert (await house.ask(nodes, token, ids=["AAAA"] * 100)).data["nodes"] == [None] * 100
    assert await house.problems(MARK, token, items=["AAAA"] * 101) == ["BAD_USER_INPUT"]


@pytest.mark.parametrize("after", ["", "x", "-1", "1e3", "٣", "9" * 19, "1000"])
async def test_a_stream_behind_a_cursor_that_is_none_does_not_start(house: House, after: str) -> None:
    _, token = await house.member()
    async with Socket(house, token) as socket:
        await socket.subscribe("1", FOLLOW, after=after)
        message = await socket.message("1")
        assert (message["type"], message["payload"][0]["extensions"]["code"]) == ("error", "BAD_USER_INPUT")


async def test_an_agent_follows_one_procedure_and_not_everything(house: House) -> None:
    async with Socket(house, await house.agent()) as socket:
        await socket.subscribe("1", FOLLOW_ONE)
        message = await socket.message("1")
        assert (message["type"], message["payload"][0]["extensions"]["code"]) == ("error", "BAD_USER_INPUT")


def nobody(type_name: str) -> str:
    """Give an id of a type that nothing has."""
    mapping = schema.build().mapping
    return make_id(mapping, type_name, *(uuid7() for _ in mapping.tables[type_name].key))


@pytest.mark.parametrize(
    ("command", "type_name"),
    [
        ("disableAgent(agent: $id)", "Agent"),
        ("enableAgent(agent: $id)", "Agent"),
        ("resetSecondFactor(agent: $id)", "Agent"),
        ("issueAgentPasswordLink(agent: $id)", "Agent"),
        ('saveAgent(email: "a@b.example", name: "A", roles: [AGENT], services: [$id])', "Service"),
        ('saveAgent(email: "a@b.example", name: "A", roles: [AGENT], services: [], agent: $id)', "Agent"),
        ('terminateAccount(family: $id, reason: "Fraude.")', "Family"),
        ("reinstateAccount(family: $id)", "Family"),
        ('eraseFamily(family: $id, number: "1234567")', "Family"),
        ('issueActivationCode(familyNumber: "99999999")', "Family"),
    ],
)
async def test_an_administrator_is_told_what_there_is_not(house: House, command: str, type_name: str) -> None:
    admin = await house.agent("admin")
    count = "select count(*) from audit_entry"
    before = await house.connection.fetchval(count)
    variables = "($id: ID!)" if "$id" in command else ""
    query = f"mutation {variables} {{ {command} {{ problems {{ code }} }} }}"
    given = {"id": nobody(type_name)} if variables else {}
    assert await house.problems(query, admin, **given) == ["NOT_FOUND"]
    assert await house.connection.fetchval(count) == before


async def test_a_family_that_there_is_not_gets_no_member_and_a_professional_no_quotient(house: House) -> None:
    agent = await house.agent()
    family, token = await house.member()
    await house.connection.execute("update family set profile = 'PROFESSIONAL' where id = $1", family.id)
    own = (await house.ask("{ viewer { family { id } } }", token)).data["viewer"]["family"]["id"]
    add = """mutation ($id: ID!) { addMember(family: $id, role: ADULT, firstName: "Ana", lastName: "Essai") {
        problems { code } } }"""
    record = """mutation ($id: ID!) { setQuotientFamilial(family: $id, value: 500, validFrom: "2026-01-01") {
        problems { code } } }"""
    assert await house.problems(add, agent, id=nobody("Family")) == ["NOT_FOUND"]
    assert await house.problems(record, agent, id=own) == ["IDENTIFIER_NOT_FOR_PROFILE"]
    assert (
        await house.connection.fetchval("select count(*) from quotient_familial where family_id = $1", family.id) == 0
    )
