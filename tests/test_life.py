"""The life of a procedure: taken, asked about, corrected, decided, reopened; by one hand at a time."""

import asyncio
import itertools
from typing import Any

import pytest

from tests.house import ACCEPT, TAKE, House
from tests.life import (
    ACCEPT_IN_FULL,
    ANSWER,
    ANSWERS,
    ASK,
    ASSIGN,
    CLOSE,
    MOVE_ALL,
    REJECT,
    RELEASE,
    REOPEN,
    TAKE_IN_FULL,
    WITHDRAW,
    admin,
    colleague,
    draft,
    in_review,
    nodes,
    read,
    refused,
    save_kind,
    submitted,
)

ALREADY_MOVED, NOT_ALLOWED = [["ALREADY_MOVED"]], [["MOVE_NOT_ALLOWED"]]


@pytest.fixture
async def kind(house: House) -> None:
    """Offer the kind of the tests."""
    await save_kind(house, await admin(house))


async def history(house: House, token: str, identity: str) -> list[str]:
    """Give the statuses of a procedure after its draft; its events have no gap."""
    events = nodes((await read(house, token, identity))["events"])
    assert [each["number"] for each in events] == list(range(1, len(events) + 1))
    assert all(one["toStatus"] == other["fromStatus"] for one, other in itertools.pairwise(events))
    return [each["toStatus"] for each in events]


async def told(house: House, identity: str) -> int:
    """Count the news about a procedure."""
    statement = """select count(*) from news n join procedure p on p.family_id = n.family_id and p.id = n.procedure_id
        where encode('\\x09'::bytea || uuid_send(p.family_id) || uuid_send(p.id), 'base64') = $1"""
    counted: int = await house.connection.fetchval(statement, identity)
    return counted


@pytest.mark.usefixtures("kind")
async def test_of_two_agents_who_take_at_once_one_has_it_and_the_other_sees_who(house: House) -> None:
    (_, token), agents = await house.member(), [await house.agent("scolaire"), await admin(house)]
    for _ in range(4):
        identity = await submitted(house, token)
        asked = [await_payload(house, TAKE_IN_FULL, agent, procedure=identity) for agent in agents]
        payloads = await asyncio.gather(*asked)
        codes = [[each["code"] for each in payload["problems"]] for payload in payloads]
        assert sorted(codes) == [[], *ALREADY_MOVED]
        states = [payload["procedure"] for payload in payloads]
        assert states[0] == states[1], "both see the same present state"
        assert states[0]["status"] == "IN_REVIEW" and states[0]["assignee"]
        winner = agents[codes.index([])]
        await house.do(TAKE, winner, procedure=identity)
        assert await history(house, token, identity) == ["SUBMITTED", "IN_REVIEW"]
        assert await told(house, identity) == 2


async def await_payload(house: House, mutation: str, token: str, **variables: Any) -> Any:
    """Send a mutation and give its payload, refused or not."""
    return next(iter((await house.ask(mutation, token, **variables)).data.values()))


@pytest.mark.usefixtures("kind")
async def test_whoever_decides_too_late_sees_what_was_decided(house: House) -> None:
    (_, token), first, second = await house.member(), await house.agent(), await admin(house)
    identity = await in_review(house, token, first)
    await house.do(REJECT, first, procedure=identity, reason="Complet.")
    late = {
        ACCEPT_IN_FULL: {},
        CLOSE: {"reason": "Doublon."},
        ASK: {"message": "Et le plan ?"},
        WITHDRAW: {},
        TAKE_IN_FULL: {},
    }
    for mutation, variables in late.items():
        viewer = token if mutation is WITHDRAW else second
        payload = await refused(house, mutation, viewer, procedure=identity, **variables)
        assert [each["code"] for each in payload["problems"]] == ["ALREADY_MOVED"], mutation
        assert (payload["procedure"]["status"], payload["procedure"]["nextStep"]["step"]) == ("REJECTED", "NONE")
    assert await house.problems(REJECT, second, procedure=identity, reason="Complet.") == []
    assert await history(house, token, identity) == ["SUBMITTED", "IN_REVIEW", "REJECTED"]


@pytest.mark.usefixtures("kind")
async def test_a_decided_procedure_is_reopened_with_a_reason_and_decided_anew(house: House) -> None:
    (_, token), agent = await house.member(), await house.agent()
    identity = await in_review(house, token, agent)
    assert await house.problems(REOPEN, agent, procedure=identity, reason="Recours.") == ["MOVE_NOT_ALLOWED"]
    for decide, variables in ((ACCEPT_IN_FULL, {}), (REJECT, {"reason": "Non."}), (CLOSE, {"reason": "Sans suite."})):
        await house.do(decide, agent, procedure=identity, **variables)
        assert await house.problems(REOPEN, agent, procedure=identity, reason="  ") == ["BAD_USER_INPUT"]
        for _ in range(2):
            again = await house.do(REOPEN, agent, procedure=identity, reason="Recours gracieux.")
            assert again["procedure"]["nextStep"]["step"] == "DECIDE"
    statuses = await history(house, token, identity)
    assert statuses == [
        "SUBMITTED",
        "IN_REVIEW",
        *["ACCEPTED", "IN_REVIEW"],
        *["REJECTED", "IN_REVIEW"],
        "CLOSED",
        "IN_REVIEW",
    ]
    events = nodes((await read(house, token, identity))["events"])
    assert [each["message"] for each in events if each["fromStatus"] == "ACCEPTED"] == ["Recours gracieux."]


@pytest.mark.usefixtures("kind")
async def test_what_a_family_withdrew_stays_withdrawn(house: House) -> None:
    (_, token), agent = await house.member(), await house.agent()
    for start in (draft(house, token), submitted(house, token), in_review(house, token, agent)):
        identity = await start
        await house.do(WITHDRAW, token, procedure=identity)
        await house.do(WITHDRAW, token, procedure=identity)
        assert (await history(house, token, identity))[-1] == "WITHDRAWN"
        statuses = len(await history(house, token, identity))
        assert await house.problems(REOPEN, agent, procedure=identity, reason="Si.") in (["NOT_FOUND"], *NOT_ALLOWED)
        assert len(await history(house, token, identity)) == statuses


@pytest.mark.usefixtures("kind")
async def test_a_family_corrects_the_fields_that_it_was_asked_for_and_no_other(house: House) -> None:
    (_, token), agent = await house.member(), await house.agent()
    identity = await in_review(house, token, agent)
    asked = await house.do(
        ASK,
        agent,
        procedure=identity,
        message="Combien serez-vous ?",
        fields=["people", "remark"],
        documents=["Plan de la salle"],
    )
    request = {"message": "Combien serez-vous ?", "fields": ["people", "remark"]}
    waiting = asked["procedure"]
    [plan] = nodes(waiting["informationRequest"]["documents"])
    assert (plan["field"], plan["label"], plan["attached"]) == ("asked.3.1", "Plan de la salle", False)
    assert {name: waiting["informationRequest"][name] for name in request} == request
    assert (waiting["status"], waiting["nextStep"]["step"], waiting["nextStep"]["by"]) == (
        "AWAITING_FAMILY",
        "ANSWER",
        "FAMILY",
    )
    payload = await refused(house, ANSWER, token, procedure=identity, answers={"people": 4, "day": "2027-01-01"})
    assert [(each["code"], each["path"]) for each in payload["problems"]] == [("ANSWER_NOT_ASKED", ["/day"])]
    payload = await refused(house, ANSWER, token, procedure=identity, answers=[4])
    assert [(each["code"], each["path"]) for each in payload["problems"]] == [("BAD_USER_INPUT", ["answers"])]
    payload = await refused(house, ANSWER, token, procedure=identity, answers={"people": 99})
    assert [(each["code"], each["path"]) for each in payload["problems"]] == [("ANSWER_NOT_VALID", ["/people"])]
    assert (await read(house, token, identity))["answers"] == ANSWERS, "nothing half saved"
    for _ in range(2):
        given = await house.do(
            ANSWER, token, procedure=identity, answers={"people": 4, "remark": "Merci."}, message="Voilà."
        )
        assert given["procedure"]["status"] == "IN_REVIEW" and given["procedure"]["informationRequest"] is None
    seen = await read(house, agent, identity)
    assert seen["answers"] == {**ANSWERS, "people": 4, "remark": "Merci."}
    assert [each["body"] for each in nodes(seen["messages"])] == ["Voilà."], "once, also when sent again"
    assert await house.problems(ANSWER, token, procedure=identity, answers={"people": 5}) == ["ALREADY_MOVED"]
    assert await history(house, token, identity) == ["SUBMITTED", "IN_REVIEW", "AWAITING_FAMILY", "IN_REVIEW"]


@pytest.mark.usefixtures("kind")
async def test_an_optional_answer_can_be_taken_away_and_a_required_one_cannot(house: House) -> None:
    (_, token), agent = await house.member(), await house.agent()
    identity = await submitted(house, token, answers={**ANSWERS, "remark": "Non."})
    await house.do(TAKE, agent, procedure=identity)
    await house.do(ASK, agent, procedure=identity, message="Vraiment ?", fields=["remark", "people"])
    payload = await refused(house, ANSWER, token, procedure=identity, answers={"remark": None, "people": None})
    assert [(each["code"], each["path"]) for each in payload["problems"]] == [("ANSWER_NOT_VALID", ["/people"])]
    await house.do(ANSWER, token, procedure=identity, answers={"remark": None})
    assert (await read(house, token, identity))["answers"] == ANSWERS


@pytest.mark.usefixtures("kind")
async def test_a_request_is_refused_for_fields_that_there_are_not_and_asked_once(house: House) -> None:
    (_, token), agent, other = await house.member(), await house.agent(), await admin(house)
    identity = await submitted(house, token)
    assert await house.problems(ASK, agent, procedure=identity, message="Quoi ?") == ["MOVE_NOT_ALLOWED"]
    await house.do(TAKE, agent, procedure=identity)
    wrong: list[tuple[dict[str, Any], list[str]]] = [
        ({"fields": ["people", "nobody"]}, ["fields", "1"]),
        ({"fields": ["people", "people"]}, ["fields", "1"]),
        ({"documents": ["Plan", " "]}, ["documents", "1"]),
        ({"documents": ["x" * 201]}, ["documents", "0"]),
        ({"documents": ["x"] * 21}, ["documents"]),
        ({"message": " "}, ["message"]),
        ({"message": "x" * 4_001}, ["message"]),
    ]
    for change, path in wrong:
        payload = await refused(house, ASK, agent, procedure=identity, **{"message": "Quoi ?", **change})
        assert [(each["code"], each["path"]) for each in payload["problems"]] == [("BAD_USER_INPUT", path)]
    for _ in range(2):
        await house.do(ASK, agent, procedure=identity, message="Quoi ?", fields=["people"])
    payload = await refused(house, ASK, other, procedure=identity, message="Autre chose ?")
    assert payload["problems"][0]["code"] == "ALREADY_MOVED"
    assert payload["procedure"]["informationRequest"]["message"] == "Quoi ?"
    assert await told(house, identity) == 3
    await house.do(ACCEPT, agent, procedure=identity)
    seen = await read(house, token, identity)
    assert seen["informationRequest"] is None and seen["status"] == "ACCEPTED", "the city may go on without"


@pytest.mark.usefixtures("kind")
async def test_an_agent_hands_over_lets_go_and_takes_again(house: House) -> None:
    (_, token), agent, other = await house.member(), await house.agent(), await admin(house)
    identity = await in_review(house, token, agent)
    chief = await colleague(house, agent, "Dubreuil")
    for _ in range(2):
        handed = await house.do(ASSIGN, agent, procedure=identity, colleague=chief)
        assert handed["procedure"]["assignee"]["name"] == "Hélène Dubreuil"
    assert (await read(house, token, identity))["assignee"]["name"] == "Hélène Dubreuil", "CRPA L111-2"
    payload = await refused(house, TAKE_IN_FULL, agent, procedure=identity)
    assert payload["problems"][0]["code"] == "ALREADY_MOVED" and payload["procedure"]["assignee"]["id"] == chief
    for _ in range(2):
        assert (await house.do(RELEASE, other, procedure=identity))["procedure"]["assignee"] is None
    taken = await house.do(TAKE_IN_FULL, agent, procedure=identity)
    assert taken["procedure"]["assignee"]["name"] == "Thomas Lalanne"
    assert await history(house, token, identity) == ["SUBMITTED", "IN_REVIEW"], "only the hands changed"
    await house.do(ACCEPT, other, procedure=identity)
    assert (await read(house, token, identity))["assignee"]["name"] == "Thomas Lalanne"
    assert await house.problems(ASSIGN, agent, procedure=identity, colleague=chief) == ["ALREADY_MOVED"]
    acts = await house.connection.fetchval("select count(*) from audit_entry where act = 'procedure_assigned'")
    assert acts == 3


@pytest.mark.usefixtures("kind")
async def test_work_goes_only_to_those_who_handle_that_service(house: House) -> None:
    (_, token), agent, stranger = await house.member(), await house.agent(), await house.agent("voirie")
    identity = await in_review(house, token, agent)
    foreign = await colleague(house, stranger, "Castaing")
    assert await house.problems(ASSIGN, agent, procedure=identity, colleague=foreign) == ["NOT_FOUND"]
    mine = await colleague(house, agent, "Lalanne")
    assert await house.problems(ASSIGN, stranger, procedure=identity, colleague=mine) == ["NOT_FOUND"]
    for mutation in (TAKE, RELEASE, ACCEPT):
        payload = await refused(house, mutation, stranger, procedure=identity)
        assert (payload["problems"][0]["code"], payload["procedure"]) == ("NOT_FOUND", None)
    assert (await house.ask(RELEASE, token, procedure=identity)).codes == ["FORBIDDEN"]
    assert (await read(house, agent, identity))["assignee"]["id"] == mine


@pytest.mark.usefixtures("kind")
async def test_many_are_moved_at_once_each_for_itself(house: House) -> None:
    (_, token), agent, stranger = await house.member(), await house.agent(), await house.agent("voirie")
    good = [await in_review(house, token, agent) for _ in range(3)]
    early, gone = await submitted(house, token), await in_review(house, token, agent)
    await house.do(WITHDRAW, token, procedure=gone)
    everything = [*good, early, gone, "AAAA"]
    payload = await await_payload(house, MOVE_ALL, agent, procedures=everything, action="ACCEPT", message="Bienvenue.")
    codes = [[each["code"] for each in one["problems"]] for one in payload["results"]]
    assert codes == [[], [], [], ["MOVE_NOT_ALLOWED"], ["ALREADY_MOVED"], ["NOT_FOUND"]]
    statuses = [one["procedure"] and one["procedure"]["status"] for one in payload["results"]]
    assert statuses == ["ACCEPTED", "ACCEPTED", "ACCEPTED", "SUBMITTED", "WITHDRAWN", None]
    assert [each["path"] for each in payload["problems"]] == [["procedures", str(n)] for n in (3, 4, 5)]
    again = await await_payload(house, MOVE_ALL, agent, procedures=everything, action="ACCEPT", message="Bienvenue.")
    assert again == payload, "sent again, it changes nothing"
    assert [await told(house, each) for each in good] == [3, 3, 3]
    foreign = await await_payload(house, MOVE_ALL, stranger, procedures=good, action="REOPEN", message="Si.")
    assert [one["procedure"] for one in foreign["results"]] == [None] * 3
    assert [await history(house, token, each) for each in good] == [["SUBMITTED", "IN_REVIEW", "ACCEPTED"]] * 3


@pytest.mark.usefixtures("kind")
async def test_a_bulk_move_is_bounded_and_says_its_reason(house: House) -> None:
    (_, token), agent = await house.member(), await house.agent()
    identity = await in_review(house, token, agent)
    for action in ("REJECT", "CLOSE", "REOPEN"):
        payload = await refused(house, MOVE_ALL, agent, procedures=[identity], action=action)
        assert [(each["code"], each["path"]) for each in payload["problems"]] == [("BAD_USER_INPUT", ["message"])]
    payload = await refused(house, MOVE_ALL, agent, procedures=[identity] * 101, action="ACCEPT")
    assert payload["problems"][0]["path"] == ["procedures"] and payload["results"] == []
    assert (await read(house, token, identity))["status"] == "IN_REVIEW"
    taken = await house.do(MOVE_ALL, agent, procedures=[identity] * 5, action="RELEASE")
    assert [one["procedure"]["assignee"] for one in taken["results"]] == [None] * 5


@pytest.mark.usefixtures("kind")
async def test_two_agents_who_move_the_same_hundred_at_once_move_each_once(house: House) -> None:
    (_, token), agents = await house.member(), [await house.agent(), await admin(house)]
    waiting = [await submitted(house, token) for _ in range(20)]
    payloads = await asyncio.gather(
        *(await_payload(house, MOVE_ALL, agent, procedures=waiting, action="TAKE") for agent in agents)
    )
    for one, other in zip(payloads[0]["results"], payloads[1]["results"], strict=True):
        codes = sorted([[each["code"] for each in result["problems"]] for result in (one, other)])
        assert codes == [[], *ALREADY_MOVED]
    for identity in waiting:
        assert await history(house, token, identity) == ["SUBMITTED", "IN_REVIEW"]
