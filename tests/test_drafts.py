"""Drafts: kept as typed, filled in with what is known, checked when they are submitted."""

from typing import Any

import pytest

from db.ids import uuid7
from tests.house import START, SUBMIT, House, Made
from tests.life import ANSWERS, admin, draft, read, refused, save_kind, submitted

SAVE = """mutation ($procedure: ID!, $answers: JSON!) { saveDraft(procedure: $procedure, answers: $answers) {
    problems { code message path } procedure { answers status } } }"""
PREFILLED = """mutation ($kind: String!, $key: String!, $member: ID, $answers: JSON) {
    startProcedure(kind: $kind, idempotencyKey: $key, member: $member, answers: $answers, prefill: true) {
        problems { code path } procedure { id answers member { firstName } } } }"""
MEMBERS = "{ viewer { family { members { edges { node { id firstName } } } } } }"
KEEP = "mutation ($keep: Boolean!) { setDataRetention(datum: ANSWERS, keep: $keep) { problems { code } } }"


async def child(house: House, token: str) -> str:
    """Give the id of the family's child."""
    members = (await house.ask(MEMBERS, token)).data["viewer"]["family"]["members"]["edges"]
    identity: str = members[0]["node"]["id"]
    return identity


async def prefilled(house: House, token: str, member: str | None = None, answers: Any = None) -> dict[str, Any]:
    """Start a draft that is filled in; give its answers."""
    started = await house.do(PREFILLED, token, kind="essai", key=str(uuid7()), member=member, answers=answers)
    found: dict[str, Any] = started["procedure"]["answers"]
    return found


async def test_a_draft_is_kept_as_typed_and_checked_only_when_it_is_submitted(house: House) -> None:
    await save_kind(house, await admin(house))
    _, token = await house.member()
    identity = await draft(house, token, answers={"people": "trois"})
    partial = {"people": 99, "day": "demain", "unknown": {"a": [1, None]}}
    saved = await house.do(SAVE, token, procedure=identity, answers=partial)
    assert saved["procedure"] == {"answers": partial, "status": "DRAFT"}
    payload = await refused(house, SUBMIT, token, procedure=identity)
    assert {(each["code"], *each["path"]) for each in payload["problems"]} == {
        ("ANSWER_NOT_VALID", "/first_name"),
        ("ANSWER_NOT_VALID", "/people"),
        ("ANSWER_NOT_VALID", "/day"),
        ("ANSWER_NOT_VALID", ""),
    }
    assert all(each["message"] for each in payload["problems"])
    assert (await read(house, token, identity))["status"] == "DRAFT"
    await house.do(SAVE, token, procedure=identity, answers=ANSWERS)
    await house.do(SUBMIT, token, procedure=identity)


@pytest.mark.parametrize("answers", [[], "x", 7, True, [{"people": 1}]])
async def test_answers_that_are_no_object_are_refused_without_effect(house: House, answers: Any) -> None:
    await save_kind(house, await admin(house))
    _, token = await house.member()
    identity = await draft(house, token)
    assert await house.problems(SAVE, token, procedure=identity, answers=answers) == ["BAD_USER_INPUT"]
    assert (await read(house, token, identity))["answers"] == ANSWERS


async def test_nothing_of_a_draft_changes_once_it_is_submitted(house: House) -> None:
    await save_kind(house, await admin(house))
    _, token = await house.member()
    identity = await submitted(house, token)
    payload = await refused(house, SAVE, token, procedure=identity, answers={})
    assert payload["problems"][0]["code"] == "MOVE_NOT_ALLOWED"
    assert payload["procedure"] == {"answers": ANSWERS, "status": "SUBMITTED"}, "as it stands now"


async def test_agents_see_a_draft_only_once_it_is_submitted(house: House) -> None:
    await save_kind(house, await admin(house))
    (_, token), agent = await house.member(), await house.agent()
    identity = await draft(house, token)
    assert await read(house, agent, identity) is None
    assert house.opened is not None
    service = await house.connection.fetchval("select service_id from procedure order by id desc limit 1")
    async with house.opened.process.database.transaction({"kiosque.services": f"{{{service}}}"}) as tx:
        assert await tx.fetchval("select count(*) from procedure where submitted_at is null") == 0
    await house.do(SUBMIT, token, procedure=identity)
    assert (await read(house, agent, identity))["status"] == "SUBMITTED"


async def test_a_draft_is_filled_in_with_what_is_known_of_the_member(house: House) -> None:
    await save_kind(house, await admin(house))
    _, token = await house.member()
    member = await child(house, token)
    assert await prefilled(house, token, member) == {"first_name": "Enfant 1"}
    assert await prefilled(house, token) == {}, "no member, no name"
    assert await prefilled(house, token, member, {"first_name": "Zoé"}) == {"first_name": "Zoé"}, "what is typed wins"


async def test_earlier_answers_are_taken_over_only_where_the_family_keeps_them(house: House) -> None:
    await save_kind(house, await admin(house))
    _, token = await house.member()
    await submitted(house, token)
    assert await prefilled(house, token) == {}, "kept only where the family said so"
    await house.do(KEEP, token, keep=True)
    assert await prefilled(house, token) == {"first_name": "Zoé", "people": 3}, "the day is asked each time"
    assert await prefilled(house, token, await child(house, token)) == {"first_name": "Enfant 1"}, "of another one"
    await house.do(KEEP, token, keep=False)
    assert await prefilled(house, token) == {}


async def test_earlier_answers_that_the_form_takes_no_more_are_left_out(house: House) -> None:
    editor = await admin(house)
    saved = await save_kind(house, editor)
    _, token = await house.member()
    await house.do(KEEP, token, keep=True)
    await submitted(house, token)
    form = saved["form"]
    form["properties"]["people"]["maximum"] = 2
    form["properties"]["first_name"].pop("x-prefill")
    await save_kind(house, editor, form=form)
    assert await prefilled(house, token) == {"first_name": "Zoé"}


async def test_what_another_family_answered_is_never_taken_over(house: House) -> None:
    await save_kind(house, await admin(house))
    (first, token), (_, stranger) = await house.member(), await house.member()
    assert isinstance(first, Made)
    await house.do(KEEP, token, keep=True)
    await house.do(KEEP, stranger, keep=True)
    await submitted(house, token)
    assert await prefilled(house, stranger) == {}
    theirs = await child(house, token)
    key = str(uuid7())
    assert await house.problems(PREFILLED, stranger, kind="essai", key=key, member=theirs) == ["NOT_FOUND"]
    assert await house.problems(START, stranger, kind="essai", key=key) == [], "the refused key is free"


async def test_the_same_key_gives_the_same_draft_also_when_it_is_filled_in(house: House) -> None:
    await save_kind(house, await admin(house))
    _, token = await house.member()
    key = str(uuid7())
    first = await house.do(PREFILLED, token, kind="essai", key=key)
    again = await house.do(PREFILLED, token, kind="essai", key=key)
    assert first == again
    assert await house.problems(START, token, kind="essai", key=key) == ["IDEMPOTENCY_KEY_REUSED"]
