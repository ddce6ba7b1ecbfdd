"""What is pushed to one client: written at once while it reads, queued while it does not, and only so much.

No task waits on an idle connection; one exists only while something is queued.
"""

import asyncio
from collections.abc import Callable

from aiohttp import web


class Outlet:
    """The writing half of one live connection. `overflow` is called when the queue is full."""

    def __init__(self, request: web.Request, most: int, overflow: Callable[[], None]) -> None:
        self._request = request
        self._most = most
        self._overflow = overflow
        self._queue: list[bytes] = []  # at most some dozens: an empty list is 50 bytes, an empty deque 600
        self._writing: asyncio.Task[None] | None = None
        self._finished = False

    def send(self, piece: bytes) -> None:
        """Send one finished piece (a frame, a chunk); never blocks and never raises."""
        transport = self._transport()
        if self._finished or transport is None:
            return
        if self._writing is None and not self._request.protocol.writing_paused:
            transport.write(piece)
        elif len(self._queue) >= self._most:
            self._overflow()
        else:
            self._queue.append(piece)
            if self._writing is None:
                self._writing = asyncio.create_task(self._write())

    def finish(self, last: bytes) -> None:
        """Send a last piece behind what the system has buffered; what is queued is given up."""
        if not self._finished:
            self._finished = True
            self._queue.clear()
            transport = self._transport()
            if transport is not None:
                transport.write(last)

    async def flush(self, seconds: float) -> None:
        """Wait until everything is written; a client that does not take it in this time is cut off."""
        try:
            async with asyncio.timeout(seconds):
                if self._writing is not None:
                    await asyncio.wait({self._writing})
                await self._request.writer.drain()
        except (TimeoutError, ConnectionError):
            self.abort()

    def abort(self) -> None:
        """Cut the connection without waiting for the client."""
        if self._request.transport is not None:
            self._request.transport.abort()

    def _transport(self) -> asyncio.Transport | None:
        """Give the connection while it is open."""
        transport = self._request.transport
        return None if transport is None or transport.is_closing() else transport

    async def _write(self) -> None:
        """Write what is queued as fast as the client takes it."""
        try:
            while self._queue:
                await self._request.writer.drain()
                transport = self._transport()
                if transport is None:
                    return
                while self._queue and not self._request.protocol.writing_paused:
                    transport.write(self._queue.pop(0))
        except ConnectionError:
            return
        finally:
            self._queue.clear()
            self._writing = None
