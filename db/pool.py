"""Connections to PostgreSQL: one pool a process, every wait bounded, every transaction says who looks."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self, TypedDict

import asyncpg

ACQUIRE_SECONDS = 2.0
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
        timeout=ACQUIRE_SECONDS * 2,
        server_settings=server_settings(role, application, statement_seconds),
        **STATEMENT_CACHE,
    )


async def _no_reset(_: asyncpg.Connection) -> None:
    """Nothing to reset: no session state is ever set outside a transaction, and the reset would cost a round trip."""


@dataclass(frozen=True, slots=True)
class Database:
    """The pool of one process."""

    pool: asyncpg.Pool
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
        application: str = "kiosque-gateway",
    ) -> Self:
        """Open `size` connections at the most; a command lasts `command_seconds` at the most."""
        pool = await asyncpg.create_pool(
            dsn,
            min_size=1,
            max_size=size,
            timeout=ACQUIRE_SECONDS * 2,
            command_timeout=command_seconds,
            max_inactive_connection_lifetime=0,
            reset=_no_reset,
            server_settings=server_settings(API_ROLE, application, statement_seconds),
            **STATEMENT_CACHE,
        )
        return cls(pool, dsn)

    async def close(self) -> None:
        """Give back all connections, cutting those still busy after 5 s."""
        try:
            async with asyncio.timeout(5):
                await self.pool.close()
        except TimeoutError:
            self.pool.terminate()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.pool.PoolConnectionProxy]:
        """Lend one connection.

        Raises DatabaseUnavailable when none is free within 2 s or the server cannot be reached.
        """
        try:
            connection = await self.pool.acquire(timeout=ACQUIRE_SECONDS)
        except (TimeoutError, *UNREACHABLE) as error:
            raise DatabaseUnavailable(type(error).__name__) from error
        try:
            yield connection
        except UNREACHABLE as error:
            if isinstance(error, asyncpg.InterfaceError) and _is_open(connection):
                raise  # a fault of ours, such as a wrong number of values
            if _is_open(connection):
                connection.terminate()  # or the pool might lend it again before its end is noticed
            raise DatabaseUnavailable(type(error).__name__) from error
        finally:
            await self.pool.release(connection, timeout=ACQUIRE_SECONDS)

    @asynccontextmanager
    async def transaction(self, sight: Mapping[str, str]) -> AsyncIterator[asyncpg.pool.PoolConnectionProxy]:
        """Open a transaction that sees the rows of `sight`: settings such as `{"kiosque.family": "…"}`."""
        async with self.connection() as connection, connection.transaction():
            await see_as(connection, sight)
            yield connection


def _is_open(connection: asyncpg.pool.PoolConnectionProxy) -> bool:
    """Tell whether a lent connection lives; the pool takes back one that has ended, and then asking raises."""
    try:
        return not connection.is_closed()
    except asyncpg.InterfaceError:
        return False


async def see_as(connection: Any, sight: Mapping[str, str]) -> None:
    """Set whose rows the current transaction sees; row-level security reads it."""
    calls = ", ".join(f"set_config(${2 * n + 1}, ${2 * n + 2}, true)" for n in range(len(sight)))
    await connection.execute(f"select {calls}", *[part for item in sight.items() for part in item])
