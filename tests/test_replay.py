"""Whoever follows hears everything, once, in order: cut off again and again, and of a gateway that has just begun."""

import asyncio
import random
from collections import Counter
from pathlib import Path

import asyncpg

from tests.conftest import Database
from tests.followers import clients, following, heard_all
from tests.house import House, opened
from tests.live import EventStream, Socket
from tests.load import at_work
from tests.program import apart

WRITERS = 8
FAMILIES = 50
CLIENTS_OF_EACH = 4
"""One less than an account may have: the one that was cut may come back before the portal knows that it is gone."""
CUTS = 20
CUT_AT_ONCE = 10

SLOW_TO_LISTEN = """
    create function wait_to_listen() returns event_trigger language plpgsql as $$ begin
        if current_setting('application_name') = 'kiosque-live' then
            perform pg_advisory_xact_lock_shared(1);
        end if;
    end $$;
    create event trigger slow_to_listen on login execute function wait_to_listen();
    select pg_advisory_lock(1);
"""
NEWS = "subscription { news { cursor } }"
TEST = "mutation { sendTestNotification(topic: TERMS) { problems { code } } }"


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
                    each.connected.clear()  # its end may take longer than the pause, and it cannot be cut twice
            await load.finish()
            heard = await heard_all(load.pool, followers)
    ends = Counter(end for each in followers for end in each.ends)
    print(f"{WRITERS} writers, {load.moves} moves, {len(followers)} clients, resumed: {dict(ends)}, events: {heard}")
    assert ends["cut"] == CUTS * CUT_AT_ONCE and load.moves > len(load.cases)


async def test_what_is_told_before_a_gateway_listens_is_heard_when_it_does(city: Database) -> None:
    database = await asyncpg.connect(city.dsn, timeout=10)
    await database.execute(SLOW_TO_LISTEN)
    async with opened(city.dsn) as house:
        _, token = await house.member()
        async with Socket(house, token) as socket:
            await house.do(TEST, token)
            await socket.subscribe("1", 'subscription { news(topics: [TERMS], after: "0") { cursor } }')
            first = await socket.next("1")
            await asyncio.sleep(0.3)  # so that the stream has nothing more to replay
            await house.do(TEST, token)
            await database.execute("select pg_advisory_unlock(1)")
            assert await socket.next("1") != first
    await database.close()


async def test_a_stream_of_events_is_open_only_once_it_has_its_place(house: House) -> None:
    """A client reads its lists when the stream is open: what is told meanwhile must come on the stream."""
    _, token = await house.member()
    await house.do(TEST, token)
    stream = EventStream(house, token, NEWS)
    async with house.connection.transaction():
        await house.connection.execute("lock table family")
        opening = asyncio.create_task(stream.__aenter__())
        await asyncio.wait({opening}, timeout=0.5)
        assert not opening.done()
    async with await opening:
        await house.do(TEST, token)
        assert await stream.next()


async def test_a_stream_that_waits_too_long_for_its_place_is_told_so(city: Database) -> None:
    async with opened(city.dsn, database={"url": city.dsn, "statement_timeout": 0.5}) as house:
        _, token = await house.member()
        async with house.connection.transaction():
            await house.connection.execute("lock table family")
            async with Socket(house, token) as socket:
                await socket.subscribe("1", NEWS)
                told = await socket.message("1")
                assert (told["type"], told["payload"][0]["extensions"]["code"]) == ("error", "TOO_COSTLY")
