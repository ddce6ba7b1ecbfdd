"""The commands `keys`."""

from typing import Annotated

import typer

from gateway.commands.common import Config, Database, DataFolder, console, run, settings_of


def show(database: Database = None, data: DataFolder = None, config: Config = None) -> None:
    """Show the keys that count."""
    from gateway.keys import listed

    run(listed(settings_of(config, database__url=database, data__folder=data), console))


def rotate(
    compromised: Annotated[
        bool, typer.Option("--compromised", help="Refuse at once every token that was signed before.")
    ] = False,
    database: Database = None,
    data: DataFolder = None,
    config: Config = None,
) -> None:
    """Make a new key; running nodes sign with it at once, the one before verifies until its tokens have ended."""
    from gateway.keys import rotated

    run(rotated(settings_of(config, database__url=database, data__folder=data), console, compromised=compromised))
