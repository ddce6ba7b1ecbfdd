"""The clock that is injected everywhere time matters."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Give the present moment, in UTC."""
    return datetime.now(UTC)
