"""The commands `debit` and `docket`: files for the bank and for the public accountant, written to a folder."""

import os
import re
from datetime import date
from pathlib import Path

from rich.console import Console

from db import migrate
from db.configuration import with_master_key
from db.settings import Settings
from gateway.jobs import database_of
from resolvers import collection
from resolvers.collection import NothingOverdue
from resolvers.context import Process
from resolvers.debits import Filed, NothingToCollect, NotThatDay, collect


async def debits_filed(settings: Settings, due_on: date, folder: Path | None, console: Console) -> None:
    """Write the file for the bank that collects on a day; ends with status 1 when there is none.

    The folder is `bank` in the data folder unless given.
    """
    from gateway import portal

    settings = with_master_key(settings)
    async with database_of(settings) as dsn:
        await migrate.migrate(dsn)
        async with portal.opened(settings, dsn) as opened:
            try:
                filed = await collect(opened.process, due_on)
            except NotThatDay as error:
                console.print(f"[red]No file for {due_on}:[/] {error}.")
                raise SystemExit(1) from None
            except NothingToCollect:
                console.print(f"Nothing is to be collected on {due_on}.")
                return
    path = written(folder or Path(settings.data.folder) / "bank", filed.name, filed.content)
    _say(console, filed, path)


def _say(console: Console, filed: Filed, path: Path) -> None:
    euros = f"{filed.cents // 100}.{filed.cents % 100:02d}"
    console.print(f"{filed.debits} debits, {euros} EUR: {path}")
    console.print(f"SHA-256 {filed.file_hash.hex()}")
    for why, count in sorted(filed.dropped.items()):
        console.print(f"Not sent: {count} {why}")


def written(folder: Path, name: str, content: bytes) -> Path:
    """Write a file whole or not at all, for its owner's eyes only; give its path."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path, beside = folder / name, folder / f".{name}.{os.getpid()}"
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    return path


async def docket_filed(settings: Settings, number: str | None, folder: Path | None, console: Console) -> None:
    """Hand over what is overdue, or write a docket again that was made before (`2026-3`).

    Ends with status 1 when there is no such docket.
    """
    from gateway import portal

    settings = with_master_key(settings)
    async with database_of(settings) as dsn:
        await migrate.migrate(dsn)
        async with portal.opened(settings, dsn) as opened:
            try:
                filed = await (_again(opened.process, number) if number else collection.hand_over(opened.process))
            except NothingOverdue as nothing:
                console.print("Nothing is to be handed over.")
                _say_unknown(console, nothing.args[0])
                return
    if filed is None:
        console.print(f"[red]There is no docket {number}.[/]")
        raise SystemExit(1)
    into = folder or Path(settings.data.folder) / "bank"
    paths = [
        written(into, f"{filed.name}.{ending}", content)
        for ending, content in (("csv", filed.files.csv), ("xml", filed.files.xml))
    ]
    console.print(
        f"{filed.invoices} invoices, {filed.cents // 100}.{filed.cents % 100:02d} EUR: {paths[0]}, {paths[1]}"
    )
    _say_unknown(console, filed.without_address)


async def _again(process: Process, number: str) -> collection.Filed | None:
    found = re.fullmatch(r"(\d{4})-(\d{1,7})", number)
    return await collection.again(process, int(found[1]), int(found[2])) if found else None


def _say_unknown(console: Console, families: int) -> None:
    if families:
        console.print(f"Left out: {families} families whose postal address is not known.")
