"""What goes wrong between us and PostgreSQL and mends itself: waited for, never fatal."""

import asyncio
import random
from typing import Any

import asyncpg

TROUBLES = (
    OSError,  # also TimeoutError: the server is away, or does not answer
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # asyncpg's word for a connection that was ended and does not know it yet
    asyncpg.OperatorInterventionError,  # shut down, restarted, statement cancelled
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,  # deadlock
    asyncpg.ObjectNotInPrerequisiteStateError,  # a lock waited for too long
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.ReadOnlySQLTransactionError,  # a standby that is being promoted
)

FIRST = 0.1
LAST = 5.0


class Patience:
    """Longer and longer pauses, 0.1 s to 5 s, while a trouble lasts."""

    def __init__(self) -> None:
        self._pause = FIRST

    def reset(self) -> None:
        """The trouble is over."""
        self._pause = FIRST

    async def wait(self, log: Any, event: str, trouble: BaseException) -> None:
        """Name the trouble and pause."""
        log.warning(event, trouble=type(trouble).__name__, pause=round(self._pause, 2))
        await asyncio.sleep(self._pause * random.uniform(0.5, 1))  # noqa: S311 - spreads load, guards nothing
        self._pause = min(LAST, self._pause * 2)
