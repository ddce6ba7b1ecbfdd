"""Identifiers of rows: UUIDv7, so that rows made together lie together and sort by the time they were made."""

import os
import threading
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

COUNTER_BITS = 42
TAIL_BITS = 32
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def milliseconds(at: datetime) -> int:
    """Give the whole milliseconds from the Unix epoch to an aware moment."""
    return (at - _EPOCH) // _MILLISECOND


def _compose(millisecond: int, counter: int, tail: int) -> UUID:
    """Lay out RFC 9562 section 5.7, with the counter of section 6.2 (method 1) in the leading random bits."""
    high = counter >> 30
    low = counter & 0x3FFF_FFFF
    return UUID(int=millisecond << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low << 32 | tail)


class _Series:
    """Ids of one process: those of the same millisecond ascend."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._millisecond = -1
        self._counter = 0

    def next(self, millisecond: int) -> UUID:
        tail = int.from_bytes(os.urandom(4))
        with self._lock:
            if millisecond == self._millisecond:
                self._counter += 1
            else:
                # The top bit starts at 0, so that two million million ids fit into one millisecond.
                self._counter = int.from_bytes(os.urandom(6)) & (1 << COUNTER_BITS - 1) - 1
                self._millisecond = millisecond
            return _compose(millisecond, self._counter, tail)


_series = _Series()


def uuid7(at: datetime | None = None) -> UUID:
    """Make a UUIDv7 (RFC 9562) for the moment `at` (aware; the present when not given).

    Ids of one process made one after the other for the same or for later moments ascend.
    """
    return _series.next(milliseconds(at or datetime.now(UTC)))


class SeededIds:
    """UUIDv7 that come out the same for the same seed and moments: for generated data, never for secrets."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def at(self, moment: datetime) -> UUID:
        """Make the next id for an aware moment."""
        counter, tail = self._random.getrandbits(COUNTER_BITS), self._random.getrandbits(TAIL_BITS)
        return _compose(milliseconds(moment), counter, tail)
