"""Sessions: which there are, how each of them ends, and what is told and written down of it."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from argon2 import PasswordHasher

from tests.conftest import Database
from tests.house import PASSWORD, SIGN_IN, House, Made, opened
from tests.live import Socket

LIST = """{ viewer { family { sessions { totalCount edges { node {
    id device sharedComputer current active account { email } expiresAt } } } } } }"""
SIGN_OUT = "mutation { signOut { problems { code } } }"
SIGN_OUT_OF = "mutation ($session: ID!) { signOut(session: $session) { problems { code path } } }"
EVERYWHERE = "mutation { signOutEverywhere { problems { code } } }"
REFRESH = """mutation ($token: String!) { refreshSession(refreshToken: $token) {
    problems { code } session { accessToken refreshToken expiresAt } } }"""
SHARED = SIGN_IN.replace("signInAs: $as_)", "signInAs: $as_, sharedComputer: true)")
WHO = "{ viewer { account { email } agent { name } } }"
FOLLOW = "subscription { news { cursor } }"
WRONG = "Mauvais-Mot-1"


async def session(house: House, identifier: str, *, agent: bool = False, query: str = SIGN_IN) -> Any:
    """Sign in; give the tokens."""
    as_ = "AGENT" if agent else "FAMILY"
    return (await house.do(query, identifier=identifier, password=PASSWORD, as_=as_))["session"]


async def listed(house: House, token: str) -> list[Any]:
    """Give the sessions of the family."""
    found = (await house.ask(LIST, token)).data["viewer"]["family"]["sessions"]
    assert found["totalCount"] == len(found["edges"])
    return [edge["node"] for edge in found["edges"]]


async def refresh(house: House, token: str) -> Any:
    """Refresh; give the new tokens."""
    return (await house.do(REFRESH, token=token))["session"]


async def acts(house: House, act: str) -> list[dict[str, Any]]:
    """Give what the audit log says of an act, oldest first."""
    rows = await house.connection.fetch(
        "select actor, actor_id, family_id, subject_id, data::jsonb->>'code' as code, data::text as data "
        "from audit_entry where act = $1 order by number",
        act,
    )
    return [dict(row) for row in rows]


async def login(house: House, family: Made, email: str) -> str:
    """Give a second login of a family; its access token."""
    await house.connection.execute(
        """insert into account (family_id, id, email, email_verified_at, password_hash, created_at)
           select family_id, gen_random_uuid(), $2, now(), password_hash, now() from account where family_id = $1""",
        family.id,
        email,
    )
    return await house.sign_in(email)


async def test_the_list_shows_every_login_s_sessions_and_which_one_asks(house: House) -> None:
    family, token = await house.member()
    await login(house, family, "second@example.org")
    await session(house, family.email, query=SHARED)
    found = await listed(house, token)
    assert sorted(each["account"]["email"] for each in found) == sorted([family.email] * 2 + ["second@example.org"])
    assert [each["current"] for each in found].count(True) == 1
    assert [each["sharedComputer"] for each in found].count(True) == 1
    assert all(each["active"] for each in found)
    await house.connection.execute(
        "update session set idle_ends_at = now() - interval '1 s' where family_id = $1 and shared_computer", family.id
    )
    assert [each["active"] for each in await listed(house, token) if each["sharedComputer"]] == [False]


OWN = "{ viewer { sessions { edges { node { current account { email } } } } } }"


async def test_one_s_own_list_shows_no_other_login_s_sessions(house: House) -> None:
    family, token = await house.member(accepts_terms=False)
    second = await login(house, family, "second@example.org")
    for asking, email in ((token, family.email), (second, "second@example.org")):
        [only] = (await house.ask(OWN, asking)).data["viewer"]["sessions"]["edges"]
        assert only["node"] == {"current": True, "account": {"email": email}}
    agent = await house.agent()
    await house.agent("voirie")
    [only] = (await house.ask(OWN, agent)).data["viewer"]["sessions"]["edges"]
    assert only["node"] == {"current": True, "account": None}
    assert (await house.ask(OWN)).data["viewer"]["sessions"]["edges"] == []


async def test_one_signs_out_of_a_session_on_another_device(house: House) -> None:
    family, token = await house.member()
    lost = await session(house, family.email)
    [identity] = [each["id"] for each in await listed(house, token) if not each["current"]]
    async with Socket(house, lost["accessToken"]) as socket:
        await socket.subscribe("1", FOLLOW)
        await house.do(SIGN_OUT_OF, token, session=identity)
        assert (await house.ask(WHO, lost["accessToken"])).codes == ["UNAUTHENTICATED"]
        async with asyncio.timeout(2):
            assert await socket.closed() == 4403
    assert await house.problems(REFRESH, token=lost["refreshToken"]) == ["REFRESH_REFUSED"]
    assert [each["current"] for each in await listed(house, token)] == [True]
    assert await house.problems(SIGN_OUT_OF, token, session=identity) == ["NOT_FOUND"]


async def test_the_session_that_asks_may_be_named_too(house: House) -> None:
    _, token = await house.member()
    [own] = await listed(house, token)
    await house.do(SIGN_OUT_OF, token, session=own["id"])
    assert (await house.ask(WHO, token)).codes == ["UNAUTHENTICATED"]


async def test_nobody_signs_others_out(house: House) -> None:
    """Neither another family, nor another login of the same one, nor an agent, nor who has not signed in."""
    family, token = await house.member()
    [own] = await listed(house, token)
    _, stranger = await house.member()
    second = await login(house, family, "second@example.org")
    for other in (stranger, second, await house.agent(), None):
        problems = (await house.ask(SIGN_OUT_OF, other, session=own["id"])).data["signOut"]["problems"]
        assert problems == [{"code": "NOT_FOUND", "path": ["session"]}]
    family_id = await house.connection.fetchval("select id from family where id = $1", family.id)
    assert family_id and (await house.ask(WHO, token)).data["viewer"]["account"]["email"] == family.email
    assert await acts(house, "session_ended") == []


async def test_signing_out_everywhere_spares_the_other_login(house: House) -> None:
    family, token = await house.member()
    tokens = [token, *[(await session(house, family.email))["accessToken"] for _ in range(3)]]
    second = await login(house, family, "second@example.org")
    await house.do(EVERYWHERE, tokens[1])
    assert [(await house.ask(WHO, each)).codes for each in tokens] == [["UNAUTHENTICATED"]] * 4
    assert (await house.ask(WHO, second)).data["viewer"]["account"]["email"] == "second@example.org"
    [ended] = await acts(house, "session_ended")
    assert ended["code"] == "SIGNED_OUT_EVERYWHERE" and '"count":4' in ended["data"].replace(" ", "")


async def test_a_stolen_refresh_token_ends_the_session_for_thief_and_owner_and_is_told(house: House) -> None:
    family, _ = await house.member()
    stolen = await session(house, family.email)
    used = await refresh(house, stolen["refreshToken"])
    house.clock.ahead += timedelta(seconds=11)
    async with Socket(house, used["accessToken"]) as socket:
        await socket.subscribe("1", FOLLOW)
        async with asyncio.timeout(1):
            assert await house.problems(REFRESH, token=stolen["refreshToken"]) == ["REFRESH_REFUSED"]
            assert (await house.ask(WHO, used["accessToken"])).codes == ["UNAUTHENTICATED"]
            assert await house.problems(REFRESH, token=used["refreshToken"]) == ["REFRESH_REFUSED"]
        async with asyncio.timeout(2):
            assert await socket.closed() == 4403
    [reused] = await acts(house, "refresh_token_reused")
    ended = await house.connection.fetchrow("select * from session where end_reason = 'REFRESH_TOKEN_REUSED'")
    assert ended is not None and (reused["subject_id"], reused["family_id"]) == (ended["id"], family.id)
    mail = await house.mail_to(family.email, "fermé une session", seconds=25)  # the dispatcher's clock was not moved
    assert "/report-unauthorized-use?token=" in mail
    assert await house.sign_in(family.email), "the account itself is not locked"


async def test_fifty_parallel_refreshes_all_get_the_one_successor_and_it_works(house: House) -> None:
    family, _ = await house.member()
    first = await session(house, family.email)
    answers = await asyncio.gather(*(refresh(house, first["refreshToken"]) for _ in range(50)))
    [successor] = {answer["refreshToken"] for answer in answers}
    of_session = "select count(*) from refresh_token t join session s on s.id = t.session_id where s.family_id = $1"
    assert await house.connection.fetchval(of_session, family.id) == 3, "of `member`, of this session, its successor"
    house.clock.ahead += timedelta(seconds=4)
    assert (await refresh(house, first["refreshToken"]))["refreshToken"] == successor, "a lost answer, within 10 s"
    assert (await refresh(house, successor))["refreshToken"] not in (successor, first["refreshToken"])
    assert await acts(house, "refresh_token_reused") == []


async def keeps(house: House, tokens: Any, every: timedelta, steps: int) -> Any:
    """Refresh again and again; give the last tokens."""
    for _ in range(steps):
        house.clock.ahead += every
        tokens = await refresh(house, tokens["refreshToken"])
    return tokens


async def test_a_family_s_session_lasts_fourteen_days_unused_and_ninety_at_the_most(house: House) -> None:
    family, _ = await house.member()
    used = await keeps(house, await session(house, family.email), timedelta(days=13, hours=23), 6)
    house.clock.ahead += timedelta(days=6)
    last = await refresh(house, used["refreshToken"])
    assert (await house.ask(WHO, last["accessToken"])).data["viewer"]["account"]
    house.clock.ahead += timedelta(hours=7)
    assert await house.problems(REFRESH, token=last["refreshToken"]) == ["REFRESH_REFUSED"], "90 days"
    idle = await session(house, family.email)
    house.clock.ahead += timedelta(days=14, seconds=1)
    assert await house.problems(REFRESH, token=idle["refreshToken"]) == ["REFRESH_REFUSED"]


async def test_an_agent_s_session_lasts_thirty_minutes_unused_and_eight_hours_at_the_most(house: House) -> None:
    email = "scolaire@mairie.example"
    used = await keeps(house, await session(house, email, agent=True), timedelta(minutes=29), 16)
    assert (await house.ask(WHO, used["accessToken"])).data["viewer"]["agent"]
    house.clock.ahead += timedelta(minutes=17)
    assert (await house.ask(WHO, used["accessToken"])).codes == ["UNAUTHENTICATED"]
    assert await house.problems(REFRESH, token=used["refreshToken"]) == ["REFRESH_REFUSED"], "8 hours"
    idle = await session(house, email, agent=True)
    house.clock.ahead += timedelta(minutes=30, seconds=1)
    assert await house.problems(REFRESH, token=idle["refreshToken"]) == ["REFRESH_REFUSED"]
    assert (await house.ask(WHO, idle["accessToken"])).codes == ["UNAUTHENTICATED"]


async def test_an_access_token_ends_with_the_idle_session_whose_it_is(city: Database) -> None:
    """Also where the settings let an unused session end before an access token would."""
    async with opened(city.dsn, tokens={"agent_idle_seconds": 60, "access_seconds": 600}) as house:
        token = (await session(house, "scolaire@mairie.example", agent=True))["accessToken"]
        assert (await house.ask(WHO, token)).data["viewer"]["agent"]
        house.clock.ahead += timedelta(seconds=61)
        assert (await house.ask(WHO, token)).codes == ["UNAUTHENTICATED"]


async def test_on_a_shared_computer_the_token_is_good_for_the_thirty_minutes_and_no_longer(house: House) -> None:
    family, _ = await house.member()
    shared = await session(house, family.email, query=SHARED)
    assert shared["refreshToken"] is None
    house.clock.ahead += timedelta(minutes=29)
    assert (await house.ask(WHO, shared["accessToken"])).data["viewer"]["account"]
    house.clock.ahead += timedelta(minutes=2)
    assert (await house.ask(WHO, shared["accessToken"])).codes == ["UNAUTHENTICATED"]


@pytest.mark.parametrize("command", [SIGN_OUT, EVERYWHERE])
async def test_a_sign_out_counts_on_every_node(city: Database, command: str) -> None:
    async with opened(city.dsn) as one, opened(city.dsn) as two:
        family, token = await one.member()
        other = await two.sign_in(family.email)
        ended = token if command == SIGN_OUT else other
        assert (await two.ask(WHO, ended)).data["viewer"]["account"], "known there, and remembered"
        async with Socket(two, ended) as socket, Socket(one, ended) as near:
            await socket.subscribe("1", FOLLOW)
            await one.do(command, token)
            async with asyncio.timeout(2):
                assert await socket.closed() == await near.closed() == 4403
            assert (await two.ask(WHO, ended)).codes == (await one.ask(WHO, ended)).codes == ["UNAUTHENTICATED"]
        survives = [] if command == SIGN_OUT else ["UNAUTHENTICATED"]
        assert (await two.ask(WHO, other)).codes == survives


async def test_a_socket_opened_in_the_moment_of_the_sign_out_is_closed_too(house: House) -> None:
    family, _ = await house.member()
    for _ in range(10):
        token = (await session(house, family.email))["accessToken"]
        opening = asyncio.create_task(_open(house, token))
        await house.do(SIGN_OUT, token)
        assert await opening == 4403


async def _open(house: House, token: str) -> int | None:
    url = house.url.replace("http", "ws") + "/graphql"
    async with house.http.ws_connect(url, protocols=["graphql-transport-ws"]) as ws:
        await ws.send_json({"type": "connection_init", "payload": {"authorization": f"Bearer {token}"}})
        async with asyncio.timeout(10):
            async for _ in ws:
                pass
        return ws.close_code


async def test_signing_in_and_being_refused_are_written_down_without_what_was_typed(house: House) -> None:
    family, token = await house.member()
    typed = f"{PASSWORD}@oups.example"
    for identifier in (family.email, typed):
        assert await house.problems(SIGN_IN, identifier=identifier, password=WRONG, as_="FAMILY") == ["BAD_CREDENTIALS"]
    account = await house.connection.fetchval("select id from account where family_id = $1", family.id)
    [signed_in] = [act for act in await acts(house, "signed_in") if act["family_id"] == family.id]
    assert (signed_in["actor"], signed_in["actor_id"]) == ("FAMILY", account)
    known, unknown = await acts(house, "sign_in_refused")
    assert (known["family_id"], known["subject_id"], known["code"]) == (family.id, account, "BAD_CREDENTIALS")
    assert (unknown["family_id"], unknown["subject_id"], unknown["actor"]) == (None, None, "ANONYMOUS")
    whole = await house.connection.fetchval("select string_agg(e::text, '') from audit_entry e")
    assert not any(word in whole for word in (family.email, "oups", PASSWORD, WRONG))
    await house.do(SIGN_OUT, token)
    [ended] = await acts(house, "session_ended")
    assert (ended["subject_id"], ended["code"]) == (signed_in["subject_id"], "SIGNED_OUT")


async def hash_of(house: House, account: UUID) -> str:
    found: str = await house.connection.fetchval("select password_hash from account where id = $1", account)
    return found


async def test_a_hash_of_older_parameters_is_made_anew_at_the_next_sign_in(house: House) -> None:
    family, _ = await house.member()
    account = await house.connection.fetchval("select id from account where family_id = $1", family.id)
    weak = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash(PASSWORD)
    await house.connection.execute("update account set password_hash = $2 where id = $1", account, weak)
    assert await house.problems(SIGN_IN, identifier=family.email, password=WRONG, as_="FAMILY") == ["BAD_CREDENTIALS"]
    assert await hash_of(house, account) == weak
    await house.sign_in(family.email)
    renewed = await hash_of(house, account)
    assert renewed != weak and "m=19456,t=2,p=1" in renewed
    await house.sign_in(family.email)
    assert await hash_of(house, account) == renewed


async def test_a_hash_of_older_parameters_of_an_agent_is_made_anew_too(house: House) -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash(PASSWORD)
    await house.connection.execute("update agent set password_hash = $1 where email like 'scolaire@%'", weak)
    await house.agent("scolaire")
    stored = await house.connection.fetchval("select password_hash from agent where email like 'scolaire@%'")
    assert "m=19456,t=2,p=1" in stored
    await house.agent("scolaire")
