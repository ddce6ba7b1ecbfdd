"""The embedded PostgreSQL: killed, adopted, locked, stopped; a real server each time."""

import asyncio
import contextlib
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from db.embedded import EmbeddedServer, EmbeddedServerError

ROOT = Path(__file__).parents[1]
STARTS_AND_HANGS = """
import asyncio, sys
from pathlib import Path
from db.embedded import EmbeddedServer

async def main():
    server = EmbeddedServer(Path(sys.argv[1]), durable=False)
    await server.start()
    print(server.pid, flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """Give a data folder that the server's user can reach (pytest's own are closed to it when we are root)."""
    with tempfile.TemporaryDirectory(prefix="kiosque-") as path:
        Path(path).chmod(0o711)
        yield Path(path, "data")


@pytest.fixture
async def server(folder: Path) -> AsyncIterator[EmbeddedServer]:
    server = EmbeddedServer(folder, durable=False)
    await server.start()
    yield server
    await server.stop()


async def ask(server: EmbeddedServer, statement: str) -> object:
    connection = await asyncpg.connect(server.dsn, timeout=10)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def keep_a_row(server: EmbeddedServer) -> None:
    await ask(server, "create table kept as select 42 as answer")


async def the_kept_row(server: EmbeddedServer) -> object:
    return await ask(server, "select answer from kept")


async def the_kept_row_if_there(server: EmbeddedServer) -> object:
    with contextlib.suppress(OSError, asyncpg.PostgresError):
        return await the_kept_row(server)
    return None


def pid_of(server: EmbeddedServer) -> int:
    assert server.pid is not None
    return server.pid


async def test_a_new_folder_becomes_a_server_that_only_we_can_reach(server: EmbeddedServer) -> None:
    assert await ask(server, "show listen_addresses") == ""
    assert await ask(server, "select datlocprovider = 'b' and datlocale = 'C.UTF-8' from pg_database limit 1") is True
    assert stat.S_IMODE(server.cluster.sockets.stat().st_mode) == 0o700
    assert psutil.Process(pid_of(server)).uids().effective != 0
    assert await ask(server, "select count(*) from pg_available_extensions where name in ('unaccent', 'pg_trgm')") == 2


async def test_a_stopped_server_leaves_nothing_running_and_keeps_its_rows(folder: Path) -> None:
    server = EmbeddedServer(folder)
    await server.start()
    await keep_a_row(server)
    pid = pid_of(server)
    await server.stop()
    await server.stop()
    assert not psutil.pid_exists(pid)
    await server.start()
    assert await the_kept_row(server) == 42
    await server.stop()


async def test_a_second_program_is_refused_and_told_who_holds_the_folder(server: EmbeddedServer) -> None:
    second = EmbeddedServer(server.folder, durable=False)
    with pytest.raises(EmbeddedServerError, match=f"in use by another program \\(process {os.getpid()}\\)"):
        await second.start()
    assert await ask(server, "select 1") == 1


@pytest.fixture
def orphan(folder: Path) -> int:
    """Start a server by another program, kill that program, and give the server's process id."""
    with subprocess.Popen(
        [sys.executable, "-c", STARTS_AND_HANGS, folder], stdout=subprocess.PIPE, cwd=ROOT
    ) as program:
        assert program.stdout is not None
        pid = int(program.stdout.readline())
        program.kill()
    return pid


async def test_a_server_whose_program_was_killed_is_adopted(folder: Path, orphan: int) -> None:
    server = EmbeddedServer(folder, durable=False)
    try:
        await server.start()
        assert server.pid == orphan
        assert await ask(server, "select 1") == 1
    finally:
        await server.stop()
    with contextlib.suppress(psutil.NoSuchProcess):
        assert psutil.Process(orphan).status() == psutil.STATUS_ZOMBIE


async def test_a_server_left_behind_with_other_options_is_replaced(folder: Path, orphan: int) -> None:
    server = EmbeddedServer(folder, durable=True)
    try:
        await server.start()
        assert server.pid != orphan
        assert await ask(server, "show fsync") == "on"
    finally:
        await server.stop()


async def test_a_killed_server_is_started_again_and_keeps_what_was_committed(server: EmbeddedServer) -> None:
    await keep_a_row(server)
    before = pid_of(server)
    watch = asyncio.create_task(server.watch())
    busy = await asyncpg.connect(server.dsn, timeout=10)
    await busy.execute("begin; update kept set answer = 0")
    os.kill(before, signal.SIGKILL)
    async with asyncio.timeout(30):
        while (found := await the_kept_row_if_there(server)) is None:
            await asyncio.sleep(0.05)
    assert found == 42
    assert server.pid not in {before, None}
    busy.terminate()
    await server.stop()
    await asyncio.wait_for(watch, 5)


async def test_a_busy_worker_of_a_killed_server_does_not_prevent_the_next_start(server: EmbeddedServer) -> None:
    await keep_a_row(server)
    busy = await asyncpg.connect(server.dsn, timeout=10)
    # Never waits for anything, so it does not notice that its server is gone.
    work = asyncio.create_task(busy.execute("do $$ begin loop end loop; end $$"))
    await asyncio.sleep(0.1)
    os.kill(pid_of(server), signal.SIGKILL)
    await server.stop()
    await server.start()
    assert await the_kept_row(server) == 42
    with pytest.raises((OSError, asyncpg.PostgresError)):
        await work
    busy.terminate()


@pytest.fixture
def zombie() -> Iterator[int]:
    """Give the id of a process that has ended and that nobody has asked about yet."""
    with subprocess.Popen(["true"], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.read()
        while psutil.Process(process.pid).status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.01)
        yield process.pid


@pytest.mark.parametrize("who", ["zombie", "stranger"])
async def test_a_note_that_names_another_process_is_not_taken_for_a_server(
    server: EmbeddedServer, zombie: int, who: str
) -> None:
    await keep_a_row(server)
    note = server.cluster.data / "postmaster.pid"
    lines = note.read_text().splitlines()
    os.kill(pid_of(server), signal.SIGKILL)
    await server.stop()
    note.write_text("\n".join([str(zombie if who == "zombie" else os.getpid()), *lines[1:]]))
    await server.start()
    assert await the_kept_row(server) == 42


async def test_an_initialisation_that_was_cut_short_is_repeated(folder: Path) -> None:
    server = EmbeddedServer(folder, durable=False)
    await server.start()
    await server.stop()
    server.cluster.data.rename(server.cluster.home / "data.new")
    (server.cluster.home / "data.new" / "PG_VERSION").unlink()
    await server.start()
    assert await ask(server, "select 1") == 1
    await server.stop()


async def test_a_folder_with_a_long_name_has_its_socket_elsewhere(folder: Path) -> None:
    server = EmbeddedServer(folder / ("long" * 30), durable=False)
    try:
        await server.start()
        assert await ask(server, "select 1") == 1
        assert len(str(server.cluster.sockets)) < 80
    finally:
        await server.stop()
        shutil.rmtree(server.cluster.sockets, ignore_errors=True)


async def test_a_folder_that_the_server_cannot_reach_still_works(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    server = EmbeddedServer(folder / "data", durable=False)
    try:
        await server.start()
        assert await ask(server, "select 1") == 1
        assert server.cluster.home.is_relative_to("/var/lib/kiosque" if os.geteuid() == 0 else folder)
    finally:
        await server.stop()
        shutil.rmtree(server.cluster.home)


async def test_a_folder_that_cannot_be_made_is_named(folder: Path) -> None:
    folder.write_text("a file, not a folder")
    with pytest.raises(EmbeddedServerError, match=f"The data folder {folder}/x cannot be used: "):
        await EmbeddedServer(folder / "x").start()


async def test_data_of_another_postgresql_is_refused(folder: Path) -> None:
    (folder / "postgresql" / "17").mkdir(parents=True)
    with pytest.raises(EmbeddedServerError, match="holds data of PostgreSQL 17"):
        await EmbeddedServer(folder).start()
    assert [path.name for path in (folder / "postgresql").iterdir() if path.name.isdigit()] == ["17"]


async def test_a_server_that_cannot_start_says_why(folder: Path) -> None:
    server = EmbeddedServer(folder, durable=False)
    await server.start()
    await server.stop()
    with (server.cluster.data / "postgresql.conf").open("a") as settings:
        settings.write("max_connections = many\n")
    with pytest.raises(EmbeddedServerError, match=r"did not start: .*FATAL"):
        await server.start()
