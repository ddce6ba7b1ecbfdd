"""The chain of the audit log: reading it whole, and proving that nobody changed it.

The proof needs neither the portal nor its keys: each hash is SHA-256 over the hash before it and the text of the entry,
where each value stands with its length.
"""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import msgspec

FIRST_HASH = hashlib.sha256(b"kiosque.audit").hexdigest()
BATCH = 1_000

ENTRIES = """
    select number, id::text, act, actor, actor_id::text, family_id::text, subject_id::text, data::text,
        to_char(occurred_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as occurred_at,
        encode(previous_hash, 'hex') as previous_hash, encode(hash, 'hex') as hash
    from audit_entry order by number
"""


class Entry(msgspec.Struct, frozen=True):
    """One entry as texts, as it is hashed and exported; hashes in hexadecimal."""

    number: int | None
    id: str
    act: str
    actor: str
    actor_id: str | None
    family_id: str | None
    subject_id: str | None
    data: str
    occurred_at: str
    previous_hash: str | None
    hash: str | None

    def digest(self) -> str:
        """Give the hash that the entry must have."""
        values = (self.number, self.id, self.act, self.actor, self.actor_id, self.family_id, self.subject_id)
        text = ",".join(_with_length(value) for value in (*values, self.data, self.occurred_at))
        return hashlib.sha256(bytes.fromhex(self.previous_hash or "") + text.encode()).hexdigest()


def _with_length(value: object) -> str:
    return "-" if value is None else f"{len(str(value))}:{value}"


@dataclass(frozen=True, slots=True)
class Broken:
    """The first link that does not hold."""

    number: int
    """Place in the chain where it breaks."""
    why: str


class Chain:
    """Takes the entries one by one, from the first, and remembers where the chain breaks."""

    def __init__(self) -> None:
        self.length = 0
        self.head = FIRST_HASH
        self.broken: Broken | None = None

    def take(self, entry: Entry) -> None:
        """Check the next entry; does nothing behind the first broken link."""
        if self.broken is not None:
            return
        expected = self.length + 1
        why = self._fault(entry, expected)
        if why is not None:
            self.broken = Broken(expected, why)
            return
        self.length, self.head = expected, entry.hash or ""

    def _fault(self, entry: Entry, expected: int) -> str | None:
        if entry.number is None:
            return "an entry was written past the chain"
        if entry.number != expected:
            return f"the entry is missing: {entry.number} follows {self.length}"
        if entry.previous_hash != self.head:
            return "the entry does not follow the one before it"
        if entry.digest() != entry.hash:
            return "the entry was changed"
        return None


async def entries(connection: Any) -> AsyncIterator[Entry]:
    """Give all entries in order, as somebody who may see them all; memory does not grow with their number."""
    async with connection.transaction(readonly=True):
        async for row in connection.cursor(ENTRIES, prefetch=BATCH):
            yield Entry(*row.values())
