"""Commands about registers of families."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.commands.common import Config, Database, DataFolder, console, run, settings_of


def import_families(
    file: Annotated[Path, typer.Argument(help="CSV file; see docs/import.md.", exists=True, dir_okay=False)],
    database: Database = None,
    data: DataFolder = None,
    config: Config = None,
) -> None:
    """Load a register of families; faults are named by line and column in a report beside the file."""
    from gateway.jobs import families_imported

    settings = settings_of(config, database__url=database, data__folder=data)
    run(families_imported(settings, file, console))


def write_register(
    file: Annotated[Path, typer.Argument(help="CSV file to write.")],
    families: Annotated[int, typer.Option(help="How many families.", min=1)] = 25,
) -> None:
    """Write a register of made-up families with activation codes, to try `import families`."""
    from db.clock import utc_now
    from gateway.demo.city import write_register

    write_register(file, utc_now, families=families)
    console.print(f"Wrote {families} families to {file}.")
