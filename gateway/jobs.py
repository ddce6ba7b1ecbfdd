"""Commands that do one job and end."""

from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from db import migrate
from db.clock import utc_now
from db.cluster import binaries
from db.configuration import with_master_key
from db.embedded import EmbeddedServer, FolderInUse, scratch
from db.keys import Keys
from db.pool import API_ROLE, connect
from db.settings import Settings
from db.snapshot import SNAPSHOT, snapshot


@asynccontextmanager
async def database_of(settings: Settings) -> AsyncIterator[str]:
    """Give the address of the database: the outside one, the embedded one that runs, or the embedded one started for
    this.
    """
    if settings.database.url is not None:
        yield settings.database.url
        return
    server = EmbeddedServer(Path(settings.data.folder))
    try:
        await server.start()
    except FolderInUse:
        yield server.dsn
        return
    try:
        yield server.dsn
    finally:
        await server.stop()


async def migrated(settings: Settings, tell: Callable[[list[str]], None]) -> None:
    """Bring the database up to date."""
    async with database_of(settings) as dsn:
        tell(await migrate.migrate(dsn))


async def families_imported(settings: Settings, file: Path, console: Console) -> None:
    """Load a register of families; ends with status 1 when a line was faulty."""
    from resolvers.imports import message_of
    from resolvers.imports_csv import ImportRefused
    from resolvers.imports_families import import_families

    settings = with_master_key(settings)
    assert settings.secrets.master_key is not None, "read or made before"
    keys = Keys.from_text(settings.secrets.master_key)
    async with database_of(settings) as dsn:
        await migrate.migrate(dsn)
        with _bar(console) as bar:
            task = bar.add_task(file.name, lines=0)

            def progress(bytes_read: int, bytes_total: int, lines: int) -> None:
                bar.update(task, completed=bytes_read, total=bytes_total, lines=lines)

            try:
                result = await import_families(
                    lambda: connect(dsn, role=API_ROLE, application="kiosque-import"),
                    keys,
                    utc_now,
                    file,
                    progress=progress,
                )
            except ImportRefused as refused:
                for fault in refused.faults:
                    console.print(f"[red]{fault.line}:{fault.column}[/] {message_of(fault.code, 'fr')}")
                raise SystemExit(1) from None
    families, members = result.families, result.members
    console.print(
        f"{result.lines} lines: {families.added} families added, {families.changed} changed, "
        f"{families.unchanged} unchanged; "
        f"{members.added} members added, {members.changed} changed; {result.codes_issued} activation codes."
    )
    if not result.complete:
        console.print(
            f"[red]{result.faults} faults[/]: their batches were left out. "
            f"See {result.report}, mend the file, run again."
        )
        raise SystemExit(1)


def _bar(console: Console) -> Progress:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[lines]} lines"),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=console)


async def due_jobs_done(settings: Settings, kinds: Collection[str], tell: Callable[[str], None]) -> None:
    """Do the jobs that are due now, one after the other, and say what came of them."""
    from gateway import portal
    from resolvers.job_runner import Runner
    from resolvers.jobs import REGISTRY

    unknown = sorted(set(kinds) - set(REGISTRY))
    if unknown:
        tell(f"There is no job {', '.join(unknown)}; there are {', '.join(sorted(REGISTRY))}.")
        raise SystemExit(1)
    settings = with_master_key(settings)
    async with database_of(settings) as dsn:
        await migrate.migrate(dsn)
        async with portal.opened(settings, dsn) as opened:
            outcomes = await Runner(opened.process, REGISTRY).run_due(kinds)
    for (kind, outcome), count in sorted(outcomes.items()):
        tell(f"{kind}: {count} {outcome}")
    if not outcomes:
        tell("Nothing was due.")


async def snapshot_written() -> None:
    """Write `db/schema.sql` anew from the migrations, in a database made for it."""
    with scratch() as folder:
        server = EmbeddedServer(folder, durable=False)
        dsn = await server.start()
        try:
            await migrate.migrate(dsn)
            SNAPSHOT.write_text(snapshot(binaries(server.cluster) / "pg_dump", dsn), encoding="utf-8")
        finally:
            await server.stop()
