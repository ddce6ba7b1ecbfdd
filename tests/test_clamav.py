"""The virus scanner: a scanner that speaks clamd's protocol on a real socket, and one that does everything wrong."""

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest
from rich.console import Console

from db.configuration import SettingsError, read
from db.settings import Settings
from gateway.checks import checked
from resolvers.scanning import Scanner, ScannerUnavailable
from tests.conftest import Database
from tests.files import counts, documents_of, pdf_of, send
from tests.house import House, opened

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + rb"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
INFECTED = EICAR + b"\n"
CLEAN = b"Bonjour.\n"

Judge = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


@dataclass(slots=True)
class Clamd:
    """A scanner that keeps what it was sent; how it answers is `judge`."""

    judge: Judge
    seen: list[bytes] = field(default_factory=list)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Speak INSTREAM as clamd(8) says."""
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        try:
            command = await reader.readuntil(b"\0")
            if command == b"zPING\0":
                writer.write(b"PONG\0")
                return
            assert command == b"zINSTREAM\0"
            content = b""
            while size := int.from_bytes(await reader.readexactly(4)):
                content += await reader.readexactly(size)
            self.seen.append(content)
            await self.judge(content, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()


async def rightly(content: bytes, writer: asyncio.StreamWriter) -> None:
    """Judge as clamd does."""
    found = b"Eicar-Test-Signature FOUND" if EICAR in content else b"OK"
    writer.write(b"stream: " + found + b"\0")
    await writer.drain()


async def hang(content: bytes, writer: asyncio.StreamWriter) -> None:
    """Never answer."""
    await asyncio.sleep(60)


async def drop(content: bytes, writer: asyncio.StreamWriter) -> None:
    """Close without a word."""


def saying(answer: bytes) -> Judge:
    """Make a judge that says always the same."""

    async def say(content: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()

    return say


@asynccontextmanager
async def clamd(judge: Judge, path: Path | None = None) -> AsyncIterator[tuple[Clamd, str]]:
    """Run a scanner on TCP, or on a socket of the file system; give it and its address."""
    made = Clamd(judge)
    if path is None:
        server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
        address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    else:
        server = await asyncio.start_unix_server(made.serve, path)
        address = f"unix:{path}"
    try:
        yield made, address
    finally:
        server.close()
        for task in made.tasks:
            task.cancel()
        await asyncio.gather(*made.tasks, return_exceptions=True)
        await server.wait_closed()


@asynccontextmanager
async def scanned(city: Database, address: str, seconds: float = 5.0) -> AsyncIterator[tuple[House, str]]:
    """Run a portal with a scanner; give it and the token of a family."""
    async with opened(city.dsn, documents={"clamav": address, "clamav_timeout": seconds}) as house:
        _, token = await house.member()
        yield house, token


async def sent(house: House, token: str, content: bytes) -> Any:
    """Upload a text."""
    return await send(house, token, content, name="note.txt", Content_Type="text/plain")


@pytest.mark.parametrize("unix", [False, True])
async def test_a_clean_file_is_kept_and_a_virus_is_not(city: Database, tmp_path: Path, unix: bool) -> None:
    place = tmp_path / "clamd.sock" if unix else None
    async with clamd(rightly, place) as (scanner, address), scanned(city, address) as (house, token):
        assert (await sent(house, token, CLEAN)).status == 201
        [found] = await documents_of(house, token)
        assert found["scannedAt"]
        got = await sent(house, token, INFECTED)
        assert (got.status, got.code) == (422, "DOCUMENT_INFECTED")
        assert scanner.seen == [CLEAN, INFECTED]
        assert await counts(house) == (1, 1)
        entry = await house.connection.fetchrow("select * from audit_entry where act = 'document_infected'")
        assert entry is not None and entry["data"] == '{"finding":"Eicar-Test-Signature"}'
        assert entry["family_id"] and entry["subject_id"] and entry["actor"] == "FAMILY"


async def test_the_scanner_sees_every_byte_of_a_large_file(city: Database) -> None:
    async with clamd(rightly) as (scanner, address), scanned(city, address) as (house, token):
        content = pdf_of(3_000_000)
        assert (await send(house, token, content)).status == 201
        assert scanner.seen == [content]


@pytest.mark.parametrize(
    "judge",
    [
        hang, drop, saying(b""), saying(b"stream: OK"), saying(b"INSTREAM size limit exceeded. ERROR\0"),
        saying(b"x" * 100_000), saying(b"UNKNOWN COMMAND\0"), saying(b"\xff\0"),
    ],
)  # fmt: skip
async def test_what_was_not_judged_is_not_taken(city: Database, judge: Judge) -> None:
    async with clamd(judge) as (_, address), scanned(city, address, 0.5) as (house, token):
        got = await sent(house, token, CLEAN)
        assert (got.status, got.code) == (503, "SCANNER_UNAVAILABLE")
        assert await counts(house) == (0, 0)


@pytest.mark.parametrize("address", ["127.0.0.1:1", "unix:/none/clamd.sock"])
async def test_a_scanner_that_is_not_there_is_said_at_once(city: Database, address: str) -> None:
    async with scanned(city, address) as (house, token):
        assert (await sent(house, token, CLEAN)).code == "SCANNER_UNAVAILABLE"
        assert await counts(house) == (0, 0)


async def test_a_scanner_that_judges_before_the_end_is_heard() -> None:
    """As clamd does for a file that it finds too large: it answers and closes while more is sent."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(14)
        writer.write(b"INSTREAM size limit exceeded. ERROR\0")
        await writer.drain()
        writer.close()

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(200):
            yield bytes(256 * 1024)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        with pytest.raises(ScannerUnavailable):
            await Scanner(f"127.0.0.1:{server.sockets[0].getsockname()[1]}", 5).finding(pieces())
    finally:
        server.close()
        await server.wait_closed()


async def test_check_says_whether_scanner_and_storage_answer(city: Database, tmp_path: Path) -> None:
    def settings(clamav: str, **documents: Any) -> Settings:
        given = {"data": {"folder": str(tmp_path)}, "database": {"url": city.dsn}}
        return msgspec.convert({**given, "documents": {"clamav": clamav, **documents}}, Settings)

    async def told(given: Settings) -> str:
        output = io.StringIO()
        with pytest.raises(SystemExit):  # there is no mail relay
            await checked(given, Console(file=output, width=200))
        return output.getvalue()

    async with clamd(rightly) as (_, address):
        text = await told(settings(address))
        assert (
            f"ok   virus scanner: {address} answers" in text
            and f"ok   documents: folder of {tmp_path} can be read" in text
        )
    away = {"storage": "s3", "bucket": "x", "endpoint": "http://127.0.0.1:1", "storage_timeout": 0.5}
    text = await told(settings("127.0.0.1:1", **away))
    assert (
        "FAIL virus scanner: 127.0.0.1:1 does not answer" in text and "FAIL documents: bucket x cannot be read" in text
    )


@pytest.mark.parametrize("address", ["", "clamd", "unix:clamd.sock", "127.0.0.1:", "127.0.0.1:0", ":3310", "a:99999"])
def test_an_address_that_is_none_stops_the_start(address: str) -> None:
    with pytest.raises(SettingsError, match=r"documents\.clamav"):
        read(None, {"KIOSQUE_DOCUMENTS__CLAMAV": address}, {})


def test_a_bucket_needs_a_name_and_an_encrypted_address() -> None:
    for given, named in (
        ({"KIOSQUE_DOCUMENTS__STORAGE": "s3"}, "documents.bucket"),
        ({"KIOSQUE_DOCUMENTS__ENDPOINT": "http://s3.example"}, "documents.endpoint"),
    ):
        with pytest.raises(SettingsError, match=named):
            read(None, given, {})
