"""A lean pool: connections are lent one at a time and nothing is reset between, because no session state is ever set.

asyncpg's own pool costs a task, a proxy and a reset at each use: 0.1 ms of a read that takes 0.25; docs/decisions/0009.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

import asyncpg

Make = Callable[[], Awaitable[asyncpg.Connection]]


class Pool:
    """Lends at most `size` connections, the one that came back last first."""

    def __init__(self, make: Make, size: int, patience: float) -> None:
        """`make` opens a connection; a borrower waits `patience` seconds at the most when all are lent."""
        self._make = make
        self._size = size
        self._patience = patience
        self._open: set[asyncpg.Connection] = set()
        self._making = 0
        self._closed = False
        self._idle: list[asyncpg.Connection] = []
        self._waiting: deque[asyncio.Future[asyncpg.Connection | None]] = deque()

    @property
    def size(self) -> int:
        """How many connections are open."""
        return len(self._open)

    @property
    def idle(self) -> int:
        """How many of them nobody uses."""
        return len(self._idle)

    async def acquire(self, *, ahead: bool = False) -> asyncpg.Connection:
        """Lend a connection, in turn, or `ahead` of all who wait to one that finishes what is begun.

        Raises TimeoutError when none comes back in time, InterfaceError once the pool is closed, and what connecting
        raises.
        """
        self._require_open()
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
            self._open.discard(connection)
        if len(self._open) + self._making < self._size:
            return await self._made()
        given = await self._waited(ahead)
        return given if given is not None else await self._made()

    def release(self, connection: asyncpg.Connection, *, broken: bool = False) -> None:
        """Take a connection back; a broken one is cut, because nobody knows in which state it is."""
        if broken or connection.is_closed():
            self._open.discard(connection)
            connection.terminate()
            self._pass_on(None)
        elif not self._pass_on(connection):
            self._idle.append(connection)

    async def close(self) -> None:
        """Close all connections; those that are lent are waited for by asyncpg. None is opened any more."""
        self._closed = True
        for connection in list(self._open):
            await connection.close()

    def terminate(self) -> None:
        """Cut all connections. None is opened any more."""
        self._closed = True
        for connection in list(self._open):
            connection.terminate()

    async def _made(self) -> asyncpg.Connection:
        self._making += 1
        try:
            connection = await self._make()
        except BaseException:
            self._pass_on(None)  # whoever waits may try in its turn
            raise
        finally:
            self._making -= 1
        if self._closed:
            connection.terminate()
        self._require_open()
        self._open.add(connection)
        return connection

    def _require_open(self) -> None:
        if self._closed:
            raise asyncpg.InterfaceError("the pool is closed")

    async def _waited(self, ahead: bool) -> asyncpg.Connection | None:
        """Wait for a turn: gives a connection, or None for leave to make one."""
        turn: asyncio.Future[asyncpg.Connection | None] = asyncio.get_running_loop().create_future()
        if ahead:
            self._waiting.appendleft(turn)
        else:
            self._waiting.append(turn)
        try:
            async with asyncio.timeout(self._patience):
                return await turn
        except BaseException:
            if turn.done() and not turn.cancelled() and (given := turn.result()) is not None:
                self.release(given)
            raise

    def _pass_on(self, connection: asyncpg.Connection | None) -> bool:
        """Give the first who waits a connection, or leave to make one; False when nobody waits."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(connection)
                return True
        return False
