"""PayFiP, whose notification proves nothing: its faults, its silence, and what it says when it is asked."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from gateway.demo.bank import GIVEN_UP, REFUSED, TAKEN
from resolvers.banks import BankUnavailable, NotAMessage, Outcome
from tests.clockwork import run_due
from tests.conftest import Database
from tests.till import Till, ids, till_on


@pytest.fixture
async def till(city: Database) -> AsyncIterator[Till]:
    """Give a portal with banks."""
    async with till_on(city.dsn) as made:
        yield made


async def started(till: Till, cents: int = 4000) -> tuple[str, Any, str]:
    """Start a payment and go to the page; give the family's token, the payment and the idop."""
    family, token = await till.family()
    payload = await till.start(token, await till.invoice(family, cents), bank="payfip")
    return token, payload, till.enter(payload)


@pytest.mark.parametrize(
    ("way", "choice", "status"),
    [
        ("card", TAKEN, "PAID"),
        ("debit", TAKEN, "PAID"),
        ("card", REFUSED, "REFUSED"),
        ("debit", REFUSED, "REFUSED"),
    ],
)
async def test_what_the_service_says_decides(till: Till, way: str, choice: str, status: str) -> None:
    token, payload, idop = await started(till)
    till.banks.payfip.decide(idop, choice, way)
    await till.banks.post.idle()
    assert (await till.show(token, payload))["status"] == status
    assert (await till.books()).paid_cents == (4000 if status == "PAID" else 0)


async def test_who_gives_up_may_still_come_back_until_the_service_is_sure(till: Till) -> None:
    token, payload, idop = await started(till)
    till.banks.payfip.decide(idop, GIVEN_UP)
    await till.banks.post.idle()
    assert (await till.show(token, payload))["status"] == "REDIRECTED"
    operation = till.banks.payfip.operations[idop]
    assert operation.paid_at is not None
    operation.paid_at -= timedelta(minutes=3)
    assert await till.post(f"idop={idop}", "payfip") == 200
    assert (await till.show(token, payload))["status"] == "CANCELLED"


async def test_a_notification_about_what_is_not_decided_changes_nothing(till: Till) -> None:
    token, payload, idop = await started(till)
    before = await till.books()
    assert await till.post(f"idop={idop}", "payfip") == 200
    assert await till.books() == before
    assert (await till.show(token, payload))["status"] == "REDIRECTED"


@pytest.mark.parametrize("body", ["idop=unknown", "idop=", "", "idop=a&idop=b", "x=1", "idop=" + "a" * 65, "<xml/>"])
async def test_a_notification_that_names_no_payment_of_ours_asks_nobody(till: Till, body: str) -> None:
    await started(till)
    calls = list(till.banks.payfip.calls)
    before = await till.books()
    assert await till.post(body, "payfip") in (400, 404)
    assert till.banks.payfip.calls == calls
    assert await till.books() == before


@pytest.mark.parametrize("name", ["idop", "idOp"])
async def test_both_spellings_and_both_places_of_the_idop_are_read(till: Till, name: str) -> None:
    token, payload, idop = await started(till)
    till.banks.manners.mute = True
    till.banks.payfip.decide(idop, TAKEN)
    url = f"{till.house.url}/bank/payfip/notification?{urlencode({name: idop})}"
    async with till.house.http.post(url) as response:
        assert response.status == 200
    assert (await till.show(token, payload))["status"] == "PAID"


@pytest.mark.parametrize(
    ("changed", "verdict"),
    [
        ({"saisie": "T"}, "MODE"),
        ({"saisie": "X"}, "MODE"),
        ({"numcli": "999999"}, "SITE"),
        ({"montant": "3999"}, "AMOUNT"),
        ({"montant": "1"}, "AMOUNT"),
    ],
)
async def test_what_the_service_says_of_something_else_books_nothing(
    till: Till, changed: dict[str, str], verdict: str
) -> None:
    token, payload, idop = await started(till)
    before = await till.books()
    till.banks.manners.mute = True
    till.banks.payfip.decide(idop, TAKEN)
    till.banks.payfip.operations[idop].asked.update(changed)
    assert await till.post(f"idop={idop}", "payfip") == 400
    assert await till.verdicts(payload) == [verdict]
    assert await till.books() == before
    assert (await till.show(token, payload))["status"] == "REDIRECTED"


async def test_p1_after_a_day_means_never(till: Till) -> None:
    _token, _payload, _idop = await started(till)
    till.wait(hours=25)
    await run_due(till.house, "card_enquiry", "card_enquiries")
    assert await till.house.connection.fetchval("select status from card_attempt") == "EXPIRED"
    assert await till.house.connection.fetchval("select settled_at is not null from card_attempt")
    calls = len(till.banks.payfip.calls)
    till.wait(days=1)
    await run_due(till.house, "card_enquiry", "card_enquiries")
    assert len(till.banks.payfip.calls) == calls


async def test_the_adapter_tells_faults_apart(till: Till) -> None:
    assert till.house.opened is not None
    bank = till.house.opened.process.banks["payfip"]
    _, _, idop = await started(till)
    minute = timedelta(minutes=1)
    waiting = await bank.enquire(idop, minute)
    never = await bank.enquire(idop, timedelta(hours=2))
    unknown = await bank.enquire("0" * 32, minute)
    assert waiting is not None and never is not None and unknown is not None
    assert (waiting.outcome, never.outcome, unknown.outcome) == (Outcome.WAITING, Outcome.EXPIRED, Outcome.EXPIRED)
    assert replace(waiting, outcome=Outcome.EXPIRED) == never
    with pytest.raises(NotAMessage):
        bank.named(b"idop=\xff")
    till.banks.manners.away = True
    with pytest.raises(BankUnavailable):
        await bank.enquire(idop, minute)
    till.banks.manners.away = False
    assert "VILLE DE DEMONSTRATION" in await bank.look()


async def test_a_bank_that_thinks_for_long_holds_nothing_up(city: Database) -> None:
    async with till_on(city.dsn, cards={"timeout": 3}) as till:
        family, token = await till.family()
        invoice = await till.invoice(family, 4000)
        await till.start(token, await till.invoice(family, 100), bank="payfip")
        till.banks.manners.slow = 30
        assert await till.refused(token, ids(invoice), bank="payfip") == ["BANK_UNAVAILABLE"]
        till.banks.manners.slow = 0
        assert (await till.start(token, invoice))["redirect"] is not None
