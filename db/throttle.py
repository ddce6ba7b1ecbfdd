"""Failed attempts per subject, shared by all nodes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Attempts:
    """What is known of a subject: failures in a row, failures of the day, and until when it is blocked (UTC)."""

    failures: int = 0
    today: int = 0
    blocked_until: datetime | None = None


# The row is made first so that there is something to lock: parallel guesses wait for each other.
HOLD = """
    insert into throttle (subject, day) values ($1, $2)
    on conflict (subject) do update
        set today = case when throttle.day = $2 then throttle.today else 0 end, day = $2
    returning failures, today, blocked_until
"""


async def hold(tx: Any, subject: bytes, day: date) -> Attempts:
    """Give what is known of a subject (an HMAC, never an address) and hold it until the transaction ends."""
    row = await tx.fetchrow(HOLD, subject, day)
    return Attempts(row["failures"], row["today"], row["blocked_until"])


async def today(tx: Any, subject: bytes, day: date) -> int:
    """Give a subject's failures of the day without waiting for others: to turn away who is far beyond the count."""
    found: int | None = await tx.fetchval("select today from throttle where subject = $1 and day = $2", subject, day)
    return found or 0


async def fail(tx: Any, subject: bytes, blocked_until: datetime | None) -> None:
    """Count one failure."""
    await tx.execute(
        "update throttle set failures = failures + 1, today = today + 1, blocked_until = $2 where subject = $1",
        subject,
        blocked_until,
    )


async def succeed(tx: Any, subject: bytes) -> None:
    """Take back the failure counted for an attempt that succeeded, and forget those in a row; the others of the day
    count.
    """
    await tx.execute(
        "update throttle set failures = 0, today = greatest(today - 1, 0), blocked_until = null where subject = $1",
        subject,
    )


SWEEP = """
    delete from throttle where ctid = any(array(
        select ctid from throttle where day < $1 and (blocked_until is null or blocked_until < $2) limit $3))
"""


async def sweep(tx: Any, day: date, now: datetime, limit: int) -> int:
    """Forget subjects without an attempt since a day and without a block; give how many."""
    told: str = await tx.execute(SWEEP, day, now, limit)
    return int(told.split()[-1])


async def forgive(tx: Any, subjects: Sequence[bytes]) -> None:
    """Forget all failures of some subjects: they proved to be somebody else's."""
    await tx.execute("delete from throttle where subject = any($1)", list(subjects))
