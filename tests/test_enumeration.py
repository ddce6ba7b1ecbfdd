"""Nobody learns who has an account: sign-in, reset and activation answer alike, and after the same time."""

import time
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from tests.conftest import Database
from tests.house import PASSWORD, SIGN_IN, House, opened
from tests.test_accounts import ACTIVATE
from tests.test_recovery import REQUEST

FREE = {"requests_a_day": 100_000, "resets_an_hour": 100_000, "activations_a_day": 100_000}
"""So that what is measured is the way of a request that is looked at, not of one that is turned away."""

WRONG = "Mauvais-Mot-1"

Ask = tuple[str, dict[str, Any]]


async def sign_in(house: House) -> tuple[Callable[[int], Ask], Callable[[int], Ask]]:
    """A wrong password for a login, and for none."""
    known = [(await house.member())[0].email for _ in range(20)]

    def of(identifier: str) -> Ask:
        return SIGN_IN, {"identifier": identifier, "password": WRONG, "as_": "FAMILY"}

    return lambda n: of(known[n % 20]), lambda n: of(f"personne{n % 20}@example.org")


async def reset(house: House) -> tuple[Callable[[int], Ask], Callable[[int], Ask]]:
    """A link for a login, and for none."""
    known = [(await house.member())[0].email for _ in range(20)]
    return (
        lambda n: (REQUEST, {"identifier": known[n % 20]}),
        lambda n: (REQUEST, {"identifier": f"personne{n % 20}@example.org"}),
    )


async def activation(house: House) -> tuple[Callable[[int], Ask], Callable[[int], Ask]]:
    """A wrong code for a family that has one, and for a number that nobody has."""
    known = [(await house.make_family()).number for _ in range(20)]

    def of(number: str) -> Ask:
        given = {"number": number, "code": "00000-00000", "email": "voleur@example.org", "password": PASSWORD}
        return ACTIVATE, given

    return lambda n: of(known[n % 20]), lambda n: of(f"99{n % 20:05}")


WAYS = {"sign-in": sign_in, "reset": reset, "activation": activation}


async def seconds(house: House, ask: Ask) -> tuple[float, Any]:
    """Ask, and give how long the answer took, and the answer."""
    query, variables = ask
    if query == SIGN_IN:
        await house.connection.execute("delete from throttle")  # every guess is looked at
    began = time.perf_counter()
    reply = await house.ask(query, **variables)
    return time.perf_counter() - began, reply.body


def auc(known: list[float], unknown: list[float]) -> float:
    """Give how well time tells one from the other: 0.5 not at all, 1 always (Mann-Whitney, either direction)."""
    wins = sum((a > b) + 0.5 * (a == b) for a in known for b in unknown) / (len(known) * len(unknown))
    return max(wins, 1 - wins)


async def measured(city: Database, way: str, pairs: int, **accounts: Any) -> float:
    """Ask for known and unknown in pairs, in random order; give how well the times tell them apart."""
    async with opened(city.dsn, accounts=FREE | accounts) as house:
        known, unknown = await WAYS[way](house)
        random, bodies = Random(pairs), list[Any]()
        times: tuple[list[float], list[float]] = ([], [])
        for number in range(pairs + 5):
            for side in random.sample((0, 1), 2):
                took, body = await seconds(house, (known, unknown)[side](number))
                bodies.append(body)
                if number >= 5:
                    times[side].append(took)
        assert all(body == bodies[0] for body in bodies)
    return auc(*times)


@pytest.mark.parametrize("way", WAYS)
async def test_the_time_of_an_answer_hardly_tells_whether_there_is_an_account(city: Database, way: str) -> None:
    """The short form: over 40 pairs, chance alone goes past 0.75 once in ten thousand runs."""
    assert await measured(city, way, 40, answer_seconds=0.15) <= 0.75


@pytest.mark.long
@pytest.mark.parametrize("way", WAYS)
async def test_over_four_hundred_pairs_the_time_of_an_answer_tells_nothing(city: Database, way: str) -> None:
    found = await measured(city, way, 400)
    print(f"{way}: AUC {found:.3f} over 400 pairs")
    assert found <= 0.55


def test_the_measure_itself_tells_different_times_apart() -> None:
    assert auc([2.0, 3.0], [1.0, 1.5]) == 1.0 == auc([1.0], [2.0])
    assert auc([1.0, 2.0], [1.0, 2.0]) == 0.5
