"""Connections as the operating system gives them: a client that does not finish its first request is cut off.

aiohttp alone keeps a half-sent request header as long as an idle connection, so a few hundred slow clients would hold
every file descriptor.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from aiohttp import web

from gateway.errors import MASKED, RequestRefused, log_failure

SERVER = "kiosque"
HEADER_SECONDS = 10.0
KEEP_ALIVE_SECONDS = 75.0
"""Longer than the usual 60 s of a proxy, so that it is the proxy that closes idle connections."""


class Connection(web.RequestHandler):
    """One connection of the server."""

    __slots__ = ("_header_seconds", "_lost")

    def __init__(self, server: web.Server, header_seconds: float, **settings: Any) -> None:
        super().__init__(server, **settings)
        self._header_seconds = header_seconds
        self._lost: Callable[[], None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Give the client its time for the first request."""
        super().connection_made(transport)
        self._loop.call_later(self._header_seconds, self._cut_if_silent)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Tell who asked to be told."""
        super().connection_lost(exc)
        if self._lost is not None:
            self._lost()

    def tell_when_lost(self, callback: Callable[[], None]) -> None:
        """Call back once the client has gone."""
        self._lost = callback

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what is not HTTP, or what no handler foresaw; neither names our software nor repeats what was sent."""
        if request.writer.output_size > 0:
            raise ConnectionError("A part of the answer was sent already.")
        if status >= 500:
            if exc is not None:
                log_failure(exc, "")
            refused = RequestRefused("INTERNAL", MASKED)
        else:
            refused = RequestRefused("BAD_REQUEST", "The request is not valid HTTP.")
        headers = {
            "Server": SERVER,
            "Content-Type": "application/json; charset=utf-8",
            "X-Content-Type-Options": "nosniff",
        }
        answer = web.Response(status=status, body=refused.body(), headers=headers)
        answer.force_close()
        return answer

    def _cut_if_silent(self) -> None:
        if self._request_count == 0 and self.transport is not None:
            self.transport.abort()


def when_lost(request: web.Request, callback: Callable[[], None]) -> None:
    """Call back when the client of a request has gone, on a connection of this server."""
    if isinstance(request.protocol, Connection):
        request.protocol.tell_when_lost(callback)


class Site(web.BaseSite):
    """Where the server listens; an address that is taken raises OSError at `start`. Times are in seconds."""

    def __init__(
        self,
        runner: web.AppRunner,
        host: str,
        port: int,
        *,
        backlog: int = 1_024,
        header_seconds: float = HEADER_SECONDS,
    ) -> None:
        super().__init__(runner, backlog=backlog)
        self._header_seconds = header_seconds
        self._host = host
        self._port = port

    @property
    def name(self) -> str:
        """The address, for a person."""
        return f"http://{self._host}:{self._port}"

    async def start(self) -> None:
        """Start to listen; port 0 takes any free one, see `port`."""
        await super().start()
        loop = asyncio.get_running_loop()
        server = await loop.create_server(self._connect, self._host, self._port, backlog=self._backlog)
        self._server = server
        self._port = server.sockets[0].getsockname()[1]

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._port

    def _connect(self) -> Connection:
        server = self._runner.server
        if server is None:
            raise RuntimeError("The server has stopped.")
        loop = asyncio.get_running_loop()
        return Connection(
            server, self._header_seconds, loop=loop, keepalive_timeout=KEEP_ALIVE_SECONDS, access_log=None
        )
