"""Spreads what the whole city is told over the families, a batch at a time, beside the sending."""

import asyncio

import asyncpg
import structlog

from db import broadcast, steps
from db.clock import Clock
from notifications.troubles import TROUBLES, Patience

log = structlog.get_logger(__name__)

PAUSE_SECONDS = 1.0
"""Between two looks when there is nothing to spread."""


class Spreader:
    """One for each dispatcher; several take turns, batch by batch."""

    def __init__(self, pool: asyncpg.Pool, clock: Clock, batch: int) -> None:
        """`pool` is of role `kiosque_dispatch`; `batch` is the number of families that one transaction tells."""
        self._pool = pool
        self._clock = clock
        self._batch = batch

    async def run(self) -> None:
        """Spread until cancelled; a database that is away is waited for."""
        patience = Patience()
        while True:
            try:
                busy = await self.spread()
                patience.reset()
            except TROUBLES as trouble:
                await patience.wait(log, "spreading_paused", trouble)
                continue
            if not busy:
                await asyncio.sleep(PAUSE_SECONDS)

    async def spread(self) -> bool:
        """Tell the next batch of families; False when there was nothing to tell."""
        now = self._clock()
        async with self._pool.acquire() as connection, connection.transaction():
            held = await broadcast.hold(connection)
            if held is None:
                return False
            listeners = await broadcast.next_listeners(connection, held, self._batch)
            if listeners:
                await broadcast.write(connection, held, listeners, now)
            finished = len(listeners) < self._batch
            told = await broadcast.move(connection, held, listeners, now if finished else None)
            steps.reached("broadcast.batch")
        steps.reached("broadcast.told")
        if finished:
            log.info("broadcast_spread", broadcast=str(held.id), type=held.type, families=told)
        return True
