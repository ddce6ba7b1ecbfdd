"""Guesses at a password: counted before it is looked at, slowed down, then blocked (CNIL 2022-100, case 2)."""

from datetime import datetime, timedelta

from db import throttle
from resolvers.context import Context
from resolvers.passwords import Busy

FREE_FAILURES = 3
BLOCKED_AT = 10
BLOCK = timedelta(hours=1)
MOST_A_DAY = 25


async def count(context: Context, subject: bytes, now: datetime) -> None:
    """Count the attempt as failed before the password is looked at, so that parallel guesses cannot outrun the count.

    From the 4th failure in a row the next attempt waits 2^n seconds, from the 10th an hour. Raises Refusal THROTTLED.
    `throttle.succeed` takes the failure back.
    """
    async with context.transaction(system=True) as tx:
        attempts = await throttle.hold(tx, subject, now.date())
        blocked = (attempts.blocked_until is not None and attempts.blocked_until > now) or attempts.today >= MOST_A_DAY
        if not blocked:
            failures = attempts.failures + 1
            wait = BLOCK if failures >= BLOCKED_AT else timedelta(seconds=2**failures)
            await throttle.fail(tx, subject, now + wait if failures > FREE_FAILURES else None)
    if blocked:
        raise context.refusal("THROTTLED")


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
