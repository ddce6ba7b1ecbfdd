"""Who sends a request: from the `Authorization` header or the socket's `connection_init` to a context."""

from collections import OrderedDict
from datetime import datetime
from itertools import count

from aiohttp import web

from db.ids import uuid7
from db.pool import DatabaseUnavailable
from db.sessions import State
from gateway.addresses import Proxies
from gateway.errors import RequestRefused, unavailable
from resolvers.context import Context, Process
from resolvers.sessions import viewer_of
from resolvers.tokens import TokenRefused
from resolvers.viewer import Viewer, anonymous

LONGEST_TOKEN = 4096
VIEWERS_KEPT = 20_000
LONGEST_DEVICE = 200


class Authentication:
    """Makes the context of each request of one process."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._proxies = Proxies.from_texts(process.settings.server.trusted_proxies)
        # Unique over all nodes and starts, and cheaper than a random one for each request.
        self._start = uuid7().hex
        self._requests = count(1)
        self._viewers: OrderedDict[str, tuple[State, Viewer]] = OrderedDict()

    async def context(self, request: web.Request, authorization: str | None) -> Context:
        """Give the context of a request; raises RequestRefused (UNAUTHENTICATED) for a token that does not count."""
        viewer = await self._viewer(authorization) if authorization else anonymous(language_of(request))
        device = request.headers.get("User-Agent", "")[:LONGEST_DEVICE]
        request_id = f"{self._start}-{next(self._requests):x}"
        return Context(self._process, viewer, request_id, self._proxies.client_of(request), device)

    async def _viewer(self, authorization: str) -> Viewer:
        scheme, _, token = authorization.rpartition(" ")
        if scheme.lower() not in ("", "bearer") or len(token) > LONGEST_TOKEN:
            raise _refused()
        try:
            access = self._process.tokens.verify(token, self._process.clock())
            state = await self._process.sessions.state(access.session_id)
        except TokenRefused:
            raise _refused() from None
        except DatabaseUnavailable as error:
            raise unavailable() from error
        if state is None:
            raise _refused()
        return self._known(token, state, access.expires_at)

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
