"""Hears the bell that the database rings when a delivery is ordered."""

import asyncio
from collections.abc import Callable

import asyncpg
import structlog

from db.pool import DISPATCH_ROLE, connect
from notifications.troubles import TROUBLES, Patience

log = structlog.get_logger(__name__)

BELL = "kiosque_lane"
CHECK_SECONDS = 10.0
ANSWER_SECONDS = 5.0


async def listen(dsn: str, ring: Callable[[], None]) -> None:
    """Call `ring` at each notification, until cancelled; a lost connection is opened again.

    `ring` is also called after each new connection, because what was rung in between is lost.
    """
    patience = Patience()
    while True:
        try:
            connection = await connect(dsn, role=DISPATCH_ROLE, application="kiosque-dispatch")
            try:
                await _hear(connection, ring, patience)
            finally:
                connection.terminate()
        except TROUBLES as trouble:
            await patience.wait(log, "bell_lost", trouble)


async def _hear(connection: asyncpg.Connection, ring: Callable[[], None], patience: Patience) -> None:
    lost = asyncio.Event()
    connection.add_termination_listener(lambda *_: lost.set())
    await connection.add_listener(BELL, lambda *_: ring())
    patience.reset()
    ring()
    while True:
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                await lost.wait()
            raise ConnectionResetError("the database closed the connection of the bell")
        except TimeoutError:
            # A dead path does not close the connection; only an unanswered question shows it.
            await connection.execute("select 1", timeout=ANSWER_SECONDS)
