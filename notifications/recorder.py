"""Results of all lanes are written together: while one batch is written, the next one gathers."""

import asyncio
from collections.abc import Callable

import asyncpg
import structlog

from db.clock import Clock
from notifications import results
from notifications.results import Result
from notifications.troubles import TROUBLES, Patience

log = structlog.get_logger(__name__)

BATCH = 200
BUSY_PAUSE = 0.005
"""Seconds until a lane that a producer has locked is tried again."""


Entry = tuple[Result, asyncio.Future[bool]]


class Recorder:
    """Writes results one batch at a time, as long as it takes: a result is forgotten only when the lane was lost."""

    def __init__(self, pool: asyncpg.Pool, clock: Clock, recorded: Callable[[bool], None]) -> None:
        """`recorded` is called after each batch; with True when a lane given back is due again."""
        self._pool = pool
        self._clock = clock
        self._recorded = recorded
        self._queue: list[Entry] = []
        self._more = asyncio.Event()
        self.behind = False
        """Results could not be written so far: leases that ran out meanwhile are not crashes."""

    async def record(self, result: Result) -> bool:
        """Write one result; gives False when the lane was lost meanwhile and nothing was written."""
        written: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._queue.append((result, written))
        self._more.set()
        return await written

    async def run(self) -> None:
        """Write what comes, until cancelled."""
        patience = Patience()
        while True:
            await self._more.wait()
            batch, self._queue = self._queue[:BATCH], self._queue[BATCH:]
            try:
                busy = await self._write(batch)
            except TROUBLES as trouble:
                self._queue = batch + self._queue
                self.behind = True
                await patience.wait(log, "results_wait", trouble)
                continue
            patience.reset()
            self.behind = False
            self._queue += busy
            if not self._queue:
                self._more.clear()
            elif busy:
                await asyncio.sleep(BUSY_PAUSE)

    async def _write(self, batch: list[Entry]) -> list[Entry]:
        """Write one batch; gives what must wait for a producer."""
        written = await results.write(self._pool, [result for result, _ in batch], self._clock())
        self._recorded(written.more)
        ends = {result.held: True for result in written.done} | {result.held: False for result in written.lost}
        for result, future in batch:
            if result.held in ends and not future.done():
                future.set_result(ends[result.held])
        return [entry for entry in batch if entry[0].held not in ends]
