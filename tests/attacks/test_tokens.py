"""No access token counts but those that the portal issued and that still hold, over every transport.

What is tried is listed in `tests.attacks.forge`; each list is sent over HTTP, in a socket's `connection_init`, and to a
stream of events. None may be accepted, and none may make the portal fail.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from graphql import get_named_type
from graphql.type import GraphQLNonNull

import schema
from db.clock import utc_now
from db.keys import LinkRefused
from notifications.links import LINKS
from tests.attacks.forge import ALPHABET, Genuine, forgeries, genuine, variants
from tests.conftest import Cluster, Database
from tests.house import KEYS, PASSWORD, SIGN_IN, House, opened

WHO = "{ viewer { account { email } agent { name } family { number } } }"
FOLLOW = "subscription { news { cursor } }"
VARIANTS = 2_000
AT_ONCE = 20

Ask = Callable[[House, str], Awaitable[str]]
"""Shows a token to the portal; gives `refused`, or what happened instead."""


async def over_http(house: House, token: str) -> str:
    """As bearer of a POST."""
    headers = {"Authorization": f"Bearer {token}"}
    async with house.http.post(f"{house.url}/graphql", json={"query": WHO}, headers=headers) as answer:
        body = await answer.json(content_type=None)
    codes = [error["extensions"]["code"] for error in body.get("errors", [])]
    challenged = answer.headers.get("WWW-Authenticate") == "Bearer"
    if (answer.status, codes, challenged, "data" in body) == (401, ["UNAUTHENTICATED"], True, False):
        return "refused"
    return f"{answer.status} {body}"


async def over_a_socket(house: House, token: str) -> str:
    """In `connection_init`."""
    url = house.url.replace("http", "ws") + "/graphql"
    async with house.http.ws_connect(url, protocols=["graphql-transport-ws"]) as socket:
        await socket.send_json({"type": "connection_init", "payload": {"authorization": f"Bearer {token}"}})
        told = await socket.receive(timeout=10)
        return "refused" if socket.close_code == 4403 else f"{told.data} {socket.close_code}"


async def over_events(house: House, token: str) -> str:
    """As bearer of a stream of events."""
    headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}
    async with house.http.post(f"{house.url}/graphql", json={"query": FOLLOW}, headers=headers) as answer:
        if answer.status == 401 and answer.content_type != "text/event-stream":
            return "refused"
        return f"{answer.status} {answer.content_type}"


TRANSPORTS: dict[str, Ask] = {"HTTP": over_http, "a socket": over_a_socket, "events": over_events}


@dataclass(frozen=True, slots=True)
class Besieged:
    """A portal, somebody signed in, and a token of another portal with the same settings but other keys."""

    house: House
    good: Genuine
    stranger: str

    async def accepted(self, ask: Ask, tokens: dict[str, str]) -> dict[str, str]:
        """Show tokens to the portal; give those that it did not refuse, and what it said."""
        turns = asyncio.Semaphore(AT_ONCE)

        async def tried(name: str, token: str) -> tuple[str, str]:
            async with turns:
                return name, await ask(self.house, token)

        told = await asyncio.gather(*(tried(name, token) for name, token in tokens.items()))
        return {name: said for name, said in told if said != "refused"}


@pytest.fixture(scope="module")
async def besieged(cluster: Cluster) -> AsyncIterator[Besieged]:
    """Give a portal and what a forger has; one for all tests of this file, as none of them changes anything."""
    async with (
        cluster.database("city") as other,
        _member(other) as (_, stranger),
        cluster.database("city") as own,
        _member(own) as (house, token),
    ):
        yield Besieged(house, await genuine(house.connection, token), stranger)


@asynccontextmanager
async def _member(database: Database) -> AsyncIterator[tuple[House, str]]:
    async with opened(database.dsn) as house:
        _, token = await house.member()
        yield house, token


def sendable(forged: dict[str, str]) -> dict[str, str]:
    """Leave out what no HTTP header can hold."""
    return {name: token for name, token in forged.items() if token.isprintable()}


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_no_forged_token_is_accepted(besieged: Besieged, transport: str) -> None:
    forged = sendable(dict(forgeries(besieged.good, besieged.stranger)))
    assert len(forged) > 350
    assert await besieged.accepted(TRANSPORTS[transport], forged) == {}


@pytest.mark.parametrize(("transport", "count"), [("HTTP", VARIANTS), ("a socket", 200), ("events", 200)])
async def test_no_spoiled_variant_of_a_good_token_is_accepted(besieged: Besieged, transport: str, count: int) -> None:
    spoiled = variants(besieged.good.token, count, Random(transport))
    assert await besieged.accepted(TRANSPORTS[transport], {token: token for token in spoiled}) == {}


async def test_the_good_token_is_accepted_all_the_same(besieged: Besieged) -> None:
    """Otherwise the refusals above would prove nothing."""
    assert (await besieged.house.ask(WHO, besieged.good.token)).data["viewer"]["account"]
    again = besieged.good.signed()
    assert (await besieged.house.ask(WHO, again)).data["viewer"]["account"], "the key is the portal's"


async def test_an_expired_token_is_refused_also_when_it_was_seen_before(besieged: Besieged) -> None:
    house = besieged.house
    _, token = await house.member()
    assert (await house.ask(WHO, token)).data
    try:
        house.clock.ahead = timedelta(seconds=house.settings.tokens.access_seconds)
        for ask in TRANSPORTS.values():
            assert await ask(house, token) == "refused"
    finally:
        house.clock.ahead = timedelta()


@pytest.mark.parametrize(
    "authorization",
    [
        "Basic {token}",
        "Digest {token}",
        "Bearer Bearer {token}",
        "Bearer {token} x",
        "Bearer {token},Bearer {token}",
        "Bearer\u00a0{token}",
        "Token token={token}",
    ],
)
async def test_a_good_token_in_another_dress_is_refused(besieged: Besieged, authorization: str) -> None:
    headers = {"Authorization": authorization.format(token=besieged.good.token)}
    url = f"{besieged.house.url}/graphql"
    async with besieged.house.http.post(url, json={"query": WHO}, headers=headers) as answer:
        assert answer.status == 401


@pytest.mark.parametrize("place", ["access_token", "token", "authorization", "Authorization", "jwt"])
async def test_a_token_counts_in_its_header_only(besieged: Besieged, place: str) -> None:
    """What stands in an address is kept by every proxy's log; what stands in a cookie is sent by foreign pages."""
    house, token = besieged.house, besieged.good.token
    for more in (
        {"params": {place: token}},
        {"headers": {"Cookie": f"{place}={token}", "X-Portal-Client": "web"}},
        {"json": {"query": WHO, place: token, "extensions": {place: token}}},
    ):
        given: dict[str, Any] = {"json": {"query": WHO}} | more
        async with house.http.post(f"{house.url}/graphql", **given) as answer:
            body = await answer.json(content_type=None)
        assert answer.status in (400, 401, 403) or body["data"]["viewer"]["account"] is None, body


@pytest.mark.parametrize(
    "payload", [{"authorization": ["Bearer x"]}, {"authorization": {"a": 1}}, {"authorization": 7}]
)
async def test_a_socket_with_an_authorization_that_is_no_text_is_closed(besieged: Besieged, payload: Any) -> None:
    url = besieged.house.url.replace("http", "ws") + "/graphql"
    async with besieged.house.http.ws_connect(url, protocols=["graphql-transport-ws"]) as socket:
        await socket.send_json({"type": "connection_init", "payload": payload})
        await socket.receive(timeout=10)
        assert socket.close_code == 4400


def takers() -> list[tuple[str, str]]:
    """Give every command that needs a secret text, and the name of the argument."""
    mutation = schema.build().graphql.mutation_type
    assert mutation is not None
    return [
        (name, arg)
        for name, each in mutation.fields.items()
        for arg, given in each.args.items()
        if arg.lower().endswith("token") and isinstance(given.type, GraphQLNonNull)
    ]


@pytest.mark.parametrize(("command", "argument"), takers())
async def test_a_secret_made_for_one_purpose_serves_no_other(besieged: Besieged, command: str, argument: str) -> None:
    """Access tokens, refresh tokens and links of every purpose, each where another one is asked for."""
    house = besieged.house
    family, access = await house.member()
    session = (await house.do(SIGN_IN, identifier=family.email, password=PASSWORD, as_="FAMILY"))["session"]
    claims = besieged.good.claims | {"family": str(family.id), "account": besieged.good.claims["sub"]}
    claims |= {"email": family.email}
    secrets = {
        f"a link for {link.purpose}": KEYS.link_token(link.purpose, claims, house.clock() + timedelta(hours=1))
        for link in LINKS.values()
    }
    secrets |= {"an access token": access, "a refresh token": session["refreshToken"]}
    own = {name for name in secrets if command.lower().replace("-", "") in name.replace("-", "")}
    own |= {"a refresh token"} if command == "refreshSession" else set()
    before = await _state(house)
    for name in secrets.keys() - own:
        text = _call(command, argument)
        problems = await house.problems(text, token=secrets[name])
        assert problems, f"{command} took {name}"
    assert await _state(house) == before


def _call(command: str, argument: str) -> str:
    mutation = schema.build().graphql.mutation_type
    assert mutation is not None
    arguments = mutation.fields[command].args
    needed = {name: each for name, each in arguments.items() if isinstance(each.type, GraphQLNonNull)}
    others = {name: '"Abcdefgh1!"' for name, each in needed.items() if name != argument}
    assert all(get_named_type(needed[name].type).name in ("String", "EmailAddress") for name in others), others
    written = ", ".join([f"{argument}: $token", *(f"{name}: {value}" for name, value in others.items())])
    return f"mutation ($token: String!) {{ {command}({written}) {{ problems {{ code }} }} }}"


async def _state(house: House) -> str:
    """Give a digest of what such a secret could change."""
    state: str = await house.connection.fetchval(
        """select md5(string_agg(t, '|' order by t)) from (
            select a::text from account a union all select s::text from session s
            union all select r::text from refresh_token r union all select d::text from address d) as all_rows (t)"""
    )
    return state


def test_no_spoiled_variant_of_a_link_is_taken() -> None:
    """Links that serve once are remembered by their text: another spelling of the same one must not serve again."""
    random, now = Random("links"), utc_now()
    good = KEYS.link_token("verify-email", {"family": "x", "account": "y"}, now + timedelta(hours=1))
    assert KEYS.read_link("verify-email", good, now)
    last = ALPHABET.index(good[-1])
    spare = [good[:-1] + ALPHABET[last ^ bits] for bits in (1, 2, 3)]
    for variant in (*spare, f"{good[:-9]}!{good[-9:]}", f"{good}=", f"{good}\n", *variants(good, VARIANTS, random)):
        with pytest.raises(LinkRefused):
            KEYS.read_link("verify-email", variant, now)
