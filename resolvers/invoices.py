"""What becomes of published invoices and of credits: cancelled, issued again, paid back, used for what is owed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from db import invoicing, ledger, money, money_news, till
from db.ids import uuid7
from db.ledger import PARIS
from db.outbox import tell
from resolvers.context import Context
from resolvers.counter import MOST_CENTS, Key, by, reason_of
from resolvers.idempotency import claimed


@dataclass(frozen=True, slots=True)
class KeptLine:
    """A line of a cancelled invoice that is issued again: its position, and how many units it should have had."""

    position: int
    quantity: int


async def cancel(
    context: Context, invoice: Key, reason: str, reissue: Sequence[KeptLine] | None, idempotency_key: str
) -> tuple[Key, Key | None]:
    """Cancel an invoice and issue it again where lines are given; what settled it becomes credit, and settles that.

    Gives the invoice and the one that replaces it. Raises Refusal: NOT_FOUND, REASON_MISSING, INVOICE_CANCELLED,
    LINES_NOT_VALID, IDEMPOTENCY_KEY_REUSED.
    """
    family_id, invoice_id = invoice
    now, words = context.process.clock(), reason_of(context, reason)
    kept = None if reissue is None else [[each.position, each.quantity] for each in reissue]
    async with context.transaction() as tx:
        await money.hold(tx, family_id)
        before = await invoicing.published(tx, family_id, invoice_id)
        if before is None:
            raise context.refusal("NOT_FOUND", ["invoice"])
        successor = uuid7(now)
        given = {"invoice": invoice_id, "reason": words, "reissue": kept}
        first = await claimed(tx, context, family_id, idempotency_key, "cancelInvoice", successor, given)
        if first is not None:
            return invoice, (family_id, first) if reissue is not None else None
        if before.cancelled:
            raise context.refusal("INVOICE_CANCELLED", ["invoice"])
        lines = None if reissue is None else _kept(context, before.lines, reissue)
        await money.cancel(tx, family_id, invoice_id, words, now, by(context))
        if lines is None:
            return invoice, None
        today = now.astimezone(PARIS).date()
        due = max(before.due_on, today + timedelta(days=context.process.settings.money.reissue_days))
        again = money.NewInvoice(family_id, before.period, due, lines, before.run_id, invoice_id, successor)
        await money.publish(tx, [again], now, by(context))
        await tell(tx, await money_news.issued(tx, family_id, successor, now))
    return invoice, (family_id, successor)


def _kept(context: Context, lines: Sequence[money.Line], reissue: Sequence[KeptLine]) -> list[money.Line]:
    wanted = {each.position: each.quantity for each in reissue}
    if not wanted or len(wanted) < len(reissue) or not set(wanted) <= set(range(1, len(lines) + 1)):
        raise context.refusal("LINES_NOT_VALID", ["reissue"])
    if any(not -10_000 <= quantity <= 10_000 for quantity in wanted.values()):
        raise context.refusal("LINES_NOT_VALID", ["reissue"])
    kept = [invoicing.with_quantity(lines[position - 1], wanted[position]) for position in sorted(wanted)]
    eligible = [each for each in kept if each.cesu_eligible]
    if not 0 <= sum(each.cents for each in kept) <= MOST_CENTS or any(each.cents < 0 for each in eligible):
        raise context.refusal("LINES_NOT_VALID", ["reissue"])
    if sum(each.cents for each in eligible) > sum(each.cents for each in kept):
        raise context.refusal("LINES_NOT_VALID", ["reissue"])
    return kept


async def refund(
    context: Context, payment: Key, cents: int, means: str, reason: str, idempotency_key: str
) -> tuple[Key, UUID]:
    """Pay credit of a payment back; give the payment and the refund.

    Raises Refusal: NOT_FOUND, REASON_MISSING, AMOUNT_NOT_VALID, MEANS_NOT_POSSIBLE, TOO_MUCH for more than its credit,
    PAYMENT_UNDONE, CASH_LIMIT, DAY_CLOSED, IDEMPOTENCY_KEY_REUSED.
    """
    family_id, payment_id = payment
    now, words = context.process.clock(), reason_of(context, reason)
    if not 1 <= cents <= MOST_CENTS:
        raise context.refusal("AMOUNT_NOT_VALID", ["cents"])
    if means not in ("CASH", "CARD", "TRANSFER"):
        raise context.refusal("MEANS_NOT_POSSIBLE", ["means"])
    if means == "CASH" and cents > context.process.settings.money.cash_limit_cents:
        raise context.refusal("CASH_LIMIT", ["cents"])
    async with context.transaction() as tx:
        await money.hold(tx, family_id)
        if await till.taken(tx, family_id, payment_id) is None:
            raise context.refusal("NOT_FOUND", ["payment"])
        made = uuid7(now)
        given = {"payment": payment_id, "cents": cents, "means": means, "reason": words}
        first = await claimed(tx, context, family_id, idempotency_key, "refundPayment", made, given)
        if first is not None:
            return payment, first
        if await till.is_closed(tx, now.astimezone(PARIS).date()):
            raise context.refusal("DAY_CLOSED")
        await _pay_back(tx, context, payment, cents, means, words, made)
    return payment, made


async def _pay_back(
    tx: Any, context: Context, payment: Key, cents: int, means: str, reason: str, refund_id: UUID
) -> None:
    now = context.process.clock()
    try:
        await money.refund(tx, *payment, cents, means, reason, now, by(context), refund_id=refund_id)
    except money.TooMuch as error:
        raise context.refusal("TOO_MUCH", ["cents"]) from error
    except money.NotStanding as error:
        raise context.refusal("PAYMENT_UNDONE", ["payment"]) from error


async def use_credit(context: Context, family: UUID, invoices: Sequence[Key], idempotency_key: str) -> UUID:
    """Settle open invoices of a family with its credits, oldest first; give the family.

    Raises Refusal: NOT_FOUND for invoices of another family, NO_CREDIT, IDEMPOTENCY_KEY_REUSED.
    """
    now = context.process.clock()
    if not 1 <= len(invoices) <= 20 or any(each[0] != family for each in invoices):
        raise context.refusal("NOT_FOUND", ["invoices"])
    async with context.transaction() as tx:
        await money.hold(tx, family)
        given = {"invoices": [each[1] for each in invoices]}
        if await claimed(tx, context, family, idempotency_key, "useCredit", family, given) is not None:
            return family
        still = await ledger.still_open(tx, family, [each[1] for each in invoices])
        if len(still) < len(invoices):
            raise context.refusal("NOT_FOUND", ["invoices"])
        used = await money.use_credits(tx, list(invoices), now)
        if not used:
            raise context.refusal("NO_CREDIT", ["invoices"])
        await context.record(tx, "credit_used", family=family, cents=used)
    return family
