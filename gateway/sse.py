"""GraphQL over server-sent events: the "distinct connections" mode of the graphql-sse protocol.

One request, one stream: `next` events, then `complete`. A stream that ends without `complete` was cut (the token
expired, the session ended, the server stops, the client was too slow): the client connects again after its cursor.
"""

import asyncio
import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec
from aiohttp import HttpVersion11, web

from gateway.connections import when_lost
from gateway.documents import Operation
from gateway.endpoint import Endpoint
from gateway.errors import RequestRefused, refused_by
from gateway.execution import Closing, within
from gateway.negotiation import EVENTS
from gateway.outlet import Outlet
from gateway.requests import GraphQLRequest
from gateway.sockets import FORBIDDEN

if TYPE_CHECKING:
    from resolvers.context import Context

HEADERS = {
    "Content-Type": f"{EVENTS}; charset=utf-8",
    "Cache-Control": "no-cache, no-transform",
    "X-Accel-Buffering": "no",
}

COMPLETE = b"event: complete\ndata:\n\n"
COMMENT = b":\n\n"
UNHEARD_MILLISECONDS = 25_000
"""How long the system waits for a client to confirm what was sent, so that a dead one is found within 40 s."""


class EventLine:
    """One open stream; the listener of its subscription."""

    def __init__(self, endpoint: Endpoint, request: web.Request, headers: Mapping[str, str]) -> None:
        """`headers` are added to those of every stream."""
        self._endpoint = endpoint
        self._request = request
        self._chunked = request.version >= HttpVersion11
        self._outlet = Outlet(request, endpoint.live.queue, self._leave)
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._commenting: asyncio.TimerHandle | None = None
        self._expiring: asyncio.TimerHandle | None = None
        self._early: list[bytes] = []
        """What there is to say before the headers: they go out once a subscription has its place, so that a client that
        reads its lists when they come misses nothing in between."""

        self.response = web.StreamResponse(headers={**HEADERS, **headers})

    async def run(self, asked: GraphQLRequest, operation: Operation | RequestRefused, context: "Context") -> None:
        """Send everything that an operation, or its refusal, has to say; returns when the stream has ended.

        Raises RequestRefused before anything is sent when the account has its share of lines.
        """
        sockets = self._endpoint.sockets
        sockets.open(self)
        closing: Closing | None = None
        try:
            if not sockets.admit(self, context.viewer):
                raise RequestRefused("THROTTLED", "Too many live connections of this account.")
            when_lost(self._request, self._leave)
            closing = await self._begin(asked, operation, context)
            await self._open(context)
            await self._ended
            await self._outlet.flush(self._endpoint.live.closing_seconds)
        finally:
            self._stop_clocks()
            if closing is not None:
                closing.close()
            sockets.forget(self, context.viewer)

    def push(self, body: bytes) -> None:
        """Send one result, in one line: JSON may be broken over lines between its values only."""
        self._send(b"event: next\ndata: " + body.replace(b"\r", b" ").replace(b"\n", b" ") + b"\n\n")

    def end(self, error: bytes | None = None) -> None:
        """Send the errors, if any, and `complete`."""
        if error is not None:
            self.push(b'{"errors":' + error + b"}")
        self._send(COMPLETE)
        self._leave()

    def hang_up(self, code: int, reason: str) -> None:
        """Cut the stream; a comment says why, for whoever debugs a client."""
        self._send(f": {code} {reason}\n\n".encode())
        self._leave()

    async def _begin(
        self, asked: GraphQLRequest, operation: Operation | RequestRefused, context: "Context"
    ) -> Closing | None:
        """Run a query to its end, or make a subscription live."""
        try:
            if isinstance(operation, RequestRefused):
                raise operation
            if operation.kind == "subscription":
                work = self._endpoint.executor.subscribe(operation, asked.variables or {}, context, self)
                return await within(self._endpoint.deadline_seconds, work, context.request_id)
            self.push((await self._endpoint.answer(operation, asked, context)).body)
            self.end()
        except Exception as failure:
            self.end(msgspec.json.encode(refused_by(failure, context.request_id).errors))
        return None

    async def _open(self, context: "Context") -> None:
        """Send the headers and start the clocks."""
        await self.response.prepare(self._request)
        transport = self._request.transport
        connection = transport.get_extra_info("socket") if transport else None
        if connection is not None and hasattr(socket, "TCP_USER_TIMEOUT"):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNHEARD_MILLISECONDS)
        self._comment()
        for event in self._early:
            self._write(event)
        self._early.clear()
        expires_at = context.viewer.expires_at
        if expires_at is not None:
            left = max((expires_at - self._endpoint.clock()).total_seconds(), 0)
            self._expiring = self._loop.call_later(left, self.hang_up, FORBIDDEN, "Token expired")

    def _comment(self) -> None:
        self._send(COMMENT)
        self._commenting = self._loop.call_later(self._endpoint.live.comment_seconds, self._comment)

    def _stop_clocks(self) -> None:
        for timer in (self._commenting, self._expiring):
            if timer is not None:
                timer.cancel()

    def _send(self, event: bytes) -> None:
        if self._ended.done():
            return
        if self.response.prepared:
            self._write(event)
        else:
            self._early.append(event)

    def _write(self, event: bytes) -> None:
        self._outlet.send(b"%x\r\n%b\r\n" % (len(event), event) if self._chunked else event)

    def _leave(self) -> None:
        if not self._ended.done():
            self._ended.set_result(None)
