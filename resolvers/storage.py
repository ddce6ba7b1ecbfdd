"""Where sealed files lie: in a folder, or in a bucket of S3-compatible storage. Both take and give opaque bytes.

A file is there whole or not at all, and is never changed.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

BATCH = 500
PRIVATE = 0o700


class NoSuchFile(Exception):
    """There is no file under this key."""


class StorageUnavailable(Exception):
    """The storage does not answer or is full; the caller may try again."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A file that is there."""

    key: str
    changed_at: datetime


class Storage(Protocol):
    """What a storage does. All of it waits, and is called in threads; raises StorageUnavailable."""

    def put(self, key: str, file: Path) -> None:
        """Take over a local file; when this returns, the file survives a power cut."""

    def read(self, key: str, start: int, end: int) -> bytes:
        """Give the bytes from `start` to before `end`; raises NoSuchFile."""

    def delete(self, key: str) -> None:
        """Delete a file; one that is not there is no fault."""

    def stored(self) -> Iterator[list[Stored]]:
        """Give all files, in batches."""

    def close(self) -> None:
        """Let go of connections."""


class Folder:
    """Files in a folder of this machine, or of a network file system that all nodes share."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, key: str, file: Path) -> None:
        """See Storage: the name appears when the content is on the disk."""
        target = self._folder / key
        try:
            for last in (False, False, True):
                make_folder(target.parent)
                try:
                    file.rename(target)
                    break
                except FileNotFoundError:  # the folder went with its last file
                    if last:
                        raise
            _sync(target.parent)
        except OSError as error:
            raise StorageUnavailable(type(error).__name__) from error

    def read(self, key: str, start: int, end: int) -> bytes:
        """See Storage."""
        try:
            with (self._folder / key).open("rb") as file:
                file.seek(start)
                return file.read(end - start)
        except FileNotFoundError as error:
            raise NoSuchFile(key) from error
        except OSError as error:
            raise StorageUnavailable(type(error).__name__) from error

    def delete(self, key: str) -> None:
        """See Storage; the folder of a family goes with its last file."""
        target = self._folder / key
        try:
            target.unlink(missing_ok=True)
            with suppress(OSError):  # others are in it
                target.parent.rmdir()
        except OSError as error:
            raise StorageUnavailable(type(error).__name__) from error

    def stored(self) -> Iterator[list[Stored]]:
        """See Storage."""
        batch = []
        for folder, _, names in os.walk(self._folder):
            for name in names:
                path = Path(folder, name)
                with suppress(FileNotFoundError):  # deleted meanwhile
                    changed_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
                    batch.append(Stored(path.relative_to(self._folder).as_posix(), changed_at))
                if len(batch) == BATCH:
                    yield batch
                    batch = []
        yield batch

    def close(self) -> None:
        """Nothing is held open."""


def make_folder(folder: Path) -> None:
    """Make a folder that only we may enter, so that it survives a power cut; one that is there stays as it is."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    with suppress(FileExistsError):
        folder.mkdir(mode=PRIVATE)
    _sync(folder.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
