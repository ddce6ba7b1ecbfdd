"""The commands `keys list` and `keys rotate`: the keys that sign access tokens."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from rich.console import Console

from db import migrate
from db.clock import utc_now
from db.configuration import with_master_key
from db.keys import Keys
from db.pool import API_ROLE, connect
from db.settings import Settings
from gateway.jobs import database_of
from resolvers import signing_keys


async def listed(settings: Settings, console: Console) -> None:
    """Print the keys that count, newest first."""
    async with _opened(settings) as (tx, keys):
        found = await signing_keys.load(tx, keys, utc_now())
    for key in found:
        state = f"verifies until {key.retires_at:%Y-%m-%d %H:%M:%S} UTC" if key.retires_at else "signs"
        console.print(f"{key.kid}  made {key.created_at:%Y-%m-%d %H:%M:%S} UTC  {state}")
    if not found:
        console.print("No key yet: the first start of the portal makes one.")


async def rotated(settings: Settings, console: Console, *, compromised: bool) -> None:
    """Let a new key sign; running nodes hear of it at once."""
    async with _opened(settings) as (tx, keys):
        kid = await signing_keys.rotate(tx, keys, settings.tokens, utc_now(), compromised=compromised)
    console.print(f"Key {kid} signs from now on.")
    if compromised:
        console.print("Tokens signed before are refused from now on: clients refresh theirs.")
    else:
        console.print("The key before it verifies until its last token has ended.")


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[tuple[Any, Keys]]:
    """Give a transaction on the portal's database, and its keys."""
    settings = with_master_key(settings)
    assert settings.secrets.master_key is not None, "read or made before"
    async with database_of(settings) as dsn:
        await migrate.migrate(dsn)
        connection = await connect(dsn, role=API_ROLE, application="kiosque-keys")
        try:
            async with connection.transaction():
                await connection.execute("select set_config('kiosque.system', 'on', true)")
                yield connection, Keys.from_text(settings.secrets.master_key)
        finally:
            await connection.close()
