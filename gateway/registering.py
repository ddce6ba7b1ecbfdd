"""The commands on registered documents: extract, register, list, retire."""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

import schema
from db import audit, documents, migrate
from db.clock import utc_now
from db.pool import API_ROLE, connect
from db.settings import Settings
from gateway.documents import Documents
from gateway.errors import RequestRefused
from gateway.extraction import Extraction
from gateway.jobs import database_of
from gateway.limits import Limits
from gateway.manifests import Entry, ManifestRefused, read, written

CLIENT = re.compile("[a-z][a-z0-9_.-]{0,49}")


def extract(settings: Settings, folders: Sequence[Path], out: Path, typenames: bool, console: Console) -> None:
    """Write the list of a client's documents; faults are told by file and line and end with status 1."""
    extraction = Extraction(schema.build().graphql, Limits.of(settings.limits), typenames)
    extraction.read(folders)
    for fault in extraction.faults:
        console.print(f"[red]{escape(fault.file)}:{fault.line}[/] {escape(fault.message)}")
    if extraction.faults:
        raise SystemExit(1)
    out.write_bytes(written(extraction.entries))
    console.print(f"Wrote {len(extraction.entries)} documents to {out}.")


async def register(settings: Settings, manifest: Path, client: str, console: Console) -> None:
    """Register all documents of a list for a client, or none when one of them is faulty."""
    if not CLIENT.fullmatch(client):
        console.print("A client is named in lower case, such as web or mobile.", style="red")
        raise SystemExit(1)
    entries = _read(manifest, console)
    known = Documents(schema.build().graphql, Limits.of(settings.limits), suggestions=True, introspection=False)
    names = [_names(known, entry, console) for entry in entries]
    if None in names:
        raise SystemExit(1)
    counts = {"new": 0, "brought back": 0, "known": 0}
    async with _transaction(settings) as tx:
        for entry, operations in zip(entries, names, strict=True):
            became = await documents.register(tx, entry.hash, client, entry.text, operations or (), utc_now())
            counts[became] += 1
        await _record(tx, "documents_registered", client, len(entries) - counts["known"])
    told = ", ".join(f"{count} {word}" for word, count in counts.items())
    console.print(f"{len(entries)} documents of {client}: {told}.")


async def show(settings: Settings, client: str | None, console: Console) -> None:
    """List what is registered: hash, client, state and operations."""
    async with _transaction(settings) as tx:
        for each in await documents.of_client(tx, client):
            state = f"retired {each.retired_at:%Y-%m-%d}" if each.retired_at else f"since {each.created_at:%Y-%m-%d}"
            console.print(f"{each.hash}  {each.client:12}  {state:18}  {', '.join(each.operations)}")


async def retire(
    settings: Settings, digest: str | None, client: str | None, keep: Path | None, console: Console
) -> None:
    """Let one document count no longer, or those of a client that a list does not hold."""
    kept = {entry.hash for entry in _read(keep, console)} if keep is not None else set()
    async with _transaction(settings) as tx:
        if digest is not None:
            digests = [digest]
        else:
            digests = [each.hash for each in await documents.of_client(tx, client) if each.hash not in kept]
        count = await documents.retire(tx, client, digests, utc_now())
        await _record(tx, "documents_retired", client, count)
    console.print(f"{count} documents retired.")
    if digest is not None and not count:
        raise SystemExit(1)


def _read(manifest: Path, console: Console) -> list[Entry]:
    try:
        return read(manifest)
    except ManifestRefused as refused:
        console.print(escape(str(refused)), style="red")
        raise SystemExit(1) from None


def _names(known: Documents, entry: Entry, console: Console) -> list[str] | None:
    """Give the names of a document's operations; tells what is faulty and gives None."""
    try:
        return [name or "" for name in known.prepare(entry.text).operations]
    except RequestRefused as refused:
        for error in refused.errors:
            place = f" (line {error['locations'][0]['line']})" if error.get("locations") else ""
            console.print(f"[red]{escape(entry.name or entry.hash)}{place}[/] {escape(error['message'])}")
        return None


@asynccontextmanager
async def _transaction(settings: Settings) -> AsyncIterator[Any]:
    """Open a transaction with the rights of the portal's API."""
    async with database_of(settings) as dsn:
        await migrate.migrate(dsn)
        connection = await connect(dsn, role=API_ROLE, application="kiosque-documents")
        try:
            async with connection.transaction():
                yield connection
        finally:
            await connection.close()


async def _record(tx: Any, act: str, client: str | None, count: int) -> None:
    """Write what was done into the audit log, if anything was."""
    if count:
        data = {"client": client, "documents": count}
        await audit.record(tx, audit.Act(act, "SYSTEM", utc_now(), data=data))
