"""Any other bank of eopayment: what the settings do not let us compare is never booked."""

from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import urlencode

import pytest

from db.ids import uuid7
from gateway.demo.bank import TAKEN
from tests.conftest import Database
from tests.till import till_on

COMPARED = {
    "amount": "amount",
    "currency": "=978",
    "site": "origin",
    "operation": "=DEBIT",
    "status": "=OK",
    "transaction": "transaction_id",
}
BANK = {"backend": "dummy", "name": "essai", "options": {"origin": "kiosque"}, "site": "kiosque", "paid": ("OK",)}


@pytest.mark.parametrize(
    ("compared", "test", "changed", "paid"),
    [
        (COMPARED, True, {}, True),
        (COMPARED, False, {}, False),
        (COMPARED, True, {"amount": "39.99"}, False),
        (COMPARED, True, {"origin": "elsewhere"}, False),
        (COMPARED, True, {"signed": ""}, False),
        *(({k: v for k, v in COMPARED.items() if k != name}, True, {}, False) for name in COMPARED),
    ],
)
async def test_only_what_can_be_compared_counts(
    city: Database, compared: Mapping[str, str], test: bool, changed: Mapping[str, str], paid: bool
) -> None:
    settings = {**BANK, "compared": compared, "amounts": "euros"}
    async with till_on(city.dsn, other_bank=settings, cards={"test": test}) as till:
        family, token = await till.family()
        started = await till.start(token, await till.invoice(family, 4000), bank="essai")
        assert started["redirect"]["method"] == "GET"
        reference = await till.house.connection.fetchval("select bank_reference from card_attempt")
        told = {
            "transaction_id": reference,
            "ok": "1",
            "signed": "1",
            "amount": "40.00",
            "origin": "kiosque",
            **changed,
        }
        body = urlencode({name: value for name, value in told.items() if value})
        assert (await till.post(body, "essai") == 200) is paid
        assert (await till.books()).paid_cents == (4000 if paid else 0)
        assert await till.post("transaction_id=unknown&ok=1&signed=1", "essai") == 404
        assert await till.post("ok=1", "essai") == 400


async def test_the_bank_that_is_offered_first_is_the_citys_choice(city: Database) -> None:
    async with till_on(city.dsn, cards={"first": "payfip"}) as till:
        family, token = await till.family()
        started = await till.start(token, await till.invoice(family, 4000), key=str(uuid7()))
        assert started["payment"]["bank"] == "payfip"
        await till.pay(started, TAKEN)
        life = await till.house.connection.fetchval("select expires_at - created_at from card_attempt")
        assert life == timedelta(minutes=15)
