"""Terms of use (R3–R5): published for good, told to everybody, accepted before anything else."""

import asyncio
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from db.terms import digest
from tests.conftest import Database
from tests.house import House, opened
from tests.live import EventStream, Socket

PUBLISH = """mutation ($fr: String!, $en: String!, $at: DateTime) {
    publishTerms(bodyFr: $fr, bodyEn: $en, effectiveAt: $at) {
        problems { code path } terms { id version effectiveAt publishedAt hash body accepted } } }"""
ACCEPT_TERMS = "mutation ($version: Int!) { acceptTerms(version: $version) { problems { code path } } }"
PROCEDURES = "{ procedures { totalCount } }"
FOLLOW = "subscription { news { type } }"
FRENCH, ENGLISH = "# Conditions\n\nÀ lire.", "# Terms\n\nTo be read."


async def published(house: House, **more: Any) -> Any:
    """Publish a version as the administrator."""
    return (await house.do(PUBLISH, await house.agent("admin"), fr=FRENCH, en=ENGLISH, **more))["terms"]


def at(house: House, seconds: float) -> str:
    """Give a moment on the portal's clock."""
    return (house.clock() + timedelta(seconds=seconds)).isoformat()


async def refused_soon(house: House, token: str, seconds: float = 2.0) -> None:
    """Wait until the gate is closed for a token."""
    async with asyncio.timeout(seconds):
        while (await house.ask(PROCEDURES, token)).codes != ["TERMS_NOT_ACCEPTED"]:
            await asyncio.sleep(0.05)


async def test_before_it_accepts_a_family_reads_terms_and_its_login_and_nothing_of_its_own(house: House) -> None:
    family, token = await house.member(accepts_terms=False)
    everything = await house.ask(
        """{ viewer { account { email acceptances { totalCount } } family { number inbox { totalCount } } }
            terms { version body accepted } termsVersions { totalCount } contact { phone }
            serviceStatus { state } }""",
        token,
    )
    assert everything.codes == ["TERMS_NOT_ACCEPTED"]
    data = everything.body["data"]
    assert data["viewer"] == {"account": {"email": family.email, "acceptances": {"totalCount": 0}}, "family": None}
    assert data["terms"]["accepted"] is False and data["contact"]["phone"] and data["serviceStatus"]["state"] == "OPEN"
    identity = await house.connection.fetchval("select encode(('\\x06' || uuid_send($1))::bytea, 'base64')", family.id)
    for query in ('{ node(id: "%s") { id } }', '{ nodes(ids: ["%s"]) { id } }'):
        assert (await house.ask(query % identity, token)).codes == ["TERMS_NOT_ACCEPTED"]
    start = 'mutation { startProcedure(kind: "cantine", idempotencyKey: "avant-les-cgu") { problems { code } } }'
    assert (await house.ask(start, token)).codes == ["TERMS_NOT_ACCEPTED"]
    assert await house.connection.fetchval("select count(*) from procedure where family_id = $1", family.id) == 0
    async with Socket(house, token) as socket:
        await socket.subscribe("1", FOLLOW)
        message = await socket.message("1")
        assert message["payload"][0]["extensions"]["code"] == "TERMS_NOT_ACCEPTED"


async def test_the_next_version_has_the_next_number_and_the_hash_of_both_texts(house: House) -> None:
    first = await published(house)
    assert first["version"] == 2 and first["hash"] == digest(FRENCH, ENGLISH) and first["body"] == FRENCH
    later = await published(house, at=at(house, 3600))
    assert later["version"] == 3
    versions = (await house.ask("{ terms { version } termsVersions { edges { node { version hash } } } }")).data
    assert versions["terms"] == {"version": 2}
    assert [edge["node"]["version"] for edge in versions["termsVersions"]["edges"]] == [3, 2, 1]
    entries = await house.connection.fetch(
        "select act, actor, data from audit_entry where act = 'terms_published' order by number"
    )
    assert [(row["actor"], row["data"]) for row in entries] == [("AGENT", '{"version":2}'), ("AGENT", '{"version":3}')]


@pytest.mark.parametrize(
    ("given", "path"),
    [({"fr": "  "}, "bodyFr"), ({"en": ""}, "bodyEn"), ({"at": "2020-01-01T00:00:00Z"}, "effectiveAt")],
)
async def test_terms_without_text_or_for_the_past_are_refused(house: House, given: Any, path: str) -> None:
    reply = await house.ask(PUBLISH, await house.agent("admin"), **{"fr": FRENCH, "en": ENGLISH, **given})
    payload = reply.data["publishTerms"]
    assert payload == {"problems": [{"code": "BAD_USER_INPUT", "path": [path]}], "terms": None}
    assert await house.connection.fetchval("select count(*) from terms") == 1
    assert await house.connection.fetchval("select count(*) from broadcast") == 0


async def test_only_an_administrator_publishes_terms(house: House) -> None:
    _, family = await house.member()
    for token, code in ((family, "FORBIDDEN"), (await house.agent("scolaire"), "FORBIDDEN"), (None, "UNAUTHENTICATED")):
        assert (await house.ask(PUBLISH, token, fr=FRENCH, en=ENGLISH)).codes == [code]
    assert await house.connection.fetchval("select count(*) from terms") == 1


@pytest.mark.parametrize(
    "change", ["update terms set body_fr = 'Autre.'", "delete from terms", "truncate terms cascade"]
)
async def test_published_terms_are_never_changed_not_even_by_the_owner(city: Database, change: str) -> None:
    connection = await asyncpg.connect(city.dsn, timeout=10)
    try:
        with pytest.raises(asyncpg.RestrictViolationError):
            await connection.execute(change)
    finally:
        await connection.close()


async def test_new_terms_close_the_gate_on_every_node_and_on_open_streams(house: House) -> None:
    """Two gateways; nobody is restarted; each stream ends with the code, and its socket stays open."""
    _, token = await house.member()
    agent = await house.agent()
    async with (
        opened(house.dsn) as other,
        Socket(house, token) as socket,
        Socket(other, token) as elsewhere,
        EventStream(house, token, FOLLOW) as events,
        Socket(house, agent) as of_agent,
    ):
        nodes = (house, other)
        procedure = await house.submitted(token)
        await of_agent.subscribe(
            "1", 'subscription ($p: ID!) { procedureStatusChanged(procedure: $p, after: "0") { id } }', p=procedure
        )
        assert (await of_agent.next("1"))["procedureStatusChanged"]["id"], "it was submitted; the stream is live"
        for each in (socket, elsewhere):
            await each.subscribe("1", FOLLOW)
            await each.subscribe("status", "subscription { serviceStatusChanged { state } }")
            assert await each.next("status") == {"serviceStatusChanged": {"state": "OPEN"}}
        for portal in nodes:
            assert (await portal.ask(PROCEDURES, token)).codes == []
        await published(house)
        async with asyncio.timeout(2.0):
            for each in (socket, elsewhere):
                message = await each.message("1")
                while message["type"] == "next":
                    message = await each.message("1")
                assert message["payload"][0]["extensions"]["code"] == "TERMS_NOT_ACCEPTED"
            assert "TERMS_NOT_ACCEPTED" in await events.rest()
            for portal in nodes:
                await refused_soon(portal, token)
        for each in (socket, elsewhere):
            await each.subscribe("2", FOLLOW)
            assert (await each.message("2"))["payload"][0]["extensions"]["code"] == "TERMS_NOT_ACCEPTED"
        await house.do("mutation ($p: ID!) { takeProcedure(procedure: $p) { problems { code } } }", agent, p=procedure)
        assert (await of_agent.next("1"))["procedureStatusChanged"]["id"], "who works for the city accepts no terms"
        await other.do(ACCEPT_TERMS, token, version=2)
        for portal in nodes:
            async with asyncio.timeout(2.0):
                while (await portal.ask(PROCEDURES, token)).codes:
                    await asyncio.sleep(0.05)


async def test_announced_terms_close_the_gate_when_their_moment_comes_without_anybody_doing_anything(
    house: House,
) -> None:
    _, late = await house.member()
    _, early = await house.member()
    assert (await published(house, at=at(house, 3600)))["version"] == 2
    await house.do(ACCEPT_TERMS, early, version=2)
    async with Socket(house, late) as of_late, Socket(house, early) as of_early:
        for each in (of_late, of_early):
            await each.subscribe("1", FOLLOW)
        assert house.opened is not None
        async with asyncio.timeout(10):
            while len(house.opened.health.live) < 2:
                await asyncio.sleep(0.02)
        assert [(await house.ask(PROCEDURES, token)).codes for token in (late, early)] == [[], []]
        house.clock.ahead += timedelta(seconds=3601)
        late, early = [await house.sign_in(email) for email in await emails(house)]
        async with asyncio.timeout(4.0):
            message = await of_late.message("1")
            while message["type"] == "next":
                message = await of_late.message("1")
        assert message["payload"][0]["extensions"]["code"] == "TERMS_NOT_ACCEPTED"
        assert (await house.ask(PROCEDURES, late)).codes == ["TERMS_NOT_ACCEPTED"]
        assert (await house.ask(PROCEDURES, early)).codes == []
        await house.do("mutation { sendTestNotification(topic: TERMS) { problems { code } } }", early)
        async with asyncio.timeout(10.0):
            while (await of_early.next("1"))["news"]["type"] != "test":
                pass


async def emails(house: House) -> list[str]:
    """Give the addresses of the families made by this test, in order."""
    rows = await house.connection.fetch(
        """select a.email from account a join family f on f.id = a.family_id
           where f.name = 'Famille Essai' order by f.number"""
    )
    return [row["email"] for row in rows]


async def test_an_acceptance_keeps_version_hash_time_and_manner_and_is_written_once(house: House) -> None:
    family, token = await house.member(accepts_terms=False)
    for version in (0, 2, 99):
        assert await house.problems(ACCEPT_TERMS, token, version=version) == ["TERMS_CHANGED"]
    assert await house.connection.fetchval("select count(*) from terms_acceptance where family_id = $1", family.id) == 0
    for _ in range(2):
        await house.do(ACCEPT_TERMS, token, version=1)
    second = await published(house)
    assert await house.problems(ACCEPT_TERMS, token, version=1) == ["TERMS_CHANGED"]
    await house.do(ACCEPT_TERMS, token, version=2)
    fields = "{ edges { node { version hash manner acceptedAt terms { version effectiveAt } } } }"
    data = (
        await house.ask(f"{{ viewer {{ account {{ acceptances {fields} }} family {{ terms {fields} }} }} }}", token)
    ).data
    records = [edge["node"] for edge in data["viewer"]["account"]["acceptances"]["edges"]]
    assert data["viewer"]["family"]["terms"]["edges"] == data["viewer"]["account"]["acceptances"]["edges"]
    assert [(each["version"], each["manner"]) for each in records] == [(2, "EXPLICIT"), (1, "EXPLICIT")]
    assert records[0]["hash"] == second["hash"] and records[1]["acceptedAt"]
    accepted = await house.connection.fetch(
        "select data from audit_entry where act = 'terms_accepted' and family_id = $1 order by number", family.id
    )
    assert [row["data"] for row in accepted] == [
        '{"version":1,"manner":"EXPLICIT"}', '{"version":2,"manner":"EXPLICIT"}',
    ]  # fmt: skip


async def test_a_newer_version_replaces_one_that_is_announced(house: House) -> None:
    await published(house, at=at(house, 3600))
    await published(house)
    house.clock.ahead += timedelta(seconds=3601)
    assert (await house.ask("{ terms { version } }")).data == {"terms": {"version": 3}}


async def test_every_family_is_told_of_new_terms_on_the_channel_that_it_chose(house: House) -> None:
    family, _ = await house.member()
    await house.connection.execute("update family set activated_at = $1 where id = $2", house.clock(), family.id)
    await published(house, at=at(house, 86400))
    assert "nouvelle version" in await house.mail_to(family.email, "conditions d’utilisation")
    told = await house.connection.fetchrow(
        "select topic, type, data ->> 'summary_en' as words from news where family_id = $1", family.id
    )
    assert told is not None
    assert (told["topic"], told["type"]) == ("TERMS", "terms_published") and "apply from" in told["words"]
