"""The commands on the audit log: export it, prove that nobody changed it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import msgspec
from rich.console import Console

from db.audit_chain import Chain, Entry, entries
from db.settings import Settings
from gateway.jobs import database_of

WAIT_SECONDS = 10


@asynccontextmanager
async def _owner(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    """Connect as the owner of the tables, who sees every entry: as many statements as it takes, so without time-out."""
    async with database_of(settings) as dsn:
        connection = await asyncpg.connect(dsn, timeout=WAIT_SECONDS)
        try:
            yield connection
        finally:
            await connection.close()


async def exported(settings: Settings, file: Path, console: Console) -> None:
    """Write the whole log to a file, one entry a line (JSON), for keeping elsewhere."""
    count = 0
    encode = msgspec.json.Encoder().encode
    async with _owner(settings) as connection:
        with file.open("wb") as stream:
            async for entry in entries(connection):
                stream.write(encode(entry) + b"\n")
                count += 1
    console.print(f"Wrote {count} entries to {file}.")


async def verified(settings: Settings, file: Path | None, head: str | None, console: Console) -> None:
    """Prove the log, in the database or in an exported file; ends with status 1 and names the first broken link.

    `head` is a hash that an earlier run printed: it must still be in the chain, so that entries cut off at the end are
    missed too.
    """
    chain, seen = Chain(), head is None
    if file is not None:
        decode = msgspec.json.Decoder(Entry).decode
        try:
            with file.open("rb") as stream:
                for line in stream:
                    chain.take(decode(line))
                    seen = seen or chain.head == head
        except msgspec.DecodeError as error:
            _fail(console, f"Line {chain.length + 1} is no entry: {error}.")
    else:
        async with _owner(settings) as connection:
            async for entry in entries(connection):
                chain.take(entry)
                seen = seen or chain.head == head
    if chain.broken is not None:
        _fail(console, f"The chain breaks at entry {chain.broken.number}: {chain.broken.why}.")
    if not seen:
        _fail(console, f"The chain holds, but its {chain.length} entries do not lead through the head given.")
    console.print(f"[green]The audit log is whole[/]: {chain.length} entries, head {chain.head}")


def _fail(console: Console, sentence: str) -> None:
    console.print(f"[red]{sentence}[/]")
    raise SystemExit(1)
