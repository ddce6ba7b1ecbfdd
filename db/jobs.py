"""Jobs: work that is done later or by the clock. One row each, leased, so that any number of nodes share them.

A job is ordered in the transaction of the change that wants it, and is there if and only if that commits. Whoever does
it may die at any point: another node takes it over when the lease has run out, and the fencing number keeps the first
one from writing anything more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from db.ids import uuid7


class LeaseLost(Exception):
    """Another node does this job now."""


@dataclass(frozen=True, slots=True)
class Job:
    """A job under lease."""

    id: UUID
    kind: str
    family_id: UUID | None
    """Whose it is; none for the portal's own."""

    parameters: Mapping[str, Any]
    """Ids and counts, never names or addresses."""

    attempts: int
    """This one included; those of processes that died count."""

    fence: int


INSERT = """
    insert into job (id, kind, family_id, parameters, run_at, created_at) values ($1, $2, $3, $4, $5, $6)
"""


async def enqueue(
    tx: Any,
    kind: str,
    now: datetime,
    *,
    family_id: UUID | None = None,
    parameters: Mapping[str, Any] | None = None,
    run_at: datetime | None = None,
) -> UUID:
    """Order a job in the transaction `tx`, for `run_at` (UTC) or at once; give its id.

    `kind` is a name of `resolvers.jobs.REGISTRY`.
    """
    job_id = uuid7(now)
    await tx.execute(INSERT, job_id, kind, family_id, _text(parameters or {}), run_at or now, now)
    return job_id


INSERT_PERIOD = """
    insert into job (id, kind, period, run_at, created_at) values ($1, $2, $3, $4, $4)
    on conflict (kind, period) where period is not null do nothing
"""


async def enqueue_period(tx: Any, kind: str, period: str, now: datetime) -> None:
    """Order a periodic job for a period, once for all nodes."""
    await tx.execute(INSERT_PERIOD, uuid7(now), kind, period, now)


CLAIM = """
    with waiting as (
        select id from job where state = 'PENDING' and run_at <= $1 and kind = any($2)
        order by run_at, id limit $3 for update skip locked
    ), orphaned as (
        select id from job where state = 'RUNNING' and lease_until <= $1 and kind = any($2)
        order by lease_until limit $3 for update skip locked
    ), due as (
        select id from waiting union all select id from orphaned limit $3
    )
    update job set state = 'RUNNING', lease_until = $4, fence = fence + 1, attempts = attempts + 1
    where id in (select id from due)
    returning id, kind, family_id, parameters, attempts, fence
"""


async def claim(tx: Any, kinds: Sequence[str], count: int, now: datetime, until: datetime) -> list[Job]:
    """Lease jobs of these kinds that are due, or whose lease has run out, `count` at the most, until `until`."""
    rows = await tx.fetch(CLAIM, now, list(kinds), count, until)
    return [
        Job(
            row["id"],
            row["kind"],
            row["family_id"],
            msgspec.json.decode(row["parameters"]),
            row["attempts"],
            row["fence"],
        )
        for row in rows
    ]


HELD = "where id = $1 and fence = $2 and state = 'RUNNING'"


async def renew(tx: Any, job: Job, until: datetime, progress: int | None = None) -> None:
    """Keep a job until `until`; `progress` in per cent. Raises LeaseLost."""
    statement = f"update job set lease_until = $3, progress = coalesce($4, progress) {HELD}"
    _require(await tx.execute(statement, job.id, job.fence, until, progress))


async def hold(tx: Any, job: Job) -> None:
    """Make sure that the transaction commits under the lease only; raises LeaseLost."""
    if await tx.fetchval(f"select id from job {HELD} for update", job.id, job.fence) is None:
        raise LeaseLost


async def finish(tx: Any, job: Job, at: datetime, result: Mapping[str, Any] | None) -> None:
    """Write that a job is done; raises LeaseLost."""
    statement = f"""
        update job set state = 'DONE', progress = 100, lease_until = null, finished_at = $3, result = $4,
            problem = null {HELD}
    """
    _require(await tx.execute(statement, job.id, job.fence, at, None if result is None else _text(result)))


async def fail(tx: Any, job: Job, at: datetime, problem: str) -> None:
    """Put a job aside for good; `problem` is a code. Raises LeaseLost."""
    statement = (
        f"update job set state = 'FAILED', lease_until = null, finished_at = $3, problem = $4, attempts = $5 {HELD}"
    )
    _require(await tx.execute(statement, job.id, job.fence, at, problem, job.attempts))


async def put_back(tx: Any, job: Job, run_at: datetime, attempts: int, problem: str | None) -> None:
    """Let a job wait until `run_at` (UTC) with so many attempts counted; raises LeaseLost."""
    statement = f"update job set state = 'PENDING', lease_until = null, run_at = $3, attempts = $4, problem = $5 {HELD}"
    _require(await tx.execute(statement, job.id, job.fence, run_at, attempts, problem))


@dataclass(frozen=True, slots=True)
class State:
    """What operators watch."""

    age_seconds: float
    """Age of the oldest job that is due and that nobody does."""

    running: int
    failed: int
    """Put aside, and not yet forgotten."""


STATE = """
    select
        coalesce(extract(epoch from $1 - least(
            (select min(run_at) from job where state = 'PENDING' and run_at <= $1),
            (select min(lease_until) from job where state = 'RUNNING' and lease_until <= $1))), 0)::float8,
        (select count(*) from job where state = 'RUNNING'),
        (select count(*) from job where state = 'FAILED')
"""


async def state(tx: Any, now: datetime) -> State:
    """Count what waits, runs and failed."""
    return State(*(await tx.fetchrow(STATE, now)).values())


async def forget(tx: Any, before: datetime) -> int:
    """Forget jobs that ended before a moment, but for those that an export still names; give how many."""
    status: str = await tx.execute(
        """delete from job j where j.state in ('DONE', 'FAILED') and j.finished_at < $1
           and not exists (select from export e where e.job_id = j.id)""",
        before,
    )
    return int(status.rpartition(" ")[2])


def _text(values: Mapping[str, Any]) -> str:
    return msgspec.json.encode(values).decode()


def _require(status: str) -> None:
    if not status.endswith(" 1"):
        raise LeaseLost
