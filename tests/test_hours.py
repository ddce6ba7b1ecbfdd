"""Opening hours: right across midnight, holidays and changes of the clock, compared with an oracle on the wall."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from resolvers.hours import HOLIDAYS, TERM, Calendar, Exceptional, Rule, Span, spans

PARIS = ZoneInfo("Europe/Paris")
BORDEAUX = Calendar(PARIS, "A")
QUARTER = timedelta(minutes=15)


def open_by_the_clock(local: datetime, rules: list[Rule], exceptions: list[Exceptional], holidays_too: bool) -> bool:
    """Tell, from what a clock on the wall shows and nothing else, whether a place is open."""
    day, clock = local.date(), local.time()
    special = [each for each in exceptions if each.first_day <= day <= each.last_day]
    if special:
        hours = [(special[-1].opens, special[-1].closes)] if special[-1].opens is not None else []
    elif BORDEAUX.is_public_holiday(day) and not holidays_too:
        hours = []
    else:
        season = BORDEAUX.season(day)
        hours = [
            (rule.opens, rule.closes)
            for rule in rules
            if rule.weekday == day.isoweekday()
            and rule.season in ("ALWAYS", season)
            and (rule.valid_from or day) <= day <= (rule.valid_until or day)
        ]
    return any(
        opens <= clock and (closes == time(0) or clock < closes)
        for opens, closes in hours
        if opens is not None and closes is not None
    )


quarters = st.integers(0, 95).map(lambda n: time(n // 4, n % 4 * 15))


@st.composite
def hours(draw: st.DrawFn) -> tuple[time, time]:
    """Give an opening and a later closing time, midnight included."""
    opens, closes = draw(quarters), draw(quarters)
    if opens > closes and closes != time(0):
        opens, closes = closes, opens
    return (opens, closes) if opens != closes or closes == time(0) else (opens, time(0))


DAYS = st.dates(date(2026, 1, 1), date(2027, 12, 31)) | st.sampled_from(
    [date(2026, 3, 28), date(2026, 10, 24), date(2027, 3, 27), date(2026, 12, 24), date(2026, 4, 5)]
)


@st.composite
def weekly(draw: st.DrawFn) -> Rule:
    """Give a rule."""
    opens, closes = draw(hours())
    first = draw(st.none() | DAYS)
    return Rule(
        draw(st.integers(1, 7)),
        opens,
        closes,
        draw(st.sampled_from(["ALWAYS", TERM, HOLIDAYS])),
        first,
        None if first is None else draw(st.none() | st.just(first + timedelta(days=20))),
    )


@st.composite
def exceptional(draw: st.DrawFn) -> Exceptional:
    """Give exceptional days."""
    first = draw(DAYS)
    opens, closes = draw(st.just((None, None)) | hours())
    return Exceptional(first, first + timedelta(days=draw(st.integers(0, 5))), opens, closes)


@settings(max_examples=150)
@given(st.lists(weekly(), max_size=8), st.lists(exceptional(), max_size=3), DAYS, st.booleans())
@example([Rule(7, time(1), time(4))], [], date(2026, 3, 29), False)
@example([Rule(7, time(2), time(3))], [], date(2026, 10, 25), False)
@example([Rule(7, time(2, 15), time(2, 45))], [], date(2026, 3, 29), False)
@example([Rule(6, time(20), time(0)), Rule(7, time(0), time(5))], [], date(2026, 10, 24), False)
def test_a_place_is_open_whenever_the_clock_on_its_wall_says_so(
    rules: list[Rule], exceptions: list[Exceptional], first: date, holidays_too: bool
) -> None:
    last = first + timedelta(days=2)
    found = spans(BORDEAUX, rules, exceptions, first, last, open_on_public_holidays=holidays_too)
    moment = datetime.combine(first, time(0), PARIS).astimezone(UTC)
    end = datetime.combine(last + timedelta(days=1), time(0), PARIS).astimezone(UTC)
    while moment < end:
        local = moment.astimezone(PARIS)
        if local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset():
            moment += QUARTER
            continue  # the clock shows this time twice that night; see the next test
        wanted = open_by_the_clock(local.replace(tzinfo=None), rules, exceptions, holidays_too)
        assert any(span.opens_at <= moment < span.closes_at for span in found) == wanted, local
        moment += QUARTER


def test_a_time_that_the_clock_shows_twice_opens_at_its_first_and_closes_at_its_second_occurrence() -> None:
    night = date(2026, 10, 25)
    [span] = spans(BORDEAUX, [Rule(7, time(2, 15), time(2, 45))], [], night, night)
    assert span == Span(datetime(2026, 10, 25, 0, 15, tzinfo=UTC), datetime(2026, 10, 25, 1, 45, tzinfo=UTC))


@settings(max_examples=50)
@given(st.lists(weekly(), max_size=8), st.lists(exceptional(), max_size=3), DAYS)
def test_spans_are_in_order_and_never_touch(rules: list[Rule], exceptions: list[Exceptional], first: date) -> None:
    found = spans(BORDEAUX, rules, exceptions, first, first + timedelta(days=40))
    assert all(span.opens_at < span.closes_at for span in found)
    assert all(before.closes_at < after.opens_at for before, after in pairwise(found))


def test_a_pool_opens_longer_in_the_school_holidays_of_its_zone() -> None:
    rules = [Rule(3, time(14), time(18), TERM), Rule(3, time(10), time(20), HOLIDAYS)]
    in_term, in_holidays = date(2026, 11, 25), date(2026, 12, 23)
    assert spans(BORDEAUX, rules, [], in_term, in_term) == [
        Span(datetime(2026, 11, 25, 13, tzinfo=UTC), datetime(2026, 11, 25, 17, tzinfo=UTC))
    ]
    assert spans(BORDEAUX, rules, [], in_holidays, in_holidays) == [
        Span(datetime(2026, 12, 23, 9, tzinfo=UTC), datetime(2026, 12, 23, 19, tzinfo=UTC))
    ]


@pytest.mark.parametrize(
    ("day", "name"),
    [(date(2026, 5, 14), "Ascension"), (date(2026, 7, 14), "14 July"), (date(2027, 3, 29), "Easter Monday 2027")],
)
def test_a_place_is_closed_on_public_holidays_unless_it_says_otherwise(day: date, name: str) -> None:
    rules = [Rule(weekday, time(9), time(17)) for weekday in range(1, 8)]
    assert spans(BORDEAUX, rules, [], day, day) == [], name
    assert len(spans(BORDEAUX, rules, [], day, day, open_on_public_holidays=True)) == 1
