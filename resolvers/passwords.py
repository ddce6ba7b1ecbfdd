"""Passwords: hashing in one bounded thread, so that a flood of sign-ins cannot stall everything else."""

import asyncio
import os
import secrets
import sys
import threading
import time
import unicodedata
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

T = TypeVar("T")

MOST_WAITING = 20
LONGEST_WAIT = 2.0
"""Seconds after which nobody waits any more for the thread, well within a request's deadline."""

NICENESS = 10


class Busy(Exception):
    """Too many passwords wait to be hashed."""


def normalised(password: str) -> str:
    """Give the one form in which a password is measured, hashed and compared (NFC; RFC 8265 section 4)."""
    return unicodedata.normalize("NFC", password)


def _give_way() -> None:
    """Let this thread stand behind those that answer requests when there are more of them than cores.

    On Linux a thread has a priority of its own; elsewhere it stays as it is.
    """
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


def _in_time(asked: float, work: Callable[..., T], *args: str) -> T:
    """Do the work unless it waited too long for its turn: whoever asked for it is about to give up."""
    if time.monotonic() - asked > LONGEST_WAIT:
        raise Busy
    return work(*args)


class Passwords:
    """Hashes with argon2id (19 MiB, two passes: OWASP's second choice, 20–55 ms here) in one thread."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="argon2", initializer=_give_way)
        self._waiting = 0
        self._inside = 0
        self._nobody = self._hasher.hash(secrets.token_urlsafe())

    async def hash(self, password: str) -> str:
        """Give the hash to store; raises Busy."""
        return await self._run(self._hasher.hash, normalised(password))

    async def matches(self, stored: str | None, password: str) -> bool:
        """Compare with a stored hash; with None it takes as long and is false. Raises Busy."""
        same = await self._run(self._verify, stored or self._nobody, normalised(password))
        return same and stored is not None

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Hold one of the places for those whose password is to be looked at; raises Busy."""
        if self._inside >= MOST_WAITING:
            raise Busy
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1

    def outdated(self, stored: str) -> bool:
        """Tell whether a hash was made with other parameters than ours are now, so that it should be made anew."""
        return self._hasher.check_needs_rehash(stored)

    def _verify(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[..., T], *args: str) -> T:
        if self._waiting >= MOST_WAITING:
            raise Busy
        self._waiting += 1
        try:
            loop, now = asyncio.get_running_loop(), time.monotonic()
            return await loop.run_in_executor(self._thread, _in_time, now, work, *args)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Stop the thread; what waits is dropped."""
        self._thread.shutdown(wait=False, cancel_futures=True)
