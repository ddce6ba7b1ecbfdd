"""Clients that are cut off again and again while agents write hear everything, once, in order."""

import asyncio
import random
from collections import Counter
from pathlib import Path

from tests.conftest import Database
from tests.followers import clients, following, heard_all
from tests.load import at_work
from tests.program import apart

WRITERS = 8
FAMILIES = 50
CLIENTS_OF_EACH = 4
"""One less than an account may have: the one that was cut may come back before the portal knows that it is gone."""
CUTS = 20
CUT_AT_ONCE = 10


async def test_two_hundred_clients_cut_twenty_times_hear_everything_once_and_in_order(
    city: Database, tmp_path: Path
) -> None:
    async with (
        apart(city.dsn, tmp_path) as portal,
        at_work(portal.house, families=FAMILIES, procedures=2, writers=WRITERS) as load,
    ):
        followers = await clients(load, CLIENTS_OF_EACH)
        async with following(followers):
            for _ in range(CUTS):
                await asyncio.sleep(random.uniform(0.1, 0.4))
                for each in random.sample([each for each in followers if each.connected.is_set()], CUT_AT_ONCE):
                    each.cut()
            await load.finish()
            heard = await heard_all(load.pool, followers)
    ends = Counter(end for each in followers for end in each.ends)
    print(f"{WRITERS} writers, {load.moves} moves, {len(followers)} clients, resumed: {dict(ends)}, events: {heard}")
    assert ends["cut"] == CUTS * CUT_AT_ONCE and load.moves > len(load.cases)
