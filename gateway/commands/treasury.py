"""Commands about money that leaves or enters by files."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from gateway.commands.common import Config, Database, DataFolder, console, run, settings_of


def debit(
    due: Annotated[
        datetime, typer.Option(help="Day on which the bank collects, e.g. 2026-11-10.", formats=["%Y-%m-%d"])
    ],
    out: Annotated[Path | None, typer.Option(help="Folder of the file; `bank` in the data folder unless set.")] = None,
    database: Database = None,
    data: DataFolder = None,
    config: Config = None,
) -> None:
    """Write the pain.008 file of the direct debits of a day; once more writes the same file."""
    from gateway.debits import debits_filed

    settings = settings_of(config, database__url=database, data__folder=data)
    run(debits_filed(settings, due.date(), out, console))


def docket(
    number: Annotated[
        str | None, typer.Option(metavar="YEAR-NUMBER", help="One that was made before, e.g. 2026-3.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the files; `bank` in the data folder unless set.")] = None,
    database: Database = None,
    data: DataFolder = None,
    config: Config = None,
) -> None:
    """Hand overdue invoices over to the public accountant, each once: a list (CSV) and a PES v2 file."""
    from gateway.debits import docket_filed

    settings = settings_of(config, database__url=database, data__folder=data)
    run(docket_filed(settings, number, out, console))
