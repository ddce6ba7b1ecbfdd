"""Whoever is out is out everywhere: at the next request where it was done, within two seconds on every other node.

Two gateways share a database; on each the one who leaves has a socket open, and a stream of events on the second.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from tests.conftest import Database
from tests.house import PASSWORD, SIGN_IN, House, Made, opened, token_in
from tests.live import EventStream, Socket
from tests.test_accounts import REFRESH

WHO = "{ viewer { id account { email } agent { name } } }"
FOLLOW = "subscription { news { cursor } }"
FOLLOW_STATUS = "subscription { serviceStatusChanged { state } }"
SOON = 2.0
"""Seconds within which every line of an ended session is closed (docs: sessions)."""

NEW = "Cheval-Lampe-42"


@dataclass(frozen=True, slots=True)
class City:
    """Two gateways of one city, and a family that is signed in."""

    here: House
    there: House
    family: Made
    token: str
    refresh: str

    async def admin(self) -> str:
        """Give a token of the administrator."""
        return await self.here.sign_in("admin@mairie.example", agent=True)

    async def id_of(self, name: str) -> str:
        """Give the id of something of the family, as it sees it."""
        found = (await self.here.ask(f"{{ viewer {{ {name} {{ id }} }} }}", self.token)).data["viewer"][name]["id"]
        return str(found)


@pytest.fixture
async def two_nodes(city: Database) -> AsyncIterator[City]:
    """Give both gateways."""
    async with AsyncExitStack() as stack:
        here = await stack.enter_async_context(opened(city.dsn))
        mail = {"host": here.catcher.host, "port": here.catcher.port, "starttls": "never"}
        there = await stack.enter_async_context(opened(city.dsn, mail=mail))
        family, _ = await here.member()
        session = (await here.do(SIGN_IN, identifier=family.email, password=PASSWORD, as_="FAMILY"))["session"]
        yield City(here, there, family, session["accessToken"], session["refreshToken"])


def command(text: str) -> str:
    """Write a command."""
    return f"mutation {{ {text} {{ problems {{ code }} }} }}"


async def signs_out(city: City) -> None:
    await city.here.do(command("signOut"), city.token)


async def signs_out_everywhere(city: City) -> None:
    other = await city.here.sign_in(city.family.email)
    await city.here.do(command("signOutEverywhere"), other)


async def changes_the_password_elsewhere(city: City) -> None:
    other = await city.here.sign_in(city.family.email)
    await city.here.do(command(f'changePassword(currentPassword: "{PASSWORD}", newPassword: "{NEW}")'), other)


async def resets_the_password(city: City) -> None:
    await city.here.do(command(f'requestPasswordReset(identifier: "{city.family.email}")'))
    token = token_in(await city.here.mail_to(city.family.email, "reset-password"))
    await city.here.do(command(f'resetPassword(token: "{token}", password: "{NEW}")'))


async def reports_a_stranger(city: City) -> None:
    other = await city.here.sign_in(city.family.email)
    await city.here.do(command("reportUnauthorizedUse"), other)


async def is_terminated(city: City) -> None:
    family = await city.id_of("family")
    await city.here.do(command(f'terminateAccount(family: "{family}", reason: "Fraude.")'), await city.admin())


async def closes_the_account(city: City) -> None:
    await city.here.do(command(f'closeAccount(password: "{PASSWORD}")'), city.token)


async def is_erased(city: City) -> None:
    family, admin = await city.id_of("family"), await city.admin()
    await city.here.do(command(f'eraseFamily(family: "{family}", number: "{city.family.number}")'), admin)


async def is_robbed_of_a_refresh_token(city: City) -> None:
    await city.here.do(REFRESH, token=city.refresh)
    city.here.clock.ahead = timedelta(seconds=11)
    assert await city.here.problems(REFRESH, token=city.refresh) == ["REFRESH_REFUSED"]


async def is_ended_in_the_database(city: City) -> None:
    await city.here.connection.execute(
        "update session set ended_at = now(), end_reason = 'TEST' where family_id = $1", city.family.id
    )


WAYS: dict[str, Callable[[City], Awaitable[None]]] = {
    way.__name__.replace("_", " "): way
    for way in (
        signs_out,
        signs_out_everywhere,
        changes_the_password_elsewhere,
        resets_the_password,
        reports_a_stranger,
        is_terminated,
        closes_the_account,
        is_erased,
        is_robbed_of_a_refresh_token,
        is_ended_in_the_database,
    )
}


@asynccontextmanager
async def lines(city: City) -> AsyncIterator[tuple[Socket, Socket, EventStream]]:
    """Open a socket on each node and a stream on the second."""
    async with (
        Socket(city.here, city.token) as here,
        Socket(city.there, city.token) as there,
        EventStream(city.there, city.token, FOLLOW) as stream,
    ):
        for socket in (here, there):
            await socket.subscribe("1", FOLLOW)
        assert (await city.there.ask(WHO, city.token)).data["viewer"]["account"], "known to the other node too"
        yield here, there, stream


@pytest.mark.parametrize("way", WAYS)
async def test_a_family_that_is_out_is_out_on_every_node(two_nodes: City, way: str) -> None:
    city = two_nodes
    async with lines(city) as (here, there, stream):
        await WAYS[way](city)
        done = time.perf_counter()
        if way != "is ended in the database":
            assert (await city.here.ask(WHO, city.token)).codes == ["UNAUTHENTICATED"], "at the next request"
        async with asyncio.timeout(SOON):
            assert (await here.closed(), await there.closed()) == (4403, 4403)
            await ended(stream)
            while (await city.there.ask(WHO, city.token)).codes != ["UNAUTHENTICATED"]:
                await asyncio.sleep(0.02)
        assert time.perf_counter() - done < SOON
    for node in (city.here, city.there):
        assert await node.problems(REFRESH, token=city.refresh) == ["REFRESH_REFUSED"]


async def ended(stream: EventStream) -> None:
    """Wait until the server ends a stream of events."""
    while await stream._response.content.readline():
        pass


async def test_a_disabled_agent_is_out_on_every_node(two_nodes: City) -> None:
    city = two_nodes
    token, admin = await city.here.agent("voirie"), await city.admin()
    agents = '{ agents(search: "voirie", first: 1) { edges { node { id } } } }'
    identity = (await city.here.ask(agents, admin)).data["agents"]["edges"][0]["node"]["id"]
    async with Socket(city.here, token) as here, Socket(city.there, token) as there:
        for socket in (here, there):
            await socket.subscribe("1", FOLLOW_STATUS)
        assert (await city.there.ask(WHO, token)).data["viewer"]["agent"]
        await city.here.do(command(f'disableAgent(agent: "{identity}")'), admin)
        assert (await city.here.ask(WHO, token)).codes == ["UNAUTHENTICATED"]
        async with asyncio.timeout(SOON):
            assert (await here.closed(), await there.closed()) == (4403, 4403)
            while (await city.there.ask(WHO, token)).codes != ["UNAUTHENTICATED"]:
                await asyncio.sleep(0.02)


async def test_open_lines_close_when_their_token_ends(city: Database) -> None:
    async with opened(city.dsn, tokens={"access_seconds": 5}) as house:
        _, token = await house.member()
        async with Socket(house, token) as socket, EventStream(house, token, FOLLOW) as stream:
            await socket.subscribe("1", FOLLOW)
            async with asyncio.timeout(5 + SOON):
                assert await socket.closed() == 4403
                await ended(stream)


async def test_of_fifty_refreshes_at_two_nodes_all_get_the_one_successor(two_nodes: City) -> None:
    city = two_nodes
    nodes = (city.here, city.there)
    answers: list[Any] = await asyncio.gather(*(nodes[n % 2].do(REFRESH, token=city.refresh) for n in range(50)))
    assert len({answer["session"]["refreshToken"] for answer in answers}) == 1
    successors = await city.here.connection.fetchval(
        """select count(*) from refresh_token r join session s on s.id = r.session_id
           where s.family_id = $1 and r.used_at is null""",
        city.family.id,
    )
    assert successors == 2, "of the session that `member` opened, and the winner"


async def test_a_thief_who_refreshes_first_is_out_when_the_owner_comes(two_nodes: City) -> None:
    """The owner's late return ends the thief's session as well: within a second, on both nodes."""
    city = two_nodes
    thief = (await city.there.do(REFRESH, token=city.refresh))["session"]
    thief = (await city.there.do(REFRESH, token=thief["refreshToken"]))["session"]
    async with Socket(city.there, thief["accessToken"]) as socket:
        city.here.clock.ahead = timedelta(seconds=11)
        assert await city.here.problems(REFRESH, token=city.refresh) == ["REFRESH_REFUSED"]
        async with asyncio.timeout(1):
            assert await socket.closed() == 4403
    assert (await city.here.ask(WHO, thief["accessToken"])).codes == ["UNAUTHENTICATED"]
    assert await city.there.problems(REFRESH, token=thief["refreshToken"]) == ["REFRESH_REFUSED"]
