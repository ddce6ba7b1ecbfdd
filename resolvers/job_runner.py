"""The runner of jobs: takes what is due, keeps its lease while it works, tries again what failed, takes over from the
dead.

A kind of job is an async function `(process, job, progress)`. It may run more than once (a process may die after its
last commit), so it writes in transactions that find out what was done before, or that call `db.jobs.hold`.
"""

import asyncio
import random
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import structlog

from db import jobs as stored
from db import steps
from db.jobs import Job, LeaseLost
from db.pool import DatabaseUnavailable
from resolvers.context import Process
from resolvers.viewer import SYSTEM_SIGHT

log = structlog.get_logger(__name__)

Progress = Callable[[int], Awaitable[None]]
"""Tells how far a job is, in per cent; raises LeaseLost when another node does it now."""

Result = Mapping[str, Any] | None
Work = Callable[[Process, Job, Progress], Awaitable[Result]]
PutAside = Callable[[Any, Process, Job, str], Awaitable[None]]
"""Writes, in the transaction that puts a job aside for good, what that means; with the code of the fault."""

TROUBLES = (DatabaseUnavailable, TimeoutError, asyncpg.PostgresError)
AWAY_SECONDS = 2.0
GIVE_BACK_SECONDS = 1.5
SOONEST = timedelta(seconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Again(Exception):
    """Not yet: the job is to run again at a moment of its own choice (UTC). It counts as no failure."""

    def __init__(self, at: datetime) -> None:
        super().__init__(at.isoformat())
        self.at = at


class GiveUp(Exception):
    """Never: the job is put aside at once, with a code that says why."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of job."""

    work: Work
    every: timedelta | None = None
    """Of a periodic job: its period."""

    at: timedelta = timedelta()
    """When its periods begin, counted from midnight UTC of any day (for periods that divide a day, or are whole days).
    """

    put_aside: PutAside | None = None
    """What follows when it is put aside for good."""

    def period(self, now: datetime) -> str | None:
        """Give the beginning of the period in which `now` lies; None for what is no periodic job."""
        if self.every is None:
            return None
        periods = (now - EPOCH - self.at) // self.every
        return (EPOCH + self.at + periods * self.every).isoformat()


Registry = Mapping[str, Kind]


class Runner:
    """Does the jobs of one process."""

    def __init__(self, process: Process, registry: Registry) -> None:
        self._process = process
        self._settings = process.settings.jobs
        self._registry = registry
        self._ordered: dict[str, str | None] = {}
        self._working: set[asyncio.Task[str]] = set()
        self._free = asyncio.Event()

    async def run(self) -> None:
        """Do what falls due until cancelled; what is in hand is then given back."""
        try:
            while True:
                self._free.clear()
                try:
                    await self._start_due()
                except TROUBLES as trouble:
                    log.warning("jobs_wait", kind=type(trouble).__name__)
                    await asyncio.sleep(AWAY_SECONDS)
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._settings.poll):
                        await self._free.wait()
        finally:
            for task in self._working:
                task.cancel()
            await asyncio.gather(*self._working, return_exceptions=True)

    async def run_due(self, kinds: Collection[str] = ()) -> Counter[tuple[str, str]]:
        """Do everything that is due now, one after the other; give the counts of (kind, outcome).

        Only these kinds, if any are named. Raises DatabaseUnavailable.
        """
        wanted = [name for name in self._registry if name in kinds or not kinds]
        outcomes: Counter[tuple[str, str]] = Counter()
        await self._order_periods(wanted)
        while found := await self._claim(wanted, 1):
            for job in found:
                outcomes[job.kind, await self._do(job)] += 1
        return outcomes

    async def _start_due(self) -> None:
        await self._order_periods(list(self._registry))
        free = self._settings.concurrency - len(self._working)
        for job in await self._claim(list(self._registry), free) if free else ():
            task = asyncio.create_task(self._do(job))
            self._working.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[str]) -> None:
        self._working.discard(task)
        self._free.set()

    async def _order_periods(self, kinds: list[str]) -> None:
        """Order the periodic jobs of the present periods; a period that passed while nobody ran is left out."""
        now = self._process.clock()
        for name in kinds:
            period = self._registry[name].period(now)
            if period is not None and self._ordered.get(name) != period:
                async with self._process.database.transaction(SYSTEM_SIGHT) as tx:
                    await stored.enqueue_period(tx, name, period, now)
                self._ordered[name] = period

    async def _claim(self, kinds: list[str], count: int) -> list[Job]:
        now = self._process.clock()
        async with self._process.database.transaction(SYSTEM_SIGHT) as tx:
            return await stored.claim(tx, kinds, count, now, now + self._lease)

    @property
    def _lease(self) -> timedelta:
        return timedelta(seconds=self._settings.lease)

    async def _do(self, job: Job) -> str:
        """Do one job and write what came of it; give the outcome as a word."""
        steps.reached("job.claimed")
        try:
            return await self._outcome(job)
        except asyncio.CancelledError:
            await self._give_back(job)
            raise
        except LeaseLost:
            log.warning("job_lease_lost", kind=job.kind, job=str(job.id))
            return "lost"
        except TROUBLES as trouble:
            # Its result could not be written: the lease runs out and the job is done again.
            log.warning("job_not_written", kind=job.kind, job=str(job.id), fault=type(trouble).__name__)
            return "lost"

    async def _outcome(self, job: Job) -> str:
        if job.attempts > self._settings.attempts:
            return await self._fail(job, "CRASHED")
        try:
            result = await self._while_held(job)
        except Again as again:
            at = max(again.at, self._process.clock() + SOONEST)
            await self._put_back(job, at, 0, None)
            return "again"
        except GiveUp as end:
            return await self._fail(job, str(end))
        except LeaseLost:
            raise
        except Exception as fault:
            return await self._failed(job, fault)
        steps.reached("job.worked")
        async with self._process.database.transaction(SYSTEM_SIGHT) as tx:
            await stored.finish(tx, job, self._process.clock(), result)
        steps.reached("job.finished")
        return "done"

    async def _while_held(self, job: Job) -> Result:
        """Work while the lease is kept; raises LeaseLost and whatever the work raises."""

        async def progress(per_cent: int) -> None:
            await self._renew(job, per_cent)

        async def work() -> Result:
            return await self._registry[job.kind].work(self._process, job, progress)

        async def keep() -> None:
            while True:
                await asyncio.sleep(self._settings.lease / 3)
                with suppress(DatabaseUnavailable, TimeoutError):
                    await self._renew(job, None)

        working, keeping = asyncio.create_task(work()), asyncio.create_task(keep())
        try:
            await asyncio.wait((working, keeping), return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                keeping.result()
            return working.result()
        finally:
            working.cancel()
            keeping.cancel()
            await asyncio.gather(working, keeping, return_exceptions=True)

    async def _renew(self, job: Job, per_cent: int | None) -> None:
        until = self._process.clock() + self._lease
        async with self._process.database.transaction(SYSTEM_SIGHT) as tx:
            await stored.renew(tx, job, until, per_cent)

    async def _failed(self, job: Job, fault: Exception) -> str:
        # The text of the exception may hold personal data; its kind and place do not.
        place = traceback.extract_tb(fault.__traceback__)[-1]
        name, at = type(fault).__name__, f"{place.name}:{place.lineno}"
        log.error("job_failed", kind=job.kind, job=str(job.id), attempt=job.attempts, fault=name, at=at)
        if job.attempts >= self._settings.attempts:
            return await self._fail(job, name)
        pause = min(self._settings.retry_base * 2 ** (job.attempts - 1), self._settings.retry_cap)
        pause *= random.uniform(0.5, 1.0)  # noqa: S311 - it spreads retries, it guards nothing
        await self._put_back(job, self._process.clock() + timedelta(seconds=pause), job.attempts, name)
        return "retry"

    async def _fail(self, job: Job, problem: str) -> str:
        put_aside = self._registry[job.kind].put_aside
        async with self._process.database.transaction(SYSTEM_SIGHT) as tx:
            if put_aside is not None:  # first: the work, too, holds its own rows before the job's
                await put_aside(tx, self._process, job, problem)
            await stored.fail(tx, job, self._process.clock(), problem)
        log.error("job_put_aside", kind=job.kind, job=str(job.id), problem=problem)
        return "failed"

    async def _put_back(self, job: Job, at: datetime, attempts: int, problem: str | None) -> None:
        async with self._process.database.transaction(SYSTEM_SIGHT) as tx:
            await stored.put_back(tx, job, at, attempts, problem)

    async def _give_back(self, job: Job) -> None:
        """Let another process have a job when this one stops; else the lease runs out."""
        with suppress(LeaseLost, *TROUBLES):
            async with asyncio.timeout(GIVE_BACK_SECONDS):
                await self._put_back(job, self._process.clock(), job.attempts - 1, None)
