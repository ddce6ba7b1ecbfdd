"""Thousands of WebSockets of clients that only listen: `python -m bench.sockets`.

Reads one JSON line (`Crowd`) from standard input and answers `ready` when every socket has subscribed; each further
line is answered with what has arrived since, `end` ends it.
"""

import asyncio
import base64
import re
import sys
import time
from typing import cast

import msgspec
import uvloop

AT_ONCE = 64
PATIENCE = 30.0
CURSOR = re.compile(rb'"cursor"\s*:\s*"(\d+)"')
NO_MASK = bytes(4)
PONG = b"\x8a\x80" + NO_MASK


class Crowd(msgspec.Struct):
    """Who connects: one socket for each token of the list, with the operation that each subscribes to."""

    port: int
    tokens: list[str]
    query: str
    connections: int


class Arrivals(msgspec.Struct):
    """What arrived: place of the token, cursor, moment (seconds since 1970)."""

    items: list[tuple[int, int, float]]
    lost: int


class Socket(asyncio.Protocol):
    """One WebSocket: shakes hands, subscribes, and notes when what arrives."""

    def __init__(self, hall: "Hall", place: int) -> None:
        self._hall = hall
        self._place = place
        self._held = b""
        self._open = False
        self.subscribed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the upgrade."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(
            b"GET /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n"
            b"Sec-WebSocket-Key: " + base64.b64encode(self._place.to_bytes(16)) + b"\r\n"
            b"Authorization: Bearer " + self._hall.token(self._place).encode() + b"\r\n\r\n"
        )

    def data_received(self, data: bytes) -> None:
        """Take what comes, frame by frame."""
        now = time.time()
        self._held += data
        if not self._open:
            head, end, rest = self._held.partition(b"\r\n\r\n")
            if not end:
                return
            if not head.startswith(b"HTTP/1.1 101"):
                raise ConnectionError(head.decode())
            self._open, self._held = True, rest
            token = self._hall.token(self._place)
            self._say({"type": "connection_init", "payload": {"authorization": f"Bearer {token}"}})
        while (frame := self._frame()) is not None:
            self._take(*frame, now)

    def connection_lost(self, error: Exception | None) -> None:
        """Count it: nobody should be cut."""
        self._hall.arrivals.lost += 1
        if not self.subscribed.done():
            self.subscribed.set_exception(error or ConnectionError("the server closed a socket"))

    def _take(self, opcode: int, payload: bytes, now: float) -> None:
        if opcode == 9:
            self._transport.write(PONG)
        elif opcode == 8:
            raise ConnectionError(payload.decode(errors="replace"))
        elif (found := CURSOR.search(payload)) is not None:
            self._hall.arrivals.items.append((self._place % len(self._hall.crowd.tokens), int(found[1]), now))
        elif b"connection_ack" in payload:
            self._say({"type": "subscribe", "id": "1", "payload": {"query": self._hall.crowd.query}})
            self.subscribed.set_result(None)
        else:
            raise ConnectionError(payload.decode())

    def _frame(self) -> tuple[int, bytes] | None:
        """Take one whole frame off what is held; a server's frames are not masked."""
        held = self._held
        if len(held) < 2:
            return None
        length, start = held[1], 2
        if length == 126:
            length, start = int.from_bytes(held[2:4]), 4
        elif length == 127:
            length, start = int.from_bytes(held[2:10]), 10
        if len(held) < start + length:
            return None
        self._held = held[start + length :]
        return held[0] & 15, held[start : start + length]

    def _say(self, message: dict[str, object]) -> None:
        """Send a message; a mask of zeros leaves it as it is."""
        text = msgspec.json.encode(message)
        length = bytes([0x80 | len(text)]) if len(text) < 126 else b"\xfe" + len(text).to_bytes(2)
        self._transport.write(b"\x81" + length + NO_MASK + text)


class Hall:
    """All sockets."""

    def __init__(self, crowd: Crowd) -> None:
        self.crowd = crowd
        self.arrivals = Arrivals([], 0)

    def token(self, place: int) -> str:
        """Give the token of a socket."""
        return self.crowd.tokens[place % len(self.crowd.tokens)]

    async def fill(self) -> None:
        """Open all sockets, a few at once."""
        turns, loop = asyncio.Semaphore(AT_ONCE), asyncio.get_running_loop()

        async def enter(place: int) -> None:
            async with turns:
                _, socket = await loop.create_connection(lambda: Socket(self, place), "127.0.0.1", self.crowd.port)
                async with asyncio.timeout(PATIENCE):
                    await socket.subscribed

        await asyncio.gather(*(enter(place) for place in range(self.crowd.connections)))

    def report(self) -> bytes:
        """Tell what has arrived, and begin anew."""
        told, self.arrivals = self.arrivals, Arrivals([], 0)
        return msgspec.json.encode(told)


async def main() -> None:
    """Serve the one who started us."""
    hall = Hall(msgspec.json.decode(await asyncio.to_thread(sys.stdin.buffer.readline), type=Crowd))
    await hall.fill()
    print("ready", flush=True)
    while (await asyncio.to_thread(sys.stdin.buffer.readline)).strip() not in (b"", b"end"):
        sys.stdout.buffer.write(hall.report() + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    uvloop.run(main())
