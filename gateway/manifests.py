"""Lists of documents, as the tools of clients write them.

Apollo's `apollo-persisted-query-manifest` is read and written; Relay's `{hash: text}` is read.
"""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

FORMAT = "apollo-persisted-query-manifest"
VERSION = 1


class ManifestRefused(Exception):
    """A list that cannot be used; the text says why."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One document of a list."""

    hash: str
    """SHA-256 of the exact text, in hexadecimal."""
    name: str
    kind: str
    """`query`, `mutation` or `subscription`."""
    text: str


class Operation(msgspec.Struct, frozen=True):
    """A document in Apollo's list; other members are ignored."""

    id: str
    body: str
    name: str = ""
    type: str = ""


class Manifest(msgspec.Struct, frozen=True):
    """Apollo's list."""

    format: str
    version: int
    operations: list[Operation]


def written(entries: list[Entry]) -> bytes:
    """Give Apollo's list of some documents."""
    operations = [Operation(entry.hash, entry.text, entry.name, entry.kind) for entry in entries]
    return msgspec.json.format(msgspec.json.encode(Manifest(FORMAT, VERSION, operations)), indent=2) + b"\n"


def read(file: Path) -> list[Entry]:
    """Read a list; raises ManifestRefused, also when a hash is not the SHA-256 of its text."""
    return parsed(file.read_bytes(), str(file))


def parsed(text: bytes, file: str) -> list[Entry]:
    """Give the documents of a list whose place is called `file`; raises ManifestRefused."""
    try:
        found = msgspec.json.decode(text, type=dict[str, Any])
        entries = _of_apollo(found) if "operations" in found else _of_relay(found)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise ManifestRefused(f"{file} is neither Apollo's nor Relay's list of documents: {error}.") from error
    for entry in entries:
        if entry.hash != sha256(entry.text.encode()).hexdigest():
            what = entry.name or entry.hash
            raise ManifestRefused(
                f"{file}: the id of {what} is not the SHA-256 of its text. "
                'Relay needs "algorithm": "SHA256" in its persistConfig.'
            )
    return entries


def _of_apollo(found: dict[str, Any]) -> list[Entry]:
    manifest = msgspec.convert(found, Manifest)
    if (manifest.format, manifest.version) != (FORMAT, VERSION):
        raise msgspec.ValidationError(f"format {manifest.format!r}, version {manifest.version}")
    return [Entry(each.id, each.name, each.type, each.body) for each in manifest.operations]


def _of_relay(found: dict[str, Any]) -> list[Entry]:
    texts = msgspec.convert(found, dict[str, str])
    return [Entry(digest, "", "", text) for digest, text in texts.items()]
