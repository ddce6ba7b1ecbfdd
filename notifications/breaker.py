"""A breaker per channel: while the provider is down, nothing is thrown at it."""

from collections import deque
from collections.abc import Callable

WINDOW = 20
SHARE = 0.5
OPEN_SECONDS = 30.0


class Breaker:
    """Opens when half of the last 20 messages failed; after 30 s lets one through to see.

    `monotonic` gives seconds. Only failures of the channel itself count, not those of one address.
    """

    def __init__(self, monotonic: Callable[[], float], *, open_seconds: float = OPEN_SECONDS) -> None:
        self._monotonic = monotonic
        self._open_seconds = open_seconds
        self._last: deque[bool] = deque(maxlen=WINDOW)
        self._opened_at: float | None = None

    @property
    def open(self) -> bool:
        """True while nothing may be sent."""
        return self._opened_at is not None and self._monotonic() < self._opened_at + self._open_seconds

    @property
    def probing(self) -> bool:
        """True when the time is over and one message decides."""
        return self._opened_at is not None and not self.open

    def record(self, worked: bool) -> None:
        """Count one message."""
        if self._opened_at is not None:
            self._close() if worked else self._trip()
            return
        self._last.append(worked)
        if len(self._last) == WINDOW and self._last.count(False) >= WINDOW * SHARE:
            self._trip()

    def _trip(self) -> None:
        self._opened_at = self._monotonic()

    def _close(self) -> None:
        self._opened_at = None
        self._last.clear()
