"""Quiet hours, also where clocks are changed."""

import asyncio
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as some

from db.quiet import QuietHours, waits
from db.settings_channels import Quiet
from tests.notifications.house import House, dispatching, make_settings
from tests.notifications.peers import peered

PARIS = ZoneInfo("Europe/Paris")
NIGHT = QuietHours(time(21), time(8), PARIS)
MINUTE = timedelta(minutes=1)

moments = some.one_of(
    some.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1)),
    *(
        some.datetimes(datetime(*day, 0), datetime(*day, 23, 59))
        for day in ((2026, 3, 29), (2026, 10, 25), (2027, 3, 28))
    ),
).map(lambda moment: moment.replace(tzinfo=UTC))
times = some.times().map(lambda at: at.replace(second=0, microsecond=0))


def shown_in_window(at: datetime, starts: time, ends: time) -> bool:
    """Say what a person who looks at a clock in Paris would: is it quiet?"""
    minute = at.astimezone(PARIS).hour * 60 + at.astimezone(PARIS).minute
    first, last = starts.hour * 60 + starts.minute, ends.hour * 60 + ends.minute
    return (minute - first) % 1440 < (last - first) % 1440


@given(at=moments, starts=times, ends=times)
def test_nothing_is_ever_let_go_while_a_clock_in_paris_shows_a_quiet_hour(
    at: datetime, starts: time, ends: time
) -> None:
    hours = QuietHours(starts, ends, PARIS)
    until = hours.until(at)
    assert (until is not None) == shown_in_window(at, starts, ends)
    if until is not None:
        assert until > at and not shown_in_window(until, starts, ends)
        assert until - at <= timedelta(hours=25)


@given(at=moments, starts=times, ends=times)
def test_quiet_ends_within_an_hour_of_the_first_moment_at_which_it_may(at: datetime, starts: time, ends: time) -> None:
    hours = QuietHours(starts, ends, PARIS)
    until = hours.until(at)
    if until is not None:
        first = at.replace(second=0, microsecond=0) + MINUTE
        while shown_in_window(first, starts, ends):
            first += MINUTE
        assert until <= first + timedelta(hours=1)


def test_the_night_of_each_change_of_clocks_ends_at_eight_in_paris() -> None:
    for day, hour in ((date(2026, 3, 29), 6), (date(2026, 10, 25), 7), (date(2026, 11, 23), 7)):
        evening = datetime.combine(day - timedelta(days=1), time(23), PARIS).astimezone(UTC)
        assert NIGHT.until(evening) == datetime.combine(day, time(hour), UTC)
    assert NIGHT.until(datetime(2026, 11, 23, 20, 0, tzinfo=UTC)) == datetime(2026, 11, 24, 7, 0, tzinfo=UTC)
    assert NIGHT.until(datetime(2026, 11, 23, 19, 59, 59, tzinfo=UTC)) is None
    assert NIGHT.until(datetime(2026, 11, 23, 7, 0, tzinfo=UTC)) is None


def test_security_and_what_was_just_asked_for_do_not_wait_for_the_morning() -> None:
    assert not waits("ACCOUNT_SECURITY", "new_device")
    assert not waits("CITY_INFORMATION", "test")
    assert waits("INVOICE_ISSUED", "invoice_issued")


async def test_at_night_a_text_message_waits_for_the_morning_and_mail_does_not(house: House) -> None:
    now = datetime.now(UTC)
    noon = datetime.combine(now.astimezone(PARIS).date() + timedelta(days=1), time(12), PARIS)
    quiet = Quiet(starts="10:00", ends="14:00")  # no clock is changed near
    async with peered("http") as way:
        family = await way.family(house)
        await house.tell(family, type="provider_linked", provider="X")
        settings = make_settings(9, others={**way.sections, "quiet": quiet})
        async with dispatching(house, settings, ahead=noon - now):
            await house.until(lambda: house.pool.fetchval("select problem = 'QUIET_HOURS' from delivery"))
        [row] = await house.deliveries(family)
        assert (row["attempts"], way.peer.to(way.to)) == (0, [])
        assert row["next_try_at"] == noon + timedelta(hours=2)
        async with dispatching(house, settings, ahead=noon + timedelta(hours=3) - now):
            await house.quiet()
        assert len(way.peer.to(way.to)) == 1


async def test_a_family_s_own_hours_count_before_the_city_s_and_news_goes_out_at_their_end(house: House) -> None:
    """Over the night in which the clocks of Paris go back: half past nine comes twelve hours after half past ten."""
    async with peered("http") as way:
        own, city = await way.family(house), await house.make_family(channels=("SMS", "IN_APP"))
        await house.add_address(city, "SMS", "+33639980002")
        await house.pool.execute("update family set quiet_starts = '22:00', quiet_ends = '09:30' where id = $1", own.id)
        settings = make_settings(9, others={**way.sections, "quiet": Quiet(starts="00:00", ends="00:00")})
        shown = datetime(2026, 10, 24, 22, 30, tzinfo=PARIS).astimezone(UTC)
        start = datetime.now(UTC)
        moved = shown - start

        def clock() -> datetime:
            return datetime.now(UTC) + moved

        for family in (own, city):
            await house.tell(family, type="provider_linked", provider="X")
        await house.pool.execute("update delivery set next_try_at = $1, created_at = $1", shown - timedelta(minutes=1))
        await house.pool.execute("update lane set due_at = $1", shown - timedelta(minutes=1))
        async with dispatching(house, settings, clock=clock):
            await house.until(lambda: house.pool.fetchval("select count(*) = 1 from delivery where status = 'SENT'"))
            await house.until(lambda: house.pool.fetchval("select count(problem) = 1 from delivery"))
            [row] = await house.deliveries(own)
            assert (row["problem"], row["attempts"]) == ("QUIET_HOURS", 0)
            assert row["next_try_at"] == datetime(2026, 10, 25, 8, 30, tzinfo=UTC)
            moved += timedelta(hours=11, minutes=50)
            await asyncio.sleep(0.5)
            assert len(way.peer.to(way.to)) == 0
            moved += timedelta(minutes=11)
            await way.peer.wait_for(lambda: len(way.peer.to(way.to)) == 1)
