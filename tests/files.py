"""Files as families send them, and the requests that bring them to a portal and back."""

import os
import struct
import zlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
from aiohttp import FormData

from db.ids import uuid7
from tests.house import START, SUBMIT, House

PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Type /Catalog >>\nendobj\nstartxref\n0\n%%EOF\n"
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00" + bytes(200) + b"\xff\xd9"
HEIC = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(300)
WEBP = b"RIFF\x24\x01\x00\x00WEBPVP8 " + bytes(300)
TEXT = "Né à Pessac – œuvre d’un élève ✓\r\n".encode()


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


PNG = (
    b"\x89PNG\r\n\x1a\n"
    + _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    + _chunk(b"IDAT", zlib.compress(b"\0\0"))
    + _chunk(b"IEND", b"")
)


def pdf_of(size: int) -> bytes:
    """Make a PDF of so many bytes that nothing can compress."""
    frame = len(PDF)
    noise = os.urandom(size - frame - 2).replace(b"PK", b"pk").replace(b"<", b"(")  # nothing that opens another format
    return PDF[:-6] + b"\n%" + noise + b"%%EOF\n"


@dataclass(slots=True)
class Got:
    """An answer as it came."""

    status: int
    body: bytes
    headers: Mapping[str, str]
    json: Any = field(default=None)

    @property
    def code(self) -> str:
        """The code of a refusal, which holds nothing but it and a sentence."""
        assert set(self.json) == {"code", "message"} and self.json["message"], self.json
        code: str = self.json["code"]
        return code


async def send(
    house: House,
    token: str | None,
    content: Any,
    *,
    name: str | None = "attestation.pdf",
    query: str = "",
    **headers: str,
) -> Got:
    """Upload a file as the whole body of a request."""
    given = {"Content-Type": "application/pdf"} | {key.replace("_", "-"): value for key, value in headers.items()}
    if token:
        given["Authorization"] = f"Bearer {token}"
    if name is not None:
        given["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    body = BytesIO(content) if isinstance(content, bytes) else content
    return await ask(house, "POST", f"/documents{query}", data=body, headers=given)


async def send_form(house: House, token: str, *parts: tuple[str, bytes, str, str]) -> Got:
    """Upload files as parts of a form: name of the part, bytes, file name, type."""
    form = FormData(quote_fields=False)  # as browsers write it
    for part, content, name, declared in parts:
        form.add_field(part, content, filename=name, content_type=declared)
    return await ask(house, "POST", "/documents", data=form, headers={"Authorization": f"Bearer {token}"})


async def ask(house: House, method: str, path: str, **more: Any) -> Got:
    """Send anything to a portal."""
    async with house.http.request(method, path if path.startswith("http") else house.url + path, **more) as answer:
        body = await answer.read()
        decoded = await answer.json() if answer.content_type == "application/json" and body else None
        return Got(answer.status, body, answer.headers, decoded)


async def fetch(house: House, identity: str, token: str | None = None, method: str = "GET", **headers: str) -> Got:
    """Fetch a document by its id."""
    given = {key.replace("_", "-"): value for key, value in headers.items()}
    if token:
        given["Authorization"] = f"Bearer {token}"
    return await ask(house, method, f"/documents/{quote(identity, safe='')}", headers=given)


async def uploaded(house: House, token: str, content: bytes = PDF, name: str = "attestation.pdf") -> str:
    """Upload a file that is taken; give its id."""
    got = await send(house, token, content, name=name, Content_Type="application/octet-stream")
    assert got.status == 201, got.body
    identity: str = got.json["id"]
    return identity


async def in_pieces(content: bytes, size: int = 65_536) -> AsyncIterator[bytes]:
    """Give a body without saying how long it is."""
    for at in range(0, len(content), size):
        yield content[at : at + size]


ATTACH = """mutation ($procedure: ID!, $document: ID!, $field: String!) {
    attachDocument(procedure: $procedure, document: $document, field: $field) { problems { code path }
        attached { id field document { id name } } } }"""
REMOVE = """mutation ($document: ID!, $procedure: ID) { removeDocument(document: $document, procedure: $procedure) {
    problems { code path } document { id name erasedAt } } }"""
LINK = "mutation ($document: ID!) { documentLink(document: $document) { problems { code path } url expiresAt } }"
OF_PROCEDURE = """query ($id: ID!) { node(id: $id) { ... on Procedure { status
    documents { totalCount edges { node { id field document { id name mediaType size sha256 } } } } } } }"""
OF_FAMILY = """{ viewer { family { documents { totalCount edges { node {
    id name mediaType size sha256 expiresOn scannedAt erasedAt } } } } } }"""
KEEP = """mutation ($keep: Boolean!) { setDataRetention(datum: DOCUMENTS, keep: $keep) { problems { code } } }"""


async def draft(house: House, token: str) -> str:
    """Start a canteen registration that can be submitted; give its id."""
    answers = await house.connection.fetchval(
        """select p.answers::text from procedure p join procedure_kind k on k.id = p.kind_id
           where k.code = 'cantine' and p.status <> 'DRAFT' limit 1"""
    )
    started = await house.do(START, token, kind="cantine", key=str(uuid7()), answers=msgspec.json.decode(answers))
    identity: str = started["procedure"]["id"]
    return identity


async def filed(house: House, token: str, *documents: str, submit: bool = True) -> str:
    """File documents with a new procedure; give its id."""
    procedure = await draft(house, token)
    for document in documents:
        await house.do(ATTACH, token, procedure=procedure, document=document, field="pai")
    if submit:
        await house.do(SUBMIT, token, procedure=procedure)
    return procedure


async def documents_of(house: House, token: str) -> list[dict[str, Any]]:
    """List the documents of the family that is signed in."""
    found = (await house.ask(OF_FAMILY, token)).data["viewer"]["family"]["documents"]
    assert found["totalCount"] == len(found["edges"])
    return [edge["node"] for edge in found["edges"]]


async def counts(house: House) -> tuple[int, int]:
    """Count rows of documents, and files in the folder of a house, unfinished ones among them."""
    rows = await house.connection.fetchval("select count(*) from document")
    folder = Path(house.settings.data.folder, "documents")
    return rows, sum(path.is_file() for path in folder.rglob("*"))
