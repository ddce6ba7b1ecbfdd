"""The migration runner, on a real server and with migrations of its own."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from db.embedded import EmbeddedServer
from db.migrate import MigrationError, migrate, pending


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[EmbeddedServer]:
    with tempfile.TemporaryDirectory(prefix="kiosque-") as path:
        Path(path).chmod(0o711)
        server = EmbeddedServer(Path(path, "data"), durable=False)
        await server.start()
        yield server
        await server.stop()


@pytest.fixture
async def dsn(server: EmbeddedServer) -> AsyncIterator[str]:
    """Give an empty database."""
    admin = await asyncpg.connect(server.dsn, timeout=10)
    await admin.execute('drop database if exists "empty" with (force)')
    await admin.execute('create database "empty"')
    yield server.dsn.replace("/kiosque?", "/empty?")
    await admin.close()


@pytest.fixture
async def connection(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(dsn, timeout=10)
    yield connection
    await connection.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "0001_first.sql").write_text("create table a (x int);\ncreate table b (x int);\n")
    (tmp_path / "0002_second.sql").write_text("insert into a values (1);\n")
    return tmp_path


async def test_files_are_applied_in_order_and_once(dsn: str, connection: asyncpg.Connection, folder: Path) -> None:
    assert await pending(connection, folder) == ["0001_first.sql", "0002_second.sql"]
    assert await migrate(dsn, folder) == ["0001_first.sql", "0002_second.sql"]
    assert await migrate(dsn, folder) == []
    (folder / "0003_third.sql").write_text("insert into a values (3)")
    assert await migrate(dsn, folder) == ["0003_third.sql"]
    assert await connection.fetchval("select array_agg(x order by x) from a") == [1, 3]
    assert await pending(connection, folder) == []


async def test_a_failing_file_leaves_no_trace(dsn: str, connection: asyncpg.Connection, folder: Path) -> None:
    (folder / "0002_second.sql").write_text("insert into a values (1);\ninsert into missing values (1);\n")
    with pytest.raises(asyncpg.UndefinedTableError):
        await migrate(dsn, folder)
    assert await connection.fetchval("select count(*) from a") == 0
    assert await pending(connection, folder) == ["0002_second.sql"]


async def test_programs_that_migrate_at_once_take_turns(dsn: str, connection: asyncpg.Connection, folder: Path) -> None:
    (folder / "0003_slow.sql").write_text("insert into a select 3 from pg_sleep(0.3)")
    applied = await asyncio.gather(*(migrate(dsn, folder) for _ in range(4)))
    assert sorted(map(len, applied)) == [0, 0, 0, 3]
    assert await connection.fetchval("select count(*) from a") == 2


async def test_a_changed_file_is_refused(dsn: str, connection: asyncpg.Connection, folder: Path) -> None:
    await migrate(dsn, folder)
    (folder / "0001_first.sql").write_text("create table a (x text);")
    with pytest.raises(MigrationError, match=r"0001_first\.sql was changed"):
        await migrate(dsn, folder)


async def test_a_database_newer_than_the_program_is_refused(dsn: str, folder: Path) -> None:
    await migrate(dsn, folder)
    (folder / "0002_second.sql").unlink()
    with pytest.raises(MigrationError, match=r"newer than this program, which does not know 0002_second\.sql"):
        await migrate(dsn, folder)


async def test_a_file_numbered_below_what_is_applied_is_refused(dsn: str, folder: Path) -> None:
    await migrate(dsn, folder)
    (folder / "0001_late.sql").write_text("select 1")
    with pytest.raises(MigrationError, match=r"0001_late\.sql comes before"):
        await migrate(dsn, folder)


async def test_an_index_can_be_built_without_a_transaction(
    dsn: str, connection: asyncpg.Connection, folder: Path
) -> None:
    (folder / "0003_index.sql").write_text(
        "-- no transaction\n-- Built in use.\ncreate index concurrently if not exists a_x on a (x);\n"
    )
    await asyncio.gather(migrate(dsn, folder), migrate(dsn, folder))
    assert await connection.fetchval("select count(*) from pg_indexes where indexname = 'a_x'") == 1


async def test_a_table_in_use_is_not_waited_for_long(dsn: str, connection: asyncpg.Connection, folder: Path) -> None:
    await migrate(dsn, folder)
    (folder / "0003_alter.sql").write_text("alter table a add y int")
    async with connection.transaction():
        await connection.execute("lock table a")
        with pytest.raises(asyncpg.LockNotAvailableError):
            await migrate(dsn, folder)
