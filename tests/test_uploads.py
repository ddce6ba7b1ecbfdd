"""Uploading documents and filing them: what is taken, what is refused without effect, and what stays of it."""

import asyncio
import gzip
import hashlib
import re
import stat
import unicodedata
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolvers.media import LONGEST_NAME, MEDIA, UNWANTED, clean_name
from resolvers.sentences import SENTENCES
from tests.conftest import Database
from tests.files import (
    HEIC,
    JPEG,
    PDF,
    PNG,
    TEXT,
    WEBP,
    ask,
    counts,
    documents_of,
    in_pieces,
    pdf_of,
    send,
    send_form,
    uploaded,
)
from tests.house import House, opened

SMALL = {"file_bytes": 100_000, "files": 3, "family_bytes": 150_000, "upload_seconds": 3.0}


@pytest.fixture
async def tight(city: Database) -> AsyncIterator[House]:
    """Give a portal that takes little."""
    async with opened(city.dsn, documents=SMALL) as house:
        yield house


async def acts(house: House, act: str) -> list[Any]:
    """Give the entries of the audit log about an act."""
    return list(await house.connection.fetch("select * from audit_entry where act = $1 order by number", act))


@pytest.mark.parametrize(
    ("content", "media_type", "extension"),
    [
        (PDF, "application/pdf", ".pdf"),
        (JPEG, "image/jpeg", ".jpg"),
        (PNG, "image/png", ".png"),
        (HEIC, "image/heic", ".heic"),
        (WEBP, "image/webp", ".webp"),
        (TEXT, "text/plain", ".txt"),
        (b"BMW, une voiture\n", "text/plain", ".txt"),
    ],
)
async def test_a_file_is_taken_as_what_its_content_is(
    house: House, content: bytes, media_type: str, extension: str
) -> None:
    family, token = await house.member()
    for declared in (media_type, "application/octet-stream"):
        got = await send(house, token, content, name="Ma pièce.xyz", Content_Type=declared)
        assert got.status == 201
        assert got.json == {
            "id": got.json["id"],
            "name": f"Ma pièce.xyz{extension}",
            "mediaType": media_type,
            "size": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
            "expiresOn": got.json["expiresOn"],
        }
    assert [each["sha256"] for each in await documents_of(house, token)] == [got.json["sha256"]] * 2
    assert await counts(house) == (2, 2)
    entries = await acts(house, "document_uploaded")
    assert [entry["family_id"] for entry in entries] == [family.id] * 2
    assert not any("pièce" in str(dict(entry)) for entry in entries)


async def test_a_form_brings_a_file_as_well(house: House) -> None:
    _, token = await house.member()
    got = await send_form(house, token, ("file", PNG, "C:\\photos\\carte d’identité.png", "image/png"))
    assert (got.status, got.json["name"], got.json["mediaType"]) == (201, "carte d’identité.png", "image/png")
    for parts in (
        [("file", PNG, "a.png", "image/png"), ("file", PDF, "b.pdf", "application/pdf")],
        [("document", PNG, "a.png", "image/png")],
    ):
        assert (await send_form(house, token, *parts)).code == "BAD_REQUEST"
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "multipart/form-data; boundary=x"}
    for body in (
        b"",
        b"--x",
        b"--x--\r\n",
        b"no boundary",
        b"--x\r\nContent-Disposition: form-data; name=file\r\n\r\nab",
    ):
        assert (await ask(house, "POST", "/documents", data=body, headers=headers)).status == 400, body
    assert await counts(house) == (1, 1)


def zipped() -> bytes:
    """Make an archive."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.html", "<script>alert(1)</script>")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "declared", "code", "status"),
    [
        (b"", "application/pdf", "DOCUMENT_EMPTY", 422),
        (b"MZ\x90\x00" + bytes(100), "application/pdf", "DOCUMENT_TYPE_NOT_ALLOWED", 415),
        (zipped(), "application/zip", "DOCUMENT_TYPE_NOT_ALLOWED", 415),
        (b"GIF89a" + bytes(50), "image/gif", "DOCUMENT_TYPE_NOT_ALLOWED", 415),
        (b"texte \xff\xfe en latin", "text/plain", "DOCUMENT_TYPE_NOT_ALLOWED", 415),
        (b"texte\x00", "text/plain", "DOCUMENT_TYPE_NOT_ALLOWED", 415),
        (PDF, "image/jpeg", "DOCUMENT_TYPE_MISMATCH", 422),
        (JPEG, "application/pdf", "DOCUMENT_TYPE_MISMATCH", 422),
        (TEXT, "text/html", "DOCUMENT_TYPE_MISMATCH", 422),
        (b"<!DOCTYPE html><p>Bonjour", "text/plain", "DOCUMENT_TYPE_MISMATCH", 422),
        (b"  <SVG xmlns='x' onload='a()'/>", "text/plain", "DOCUMENT_TYPE_MISMATCH", 422),
        (b"#!/bin/sh\nrm -rf /\n", "text/plain", "DOCUMENT_TYPE_MISMATCH", 422),
        (JPEG[:30] + b"<script>a()</script>" + JPEG[30:], "image/jpeg", "DOCUMENT_TYPE_MISMATCH", 422),
        (JPEG[:30] + PDF + JPEG[30:], "image/jpeg", "DOCUMENT_TYPE_MISMATCH", 422),
        (PDF + zipped(), "application/pdf", "DOCUMENT_TYPE_MISMATCH", 422),
        (JPEG + zipped() + b"behind", "image/jpeg", "DOCUMENT_TYPE_MISMATCH", 422),
        (PNG + zipped(), "image/png", "DOCUMENT_TYPE_MISMATCH", 422),
        (PDF[:-6], "application/pdf", "DOCUMENT_BROKEN", 422),
        (JPEG[:-2], "image/jpeg", "DOCUMENT_BROKEN", 422),
        (PNG[:-8], "image/png", "DOCUMENT_BROKEN", 422),
    ],
)
async def test_what_is_not_one_whole_file_of_a_known_type_is_refused_without_a_trace(
    house: House, content: bytes, declared: str, code: str, status: int
) -> None:
    family, token = await house.member()
    await house.connection.execute("update account set language = 'en' where family_id = $1", family.id)
    for language, each in (("fr", token), ("en", await house.sign_in(family.email))):
        got = await send(house, each, content, Content_Type=declared)
        assert (got.status, got.code) == (status, code)
        if language == "en":
            assert got.json["message"] == SENTENCES[code].en
    assert await counts(house) == (0, 0)


def test_names_of_files_are_cleaned() -> None:
    wanted = {
        "../../etc/passwd": "passwd.pdf",
        "C:\\Users\\moi\\Pièce d’identité.PDF": "Pièce d’identité.pdf",
        "facture.pdf.pdf": "facture.pdf",
        "facture\u202efdp.exe": "facturefdp.exe.pdf",
        "a\0b\r\nc\u200b.pdf": "abc.pdf",
        "  .. ": "document.pdf",
        "": "document.pdf",
        ".pdf": "document.pdf",
        "CON.pdf": "_CON.pdf",
        'a<b>:"|?*.jpg': "a_b______.pdf",
        "e\u0301.jpeg": "é.pdf",
        "x" * 300: "x" * 116 + ".pdf",
    }
    assert {name: clean_name(name, "application/pdf") for name in wanted} == wanted


@given(st.text(max_size=400), st.sampled_from(sorted(MEDIA)))
def test_no_name_is_long_hidden_or_a_path(name: str, media_type: str) -> None:
    cleaned = clean_name(name, media_type)
    stem, extension = cleaned[: -len(MEDIA[media_type].extensions[0])], MEDIA[media_type].extensions[0]
    assert cleaned == stem + extension and stem and len(cleaned) <= LONGEST_NAME
    assert not re.search(r'[/\\<>:"|?*]', cleaned) and stem == stem.strip(" .")
    assert not {unicodedata.category(char) for char in cleaned} & UNWANTED
    assert clean_name(cleaned, media_type) == cleaned


async def test_the_limits_of_a_file_and_of_a_family_hold(tight: House) -> None:
    _, token = await tight.member()
    _, other = await tight.member()
    assert (await send(tight, token, pdf_of(100_000))).status == 201
    assert (await send(tight, token, pdf_of(50_001))).code == "DOCUMENTS_TOO_BIG"
    for body in (pdf_of(100_001), in_pieces(pdf_of(100_001)), pdf_of(10_000_000)):
        got = await send(tight, token, body)
        assert (got.status, got.code) == (413, "DOCUMENT_TOO_BIG")
        assert "0,0954 Mo" in got.json["message"]
    for _ in range(2):
        assert (await send(tight, token, PDF)).status == 201
    got = await send(tight, token, PDF)
    assert (got.status, got.code) == (409, "TOO_MANY_DOCUMENTS")
    assert (await send(tight, other, PDF)).status == 201, "each family has its own limits"
    assert await counts(tight) == (4, 4)


async def test_limits_hold_for_files_that_come_at_once(city: Database) -> None:
    async with opened(city.dsn, documents=SMALL | {"uploads_per_account": 50, "uploads": 50}) as house:
        _, token = await house.member()
        got = await asyncio.gather(*(send(house, token, PDF) for _ in range(20)))
        assert sorted(each.status for each in got) == [201] * 3 + [409] * 17
        assert await counts(house) == (3, 3)


async def slowly(started: asyncio.Event, go_on: asyncio.Event) -> AsyncIterator[bytes]:
    """Send a body that stops in its middle."""
    yield PDF[:20]
    started.set()
    await go_on.wait()
    yield PDF[20:]


async def test_a_login_sends_two_files_at_once_and_what_is_too_slow_is_refused(tight: House) -> None:
    _, token = await tight.member()
    _, other = await tight.member()
    events = [(asyncio.Event(), asyncio.Event()) for _ in range(2)]
    sending = [asyncio.create_task(send(tight, token, slowly(*pair))) for pair in events]
    for started, _ in events:
        await started.wait()
    async with asyncio.timeout(10):
        while await counts(tight) != (0, 2):
            await asyncio.sleep(0.02)
    got = await send(tight, token, PDF)
    assert (got.status, got.code) == (429, "TOO_MANY_REQUESTS")
    assert (await send(tight, other, PDF)).status == 201
    events[0][1].set()
    assert (await sending[0]).status == 201
    late = await sending[1]
    assert (late.status, late.code) == (408, "UPLOAD_TOO_SLOW")
    events[1][1].set()
    assert (await send(tight, token, PDF)).status == 201
    assert await counts(tight) == (3, 3)


async def test_a_file_that_breaks_off_leaves_nothing(house: House) -> None:
    _, token = await house.member()
    host, port = house.url.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    head = f"POST /documents HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: Bearer {token}\r\n"
    writer.write(f"{head}Content-Length: 9999\r\n\r\n".encode() + PDF)
    await writer.drain()
    async with asyncio.timeout(10):
        while await counts(house) == (0, 0):
            await asyncio.sleep(0.02)
        writer.close()
        while await counts(house) != (0, 0):
            await asyncio.sleep(0.02)
    assert (await send(house, token, PDF)).status == 201


async def test_the_door_is_that_of_graphql(house: House) -> None:
    _, token = await house.member()
    _, newcomer = await house.member(accepts_terms=False)
    cookie = f"kiosque-access={token}"
    refused = [
        (await send(house, None, PDF), 401, "UNAUTHENTICATED"),
        (await send(house, "x", PDF), 401, "UNAUTHENTICATED"),
        (await send(house, await house.agent(), PDF), 403, "FORBIDDEN"),
        (await send(house, newcomer, PDF), 403, "TERMS_NOT_ACCEPTED"),
        (await send(house, token, PDF, Origin="https://elsewhere.example"), 403, "FORBIDDEN"),
        (await send(house, token, PDF, Sec_Fetch_Site="cross-site"), 403, "FORBIDDEN"),
        (await send(house, None, PDF, Cookie=cookie), 403, "FORBIDDEN"),
        (await send(house, token, gzip.compress(PDF), Content_Encoding="gzip"), 415, "BAD_REQUEST"),
        (await send(house, token, PDF, query="?expiresOn=demain"), 400, "BAD_REQUEST"),
        (await send(house, token, PDF, query="?expiresOn=2020-01-01"), 422, "EXPIRY_NOT_VALID"),
        (await send(house, token, PDF, query="?expiresOn=2999-01-01"), 422, "EXPIRY_NOT_VALID"),
        (await ask(house, "GET", "/documents"), 405, "BAD_REQUEST"),
    ]
    assert [(got.status, got.code) for got, _, _ in refused] == [(status, code) for _, status, code in refused]
    assert await counts(house) == (0, 0)
    assert (await send(house, None, PDF, Cookie=cookie, X_Portal_Client="web")).status == 201
    day = (datetime.now(UTC) + timedelta(days=3000)).date()
    assert (await send(house, token, PDF, query=f"?expiresOn={day}")).json["expiresOn"] == day.isoformat()


async def test_a_listed_site_may_upload_and_no_other(city: Database) -> None:
    server = {"port": 0, "allowed_origins": ["https://portail.example"]}
    async with opened(city.dsn, server=server) as house:
        _, token = await house.member()
        for origin, status in (("https://portail.example", 204), ("https://elsewhere.example", 405)):
            got = await ask(house, "OPTIONS", "/documents", headers={"Origin": origin})
            assert got.status == status and ("Access-Control-Allow-Origin" in got.headers) == (status == 204)
        got = await send(house, token, PDF, Origin="https://portail.example")
        assert got.status == 201 and got.headers["Access-Control-Allow-Origin"] == "https://portail.example"


async def test_nothing_is_taken_during_maintenance(house: House) -> None:
    _, token = await house.member()
    await house.connection.execute(
        """insert into maintenance (id, starts_at, message_fr, message_en, agents_may_work, created_at)
           values (gen_random_uuid(), now() - interval '1 s', 'Une pause.', 'A pause.', false, now())"""
    )
    async with asyncio.timeout(5):
        while (got := await send(house, token, PDF)).status == 201:
            await asyncio.sleep(0.05)
    assert (got.status, got.code, got.json["message"]) == (503, "MAINTENANCE", "Une pause.")
    before = await counts(house)
    assert (await send(house, token, PDF)).status == 503 and await counts(house) == before


async def test_uploads_cost_points(city: Database) -> None:
    limits = {"throttle": True, "points_per_second": 0.1, "points_burst": 120.0}
    async with opened(city.dsn, limits=limits) as house:
        _, token = await house.member()
        assert [(await send(house, token, PDF)).status for _ in range(2)] == [201, 201]
        got = await send(house, token, PDF)
        assert (got.status, got.code) == (429, "THROTTLED") and int(got.headers["Retry-After"]) > 0
        assert await counts(house) == (2, 2)


async def test_files_lie_encrypted_and_only_we_may_read_them(house: House) -> None:
    _, token = await house.member()
    await send(house, token, b"Secret de famille. " * 10_000, Content_Type="text/plain")
    folder = Path(house.settings.data.folder, "documents")
    [file] = [path for path in folder.rglob("*") if path.is_file()]
    content = file.read_bytes()
    assert b"Secret" not in content and len(content) == 190_000 + 3 * 28
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*") if path.is_dir()} == {0o700}


async def test_the_date_of_expiry_is_a_year_ahead_unless_said(house: House) -> None:
    _, token = await house.member()
    await uploaded(house, token)
    [found] = await documents_of(house, token)
    assert abs((date.fromisoformat(found["expiresOn"]) - datetime.now(UTC).date()).days - 365) <= 1
    assert found["scannedAt"] is None and found["erasedAt"] is None
