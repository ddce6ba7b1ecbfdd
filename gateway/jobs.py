"""Commands that do one job and end."""

from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from pathlib import Path

from db import migrate
from db.cluster import binaries
from db.configuration import with_master_key
from db.embedded import EmbeddedServer, FolderInUse, scratch
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
