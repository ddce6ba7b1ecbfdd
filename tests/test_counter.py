"""The counter and the post: what a cashier may record, what is refused without effect, and the end of a day."""

from datetime import timedelta
from typing import Any

import pytest

from db.ids import uuid7
from db.ledger import PARIS
from tests.counters import CANCEL, CLOSE, INVOICE, RECORD, REFUND, UNDO, USE, cashier, key, state, status, take, tender
from tests.house import House
from tests.purse import invoice, pay
from tests.till import global_id


async def test_several_means_settle_one_invoice_at_one_visit(house: House) -> None:
    family, _ = await house.member()
    till = await cashier(house)
    made = await invoice(house.connection, family.id, 2500, 1500, cesu=(2,))
    paid = await take(
        house, till, [made.reference], ("CHEQUE", 1500), ("CESU", 1000), ("CASH", 500), ("HOLIDAY_VOUCHER", 1000)
    )
    together = {each["node"]["means"]: each["node"] for each in paid["together"]["edges"]}
    assert {means: each["amount"]["cents"] for means, each in together.items()} == {
        "CESU": 1000,
        "HOLIDAY_VOUCHER": 1000,
        "CASH": 500,
        "CHEQUE": 1500,
    }
    assert await status(house, till, made.number) == "PAID"
    [cesu] = [each["node"] for each in paid["allocations"]["edges"]]
    assert (cesu["linePosition"], cesu["amount"]["cents"]) == (2, 1000)
    [receipt] = await house.connection.fetch(
        "select distinct receipt_number from payment where family_id = $1", family.id
    )
    mail = await house.mail_to(family.email, receipt["receipt_number"])
    assert "40,00" in mail and made.number in mail


async def test_a_part_leaves_the_rest_open_and_the_status_says_so(house: House) -> None:
    family, _ = await house.member()
    till = await cashier(house)
    made = await invoice(house.connection, family.id, 4000)
    assert await status(house, till, made.number) == "ISSUED"
    await take(house, till, [made.reference], ("CASH", 1500))
    found = (await house.ask(INVOICE, till, number=made.reference)).data["invoice"]
    assert (found["status"], found["paid"]["cents"], found["open"]["cents"]) == ("PARTLY_PAID", 1500, 2500)
    house.clock.ahead = timedelta(days=40)
    till = await cashier(house)
    assert await status(house, till, made.number) == "OVERDUE"
    await take(house, till, [made.reference], ("CHEQUE", 2500), source="POST")
    assert await status(house, till, made.number) == "PAID"


async def test_one_cheque_pays_two_invoices_and_what_is_too_much_stays_a_credit(house: House) -> None:
    family, token = await house.member()
    till = await cashier(house)
    first, second = [await invoice(house.connection, family.id, cents) for cents in (1000, 2000)]
    paid = await take(house, till, [first.reference, second.reference], ("CHEQUE", 3500), source="POST")
    assert paid["credit"]["cents"] == 500
    assert [await status(house, till, each.number) for each in (first, second)] == ["PAID", "PAID"]
    tasks = "{ agentTasks(done: false, kinds: [UNEXPLAINED_CREDIT]) { edges { node { payment { id } } } } }"
    waiting = (await house.ask(tasks, till)).data["agentTasks"]["edges"]
    assert paid["id"] in [each["node"]["payment"]["id"] for each in waiting]
    later = await invoice(house.connection, family.id, 800)
    found = (await house.ask(INVOICE, token, number=later.number)).data["invoice"]
    assert (found["status"], found["open"]["cents"]) == ("PARTLY_PAID", 300), "credits settle later invoices"
    waiting = (await house.ask(tasks, till)).data["agentTasks"]["edges"]
    assert paid["id"] not in [each["node"]["payment"]["id"] for each in waiting], "the task is done by itself"


async def test_holiday_vouchers_give_no_change(house: House) -> None:
    family, _ = await house.member()
    till = await cashier(house)
    made = await invoice(house.connection, family.id, 1700)
    paid = await take(house, till, [made.reference], ("HOLIDAY_VOUCHER", 2000))
    assert (paid["amount"]["cents"], paid["forfeited"]["cents"], paid["credit"]["cents"]) == (1700, 300, 0)


@pytest.mark.parametrize(
    ("tenders", "source", "code"),
    [
        ([("CESU", 1501)], "COUNTER", "CESU_NOT_ELIGIBLE"),
        ([("CASH", 4001)], "COUNTER", "TOO_MUCH"),
        ([("CARD", 4001)], "COUNTER", "TOO_MUCH"),
        ([("CHEQUE", 4000), ("CASH", 100)], "COUNTER", ""),
        ([("CASH", 100)], "POST", "MEANS_NOT_POSSIBLE"),
        ([("CARD", 100)], "POST", "MEANS_NOT_POSSIBLE"),
        ([("ONLINE_CARD", 100)], "COUNTER", "MEANS_NOT_POSSIBLE"),
        ([("DIRECT_DEBIT", 100)], "COUNTER", "MEANS_NOT_POSSIBLE"),
        ([("CREDIT_NOTE", 100)], "POST", "MEANS_NOT_POSSIBLE"),
        ([("CASH", 100), ("CASH", 100)], "COUNTER", "MEANS_NOT_POSSIBLE"),
        ([("CASH", 0)], "COUNTER", "AMOUNT_NOT_VALID"),
        ([("CHEQUE", -5)], "COUNTER", "AMOUNT_NOT_VALID"),
        ([("CHEQUE", 10_000_001)], "COUNTER", "AMOUNT_NOT_VALID"),
        ([], "COUNTER", "AMOUNT_NOT_VALID"),
        ([("CASH", 30_001)], "COUNTER", "CASH_LIMIT"),
    ],
)
async def test_a_refused_tender_leaves_nothing(
    house: House, tenders: list[tuple[str, int]], source: str, code: str
) -> None:
    family, _ = await house.member()
    till = await cashier(house)
    made = await invoice(house.connection, family.id, 2500, 1500, cesu=(2,))
    before = await state(house)
    given = [tender(*each) for each in tenders]
    found = await house.problems(RECORD, till, references=[made.reference], tenders=given, key=key(), source=source)
    assert found == ([code] if code else [])
    assert (await state(house) == before) is bool(code)


async def test_coupons_that_cannot_be_paid_are_refused_without_effect(house: House) -> None:
    family, _ = await house.member()
    other, _ = await house.member()
    till = await cashier(house)
    ours, theirs, paid, gone = [
        await invoice(house.connection, each, 1000) for each in (family.id, other.id, family.id, family.id)
    ]
    await take(house, till, [paid.reference], ("CASH", 1000))
    await house.do(CANCEL, till, invoice=await _id(house, till, gone.number), key=key())
    before = await state(house)
    for references, code in (
        (["202699999937"], "REFERENCE_UNKNOWN"),
        (["pas une référence"], "REFERENCE_UNKNOWN"),
        ([ours.reference, theirs.reference], "NOT_ONE_FAMILY"),
        ([paid.reference], "INVOICE_PAID"),
        ([gone.reference], "INVOICE_CANCELLED"),
        ([ours.reference, ours.reference], "BAD_USER_INPUT"),
        ([], "BAD_USER_INPUT"),
    ):
        given = {"references": references, "tenders": [tender("CASH", 500)], "key": key()}
        assert await house.problems(RECORD, till, **given) == [code], references
    assert await state(house) == before


async def _id(house: House, token: str, number: str) -> str:
    found: str = (await house.ask(INVOICE, token, number=number)).data["invoice"]["id"]
    return found


async def test_the_same_key_pays_once_and_other_parameters_are_refused(house: House) -> None:
    family, _ = await house.member()
    till = await cashier(house)
    made = await invoice(house.connection, family.id, 4000)
    given = {"references": [made.reference], "tenders": [tender("CASH", 1000)], "key": key()}
    first = await house.do(RECORD, till, **given)
    before = await state(house)
    assert (await house.do(RECORD, till, **given))["payment"]["id"] == first["payment"]["id"]
    assert await house.problems(RECORD, till, **{**given, "tenders": [tender("CASH", 1001)]}) == [
        "IDEMPOTENCY_KEY_REUSED"
    ]
    assert await house.problems(RECORD, till, **{**given, "key": "court"}) == ["BAD_USER_INPUT"]
    undo = {"payment": first["payment"]["id"], "key": given["key"]}
    assert await house.problems(UNDO, till, **undo) == ["IDEMPOTENCY_KEY_REUSED"], "a key is for one command"
    assert await state(house) == before


async def test_a_payment_is_undone_on_its_day_and_the_invoice_is_owed_again(house: House) -> None:
    family, _ = await house.member()
    till = await cashier(house)
    made = await invoice(house.connection, family.id, 4000)
    paid = await take(house, till, [made.reference], ("CASH", 4000))
    given = {"payment": paid["id"], "key": key()}
    assert await house.problems(UNDO, till, **given, reason=" ") == ["REASON_MISSING"]
    undone = (await house.do(UNDO, till, **given))["payment"]
    assert undone["undoneReason"] == "Erreur de saisie." and undone["credit"]["cents"] == 0
    assert await status(house, till, made.number) == "ISSUED"
    assert (await house.do(UNDO, till, **given))["payment"]["undoneAt"] == undone["undoneAt"]
    assert await house.problems(UNDO, till, payment=paid["id"], key=key()) == ["PAYMENT_UNDONE"]
    await house.mail_to(family.email, "Erreur de saisie")
    await take(house, till, [made.reference], ("CASH", 4000))


async def test_what_can_no_longer_be_undone_is_refused_without_effect(house: House) -> None:
    family, token = await house.member()
    till = await cashier(house)
    made = await invoice(house.connection, family.id, 4000)
    cheque = await take(house, till, [made.reference], ("CHEQUE", 4500), source="POST")
    await house.do(REFUND, till, payment=cheque["id"], cents=200, key=key())
    assert await house.problems(UNDO, till, payment=cheque["id"], key=key()) == ["PAYMENT_REFUNDED"]
    online = await pay(house.connection, family.id, 100, [], means="ONLINE_CARD", source="CARD")
    [found] = await _payments(house, token, means="ONLINE_CARD")
    assert online.credit_cents == 100
    assert await house.problems(UNDO, till, payment=found["id"], key=key()) == ["NOT_OF_THE_TILL"]
    old = await take(house, till, [(await invoice(house.connection, family.id, 700)).reference], ("CASH", 50))
    house.clock.ahead = timedelta(hours=25)  # the next day also where the clocks are put back
    till = await cashier(house)
    before = await state(house)
    assert await house.problems(UNDO, till, payment=old["id"], key=key()) == ["NOT_TODAY"]
    assert await state(house) == before


async def _payments(house: House, token: str, **filters: Any) -> list[Any]:
    text = (
        "query ($means: [PaymentMeans!]) { payments(means: $means) { edges { node { id means credit { cents } } } } }"
    )
    edges = (await house.ask(text, token, **filters)).data["payments"]["edges"]
    return [each["node"] for each in edges]


async def test_credit_is_paid_back_up_to_what_is_left(house: House) -> None:
    family, _ = await house.member()
    till = await cashier(house)
    made = await invoice(house.connection, family.id, 1000)
    paid = await take(house, till, [made.reference], ("CHEQUE", 1500), source="POST")
    before = await state(house)
    for given, code in (
        ({"cents": 501}, "TOO_MUCH"),
        ({"cents": 0}, "AMOUNT_NOT_VALID"),
        ({"cents": 100, "means": "CHEQUE"}, "MEANS_NOT_POSSIBLE"),
        ({"cents": 30_001, "means": "CASH"}, "CASH_LIMIT"),
        ({"cents": 100, "reason": ""}, "REASON_MISSING"),
    ):
        assert await house.problems(REFUND, till, payment=paid["id"], key=key(), **given) == [code]
    assert await state(house) == before
    given = {"payment": paid["id"], "cents": 300, "key": key()}
    for _ in range(2):
        assert (await house.do(REFUND, till, **given))["payment"]["credit"]["cents"] == 200
    assert await house.problems(REFUND, till, **{**given, "cents": 200}) == ["IDEMPOTENCY_KEY_REUSED"]
    await house.mail_to(family.email, "3,00")


async def test_a_cancelled_invoice_frees_what_settled_it_for_the_one_that_replaces_it(house: House) -> None:
    family, token = await house.member()
    till = await cashier(house)
    made = await invoice(house.connection, family.id, 1000, 500)
    await take(house, till, [made.reference], ("CHEQUE", 1500))
    given = {
        "invoice": await _id(house, till, made.number),
        "key": key(),
        "reissue": [{"position": 1, "quantity": 1}, {"position": 2, "quantity": 0}],
    }
    cancelled = (await house.do(CANCEL, till, **given))["invoice"]
    assert cancelled["status"] == "CANCELLED" and cancelled["open"]["cents"] == 0
    again = (await house.do(CANCEL, till, **given))["invoice"]
    assert again["replacedBy"] == cancelled["replacedBy"], "the same key issues once"
    found = (await house.ask(INVOICE, token, number=cancelled["replacedBy"])).data["invoice"]
    assert (found["status"], found["total"]["cents"], found["replaces"]) == ("PAID", 1000, made.number)
    [paid] = await _payments(house, token, means="CHEQUE")
    assert paid["credit"]["cents"] == 500
    await house.mail_to(family.email, "Repas non pris")


async def test_a_cancellation_that_is_refused_leaves_nothing(house: House) -> None:
    family, _ = await house.member()
    till = await cashier(house)
    made = await invoice(house.connection, family.id, 1000, 500, 1, 20_000, cesu=(1,))
    identity = await _id(house, till, made.number)
    before = await state(house)
    for reissue in (
        [],
        [{"position": 5, "quantity": 1}],
        [{"position": 3, "quantity": 10_001}],
        [{"position": 4, "quantity": 9_999}],
        [{"position": 1, "quantity": 2}, {"position": 2, "quantity": -1}],
        [{"position": 1, "quantity": 1}, {"position": 1, "quantity": 2}],
        [{"position": 1, "quantity": -1}],
        [{"position": 1, "quantity": 10_001}],
    ):
        given = {"invoice": identity, "key": key(), "reissue": reissue}
        assert await house.problems(CANCEL, till, **given) == ["LINES_NOT_VALID"], reissue
    assert await house.problems(CANCEL, till, invoice=identity, key=key(), reason="") == ["REASON_MISSING"]
    assert await state(house) == before
    await house.do(CANCEL, till, invoice=identity, key=key())
    assert await house.problems(CANCEL, till, invoice=identity, key=key()) == ["INVOICE_CANCELLED"]


async def test_credit_settles_the_invoices_that_the_cashier_names(house: House) -> None:
    family, token = await house.member()
    till = await cashier(house)
    made = await invoice(house.connection, family.id, 1000)
    home = (await house.ask("{ viewer { family { id } } }", token)).data["viewer"]["family"]["id"]
    given = {"family": home, "invoices": [await _id(house, till, made.number)], "key": key()}
    assert await house.problems(USE, till, **given) == ["NO_CREDIT"]
    await pay(house.connection, family.id, 400, [])
    assert (await house.do(USE, till, **given))["family"]["balance"]["cents"] == 600
    assert await status(house, till, made.number) == "PARTLY_PAID"
    assert await house.problems(USE, till, family=home, invoices=[], key=key()) == ["NOT_FOUND"]
    stranger, _ = await house.member()
    foreign = await _id(house, till, (await invoice(house.connection, stranger.id, 100)).number)
    assert await house.problems(USE, till, family=home, invoices=[foreign], key=key()) == ["NOT_FOUND"]
    await pay(house.connection, family.id, 100, [])
    before = await state(house)
    unknown = [*given["invoices"], global_id("Invoice", family.id, uuid7())]
    assert await house.problems(USE, till, family=home, invoices=unknown, key=key()) == ["NOT_FOUND"]
    assert await state(house) == before


async def test_a_closed_day_has_its_totals_and_changes_no_more(house: House) -> None:
    family, _ = await house.member()
    till = await cashier(house)
    made = await invoice(house.connection, family.id, 10_000)
    await take(house, till, [made.reference], ("CASH", 1000), ("CHEQUE", 2000))
    wrong = await take(house, till, [made.reference], ("CASH", 50))
    await house.do(UNDO, till, payment=wrong["id"], key=key())
    voucher = await take(house, till, [made.reference], ("HOLIDAY_VOUCHER", 2500))
    over = await take(house, till, [made.reference], ("CHEQUE", 5000), source="POST")
    await house.do(REFUND, till, payment=over["id"], cents=500, means="CASH", key=key())
    today = house.clock().astimezone(PARIS).date().isoformat()
    totals = "query ($day: Date!) { tillTotals(day: $day) { edges { node { means count received { cents } } } } }"
    seen = {
        each["node"]["means"]: each["node"]
        for each in (await house.ask(totals, till, day=today)).data["tillTotals"]["edges"]
    }
    assert (seen["CHEQUE"]["count"], seen["CHEQUE"]["received"]["cents"]) == (2, 7000)
    counted = [tender("CASH", 499), tender("CHEQUE", 7000), tender("HOLIDAY_VOUCHER", 2500)]
    assert await house.problems(CLOSE, till, day=today, counted=counted) == ["TOTALS_DIFFER"]
    counted[0] = tender("CASH", 500)
    tomorrow = (house.clock().astimezone(PARIS).date() + timedelta(days=1)).isoformat()
    assert await house.problems(CLOSE, till, day=tomorrow, counted=[]) == ["DAY_NOT_OVER"]
    closing = (await house.do(CLOSE, till, day=today, counted=counted))["closing"]
    found = {each["node"]["means"]: each["node"]["received"]["cents"] for each in closing["totals"]["edges"]}
    assert found == {"CASH": 1000, "CHEQUE": 7000, "HOLIDAY_VOUCHER": 2500}
    assert (await house.do(CLOSE, till, day=today, counted=[]))["closing"] == closing
    before = await state(house)
    next_one = await invoice(house.connection, family.id, 100)
    given = {"references": [next_one.reference], "tenders": [tender("CASH", 100)], "key": key()}
    assert await house.problems(RECORD, till, **given) == ["DAY_CLOSED"]
    assert await house.problems(UNDO, till, payment=voucher["id"], key=key()) == ["DAY_CLOSED"]
    assert await house.problems(REFUND, till, payment=over["id"], cents=1, key=key()) == ["DAY_CLOSED"]
    after = await state(house)
    assert (after["payment"], after["refund"]) == (before["payment"], before["refund"])


async def test_only_cashiers_take_money(house: House) -> None:
    family, token = await house.member()
    agent = await house.agent()
    made = await invoice(house.connection, family.id, 1000)
    before = await state(house)
    given = {"references": [made.reference], "tenders": [tender("CASH", 100)], "key": key()}
    for anybody in (token, agent, None):
        assert (await house.ask(RECORD, anybody, **given)).codes in (["FORBIDDEN"], ["UNAUTHENTICATED"])
    assert (await house.ask(INVOICE, agent, number=made.number)).codes == ["FORBIDDEN"]
    _, stranger = await house.member()
    assert (await house.ask(INVOICE, stranger, number=made.number)).data["invoice"] is None
    assert await state(house) == before
