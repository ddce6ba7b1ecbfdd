"""Writes the daily messages of families whose hour has come, beside the sending."""

import asyncio
from zoneinfo import ZoneInfo

import asyncpg
import structlog

from db import digests, steps
from db.clock import Clock
from notifications.troubles import TROUBLES, Patience

log = structlog.get_logger(__name__)

BATCH = 50
"""Families in one transaction."""

PAUSE_SECONDS = 2.0
"""Between two looks when nothing is due."""


class Digester:
    """One for each dispatcher; several take turns, batch by batch."""

    def __init__(self, pool: asyncpg.Pool, clock: Clock, zone: ZoneInfo) -> None:
        """`pool` is of role `kiosque_dispatch`; `zone` that of the city's clocks."""
        self._pool = pool
        self._clock = clock
        self._zone = zone

    async def run(self) -> None:
        """Write until cancelled; a database that is away is waited for."""
        patience = Patience()
        while True:
            try:
                busy = await self.write() == BATCH
                patience.reset()
            except TROUBLES as trouble:
                await patience.wait(log, "daily_messages_paused", trouble)
                continue
            if not busy:
                await asyncio.sleep(PAUSE_SECONDS)

    async def write(self) -> int:
        """Write the messages of the next families that are due; gives how many these were."""
        now = self._clock()
        async with self._pool.acquire() as connection, connection.transaction():
            families = await digests.due(connection, now, self._zone, BATCH)
            for family_id in families:
                await digests.tell_all(connection, family_id, now)
                steps.reached("digest.told")
        if families:
            steps.reached("digest.written")
        return len(families)
