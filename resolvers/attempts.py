"""Guesses at a password: counted before it is looked at, slowed down, then blocked (CNIL 2022-100, case 2)."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta
from typing import Any

from db import throttle
from resolvers.context import Context
from resolvers.passwords import Busy

FREE_FAILURES = 3
BLOCKED_AT = 10
BLOCK = timedelta(hours=1)
MOST_A_DAY = 25


async def add(tx: Any, subject: bytes, now: datetime) -> int | timedelta:
    """Count the attempt as failed before the password is looked at, so that parallel guesses cannot outrun the count.

    From the 4th failure in a row the next attempt waits 2^n seconds, from the 10th an hour; 25 a day at the most. Gives
    the failures in a row, or how long to wait when the attempt may not be made. `throttle.succeed` takes it back.
    """
    attempts = await throttle.hold(tx, subject, now.date())
    until = max(attempts.blocked_until or now, _tomorrow(now) if attempts.today >= MOST_A_DAY else now)
    if until > now:
        return until - now
    failures = attempts.failures + 1
    wait = BLOCK if failures >= BLOCKED_AT else timedelta(seconds=2**failures)
    await throttle.fail(tx, subject, now + wait if failures > FREE_FAILURES else None)
    return failures


async def count(context: Context, subject: bytes, now: datetime) -> None:
    """Do as `add` in a transaction of its own. Raises Refusal THROTTLED."""
    async with context.transaction(system=True) as tx:
        added = await add(tx, subject, now)
    if isinstance(added, timedelta):
        raise context.throttled(added)


def _tomorrow(now: datetime) -> datetime:
    return datetime.combine(now.date() + timedelta(days=1), time(), UTC)


@contextmanager
def turn(context: Context) -> Iterator[None]:
    """Let a sign-in begin while few others are under way; a flood ends here, before it reaches the database and before
    anything is counted against anybody. Raises Refusal BUSY.
    """
    try:
        with context.process.passwords.turn():
            yield
    except Busy as error:
        raise context.refusal("BUSY") from error


async def matches(context: Context, stored_hash: str | None, password: str) -> bool:
    """Compare a password with a stored hash, as slowly without one. Raises Refusal BUSY."""
    try:
        return await context.process.passwords.matches(stored_hash, password)
    except Busy as error:
        raise context.refusal("BUSY") from error


async def hashed(context: Context, password: str) -> str:
    """Give the hash to store of a new password. Raises Refusal BUSY."""
    try:
        return await context.process.passwords.hash(password)
    except Busy as error:
        raise context.refusal("BUSY") from error
