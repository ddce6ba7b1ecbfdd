"""Paying by card online (R25, R30–R35): from the invoice over the bank's page to the ledger, and everything between."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from db import money
from db.clock import utc_now
from db.ids import uuid7
from gateway.demo.bank import GIVEN_UP, REFUSED, TAKEN
from gateway.demo.bank_systempay import signed
from tests.clockwork import run_due
from tests.conftest import Database
from tests.live import Socket
from tests.purse import pay
from tests.till import CANCEL, START, Till, global_id, ids, till_on


@pytest.fixture
async def till(city: Database) -> AsyncIterator[Till]:
    """Give a portal with banks."""
    async with till_on(city.dsn) as made:
        yield made


@pytest.mark.parametrize("bank", ["systempay", "payfip"])
async def test_an_invoice_is_paid_at_the_bank_and_settled_to_the_cent(till: Till, bank: str) -> None:
    family, token = await till.family()
    invoice = await till.invoice(family, 4250, 1999)
    started = await till.start(token, invoice, bank=bank)
    assert (started["payment"]["status"], started["payment"]["amount"]["cents"]) == ("REDIRECTED", 6249)
    await till.pay(started)
    shown = await till.show(token, started)
    assert shown["status"] == "PAID"
    assert shown["payment"]["amount"]["cents"] == 6249
    assert shown["payment"]["credit"]["cents"] == 0
    assert len(shown["payment"]["bankReference"]) == 6
    assert [edge["node"]["status"] for edge in shown["invoices"]["edges"]] == ["PAID"]
    assert await till.verdicts(started) == ["BOOKED"]
    news = "select count(*) from news where family_id = $1 and type = 'payment_received'"
    assert await till.house.connection.fetchval(news, family.id) == 1


async def test_several_invoices_of_a_family_are_paid_at_once(till: Till) -> None:
    family, token = await till.family()
    basket = [await till.invoice(family, cents) for cents in (1000, 2500, 399)]
    started = await till.start(token, *basket)
    await till.pay(started)
    shown = await till.show(token, started)
    assert {edge["node"]["status"] for edge in shown["invoices"]["edges"]} == {"PAID"}
    books = await till.books()
    assert (books.payments, books.paid_cents, books.credit_cents, books.live) == (1, 3899, 0, 0)


async def test_a_refused_card_cancels_the_request_tells_the_family_and_leaves_the_invoice_payable(till: Till) -> None:
    family, token = await till.family()
    invoice = await till.invoice(family, 4000)
    started = await till.start(token, invoice)
    await till.pay(started, REFUSED)
    shown = await till.show(token, started)
    assert (shown["status"], shown["endReason"], shown["payment"]) == ("REFUSED", "BANK", None)
    told = await till.house.mail_to(family.email, "a été refusé")
    assert invoice.number in told and "40,00" in told.replace("\N{NARROW NO-BREAK SPACE}", " ")
    assert (await till.books()).payments == 0
    again = await till.start(token, invoice)
    await till.pay(again)
    assert (await till.show(token, again))["status"] == "PAID"


async def test_who_gives_up_at_the_bank_can_start_again(till: Till) -> None:
    family, token = await till.family()
    invoice = await till.invoice(family, 4000)
    started = await till.start(token, invoice)
    await till.pay(started, GIVEN_UP)
    assert (await till.show(token, started))["status"] == "CANCELLED"
    assert (await till.start(token, invoice))["redirect"] is not None


async def test_fifty_starts_at_once_make_one_live_attempt(till: Till) -> None:
    family, token = await till.family()
    invoice = await till.invoice(family, 4000)

    async def one() -> list[str]:
        return await till.refused(token, ids(invoice))

    codes = await asyncio.gather(*(one() for _ in range(50)))
    assert sorted(map(tuple, codes)) == [(), *[("PAYMENT_UNDER_WAY",)] * 49]
    assert await till.house.connection.fetchval("select count(*) from card_attempt") == 1
    assert (await till.books()).live == 1


@pytest.mark.parametrize("bank", ["systempay", "payfip"])
async def test_a_double_tap_gets_the_same_answer(till: Till, bank: str) -> None:
    family, token = await till.family()
    invoice = await till.invoice(family, 4000)
    key = str(uuid7())
    answers = await asyncio.gather(*(till.start(token, invoice, key=key, bank=bank) for _ in range(8)))
    assert all(answer == answers[0] for answer in answers)
    assert answers[0]["redirect"] is not None
    assert await till.house.connection.fetchval("select count(*) from card_attempt") == 1
    await till.pay(answers[0])
    after = await till.start(token, invoice, key=key, bank=bank)
    assert (after["payment"]["id"], after["payment"]["status"]) == (answers[0]["payment"]["id"], "PAID")
    assert after["redirect"] is None


async def test_a_cancelled_payment_frees_the_invoice_and_money_that_comes_all_the_same_is_booked(till: Till) -> None:
    family, token = await till.family()
    invoice = await till.invoice(family, 4000)
    started = await till.start(token, invoice)
    reference = till.enter(started)
    for _ in range(2):
        cancelled = await till.house.do(CANCEL, token, payment=started["payment"]["id"])
        assert (cancelled["payment"]["status"], cancelled["payment"]["endReason"]) == ("CANCELLED", "FAMILY")
        acts = "select count(*) from audit_entry where act = 'card_payment_cancelled'"
        assert await till.house.connection.fetchval(acts) == 1, "the second time changes nothing"
    again = await till.start(token, invoice)
    till.banks.systempay.decide(reference, TAKEN)
    await till.banks.post.idle()
    shown = await till.show(token, started)
    assert (shown["status"], shown["payment"]["credit"]["cents"]) == ("PAID", 0)
    await till.pay(again)
    shown = await till.show(token, again)
    assert (shown["status"], shown["payment"]["credit"]["cents"]) == ("PAID", 4000)
    books = await till.books()
    assert (books.paid_cents, books.allocated_cents, books.credit_cents) == (8000, 4000, 4000)
    assert await till.tasks("UNEXPLAINED_CREDIT") == 1
    assert await till.house.problems(CANCEL, token, payment=started["payment"]["id"]) == ["PAYMENT_MADE"]


async def test_an_attempt_ends_after_fifteen_minutes_and_a_late_payment_still_counts(till: Till) -> None:
    family, token = await till.family()
    invoice = await till.invoice(family, 4000)
    started = await till.start(token, invoice)
    reference = till.enter(started)
    assert await till.refused(token, ids(invoice)) == ["PAYMENT_UNDER_WAY"]
    till.wait(minutes=16)
    token = await till.house.sign_in(family.email)
    again = await till.start(token, invoice)
    assert (await till.show(token, started))["status"] == "EXPIRED"
    till.banks.systempay.decide(reference, TAKEN)
    await till.banks.post.idle()
    assert (await till.show(token, started))["status"] == "PAID"
    await till.pay(again)
    books = await till.books()
    assert (books.paid_cents, books.allocated_cents, books.credit_cents) == (8000, 4000, 4000)
    assert await till.tasks("UNEXPLAINED_CREDIT") == 1


@pytest.mark.parametrize("bank", ["systempay", "payfip"])
@pytest.mark.parametrize("minutes", [20, 120, 60 * 26])
async def test_a_bank_that_never_tells_is_asked(till: Till, bank: str, minutes: int) -> None:
    family, token = await till.family()
    invoice = await till.invoice(family, 4000)
    till.banks.manners.mute = True
    started = await till.start(token, invoice, bank=bank)
    await till.pay(started)
    assert (await till.show(token, started))["status"] == "REDIRECTED"
    if minutes > 120:
        await till.house.connection.execute("delete from job where kind = 'card_enquiry'")
    till.wait(minutes=minutes)
    await run_due(till.house, "card_enquiry", "card_enquiries")
    assert await till.verdicts(started) == ["BOOKED"]
    books = await till.books()
    assert (books.payments, books.paid_cents, books.credit_cents) == (1, 4000, 0)
    till.wait(days=2)
    await run_due(till.house, "card_enquiry", "card_enquiries")
    assert await till.books() == books


@pytest.mark.parametrize("bank", ["systempay", "payfip"])
async def test_an_attempt_that_nobody_pays_ends_by_the_clock_and_is_asked_about_until_the_bank_says_never(
    till: Till, bank: str
) -> None:
    family, token = await till.family()
    invoice = await till.invoice(family, 4000)
    started = await till.start(token, invoice, bank=bank)
    till.enter(started)
    till.wait(minutes=20)
    await run_due(till.house, "card_enquiry")
    settled = "select settled_at is not null from card_attempt"
    assert not await till.house.connection.fetchval(settled)
    token = await till.house.sign_in(family.email)
    assert (await till.show(token, started))["status"] == "EXPIRED"
    till.wait(minutes=101)
    await run_due(till.house, "card_enquiry")
    assert await till.house.connection.fetchval(settled)
    assert (await till.books()).payments == 0


async def test_while_the_bank_is_away_a_start_says_so_and_everything_else_works(till: Till) -> None:
    family, token = await till.family()
    invoice = await till.invoice(family, 4000)
    key = str(uuid7())
    await till.start(token, await till.invoice(family, 100), bank="payfip")  # its description is read by now
    till.banks.manners.away = True
    for _ in range(2):
        assert await till.refused(token, ids(invoice), bank="payfip", key=key) == ["BANK_UNAVAILABLE"]
    read = await till.house.ask("query { invoices { edges { node { number status } } } }", token)
    assert len(read.data["invoices"]["edges"]) == 2
    till.banks.manners.away = False
    assert (await till.start(token, invoice, bank="payfip"))["redirect"] is not None


async def test_an_enquiry_at_a_bank_that_is_away_comes_again(till: Till) -> None:
    family, token = await till.family()
    invoice = await till.invoice(family, 4000)
    till.banks.manners.mute = True
    started = await till.start(token, invoice)
    await till.pay(started)
    till.banks.manners.away = True
    till.wait(minutes=20)
    assert (await run_due(till.house, "card_enquiry"))["card_enquiry", "again"] == 1
    token = await till.house.sign_in(family.email)
    assert (await till.show(token, started))["status"] == "EXPIRED"
    till.banks.manners.away = False
    till.wait(minutes=6)
    await run_due(till.house, "card_enquiry")
    assert (await till.show(token, started))["status"] == "PAID"


async def test_what_was_paid_at_the_counter_meanwhile_makes_the_card_payment_a_credit(till: Till) -> None:
    family, token = await till.family()
    invoice = await till.invoice(family, 4000)
    started = await till.start(token, invoice)
    await pay(till.house.connection, family.id, 4000, [invoice.id], means="CASH", source="COUNTER")
    await till.pay(started)
    shown = await till.show(token, started)
    assert (shown["status"], shown["payment"]["credit"]["cents"]) == ("PAID", 4000)
    assert await till.tasks("UNEXPLAINED_CREDIT") == 1


CHANGED = """subscription ($payment: ID!, $after: String) { paymentChanged(payment: $payment, after: $after) {
    cursor payment { id status payment { amount { cents } } } } }"""


async def test_a_payment_is_followed_live_and_no_other_familys(till: Till) -> None:
    family, token = await till.family()
    other_family, stranger = await till.family()
    first, second = await till.invoice(family, 4000), await till.invoice(family, 500)
    started, other = await till.start(token, first), await till.start(token, second)
    async with Socket(till.house, token) as socket, Socket(till.house, stranger) as outside:
        # With a cursor nothing is lost if the stream begins after the bank has told.
        await socket.subscribe("1", CHANGED, payment=started["payment"]["id"], after="0")
        await outside.subscribe("2", CHANGED, payment=started["payment"]["id"])
        assert (await outside.message("2"))["payload"][0]["extensions"]["code"] == "NOT_FOUND"
        await outside.subscribe("3", CHANGED, payment=global_id("CardPayment", other_family.id, uuid7()))
        assert (await outside.message("3"))["payload"][0]["extensions"]["code"] == "NOT_FOUND"
        await till.pay(other)
        await till.pay(started)
        told = (await socket.next("1"))["paymentChanged"]["payment"]
        assert told == {
            "id": started["payment"]["id"],
            "status": "PAID",
            "payment": {"amount": {"cents": 4000}},
        }


async def test_what_cannot_be_paid_is_refused_each_with_its_code_and_without_effect(till: Till) -> None:
    family, token = await till.family()
    neighbour, _ = await till.family()
    connection = till.house.connection
    good, foreign = await till.invoice(family, 4000), await till.invoice(neighbour, 4000)
    small, paid, void = [await till.invoice(family, cents) for cents in (99, 700, 800)]
    await pay(connection, family.id, 700, [paid.id], means="CASH", source="COUNTER")
    async with connection.transaction():
        await money.cancel(connection, family.id, void.id, "Erreur.", utc_now())
    before = await till.books()
    cases: list[tuple[list[str], list[str], dict[str, Any]]] = [
        (["WHOLE_AMOUNT_ONLY"], ids(good), {"cents": 1000}),
        (["WHOLE_AMOUNT_ONLY"], ids(good), {"cents": 4001}),
        (["NOT_FOUND"], ids(foreign), {}),
        (["NOT_FOUND"], ids(good, foreign), {}),
        (["NOT_FOUND"], ["AAAA"], {}),
        (["NOT_FOUND"], [global_id("Invoice", family.id, uuid7())], {}),
        (["NOT_FOUND"], [global_id("Payment", family.id, good.id)], {}),
        (["INVOICE_PAID"], ids(paid), {}),
        (["INVOICE_PAID"], ids(good, paid), {}),
        (["INVOICE_CANCELLED"], ids(void), {}),
        (["AMOUNT_NOT_PAYABLE"], ids(small), {"bank": "payfip"}),
        (["CARD_NOT_OFFERED"], ids(good), {"bank": "nobank"}),
        (["BAD_USER_INPUT"], [], {}),
        (["BAD_USER_INPUT"], ids(good, good), {}),
        (["BAD_USER_INPUT"], ids(good), {"key": "short"}),
    ]
    for codes, invoices, more in cases:
        assert await till.refused(token, invoices, **more) == codes, (codes, more)
    reply = await till.house.ask(START, "not.a.token", invoices=ids(good), key=str(uuid7()))
    assert reply.codes == ["UNAUTHENTICATED"]
    till.wait(minutes=11)
    reply = await till.house.ask(START, token, invoices=ids(good), key=str(uuid7()))
    assert reply.codes == ["UNAUTHENTICATED"]
    assert await till.books() == before
    assert await connection.fetchval("select count(*) from card_attempt") == 0
    assert await connection.fetchval("select count(*) from job where kind = 'card_enquiry'") == 0


async def test_a_key_that_was_used_for_other_invoices_is_refused(till: Till) -> None:
    family, token = await till.family()
    first, second = await till.invoice(family, 4000), await till.invoice(family, 500)
    key = str(uuid7())
    await till.start(token, first, key=key)
    assert await till.refused(token, ids(second), key=key) == ["IDEMPOTENCY_KEY_REUSED"]
    assert await till.house.connection.fetchval("select count(*) from card_attempt") == 1


async def test_a_foreign_or_unknown_payment_cannot_be_cancelled(till: Till) -> None:
    family, token = await till.family()
    _, stranger = await till.family()
    started = await till.start(token, await till.invoice(family, 4000))
    assert await till.house.problems(CANCEL, stranger, payment=started["payment"]["id"]) == ["NOT_FOUND"]
    unknown = global_id("CardPayment", family.id, uuid7())
    assert await till.house.problems(CANCEL, token, payment=unknown) == ["NOT_FOUND"]
    assert (await till.show(token, started))["status"] == "REDIRECTED"
    assert (
        await till.house.ask("query ($id: ID!) { node(id: $id) { id } }", stranger, id=started["payment"]["id"])
    ).data["node"] is None


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_the_page_that_browsers_come_back_to_only_shows(till: Till, method: str) -> None:
    family, token = await till.family()
    started = await till.start(token, await till.invoice(family, 4000))
    reference = till.enter(started)
    message = till.banks.systempay.message(reference, TAKEN)
    url = f"{till.house.url}/bank/systempay/return?payment={reference}"

    async def page() -> str:
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if method == "POST" else {}
        data = signed(message) if method == "POST" else None
        async with till.house.http.request(method, url, data=data, headers=headers) as response:
            assert response.status == 200
            return await response.text()

    assert "Nous attendons la réponse de la banque" in await page()
    assert (await till.books()).payments == 0
    assert (await till.show(token, started))["status"] == "REDIRECTED"
    assert await till.tell(message) == 200
    shown = await page()
    assert "Votre paiement est reçu" in shown
    assert "40,00" not in shown and "497010" not in shown
