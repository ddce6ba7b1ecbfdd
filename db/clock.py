"""The clock that is injected everywhere time matters."""

from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

Clock = Callable[[], datetime]

PARIS = ZoneInfo("Europe/Paris")
"""Legal time: days and deadlines of the law count in it."""


def utc_now() -> datetime:
    """Give the present moment, in UTC."""
    return datetime.now(UTC)
