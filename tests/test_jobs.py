"""Jobs: once, in time, by one node at a time, whatever dies."""

import asyncio
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from db import jobs as stored
from db.jobs import Job, LeaseLost
from resolvers.context import Process
from resolvers.job_runner import Again, GiveUp, Kind, Progress, Result, Runner
from resolvers.jobs import REGISTRY
from resolvers.viewer import SYSTEM_SIGHT
from tests.conftest import Database
from tests.house import House, opened
from tests.program import Program, environment


@dataclass(slots=True)
class Workshop:
    """A process and a registry of one job that does what a test says."""

    house: House
    process: Process
    done: list[Job] = field(default_factory=list)
    fault: Exception | None = None
    going: asyncio.Event = field(default_factory=asyncio.Event)
    hold: asyncio.Event | None = None

    async def work(self, process: Process, job: Job, progress: Progress) -> Result:
        """Do the job of the test."""
        self.done.append(job)
        self.going.set()
        if self.hold is not None:
            await progress(40)
            await self.hold.wait()
        if self.fault is not None:
            raise self.fault
        return {"seen": len(self.done)}

    def runner(self, every: timedelta | None = None, at: timedelta = timedelta(), **settings: Any) -> Runner:
        """Make one node."""
        given = self.process.settings
        jobs = type(given.jobs)(**{name: getattr(given.jobs, name) for name in given.jobs.__struct_fields__} | settings)
        sections = {name: getattr(given, name) for name in given.__struct_fields__}
        process = replace(self.process, settings=type(given)(**sections | {"jobs": jobs}))
        return Runner(process, {"test_job": Kind(self.work, every, at)})

    async def order(self, **more: Any) -> Any:
        """Order the job."""
        async with self.process.database.transaction(SYSTEM_SIGHT) as tx:
            return await stored.enqueue(tx, "test_job", self.process.clock(), **more)

    async def row(self) -> Any:
        """Give the one job."""
        return await self.house.connection.fetchrow("select * from job where kind = 'test_job'")


@pytest.fixture
async def workshop(city: Database) -> AsyncIterator[Workshop]:
    """Give a workshop."""
    async with opened(city.dsn) as house:
        assert house.opened is not None
        yield Workshop(house, house.opened.process)


async def test_a_job_is_done_once_and_its_result_kept(workshop: Workshop) -> None:
    await workshop.order(parameters={"number": 7})
    assert await workshop.runner().run_due() == {("test_job", "done"): 1}
    assert await workshop.runner().run_due() == {}
    row = await workshop.row()
    assert (row["state"], row["progress"], row["result"]) == ("DONE", 100, '{"seen":1}')
    assert workshop.done[0].parameters == {"number": 7}


async def test_a_job_whose_order_was_rolled_back_is_never_done(workshop: Workshop) -> None:
    with pytest.raises(RuntimeError):
        async with workshop.process.database.transaction(SYSTEM_SIGHT) as tx:
            await stored.enqueue(tx, "test_job", workshop.process.clock())
            raise RuntimeError
    assert await workshop.runner().run_due() == {} and await workshop.row() is None


async def test_a_job_waits_for_its_moment(workshop: Workshop) -> None:
    await workshop.order(run_at=workshop.process.clock() + timedelta(hours=1))
    assert await workshop.runner().run_due() == {}
    workshop.house.clock.ahead = timedelta(minutes=61)
    assert await workshop.runner().run_due() == {("test_job", "done"): 1}


async def test_a_periodic_job_runs_once_a_period_whatever_the_number_of_nodes(workshop: Workshop) -> None:
    nodes = [workshop.runner(timedelta(days=1)) for _ in range(4)]
    for day in range(3):
        workshop.house.clock.ahead = timedelta(days=day)
        await asyncio.gather(*(node.run_due() for node in nodes for _ in range(2)))
    assert len(workshop.done) == 3
    periods = await workshop.house.connection.fetch("select period from job where kind = 'test_job' order by period")
    assert len({row["period"] for row in periods}) == 3


def test_a_period_begins_at_its_hour() -> None:
    async def nothing(process: Process, job: Job, progress: Progress) -> Result:
        return None

    nightly = Kind(nothing, timedelta(days=1), timedelta(hours=2))
    before, after = datetime(2026, 11, 22, 1, 59, tzinfo=UTC), datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
    assert nightly.period(before) == "2026-11-21T02:00:00+00:00"
    assert nightly.period(after) == "2026-11-22T02:00:00+00:00"
    assert Kind(nothing).period(after) is None


async def test_many_nodes_share_jobs_and_none_is_done_twice(workshop: Workshop) -> None:
    ordered = {await workshop.order() for _ in range(60)}
    await asyncio.gather(*(workshop.runner().run_due() for _ in range(6)))
    assert sorted(job.id for job in workshop.done) == sorted(ordered)


async def test_a_failure_is_tried_again_later_and_put_aside_after_the_last_attempt(workshop: Workshop) -> None:
    workshop.fault = RuntimeError("Famille Martin, 12 rue des Lilas")
    await workshop.order()
    outcomes = []
    for _ in range(3):
        outcomes += list(await workshop.runner(attempts=3).run_due())
        assert await workshop.runner(attempts=3).run_due() == {}, "it waits between two attempts"
        workshop.house.clock.ahead += timedelta(hours=2)
    assert [outcome for _, outcome in outcomes] == ["retry", "retry", "failed"]
    row = await workshop.row()
    assert (row["state"], row["problem"], row["attempts"]) == ("FAILED", "RuntimeError", 3)


async def test_a_job_may_ask_to_run_again_or_give_up(workshop: Workshop) -> None:
    workshop.fault = Again(workshop.process.clock() + timedelta(minutes=20))
    await workshop.order()
    assert await workshop.runner().run_due() == {("test_job", "again"): 1}
    assert (await workshop.row())["attempts"] == 0
    assert await workshop.runner().run_due() == {}
    workshop.house.clock.ahead = timedelta(minutes=21)
    workshop.fault = GiveUp("TOO_BIG")
    assert await workshop.runner().run_due() == {("test_job", "failed"): 1}
    assert (await workshop.row())["problem"] == "TOO_BIG"


async def test_a_node_that_stops_gives_its_job_back_at_once(workshop: Workshop) -> None:
    workshop.hold = asyncio.Event()
    await workshop.order()
    running = asyncio.create_task(workshop.runner().run())
    await asyncio.wait_for(workshop.going.wait(), 10)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    row = await workshop.row()
    assert (row["state"], row["attempts"]) == ("PENDING", 0)
    workshop.hold = None
    assert await workshop.runner().run_due() == {("test_job", "done"): 1}


async def test_who_lost_its_lease_writes_nothing_more(workshop: Workshop) -> None:
    """The first node sleeps through its lease; the second does the job; the first wakes up."""
    workshop.hold = asyncio.Event()
    await workshop.order()
    first = asyncio.create_task(workshop.runner(lease=1000).run_due())
    await asyncio.wait_for(workshop.going.wait(), 10)
    async with asyncio.timeout(10):
        while (await workshop.row())["progress"] != 40:
            await asyncio.sleep(0.02)
    workshop.house.clock.ahead = timedelta(seconds=1001)
    held, workshop.hold = workshop.hold, None
    assert await workshop.runner().run_due() == {("test_job", "done"): 1}
    after = await workshop.row()
    held.set()
    assert await first == {("test_job", "lost"): 1}
    assert await workshop.row() == after and after["result"] == '{"seen":2}'
    with pytest.raises(LeaseLost):
        async with workshop.process.database.transaction(SYSTEM_SIGHT) as tx:
            await stored.hold(tx, workshop.done[0])


async def test_a_long_job_keeps_its_lease(workshop: Workshop) -> None:
    workshop.hold = asyncio.Event()
    shown = [workshop.process.clock()]
    workshop.process = replace(workshop.process, clock=lambda: shown[-1])  # a slow machine loses no lease
    await workshop.order()
    first = asyncio.create_task(workshop.runner(lease=0.6).run_due())
    await asyncio.wait_for(workshop.going.wait(), 10)
    for _ in range(8):
        until = (await workshop.row())["lease_until"]
        shown.append(until - timedelta(seconds=0.1))
        assert await workshop.runner().run_due() == {}
        async with asyncio.timeout(10):
            while (await workshop.row())["lease_until"] == until:
                await asyncio.sleep(0.02)
    workshop.hold.set()
    assert await first == {("test_job", "done"): 1} and len(workshop.done) == 1


async def test_a_job_that_kills_every_process_is_put_aside(workshop: Workshop) -> None:
    await workshop.order()
    await workshop.house.connection.execute("update job set attempts = 3 where kind = 'test_job'")
    assert await workshop.runner(attempts=3).run_due() == {("test_job", "failed"): 1}
    assert (await workshop.row())["problem"] == "CRASHED" and workshop.done == []


async def test_operators_see_what_waits_and_what_failed(workshop: Workshop) -> None:
    await workshop.order()
    workshop.house.clock.ahead = timedelta(seconds=90)
    async with workshop.house.http.get(f"{workshop.house.url}/metrics") as answer:
        text = await answer.text()
    [age] = [float(line.split()[1]) for line in text.splitlines() if line.startswith("kiosque_jobs_age_seconds ")]
    assert age >= 89 and "kiosque_jobs_failed 0.0" in text
    async with workshop.house.http.get(f"{workshop.house.url}/ready") as answer:
        assert answer.status == 200, "a job that waits is no reason to turn requests away"


KILLED_AT = ("job.claimed", "job.worked", "job.finished")


@pytest.mark.parametrize("step", KILLED_AT)
async def test_a_job_of_a_killed_process_is_taken_over_after_its_lease(
    city: Database, tmp_path: Path, step: str
) -> None:
    """An export, killed at every step: made once, told once."""
    async with opened(city.dsn) as house:
        family, token = await house.member()
        await house.do("mutation { exportMyData { problems { code } } }", token)
        run = Program(
            ["gateway", "jobs", "run", "--kind", "build_export", "--database", city.dsn],
            environment(jobs__lease=1),
            tmp_path / "log",
        )
        await run.start(step)
        assert await run.ended() == -signal.SIGKILL
        state = await house.connection.fetchval("select state from job where kind = 'build_export'")
        assert state == ("DONE" if step == "job.finished" else "RUNNING")
        await asyncio.sleep(1.2)
        await run.start()
        assert await run.ended() == 0, run.said()
        job = await house.connection.fetchrow("select state, fence from job where kind = 'build_export'")
        assert job is not None and tuple(job) == ("DONE", 1 if step == "job.finished" else 2)
        told = "select count(*) from news where family_id = $1 and type = 'export_ready'"
        assert await house.connection.fetchval(told, family.id) == 1
        ready = "select count(*) from export where family_id = $1 and ready_at is not null"
        assert await house.connection.fetchval(ready, family.id) == 1


async def test_the_command_refuses_a_job_that_there_is_not(city: Database, tmp_path: Path) -> None:
    arguments = ["gateway", "jobs", "run", "--kind", "make_coffee", "--database", city.dsn]
    run = Program(arguments, environment(), tmp_path / "log")
    await run.start()
    assert await run.ended() == 1


async def test_every_periodic_job_of_the_portal_runs_on_a_whole_city(house: House) -> None:
    assert house.opened is not None
    outcomes = await Runner(house.opened.process, REGISTRY).run_due()
    periodic = {name for name, kind in REGISTRY.items() if kind.every}
    assert {kind for kind, _ in outcomes} == periodic and {outcome for _, outcome in outcomes} == {"done"}
