"""Hears the bell that the database rings when a delivery is ordered."""

import asyncio
from collections.abc import Callable, Mapping

import asyncpg
import structlog

from db.pool import DISPATCH_ROLE, connect
from notifications.troubles import TROUBLES, Patience

log = structlog.get_logger(__name__)

CHECK_SECONDS = 10.0
ANSWER_SECONDS = 5.0


Bells = Mapping[str, Callable[[], None]]
"""What to call, by the channel that rings."""


async def listen(dsn: str, bells: Bells) -> None:
    """Call a bell at each notification on its channel, until cancelled; a lost connection is opened again.

    All are also called after each new connection, because what was rung in between is lost.
    """
    patience = Patience()
    while True:
        try:
            connection = await connect(dsn, role=DISPATCH_ROLE, application="kiosque-dispatch")
            try:
                await _hear(connection, bells, patience)
            finally:
                connection.terminate()
        except TROUBLES as trouble:
            await patience.wait(log, "bell_lost", trouble)


async def _hear(connection: asyncpg.Connection, bells: Bells, patience: Patience) -> None:
    lost = asyncio.Event()
    connection.add_termination_listener(lambda *_: lost.set())
    for channel, ring in bells.items():
        await connection.add_listener(channel, lambda *_, ring=ring: ring())
    patience.reset()
    for ring in bells.values():
        ring()
    while True:
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                await lost.wait()
            raise ConnectionResetError("the database closed the connection of the bell")
        except TimeoutError:
            # A dead path does not close the connection; only an unanswered question shows it.
            await connection.execute("select 1", timeout=ANSWER_SECONDS)
