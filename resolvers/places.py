"""Places and their hours: what editors save, and the spans that "open now?" is answered from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from db import places as stored
from db.ids import uuid7
from db.jobs import Job
from resolvers.context import Context, Process
from resolvers.hours import Calendar, Exceptional, Rule, spans
from resolvers.job_runner import Progress, Result
from resolvers.viewer import SYSTEM_SIGHT

RENEW_SPANS = "renew_spans"
KNOWN_BEFORE = timedelta(days=31)
KNOWN_AHEAD = timedelta(days=400)
"""For how long before and after today the spans are kept; a daily job moves the window on."""

MOST_RULES = 100
MOST_EXCEPTIONS = 200


@dataclass(frozen=True, slots=True)
class ExceptionalDay:
    """Days on which other hours hold, and why, in French and English."""

    days: Exceptional
    reason: tuple[str, str]


async def save(
    context: Context, place: stored.Place, rules: Sequence[Rule], exceptions: Sequence[ExceptionalDay]
) -> UUID:
    """Write a place and its hours as a whole; give its id.

    Raises Refusal BAD_USER_INPUT for too many hours; the caller has checked each value.
    """
    if len(rules) > MOST_RULES:
        raise context.refusal("BAD_USER_INPUT", ["weeklyHours"])
    if len(exceptions) > MOST_EXCEPTIONS:
        raise context.refusal("BAD_USER_INPUT", ["exceptionalDays"])
    now = context.process.clock()
    async with context.transaction() as tx:
        place_id = await stored.save(tx, uuid7(now), place, now)
        await stored.replace_rules(tx, place_id, [(uuid7(now), *_rule_row(rule)) for rule in rules])
        await stored.replace_exceptional_days(
            tx,
            place_id,
            [
                (uuid7(now), d.first_day, d.last_day, d.opens, d.closes, *each.reason)
                for each in exceptions
                for d in [each.days]
            ],
        )
        await _write_spans(tx, context.process, place_id, open_on_public_holidays=place.open_on_public_holidays)
        await context.record(tx, "place_saved", family=None, subject=place_id)
    return place_id


def _rule_row(rule: Rule) -> tuple[int, time, time, str, date | None, date | None]:
    return rule.weekday, rule.opens, _stored_end(rule.closes), rule.season, rule.valid_from, rule.valid_until


def _stored_end(closes: time) -> time:
    """PostgreSQL knows 24:00 and Python does not: the last microsecond stands for midnight."""
    return time.max if closes == time(0) else closes


def _read_end(closes: time) -> time:
    return time(0) if closes == time.max else closes


async def archive(context: Context, code: str) -> UUID:
    """Take a place out of all lists; raises Refusal NOT_FOUND."""
    async with context.transaction() as tx:
        place_id = await stored.archive(tx, code, context.process.clock())
        if place_id is None:
            raise context.refusal("NOT_FOUND", ["code"])
        await context.record(tx, "place_archived", family=None, subject=place_id)
    return place_id


async def renew_spans(process: Process, job: Job, progress: Progress) -> Result:
    """Work out anew when every place is open, for the window around today.

    Rules do not change, but the window does, and with it the holidays that are known.
    """
    async with process.database.transaction(SYSTEM_SIGHT) as tx:
        places = await stored.hold_all(tx)
        for place_id, holidays_too in places:
            await _write_spans(tx, process, place_id, open_on_public_holidays=holidays_too)
    return {"places": len(places)}


async def _write_spans(tx: Any, process: Process, place_id: UUID, *, open_on_public_holidays: bool) -> None:
    city = process.settings.city
    calendar = Calendar(ZoneInfo(city.time_zone), city.school_zone)
    today = _day(process.clock(), calendar.zone)
    rules = [
        Rule(weekday, opens, _read_end(closes), season, first, last)
        for weekday, opens, closes, season, first, last in await stored.rules(tx, place_id)
    ]
    exceptions = [
        Exceptional(first, last, opens, None if closes is None else _read_end(closes))
        for first, last, opens, closes in await stored.exceptional_days(tx, place_id)
    ]
    found = spans(
        calendar,
        rules,
        exceptions,
        today - KNOWN_BEFORE,
        today + KNOWN_AHEAD,
        open_on_public_holidays=open_on_public_holidays,
    )
    await stored.replace_spans(tx, place_id, [(span.opens_at, span.closes_at) for span in found])


def _day(moment: datetime, zone: ZoneInfo) -> date:
    return moment.astimezone(zone).date()
