"""Numbers the steps of procedures that partners are told, and orders what their webhooks must be sent."""

import asyncio

import asyncpg
import structlog

from db import feed, steps, webhooks
from db.clock import Clock
from notifications.troubles import TROUBLES, Patience

log = structlog.get_logger(__name__)

POLL_SECONDS = 0.5
BATCH = 500


class Sequencer:
    """One for each dispatcher; they take turns, batch by batch."""

    def __init__(self, pool: asyncpg.Pool, clock: Clock) -> None:
        """`pool` is of role `kiosque_dispatch`."""
        self._pool = pool
        self._clock = clock
        self.bell = asyncio.Event()
        """Set when a step was noted."""

    async def run(self) -> None:
        """Number until cancelled; a database that is away is waited for."""
        patience = Patience()
        while True:
            self.bell.clear()
            try:
                busy = await self.number()
                patience.reset()
            except TROUBLES as trouble:
                await patience.wait(log, "feed_waits", trouble)
                continue
            if not busy:
                try:
                    async with asyncio.timeout(POLL_SECONDS):
                        await self.bell.wait()
                except TimeoutError:
                    continue

    async def number(self) -> bool:
        """Give the next steps their places; False when fewer waited than a batch takes."""
        async with self._pool.acquire() as connection:
            if not await feed.waiting(connection):
                return False
            async with connection.transaction():
                rows = await feed.number(connection, BATCH)
                if rows:
                    await webhooks.spread(connection, rows[0].position, rows[-1].position, self._clock())
                steps.reached("feed.numbered")
        steps.reached("feed.told")
        return len(rows) == BATCH
