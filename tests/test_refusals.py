"""Refusals that no story tells of: each refused, and without effect."""

import base64
import json
from typing import Any

import pytest

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
