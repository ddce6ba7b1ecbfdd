"""The counter and the post: money that a cashier takes by the references of coupons (R27, R28); a day's end."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from db import debits, ledger, money, till
from db.ids import uuid7
from db.ledger import PARIS
from db.money import By, Received
from resolvers import card_data
from resolvers.context import Context
from resolvers.idempotency import claimed

MOST_CENTS = 10_000_000
"""What one tender can be: a mistyped amount should not pass for a fortune."""

BY_WAY = {
    "COUNTER": ("CESU", "HOLIDAY_VOUCHER", "CASH", "CARD", "CHEQUE"),
    "POST": ("CESU", "HOLIDAY_VOUCHER", "CHEQUE", "TRANSFER"),
}
"""Means by the way in which they come, in the order in which they settle: first what is good for little else. Cash and
cards are taken at the counter only (R28)."""

GIVES_CHANGE = frozenset({"CASH", "CARD"})
"""Nobody gives more of these than is owed: the cashier gives change, or types the amount on the terminal."""


@dataclass(frozen=True, slots=True)
class Tender:
    """What somebody puts on the counter: a means and its worth in cents."""

    means: str
    cents: int


Key = tuple[UUID, UUID]


def by(context: Context) -> By:
    """Give who acts, for the audit log."""
    return By(context.viewer.kind.value, context.viewer.agent_id)


async def record(
    context: Context,
    references: Sequence[str],
    tenders: Sequence[Tender],
    source: str,
    idempotency_key: str,
    *,
    despite_debit: bool,
) -> Key:
    """Take money for the invoices of these coupons, all of one family; give the first payment of the visit.

    At the counter an invoice that the bank is debiting is paid only when the cashier insists; by post the money is
    there already. The debit is booked all the same, as a credit with a task.

    Raises Refusal: REFERENCE_UNKNOWN, NOT_ONE_FAMILY, INVOICE_CANCELLED, INVOICE_PAID, DEBIT_UNDER_WAY,
    AMOUNT_NOT_VALID, MEANS_NOT_POSSIBLE, CASH_LIMIT, CESU_NOT_ELIGIBLE, TOO_MUCH, DAY_CLOSED, IDEMPOTENCY_KEY_REUSED.
    """
    now, wanted = context.process.clock(), [each.strip() for each in references]
    _check_tenders(context, tenders, source)
    async with context.transaction() as tx:
        coupons = await _coupons(tx, context, wanted)
        family_id, payment_id = coupons[0].family_id, uuid7(now)
        given = {"for": wanted, "tenders": [[each.means, each.cents] for each in tenders], "source": source}
        await money.hold(tx, family_id)
        first = await claimed(tx, context, family_id, idempotency_key, "recordPayment", payment_id, given)
        if first is not None:
            return family_id, first
        if await till.is_closed(tx, now.astimezone(PARIS).date()):
            raise context.refusal("DAY_CLOSED")
        invoices = [each.id for each in coupons]
        still = await ledger.still_open(tx, family_id, invoices)
        _check_open(context, coupons, still)
        if source == "COUNTER" and not despite_debit and await debits.at_the_bank(tx, family_id, invoices):
            raise context.refusal("DEBIT_UNDER_WAY", ["references"])
        counted = _counted(context, tenders, still, BY_WAY[source])
        received = [
            Received(family_id, means, cents, source, now, forfeited_cents=forfeited)
            for means, cents, forfeited in counted
        ]
        received[0] = replace(received[0], id=payment_id)
        await money.book_visit(tx, received, invoices, by(context))
    return family_id, payment_id


def _check_tenders(context: Context, tenders: Sequence[Tender], source: str) -> None:
    means = [each.means for each in tenders]
    if not 1 <= len(tenders) <= 10 or any(not 1 <= each.cents <= MOST_CENTS for each in tenders):
        raise context.refusal("AMOUNT_NOT_VALID", ["tenders"])
    if len(set(means)) < len(means) or not set(means) <= set(BY_WAY[source]):
        raise context.refusal("MEANS_NOT_POSSIBLE", ["tenders"])
    cash = sum(each.cents for each in tenders if each.means == "CASH")
    if cash > context.process.settings.money.cash_limit_cents:
        raise context.refusal("CASH_LIMIT", ["tenders"])


async def _coupons(tx: Any, context: Context, references: Sequence[str]) -> list[till.Coupon]:
    if not 1 <= len(references) <= 20 or len(set(references)) < len(references):
        raise context.refusal("BAD_USER_INPUT", ["references"])
    found = await till.coupons(tx, references)
    if len(found) < len(references):
        raise context.refusal("REFERENCE_UNKNOWN", ["references"])
    if len({each.family_id for each in found}) > 1:
        raise context.refusal("NOT_ONE_FAMILY", ["references"])
    return found


def _check_open(context: Context, coupons: Sequence[till.Coupon], still: Sequence[ledger.Open]) -> None:
    if len(still) < len(coupons):
        raise context.refusal("INVOICE_CANCELLED", ["references"])
    if any(each.cents <= 0 for each in still):
        raise context.refusal("INVOICE_PAID", ["references"])


def _counted(
    context: Context, tenders: Sequence[Tender], still: Sequence[ledger.Open], order: Sequence[str]
) -> list[tuple[str, int, int]]:
    """Give means, cents that count and cents that are forfeited, in the order in which they settle."""
    owed = sum(each.cents for each in still)
    eligible = sum(min(each.cents, sum(cents for _, cents in each.eligible)) for each in still)
    counted = []
    for tender in sorted(tenders, key=lambda each: order.index(each.means)):
        if tender.means == "CESU" and tender.cents > eligible:
            raise context.refusal("CESU_NOT_ELIGIBLE", ["tenders"])
        cents = min(tender.cents, owed) if tender.means == "HOLIDAY_VOUCHER" else tender.cents
        if cents == 0 or (tender.means in GIVES_CHANGE and cents > owed):
            raise context.refusal("TOO_MUCH", ["tenders"])
        counted.append((tender.means, cents, tender.cents - cents))
        owed = max(owed - cents, 0)
    return counted


async def undo(context: Context, payment: Key, reason: str, idempotency_key: str) -> Key:
    """Take back a payment that was recorded in error, on the day on which it was.

    Raises Refusal: NOT_FOUND, REASON_MISSING, PAYMENT_UNDONE, NOT_OF_THE_TILL for what came from a bank, NOT_TODAY,
    DAY_CLOSED, PAYMENT_REFUNDED, IDEMPOTENCY_KEY_REUSED.
    """
    family_id, payment_id = payment
    now, words = context.process.clock(), reason_of(context, reason)
    async with context.transaction() as tx:
        await money.hold(tx, family_id)
        taken = await till.taken(tx, family_id, payment_id)
        if taken is None:
            raise context.refusal("NOT_FOUND", ["payment"])
        given = {"payment": payment_id, "reason": words}
        if await claimed(tx, context, family_id, idempotency_key, "undoPayment", payment_id, given) is not None:
            return payment
        if taken.undone:
            raise context.refusal("PAYMENT_UNDONE", ["payment"])
        if taken.source not in till.OF_THE_TILL:
            raise context.refusal("NOT_OF_THE_TILL", ["payment"])
        if taken.received_on != now.astimezone(PARIS).date():
            raise context.refusal("NOT_TODAY", ["payment"])
        if await till.is_closed(tx, taken.received_on):
            raise context.refusal("DAY_CLOSED", ["payment"])
        if await ledger.refunded(tx, family_id, payment_id):
            raise context.refusal("PAYMENT_REFUNDED", ["payment"])
        await money.unbook(tx, family_id, payment_id, words, now, by(context))
    return payment


async def close_day(context: Context, day: date, counted: Sequence[Tender]) -> UUID:
    """Close a day of the till, when what was counted by means is what was recorded; once more changes nothing.

    Raises Refusal: DAY_NOT_OVER for a day to come, TOTALS_DIFFER.
    """
    now = context.process.clock()
    if day > now.astimezone(PARIS).date():
        raise context.refusal("DAY_NOT_OVER", ["day"])
    async with context.transaction() as tx:
        if await till.hold_day(tx, day):
            return await till.closing_of(tx, day)
        found = await till.totals(tx, day)
        recorded = {each.means: each.cents + each.forfeited_cents - each.refunded_cents for each in found}
        said = {each.means: each.cents for each in counted}
        if len(said) < len(counted) or any(
            recorded.get(means, 0) != said.get(means, 0) for means in recorded.keys() | said.keys()
        ):
            raise context.refusal("TOTALS_DIFFER", ["counted"])
        closing_id = await till.close(tx, day, found, context.viewer.agent, now)
        await context.record(tx, "day_closed", family=None, subject=closing_id, day=day.isoformat())
    return closing_id


def reason_of(context: Context, reason: str) -> str:
    """Give a reason without blanks around it; raises Refusal REASON_MISSING for one that is empty or too long,
    CARD_DATA for one that holds the number of a card or an account.
    """
    words = reason.strip()
    if not 3 <= len(words) <= 4000:
        raise context.refusal("REASON_MISSING", ["reason"])
    if card_data.is_in(words):
        raise context.refusal("CARD_DATA", ["reason"])
    return words
