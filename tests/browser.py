"""A browser, as far as cookies are concerned: it keeps what it is given and sends it with every request to its site."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookies import Morsel, SimpleCookie
from typing import Any

from tests.house import PASSWORD, House, Reply

SIGN_IN = """mutation ($identifier: String!, $password: String!, $shared: Boolean! = false) {
    signIn(identifier: $identifier, password: $password, transport: COOKIES, sharedComputer: $shared) {
        problems { code } session { id accessToken refreshToken deviceToken expiresAt } } }"""


@dataclass(slots=True)
class Browser:
    """One browser with the web app open."""

    house: House
    cookies: dict[str, "Morsel[str]"] = field(default_factory=dict)
    """By name, with what they were set with."""

    @property
    def header(self) -> str:
        """What it sends as `Cookie`."""
        return "; ".join(f"{name}={cookie.value}" for name, cookie in self.cookies.items())

    async def ask(self, query: str, headers: Mapping[str, str] | None = None, /, **variables: Any) -> Reply:
        """Send one operation; `headers` beside or instead of the web app's own, left out where empty."""
        sent = {"X-Portal-Client": "web", "Cookie": self.header, **(headers or {})}
        sent = {name: value for name, value in sent.items() if value}
        body = {"query": query, "variables": variables}
        async with self.house.http.post(f"{self.house.url}/graphql", json=body, headers=sent) as response:
            for line in response.headers.getall("Set-Cookie", ()):
                self._keep(SimpleCookie(line))
            return Reply(response.status, await response.json(content_type=None))

    async def do(self, query: str, /, **variables: Any) -> Any:
        """Send one mutation and give its payload, which must have no problems."""
        payload = next(iter((await self.ask(query, **variables)).data.values()))
        assert payload["problems"] == [], payload["problems"]
        return payload

    async def sign_in(self, identifier: str, *, shared: bool = False) -> Any:
        """Sign in with the password that all demo accounts share; give the session."""
        return (await self.do(SIGN_IN, identifier=identifier, password=PASSWORD, shared=shared))["session"]

    def named(self, role: str) -> "Morsel[str]":
        """Give the cookie whose name ends so."""
        [found] = [cookie for name, cookie in self.cookies.items() if name.endswith(f"-{role}")]
        return found

    def forget(self, role: str) -> None:
        """Drop a cookie, as when its time is over."""
        del self.cookies[self.named(role).key]

    def _keep(self, given: SimpleCookie) -> None:
        for name, cookie in given.items():
            if cookie["max-age"] == "0":
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = cookie
