"""What this process knows of maintenance, so that no command has to ask the database."""

from collections.abc import Sequence
from datetime import datetime

from db.service_status import Maintenance


class StatusCache:
    """The maintenance that runs or is planned, as last read; what runs is decided by the clock at each question."""

    def __init__(self) -> None:
        self._known: Sequence[Maintenance] = ()

    def learn(self, not_over: Sequence[Maintenance]) -> None:
        """Take over what was just read."""
        self._known = not_over

    def running(self, now: datetime) -> Maintenance | None:
        """Give the maintenance that runs; of several the last begun, as `present_maintenance` of the database does."""
        return max(self._begun(now), key=lambda each: each.starts_at, default=None)

    def agents_may_work(self, now: datetime) -> bool:
        """Tell whether all maintenance that runs lets agents work."""
        return all(each.agents_may_work for each in self._begun(now))

    def told(self, now: datetime) -> object:
        """Give what those who follow the status must hear of when it differs from before."""
        return [(each, each.starts_at <= now) for each in self._known if not _over(each, now)]

    def _begun(self, now: datetime) -> list[Maintenance]:
        return [each for each in self._known if each.starts_at <= now and not _over(each, now)]


def _over(each: Maintenance, now: datetime) -> bool:
    return each.ends_at is not None and each.ends_at <= now
