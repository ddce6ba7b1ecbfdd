"""Clients that are cut off again and again while agents write hear everything, once, in order."""

import asyncio
import random
from pathlib import Path

from tests.conftest import Database
from tests.followers import Follower, following, heard_all
from tests.load import Case, Load, at_work
from tests.program import apart

WRITERS = 8
FAMILIES = 50
CLIENTS_OF_EACH = 4
"""One less than an account may have: the one that was cut may come back before the portal knows that it is gone."""
CUTS = 20
CUT_AT_ONCE = 10


async def clients(load: Load) -> list[Follower]:
    """Give clients of all families of a load: sockets and streams of events alike, each from where its family is now."""
    made = []
    for case in one_of_each_family(load):
        token = await load.house.sign_in(case.family.email)
        seq = await load.pool.fetchval("select news_seq from family where id = $1", case.family.id)
        made += [
            Follower(load.house.url, token, case.family, ("socket", "events")[place % 2], seq if place < 2 else 0)
            for place in range(CLIENTS_OF_EACH)
        ]
    return made


def one_of_each_family(load: Load) -> list[Case]:
    """Give a case of every family."""
    return list({case.family.id: case for case in load.cases}.values())


async def test_two_hundred_clients_cut_twenty_times_hear_everything_once_and_in_order(city: Database, tmp_path: Path) -> None:
    async with (
        apart(city.dsn, tmp_path) as portal,
        at_work(portal.house, families=FAMILIES, procedures=2, writers=WRITERS) as load,
    ):
        followers = await clients(load)
        async with following(followers):
            for _ in range(CUTS):
                await asyncio.sleep(random.uniform(0.1, 0.4))
                chosen = random.sample([each for each in followers if each.connected.is_set()], CUT_AT_ONCE)
                await asyncio.gather(*(each.cut() for each in chosen))
            await load.finish()
            heard = await heard_all(portal.house.connection, followers)
    resumed = sum(len(each.ends) for each in followers)
    moves = sum(len(case.moves) for case in load.cases)
    print(f"{WRITERS} writers, {moves} moves, {len(followers)} clients, {resumed} resumed, {heard} events heard")
    assert resumed >= CUTS * CUT_AT_ONCE and moves > len(load.cases)
