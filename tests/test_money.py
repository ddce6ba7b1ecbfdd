"""Money as families see it: invoices and payments, receipts, the statement of account, reminders, what is live."""

import asyncio
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from db import closure, ledger_check, money
from db.clock import PARIS
from db.ids import uuid7
from tests.clockwork import run_due
from tests.counters import CANCEL, INVOICE, REFUND, UNDO, cashier, key, take
from tests.house import PASSWORD, House
from tests.live import Socket
from tests.purse import invoice, pay
from tests.test_closure import CLOSE
from tests.test_legal_clock import move_to

LINK = "mutation ($payment: ID!) { receiptLink(payment: $payment) { problems { code } url expiresAt } }"
STATEMENT = """query ($since: Date, $until: Date) { viewer { family { balance { cents formatted }
    statement(since: $since, until: $until) { edges { node {
        kind amount { cents } balance { cents } invoice { number } payment { receiptNumber } } } } } } }"""
OVERVIEW = """{ viewer { family { balance { cents } invoices(first: 12) { edges { node { number status period dueOn
    total { cents formatted } open { cents } lines(first: 4) { edges { node { position label quantity explanation
        amount { cents formatted } service { code } } } } } } }
    payments { edges { node { means amount { cents } } } } } } }"""


async def get(house: House, path: str, token: str | None = None, **headers: str) -> tuple[int, bytes, Any]:
    """Fetch something of the portal."""
    given = {"Authorization": f"Bearer {token}"} if token else {}
    async with house.http.get(f"{house.url}{path}", headers={**given, **headers}) as answer:
        return answer.status, await answer.read(), answer.headers


async def test_a_family_sees_its_invoices_line_by_line(house: House) -> None:
    family, token = await house.member()
    made = await invoice(house.connection, family.id, 1250, 123_400, cesu=(2,))
    await pay(house.connection, family.id, 250, [made.id])
    found = (await house.ask(OVERVIEW, token)).data["viewer"]["family"]
    assert found["balance"]["cents"] == 124_400
    [node] = [each["node"] for each in found["invoices"]["edges"]]
    assert (node["number"], node["status"], node["open"]["cents"]) == (made.number, "PARTLY_PAID", 124_400)
    lines = [each["node"] for each in node["lines"]["edges"]]
    assert [each["amount"]["cents"] for each in lines] == [1250, 123_400]
    assert lines[1]["amount"]["formatted"] == "1\N{NARROW NO-BREAK SPACE}234,00\N{NO-BREAK SPACE}€"
    assert lines[0]["explanation"] == "Tarif de votre tranche de quotient." and lines[0]["service"]["code"] == "cantine"
    by_reference = (await house.ask(INVOICE, token, number=made.reference)).data["invoice"]
    assert by_reference["number"] == made.number


async def test_references_have_check_digits_and_numbers_no_gap(house: House) -> None:
    family, _ = await house.member()
    made = [await invoice(house.connection, family.id) for _ in range(3)]
    last = [int(each.number.rpartition("-")[2]) for each in made]
    assert last == [last[0], last[0] + 1, last[0] + 2]
    assert all(int(each.reference) % 97 == 1 and each.reference[:-2] == each.number.replace("-", "") for each in made)


async def test_invoices_are_found_by_status_and_period(house: House) -> None:
    family, token = await house.member()
    paid, late, part = [await invoice(house.connection, family.id, 1000) for _ in range(3)]
    before = house.clock() - timedelta(days=90)
    old = await invoice(house.connection, family.id, 700, at=before)
    await pay(house.connection, family.id, 1000, [paid.id])
    await pay(house.connection, family.id, 1, [part.id])
    text = "query ($s: [InvoiceStatus!], $p: Date) { invoices(status: $s, period: $p) { edges { node { number } } } }"

    async def numbers(**given: Any) -> set[str]:
        return {each["node"]["number"] for each in (await house.ask(text, token, **given)).data["invoices"]["edges"]}

    assert await numbers(s=["PAID"]) == {paid.number}
    assert await numbers(s=["OVERDUE"]) == {old.number}
    assert await numbers(s=["ISSUED", "PARTLY_PAID"]) == {late.number, part.number}
    assert await numbers(s=["CANCELLED"]) == set()
    month = before.astimezone(PARIS).date().isoformat()
    assert await numbers(p=month) == {old.number}


async def test_a_receipt_is_for_the_family_for_cashiers_and_for_who_has_the_link(house: House) -> None:
    family, token = await house.member()
    _, stranger = await house.member()
    till = await cashier(house)
    made = await invoice(house.connection, family.id, 4000)
    paid = await take(house, till, [made.reference], ("CASH", 1500), ("CHEQUE", 3000))
    for anybody in (token, till):
        status, body, headers = await get(house, paid["receipt"], anybody)
        assert (status, body[:5], headers["Cache-Control"]) == (200, b"%PDF-", "private, no-store")
        assert paid["receiptNumber"] in headers["Content-Disposition"]
        again = await get(house, paid["receipt"], anybody, **{"If-None-Match": headers["ETag"]})
        assert again[0] == 304
    for nobody in (stranger, await house.agent(), None, "x"):
        assert (await get(house, paid["receipt"], nobody))[0] == 404
    assert (await get(house, f"/receipts/{uuid7()}.pdf", token))[0] == 404
    assert (await get(house, "/receipts/reçu.pdf", token))[0] == 404
    url = (await house.do(LINK, token, payment=paid["id"]))["url"]
    path = f"{urlsplit(url).path}?{urlsplit(url).query}"
    assert (await get(house, path))[0] == 200
    other = await take(house, till, [(await invoice(house.connection, family.id, 1000)).reference], ("CASH", 100))
    assert (await get(house, f"{other['receipt']}?{urlsplit(url).query}"))[0] == 404, "a link is for one receipt"
    assert await house.problems(LINK, stranger, payment=paid["id"]) == ["NOT_FOUND"]
    house.clock.ahead = timedelta(minutes=6)
    assert (await get(house, path))[0] == 404


async def test_the_acknowledgement_brings_the_receipt(house: House) -> None:
    family, token = await house.member()
    till = await cashier(house)
    made = await invoice(house.connection, family.id, 4000)
    await take(house, till, [made.reference], ("CASH", 1500))
    mail = await house.mail_to(family.email, "15,00")
    link = next(word for word in mail.split() if "/receipts/" in word)
    path = urlsplit(link).path.removeprefix("/demo")
    assert (await get(house, f"{path}?{urlsplit(link).query}"))[0] == 200
    inbox = "{ viewer { family { inbox { edges { node { type topic summary } } } } } }"
    found = [each["node"] for each in (await house.ask(inbox, token)).data["viewer"]["family"]["inbox"]["edges"]]
    assert found[0]["type"] == "payment_received" and "15,00" in found[0]["summary"]


async def test_the_statement_tells_everything_in_order_with_the_balance(house: House) -> None:
    family, token = await house.member()
    till = await cashier(house)
    made = await invoice(house.connection, family.id, 4000)
    wrong = await invoice(house.connection, family.id, 500)
    paid = await take(house, till, [made.reference], ("CHEQUE", 4300), source="POST")
    oops = await take(house, till, [wrong.reference], ("CASH", 100))
    await house.do(UNDO, till, payment=oops["id"], key=key())
    await house.do(REFUND, till, payment=paid["id"], cents=50, key=key())
    identity = (await house.ask(INVOICE, till, number=wrong.number)).data["invoice"]["id"]
    await house.do(CANCEL, till, invoice=identity, key=key())
    found = (await house.ask(STATEMENT, token)).data["viewer"]["family"]
    entries = [each["node"] for each in found["statement"]["edges"]]
    assert [(each["kind"], each["amount"]["cents"], each["balance"]["cents"]) for each in entries] == [
        ("INVOICE", 4000, 4000),
        ("INVOICE", 500, 4500),
        ("PAYMENT", -4300, 200),
        ("PAYMENT", -100, 100),
        ("UNDONE", 100, 200),
        ("REFUND", 50, 250),
        ("CANCELLATION", -500, -250),
    ]
    assert found["balance"]["cents"] == -250, "the city holds what is left of the cheque"
    today = house.clock().date()
    later = await house.ask(STATEMENT, token, since=(today + timedelta(days=2)).isoformat())
    assert later.data["viewer"]["family"]["statement"]["edges"] == []
    number = (await house.ask("{ viewer { family { number } } }", token)).data["viewer"]["family"]["number"]
    text = "query ($n: String!) { family(number: $n) { balance { cents } statement { totalCount } } }"
    assert (await house.ask(text, till, n=number)).data["family"]["statement"]["totalCount"] == 7
    assert (await house.ask(text, await house.agent(), n=number)).codes == ["FORBIDDEN"]


async def test_an_overdue_invoice_is_reminded_of_twice_and_never_more(house: House) -> None:
    family, _ = await house.member()
    late, paid, gone = [await invoice(house.connection, family.id, 1000) for _ in range(3)]
    await pay(house.connection, family.id, 1000, [paid.id])
    async with house.connection.transaction():
        await money.cancel(house.connection, family.id, gone.id, "Erreur.", house.clock())

    async def reminded() -> list[Any]:
        rows = await house.connection.fetch(
            "select subject_id, data::jsonb ->> 'reminder' as number from news "
            "where family_id = $1 and type = 'invoice_overdue' order by seq",
            family.id,
        )
        return [(row["subject_id"], row["number"]) for row in rows]

    issued_on = await house.connection.fetchval("select due_on - 30 from invoice where id = $1", late.id)
    await run_due(house, "remind_of_invoices")
    assert await reminded() == []
    for days, wanted in ((36, 0), (37, 1), (38, 1), (59, 1), (60, 2), (61, 2), (400, 2)):
        await move_to(house, issued_on + timedelta(days=days))
        await asyncio.gather(*(run_due(house, "remind_of_invoices") for _ in range(2)))
        assert len(await reminded()) == wanted, days
    assert await reminded() == [(late.id, "1"), (late.id, "2")]


async def test_what_becomes_of_invoices_is_live_and_resumes(house: House) -> None:
    family, token = await house.member()
    text = """subscription ($after: String) { invoiceChanged(after: $after) {
        cursor type invoices { edges { node { number status } } } } }"""
    async with Socket(house, token) as socket:
        await socket.subscribe("1", text, after="0")
        made = await invoice(house.connection, family.id, 1000)
        await pay(house.connection, family.id, 400, [made.id])
        first = (await socket.next("1"))["invoiceChanged"]
        assert first["type"] == "payment_received"
        assert first["invoices"]["edges"][0]["node"] == {"number": made.number, "status": "PARTLY_PAID"}
    await pay(house.connection, family.id, 600, [made.id])
    async with Socket(house, token) as socket:
        await socket.subscribe("1", text, after=first["cursor"])
        second = (await socket.next("1"))["invoiceChanged"]
        assert second["invoices"]["edges"][0]["node"]["status"] == "PAID"


async def test_debts_survive_the_closing_of_an_account_and_accounts_its_erasure(house: House) -> None:
    """R10."""
    family, token = await house.member()
    made = await invoice(house.connection, family.id, 4000)
    await pay(house.connection, family.id, 1000, [made.id])
    await house.do(CLOSE, token, password=PASSWORD)
    till = await cashier(house)
    assert (await house.ask(INVOICE, till, number=made.number)).data["invoice"]["open"]["cents"] == 3000
    await take(house, till, [made.reference], ("CHEQUE", 3000), source="POST")
    async with house.connection.transaction():
        await closure.erase(house.connection, family.id, house.clock())
    assert (await house.ask(INVOICE, till, number=made.number)).data["invoice"]["status"] == "PAID"
    assert await ledger_check.violations(house.connection) == {}
