"""The pool of connections: who is served when, what counts as a lost connection, what it does once it is closed."""

import asyncio
from contextlib import AsyncExitStack

import asyncpg
import pytest

from db import pool
from gateway.commands.common import run
from tests.conftest import Database


async def opened(database: Database) -> pool.Database:
    """Open a pool as a gateway does."""
    return await pool.Database.open(database.dsn, size=4, command_seconds=5, statement_seconds=3)


async def test_a_closed_pool_lends_nothing_and_opens_nothing(database: Database) -> None:
    gateway = await opened(database)
    await gateway.close()
    with pytest.raises(pool.DatabaseUnavailable):
        async with gateway.connection():
            pass


async def test_a_connection_that_is_made_while_the_pool_closes_is_cut(database: Database) -> None:
    gateway = await opened(database)
    async with gateway.connection():
        late = asyncio.create_task(gateway.pool.acquire())
        await asyncio.sleep(0)
        gateway.pool.terminate()
    with pytest.raises(Exception, match="the pool is closed"):
        await late


async def test_who_finishes_what_is_begun_is_served_before_who_waits(database: Database) -> None:
    gateway, served = await opened(database), list[str]()

    async def borrow(name: str, *, ahead: bool) -> None:
        async with gateway.connection(ahead=ahead):
            served.append(name)

    async with AsyncExitStack() as all_lent:
        for _ in range(4):
            await all_lent.enter_async_context(gateway.connection())
        waiting = [asyncio.create_task(borrow(name, ahead=False)) for name in ("first", "second")]
        await asyncio.sleep(0)
        waiting.append(asyncio.create_task(borrow("payload", ahead=True)))
        await asyncio.sleep(0)
    await asyncio.gather(*waiting)
    await gateway.close()
    assert served == ["payload", "first", "second"]


async def test_a_crowd_waits_its_turn_and_everybody_is_served(database: Database) -> None:
    gateway = await opened(database)

    async def ask(number: int) -> int:
        async with gateway.connection() as connection:
            answer: int = await connection.fetchval("select $1::int from pg_sleep(0.01)", number)
        return answer

    answers = await asyncio.gather(*map(ask, range(200)))
    await gateway.close()
    assert answers == list(range(200))
    assert gateway.pool.size <= 4


@pytest.mark.parametrize(
    "own",
    [FileNotFoundError(2, "no folder"), OSError(28, "full"), ConnectionResetError("a provider's"), TimeoutError()],
)
async def test_what_the_block_itself_raises_passes_unchanged(database: Database, own: OSError) -> None:
    gateway = await opened(database)
    with pytest.raises(type(own)) as raised:
        async with gateway.transaction({}) as tx:
            await tx.execute("create temporary table half (n int)")
            raise own
    assert raised.value is own
    async with gateway.connection() as connection:
        assert await connection.fetchval("select to_regclass('half')") is None
    await gateway.close()


async def test_a_time_limit_of_the_block_is_no_lost_database_and_its_connection_is_not_lent_again(
    database: Database,
) -> None:
    gateway = await opened(database)
    with pytest.raises(TimeoutError):
        async with gateway.connection() as connection:
            async with asyncio.timeout(0.05):
                await connection.execute("select pg_sleep(2)")
    assert connection.is_closed() and gateway.pool.size == 0
    await gateway.close()


async def test_a_connection_that_is_cut_in_or_between_statements_is_a_database_that_is_away(database: Database) -> None:
    gateway, beside = await opened(database), await asyncpg.connect(database.dsn, timeout=10)

    async def cut(connection: asyncpg.Connection) -> None:
        assert await beside.fetchval("select pg_terminate_backend($1)", connection.get_server_pid())

    with pytest.raises(pool.DatabaseUnavailable):
        async with gateway.connection() as connection:
            cutting = asyncio.create_task(cut(connection))
            await connection.execute("select pg_sleep(2)")
    await cutting
    with pytest.raises(pool.DatabaseUnavailable):
        async with gateway.transaction({}) as tx:
            await cut(tx)
            await tx.execute("select 1")
    async with gateway.connection() as connection:
        assert await connection.fetchval("select 1") == 1
    await gateway.close()
    await beside.close()


async def test_a_server_that_does_not_answer_in_time_is_a_database_that_is_away(database: Database) -> None:
    gateway = await pool.Database.open(database.dsn, size=1, command_seconds=1.5, statement_seconds=0)
    with pytest.raises(pool.DatabaseUnavailable, match="TimeoutError"):
        async with gateway.connection() as connection:
            await connection.execute("select pg_sleep(20)")
    async with gateway.connection() as connection:
        assert await connection.fetchval("select 1") == 1
    await gateway.close()


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (pool.DatabaseUnavailable("TimeoutError"), "The database is away"),
        (OSError(28, "the disk is full"), "disk is full"),
    ],
)
def test_a_command_that_loses_its_database_or_its_disk_says_which(
    trouble: Exception, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async def work() -> None:
        raise trouble

    with pytest.raises(SystemExit) as end:
        run(work())
    assert end.value.code == 1 and words in capsys.readouterr().err
