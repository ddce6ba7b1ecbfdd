"""Prices of a billing run against the rules read slowly, day by day."""

from collections import defaultdict
from datetime import date, timedelta
from random import Random
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from db import billing
from db.families import Quotient
from db.ids import uuid7
from db.tariffs import Price
from resolvers.tariffs import price_of
from tests.billing import MARCH, MARCHS, NEW_YEAR, Village, priced
from tests.house import KEYS, House


@pytest.fixture
async def town(house: House) -> Village:
    """Give a town with two tariffs, one of them in brackets."""
    return await priced(house)


@pytest.mark.parametrize("seed", range(4))
async def test_drafts_are_what_a_slow_reading_of_the_rules_gives(town: Village, seed: int) -> None:
    """Quotients that change inside the month, run out, and lie on the borders of brackets; prices of two periods."""
    random = Random(seed)
    await town.do("delete from tariff_price where tariff_id = any($1)", list(town.tariffs.values()))
    prices = await _random_prices(town, random)
    expected: dict[Any, list[int]] = defaultdict(lambda: [0])
    families = []
    for _ in range(40):
        family = await town.house.make_family()
        families.append(family.id)
        [child] = await town.children(family)
        born = date(2020, 3, random.randint(1, 28)) if random.random() < 0.7 else None
        await town.do("update member set birth_date = $2 where id = $1", child, born)
        quotients = await _random_quotients(town, random, family.id)
        for tariff in ("repas", "journee"):
            for day in random.sample(MARCHS, random.randint(0, 20)):
                quantity = random.randint(0, 3)
                await town.used(family, child, tariff, day, quantity=quantity)
                price = _slow_price(prices[tariff], quotients, day)
                cesu = tariff == "journee" and born is not None and day < born.replace(year=born.year + 6)
                if quantity:
                    expected[family.id, child, town.tariffs[tariff], price, cesu][0] += quantity

    found = await _drafted_lines(town, families)

    assert found == {key: quantity for key, [quantity] in expected.items()}


async def _random_prices(town: Village, random: Random) -> dict[str, list[tuple[date, date | None, list[Price]]]]:
    """Write brackets that change on a day inside the month."""
    made: dict[str, list[tuple[date, date | None, list[Price]]]] = {}
    for tariff in town.tariffs:
        change = random.choice(MARCHS[1:])
        for since, until in ((NEW_YEAR, change - timedelta(days=1)), (change, None)):
            borders = [0, *sorted(random.sample(range(1, 12), random.randint(0, 4)))]
            ends = [*(border * 100 for border in borders[1:]), None]
            brackets = [
                Price(low * 100, high, random.randint(0, 20) * 10) for low, high in zip(borders, ends, strict=True)
            ]
            for each in brackets:
                await town.price(tariff, each.quotient_from, each.quotient_until, each.cents, since, until)
            made.setdefault(tariff, []).append((since, until, brackets))
    return made


async def _random_quotients(town: Village, random: Random, family: UUID) -> list[Quotient]:
    """Record up to three quotients, some on borders, some that run out, some for the same day."""
    made = []
    for _ in range(random.randint(0, 3)):
        since = random.choice([NEW_YEAR, *MARCHS])
        until = since + timedelta(days=random.randint(0, 60)) if random.random() < 0.5 else None
        value = max(0, random.randint(0, 13) * 100 + random.choice([-1, 0, 1]))
        await town.quotient(family, value, since, until)
        made.append(Quotient(value, since, until, "CAF"))
    return made


def _slow_price(prices: list[tuple[date, date | None, list[Price]]], quotients: list[Quotient], day: date) -> int:
    """Give the price of one day as the rules say it, one after the other."""
    begun = [(each.valid_from, place) for place, each in enumerate(quotients) if each.valid_from <= day]
    counts = quotients[max(begun)[1]] if begun else None
    if counts is not None and counts.valid_until is not None and counts.valid_until < day:
        counts = None
    [brackets] = [each for since, until, each in prices if since <= day and (until is None or day <= until)]
    found = price_of(brackets, counts.value if counts else None)
    assert found is not None
    return found.cents


async def _drafted_lines(town: Village, families: list[UUID]) -> dict[Any, int]:
    """Draft these families as the job does, and give units by family, member, tariff, price and CESU."""
    connection = await asyncpg.connect(town.house.dsn, server_settings={"role": "kiosque_api"})
    try:
        async with connection.transaction():
            await connection.execute("select set_config('kiosque.system', 'on', true)")
            run_id = uuid7()
            assert await billing.insert(connection, run_id, MARCH, None, None, town.house.clock())
            run = await billing.hold(connection, run_id)
            assert run is not None
            known = await billing.quotients(connection, KEYS, families, run.period, run.end)
            await billing.draft(connection, run, families, known, billing.Limits(10**8, 10**8, 100))
    finally:
        await connection.close()
    rows = await town.see(
        """select family_id, member_id, tariff_id, unit_cents, cesu_eligible, sum(quantity)::integer from draft_line
           group by 1, 2, 3, 4, 5"""
    )
    return {row[:-1]: row[-1] for row in rows}
