"""Commands that load registers: families, consumptions, tariffs; each shows how far it is and names faults."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from asyncpg import Connection
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from db import migrate
from db.clock import utc_now
from db.configuration import with_master_key
from db.keys import Keys
from db.pool import API_ROLE, connect
from db.settings import Settings
from gateway.jobs import database_of
from resolvers import imports

Connect = Callable[[], Awaitable[Connection]]


@asynccontextmanager
async def _loading(settings: Settings, file: Path, console: Console) -> AsyncIterator[tuple[Connect, imports.Progress]]:
    """Open the database and a progress bar; a file of which nothing can be read ends with status 1."""
    from resolvers.imports_csv import ImportRefused

    async with database_of(settings) as dsn:
        await migrate.migrate(dsn)
        with bar(console) as shown:
            task = shown.add_task(file.name, lines=0)

            def progress(bytes_read: int, bytes_total: int, lines: int) -> None:
                shown.update(task, completed=bytes_read, total=bytes_total, lines=lines)

            try:
                yield lambda: connect(dsn, role=API_ROLE, application="kiosque-import"), progress
            except ImportRefused as refused:
                for fault in refused.faults:
                    console.print(f"[red]{fault.line}:{fault.column}[/] {imports.message_of(fault.code, 'fr')}")
                raise SystemExit(1) from None


def bar(console: Console) -> Progress:
    """Make the progress bar of an import."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[lines]} lines"),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=console)


def _ended(faults: int, report: Path, console: Console, left_out: str = "their batches were") -> None:
    """End with status 1 when a line was faulty."""
    if faults:
        console.print(f"[red]{faults} faults[/]: {left_out} left out. See {report}, mend the file, run again.")
        raise SystemExit(1)


async def families_imported(settings: Settings, file: Path, console: Console) -> None:
    """Load a register of families; ends with status 1 when a line was faulty."""
    from resolvers.imports_families import import_families

    settings = with_master_key(settings)
    assert settings.secrets.master_key is not None, "read or made before"
    keys = Keys.from_text(settings.secrets.master_key)
    async with _loading(settings, file, console) as (opened, progress):
        result = await import_families(opened, keys, utc_now, file, progress=progress)
    families, members = result.families, result.members
    console.print(
        f"{result.lines} lines: {families.added} families added, {families.changed} changed, "
        f"{families.unchanged} unchanged; "
        f"{members.added} members added, {members.changed} changed; {result.codes_issued} activation codes."
    )
    _ended(result.faults, result.report, console)


async def consumptions_imported(settings: Settings, file: Path, console: Console) -> None:
    """Load consumptions; ends with status 1 when a line was faulty."""
    from resolvers.imports_consumptions import import_consumptions

    async with _loading(settings, file, console) as (opened, progress):
        result = await import_consumptions(opened, utc_now, file, progress=progress)
    done = result.consumptions
    console.print(
        f"{result.lines} lines: {done.added} consumptions added, {done.changed} changed, {done.unchanged} unchanged, "
        f"{done.kept} left as agents corrected them."
    )
    _ended(result.faults, result.report, console)


async def tariffs_imported(settings: Settings, file: Path, console: Console) -> None:
    """Load tariffs; ends with status 1 when a line was faulty."""
    from resolvers.imports_tariffs import import_tariffs

    async with _loading(settings, file, console) as (opened, progress):
        result = await import_tariffs(opened, utc_now, file, progress=progress)
    console.print(f"{result.lines} lines: {result.tariffs} tariffs with {result.prices} prices.")
    _ended(result.faults, result.report, console, "the whole file was")
