"""GraphQL over WebSocket, by the protocol `graphql-transport-ws` only.

The handler of a connection is its reader; results are pushed past it, so an idle subscription has no task. A message
that breaks the protocol closes the socket with its code; a fault in one operation ends that operation only.
"""

import asyncio
from datetime import datetime
from typing import Any

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web

from gateway.endpoint import Endpoint
from gateway.errors import RequestRefused
from gateway.frames import close_frame, text_frame
from gateway.operations import Operations
from gateway.outlet import Outlet
from gateway.requests import GraphQLRequest, decoded
from gateway.sockets import FORBIDDEN, GOING_AWAY, TOO_MANY, TRY_AGAIN
from resolvers.viewer import Viewer

PROTOCOL = "graphql-transport-ws"

BAD_MESSAGE = 4400
UNAUTHORIZED = 4401
WRONG_PROTOCOL = 4406
INIT_TIMEOUT = 4408
ID_IN_USE = 4409
INIT_TWICE = 4429

LINGER_SECONDS = 0.2
"""After a broken frame, so that the client reads why before the connection is reset under it."""


NOTHING = b"null"


class Message(msgspec.Struct, frozen=True):
    """One message of a client."""

    type: str
    id: str | None = None
    payload: msgspec.Raw = msgspec.Raw(NOTHING)


MESSAGE = msgspec.json.Decoder(Message)
INIT = msgspec.json.Decoder(dict[str, Any] | None)
SUBSCRIBE = msgspec.json.Decoder(GraphQLRequest)


class BrokenProtocol(Exception):
    """A message that ends the connection."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


async def serve(endpoint: Endpoint, request: web.Request) -> web.StreamResponse:
    """Answer one WebSocket request, until the connection ends.

    Raises RequestRefused when the page that opens it is of a foreign site, or the process is stopping.
    """
    endpoint.gate.check_site(request)
    if endpoint.sockets.stopping:
        raise RequestRefused("MAINTENANCE", "The server is stopping.", headers={"Retry-After": "5"})
    line = SocketLine(endpoint, request)
    await line.response.prepare(request)
    await line.run()
    return line.response


class _Response(web.WebSocketResponse):
    """aiohttp's half of a socket: the handshake, reading, heartbeat. Closing is the line's, so that it never waits."""

    def __init__(self, line: "SocketLine", heartbeat: float, frame_bytes: int) -> None:
        super().__init__(
            heartbeat=heartbeat,
            protocols=(PROTOCOL,),
            compress=False,
            max_msg_size=frame_bytes,
            autoclose=False,
            decode_text=False,
        )
        self._line = line

    async def close(self, *, code: int = WSCloseCode.OK, message: bytes = b"", drain: bool = True) -> bool:
        """Close as the line does."""
        self._line.hang_up(code, message.decode())
        return True

    async def write_eof(self, data: bytes = b"") -> None:
        """Leave the connection to the line; aiohttp would send a second closing."""


class SocketLine:
    """One open socket."""

    def __init__(self, endpoint: Endpoint, request: web.Request) -> None:
        limits = endpoint.live
        self._endpoint = endpoint
        self._request = request
        self.response = _Response(self, limits.heartbeat_seconds, limits.frame_bytes)
        self._outlet = Outlet(request, limits.queue, self._too_slow)
        self._loop = asyncio.get_running_loop()
        self._deadline: asyncio.TimerHandle | None = None
        self._closed = False
        self._authorization: str | None = None
        self._viewer: Viewer | None = None
        self._operations = Operations(endpoint, self._context, self.send)

    async def run(self) -> None:
        """Read until the connection ends, then forget everything about it."""
        self._endpoint.sockets.open(self)
        try:
            if self.response.ws_protocol != PROTOCOL:
                self.hang_up(WRONG_PROTOCOL, "Subprotocol not acceptable")
            else:
                self._end_after(self._endpoint.live.init_seconds, INIT_TIMEOUT, "Connection initialisation timeout")
            await self._read()
        finally:
            self._operations.close()
            self._endpoint.sockets.forget(self, self._viewer)
            self.hang_up(GOING_AWAY, "")

    def send(self, message: bytes) -> None:
        """Push one message to the client."""
        self._outlet.send(text_frame(message))

    def hang_up(self, code: int, reason: str) -> None:
        """Send the closing at once; the connection is cut if the client does not answer it soon."""
        if not self._closed:
            self._closed = True
            self._operations.close()
            self._outlet.finish(close_frame(code, reason))
            self._end_after(self._endpoint.live.closing_seconds, None, "")

    async def _read(self) -> None:
        """Take messages one by one; after the closing was sent, wait for the client's."""
        while True:
            received = await self.response.receive()
            if received.type is WSMsgType.ERROR:
                await asyncio.sleep(LINGER_SECONDS)
                return
            if received.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED):
                self.hang_up(WSCloseCode.OK, "")
                return
            if self._closed:
                continue
            try:
                if received.type is not WSMsgType.TEXT:
                    raise BrokenProtocol(BAD_MESSAGE, "Messages are text")
                await self._take(_decoded(MESSAGE, received.data, "message"))
            except BrokenProtocol as broken:
                self.hang_up(broken.code, broken.reason)

    async def _take(self, message: Message) -> None:
        match message.type:
            case "connection_init":
                await self._init(_decoded(INIT, message.payload, "payload"))
            case "ping":
                _decoded(INIT, message.payload, "payload")
                payload = bytes(message.payload)
                self.send(b'{"type":"pong"}' if payload == NOTHING else b'{"type":"pong","payload":' + payload + b"}")
            case "pong":
                pass
            case "subscribe":
                await self._subscribe(message)
            case "complete":
                self._operations.leave(_id_of(message))
            case _:
                raise BrokenProtocol(BAD_MESSAGE, "Unknown message type")

    async def _init(self, payload: dict[str, Any] | None) -> None:
        """Let the client in by its token, by the cookie of the handshake, or as anonymous."""
        if self._viewer is not None:
            raise BrokenProtocol(INIT_TWICE, "Too many initialisation requests")
        token = (payload or {}).get("authorization", (payload or {}).get("Authorization"))
        if token is not None and not isinstance(token, str):
            raise BrokenProtocol(BAD_MESSAGE, "The authorization is not a text")
        self._authorization = token if not token or " " in token else f"Bearer {token}"
        try:
            viewer = (await self._context()).viewer
        except RequestRefused as refused:
            code = TRY_AGAIN if refused.status == 503 else FORBIDDEN  # clients come back by themselves only after 1013
            raise BrokenProtocol(code, refused.message) from None
        if self._closed:
            return
        if not self._endpoint.sockets.admit(self, viewer):
            raise BrokenProtocol(TOO_MANY, "Too many sockets of this account")
        self._viewer = viewer
        self._end_at(viewer.expires_at)
        self.send(b'{"type":"connection_ack"}')

    async def _subscribe(self, message: Message) -> None:
        if self._viewer is None:
            raise BrokenProtocol(UNAUTHORIZED, "Unauthorized")
        asked = _decoded(SUBSCRIBE, message.payload, "payload")
        if asked.query is None and asked.document_id is None and not asked.extensions:
            raise BrokenProtocol(BAD_MESSAGE, "The query is missing")
        key = _id_of(message)
        if key in self._operations:
            raise BrokenProtocol(ID_IN_USE, f"Subscriber for {key} already exists")
        await self._operations.start(key, asked)

    async def _context(self) -> Any:
        """Make a new context: what its token allows may have changed since the socket was opened.

        A cookie whose session has ended would make a nobody of who has signed in: that is refused like a dead token.
        """
        context = await self._endpoint.make_context(self._request, self._authorization)
        if self._viewer is not None and context.viewer.session_id != self._viewer.session_id:
            raise RequestRefused("UNAUTHENTICATED", "The session of this socket has ended.")
        return context

    def _end_at(self, moment: datetime | None) -> None:
        if moment is None:
            self._end_after(None, None, "")
        else:
            self._end_after((moment - self._endpoint.clock()).total_seconds(), FORBIDDEN, "Token expired")

    def _end_after(self, seconds: float | None, code: int | None, reason: str) -> None:
        """Set the one timer of the socket: init, then expiry, then the cut after a closing."""
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if seconds is None:
            return
        if code is None:
            self._deadline = self._loop.call_later(seconds, self._outlet.abort)
        else:
            self._deadline = self._loop.call_later(max(seconds, 0), self.hang_up, code, reason)

    def _too_slow(self) -> None:
        self.hang_up(TRY_AGAIN, "Too slow: resume after the last cursor")


def _decoded(decoder: msgspec.json.Decoder[Any], text: bytes | msgspec.Raw, what: str) -> Any:
    try:
        return decoded(decoder, bytes(text), what)
    except RequestRefused as refused:
        raise BrokenProtocol(BAD_MESSAGE, refused.message) from None


def _id_of(message: Message) -> str:
    if not message.id:
        raise BrokenProtocol(BAD_MESSAGE, "The id is missing")
    return message.id
