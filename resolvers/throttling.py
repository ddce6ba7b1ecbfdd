"""By what failed sign-ins are counted, beside each other.

Who signs in is counted by the identifier that was typed and, more loosely, by network address. On a device that the
account knows it is counted by that device instead, so that strangers who exhaust the identifier do not lock the
family out (OWASP, "Device Cookies").
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from db import throttle
from db.keys import Keys
from resolvers import attempts

PURPOSE = "throttle"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to sign in that was counted as failed, and is taken back when it succeeds."""

    subjects: tuple[bytes, ...]
    failures: int
    """In a row, with this one."""


def by_identifier(keys: Keys, identifier: str, *, as_agent: bool) -> bytes:
    """Give the subject of an identifier as it was typed: whether there is an account must not matter."""
    return keys.digest(PURPOSE, f"sign-in/{as_agent}/{identifier}")


def by_device(keys: Keys, account_id: UUID, device: bytes) -> bytes:
    """Give the subject of an account on a device that it knows."""
    return keys.digest(PURPOSE, f"sign-in/device/{account_id}/{device.hex()}")


def by_address(keys: Keys, address: str, now: datetime) -> bytes:
    """Give the subject of a network address in one hour of the clock."""
    return keys.digest(PURPOSE, f"sign-in/from/{address}/{now:%Y-%m-%dT%H}")


async def begin(tx: Any, own: bytes, address: bytes | None, now: datetime, most: int) -> Attempt | timedelta:
    """Count an attempt, as `attempts.add` does; give it, or how long to wait when it may not be made.

    `most` failures of an address count in an hour; on a device that is known there is none to count by.
    """
    if address is not None and (await throttle.hold(tx, address, now.date())).today >= most:
        return now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1) - now
    failures = await attempts.add(tx, own, now)
    if isinstance(failures, timedelta):
        return failures
    if address is None:
        return Attempt((own,), failures)
    await throttle.fail(tx, address, None)
    return Attempt((address, own), failures)


async def take_back(tx: Any, attempt: Attempt) -> None:
    """Forget an attempt that succeeded, and the failures in a row before it."""
    for subject in attempt.subjects:
        await throttle.succeed(tx, subject)
