"""Commands about registers: families, consumptions, tariffs."""

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.commands.common import Config, Database, DataFolder, console, run, settings_of

if TYPE_CHECKING:
    from rich.console import Console

    from db.settings import Settings


def _file(guide: str) -> Any:
    """Declare the argument for a file that a guide explains."""
    return typer.Argument(help=f"CSV file; see {guide}.", exists=True, dir_okay=False)


def _load(
    imported: Callable[["Settings", Path, "Console"], Coroutine[Any, Any, None]],
    file: Path,
    database: str | None,
    data: Path | None,
    config: Path | None,
) -> None:
    run(imported(settings_of(config, database__url=database, data__folder=data), file, console))


def import_families(
    file: Annotated[Path, _file("docs/import.md")],
    database: Database = None,
    data: DataFolder = None,
    config: Config = None,
) -> None:
    """Load a register of families; faults are named by line and column in a report beside the file."""
    from gateway.registers import families_imported

    _load(families_imported, file, database, data, config)


def import_consumptions(
    file: Annotated[Path, _file("docs/billing.md")],
    database: Database = None,
    data: DataFolder = None,
    config: Config = None,
) -> None:
    """Load what members used on which day; faults are named by line and column in a report beside the file."""
    from gateway.registers import consumptions_imported

    _load(consumptions_imported, file, database, data, config)


def import_tariffs(
    file: Annotated[Path, _file("docs/billing.md")],
    database: Database = None,
    data: DataFolder = None,
    config: Config = None,
) -> None:
    """Load tariffs and their prices, all or nothing; faults are named by line and column in a report."""
    from gateway.registers import tariffs_imported

    _load(tariffs_imported, file, database, data, config)


def write_register(
    file: Annotated[Path, typer.Argument(help="CSV file to write.")],
    families: Annotated[int, typer.Option(help="How many families.", min=1)] = 25,
) -> None:
    """Write a register of made-up families with activation codes, to try `import families`."""
    from db.clock import utc_now
    from gateway.demo.city import write_register

    write_register(file, utc_now, families=families)
    console.print(f"Wrote {families} families to {file}.")
