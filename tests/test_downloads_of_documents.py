"""Documents given back: to whom, in which part, how dressed, and for how long."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote
from uuid import UUID, uuid4

import aiohttp
import pytest

from db.keys import Keys
from resolvers.reading.identity import make_id
from tests.clockwork import run_due
from tests.conftest import Cluster, Database
from tests.files import (
    KEEP,
    LINK,
    OF_PROCEDURE,
    PDF,
    PNG,
    REMOVE,
    TEXT,
    ask,
    counts,
    documents_of,
    fetch,
    filed,
    pdf_of,
    uploaded,
)
from tests.house import KEYS, PASSWORD, House, opened
from tests.test_closure import CLOSE
from tests.test_erasure import ERASE
from tests.test_termination import admin, family_id

SIZE = 300_000
WITHDRAW = "mutation ($procedure: ID!) { withdrawProcedure(procedure: $procedure) { problems { code } } }"


async def linked(house: House, document: str, token: str) -> str:
    """Make a link to a document; give its path."""
    url: str = (await house.do(LINK, token, document=document))["url"]
    return "/documents/" + url.partition("/documents/")[2]


async def test_a_family_gets_its_document_as_it_was(house: House) -> None:
    _, token = await house.member()
    content = pdf_of(SIZE)
    document = await uploaded(house, token, content, "Relevé d’identité 100% «\u00a0é\u00a0».pdf")
    got = await fetch(house, document, token)
    assert (got.status, got.body) == (200, content)
    headers = got.headers
    assert headers["Content-Type"] == "application/pdf" and headers["Content-Length"] == str(SIZE)
    assert headers["Content-Disposition"] == (
        'attachment; filename="Releve didentite 100_  e .pdf"; '
        "filename*=UTF-8''Relev%C3%A9%20d%E2%80%99identit%C3%A9%20100%25%20%C2%AB%20%C3%A9%20%C2%BB.pdf"
    )
    assert headers["X-Content-Type-Options"] == "nosniff" and headers["Cache-Control"] == "private, no-store"
    assert headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert headers["ETag"] == f'"{hashlib.sha256(content).hexdigest()}"' and headers["Accept-Ranges"] == "bytes"
    head = await fetch(house, document, token, "HEAD", Range="bytes=0-1")
    assert (head.status, head.body) == (200, b"")
    same = ("Content-Length", "Content-Type", "Content-Disposition", "ETag", "Accept-Ranges", "Cache-Control")
    assert [head.headers[name] for name in same] == [headers[name] for name in same]
    cookie = await fetch(house, document, None, Cookie=f"kiosque-access={token}")
    assert cookie.status == 200, "a browser may open it as a page"
    in_address = document.replace("+", "-").replace("/", "_")
    assert (await fetch(house, in_address, token)).body == content
    text = await uploaded(house, token, TEXT, "note.txt")
    assert (await fetch(house, text, token)).headers["Content-Type"] == "text/plain; charset=utf-8"
    assert (await ask(house, "PUT", f"/documents/{quote(text, safe='')}")).status == 405


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-", 0, SIZE),
        ("bytes=65535-65536", 65535, 65537),
        ("bytes=65536-131071", 65536, 131072),
        ("bytes=100000-250000", 100000, 250001),
        ("bytes=299999-", 299999, SIZE),
        ("bytes=299999-99999999999", 299999, SIZE),
        ("bytes=-1", SIZE - 1, SIZE),
        ("bytes=-70000", SIZE - 70000, SIZE),
        ("bytes=-999999999", 0, SIZE),
    ],
)
async def test_any_part_of_a_document_is_given(
    piece: tuple[House, str, str, bytes], asked: str, start: int, end: int
) -> None:
    house, token, document, content = piece
    got = await fetch(house, document, token, Range=asked)
    assert (got.status, got.body) == (206, content[start:end])
    assert got.headers["Content-Range"] == f"bytes {start}-{end - 1}/{SIZE}"
    assert got.headers["Content-Length"] == str(end - start)


@pytest.fixture(scope="module")
async def piece(cluster: Cluster) -> AsyncIterator[tuple[House, str, str, bytes]]:
    """Give a portal, a token, a document of its family and the document's bytes."""
    content = pdf_of(SIZE)
    async with cluster.database("city") as made, opened(made.dsn) as house:
        _, token = await house.member()
        yield house, token, await uploaded(house, token, content), content


@pytest.mark.parametrize("asked", ["bytes=300000-", "bytes=300000-300001", "bytes=-0", "bytes=999999999999999999-"])
async def test_a_part_that_is_not_there_is_refused(piece: tuple[House, str, str, bytes], asked: str) -> None:
    house, token, document, _ = piece
    got = await fetch(house, document, token, Range=asked)
    assert (got.status, got.body, got.headers["Content-Range"]) == (416, b"", f"bytes */{SIZE}")


@pytest.mark.parametrize("asked", ["bytes=1-2,4-5", "bytes=5-1", "bytes=-", "bytes=a-b", "items=0-1", "bytes=٣-٤", ""])
async def test_what_is_no_single_part_gives_the_whole(piece: tuple[House, str, str, bytes], asked: str) -> None:
    house, token, document, content = piece
    got = await fetch(house, document, token, Range=asked)
    assert (got.status, len(got.body)) == (200, len(content)) and "Content-Range" not in got.headers


async def test_a_download_goes_on_only_with_the_same_document(piece: tuple[House, str, str, bytes]) -> None:
    house, token, document, content = piece
    tag = (await fetch(house, document, token, "HEAD")).headers["ETag"]
    for condition, status in ((tag, 206), ('"x"', 200), (f"W/{tag}", 200), ("Tue, 03 Nov 2026 12:00:00 GMT", 200)):
        assert (await fetch(house, document, token, Range="bytes=1-2", If_Range=condition)).status == status
    for condition, status in ((tag, 304), (f'"x", {tag}', 304), ("*", 304), ('"x"', 200)):
        assert (await fetch(house, document, token, If_None_Match=condition)).status == status
    assert content


async def test_a_document_that_is_not_theirs_and_one_that_is_not_there_are_the_same(house: House) -> None:
    _, token = await house.member()
    family, stranger = await house.member()
    assert house.opened is not None
    mapping = house.opened.process.reader.mapping
    document = await uploaded(house, token)
    nothing = make_id(mapping, "Document", family.id, uuid4())
    answers = set()
    for identity in (document, nothing, document[:-4] + "AAAA", "x", make_id(mapping, "Family", family.id), "%00", "é"):
        for headers in ({}, {"Range": "bytes=0-1"}, {"If_None_Match": "*"}):
            for method in ("GET", "HEAD"):
                got = await fetch(house, identity, stranger, method, **headers)
                answers.add((got.status, got.headers["Content-Length"], method))
                assert method == "HEAD" or got.code == "NOT_FOUND"
    assert {status for status, _, _ in answers} == {404} and len(answers) == 2
    assert (await fetch(house, document, await house.agent())).status == 404
    _, newcomer = await house.member(accepts_terms=False)
    for who, status, code in (
        (None, 401, "UNAUTHENTICATED"),
        ("x", 401, "UNAUTHENTICATED"),
        (newcomer, 403, "TERMS_NOT_ACCEPTED"),
    ):
        for identity in (document, nothing):
            got = await fetch(house, identity, who)
            assert (got.status, got.code) == (status, code)
    assert (await fetch(house, document, token, Sec_Fetch_Site="cross-site")).status == 403
    for who in (stranger, await house.agent()):
        assert await house.problems(LINK, who, document=document) == ["NOT_FOUND"]


async def test_agents_read_what_was_filed_with_their_services_once_it_is_submitted(house: House) -> None:
    family, token = await house.member()
    filed_one, loose = await uploaded(house, token), await uploaded(house, token, PNG)
    in_a_draft = await uploaded(house, token, TEXT)
    procedure = await filed(house, token, filed_one)
    draft = await filed(house, token, in_a_draft, submit=False)
    agent, other = await house.agent(), await house.agent("etat.civil")
    assert (await fetch(house, filed_one, agent)).body == PDF
    found = (await house.ask(OF_PROCEDURE, agent, id=procedure)).data["node"]["documents"]
    assert [edge["node"]["document"]["id"] for edge in found["edges"]] == [filed_one]
    for identity in (loose, in_a_draft):
        assert (await fetch(house, identity, agent)).status == 404
    assert (await fetch(house, filed_one, other)).status == 404
    seen = (await house.ask(OF_PROCEDURE, agent, id=draft)).data["node"]
    assert seen is None or seen["documents"]["totalCount"] == 0
    listed = "query ($number: String!) { family(number: $number) { documents { totalCount edges { node { id } } } } }"
    for who, wanted in ((agent, [filed_one]), (other, [])):
        documents = (await house.ask(listed, who, number=family.number)).data["family"]["documents"]
        assert [edge["node"]["id"] for edge in documents["edges"]] == wanted == [filed_one][: documents["totalCount"]]
    await fetch(house, filed_one, agent, Range="bytes=1-3")
    assert (await ask(house, "GET", await linked(house, filed_one, agent))).body == PDF
    entries = await house.connection.fetch("select * from audit_entry where act = 'document_read' order by number")
    agent_id = await house.connection.fetchval("select id from agent where email = 'scolaire@mairie.example'")
    assert [(entry["actor_id"], entry["family_id"]) for entry in entries] == [(agent_id, family.id)] * 3


async def test_a_link_opens_one_document_for_five_minutes(house: House) -> None:
    family, token = await house.member()
    document, other = await uploaded(house, token), await uploaded(house, token, PNG)
    made = await house.do(LINK, token, document=document)
    assert timedelta(minutes=4) < datetime.fromisoformat(made["expiresAt"]) - datetime.now(UTC) <= timedelta(minutes=5)
    link = await linked(house, document, token)
    assert (await ask(house, "GET", link)).body == PDF
    part = await ask(house, "GET", link, headers={"Range": "bytes=1-3", "Sec-Fetch-Site": "cross-site"})
    assert (part.status, part.body) == (206, PDF[1:4]), "a link is opened from anywhere"
    key = await house.connection.fetchrow("select family_id, id from document where media_type = 'application/pdf'")
    assert key is not None
    claims, later = {"family": str(key[0]), "document": str(key[1])}, datetime.now(UTC) + timedelta(minutes=5)
    place, foreign = link.partition("?")[0], f"/documents/{quote(other, safe='')}"
    for refused in (
        f"{foreign}?{link.partition('?')[2]}",
        f"{place}?token=",
        f"{place}?token={link[-40:]}",
        f"{place}?token={Keys(b'x' * 32).link_token('download-document', claims, later)}",
        f"{place}?token={KEYS.link_token('download-export', claims, later)}",
        f"{place}?token={KEYS.link_token('download-document', {'family': str(family.id)}, later)}",
        f"{place}?token={KEYS.link_token('download-document', claims | {'document': str(UUID(int=1))}, later)}",
        f"{place}?token={KEYS.link_token('download-document', claims, datetime.now(UTC) - timedelta(seconds=1))}",
    ):
        got = await ask(house, "GET", refused, headers={"Authorization": f"Bearer {token}"})
        assert (got.status, got.code) == (404, "NOT_FOUND"), refused
    house.clock.ahead = timedelta(minutes=5, seconds=1)
    assert (await ask(house, "GET", link)).status == 404


async def test_an_erased_document_is_gone_at_once_and_its_file_soon(house: House) -> None:
    _, token = await house.member()
    document = await uploaded(house, token)
    link = await linked(house, document, token)
    await house.do(REMOVE, token, document=document)
    assert (await fetch(house, document, token)).status == 404
    assert (await ask(house, "GET", link)).status == 404
    assert await counts(house) == (1, 1)
    await run_due(house, "erase_files")
    assert await counts(house) == (1, 0)
    row = await house.connection.fetchrow("select name, sha256, file_erased_at from document")
    assert row is not None and (row["name"], row["sha256"]) == ("", None) and row["file_erased_at"]


async def test_documents_go_with_their_procedure_unless_the_family_keeps_them(house: House) -> None:
    forgetful, token = await house.member()
    keeper, their_token = await house.member()
    await house.do(KEEP, their_token, keep=True)
    waiting = await uploaded(house, token)
    await filed(house, token, waiting)
    for each in (token, their_token):
        document = await uploaded(house, each, PNG)
        await house.do(WITHDRAW, each, procedure=await filed(house, each, document))
        await uploaded(house, each, TEXT, "jamais jointe.txt")

    async def left(days: int) -> list[list[str]]:
        house.clock.ahead = timedelta(days=days)
        await run_due(house, "erase_unkept", "erase_files")
        names = "select media_type from document where family_id = $1 and erased_at is null order by 1"
        return [[row[0] for row in await house.connection.fetch(names, each.id)] for each in (forgetful, keeper)]

    pdf, png, text = "application/pdf", "image/png", "text/plain"
    assert await left(6) == [[pdf, png, text], [png, text]]
    assert await left(8) == [[pdf, png], [png, text]], "filed with nothing for a week"
    assert await left(58) == [[pdf, png], [png, text]]
    assert await left(63) == [[pdf], [png, text]], "two months after the procedure ended"
    assert await left(364) == [[pdf], [png, text]]
    assert await left(367) == [[pdf], []], "their date has passed; an open procedure keeps what it needs"
    assert await counts(house) == (5, 1)
    found = await house.connection.fetchval("select count(*) from procedure_document")
    assert found == 3, "what was filed stays known"


async def test_erasing_a_family_erases_its_documents(house: House) -> None:
    family, token = await house.member()
    await house.do(KEEP, token, keep=True)
    document = await uploaded(house, token)
    await house.do(WITHDRAW, token, procedure=await filed(house, token, document))
    link, boss = await linked(house, document, token), await admin(house)
    await house.do(ERASE, boss, family=await family_id(house, boss, family.number), number=family.number)
    assert (await ask(house, "GET", link)).status == 404
    await run_due(house, "erase_files")
    assert await counts(house) == (1, 0)


async def test_a_family_that_closed_its_account_keeps_no_document(house: House) -> None:
    _, token = await house.member()
    await house.do(KEEP, token, keep=True)
    await uploaded(house, token)
    await filed(house, token, await uploaded(house, token, PNG), submit=False)
    await house.do(CLOSE, token, password=PASSWORD)
    await run_due(house, "erase_unkept", "erase_files")
    assert await counts(house) == (2, 1), "what was filed with a draft goes as its answers do"
    house.clock.ahead = timedelta(days=63)
    await run_due(house, "erase_unkept", "erase_files")
    assert await counts(house) == (2, 0)


async def test_choosing_to_keep_documents_no_longer_erases_them(house: House) -> None:
    _, token = await house.member()
    await house.do(KEEP, token, keep=True)
    document = await uploaded(house, token)
    await house.do(WITHDRAW, token, procedure=await filed(house, token, document))
    house.clock.ahead = timedelta(days=80)
    token = await house.sign_in(
        await house.connection.fetchval("select a.email from account a join document d on d.uploaded_by = a.id")
    )
    await run_due(house, "erase_unkept")
    assert [each["id"] for each in await documents_of(house, token)] == [document]
    await house.do(KEEP, token, keep=False)
    await run_due(house, "erase_unkept_of_family", "erase_files")
    assert await documents_of(house, token) == [] and await counts(house) == (1, 0)


async def test_an_altered_file_is_not_given(house: House) -> None:
    """Chunks of the right size in the wrong place, and files exchanged, are altered too."""
    _, token = await house.member()
    content = pdf_of(200_000)
    documents = [await uploaded(house, token, content) for _ in range(2)]
    folder = Path(house.settings.data.folder, "documents")
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    first, second = (file.read_bytes() for file in files)
    sealed = 65_536 + 28
    swapped = first[sealed : 2 * sealed] + first[:sealed] + first[2 * sealed :]
    for damage in (b"x" + first[1:], first[:-1], first[: 2 * sealed], swapped, second, b""):
        files[0].write_bytes(damage)
        got = await whole_or_nothing(house, documents[0], token)
        assert got is None
    files[0].unlink()
    got_none = await fetch(house, documents[0], token)
    assert (got_none.status, got_none.code) == (503, "STORAGE_UNAVAILABLE")
    assert await whole_or_nothing(house, documents[1], token) == content


async def whole_or_nothing(house: House, document: str, token: str) -> bytes | None:
    """Fetch a document; None where the answer is a fault or breaks off."""
    try:
        got = await fetch(house, document, token)
    except aiohttp.ClientError:
        return None
    return got.body if got.status == 200 else None


async def test_a_client_that_reads_slowly_holds_no_connection_of_the_database(city: Database) -> None:
    async with opened(city.dsn, database={"url": city.dsn, "pool_size": 2}) as house:
        _, token = await house.member()
        document = await uploaded(house, token, pdf_of(5_000_000))
        host, port = house.url.removeprefix("http://").split(":")
        readers = []
        for _ in range(6):
            reader, writer = await asyncio.open_connection(host, int(port), limit=1024)
            head = f"GET /documents/{quote(document, safe='')} HTTP/1.1\r\nHost: x\r\n"
            writer.write(f"{head}Authorization: Bearer {token}\r\n\r\n".encode())
            assert b"200 OK" in await reader.readline()
            readers.append(writer)
        assert len(await documents_of(house, token)) == 1
        for writer in readers:
            writer.close()
