"""Commands for those who keep the portal running: database, checks, jobs."""

import sys
from typing import Annotated

import typer

from gateway.commands.common import Config, Database, DataFolder, console, run, settings_of


def migrate(database: Database = None, data: DataFolder = None, config: Config = None) -> None:
    """Bring the database up to date."""
    from gateway.jobs import migrated

    settings = settings_of(config, database__url=database, data__folder=data)
    run(
        migrated(
            settings, lambda names: console.print("\n".join(names) or "Nothing to do: the database is up to date.")
        )
    )


def check(database: Database = None, data: DataFolder = None, config: Config = None) -> None:
    """Check settings, keys, database, mail relay and sign-in provider: one line each."""
    from gateway.checks import checked

    settings = settings_of(config, database__url=database, data__folder=data)
    run(checked(settings, console))


def run_jobs(
    kind: Annotated[list[str] | None, typer.Option(help="Only this kind; may be repeated.")] = None,
    database: Database = None,
    data: DataFolder = None,
    config: Config = None,
) -> None:
    """Do the jobs that are due now and end: for installations whose clock is cron (`jobs.enabled = false`)."""
    from gateway.jobs import due_jobs_done
    from gateway.logs import configure

    settings = settings_of(config, database__url=database, data__folder=data)
    configure(pretty=sys.stderr.isatty())
    run(due_jobs_done(settings, kind or (), console.print))


def schema() -> None:
    """Print the schema in SDL."""
    from schema import build

    sys.stdout.write(build().sdl)


def snapshot() -> None:
    """Write db/schema.sql anew from the migrations (for those who change them)."""
    from gateway.jobs import snapshot_written

    run(snapshot_written())
