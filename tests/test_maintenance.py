"""Maintenance (R8): everybody reads, families' commands are refused with the notice, whoever follows hears at once."""

import asyncio
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from tests.house import PASSWORD, SIGN_IN, House, opened
from tests.live import EventStream, Socket

SET = """mutation ($fr: String!, $en: String!, $since: DateTime, $until: DateTime, $agents: Boolean!, $tell: Boolean) {
    setMaintenance(
        messageFr: $fr, messageEn: $en, startsAt: $since, endsAt: $until, agentsMayWork: $agents, tellFamilies: $tell
    ) { problems { code path } serviceStatus { state notice startsAt endsAt agentsMayWork } } }"""
END = "mutation { endMaintenance { problems { code } serviceStatus { state } } }"
STATUS = "{ serviceStatus { state notice startsAt endsAt agentsMayWork } }"
FOLLOW = "subscription { serviceStatusChanged { state notice } }"
TEST = "mutation { sendTestNotification(topic: TERMS) { problems { code } } }"
FRENCH, ENGLISH = "Nous déménageons les serveurs.", "We are moving the servers."


async def paused(house: House, *, agents: bool = True, **more: Any) -> Any:
    """Begin or plan maintenance as the administrator; give the status."""
    given = {"fr": FRENCH, "en": ENGLISH, "agents": agents, **more}
    return (await house.do(SET, await house.agent("admin"), **given))["serviceStatus"]


def at(house: House, seconds: float) -> str:
    """Give a moment on the portal's clock."""
    return (house.clock() + timedelta(seconds=seconds)).isoformat()


async def ended(house: House) -> None:
    """End the maintenance as the administrator."""
    assert (await house.do(END, await house.agent("admin")))["serviceStatus"] == {"state": "OPEN"}


async def refused(house: House, token: str | None, query: str = TEST) -> aiohttp.ClientResponse:
    """Wait until a command is refused with the notice, two seconds at the most; give that answer."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with asyncio.timeout(2.0):
        while True:
            async with house.http.post(f"{house.url}/graphql", json={"query": query}, headers=headers) as response:
                body = await response.json()
                if "errors" in body and body["errors"][0]["extensions"]["code"] == "MAINTENANCE":
                    assert "data" not in body and len(body["errors"]) == 1
                    assert body["errors"][0]["message"] in (FRENCH, ENGLISH)
                    return response
            await asyncio.sleep(0.05)


async def accepted(house: House, token: str) -> None:
    """Wait until a command is taken, two seconds at the most."""
    async with asyncio.timeout(2.0):
        while (await house.ask(TEST, token)).codes:
            await asyncio.sleep(0.05)


async def test_the_portal_is_open_unless_somebody_says_otherwise(house: House) -> None:
    nothing = {"notice": None, "startsAt": None, "endsAt": None, "agentsMayWork": None}
    assert (await house.ask(STATUS)).data == {"serviceStatus": {"state": "OPEN", **nothing}}
    assert await house.problems(END, await house.agent("admin")) == ["NOT_FOUND"]


async def test_families_commands_are_refused_with_the_notice_and_reading_goes_on(house: House) -> None:
    family, token = await house.member()
    status = await paused(house)
    assert (status["state"], status["notice"], status["endsAt"]) == ("MAINTENANCE", FRENCH, None)
    await refused(house, token)  # until then a gateway that has not heard of it yet may take commands
    before = await house.connection.fetchval("select count(*) from news where family_id = $1", family.id)
    response = await refused(house, token)
    assert response.status == 503 and "Retry-After" not in response.headers
    accept = {"Accept": "application/graphql-response+json", "Accept-Language": "en"}
    activate = """mutation { activateAccount(familyNumber: "1", activationCode: "2", email: "a@b.example",
        password: "x") { problems { code } } }"""
    async with house.http.post(f"{house.url}/graphql", json={"query": activate}, headers=accept) as answer:
        assert answer.status == 503
        assert (await answer.json())["errors"][0]["message"] == ENGLISH
    assert (await house.ask("{ procedures { totalCount } }", token)).data == {"procedures": {"totalCount": 0}}
    seen = (await house.ask(STATUS)).data["serviceStatus"]
    assert (seen["state"], seen["notice"]) == ("MAINTENANCE", FRENCH)
    assert await house.connection.fetchval("select count(*) from news where family_id = $1", family.id) == before
    await ended(house)
    await accepted(house, token)


async def test_a_refusal_says_when_to_come_back_where_that_is_known(house: House) -> None:
    _, token = await house.member()
    await paused(house, until=at(house, 600))
    response = await refused(house, token)
    assert 590 <= int(response.headers["Retry-After"]) <= 600


async def test_a_refused_document_does_nothing_of_what_it_asks(house: House) -> None:
    """Also not the command in it that would work by itself."""
    _, token = await house.member()
    await paused(house)
    await refused(house, token)
    await refused(house, token, f"mutation {{ signOut {{ problems {{ code }} }} {TEST[11:]}")
    assert (await house.ask("{ viewer { id } }", token)).data["viewer"]["id"] != "anonymous"


async def test_signing_in_and_out_works_always(house: House) -> None:
    family, token = await house.member()
    await paused(house, agents=False)
    await refused(house, token)
    payload = await house.do(SIGN_IN, identifier=family.email, password=PASSWORD, as_="FAMILY")
    refresh = (
        "mutation ($t: String!) { refreshSession(refreshToken: $t) { problems { code } session { accessToken } } }"
    )
    fresh = (await house.do(refresh, t=payload["session"]["refreshToken"]))["session"]["accessToken"]
    await house.do("mutation { signOut { problems { code } } }", fresh)
    assert (await house.ask("{ viewer { id } }", fresh)).codes == ["UNAUTHENTICATED"]


async def test_agents_work_on_where_the_maintenance_lets_them(house: House) -> None:
    _, token = await house.member()
    procedure = await house.submitted(token)
    agent = await house.agent()
    take = f'mutation {{ takeProcedure(procedure: "{procedure}") {{ problems {{ code }} }} }}'
    await paused(house, agents=False)
    await refused(house, token)  # the gateway has heard of it: what is tried next must not be done
    await refused(house, agent, take)
    assert await house.connection.fetchval("select count(*) from procedure_event where to_status = 'IN_REVIEW'"
        " and procedure_id = (select id from procedure order by created_at desc limit 1)") == 0  # fmt: skip
    await paused(house)
    await refused(house, token)
    async with asyncio.timeout(2.0):
        while (await house.ask(take, agent)).codes:
            await asyncio.sleep(0.05)
    assert (await house.ask(f'{{ node(id: "{procedure}") {{ ... on Procedure {{ status }} }} }}', agent)).data == {
        "node": {"status": "IN_REVIEW"}
    }


async def test_commands_are_refused_on_sockets_and_streams_of_events_too(house: House) -> None:
    _, token = await house.member()
    async with Socket(house, token) as socket:
        await socket.subscribe("news", "subscription { news { type } }")
        await paused(house)
        await refused(house, token)
        await socket.subscribe("1", TEST)
        message = await socket.message("1")
        assert message["type"] == "error"
        assert message["payload"] == [{"message": FRENCH, "extensions": {"code": "MAINTENANCE"}}]
        headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}
        async with house.http.post(f"{house.url}/graphql", json={"query": TEST}, headers=headers) as response:
            assert '"MAINTENANCE"' in await response.text()
        await ended(house)
        await accepted(house, token)
        assert (await socket.next("news"))["news"]["type"] == "test", "streams go on"


@pytest.mark.parametrize("signed_in", [True, False])
async def test_who_follows_the_status_hears_at_once_on_every_node(house: House, signed_in: bool) -> None:
    token = (await house.member(accepts_terms=False))[1] if signed_in else None
    async with (
        opened(house.dsn) as other,
        Socket(house, token) as here,
        Socket(other, token) as there,
        EventStream(other, token, FOLLOW) as events,
    ):
        nodes = (here, there)
        for each in nodes:
            await each.subscribe("1", FOLLOW)
        for heard in [await each.next("1") for each in nodes] + [await events.next()]:
            assert heard == {"serviceStatusChanged": {"state": "OPEN", "notice": None}}
        await paused(house)
        async with asyncio.timeout(2.0):
            for heard in [await each.next("1") for each in nodes] + [await events.next()]:
                assert heard == {"serviceStatusChanged": {"state": "MAINTENANCE", "notice": FRENCH}}
        await refused(other, token)
        await ended(other)
        async with asyncio.timeout(2.0):
            for heard in [await each.next("1") for each in nodes] + [await events.next()]:
                assert heard == {"serviceStatusChanged": {"state": "OPEN", "notice": None}}


async def test_planned_maintenance_begins_and_ends_by_the_clock_alone(house: House) -> None:
    family, token = await house.member()
    status = await paused(house, since=at(house, 3600), until=at(house, 7200))
    assert status["state"] == "PLANNED" and status["notice"] == FRENCH
    await accepted(house, token)
    async with Socket(house, None) as socket:
        await socket.subscribe("1", FOLLOW)
        states = [(await socket.next("1"))["serviceStatusChanged"]["state"]]
        for _ in range(2):
            house.clock.ahead += timedelta(seconds=3601)
            token = await house.sign_in(family.email)
            async with asyncio.timeout(2.0):
                states.append((await socket.next("1"))["serviceStatusChanged"]["state"])
            reply = await house.ask(TEST, token)
            assert reply.codes == (["MAINTENANCE"] if states[-1] == "MAINTENANCE" else [])
    assert states == ["PLANNED", "MAINTENANCE", "OPEN"]


async def test_planned_maintenance_can_be_changed_and_cancelled(house: House) -> None:
    for day in (1, 2):
        status = await paused(house, since=at(house, 86400 * day))
    assert await house.connection.fetchval("select count(*) from maintenance where ended_at is null") == 1
    now = await paused(house)
    assert now["state"] == "MAINTENANCE", "it does not wait for the planned one"
    admin = await house.agent("admin")
    assert (await house.do(END, admin))["serviceStatus"] == {"state": "PLANNED"}
    seen = (await house.ask(STATUS)).data["serviceStatus"]
    assert seen["startsAt"] == status["startsAt"]
    assert (await house.do(END, admin))["serviceStatus"] == {"state": "OPEN"}
    acts = await house.connection.fetch("select act from audit_entry where act like 'maintenance%' order by number")
    assert [row["act"] for row in acts] == ["maintenance_set"] * 3 + ["maintenance_ended"] * 2


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"fr": " "}, "messageFr"),
        ({"en": "x" * 2001}, "messageEn"),
        ({"since": "2020-01-01T00:00:00Z"}, "startsAt"),
        ({"until": "2020-01-01T00:00:00Z"}, "endsAt"),
    ],
)
async def test_maintenance_without_words_or_in_the_past_is_refused(house: House, given: Any, path: str) -> None:
    reply = await house.ask(SET, await house.agent("admin"), **{"fr": FRENCH, "en": ENGLISH, "agents": True, **given})
    assert reply.data["setMaintenance"]["problems"] == [{"code": "BAD_USER_INPUT", "path": [path]}]
    assert reply.data["setMaintenance"]["serviceStatus"]["state"] == "OPEN"
    assert await house.connection.fetchval("select count(*) from maintenance") == 0


async def test_only_an_administrator_sets_maintenance(house: House) -> None:
    _, family = await house.member()
    for token, code in ((family, "FORBIDDEN"), (await house.agent("scolaire"), "FORBIDDEN"), (None, "UNAUTHENTICATED")):
        assert (await house.ask(SET, token, fr=FRENCH, en=ENGLISH, agents=True)).codes == [code]
        assert (await house.ask(END, token)).codes == [code]
    assert await house.connection.fetchval("select count(*) from maintenance") == 0


async def test_families_are_told_of_planned_maintenance_and_of_immediate_one_if_wished(house: House) -> None:
    family, _ = await house.member()
    await house.connection.execute("update family set activated_at = $1 where id = $2", house.clock(), family.id)
    await paused(house)
    assert await house.connection.fetchval("select count(*) from broadcast") == 0
    await paused(house, tell=True)
    assert FRENCH in await house.mail_to(family.email, "en maintenance")
    await paused(house, since=at(house, 86400), until=at(house, 90000))
    assert FRENCH in await house.mail_to(family.email, "sera en maintenance")
    told = await house.connection.fetch("select topic, type from news where family_id = $1 order by seq", family.id)
    assert [tuple(row) for row in told] == [
        ("MAINTENANCE", "maintenance_started"), ("MAINTENANCE", "maintenance_planned"),
    ]  # fmt: skip


async def test_a_gateway_that_starts_during_maintenance_refuses_from_its_first_request(house: House) -> None:
    _, token = await house.member()
    await paused(house)
    async with opened(house.dsn) as other:
        assert (await other.ask(TEST, token)).codes == ["MAINTENANCE"]
