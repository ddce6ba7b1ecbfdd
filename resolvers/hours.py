"""When a place is open: weekly hours, exceptional days, public and school holidays, by the clocks of the city."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays
from vacances_scolaires_france import SchoolHolidayDates, UnsupportedYearException

ALWAYS, TERM, HOLIDAYS = "ALWAYS", "TERM", "HOLIDAYS"
MIDNIGHT = time(0)


@dataclass(frozen=True, slots=True)
class Rule:
    """Weekly hours. `weekday` is ISO's (Monday is 1); `closes` 00:00 is the midnight that ends the day."""

    weekday: int
    opens: time
    closes: time
    season: str = ALWAYS
    valid_from: date | None = None
    valid_until: date | None = None

    def holds_on(self, day: date, season: str) -> bool:
        """Tell whether it gives the hours of a day."""
        return (
            self.weekday == day.isoweekday()
            and self.season in (ALWAYS, season)
            and (self.valid_from is None or self.valid_from <= day)
            and (self.valid_until is None or day <= self.valid_until)
        )


@dataclass(frozen=True, slots=True)
class Exceptional:
    """Days on which other hours hold; none: closed."""

    first_day: date
    last_day: date
    opens: time | None = None
    closes: time | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """A time during which a place is open, UTC; it ends just before `closes_at`."""

    opens_at: datetime
    closes_at: datetime


@dataclass(frozen=True, slots=True)
class Calendar:
    """What the days of a city are."""

    zone: ZoneInfo
    school_zone: str
    """Zone of the school holidays: A, B or C."""

    def season(self, day: date) -> str:
        """Give TERM or HOLIDAYS; a year that the ministry has not published yet counts as school time."""
        return HOLIDAYS if day in _school_holidays(self.school_zone, day.year) else TERM

    def is_public_holiday(self, day: date) -> bool:
        """Tell whether a day is a public holiday (code du travail, L3133-1)."""
        return day in _public_holidays(day.year)


@lru_cache
def _public_holidays(year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("FR", years=year))


@lru_cache
def _school_holidays(zone: str, year: int) -> frozenset[date]:
    try:
        return frozenset(SchoolHolidayDates().holidays_for_year_and_zone(year, zone))
    except UnsupportedYearException:
        return frozenset()


def spans(
    calendar: Calendar,
    rules: Sequence[Rule],
    exceptions: Sequence[Exceptional],
    first: date,
    last: date,
    *,
    open_on_public_holidays: bool = False,
) -> list[Span]:
    """Give when a place is open from the beginning of `first` to the end of `last`, in order, joined where they touch.

    Of several exceptional days the last one listed holds. A clock time that a change to summer time skips counts as the
    moment of the change; one that occurs twice opens at its first and closes at its second occurrence.
    """
    found: list[Span] = []
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        hours = _hours_of(calendar, rules, exceptions, day, open_on_public_holidays)
        found += (_span(calendar.zone, day, opens, closes) for opens, closes in hours)
    return _joined(found)


def _hours_of(
    calendar: Calendar, rules: Sequence[Rule], exceptions: Sequence[Exceptional], day: date, holidays_too: bool
) -> Collection[tuple[time, time]]:
    for each in reversed(exceptions):
        if each.first_day <= day <= each.last_day:
            return [] if each.opens is None or each.closes is None else [(each.opens, each.closes)]
    if calendar.is_public_holiday(day) and not holidays_too:
        return []
    season = calendar.season(day)
    return sorted((rule.opens, rule.closes) for rule in rules if rule.holds_on(day, season))


def _span(zone: ZoneInfo, day: date, opens: time, closes: time) -> Span:
    end = day + timedelta(days=1) if closes == MIDNIGHT else day
    return Span(_moment(zone, day, opens, fold=0), _moment(zone, end, closes, fold=1))


def _moment(zone: ZoneInfo, day: date, clock: time, *, fold: int) -> datetime:
    """Give the moment of a clock time, UTC."""
    local = datetime.combine(day, clock, zone).replace(fold=fold)
    moment = local.astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) != local.replace(tzinfo=None):
        return _change_after(zone, datetime.combine(day, MIDNIGHT, zone).astimezone(UTC))
    return moment


def _change_after(zone: ZoneInfo, start: datetime) -> datetime:
    """Give the moment, within the day after `start`, at which the clocks are changed."""
    offset = start.astimezone(zone).utcoffset()
    low, high = 0, 24 * 60
    while high - low > 1:
        middle = (low + high) // 2
        same = (start + timedelta(minutes=middle)).astimezone(zone).utcoffset() == offset
        low, high = (middle, high) if same else (low, middle)
    return start + timedelta(minutes=high)


def _joined(found: Iterable[Span]) -> list[Span]:
    joined: list[Span] = []
    for span in sorted(found, key=lambda each: (each.opens_at, each.closes_at)):
        if span.opens_at >= span.closes_at:
            continue
        if joined and span.opens_at <= joined[-1].closes_at:
            joined[-1] = Span(joined[-1].opens_at, max(joined[-1].closes_at, span.closes_at))
        else:
            joined.append(span)
    return joined
