"""PostgreSQL killed, stopped and cut off while agents work and families listen: nothing is lost."""

import os
import signal
from collections import Counter

import asyncpg

from tests.account import account
from tests.followers import clients, following, heard_all
from tests.load import at_work
from tests.program import Whole, whole


async def kill_server(running: Whole) -> None:
    os.kill(running.postmaster(), signal.SIGKILL)


async def stop_server(running: Whole) -> None:
    """As an administrator does; the portal's supervisor starts it again."""
    os.kill(running.postmaster(), signal.SIGINT)


async def cut_connections(running: Whole) -> None:
    connection = await asyncpg.connect(running.server.dsn, timeout=10)
    await connection.execute(
        """select pg_terminate_backend(pid) from pg_stat_activity
           where backend_type = 'client backend' and pid <> pg_backend_pid()"""
    )
    await connection.close()


async def test_a_database_that_goes_away_under_load_takes_nothing_with_it() -> None:
    async with whole() as running, at_work(running.house, families=10, procedures=2) as load:
        followers = await clients(load, 4)
        async with following(followers):
            for harm in (cut_connections, kill_server, stop_server, kill_server, cut_connections):
                await load.moved_on()
                await harm(running)
            await load.moved_on()
            await load.finish()
            found = await account(load)
            heard = await heard_all(load.pool, followers)
    ends = Counter(end for each in followers for end in each.ends)
    print(f"{found}; refused {dict(load.refused)}, then {dict(load.unanswered)}; slowest answer {load.slowest:.1f} s")
    print(f"{len(followers)} clients, streams ended: {dict(ends)}, {heard} events heard")
    assert (found.lost, found.inversions) == (0, 0)
