"""Files in a bucket of S3-compatible storage, through obstore; needs the extra `s3`."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from db.settings import Documents
from resolvers.storage import BATCH, NoSuchFile, StorageUnavailable, Stored

RETRIES = 2


class Bucket:
    """See `resolvers.storage.Storage`. A file that is put again is the same one."""

    def __init__(self, settings: Documents) -> None:
        given: dict[str, Any] = {"access_key_id": settings.access_key, "secret_access_key": settings.secret_key}
        self._store = S3Store(
            settings.bucket,
            region=settings.region,
            endpoint=settings.endpoint or f"https://s3.{settings.region}.amazonaws.com",
            client_options={
                "timeout": timedelta(seconds=settings.storage_timeout),
                "allow_http": settings.endpoint is not None and settings.endpoint.startswith("http://"),
            },
            retry_config={"max_retries": RETRIES, "retry_timeout": timedelta(seconds=settings.storage_timeout)},
            **{name: value for name, value in given.items() if value is not None},
        )

    def put(self, key: str, file: Path) -> None:
        """See Storage; a large file goes in parts and appears with the last one."""
        with _translated(key):
            obstore.put(self._store, key, file, max_concurrency=1)
            file.unlink()

    def read(self, key: str, start: int, end: int) -> bytes:
        """See Storage."""
        with _translated(key):
            return bytes(obstore.get_range(self._store, key, start=start, end=end))

    def delete(self, key: str) -> None:
        """See Storage."""
        try:
            with _translated(key):
                obstore.delete(self._store, key)
        except NoSuchFile:
            return

    def stored(self) -> Iterator[list[Stored]]:
        """See Storage."""
        with _translated(""):
            for batch in obstore.list(self._store, chunk_size=BATCH):
                yield [Stored(each["path"], each["last_modified"]) for each in batch]

    def close(self) -> None:
        """Connections close with the store."""


@contextmanager
def _translated(key: str) -> Iterator[None]:
    """Say in our own words what went wrong."""
    try:
        yield
    except FileNotFoundError as error:
        raise NoSuchFile(key) from error
    except (BaseError, OSError) as error:
        raise StorageUnavailable(type(error).__name__) from error
