"""The commands `documents`."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.commands.common import Config, Database, DataFolder, console, run, settings_of, stop

Client = Annotated[str | None, typer.Option(metavar="NAME", help="web, mobile, or the name of a partner.")]
Manifest = Annotated[Path, typer.Argument(help="List of documents, Apollo's or Relay's.", exists=True, dir_okay=False)]


def extract(
    folders: Annotated[list[Path], typer.Argument(help="Source folders of a client.", exists=True)],
    out: Annotated[Path, typer.Option(help="List to write.", dir_okay=False)] = Path("manifest.json"),
    typename: Annotated[bool, typer.Option(help="Add __typename as caches of clients do.")] = False,
    config: Config = None,
) -> None:
    """Find the operations in the sources of a client and check them against the schema."""
    from gateway.registering import extract as extracted

    extracted(settings_of(config), folders, out, typename, console)


def register(
    manifest: Manifest,
    client: Annotated[str, typer.Option(metavar="NAME", help="web, mobile, or the name of a partner.")],
    database: Database = None,
    data: DataFolder = None,
    config: Config = None,
) -> None:
    """Let the documents of a list be called; again changes nothing."""
    from gateway.registering import register

    run(register(settings_of(config, database__url=database, data__folder=data), manifest, client, console))


def show(client: Client = None, database: Database = None, data: DataFolder = None, config: Config = None) -> None:
    """List what is registered."""
    from gateway.registering import show

    run(show(settings_of(config, database__url=database, data__folder=data), client, console))


def retire(
    digest: Annotated[str | None, typer.Argument(metavar="HASH", help="One document.")] = None,
    client: Client = None,
    not_in: Annotated[
        Path | None, typer.Option(help="Retire what this list of the client does not hold.", exists=True)
    ] = None,
    database: Database = None,
    data: DataFolder = None,
    config: Config = None,
) -> None:
    """Let documents be called no longer: one by its hash, or those of a client that its list no longer holds."""
    from gateway.registering import retire

    if (digest is None) == (client is None or not_in is None):
        stop("Name a hash, or a client with --not-in.")
    settings = settings_of(config, database__url=database, data__folder=data)
    run(retire(settings, digest, client, not_in, console))
