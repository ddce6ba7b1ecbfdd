"""A portal and an outside provider of sign-in, both on sockets, for the tests of that sign-in."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from gateway.demo.identity import CLIENT_ID, CLIENT_SECRET, DemoProvider, Granted
from tests.house import PASSWORD, House, Made, opened

BACK = "http://127.0.0.1:0/sign-in/provider"
START = """mutation ($back: String!, $shared: Boolean) {
    startProviderSignIn(redirectUri: $back, sharedComputer: $shared) { problems { code path } url binding } }"""
FINISH = """mutation ($state: String!, $code: String!, $binding: String!) {
    finishProviderSignIn(state: $state, code: $code, binding: $binding) {
        problems { code } session { accessToken refreshToken } } }"""
LINK = """mutation ($back: String!, $password: String!) {
    linkProvider(redirectUri: $back, password: $password) { problems { code path } url binding } }"""
FINISH_LINK = """mutation ($state: String!, $code: String!, $binding: String!) {
    finishProviderLink(state: $state, code: $code, binding: $binding) {
        problems { code } link { id createdAt usedAt provider { name issuer } } } }"""
UNLINK = "mutation ($link: ID!) { unlinkProvider(link: $link) { problems { code } } }"
MINE = """{ viewer { family { number } account { linkedProviders { edges { node { id usedAt } } } } } }"""
PROVIDERS = "{ identityProviders { edges { node { name issuer } } } }"
Forge = Callable[["Forger", Granted], str]


class Forger(DemoProvider):
    """A provider whose ID tokens can be made otherwise."""

    forge: Forge | None = None

    def id_token(self, granted: Granted) -> str:
        """Make the ID token of a code."""
        return self.forge(self, granted) if self.forge is not None else super().id_token(granted)


@dataclass(slots=True)
class Way:
    """A browser on its way back from the provider."""

    state: str
    code: str
    binding: str

    @property
    def values(self) -> dict[str, str]:
        """What the client sends to finish."""
        return {"state": self.state, "code": self.code, "binding": self.binding}


@dataclass(slots=True)
class Town:
    """A portal and its provider."""

    house: House
    provider: Forger

    async def back(self, started: dict[str, Any], person: str = "camille-durand") -> Way:
        """Choose somebody at the provider, as a browser does, and come back."""
        url = f"{started['url']}&{urlencode({'person': person})}"
        async with self.house.http.get(url, allow_redirects=False) as response:
            assert response.status == 302, await response.text()
            came = urlsplit(response.headers["Location"])
        query = {name: value for name, [value] in parse_qs(came.query).items()}
        assert came._replace(query="").geturl() == BACK
        return Way(query["state"], query["code"], started["binding"])

    async def way(self, person: str = "camille-durand") -> Way:
        """Begin to sign in and come back."""
        return await self.back(await self.house.do(START, back=BACK), person)

    async def linked(self, person: str = "camille-durand") -> tuple[Made, str, dict[str, Any]]:
        """Give a family whose account is linked, its token, and the link."""
        family, token = await self.house.member()
        started = await self.house.do(LINK, token, back=BACK, password=PASSWORD)
        link = (await self.house.do(FINISH_LINK, token, **(await self.back(started, person)).values))["link"]
        return family, token, link

    async def count(self, table: str) -> int:
        """Count the rows of a table."""
        found: int = await self.house.connection.fetchval(f"select count(*) from {table}")
        return found

    async def refused(self, code: str, way: Way) -> None:
        """See a sign-in refused, and no session opened."""
        before = await self.count("session")
        assert await self.house.problems(FINISH, **way.values) == [code]
        assert await self.count("session") == before


@asynccontextmanager
async def town_on(dsn: str, provider: Forger, **identity: Any) -> AsyncIterator[Town]:
    """Run a portal whose settings name a provider; `identity` are other settings about it."""
    given = {"issuer": provider.issuer, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, **identity}
    async with opened(dsn, identity=given) as house:
        provider.clock = house.clock
        yield Town(house, provider)
