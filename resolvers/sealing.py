"""How a file is sealed where it lies: in chunks, each by itself, so that any part of it can be read alone.

AES-256-GCM with a key of the family. The seal of a chunk covers which document it is of, its place and whether it is
the last one: none can be altered, moved, left out or put into another file (the STREAM construction of Hoang,
Reyhanitabar, Rogaway and Vizár, with random nonces).
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from db.keys import NONCE_BYTES, Keys

CHUNK_BYTES = 64 * 1024
ADDED_BYTES = NONCE_BYTES + 16
"""Nonce before, tag behind each chunk."""

SEALED_BYTES = CHUNK_BYTES + ADDED_BYTES


@dataclass(frozen=True, slots=True)
class Stretch:
    """Chunks that lie together: where they are in the sealed file, and what is wanted of them."""

    first: int
    """Number of the first chunk."""
    start: int
    end: int
    """Bytes of the sealed file; the end is outside."""
    skip: int
    take: int
    """Bytes of the clear text of these chunks."""


class Seal:
    """Seals and opens the chunks of one document."""

    def __init__(self, keys: Keys, family_id: UUID, document_id: UUID) -> None:
        self._cipher = AESGCM(keys.derived(f"document/{family_id}"))
        self._document = document_id.bytes

    def close(self, number: int, clear: bytes, *, last: bool) -> bytes:
        """Seal a chunk; all but the last one have CHUNK_BYTES."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, clear, self._place(number, last))

    def open(self, number: int, sealed: bytes, *, last: bool) -> bytes:
        """Open a chunk; raises `cryptography.exceptions.InvalidTag` when it was altered or is not the one wanted."""
        return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], self._place(number, last))

    def open_all(self, stretch: Stretch, sealed: bytes, chunks: int) -> bytes:
        """Open chunks that lie together, of a document that has so many. Raises as `open`, and where one is missing."""
        if len(sealed) != stretch.end - stretch.start:
            raise InvalidTag
        parts = (sealed[at : at + SEALED_BYTES] for at in range(0, len(sealed), SEALED_BYTES))
        return b"".join(self.open(n, part, last=n == chunks - 1) for n, part in enumerate(parts, stretch.first))

    def _place(self, number: int, last: bool) -> bytes:
        return self._document + number.to_bytes(8) + bytes([last])


def chunks_of(size: int) -> int:
    """Give how many chunks a document of so many bytes has."""
    return -(-size // CHUNK_BYTES)


def sealed_size(size: int) -> int:
    """Give the size of a sealed document."""
    return size + chunks_of(size) * ADDED_BYTES


def stretches(size: int, start: int, end: int, most: int) -> Iterator[Stretch]:
    """Give what to read for the bytes from `start` to before `end` of a document, `most` chunks at once."""
    for first in range(start // CHUNK_BYTES, chunks_of(end), most):
        until = min(first + most, chunks_of(end))
        begin = max(start - first * CHUNK_BYTES, 0)
        clear_end = min(until * CHUNK_BYTES, end)
        yield Stretch(
            first,
            first * SEALED_BYTES,
            min(until * SEALED_BYTES, sealed_size(size)),
            begin,
            clear_end - first * CHUNK_BYTES - begin,
        )
