"""Quiet hours: when nothing may ring or buzz, by the clocks of the city."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

ASKED_FOR = frozenset({"phone_verification", "test"})
"""Types of news that the family asked for a moment ago and is waiting for: it is awake."""

URGENT = frozenset({"ACCOUNT_SECURITY"})
"""Topics that cannot wait for the morning: an intruder does not."""


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From `starts` to before `ends`, over midnight where it ends earlier than it starts; equal: never."""

    starts: time
    ends: time
    zone: ZoneInfo

    def hold(self, at: datetime) -> bool:
        """Whether a moment (aware) is quiet."""
        shown = at.astimezone(self.zone).time()
        if self.starts <= self.ends:
            return self.starts <= shown < self.ends
        return shown >= self.starts or shown < self.ends

    def until(self, at: datetime) -> datetime | None:
        """Give when the quiet around a moment is over (UTC); None when it is not quiet.

        Where clocks are put forward over the end, it is over once they have been; where they are put back over it, the
        repeated part is quiet again.
        """
        if not self.hold(at):
            return None
        local = at.astimezone(self.zone)
        day = local.date() + timedelta(days=0 if local.time() < self.ends else 1)
        for fold in (0, 1):
            end = datetime.combine(day, self.ends, self.zone).replace(fold=fold).astimezone(UTC)
            if end > at and not self.hold(end):
                return end
        return datetime.combine(day, self.ends, self.zone).astimezone(UTC) + timedelta(hours=1)


def waits(topic: str, type: str) -> bool:
    """Whether news of this kind waits for the end of the quiet hours."""
    return topic not in URGENT and type not in ASKED_FOR
