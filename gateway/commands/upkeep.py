"""Commands for those who keep the portal running: database, checks, jobs."""

import sys
from pathlib import Path
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


def bounces(
    folder: Annotated[
        Path | None, typer.Argument(help="Maildir to look through; none: one message from the standard input.")
    ] = None,
    database: Database = None,
    data: DataFolder = None,
    config: Config = None,
) -> None:
    """Take e-mails that came back (mail.bounces); ends with 75 when the relay is to try again."""
    from db.configuration import with_master_key
    from gateway.bounces import MOST_BYTES, folder_taken, taken

    settings = with_master_key(settings_of(config, database__url=database, data__folder=data))
    if folder is not None:
        run(folder_taken(settings, folder, console))
    else:
        run(taken(settings, sys.stdin.buffer.read(MOST_BYTES), console))


def letters(
    folder: Annotated[
        Path, typer.Argument(help="Where the print service takes its files.", exists=True, file_okay=False)
    ],
    database: Database = None,
    data: DataFolder = None,
    config: Config = None,
) -> None:
    """Write what waits for the post as a print file with a cover sheet, and count it as handed over."""
    from gateway.letters import printed
    from gateway.logs import configure

    configure(pretty=sys.stderr.isatty())
    run(printed(settings_of(config, database__url=database, data__folder=data), folder, console))


def schema() -> None:
    """Print the schema in SDL."""
    from schema import build

    sys.stdout.write(build().sdl)


def snapshot() -> None:
    """Write db/schema.sql anew from the migrations (for those who change them)."""
    from gateway.jobs import snapshot_written

    run(snapshot_written())
