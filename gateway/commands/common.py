"""What commands share: their options, the settings, and how they run and stop."""

import asyncio
import os
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.console import Console

if TYPE_CHECKING:
    from db.settings import Settings

console = Console(highlight=False, soft_wrap=True)
"""Long lines stay whole: a terminal breaks them itself, and whoever reads a pipe wants what was said."""

Config = Annotated[Path | None, typer.Option(help="Settings file (TOML).", exists=True, dir_okay=False)]
Database = Annotated[str | None, typer.Option(metavar="URL", help="PostgreSQL to use; none: the embedded one.")]
DataFolder = Annotated[
    Path | None, typer.Option(help="Folder of the embedded database and of documents; ./data unless set.")
]


def stop(sentence: object) -> NoReturn:
    """End with a sentence instead of a traceback."""
    Console(stderr=True, highlight=False, soft_wrap=True).print(f"[bold red]Cannot go on.[/] {sentence}")
    raise SystemExit(1)


def settings_of(config: Path | None, **given: object) -> "Settings":
    from db.configuration import SettingsError, read

    try:
        return read(config, os.environ, {name.replace("__", "."): value for name, value in given.items()})
    except SettingsError as error:
        stop(error)


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run on uvloop where there is a wheel for it; expected troubles end with a sentence."""
    from asyncpg import PostgresError

    from db.configuration import SettingsError
    from db.embedded import EmbeddedServerError
    from db.migrate import MigrationError
    from db.pool import DatabaseUnavailable
    from gateway.serve import CannotServe
    from resolvers.signing_keys import OtherMasterKey

    try:
        import uvloop
    except ImportError:
        run = asyncio.run
    else:
        run = uvloop.run
    try:
        run(work)
    except (
        CannotServe,
        EmbeddedServerError,
        MigrationError,
        OtherMasterKey,
        SettingsError,
        PostgresError,
        OSError,
    ) as error:
        stop(error)
    except DatabaseUnavailable as error:
        stop(f"The database is away, or did not answer in time ({error}).")
    except KeyboardInterrupt:
        raise SystemExit(130) from None
