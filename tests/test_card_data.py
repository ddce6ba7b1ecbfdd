"""Numbers of cards and accounts: nothing that somebody types or a bank says is kept beyond the authorisation code."""

import pytest

from db import money
from resolvers import card_data
from tests.counters import CANCEL, INVOICE, REFUND, UNDO, cashier, key, state, take
from tests.house import House
from tests.planted import kept
from tests.purse import invoice, pay

CARDS = ("4970100000000154", "4970 1000 0000 0154", "5555-5555-5555-4444", "378282246310005")
IBANS = ("FR7630006000011234567890189", "FR76 3000 6000 0112 3456 7890 189", "DE89370400440532013000")

KEPT = {
    "family_id", "id", "means", "source", "cents", "forfeited_cents", "bank_reference", "cashier_id", "visit_id",
    "receipt_number", "received_on", "received_at", "undone_at", "undone_reason", "undone_by",
}  # fmt: skip
"""All that is retained of a payment (R35): one column more is a decision, made here."""


@pytest.mark.parametrize("number", [*CARDS, *IBANS])
def test_a_number_is_found_among_words(number: str) -> None:
    assert card_data.is_in(f"Remboursement sur {number} demandé par téléphone.")
    assert card_data.is_in(number)


@pytest.mark.parametrize(
    "words",
    ["Facture 2026-000123, référence 202600012345.", "Appelé le 05 57 93 63 63 puis le 03/11/2026.", "FR76 ou DE89 ?"],
)
def test_other_numbers_are_not_taken_for_one(words: str) -> None:
    assert not card_data.is_in(words)


async def test_reasons_with_a_number_are_refused_and_nothing_of_it_is_kept(house: House) -> None:
    family, _ = await house.member()
    till = await cashier(house)
    made = await invoice(house.connection, family.id, 1000)
    paid = await take(house, till, [made.reference], ("CHEQUE", 1500))
    identity = (await house.ask(INVOICE, till, number=made.number)).data["invoice"]["id"]
    before = await state(house)
    for number in (*CARDS, *IBANS):
        reason = f"Payé avec {number}"
        given = {"reason": reason, "key": key()}
        assert await house.problems(UNDO, till, payment=paid["id"], **given) == ["CARD_DATA"]
        assert await house.problems(CANCEL, till, invoice=identity, **given) == ["CARD_DATA"]
        assert await house.problems(REFUND, till, payment=paid["id"], cents=1, **given) == ["CARD_DATA"]
    assert await state(house) == before
    assert await kept(house.connection, (*CARDS, *IBANS)) == {}


async def test_what_is_kept_of_a_payment_is_a_list(house: House) -> None:
    columns = await house.connection.fetch(
        "select column_name from information_schema.columns where table_name = 'payment' and table_schema = 'public'"
    )
    assert {row["column_name"] for row in columns} == KEPT
    family, _ = await house.member()
    with pytest.raises(Exception, match="payment_bank_reference_check"):
        async with house.connection.transaction():
            received = money.Received(family.id, "ONLINE_CARD", 100, "CARD", house.clock(), CARDS[0])
            await money.book(house.connection, received, [])
    assert (await pay(house.connection, family.id, 100, [])).credit_cents == 100
