"""What comes in the name of a bank: what does not agree in everything books nothing, what agrees books once."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Mapping

import pytest

from gateway.demo.bank import REFUSED, TAKEN
from gateway.demo.bank_systempay import KEY, SITE_ID, signed
from tests.conftest import Database
from tests.till import Till, till_on

Fields = Mapping[str, str]


@pytest.fixture
async def till(city: Database) -> AsyncIterator[Till]:
    """Give a portal with banks."""
    async with till_on(city.dsn) as made:
        yield made


def tampered(body: str) -> str:
    """Change the amount after the bank has signed."""
    return body.replace("vads_amount=4000", "vads_amount=4001").replace(
        "effective_amount=4000", "effective_amount=4001"
    )


def doubled(body: str) -> str:
    """Name a field twice: libraries differ in which one they read."""
    return f"vads_amount=1&{body}"


HOSTILE: dict[str, tuple[Callable[[Fields], str], str | None]] = {
    "forged signature": (lambda fields: signed(fields, "anotherKey1234567"), "SIGNATURE"),
    "tampered after signing": (lambda fields: tampered(signed(fields)), "SIGNATURE"),
    "signature by SHA-1": (
        lambda fields: signed(fields).partition("&signature=")[0] + "&signature=" + "a" * 40,
        "SIGNATURE",
    ),
    "test mode": (lambda fields: signed({**fields, "vads_ctx_mode": "TEST"}), "MODE"),
    "a mode that there is not": (lambda fields: signed({**fields, "vads_ctx_mode": "__CLASS__"}), "MODE"),
    "another shop": (lambda fields: signed({**fields, "vads_site_id": "87654321"}), "SITE"),
    "another currency": (
        lambda fields: signed({**fields, "vads_currency": "952", "vads_effective_currency": "952"}),
        "CURRENCY",
    ),
    "debited in another currency": (lambda fields: signed({**fields, "vads_effective_currency": "840"}), "CURRENCY"),
    "less money": (lambda fields: signed({**fields, "vads_amount": "1", "vads_effective_amount": "1"}), "AMOUNT"),
    "less money debited": (lambda fields: signed({**fields, "vads_effective_amount": "3999"}), "AMOUNT"),
    "more money": (
        lambda fields: signed({**fields, "vads_amount": "400000", "vads_effective_amount": "400000"}),
        "AMOUNT",
    ),
    "no amount": (lambda fields: signed({**fields, "vads_amount": "", "vads_effective_amount": ""}), "AMOUNT"),
    "a refund": (lambda fields: signed({**fields, "vads_operation_type": "CREDIT"}), "OPERATION"),
    "a verification": (lambda fields: signed({**fields, "vads_operation_type": "VERIFICATION"}), "OPERATION"),
    "status and result that contradict": (lambda fields: signed({**fields, "vads_result": "05"}), "STATUS"),
    "no transaction": (lambda fields: signed({**fields, "vads_trans_uuid": ""}), "TRANSACTION"),
    "an unknown attempt": (lambda fields: signed({**fields, "vads_order_id": "0" * 26}), None),
    "a field twice": (lambda fields: doubled(signed(fields)), None),
    "no form": (lambda fields: "<xml/>", None),
    "nothing": (lambda fields: "", None),
    "not ASCII": (lambda fields: signed(fields) + "&é=1", None),
    "an empty order": (lambda fields: signed({**fields, "vads_order_id": ""}), None),
}
"""By name: the message made of a good one, and the verdict that is kept, if it names an attempt of ours."""


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_message_that_does_not_agree_in_everything_books_nothing(till: Till, name: str) -> None:
    make, verdict = HOSTILE[name]
    family, token = await till.family()
    started = await till.start(token, await till.invoice(family, 4000))
    reference = till.enter(started)
    before = await till.books()
    good = till.banks.systempay.message(reference, TAKEN)
    for _ in range(2):
        assert await till.post(make(good)) in (400, 404)
    assert await till.books() == before
    assert (await till.show(token, started))["status"] == "REDIRECTED"
    assert await till.verdicts(started) == ([verdict] * 2 if verdict else [])
    mismatch = verdict in ("CURRENCY", "AMOUNT", "OPERATION", "STATUS", "TRANSACTION")
    assert await till.tasks("BANK_MISMATCH") == int(mismatch)
    assert await till.tell(good) == 200
    assert (await till.show(token, started))["status"] == "PAID"


@pytest.mark.parametrize(
    "status", ["AUTHORISED_TO_VALIDATE", "WAITING_AUTHORISATION", "UNDER_VERIFICATION", "INITIAL", "X"]
)
async def test_a_status_that_decides_nothing_changes_nothing(till: Till, status: str) -> None:
    family, token = await till.family()
    started = await till.start(token, await till.invoice(family, 4000))
    reference = till.enter(started)
    before = await till.books()
    assert await till.tell(till.banks.systempay.message(reference, TAKEN, vads_trans_status=status)) == 200
    assert await till.books() == before
    assert (await till.show(token, started))["status"] == "REDIRECTED"


async def test_money_of_one_payment_cannot_be_booked_for_another(till: Till) -> None:
    family, token = await till.family()
    first = await till.start(token, await till.invoice(family, 4000))
    second = await till.start(token, await till.invoice(family, 4000))
    references = till.enter(first), till.enter(second)
    paid = till.banks.systempay.message(references[0], TAKEN)
    assert await till.tell(paid) == 200
    books = await till.books()
    assert await till.tell({**paid, "vads_order_id": references[1]}) == 400
    assert await till.books() == books
    assert await till.verdicts(second) == ["REPLAYED"]
    assert (await till.show(token, second))["status"] == "REDIRECTED"


async def test_the_same_message_many_times_at_once_books_once(till: Till) -> None:
    family, token = await till.family()
    started = await till.start(token, await till.invoice(family, 4000))
    message = till.banks.systempay.message(till.enter(started), TAKEN)
    assert await asyncio.gather(*(till.tell(message) for _ in range(12))) == [200] * 12
    books = await till.books()
    assert (books.payments, books.paid_cents, books.credit_cents) == (1, 4000, 0)
    assert sorted(await till.verdicts(started)) == ["BOOKED", *["DUPLICATE"] * 11]


async def test_a_refusal_that_comes_after_the_payment_changes_nothing(till: Till) -> None:
    family, token = await till.family()
    started = await till.start(token, await till.invoice(family, 4000))
    reference = till.enter(started)
    refused = till.banks.systempay.message(reference, REFUSED)
    assert await till.tell(till.banks.systempay.message(reference, TAKEN)) == 200
    books = await till.books()
    assert await till.tell(refused) == 200
    assert await till.books() == books
    assert (await till.show(token, started))["status"] == "PAID"
    assert await till.verdicts(started) == ["BOOKED", "STALE"]


async def test_a_second_try_that_succeeds_after_a_refusal_is_booked(till: Till) -> None:
    family, token = await till.family()
    started = await till.start(token, await till.invoice(family, 4000))
    reference = till.enter(started)
    assert await till.tell(till.banks.systempay.message(reference, REFUSED)) == 200
    assert await till.tell(till.banks.systempay.message(reference, TAKEN)) == 200
    books = await till.books()
    assert (books.payments, books.credit_cents, books.live) == (1, 0, 0)


async def test_money_that_the_bank_took_twice_for_one_attempt_becomes_a_credit_and_a_task(till: Till) -> None:
    family, token = await till.family()
    started = await till.start(token, await till.invoice(family, 4000))
    reference = till.enter(started)
    for _ in range(2):
        assert await till.tell(till.banks.systempay.message(reference, TAKEN)) == 200
    books = await till.books()
    assert (books.payments, books.paid_cents, books.allocated_cents, books.credit_cents) == (2, 8000, 4000, 4000)
    assert await till.tasks("UNEXPLAINED_CREDIT") == 1


async def test_notifications_doubled_and_out_of_order_come_to_the_same_books(till: Till) -> None:
    family, token = await till.family()
    till.banks.manners.held, till.banks.manners.copies = True, 3
    started = [await till.start(token, await till.invoice(family, cents)) for cents in (1100, 2200, 3300, 4400)]
    for number, each in enumerate(started):
        reference = till.enter(each)
        if number % 2:
            till.banks.systempay.decide(reference, REFUSED)
        till.banks.systempay.decide(reference, TAKEN)
    till.banks.post.release(shuffled=random.Random(7))
    await till.banks.post.idle()
    books = await till.books()
    assert (books.payments, books.paid_cents, books.allocated_cents, books.live) == (4, 11000, 11000, 0)
    assert all(letter.statuses == [200] for letter in till.banks.post.sent)


async def test_a_notification_that_could_not_be_taken_is_sent_again_and_taken(till: Till) -> None:
    family, token = await till.family()
    started = await till.start(token, await till.invoice(family, 4000), bank="payfip")
    idop = till.enter(started)
    till.banks.manners.away = True
    assert await till.post(f"idop={idop}", "payfip") == 503
    till.banks.manners.away = False
    till.banks.payfip.decide(idop, TAKEN)
    await till.banks.post.idle()
    assert (await till.books()).payments == 1


async def test_a_bank_that_the_settings_do_not_name_has_no_address(till: Till) -> None:
    assert await till.post("a=b", "paybox") == 404
    assert await till.post("a=b", "bank") == 404
    async with till.house.http.get(f"{till.house.url}/bank/systempay/notification") as response:
        assert response.status == 405


async def test_the_columns_that_are_kept_of_a_message_are_a_list_that_is_read_twice(till: Till) -> None:
    columns = await till.house.connection.fetch(
        "select column_name from information_schema.columns where table_name = 'bank_message' order by 1"
    )
    assert [row[0] for row in columns] == [
        "attempt_id", "bank", "bank_status", "cents", "family_id", "fingerprint", "first_at", "id", "last_at",
        "payment_id", "source", "times", "transaction_id", "verdict",
    ]  # fmt: skip


async def test_the_key_of_the_bank_reaches_no_log(till: Till, capfd: pytest.CaptureFixture[str]) -> None:
    family, token = await till.family()
    started = await till.start(token, await till.invoice(family, 4000))
    await till.pay(started)
    said = "".join(capfd.readouterr())
    assert KEY not in said and SITE_ID not in said
