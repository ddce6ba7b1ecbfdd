"""Where documents lie: a folder, or a real S3-compatible server; sealed, safe after a crash, and cleaned of orphans."""

import asyncio
import io
import os
import random
import re
import signal
import sys
import time
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import msgspec
import psutil
import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st

from db.ids import uuid7
from db.settings import Documents
from resolvers.bucket import Bucket
from resolvers.job_runner import Runner
from resolvers.jobs import REGISTRY
from resolvers.sealing import CHUNK_BYTES, SEALED_BYTES, Seal, chunks_of, sealed_size, stretches
from resolvers.storage import Folder, NoSuchFile, Storage, StorageUnavailable
from tests.clockwork import run_due
from tests.conftest import Cluster, Database
from tests.files import PDF, REMOVE, counts, documents_of, fetch, filed, in_pieces, pdf_of, send, uploaded
from tests.house import KEYS, House, opened
from tests.program import apart, free_port

FAMILY, DOCUMENT = uuid7(), uuid7()
MEBIBYTE = 2**20


@asynccontextmanager
async def s3_server() -> AsyncIterator[str]:
    """Run an S3-compatible server; give its address."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "from moto.server import main; main()", "-H", "127.0.0.1", "-p", str(port),
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        url = f"http://127.0.0.1:{port}"
        async with asyncio.timeout(60), aiohttp.ClientSession() as http:
            while True:
                try:
                    async with http.put(f"{url}/documents") as answer:
                        assert answer.status == 200
                    break
                except aiohttp.ClientError:
                    await asyncio.sleep(0.1)
        yield url
    finally:
        process.terminate()
        await process.wait()


@pytest.fixture(scope="module")
async def bucket() -> AsyncIterator[dict[str, Any]]:
    """Give the settings of a bucket."""
    async with s3_server() as url:
        yield {
            "storage": "s3", "bucket": "documents", "endpoint": url, "access_key": "a", "secret_key": "b",
            "storage_timeout": 20.0,
        }  # fmt: skip


@pytest.fixture(params=["folder", "bucket"])
async def storage(request: pytest.FixtureRequest, tmp_path: Path, bucket: dict[str, Any]) -> Storage:
    """Give each kind of storage."""
    if request.param == "folder":
        return Folder(tmp_path / "stored")
    return Bucket(msgspec.convert(bucket, Documents))


@pytest.fixture(params=["folder", "bucket"])
async def any_house(request: pytest.FixtureRequest, city: Database, bucket: dict[str, Any]) -> AsyncIterator[House]:
    """Give a portal with each kind of storage."""
    async with opened(city.dsn, documents=bucket if request.param == "bucket" else {}) as house:
        yield house


def test_a_storage_keeps_gives_lists_and_deletes(storage: Storage, tmp_path: Path) -> None:
    content, key = os.urandom(7 * MEBIBYTE), f"{FAMILY}/{uuid7()}"
    file = tmp_path / "incoming.part"
    for _ in range(2):
        file.write_bytes(content)
        storage.put(key, file)
        assert not file.exists()
    assert storage.read(key, 0, len(content)) == content
    assert storage.read(key, 5_000_000, 5_000_100) == content[5_000_000:5_000_100]
    [found] = [each for batch in storage.stored() for each in batch if each.key == key]
    assert abs(found.changed_at - datetime.now(UTC)) < timedelta(minutes=1)
    for _ in range(2):
        storage.delete(key)
    with pytest.raises(NoSuchFile):
        storage.read(key, 0, 10)
    assert key not in {each.key for batch in storage.stored() for each in batch}


def test_a_storage_that_is_away_says_so(tmp_path: Path) -> None:
    """In a bounded time, and the file that was to be kept is still there."""
    away = Bucket(Documents(bucket="x", endpoint="http://127.0.0.1:9", storage_timeout=1.0))
    not_a_folder = tmp_path / "file"
    not_a_folder.write_bytes(b"x")
    file = tmp_path / "incoming.part"
    file.write_bytes(PDF)
    begun = time.monotonic()
    for storage in (away, Folder(not_a_folder)):
        with pytest.raises(StorageUnavailable):
            storage.put("a/b", file)
        with pytest.raises(StorageUnavailable):
            storage.read("a/b", 0, 1)
    assert file.exists() and time.monotonic() - begun < 20


async def test_many_files_are_listed_in_batches(tmp_path: Path) -> None:
    for number in range(1_203):
        (tmp_path / f"{number % 7}").mkdir(exist_ok=True)
        (tmp_path / f"{number % 7}" / str(number)).touch()
    batches = list(Folder(tmp_path).stored())
    assert max(map(len, batches)) == 500 and len({each.key for batch in batches for each in batch}) == 1_203


def sealed_in_chunks(content: bytes, document: Any = DOCUMENT) -> bytes:
    """Seal bytes as a file of the vault."""
    seal, last = Seal(KEYS, FAMILY, document), chunks_of(len(content)) - 1
    return b"".join(
        seal.close(n, content[n * CHUNK_BYTES : (n + 1) * CHUNK_BYTES], last=n == last) for n in range(last + 1)
    )


SIZES = st.one_of(
    st.integers(1, 5 * CHUNK_BYTES), st.sampled_from([n * CHUNK_BYTES + d for n in (1, 2, 4) for d in (-1, 0, 1)])
)


@given(SIZES, st.data())
def test_any_part_of_a_sealed_file_opens_alone(size: int, data: st.DataObject) -> None:
    content = random.Random(size).randbytes(size)
    sealed = sealed_in_chunks(content)
    assert len(sealed) == sealed_size(size)
    start = data.draw(st.integers(0, size - 1))
    end, most = data.draw(st.integers(start + 1, size)), data.draw(st.integers(1, 4))
    seal, clear, read = Seal(KEYS, FAMILY, DOCUMENT), b"", 0
    for stretch in stretches(size, start, end, most):
        part = seal.open_all(stretch, sealed[stretch.start : stretch.end], chunks_of(size))
        clear += part[stretch.skip : stretch.skip + stretch.take]
        read += stretch.end - stretch.start
    assert clear == content[start:end]
    assert read <= (end - start) + 2 * SEALED_BYTES + chunks_of(end - start) * 28, "no more than is needed"


def test_a_chunk_opens_in_its_own_place_only() -> None:
    content = os.urandom(3 * CHUNK_BYTES)
    sealed = sealed_in_chunks(content)
    seal = Seal(KEYS, FAMILY, DOCUMENT)
    chunks = [sealed[n * SEALED_BYTES : (n + 1) * SEALED_BYTES] for n in range(3)]
    assert seal.open(1, chunks[1], last=False) == content[CHUNK_BYTES : 2 * CHUNK_BYTES]
    assert len({bytes(chunk[:12]) for chunk in chunks}) == 3
    strangers = (Seal(KEYS, FAMILY, uuid7()), Seal(KEYS, uuid7(), DOCUMENT))
    for seal_, number, last in ((seal, 0, False), (seal, 1, True), *((each, 1, False) for each in strangers)):
        with pytest.raises(InvalidTag):
            seal_.open(number, chunks[1], last=last)


async def test_documents_live_and_die_in_every_storage(any_house: House) -> None:
    house = any_house
    family, token = await house.member()
    content = pdf_of(12 * MEBIBYTE)
    document = await uploaded(house, token, content)
    assert (await fetch(house, document, token)).body == content
    assert (await fetch(house, document, token, Range="bytes=7000000-7000009")).body == content[7_000_000:7_000_010]
    await house.do(REMOVE, token, document=document)
    await run_due(house, "erase_files")
    assert house.opened is not None
    left = [each.key async for batch in house.opened.process.documents.files() for each in batch]
    assert not [key for key in left if key.startswith(str(family.id))]


async def test_a_storage_that_is_away_refuses_documents_and_nothing_else(city: Database) -> None:
    away = {"storage": "s3", "bucket": "x", "endpoint": "http://127.0.0.1:9", "storage_timeout": 0.5}
    async with opened(city.dsn, documents=away) as house:
        _, token = await house.member()
        got = await send(house, token, PDF)
        assert (got.status, got.code) == (503, "STORAGE_UNAVAILABLE")
        assert await counts(house) == (0, 0)
        await house.submitted(token)


async def test_the_copy_of_a_familys_data_holds_its_documents(any_house: House) -> None:
    house = any_house
    family, token = await house.member()
    _, stranger = await house.member()
    contents = [pdf_of(1_000_000), PDF]
    documents = [await uploaded(house, token, content, "Même nom.pdf") for content in contents]
    await uploaded(house, stranger)
    gone = await uploaded(house, token, PDF, "retiré.pdf")
    await house.do(REMOVE, token, document=gone)
    await filed(house, token, documents[0])
    await house.do("mutation { exportMyData { problems { code } } }", token)
    await run_due(house, "build_export")
    link = re.search(r"https?://\S+/exports/\S+", await house.mail_to(family.email, "exports"))
    assert link is not None
    async with house.http.get(house.url + link[0][link[0].index("/exports/") :]) as answer:
        body = await answer.read()
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        assert archive.testzip() is None
        names = [name for name in archive.namelist() if name.startswith("documents/")]
        assert names == ["documents/001-Même nom.pdf", "documents/002-Même nom.pdf"]
        assert [archive.read(name) for name in names] == contents
        data = msgspec.json.decode(archive.read("data.json"))
    assert [each["name"] for each in data["document"]] == ["Même nom.pdf", "Même nom.pdf", ""]
    assert [each["field"] for each in data["procedure_document"]] == ["pai"]


@pytest.mark.parametrize("step", ["upload.received", "upload.stored", "mutation.before_commit", "mutation.committed"])
async def test_a_crash_leaves_no_row_without_its_file_and_the_orphan_is_swept(
    city: Database, tmp_path: Path, step: str
) -> None:
    async with apart(city.dsn, tmp_path) as portal:
        _, token = await portal.house.member()
        await portal.gateway.kill()
        await portal.gateway.start(f"{step}:1")
        await portal.gateway.ready()
        with pytest.raises(aiohttp.ClientError):
            await send(portal.house, token, PDF)
        assert await portal.gateway.ended() == -signal.SIGKILL
    rows = await files_and_rows(city, tmp_path / "data")
    committed = step == "mutation.committed"
    assert rows == (int(committed), 1)
    data = {"folder": str(tmp_path / "data")}
    async with opened(city.dsn, data=data) as house:
        await run_due(house, "sweep_documents")
        assert await counts(house) == (int(committed), 1), "it might be of an upload that goes on"
        house.clock.ahead = timedelta(days=1, minutes=1)
        await run_due(house, "sweep_documents")
        assert await counts(house) == (int(committed), int(committed))
        if committed:
            token = await house.sign_in(
                await house.connection.fetchval("select a.email from account a join document d on d.uploaded_by = a.id")
            )
            [found] = await documents_of(house, token)
            assert (await fetch(house, found["id"], token)).body == PDF


async def files_and_rows(city: Database, folder: Path) -> tuple[int, int]:
    """Count rows and files of a portal that does not run."""
    connection = await asyncpg.connect(city.dsn, timeout=10)
    try:
        rows = await connection.fetchval("select count(*) from document")
    finally:
        await connection.close()
    return rows, sum(path.is_file() for path in (folder / "documents").rglob("*"))


async def test_a_storage_of_another_portal_is_not_swept(house: House) -> None:
    """As when the database was exchanged for an empty one: nothing may be lost by a wrong setting."""
    folder = Path(house.settings.data.folder, "documents", "stored")
    for _ in range(101):
        file = folder / str(uuid7()) / str(uuid7())
        file.parent.mkdir(parents=True)
        file.write_bytes(b"x")
    (folder / "a note").write_bytes(b"not ours")
    house.clock.ahead = timedelta(days=2)
    assert house.opened is not None
    outcomes = await Runner(house.opened.process, REGISTRY).run_due(["sweep_documents"])
    assert outcomes["sweep_documents", "failed"] == 1
    assert (await counts(house))[1] == 102
    (folder / file.parent.name / file.name).unlink()
    house.clock.ahead = timedelta(days=3)
    await run_due(house, "sweep_documents")
    assert (await counts(house))[1] == 1, "a file that is not named as ours stays"


async def test_an_upload_of_50_mebibytes_takes_no_memory(cluster: Cluster, tmp_path: Path) -> None:
    memory: list[int] = []
    limits = {"documents__file_bytes": 64 * MEBIBYTE, "documents__family_bytes": 400 * MEBIBYTE}
    async with cluster.database("city") as city, apart(city.dsn, tmp_path, **limits) as portal:
        _, token = await portal.house.member()
        content = pdf_of(50 * MEBIBYTE)
        for _ in range(2):
            await send(portal.house, token, PDF)
        process = psutil.Process(portal.gateway.pid)
        before = process.memory_info().rss
        watching = asyncio.create_task(watched(process, memory))
        begun = time.monotonic()
        got = await send(portal.house, token, in_pieces(content))
        there = time.monotonic()
        assert got.status == 201, got.body
        back = await fetch(portal.house, got.json["id"], token)
        done = time.monotonic()
        watching.cancel()
        assert back.body == content
        grown = (max(memory) - before) / MEBIBYTE
        print(
            f"RSS {before / MEBIBYTE:.0f} MiB before, {max(memory) / MEBIBYTE:.0f} MiB at the most; "
            f"up {50 / (there - begun):.0f} MiB/s, down {50 / (done - there):.0f} MiB/s"
        )
        assert grown < 16


async def watched(process: psutil.Process, memory: list[int]) -> None:
    """Look at the memory of a process again and again."""
    while True:
        memory.append(process.memory_info().rss)
        await asyncio.sleep(0.01)
