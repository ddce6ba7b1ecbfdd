"""Procedures under two hands, and the way that news takes when an address proves dead."""

import asyncio

from tests.conftest import Database
from tests.house import ACCEPT, TAKE, House, opened
from tests.live import Socket

REJECT = """mutation ($procedure: ID!) { rejectProcedure(procedure: $procedure, reason: "Dossier incomplet.") {
    problems { code message } procedure { status } } }"""
WITHDRAW = (
    "mutation ($procedure: ID!) { withdrawProcedure(procedure: $procedure) { problems { code } procedure { status } } }"
)
HISTORY = """query ($id: ID!) { node(id: $id) { ... on Procedure { status
    events { edges { node { number fromStatus toStatus actor } } } } } }"""
PROOF = """{ viewer { family { inbox(first: 1) { edges { node {
    summary deliveries { edges { node { channel status problem } } } } } } } } }"""


async def history(house: House, token: str, procedure: str) -> list[tuple[int, str]]:
    edges = (await house.ask(HISTORY, token, id=procedure)).data["node"]["events"]["edges"]
    return [(edge["node"]["number"], edge["node"]["toStatus"]) for edge in edges]


async def test_of_two_agents_who_decide_at_once_one_wins_and_the_other_is_told(house: House) -> None:
    _, token = await house.member()
    first, second = await house.agent(), await house.agent()
    for _ in range(5):
        procedure = await house.submitted(token)
        await house.do(TAKE, first, procedure=procedure)
        told = await asyncio.gather(
            house.problems(ACCEPT, first, procedure=procedure), house.problems(REJECT, second, procedure=procedure)
        )
        assert sorted(told) == [[], ["ALREADY_MOVED"]]
        assert [number for number, _ in await history(house, token, procedure)] == [1, 2, 3]


async def test_a_move_that_waits_too_long_for_another_is_told_so_and_changes_nothing(city: Database) -> None:
    async with opened(city.dsn, database={"url": city.dsn, "statement_timeout": 0.5}) as house:
        (_, token), agent = await house.member(), await house.agent()
        procedure = await house.submitted(token)
        async with house.connection.transaction():
            await house.connection.execute("select from procedure for update")
            assert (await house.ask(TAKE, agent, procedure=procedure)).codes == ["TOO_COSTLY"]
        assert await history(house, token, procedure) == [(1, "SUBMITTED")]
        await house.do(TAKE, agent, procedure=procedure)


async def test_a_repeated_move_changes_nothing_and_tells_nobody_twice(house: House) -> None:
    family, token = await house.member()
    agent = await house.agent()
    procedure = await house.submitted(token)
    for _ in range(3):
        await house.do(TAKE, agent, procedure=procedure)
    assert await history(house, token, procedure) == [(1, "SUBMITTED"), (2, "IN_REVIEW")]
    assert await house.connection.fetchval("select count(*) from news where family_id = $1", family.id) == 2


async def test_moves_that_the_table_does_not_know_are_refused_without_effect(house: House) -> None:
    _, token = await house.member()
    agent = await house.agent()
    procedure = await house.submitted(token)
    assert await house.problems(ACCEPT, agent, procedure=procedure) == ["MOVE_NOT_ALLOWED"]
    await house.do(WITHDRAW, token, procedure=procedure)
    assert await house.problems(ACCEPT, agent, procedure=procedure) == ["MOVE_NOT_ALLOWED"]
    assert await house.problems(TAKE, agent, procedure=procedure) == ["ALREADY_MOVED"], "it might have been taken"
    assert await history(house, token, procedure) == [(1, "SUBMITTED"), (2, "WITHDRAWN")]


async def test_an_agent_of_another_service_and_another_family_find_no_such_procedure(house: House) -> None:
    _, token = await house.member()
    _, stranger = await house.member()
    procedure = await house.submitted(token)
    assert await house.problems(TAKE, await house.agent("voirie"), procedure=procedure) == ["NOT_FOUND"]
    assert await house.problems(WITHDRAW, stranger, procedure=procedure) == ["NOT_FOUND"]
    assert (await house.ask(HISTORY, stranger, id=procedure)).data == {"node": None}
    assert (await house.ask(TAKE, await house.agent("regie"), procedure=procedure)).codes == ["FORBIDDEN"]
    assert (await house.ask(TAKE, token, procedure=procedure)).codes == ["FORBIDDEN"]
    assert await history(house, token, procedure) == [(1, "SUBMITTED")]


async def test_when_an_address_is_dead_the_next_channel_is_used_and_the_family_sees_both(house: House) -> None:
    family, token = await house.member()
    house.catcher.refuse(family.email)
    await house.submitted(token)
    async with asyncio.timeout(10):
        while True:
            newest = (await house.ask(PROOF, token)).data["viewer"]["family"]["inbox"]["edges"][0]["node"]
            tried = {edge["node"]["channel"]: edge["node"]["status"] for edge in newest["deliveries"]["edges"]}
            if tried == {"EMAIL": "FAILED", "IN_APP": "DELIVERED"}:
                break
            await asyncio.sleep(0.05)
    assert await house.connection.fetchval("select retired_at is not null from address where value = $1", family.email)


async def test_an_agent_follows_one_procedure_of_its_service_and_no_other(house: House) -> None:
    _, token = await house.member()
    procedure = await house.submitted(token)
    follow = """subscription ($id: ID) { procedureStatusChanged(procedure: $id, after: "1") {
        event { toStatus } } }"""
    async with Socket(house, await house.agent()) as seen, Socket(house, await house.agent("voirie")) as unseen:
        await seen.subscribe("1", follow, id=procedure)
        await seen.subscribe("2", follow)
        await unseen.subscribe("1", follow, id=procedure)
        assert (await unseen.message("1"))["payload"][0]["extensions"]["code"] == "NOT_FOUND"
        assert (await seen.message("2"))["payload"][0]["extensions"]["code"] == "BAD_USER_INPUT"
        await house.do(WITHDRAW, token, procedure=procedure)
        assert (await seen.next("1"))["procedureStatusChanged"]["event"]["toStatus"] == "WITHDRAWN"


async def test_a_test_message_about_procedures_is_no_change_of_status(house: House) -> None:
    _, token = await house.member()
    procedure = await house.submitted(token)
    send = "mutation { sendTestNotification(topic: PROCEDURE_STATUS) { problems { code } } }"
    await house.do(send, token)
    async with Socket(house, token) as socket:
        await socket.subscribe("1", 'subscription { procedureStatusChanged(after: "0") { cursor event { toStatus } } }')
        await house.do(send, token)
        await house.do(WITHDRAW, token, procedure=procedure)
        heard = [(await socket.next("1"))["procedureStatusChanged"] for _ in range(2)]
    assert [(event["cursor"], event["event"]["toStatus"]) for event in heard] == [
        ("1", "SUBMITTED"),
        ("4", "WITHDRAWN"),
    ]
