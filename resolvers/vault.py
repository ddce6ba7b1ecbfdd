"""The documents' bytes: taken in, sealed and kept; given back in any part; erased. Memory holds a piece at a time."""

import asyncio
import hashlib
import os
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, ParamSpec, Self, TypeVar
from uuid import UUID

from db.keys import Keys
from db.settings import Settings
from db.uploads import Document, Key
from resolvers.media import Inspection
from resolvers.sealing import CHUNK_BYTES, Seal, chunks_of, stretches
from resolvers.storage import Folder, Storage, StorageUnavailable, Stored, make_folder

THREADS = 8
CHUNKS_AT_ONCE = 4

P = ParamSpec("P")
T = TypeVar("T")


class Vault:
    """The documents of one portal, sealed with a key of each family."""

    def __init__(self, keys: Keys, storage: Storage, incoming: Path) -> None:
        self._keys = keys
        self._storage = storage
        self._incoming = incoming
        self._threads = ThreadPoolExecutor(THREADS, "documents")

    @classmethod
    def of(cls, settings: Settings, keys: Keys) -> Self:
        """Make the one that the settings want."""
        return cls(keys, storage_of(settings), _folder(settings) / "incoming")

    def close(self) -> None:
        """Finish what threads do."""
        self._threads.shutdown()
        self._storage.close()

    async def _run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do what waits for a disk or a network beside the loop. Raises StorageUnavailable for a disk that fails."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, lambda: work(*args, **kwargs))
        except OSError as error:
            raise StorageUnavailable(type(error).__name__) from error

    @asynccontextmanager
    async def incoming(self, family_id: UUID, document_id: UUID) -> AsyncIterator["Incoming"]:
        """Take a document in. Unless it is kept within the block, nothing of it stays. Raises StorageUnavailable."""
        seal = Seal(self._keys, family_id, document_id)
        file = Incoming(self._incoming / f"{document_id}.part", seal)
        try:
            await self._run(file.begin)
            yield file
        finally:
            await asyncio.shield(self._run(file.discard))

    async def add(self, file: "Incoming", data: bytes) -> None:
        """Take the next bytes of a document. Raises StorageUnavailable, as all that follows."""
        await self._run(file.add, data)

    async def end(self, file: "Incoming") -> None:
        """Put what was taken in on the disk."""
        await self._run(file.end)

    async def clear(self, file: "Incoming") -> AsyncIterator[bytes]:
        """Give the bytes of a document that has come in and is not kept yet."""
        for stretch in stretches(file.size, 0, file.size, CHUNKS_AT_ONCE):
            sealed = await self._run(file.read, stretch.start, stretch.end)
            yield file.seal.open_all(stretch, sealed, chunks_of(file.size))

    async def keep(self, file: "Incoming", key: Key) -> None:
        """Move a document that has come in to where documents are kept; it survives what happens next."""
        await self._run(self._storage.put, name_of(key), file.path)

    async def pieces(self, document: Document, start: int, end: int) -> AsyncIterator[bytes]:
        """Give the bytes of a document from `start` to before `end`, in pieces.

        Raises NoSuchFile, StorageUnavailable, and `cryptography.exceptions.InvalidTag` for a file that was altered.
        """
        seal, chunks = Seal(self._keys, document.family_id, document.id), chunks_of(document.size)
        name = name_of((document.family_id, document.id))
        for stretch in stretches(document.size, start, end, CHUNKS_AT_ONCE):
            sealed = await self._run(self._storage.read, name, stretch.start, stretch.end)
            clear = seal.open_all(stretch, sealed, chunks)
            yield clear[stretch.skip : stretch.skip + stretch.take]

    async def erase(self, key: Key) -> None:
        """Erase the bytes of a document; none are there the second time. Raises StorageUnavailable."""
        await self._run(self._storage.delete, name_of(key))

    async def files(self) -> AsyncIterator[list[Stored]]:
        """Give what is in the storage, in batches, whatever it is. Raises StorageUnavailable."""
        batches = self._storage.stored()
        while (batch := await self._run(next, batches, None)) is not None:
            yield batch

    async def drop_unfinished(self, before: datetime) -> int:
        """Delete what began to come in before a moment and was left behind by a crash; give how many."""
        return await self._run(self._drop_unfinished, before)

    def _drop_unfinished(self, before: datetime) -> int:
        dropped = 0
        for path in self._incoming.glob("*.part"):
            if datetime.fromtimestamp(path.stat().st_mtime, UTC) < before:
                path.unlink(missing_ok=True)
                dropped += 1
        return dropped


class Incoming:
    """A document while it comes in: sealed at once into a file of its own, hashed and looked at on the way.

    Its methods wait for the disk, and are called in threads, one at a time.
    """

    def __init__(self, path: Path, seal: Seal) -> None:
        self.path = path
        self.seal = seal
        self.size = 0
        self.inspection = Inspection()
        self._hash = hashlib.sha256()
        self._waiting = bytearray()
        self._chunks = 0
        self._lock = threading.Lock()
        self._file: BinaryIO | None = None

    @property
    def sha256(self) -> bytes:
        """The hash of what was taken in."""
        return self._hash.digest()

    def begin(self) -> None:
        """Make the file."""
        make_folder(self.path.parent)
        with self._lock:
            self._file = open(self.path, "xb", opener=_private)  # noqa: SIM115 - closed by `end` or `discard`

    def add(self, data: bytes) -> None:
        """Take the next bytes; a chunk is sealed when it is known not to be the last one."""
        with self._lock:
            self.size += len(data)
            self._hash.update(data)
            self.inspection.feed(data)
            self._waiting += data
            while len(self._waiting) > CHUNK_BYTES:
                self._write(last=False)

    def end(self) -> None:
        """Write the rest; when this returns, the file survives a power cut."""
        with self._lock:
            self._write(last=True)
            assert self._file is not None, "begun before"
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()

    def _write(self, *, last: bool) -> None:
        assert self._file is not None, "begun before"
        chunk = bytes(self._waiting[:CHUNK_BYTES])
        del self._waiting[:CHUNK_BYTES]
        self._file.write(self.seal.close(self._chunks, chunk, last=last))
        self._chunks += 1

    def read(self, start: int, end: int) -> bytes:
        """Give bytes of the sealed file."""
        with self.path.open("rb") as file:
            file.seek(start)
            return file.read(end - start)

    def discard(self) -> None:
        """Leave nothing behind, unless the file was moved away."""
        with self._lock:
            if self._file is not None:
                self._file.close()
            self.path.unlink(missing_ok=True)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def storage_of(settings: Settings) -> Storage:
    """Give the storage that the settings want."""
    if settings.documents.storage == "s3":
        from resolvers.bucket import Bucket  # needs the extra `s3`, as the settings were told

        return Bucket(settings.documents)
    return Folder(_folder(settings) / "stored")


def _folder(settings: Settings) -> Path:
    return Path(settings.data.folder, "documents")


def name_of(key: Key) -> str:
    """Give the key of a document in the storage."""
    family_id, document_id = key
    return f"{family_id}/{document_id}"


def key_of(name: str) -> Key | None:
    """Read such a key; None for a file of somebody else."""
    family, _, document = name.partition("/")
    try:
        key = UUID(family), UUID(document)
    except ValueError:
        return None
    return key if name_of(key) == name else None
