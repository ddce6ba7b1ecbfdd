"""The command `bounces`: what came back to the bounce mailbox, from the relay's pipe or out of a Maildir."""

import mailbox
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from rich.console import Console

from db.clock import utc_now
from db.configuration import SettingsError
from db.embedded import EmbeddedServerError
from db.keys import Keys
from db.pool import UNREACHABLE, Database, DatabaseUnavailable
from db.settings import Database as Limits
from db.settings import Settings
from gateway.jobs import database_of
from resolvers import bounces
from resolvers.viewer import SYSTEM_SIGHT

MOST_BYTES = 1 << 20
"""Of one message; what a bounce says comes first, what it sends back comes last."""


TRY_AGAIN = 75
"""Status by which a pipe tells its relay to come again (EX_TEMPFAIL)."""


async def taken(settings: Settings, raw: bytes, console: Console) -> None:
    """Take one message as it came. Raises SettingsError; ends with status 75 while the database is away."""
    async with _database(settings) as database:
        ours = await _taken(settings, database, raw)
    console.print("1 bounce taken." if ours else "No bounce of ours.")


async def folder_taken(settings: Settings, folder: Path, console: Console) -> None:
    """Take what is new in a Maildir: bounces are removed once they are kept, the rest stays for people to read.

    Raises SettingsError; ends with status 75 while the database is away: what was not reached stays as it was.
    """
    box = mailbox.Maildir(folder, create=False)
    found, others = 0, 0
    async with _database(settings) as database:
        for key in [key for key in box.iterkeys() if box.get_message(key).get_subdir() == "new"]:
            with box.get_file(key) as file:
                ours = await _taken(settings, database, file.read(MOST_BYTES))
            if ours:
                box.remove(key)
                found += 1
            else:
                message = box.get_message(key)
                message.set_subdir("cur")
                box[key] = message
                others += 1
    console.print(f"{found} bounces taken, {others} other messages left.")


async def _taken(settings: Settings, database: Database, raw: bytes) -> bool:
    assert settings.secrets.master_key is not None, "the command has read or made it"
    bounce = bounces.read(raw, settings.mail.bounces, Keys.from_text(settings.secrets.master_key))
    if bounce is None:
        return False
    async with database.transaction(SYSTEM_SIGHT) as tx:
        await bounces.take(tx, bounce, utc_now())
    return True


@asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[Database]:
    if not settings.mail.bounces:
        raise SettingsError("mail.bounces is missing: no message was sent with an address to come back to.")
    try:
        async with database_of(settings) as dsn:
            database = await _opened(dsn, settings.database)
            try:
                yield database
            finally:
                await database.close()
    except (DatabaseUnavailable, EmbeddedServerError) as error:
        raise SystemExit(TRY_AGAIN) from error


async def _opened(dsn: str, limits: Limits) -> Database:
    try:
        return await Database.open(
            dsn, size=1, command_seconds=limits.command_timeout, statement_seconds=limits.statement_timeout
        )
    except UNREACHABLE as error:
        raise DatabaseUnavailable(type(error).__name__) from error
