"""The command `ledger verify`: the books added up again, another way than the database's constraints do."""

from rich.console import Console

from db import ledger_check
from db.pool import API_ROLE, connect, see_as
from db.settings import Settings
from gateway.jobs import database_of
from resolvers.viewer import SYSTEM_SIGHT


async def faults(dsn: str) -> dict[str, int]:
    """Give what is wrong in the ledger, and how often; nothing is."""
    connection = await connect(dsn, role=API_ROLE, application="kiosque-ledger")
    try:
        async with connection.transaction():
            await see_as(connection, SYSTEM_SIGHT)
            return {sentence: len(rows) for sentence, rows in (await ledger_check.violations(connection)).items()}
    finally:
        await connection.close()


async def verified(settings: Settings, console: Console) -> None:
    """Say whether the books add up; status 1 when they do not."""
    async with database_of(settings) as dsn:
        found = await faults(dsn)
    for sentence, count in found.items():
        console.print(f"[red]FAIL[/] {sentence}: {count}")
    if found:
        raise SystemExit(1)
    console.print(f"The ledger adds up: {len(ledger_check.LOOKS)} looks, nothing wrong.")
