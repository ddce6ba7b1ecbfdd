"""A start that cannot succeed ends with a sentence that says why, not with a traceback."""

import asyncio
import base64
import os
import re
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

from tests.conftest import Database
from tests.house import opened
from tests.program import ROOT, environment, whole


async def refusal(*arguments: object, module: str = "gateway", **variables: str) -> str:
    """Start a program that must refuse; give what it says."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", module, *map(str, arguments),
        cwd=ROOT, env={**environment(), "PYTHONPATH": str(ROOT), "COLUMNS": "1000", **variables},
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        output, errors = await asyncio.wait_for(process.communicate(), 60)
    finally:
        if process.returncode is None:
            process.kill()
    said = errors.decode()
    assert process.returncode not in (0, None) and process.returncode > 0, said
    assert "Traceback" not in said and b"ready at" not in output, said
    return said


@contextmanager
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@asynccontextmanager
async def older_server(dsn: str) -> AsyncIterator[str]:
    """Give the address of a server that says it is PostgreSQL 13, and otherwise is the one of `dsn`."""
    [folder] = parse_qs(urlsplit(dsn).query)["host"]

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(65536):
            writer.write(re.sub(rb"(?<=server_version\x00)\d\d", b"13", piece))
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind, to_behind = await asyncio.open_unix_connection(f"{folder}/.s.PGSQL.5432")
        await asyncio.gather(relay(reader, to_behind), relay(behind, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield f"postgresql://postgres@127.0.0.1:{port}{urlsplit(dsn).path}"


async def test_a_database_that_cannot_be_reached_is_named_as_the_reason(tmp_path: Path) -> None:
    address = "postgresql://kiosque@127.0.0.1:9/kiosque"
    said = await refusal("serve", "--database", address, KIOSQUE_DATA__FOLDER=str(tmp_path))
    assert "The database cannot be reached" in said


async def test_a_database_that_does_not_exist_is_named(city: Database, tmp_path: Path) -> None:
    nowhere = city.dsn.replace("/test_", "/no_such_")
    said = await refusal("serve", "--database", nowhere, KIOSQUE_DATA__FOLDER=str(tmp_path))
    assert "The database cannot be used" in said and "no_such_" in said


async def test_a_database_newer_than_the_program_is_left_alone(city: Database, tmp_path: Path) -> None:
    connection = await asyncpg.connect(city.dsn, timeout=10)
    await connection.execute("insert into migration (name, hash) values ('9000_of_the_future.sql', '')")
    await connection.close()
    said = await refusal("serve", "--database", city.dsn, KIOSQUE_DATA__FOLDER=str(tmp_path))
    assert "newer than this program" in said and "9000_of_the_future.sql" in said


@pytest.mark.parametrize("command", ["serve", "keys"])
async def test_another_master_key_than_the_database_was_sealed_with_is_told_in_a_sentence(
    command: str, city: Database, tmp_path: Path
) -> None:
    """It would otherwise end in the middle of cryptography, or, as a new key, stop every node."""
    async with opened(city.dsn):
        pass
    arguments = {"serve": ["serve"], "keys": ["keys", "rotate"]}[command]
    other = base64.b64encode(bytes(range(32))).decode()
    said = await refusal(
        *arguments,
        "--database",
        city.dsn,
        KIOSQUE_SECRETS__MASTER_KEY=other,
        KIOSQUE_DATA__FOLDER=str(tmp_path),
    )
    assert "secrets.master_key is not the one that this database was sealed with" in said


async def test_a_server_older_than_what_is_needed_is_refused_by_its_version(city: Database, tmp_path: Path) -> None:
    async with older_server(city.dsn) as address:
        said = await refusal("serve", "--database", address, KIOSQUE_DATA__FOLDER=str(tmp_path))
    assert "PostgreSQL 14 or newer is needed; this is 13." in said


async def test_a_port_that_is_taken_is_named(city: Database, tmp_path: Path) -> None:
    with taken_port() as port:
        said = await refusal("serve", "--database", city.dsn, "--port", port, KIOSQUE_DATA__FOLDER=str(tmp_path))
        assert f"127.0.0.1:{port}" in said and "--port" in said


async def test_a_data_folder_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    said = await refusal("serve", "--data", tmp_path / "file" / "data")
    assert "data folder" in said and str(tmp_path / "file") in said


async def test_a_data_folder_that_may_not_be_made_is_refused(tmp_path: Path) -> None:
    closed = Path("/proc")  # also to root
    if os.geteuid() != 0:
        closed = tmp_path / "closed"
        closed.mkdir(mode=0o500)
    said = await refusal("serve", "--data", closed / "data")
    assert "data folder" in said and str(closed) in said


@pytest.mark.parametrize(
    ("variable", "nearest"),
    [("KIOSQUE_SERVER__PROT", "KIOSQUE_SERVER__PORT"), ("KIOSQUE_OUTBOX__LEASES", "KIOSQUE_OUTBOX__LEASE")],
)
@pytest.mark.parametrize("module", ["gateway", "notifications"])
async def test_an_unknown_setting_stops_the_start_and_the_nearest_is_named(
    module: str, variable: str, nearest: str
) -> None:
    arguments = ["serve"] if module == "gateway" else []
    said = await refusal(*arguments, module=module, **{variable: "1"})
    assert variable in said and f"did you mean {nearest}?" in said


async def test_a_second_portal_on_the_same_data_folder_is_told_who_holds_it() -> None:
    async with whole() as running:
        said = await refusal("serve", "--data", running.server.folder, "--port", "0")
        assert f"in use by another program (process {running.serve.pid})" in said
