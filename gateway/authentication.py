"""Who sends a request: from the `Authorization` header, the socket's `connection_init` or a cookie to a context."""

from collections import OrderedDict
from datetime import datetime
from itertools import count

from aiohttp import web

from db.ids import uuid7
from db.pool import DatabaseUnavailable
from db.sessions import State
from gateway.addresses import Proxies, household_of, within
from gateway.cookies import Jar
from gateway.errors import RequestRefused, unavailable
from resolvers.context import Context, Process
from resolvers.cookies import Role
from resolvers.sessions import viewer_of
from resolvers.tokens import AccessToken, TokenRefused, UnknownKey
from resolvers.viewer import Viewer, anonymous

LONGEST_TOKEN = 4096
VIEWERS_KEPT = 20_000
LONGEST_DEVICE = 200


class Authentication:
    """Makes the context of each request of one process."""

    def __init__(self, process: Process, jar: Jar) -> None:
        self._process = process
        self._jar = jar
        self._proxies = Proxies.from_texts(process.settings.server.trusted_proxies)
        # Unique over all nodes and starts, and cheaper than a random one for each request.
        self._start = uuid7().hex
        self._requests = count(1)
        self._viewers: OrderedDict[str, tuple[State, Viewer]] = OrderedDict()

    async def context(self, request: web.Request, authorization: str | None) -> Context:
        """Give the context of a request; raises RequestRefused (UNAUTHENTICATED) for a token that does not count.

        A token that is named wins over a cookie. A cookie that does not count makes nobody of who sent it, because the
        browser sends it unasked, also with the request that signs in anew.
        """
        cookies = self._jar.read(request)
        viewer = None
        if authorization:
            viewer = await self._named(authorization)
            cookies = cookies.only(Role.DEVICE)
        elif Role.ACCESS in cookies.brought:
            viewer = await self._viewer(cookies.brought[Role.ACCESS])
        device = request.headers.get("User-Agent", "")[:LONGEST_DEVICE]
        request_id = f"{self._start}-{next(self._requests):x}"
        address = self._proxies.client_of(request)
        if viewer is not None and viewer.networks and not within(address, viewer.networks):
            raise RequestRefused("FORBIDDEN", "Partners call from the networks that were agreed on only.")
        client = household_of(address)
        return Context(self._process, viewer or anonymous(language_of(request)), request_id, client, device, cookies)

    async def _named(self, authorization: str) -> Viewer:
        scheme, _, token = authorization.rpartition(" ")
        viewer = await self._viewer(token) if scheme.lower() in ("", "bearer") else None
        if viewer is None:
            raise _refused()
        return viewer

    async def _viewer(self, token: str) -> Viewer | None:
        """Give whom a token stands for, if it counts."""
        if len(token) > LONGEST_TOKEN:
            return None
        try:
            access = await self._access(token)
            state = await self._process.sessions.state(access.session_id)
        except TokenRefused:
            return None
        except DatabaseUnavailable as error:
            raise unavailable() from error
        return self._known(token, state, access.expires_at) if state is not None else None

    async def _access(self, token: str) -> AccessToken:
        """Verify a token; another node may have begun to sign with a key that this one has not heard of."""
        now = self._process.clock()
        try:
            return self._process.tokens.verify(token, now)
        except UnknownKey:
            await self._process.signing_keys.look_again()
            return self._process.tokens.verify(token, now)

    def _known(self, token: str, state: State, expires_at: datetime) -> Viewer:
        """Give one viewer for all requests and sockets of a token, as long as nothing about its session changes."""
        known = self._viewers.get(token)
        if known is None or known[0] != state:
            known = self._viewers[token] = state, viewer_of(state, expires_at)
            if len(self._viewers) > VIEWERS_KEPT:
                self._viewers.popitem(last=False)
        return known[1]


def language_of(request: web.Request) -> str:
    """Give `en` when the client prefers English, else `fr`."""
    first = request.headers.get("Accept-Language", "").partition(",")[0].strip().lower()
    return "en" if first.startswith("en") else "fr"


def _refused() -> RequestRefused:
    return RequestRefused("UNAUTHENTICATED", "The access token is not valid or its session has ended. Sign in again.")
