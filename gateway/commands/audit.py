"""The commands `audit`."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.commands.common import Config, Database, DataFolder, console, run, settings_of


def verify(
    file: Annotated[
        Path | None, typer.Option(help="An exported log, instead of the database.", exists=True, dir_okay=False)
    ] = None,
    head: Annotated[str | None, typer.Option(help="A hash printed before, which must still be in the chain.")] = None,
    database: Database = None,
    data: DataFolder = None,
    config: Config = None,
) -> None:
    """Prove that nobody changed the audit log; names the first broken link."""
    from gateway.audit import verified

    settings = settings_of(config, database__url=database, data__folder=data)
    run(verified(settings, file, head, console))


def export(
    file: Annotated[Path, typer.Argument(help="File to write: one entry a line, in JSON.")],
    database: Database = None,
    data: DataFolder = None,
    config: Config = None,
) -> None:
    """Write the audit log to a file, to keep it elsewhere and to verify it there."""
    from gateway.audit import exported

    settings = settings_of(config, database__url=database, data__folder=data)
    run(exported(settings, file, console))
