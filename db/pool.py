"""Connections to PostgreSQL: one pool a process, every wait bounded, every transaction says who looks."""

import asyncio
import traceback
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any, Self, TypedDict

import asyncpg

from db.lending import Pool

CONNECT_SECONDS = 4.0
API_ROLE = "kiosque_api"
DISPATCH_ROLE = "kiosque_dispatch"


# asyncpg's defaults (15 KiB, 300 s, 100) would plan our generated statements again and again.
class StatementCache(TypedDict):
    """Arguments of asyncpg about prepared statements."""

    statement_cache_size: int
    max_cached_statement_lifetime: int
    max_cacheable_statement_size: int


STATEMENT_CACHE: StatementCache = {
    "statement_cache_size": 500,
    "max_cached_statement_lifetime": 0,
    "max_cacheable_statement_size": 0,
}

Row = asyncpg.Record


class DatabaseUnavailable(Exception):
    """PostgreSQL cannot be reached or has no connection to spare; the caller may try again."""


UNREACHABLE = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # asyncpg's word for a connection that was ended and does not know it yet
)


def server_settings(role: str, application: str, statement_seconds: float) -> dict[str, str]:
    """Give the start-up parameters of a connection; `statement_seconds` bounds each statement."""
    return {
        "role": role,
        "application_name": application,
        "timezone": "UTC",
        "statement_timeout": str(int(statement_seconds * 1000)),
        "idle_in_transaction_session_timeout": "30000",
        "jit": "off",
    }


async def connect(dsn: str, *, role: str, application: str, statement_seconds: float = 0) -> asyncpg.Connection:
    """Open one connection outside the pool, for LISTEN and for long jobs; 0 s means no bound on a statement."""
    return await asyncpg.connect(
        dsn,
        timeout=CONNECT_SECONDS,
        server_settings=server_settings(role, application, statement_seconds),
        **STATEMENT_CACHE,
    )


class Lent:
    """One connection, lent for a block."""

    __slots__ = ("_ahead", "_connection", "_pool")

    def __init__(self, pool: Pool, ahead: bool) -> None:
        self._pool = pool
        self._ahead = ahead

    async def __aenter__(self) -> asyncpg.Connection:
        try:
            self._connection = await self._pool.acquire(ahead=self._ahead)
        except UNREACHABLE as error:
            raise DatabaseUnavailable(type(error).__name__) from error
        return self._connection

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None:
            self._pool.release(self._connection)
            return
        lost = isinstance(error, UNREACHABLE) and self._lost_by(error)
        # What was interrupted may have been in the middle of a statement.
        self._pool.release(self._connection, broken=lost or isinstance(error, asyncio.CancelledError | TimeoutError))
        if lost:
            raise DatabaseUnavailable(type(error).__name__) from error

    def _lost_by(self, error: BaseException) -> bool:
        """Tell whether an error that may mean a lost connection is one of this connection, not of the block's own."""
        if isinstance(error, asyncpg.InterfaceError):
            # A fault of ours, such as a wrong number of values, leaves the connection as it was.
            return self._connection.is_closed()
        if isinstance(error, OSError):
            # asyncpg gives its own name to a connection that breaks; of these only its time-outs come as they are.
            return any(_of_asyncpg(frame) for frame, _ in traceback.walk_tb(error.__traceback__))
        return True


def _of_asyncpg(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__")).startswith("asyncpg.")


@dataclass(frozen=True, slots=True)
class Database:
    """The pool of one process."""

    pool: Pool
    """Connections of role `kiosque_api`."""

    dsn: str
    """Where they lead; also for connections of their own (LISTEN, imports)."""

    @classmethod
    async def open(
        cls,
        dsn: str,
        *,
        size: int,
        command_seconds: float,
        statement_seconds: float,
        wait_seconds: float = 4.0,
        application: str = "kiosque-gateway",
    ) -> Self:
        """Open `size` connections at the most; a command lasts `command_seconds` at the most, the wait for a free one
        `wait_seconds`.

        Statements are planned once a connection, whatever their values: planning one takes longer than running it.
        """
        settings = server_settings(API_ROLE, application, statement_seconds) | {"plan_cache_mode": "force_generic_plan"}

        async def make() -> asyncpg.Connection:
            return await asyncpg.connect(
                dsn,
                timeout=CONNECT_SECONDS,
                command_timeout=command_seconds,
                server_settings=settings,
                **STATEMENT_CACHE,
            )

        pool = Pool(make, size, wait_seconds)
        pool.release(await pool.acquire())
        return cls(pool, dsn)

    async def close(self) -> None:
        """Give back all connections, cutting those still busy after 5 s."""
        try:
            async with asyncio.timeout(5):
                await self.pool.close()
        except TimeoutError:
            self.pool.terminate()

    def connection(self, *, ahead: bool = False) -> Lent:
        """Lend one connection for a block, `ahead` of all who wait when it finishes what is begun.

        Entering raises DatabaseUnavailable when none is free in time or the server cannot be reached, leaving when
        it was lost meanwhile or did not answer in time. What the block itself raises passes unchanged.
        """
        return Lent(self.pool, ahead)

    @asynccontextmanager
    async def transaction(self, sight: Mapping[str, str]) -> AsyncIterator[asyncpg.Connection]:
        """Open a transaction that sees the rows of `sight`: settings such as `{"kiosque.family": "…"}`."""
        async with self.connection() as connection, connection.transaction():
            await see_as(connection, sight)
            yield connection


async def see_as(connection: Any, sight: Mapping[str, str]) -> None:
    """Set whose rows the current transaction sees; row-level security reads it."""
    calls = ", ".join(f"set_config(${2 * n + 1}, ${2 * n + 2}, true)" for n in range(len(sight)))
    await connection.execute(f"select {calls}", *[part for item in sight.items() for part in item])
