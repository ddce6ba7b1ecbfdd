"""When to try again, and when not to try at all."""

from notifications.breaker import Breaker
from notifications.retries import backoff


class Time:
    """Seconds that a test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def state(breaker: Breaker) -> str:
    """Name what the breaker lets through."""
    return "nothing" if breaker.open else "one" if breaker.probing else "all"


def test_half_of_the_last_twenty_opens_the_breaker_for_thirty_seconds() -> None:
    time = Time()
    breaker = Breaker(time)
    for worked in [True, False] * 9 + [True]:
        breaker.record(worked)
    assert state(breaker) == "all"
    breaker.record(False)
    assert state(breaker) == "nothing"
    time.now = 29.9
    assert state(breaker) == "nothing"
    time.now = 30.0
    assert state(breaker) == "one"


def test_one_message_decides_whether_the_relay_is_back() -> None:
    time = Time()
    breaker = Breaker(time)
    for _ in range(20):
        breaker.record(False)
    time.now = 30.0
    breaker.record(False)
    assert state(breaker) == "nothing"
    time.now = 60.0
    breaker.record(True)
    assert state(breaker) == "all"


def test_pauses_grow_to_a_quarter_of_an_hour_and_are_spread() -> None:
    first = [backoff(1) for _ in range(200)]
    late = [backoff(500) for _ in range(200)]
    assert 0 <= min(first) < 2.5 < max(first) <= 5
    assert 0 <= min(late) < 450 < max(late) <= 900
