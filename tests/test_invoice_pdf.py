"""Invoices on paper: what stands on the page and in its tags, who gets the bytes, and that they stay the same."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from db.ids import uuid7
from db.invoicing import reference_of
from db.issuing import Printed, PrintedLine
from db.settings import Settings
from resolvers import activation_codes, invoice_pdf
from resolvers.invoice_issue import issue_one
from resolvers.typesetting import Typesetter, TypesetterBusy
from tests.billing import MARCH, PUBLISH, Village, village
from tests.house import KEYS, House, Made
from tests.purse import pay

ISSUED = date(2026, 4, 2)
REASON = {"fr": "Quotient familial (CAF, depuis le 01/01/2026) : tranche de 600 à moins de 900 €.", "en": "Bracket."}


@pytest.fixture
async def town(house: House) -> AsyncIterator[Village]:
    """Give a town with a price for a day at the leisure centre."""
    made = await village(house)
    await made.price("journee", 0, None, 1500, date(2026, 1, 1))
    yield made


@pytest.fixture
async def cashier(house: House) -> str:
    """Give the token of an agent who may bill."""
    return await house.agent("regie")


async def get(house: House, number: str, token: str | None = None, query: str = "") -> tuple[int, bytes, Any]:
    """Fetch an invoice."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with house.http.get(f"{house.url}/invoices/{number}.pdf{query}", headers=headers) as response:
        return response.status, await response.read(), response.headers


async def billed(town: Village, cashier: str, family: Made) -> str:
    """Bill a family one day and give the number of its invoice."""
    [child] = await town.children(family)
    await town.used(family, child, "journee", date(2026, 3, 4))
    await town.published(cashier)
    [(number,)] = await town.see("select number from invoice where family_id = $1", family.id)
    return str(number)


async def test_the_family_and_the_cashier_get_the_same_bytes_every_time(town: Village, cashier: str) -> None:
    family, token = await town.house.member()
    number = await billed(town, cashier, family)

    answers = [await get(town.house, number, each) for each in (token, cashier, token)]

    assert {status for status, _, _ in answers} == {200}
    assert len({body for _, body, _ in answers}) == 1 and answers[0][1].startswith(b"%PDF-")
    assert answers[0][2]["Content-Type"] == "application/pdf"
    assert "no-store" in answers[0][2]["Cache-Control"]
    [(kept,)] = await town.see("select pdf from invoice where number = $1", number)
    assert not bytes(kept).startswith(b"%PDF"), "the bytes are sealed"


async def test_the_link_of_the_message_opens_that_invoice_and_no_other(town: Village, cashier: str) -> None:
    family, _ = await town.house.member()
    other, _ = await town.house.member()
    [child] = await town.children(other)
    await town.used(other, child, "journee", date(2026, 3, 4))
    number = await billed(town, cashier, family)
    [(others,)] = await town.see("select number from invoice where family_id = $1", other.id)
    text = await town.house.mail_to(family.email, number)
    found = re.search(r"\?token=\S+", text)
    assert found is not None
    link = found[0].rstrip(").,")

    assert (await get(town.house, number, query=link))[0] == 200
    assert (await get(town.house, others, query=link))[0] == 404
    assert (await get(town.house, number, query=link[:-3] + ("AAA" if link[-3:] != "AAA" else "BBB")))[0] == 404
    town.house.clock.ahead += datetime(2027, 1, 1) - datetime(2026, 10, 1)
    assert (await get(town.house, number, query=link))[0] == 404


async def test_nobody_else_learns_even_that_an_invoice_is_there(town: Village, cashier: str) -> None:
    family, _ = await town.house.member()
    _, stranger = await town.house.member()
    number = await billed(town, cashier, family)
    handler = await town.house.agent("etat.civil")

    answers = [await get(town.house, *each) for each in ((number,), (number, stranger), (number, handler))]
    missing = await get(town.house, "2026-999999", stranger)

    assert {(status, body) for status, body, _ in answers} == {(404, missing[1])}
    assert missing[0] == 404
    assert (await get(town.house, "../secret", stranger))[0] == 404


async def test_an_invoice_is_set_when_it_is_asked_for_before_its_turn(town: Village, cashier: str) -> None:
    family, token = await town.house.member()
    [child] = await town.children(family)
    await town.used(family, child, "journee", date(2026, 3, 4))
    run = await town.drafted(cashier)
    await town.house.do(
        "mutation ($run: ID!) { publishBillingRun(run: $run) { problems { code } } }", cashier, run=run["id"]
    )
    await town.jobs("publish_billing_run")
    [(number,)] = await town.see("select number from invoice where family_id = $1 and pdf is null", family.id)

    early = await get(town.house, number, token)
    await town.jobs()

    assert early[0] == 200 and (await get(town.house, number, token))[1] == early[1]
    assert await town.see("select count(*) from news where family_id = $1 and type = 'invoice_issued'", family.id) == [
        (1,)
    ]


async def test_an_invoice_that_two_processes_set_at_once_is_kept_and_told_once_and_then_no_more(
    town: Village, cashier: str
) -> None:
    family = await town.house.make_family()
    await town.do("delete from activation_code where family_id = $1", family.id)
    [child] = await town.children(family)
    await town.used(family, child, "journee", date(2026, 3, 4))
    run = await town.drafted(cashier)
    await town.house.do(PUBLISH, cashier, run=run["id"])
    await town.jobs("publish_billing_run")
    [(identity,)] = await town.see("select id from invoice where family_id = $1", family.id)
    kept = """select pdf, (select count(*) from activation_code c where c.family_id = i.family_id) as codes,
            (select count(*) from news n where n.family_id = i.family_id and n.type = 'invoice_issued') as told
        from invoice i where i.id = $1"""
    assert town.house.opened is not None
    process = town.house.opened.process

    await asyncio.gather(*(issue_one(process, family.id, identity) for _ in range(3)))
    once = await town.see(kept, identity)
    await issue_one(process, family.id, identity)
    await issue_one(process, family.id, uuid7())  # ordered of what there is no more

    assert once[0][0] is not None and once[0][1:] == (1, 1)
    assert await town.see(kept, identity) == once


async def test_the_code_on_the_invoice_opens_the_account_of_a_family_not_yet_active(
    town: Village, cashier: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    family = await town.house.make_family()
    await town.do("delete from activation_code where family_id = $1", family.id)
    said: list[str | None] = []
    contents = invoice_pdf.contents

    def listening(printed: Printed, settings: Settings, code: str | None, until: date | None) -> dict[str, Any]:
        said.append(code)
        return contents(printed, settings, code, until)

    monkeypatch.setattr(invoice_pdf, "contents", listening)
    await billed(town, cashier, family)

    [code] = said
    assert code is not None
    [(kept,)] = await town.see("select code_hmac from activation_code where family_id = $1", family.id)
    assert bytes(kept) == activation_codes.digest(KEYS, family.number, code)


def printed(language: str, lines: int, **others: Any) -> Printed:
    """Make an invoice to be printed."""
    line = PrintedLine("Repas", "Meal", "Zoé Martin", MARCH, date(2026, 3, 30), 17, 190, 3230, False, REASON)
    eligible = PrintedLine("Journée", "Day", None, MARCH, MARCH, 1, 1500, 1500, True, REASON)
    all_lines = [*[line] * (lines - 1), eligible]
    values: dict[str, Any] = {
        "family_id": UUID(int=1),
        "id": UUID(int=2),
        "number": "2026-000123",
        "period": MARCH,
        "issued_on": ISSUED,
        "due_on": date(2026, 5, 2),
        "total_cents": sum(each.cents for each in all_lines),
        "cesu_cents": 1500,
        "settled_cents": 0,
        "reference": reference_of("2026-000123"),
        "family_number": "300123",
        "family_name": "Famille Martin",
        "language": language,
        "waiting": False,
        "address": "12 rue des Lilas, 33600 Pessac",
        "replaces": None,
        "lines": all_lines,
    }
    return Printed(**{**values, **others})


async def pdf_of(each: Printed, code: str | None = None) -> bytes:
    """Set an invoice."""
    setter = Typesetter()
    try:
        data = invoice_pdf.contents(each, Settings(), code, date(2026, 10, 1))
        at = datetime(2026, 4, 2, tzinfo=UTC)
        return await setter.pdf(invoice_pdf.TEMPLATE, data, at, 60, standards=invoice_pdf.STANDARDS)
    finally:
        setter.close()


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize(("lines", "pages"), [(3, 1), (30, 3)])
async def test_an_invoice_is_tagged_archived_and_of_few_pages(language: str, lines: int, pages: int) -> None:
    made = await pdf_of(printed(language, lines))

    assert b"<pdfaid:part>3</pdfaid:part>" in made and b"<pdfaid:conformance>A</pdfaid:conformance>" in made
    assert b"<pdfuaid:part>1</pdfuaid:part>" in made
    assert re.search(rf"/Lang ?\({language}".encode(), made) and b"/StructTreeRoot" in made
    assert f"/Type/Pages/Count {pages}/".encode() in made


async def test_the_same_invoice_gives_the_same_bytes() -> None:
    assert await pdf_of(printed("fr", 4)) == await pdf_of(printed("fr", 4))


@pytest.mark.parametrize("language", ["fr", "en"])
def test_what_must_stand_on_an_invoice_stands_on_it(language: str) -> None:
    said = invoice_pdf.contents(printed(language, 2, replaces="2026-000101"), Settings(), "ABCDE-FGHJK", ISSUED)

    text = (
        json.dumps(said, ensure_ascii=False)
        .replace("\N{NO-BREAK SPACE}", " ")
        .replace("\N{NARROW NO-BREAK SPACE}", " ")
    )
    for needed in ("2026-000123", "2026 0001 23", "300123", "2026-000101", "ABCDE-FGHJK", "L1617-5", "CESU"):
        assert needed in text, needed
    assert ("47,30 €" if language == "fr" else "€47.30") in text
    assert said["coupon"]["facts"][0][1] == said["facts"][5][1], "the body repeats the coupon's reference"
    assert any(said["total"] == value for _, value in said["coupon"]["facts"])


@pytest.mark.parametrize("language", ["fr", "en"])
async def test_what_a_credit_settled_is_not_asked_for_again(language: str) -> None:
    part = invoice_pdf.contents(printed(language, 2, settled_cents=4_000), Settings(), None, None)
    spaces = str.maketrans("\N{NARROW NO-BREAK SPACE}\N{NO-BREAK SPACE}", "  ")
    amounts = [amount.translate(spaces) for _, amount, _ in part["totals"]]
    assert amounts == (
        ["47,30 €", "-40,00 €", "7,30 €", "7,30 €"] if language == "fr" else ["€47.30", "-€40.00", "€7.30", "€7.30"]
    )
    assert part["total"].translate(spaces) == amounts[2]
    assert part["coupon"]["ocr"] == invoice_pdf.optical_line(reference_of("2026-000123"), 730)
    whole = printed(language, 2, settled_cents=4_730)
    said = invoice_pdf.contents(whole, Settings(), None, None)
    assert (said["coupon"], said["ways"], said["cesu"]) == (None, [], "")
    assert said["due"] == invoice_pdf.NOTHING_DUE.to(language)
    assert (await pdf_of(whole)).startswith(b"%PDF-")


async def test_an_invoice_and_its_message_say_what_a_credit_left_to_pay(
    town: Village, cashier: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    part, _ = await town.house.member()
    whole, _ = await town.house.member()
    for family, cents in ((part, 1_000), (whole, 5_000)):
        await pay(town.house.connection, family.id, cents, [])
        [child] = await town.children(family)
        await town.used(family, child, "journee", date(2026, 3, 4))
    said: dict[str, Any] = {}
    contents = invoice_pdf.contents

    def listening(printed: Printed, settings: Settings, code: str | None, until: date | None) -> dict[str, Any]:
        said[printed.family_number] = (printed.total_cents, printed.settled_cents)
        return contents(printed, settings, code, until)

    monkeypatch.setattr(invoice_pdf, "contents", listening)
    await town.published(cashier)

    assert (said[part.number], said[whole.number]) == ((1_500, 1_000), (1_500, 1_500))
    text = (await town.house.mail_to(part.email, "Votre avoir")).replace("\N{NO-BREAK SPACE}", " ")
    assert "en a réglé 10,00 €" in text and "il reste 5,00 € à payer" in text
    assert ", rien à payer" in await town.house.mail_to(whole.email, "Votre facture")


def test_the_line_for_optical_readers_has_check_digits_for_reference_and_amount() -> None:
    reference, amount = invoice_pdf.optical_line(reference_of("2026-000123"), 4730).split(" ")
    assert int(reference) % 97 == 1 and int(amount) % 97 == 1
    assert amount[:10] == "0000004730"
    for place in range(12):
        wrong = amount[:place] + str((int(amount[place]) + 1) % 10) + amount[place + 1 :]
        assert int(wrong) % 97 != 1


def test_the_qr_code_has_a_quiet_zone_and_finder_patterns() -> None:
    code = invoice_pdf.contents(printed("fr", 1), Settings(), None, None)["coupon"]["qr"]
    size, pixels = code["size"], code["pixels"]
    rows = [pixels[start : start + size] for start in range(0, size * size, size)]
    assert len(pixels) == size * size and set(pixels) == {0, 255}
    assert all(pixel == 255 for row in rows[:4] for pixel in row)
    assert rows[4][4:11] == [0] * 7 and rows[5][4:11] == [0, *[255] * 5, 0]


async def test_names_without_a_sign_in_the_fonts_do_not_stop_an_invoice() -> None:
    assert (await pdf_of(printed("fr", 1, family_name="Famille 李 \u202e 🎈 " + "x" * 150))).startswith(b"%PDF-")


async def test_an_invoice_that_takes_too_long_is_given_up() -> None:
    setter = Typesetter()
    try:
        data = invoice_pdf.contents(printed("fr", 40), Settings(), None, None)
        with pytest.raises(TypesetterBusy):
            await setter.pdf(invoice_pdf.TEMPLATE, data, datetime.now(UTC), 0.000001, standards=invoice_pdf.STANDARDS)
    finally:
        setter.close()
