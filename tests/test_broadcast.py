"""What the whole city is told: one row, spread once to every family, whatever crashes, behind what is urgent."""

import asyncio
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from db import broadcast, outbox
from db.clock import utc_now
from db.ids import uuid7
from db.outbox import Told
from db.pool import API_ROLE
from gateway.demo.smtp import Catcher
from notifications.broadcast import Spreader
from notifications.dispatcher import open_pool
from tests.conftest import Database
from tests.notifications.house import House, dispatching, make_settings, start_program

DATA = {"version": 2, "effective_at": "2027-01-01T00:00:00+00:00", "summary_fr": "Nouveau.", "summary_en": "New."}


@pytest.fixture
async def house(database: Database) -> AsyncIterator[House]:
    """An empty city on a database of its own."""
    async with asyncpg.create_pool(database.dsn, min_size=1, max_size=4, command_timeout=30) as pool:
        yield House(database.dsn, pool)


@pytest.fixture
async def catcher() -> AsyncIterator[Catcher]:
    """A mail server."""
    catcher = Catcher(keep=100_000)
    await catcher.start()
    yield catcher
    await catcher.stop()


FAMILIES = """
    insert into family (id, number, name, activated_at, created_at)
    select id, ((select 300000 + count(*) from family) + n)::text, 'Famille ' || n, $2, $2
    from unnest($1::uuid[]) with ordinality as made(id, n)
"""
ACCOUNTS = """
    insert into account (family_id, id, email, password_hash, created_at)
    select id, id, n || '@exemple.fr', '-', $2 from unnest($1::uuid[]) with ordinality as made(id, n)
"""
ADDRESSES = """
    insert into address (family_id, id, channel, value, verified_at, created_at)
    select id, id, 'EMAIL', n || '@exemple.fr', $2, $2 from unnest($1::uuid[]) with ordinality as made(id, n)
"""


async def made(house: House, count: int, *, emails: bool = False) -> list[UUID]:
    """Make active families, each with a login, and with a verified address if wished."""
    ids, at = [uuid7() for _ in range(count)], utc_now() - timedelta(days=1)
    for statement in (FAMILIES, ACCOUNTS, *([ADDRESSES] if emails else [])):
        await house.pool.execute(statement, ids, at)
    return ids


async def announced(house: House) -> UUID:
    """Tell the whole city something, as a mutation would."""
    async with house.pool.acquire() as connection, connection.transaction():
        return await broadcast.announce(connection, "TERMS", "terms_published", DATA, utc_now())


async def finished(house: House, wanted: UUID) -> bool:
    """Tell whether a broadcast has reached everybody."""
    found: bool = await house.pool.fetchval("select finished_at is not null from broadcast where id = $1", wanted)
    return found


async def check(house: House, families: list[UUID], *broadcasts: UUID) -> None:
    """Each of these families, and nobody else, has each broadcast once, with its delivery and without a gap."""
    rows = await house.pool.fetch("select family_id, seq, broadcast_id, subject_id, topic, type from news")
    told = Counter((row["family_id"], row["broadcast_id"]) for row in rows)
    assert told == {(family, each): 1 for family in families for each in broadcasts}
    assert {(row["topic"], row["type"]) for row in rows} == {("TERMS", "terms_published")}
    gaps = """select count(*) from family f where f.news_seq <> (select count(*) from news n where n.family_id = f.id)
        or f.news_seq <> coalesce((select max(seq) from news n where n.family_id = f.id), 0)"""
    assert await house.pool.fetchval(gaps) == 0
    without = """select count(*) from news n where (select count(*) from delivery d
        where d.family_id = n.family_id and d.news_seq = n.seq) <> 1"""
    assert await house.pool.fetchval(without) == 0
    assert await house.pool.fetchval("select array_agg(families) from broadcast") == [len(families)] * len(broadcasts)


async def test_every_active_family_is_told_once_on_the_channel_that_it_chose(house: House, catcher: Catcher) -> None:
    families = await made(house, 450, emails=True)
    await house.pool.execute(
        """insert into channel_preference (family_id, topic, channels, updated_at)
           values ($1, 'TERMS', '{IN_APP}', now())""",
        families[0],
    )
    told = await announced(house)
    async with dispatching(house, make_settings(catcher.port)):
        await house.until(lambda: finished(house, told), 30)
        await house.quiet(60)
    await check(house, families, told)
    assert catcher.count == len(families) - 1
    channels = await house.pool.fetch(
        "select channel, array_agg(distinct status) as s from delivery group by 1 order by 1"
    )
    assert [tuple(row) for row in channels] == [("EMAIL", ["SENT"]), ("IN_APP", ["DELIVERED"])]
    text = catcher.to("2@exemple.fr")[0].part("plain")
    assert "Famille 2" in text and "conditions" in text


async def test_who_is_not_active_or_has_left_or_came_later_is_not_told(house: House, catcher: Catcher) -> None:
    families = await made(house, 5)
    asleep = await house.make_family("dort@exemple.fr")
    without = uuid7()
    await house.pool.execute(
        "insert into family (id, number, name, activated_at, created_at) values ($1, '900001', 'Nul', now(), now())",
        without,
    )
    [gone] = await made(house, 1)
    await house.pool.execute("update account set removed_at = now() where family_id = $1", gone)
    told = await announced(house)
    later = await house.make_family("tard@exemple.fr")
    await house.pool.execute("update family set activated_at = $2 where id = $1", later.id, utc_now())
    async with dispatching(house, make_settings(catcher.port)):
        await house.until(lambda: finished(house, told))
        await house.quiet()
    await check(house, families, told)
    assert asleep.id not in families and catcher.count == 0


async def test_several_dispatchers_and_several_broadcasts_tell_everybody_once(house: House, catcher: Catcher) -> None:
    families = await made(house, 300)
    told = [await announced(house) for _ in range(3)]
    settings = make_settings(catcher.port, broadcast_batch=20)
    async with dispatching(house, settings), dispatching(house, settings), dispatching(house, settings):
        for each in told:
            await house.until(partial(finished, house, each), 30)
    await check(house, families, *told)


@pytest.mark.parametrize("step", ["broadcast.batch", "broadcast.told"])
async def test_killed_in_the_middle_of_a_batch_nobody_is_left_out_and_nobody_told_twice(
    house: House, catcher: Catcher, step: str
) -> None:
    families = await made(house, 100)
    told = await announced(house)
    for turn in range(1, 4):
        program = await start_program(house, catcher, f"{step}:{turn}", KIOSQUE_OUTBOX__BROADCAST_BATCH="10")
        assert await asyncio.wait_for(program.wait(), 30) == -signal.SIGKILL
        assert not await finished(house, told)
    program = await start_program(house, catcher, KIOSQUE_OUTBOX__BROADCAST_BATCH="10")
    try:
        await house.until(lambda: finished(house, told), 30)
    finally:
        program.kill()
        await program.wait()
    await check(house, families, told)


async def test_what_concerns_one_family_overtakes_what_concerns_all(house: House, catcher: Catcher) -> None:
    families = await made(house, 400, emails=True)
    settings = make_settings(catcher.port, lanes=2)
    pool = await open_pool(house.dsn, settings)
    try:
        await announced(house)
        spreader = Spreader(pool, utc_now, 200)
        while await spreader.spread():
            pass
    finally:
        await pool.close()
    async with house.pool.acquire() as connection, connection.transaction():
        await outbox.tell(connection, Told(families[399], "CITY_INFORMATION", "test", uuid7(), {}, utc_now()))
    async with dispatching(house, settings):
        await catcher.wait_for(lambda: "essai" in str([c.message["Subject"] for c in catcher.to("400@exemple.fr")]), 20)
        assert catcher.count < 50, "hundreds of others still wait"
    waiting = await house.pool.fetchval("select count(*) from delivery where status = 'PENDING'")
    assert waiting > 300
    state = await house.pool.fetchrow("select age_seconds, dead_letters from outbox_state()")
    assert state is not None and tuple(state) == (0, 0), "what waits behind the urgent is no sign of trouble"


@pytest.mark.parametrize("sight", ["family", "nobody"])
async def test_only_an_agents_transaction_tells_the_city(house: House, sight: str) -> None:
    [family] = await made(house, 1)
    async with house.pool.acquire() as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with connection.transaction():
                await connection.execute(f"set local role {API_ROLE}")
                await connection.execute(
                    "select set_config('kiosque.family', $1, true)", str(family) if sight == "family" else ""
                )
                await broadcast.announce(connection, "TERMS", "terms_published", DATA, utc_now())
    assert await house.pool.fetchval("select count(*) from broadcast") == 0


@pytest.mark.parametrize("count", [2_000, pytest.param(20_000, marks=pytest.mark.long)])
async def test_a_large_city_is_told_batch_by_batch(house: House, catcher: Catcher, count: int) -> None:
    """Prints how fast."""
    families = await made(house, count)
    told = await announced(house)
    pool: Any = await open_pool(house.dsn, make_settings(catcher.port))
    try:
        spreader, began, batches = Spreader(pool, utc_now, 200), time.perf_counter(), 0
        while await spreader.spread():
            batches += 1
        seconds = time.perf_counter() - began
    finally:
        await pool.close()
    print(f"{count} families in {seconds:.2f} s, {count / seconds:.0f} families/s, {seconds / batches:.3f} s a batch")
    assert batches == count / 200 + 1
    await check(house, families, told)
