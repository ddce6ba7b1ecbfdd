"""Certificates: what they hold, who gets them, and that the same procedure gives the same bytes."""

import asyncio
import hashlib
import re
import sys
import zlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlparse

import pytest

from resolvers.certificates import TEMPLATE
from resolvers.typesetting import MOST_WAITING, Typesetter, TypesetterBusy, printable
from tests.clockwork import run_due
from tests.conftest import Database
from tests.house import START, House, opened
from tests.test_legal_clock import LONG, STAFF, WITHDRAW

LINK = "mutation ($procedure: ID!) { certificateLink(procedure: $procedure) { problems { code } url expiresAt } }"
REFERENCE = "query ($id: ID!) { node(id: $id) { ... on Procedure { reference acknowledgement { contentSha256 } } } }"


@pytest.fixture
async def house(city: Database) -> AsyncIterator[House]:
    """Give a portal whose sessions outlive the months that pass in these tests."""
    async with opened(city.dsn, tokens={**LONG, **STAFF}) as running:
        yield running


async def get(house: House, path: str, token: str | None = None, **headers: str) -> tuple[int, bytes, Any]:
    """Fetch something of the portal."""
    given = {"Authorization": f"Bearer {token}"} if token else {}
    async with house.http.get(f"{house.url}{path}", headers={**given, **headers}) as answer:
        return answer.status, await answer.read(), answer.headers


async def certificate(house: House, reference: str, token: str | None = None, **headers: str) -> tuple[int, bytes, Any]:
    """Fetch a certificate."""
    return await get(house, f"/procedures/{reference}/certificate.pdf", token, **headers)


async def named(house: House, token: str, procedure: str) -> tuple[str, str]:
    """Give the reference of a procedure and the hash in its acknowledgement."""
    node = (await house.ask(REFERENCE, token, id=procedure)).data["node"]
    return node["reference"], node["acknowledgement"]["contentSha256"]


def text_of(pdf: bytes) -> str:
    """Read the metadata of a PDF, and whatever of its streams is plain."""
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL)
    plain = []
    for stream in streams:
        try:
            plain.append(zlib.decompress(stream).decode("latin-1"))
        except zlib.error:
            plain.append(stream.decode("latin-1"))
    return "\n".join([pdf.decode("latin-1"), *plain])


async def test_a_certificate_is_a_tagged_pdf_for_keeping_and_for_screen_readers(house: House) -> None:
    _, token = await house.member()
    reference, _ = await named(house, token, await house.submitted(token))
    status, body, headers = await certificate(house, reference, token)
    assert status == 200 and body.startswith(b"%PDF-") and headers["Content-Type"] == "application/pdf"
    assert headers["Cache-Control"] == "private, no-store" and reference in headers["Content-Disposition"]
    text = text_of(body)
    assert "<pdfaid:part>2<" in text and "<pdfaid:conformance>A<" in text and "<pdfuaid:part>1<" in text
    assert "/Lang" in text and "/StructTreeRoot" in text


async def test_the_same_procedure_gives_the_same_bytes_days_later_and_to_an_agent(house: House) -> None:
    _, token = await house.member()
    reference, _ = await named(house, token, await house.submitted(token))
    _, first, headers = await certificate(house, reference, token)
    assert headers["ETag"] == f'"{hashlib.sha256(first).hexdigest()}"'
    house.clock.ahead = timedelta(days=30)
    assert (await certificate(house, reference, token))[1] == first
    assert (await certificate(house, reference, await house.agent()))[1] == first
    assert (await certificate(house, reference, token, **{"If-None-Match": headers["ETag"]}))[0] == 304
    english = await certificate(house, reference, token, **{"Accept-Language": "en"})
    assert english[0] == 200


async def test_nobody_else_gets_a_certificate(house: House) -> None:
    _, token = await house.member()
    _, stranger = await house.member()
    reference, _ = await named(house, token, await house.submitted(token))
    for other in (None, stranger, await house.agent("voirie"), "not-a-token"):
        status, body, _ = await certificate(house, reference, other)
        assert (status, b"%PDF" in body) == (404, False)
    assert (await certificate(house, "PES-2026-999999", token))[0] == 404
    assert (await certificate(house, "'; select 1 --", token))[0] == 404


async def test_a_draft_has_no_certificate_and_no_link(house: House) -> None:
    _, token = await house.member()
    draft = (await house.do(START, token, kind="cantine", key="une-cle-de-test", answers={}))["procedure"]
    assert (await certificate(house, draft["reference"], token))[0] == 404
    assert await house.problems(LINK, token, procedure=draft["id"]) == ["NOT_FOUND"]
    given = "select count(*) from audit_entry where act = 'certificate_given'"
    assert await house.connection.fetchval(given) == 0


async def test_a_link_gives_one_certificate_for_five_minutes(house: House) -> None:
    _, token = await house.member()
    _, stranger = await house.member()
    procedure, other = await house.submitted(token), await house.submitted(token)
    made = await house.do(LINK, token, procedure=procedure)
    assert await house.problems(LINK, stranger, procedure=procedure) == ["NOT_FOUND"]
    parts = urlparse(made["url"])
    path = f"{parts.path}?{parts.query}"
    status, body, _ = await get(house, path)
    assert status == 200 and body.startswith(b"%PDF-")
    reference, _ = await named(house, token, procedure)
    foreign, _ = await named(house, token, other)
    assert (await get(house, path.replace(reference, foreign)))[0] == 404
    assert (await get(house, path[:-8] + "AAAAAAAA"))[0] == 404
    house.clock.ahead = timedelta(seconds=301)
    assert (await get(house, path))[0] == 404


async def test_a_certificate_outlives_the_answers_and_keeps_their_hash(house: House) -> None:
    _, token = await house.member()
    procedure = await house.submitted(token)
    reference, _ = await named(house, token, procedure)
    _, before, _ = await certificate(house, reference, token)
    await house.do(WITHDRAW, token, procedure=procedure)
    house.clock.ahead = timedelta(days=100)
    await run_due(house, "erase_unkept")
    status, after, _ = await certificate(house, reference, token)
    assert status == 200 and after != before and len(after) < len(before)


async def test_a_procedure_of_before_there_were_acknowledgements_gets_one_with_its_certificate(house: House) -> None:
    family, token = await house.member()
    reference, sha256 = await named(house, token, await house.submitted(token))
    await house.connection.execute("delete from acknowledgement where family_id = $1", family.id)
    assert (await certificate(house, reference, token))[0] == 200
    kept = "select content_sha256 from acknowledgement where family_id = $1"
    assert await house.connection.fetchval(kept, family.id) == sha256


async def test_answers_in_any_script_are_set_and_never_read_as_markup(house: House) -> None:
    _, token = await house.member()
    answers = {
        "school": '#panic("x") $1/0$ *a* `b` @c <d> \\ 漢字 😀 ‮abc',
        "starts_on": "2026-09-01",
        "days": ["MONDAY"],
        "diet": "STANDARD",
        "allergy": False,
        "remark": "a" * 400,
    }
    draft = (await house.do(START, token, kind="cantine", key="une-cle-de-test", answers=answers))["procedure"]
    submit = "mutation ($id: ID!) { submitProcedure(procedure: $id, attests: true) { problems { code message path } } }"
    await house.do(submit, token, id=draft["id"])
    status, body, _ = await certificate(house, draft["reference"], token)
    assert status == 200 and body.startswith(b"%PDF-")


def test_what_no_font_has_is_written_by_its_number() -> None:
    assert printable("é😀\r\n\tx\x07") == "é[U+1F600]\n x"
    assert printable("e\u0301") == "é"
    assert printable("\u202eabc") == "[U+202E]abc"


async def test_the_fonts_have_a_sign_for_all_that_is_left_as_it_is() -> None:
    left = [chr(n) for n in range(sys.maxunicode + 1) if not 0xD800 <= n < 0xE000 and printable(chr(n)) == chr(n)]
    assert len(left) > 2_000
    typesetter = Typesetter()
    source = b"""#let data = json(bytes(sys.inputs.data))
#set document(title: "x", date: datetime(year: 2026, month: 1, day: 1))
#set text(font: ("Libertinus Serif", "DejaVu Sans Mono"), lang: "fr")
#data.text"""
    try:
        pdf = await typesetter.pdf(source, {"text": " ".join(left)}, datetime(2026, 1, 1, tzinfo=UTC), 60)
        assert pdf.startswith(b"%PDF-")
    finally:
        typesetter.close()


SLOW = b"""#let data = json(bytes(sys.inputs.data))
#set document(title: "x", date: datetime(year: 2026, month: 1, day: 1))
#set text(lang: "fr")
#for n in range(9000) [#n ]"""


async def test_a_document_that_takes_too_long_is_given_up_and_the_next_is_made() -> None:
    typesetter = Typesetter()
    try:
        with pytest.raises(TypesetterBusy):
            await typesetter.pdf(SLOW, {}, datetime(2026, 1, 1, tzinfo=UTC), 0.001)
        assert (await typesetter.pdf(SLOW, {}, datetime(2026, 1, 1, tzinfo=UTC), 60)).startswith(b"%PDF-")
        waiting = [
            asyncio.create_task(typesetter.pdf(SLOW, {}, datetime(2026, 1, 1, tzinfo=UTC), 60))
            for _ in range(MOST_WAITING)
        ]
        await asyncio.sleep(0)
        with pytest.raises(TypesetterBusy):
            await typesetter.pdf(SLOW, {}, datetime(2026, 1, 1, tzinfo=UTC), 60)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
    finally:
        typesetter.close()
    assert TEMPLATE.count(b"#import") == 0, "nothing is fetched"
