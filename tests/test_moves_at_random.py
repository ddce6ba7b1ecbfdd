"""The machine of procedures under many hands: random moves of families and agents at once, compared with its table.

A family, two agents and a stranger each send commands of their own choice, all at the same time. Whatever the order in
which the database takes them: only legal moves happen, events and messages are numbered without gap, every event is
told once, what was said is not lost, and whoever is refused is told the truth.
"""

import asyncio
import os
from collections import Counter
from random import Random
from typing import Any

import pytest

from db.ids import uuid7
from resolvers.procedures import MOVES
from tests.house import SUBMIT, House
from tests.life import (
    ACCEPT_IN_FULL,
    ANSWER,
    ANSWERS,
    ASK,
    ASSIGN,
    CLOSE,
    MARK,
    MOVE_ALL,
    POST,
    REJECT,
    RELEASE,
    REOPEN,
    TAKE_IN_FULL,
    WITHDRAW,
    admin,
    colleague,
    draft,
    nodes,
    save_kind,
)

SEED = int(os.environ.get("KIOSQUE_SEED", "20261122"))
WALKS = int(os.environ.get("KIOSQUE_WALKS", "6"))
STEPS = 18
EXPECTED = {"ALREADY_MOVED", "MOVE_NOT_ALLOWED", "NOT_FOUND", "ANSWER_NOT_VALID", "ANSWER_NOT_ASKED"}
"""Codes that a command of this test may meet; a draft is not found by agents."""

EVENTS = """select number, from_status, to_status, actor, agent_id from procedure_event
    where family_id = $1 and procedure_id = $2 order by number"""
NEWS = """select procedure_event_number as number, count(*) as told from news
    where family_id = $1 and procedure_id = $2 and procedure_event_number is not null group by 1 order by 1"""


class Walk:
    """Random commands on one procedure, and what came of them."""

    def __init__(self, house: House, random: Random, identity: str, chief: str) -> None:
        self.house = house
        self.random = random
        self.identity = identity
        self.chief = chief
        self.said: list[str] = []
        self.codes: Counter[str] = Counter()

    async def family(self, token: str) -> None:
        """Send commands of the family."""
        for number in range(STEPS):
            people = self.random.choice((1, 2, 3, 77))
            fields = self.random.choice(({"people": people}, {"remark": None}, {"day": "2027-02-03"}, {}))
            commands: list[tuple[str, dict[str, Any]]] = [
                (SUBMIT, {}),
                (ANSWER, {"answers": fields}),
                (POST, {}),
                (MARK, {}),
                (WITHDRAW, {}),
            ]
            [chosen] = self.random.choices(commands, (5, 6, 4, 1, 0.4))
            await self._send(token, chosen, f"famille {number}")

    async def agent(self, token: str) -> None:
        """Send commands of an agent."""
        for number in range(STEPS):
            fields = self.random.sample(["people", "remark"], self.random.randint(0, 2))
            reason = {"reason": f"Motif {number}."}
            commands: list[tuple[str, dict[str, Any]]] = [
                (TAKE_IN_FULL, {}),
                (ASK, {"message": f"Question {number} ?", "fields": fields}),
                (ACCEPT_IN_FULL, {}),
                (REJECT, reason),
                (CLOSE, reason),
                (REOPEN, reason),
                (RELEASE, {}),
                (ASSIGN, {"colleague": self.chief}),
                (POST, {}),
                (MARK, {}),
                (MOVE_ALL, {"action": "TAKE"}),
            ]
            [chosen] = self.random.choices(commands, (5, 5, 1, 1, 1, 4, 1, 1, 4, 1, 1))
            await self._send(token, chosen, f"agent {token[-6:]} {number}")

    async def _send(self, token: str, command: tuple[str, dict[str, Any]], who: str) -> None:
        mutation, variables = command
        named: dict[str, Any] = {"procedure": self.identity}
        if mutation is POST:
            named |= {"body": f"Mot de {who}", "key": str(uuid7())}
        if mutation is MOVE_ALL:
            named = {"procedures": [self.identity]}
        payload = next(iter((await self.house.ask(mutation, token, **named, **variables)).data.values()))
        codes = {each["code"] for each in payload["problems"]}
        assert codes <= EXPECTED, (mutation, payload)
        self.codes.update(codes or {"done"})
        if mutation is POST and not codes:
            self.said.append(named["body"])
        if codes & {"ALREADY_MOVED", "MOVE_NOT_ALLOWED"} and mutation is not MOVE_ALL:
            assert payload["procedure"]["id"] == self.identity, "whoever is refused sees the present state"


@pytest.mark.parametrize("number", range(WALKS))
async def test_many_hands_at_once_make_only_legal_moves_and_lose_nothing(house: House, number: int) -> None:
    random = Random(f"{SEED}/{number}")
    await save_kind(house, await admin(house))
    (family, token), (_, stranger) = await house.member(), await house.member()
    agents = [await house.agent(), await admin(house)]
    chief = await colleague(house, agents[0], "Dubreuil")
    walks = [Walk(house, random, await draft(house, token), chief) for _ in range(3)]

    async def intrude(walk: Walk) -> None:
        for mutation in (WITHDRAW, SUBMIT, ANSWER):
            assert await house.problems(mutation, stranger, procedure=walk.identity) == ["NOT_FOUND"]

    await asyncio.gather(
        *(walk.family(token) for walk in walks),
        *(walk.agent(agent) for walk in walks for agent in agents),
        *(intrude(walk) for walk in walks),
    )
    for walk in walks:
        await check(house, family.id, token, walk)
    assert sum((walk.codes for walk in walks), Counter())["done"] > 20, "the walk went somewhere"


async def check(house: House, family_id: Any, token: str, walk: Walk) -> None:
    """Compare what is stored with the table of moves and with what was said."""
    seen = (await house.ask(STORED, token, id=walk.identity)).data["node"]
    row = await house.connection.fetchrow("select * from procedure where reference = $1", seen["reference"])
    assert row is not None
    events = await house.connection.fetch(EVENTS, family_id, row["id"])
    stood = "DRAFT"
    for number, event in enumerate(events, 1):
        assert (event["number"], event["from_status"]) == (number, stood)
        assert event["actor"] == MOVES[stood][event["to_status"]].value
        assert (event["agent_id"] is not None) == (event["actor"] == "AGENT")
        stood = event["to_status"]
    assert (row["status"], row["event_count"]) == (stood, len(events))
    told = [tuple(each.values()) for each in await house.connection.fetch(NEWS, family_id, row["id"])]
    assert told == [(number, 1) for number in range(1, len(events) + 1)], "each event is told once"
    messages = nodes(seen["messages"])
    assert [each["number"] for each in messages] == list(range(1, len(messages) + 1))
    assert sorted(each["body"] for each in messages) == sorted(walk.said), "no message is lost or doubled"
    asked = sum(event["to_status"] == "AWAITING_FAMILY" for event in events)
    requests = nodes(seen["informationRequests"])
    assert len(requests) == asked
    answered = sum(event["from_status"] == "AWAITING_FAMILY" and event["to_status"] == "IN_REVIEW" for event in events)
    assert sum(each["answeredAt"] is not None for each in requests) == answered
    corrected = {**ANSWERS}
    for request in requests:
        corrected.update(request["answers"] or {})
    assert seen["answers"] == {name: value for name, value in corrected.items() if value is not None}
    acts = await house.connection.fetchval(
        "select count(*) from audit_entry where subject_id = $1 and act = 'procedure_moved'", row["id"]
    )
    assert acts == len(events), "each move is in the audit log"


STORED = """query ($id: ID!) { node(id: $id) { ... on Procedure { reference answers
    messages(first: 100) { edges { node { number body } } }
    informationRequests(first: 100) { edges { node { answers answeredAt fields } } } } } }"""
