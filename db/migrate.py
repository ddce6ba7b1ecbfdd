"""The migration runner: numbered files, forward only, each applied once; see docs/decisions/0002-migration-runner.md.

A file runs in one transaction. One whose first line is `-- no transaction` holds a single statement that may be run
again (`create index concurrently if not exists …`), because a crash can fall between it and the note that it is done.
"""

import asyncio
import contextlib
import hashlib
from pathlib import Path

import asyncpg

MIGRATIONS = Path(__file__).parent / "migrations"
OLDEST = 14
LOCK = 5_724_170_091
"""Number of the advisory lock; any, but the same for all programs."""

TABLE = """create table if not exists migration (
    name text primary key, hash text not null, applied_at timestamptz not null default now());
    grant select on migration to public"""


class MigrationError(Exception):
    """The database does not fit this program; the text says why."""


async def migrate(dsn: str, folder: Path = MIGRATIONS) -> list[str]:
    """Bring the database up to date, one program at a time, and give the names of what was applied.

    Raises MigrationError, and asyncpg's errors for a statement that fails: that file then leaves no trace.
    """
    connection = await asyncpg.connect(dsn, timeout=10, server_settings={"lock_timeout": "2s"})
    try:
        # Asked again and again: a session that waits for a lock would stall its holder's `create index concurrently`.
        while not await connection.fetchval("select pg_try_advisory_lock($1)", LOCK):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        names = await pending(connection, folder)
        await connection.execute(TABLE)
        for name in names:
            await _apply(connection, name, _files(folder)[name])
        return names
    finally:
        await connection.close()


async def pending(connection: asyncpg.Connection, folder: Path = MIGRATIONS) -> list[str]:
    """Give the names of the files that the database lacks, in order.

    Raises MigrationError: server too old, database newer than this program, changed file, new file numbered low.
    """
    major, files = connection.get_server_version().major, _files(folder)
    _require(major >= OLDEST, f"PostgreSQL {OLDEST} or newer is needed; this is {major}.")
    known = await connection.fetchval("select to_regclass('migration') is not null")
    rows = await connection.fetch("select name, hash from migration") if known else []
    applied: dict[str, str] = {row["name"]: row["hash"] for row in rows}
    for name in sorted(applied):
        _require(name in files, f"The database is newer than this program, which does not know {name}.")
        _require(applied[name] == _hash(files[name]), f"{name} was changed after it was applied; write a new file.")
    names = sorted(files.keys() - applied.keys())
    for name in names:
        _require(name > max(applied, default=""), f"{name} comes before what is applied; give it a higher number.")
    return names


async def _apply(connection: asyncpg.Connection, name: str, content: bytes) -> None:
    alone = content.startswith(b"-- no transaction")
    async with contextlib.nullcontext() if alone else connection.transaction():
        await connection.execute(content.decode())
        await connection.execute("insert into migration (name, hash) values ($1, $2)", name, _hash(content))


def _files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("[0-9]*.sql")}


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _require(met: bool, sentence: str) -> None:
    if not met:
        raise MigrationError(sentence)
