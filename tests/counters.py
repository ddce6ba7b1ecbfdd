"""Cashiers of tests: their commands, and what the ledger looks like."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from db.ids import uuid7
from tests.house import House

RECORD = """mutation ($references: [String!]!, $tenders: [TenderInput!]!, $key: String!,
        $source: CounterSource! = COUNTER, $despite: Boolean! = false) {
    recordPayment(references: $references, tenders: $tenders, idempotencyKey: $key, source: $source,
            despiteDebit: $despite) {
        problems { code message path }
        payment { id means receiptNumber receipt amount { cents } credit { cents } forfeited { cents }
            allocations { edges { node { amount { cents } linePosition invoice { number status } } } }
            together { edges { node { means amount { cents } forfeited { cents } credit { cents } } } } }
    } }"""
UNDO = """mutation ($payment: ID!, $reason: String! = "Erreur de saisie.", $key: String!) {
    undoPayment(payment: $payment, reason: $reason, idempotencyKey: $key) {
        problems { code message path } payment { undoneAt undoneReason credit { cents } } } }"""
REFUND = """mutation ($payment: ID!, $cents: Int!, $means: PaymentMeans! = TRANSFER, $key: String!,
        $reason: String! = "Trop perçu.") {
    refundPayment(payment: $payment, cents: $cents, means: $means, reason: $reason, idempotencyKey: $key) {
        problems { code message path } payment { credit { cents } refunded { cents } } } }"""
CANCEL = """mutation ($invoice: ID!, $reason: String! = "Repas non pris.", $key: String!,
        $reissue: [ReissuedLineInput!]) {
    cancelInvoice(invoice: $invoice, reason: $reason, idempotencyKey: $key, reissue: $reissue) {
        problems { code message path } invoice { number status cancelledReason replacedBy open { cents } } } }"""
USE = """mutation ($family: ID!, $invoices: [ID!]!, $key: String!) {
    useCredit(family: $family, invoices: $invoices, idempotencyKey: $key) {
        problems { code message path } family { balance { cents } } } }"""
CLOSE = """mutation ($day: Date!, $counted: [TenderInput!]!) { closeDay(day: $day, counted: $counted) {
    problems { code message path }
    closing { day totals { edges { node { means count received { cents } forfeited { cents } refunded { cents } } } } }
    } }"""
INVOICE = """query ($number: String!) { invoice(number: $number) { id number reference status
    total { cents currency formatted } paid { cents } open { cents } openCesu { cents } replaces replacedBy
    allocations { edges { node { amount { cents } freedAt payment { means } } } } } }"""
MONEY_TABLES = ("invoice", "invoice_line", "payment", "allocation", "refund", "agent_task", "news", "daily_closing")


def key() -> str:
    """Make a new idempotency key."""
    return str(uuid7())


def tender(means: str, cents: int) -> dict[str, Any]:
    """Make one tender."""
    return {"means": means, "cents": cents}


async def cashier(house: House) -> str:
    """Give the token of the demo city's cashier."""
    return await house.agent("regie")


async def take(
    house: House, token: str, references: Sequence[str], *tenders: tuple[str, int], source: str = "COUNTER"
) -> Any:
    """Record money that is accepted; give the payment."""
    payload = await house.do(
        RECORD,
        token,
        references=list(references),
        tenders=[tender(*each) for each in tenders],
        key=key(),
        source=source,
    )
    return payload["payment"]


async def state(house: House) -> dict[str, int]:
    """Count the rows that money could leave."""
    return {each: await house.connection.fetchval(f"select count(*) from {each}") for each in MONEY_TABLES}


async def status(house: House, token: str, number: str) -> str:
    """Give the status of an invoice."""
    found: str = (await house.ask(INVOICE, token, number=number)).data["invoice"]["status"]
    return found


async def balance(house: House, family_id: UUID) -> int:
    """Give what a family owes, in cents, as the entries of its account say."""
    found: int | None = await house.connection.fetchval(
        "select balance_cents from account_entries($1, null, null) order by happened_at desc, id desc limit 1",
        family_id,
    )
    return found or 0
