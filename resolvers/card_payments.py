"""Paying invoices by card (R25, R30–R35): a family is sent to its bank, and only the bank says what came of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from db import audit, debits, idempotency, jobs, money, steps
from db import card_payments as stored
from db.card_payments import Attempt, NewAttempt, Owed
from db.ids import uuid7
from db.outbox import tell
from resolvers import card_news
from resolvers.banks import Bank, BankUnavailable, Order, Redirect
from resolvers.context import Context
from resolvers.procedures import fingerprint
from resolvers.viewer import SYSTEM_SIGHT

FAMILY, BANK, CLOCK = "FAMILY", "BANK", "CLOCK"

# The legal moves: from → to → who may. Everything else is refused. What the bank says was paid is never lost, however
# late it comes: it is booked as far as something is owed, and the rest is a credit.
MOVES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "CREATED": {"REDIRECTED": (FAMILY,), "CANCELLED": (FAMILY,), "EXPIRED": (CLOCK,)},
    "REDIRECTED": {
        "PAID": (BANK,),
        "REFUSED": (BANK,),
        "CANCELLED": (BANK, FAMILY),
        "EXPIRED": (BANK, CLOCK),
    },
    "EXPIRED": {"PAID": (BANK,), "REFUSED": (BANK,)},
    "CANCELLED": {"PAID": (BANK,)},
    "REFUSED": {"PAID": (BANK,)},
    "PAID": {},
}
ENQUIRE = "card_enquiry"
MOST_INVOICES = 20
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
UNAVAILABLE = "BANK_UNAVAILABLE"


@dataclass(frozen=True, slots=True)
class Started:
    """An attempt, and where the browser goes while it is live."""

    family_id: UUID
    id: UUID
    redirect: Redirect | None


@dataclass(frozen=True, slots=True)
class Asked:
    """What a family asks to pay."""

    invoices: Sequence[UUID]
    key: str
    bank: str | None = None
    cents: int | None = None
    """What it takes the whole to be."""


def may(before: str, to: str, who: str) -> bool:
    """Tell whether a move is legal."""
    return who in MOVES[before].get(to, ())


async def start(context: Context, asked: Asked) -> Started:
    """Start to pay invoices, whole (R30); a repeated call with the same key gives the same attempt.

    Raises Refusal: CARD_NOT_OFFERED, NOT_FOUND for a foreign invoice, INVOICE_PAID, INVOICE_CANCELLED,
    DEBIT_UNDER_WAY, WHOLE_AMOUNT_ONLY, AMOUNT_NOT_PAYABLE, PAYMENT_UNDER_WAY, BANK_UNAVAILABLE, IDEMPOTENCY_KEY_REUSED.
    """
    name, bank = _bank(context, asked.bank)
    if not 1 <= len(asked.invoices) <= MOST_INVOICES or len(set(asked.invoices)) != len(asked.invoices):
        raise context.refusal("BAD_USER_INPUT", ["invoices"])
    attempt, email = await _created(context, asked, name, bank)
    steps.reached("card.created")
    if attempt.end_reason == UNAVAILABLE:
        raise context.refusal(UNAVAILABLE)
    if attempt.status != "CREATED":
        return _started(attempt)
    try:
        redirect = await bank.order(Order(attempt.reference, attempt.cents, email, "Factures famille"))
    except BankUnavailable as error:
        await _unavailable(context, attempt)
        raise context.refusal(UNAVAILABLE) from error
    steps.reached("card.ordered")
    return _started(await _redirected(context, attempt, redirect))


def _bank(context: Context, name: str | None) -> tuple[str, Bank]:
    banks = context.process.banks
    chosen = name or next(iter(banks), "")
    if chosen not in banks:
        raise context.refusal("CARD_NOT_OFFERED", ["bank"] if name else None)
    return chosen, banks[chosen]


async def _created(context: Context, asked: Asked, name: str, bank: Bank) -> tuple[Attempt, str]:
    """Write the attempt, or find the one of the same key; give it with the address of who pays."""
    now, family_id, account_id = context.process.clock(), context.viewer.family, context.viewer.account
    parameters = fingerprint({"invoices": asked.invoices, "bank": name, "cents": asked.cents})
    async with context.transaction() as tx:
        await money.hold(tx, family_id)
        attempt_id = uuid7(now)
        first = await _claimed(tx, context, asked.key, parameters, attempt_id)
        if first is None:
            found = await _payable(tx, context, asked, bank, now)
            life = timedelta(seconds=context.process.settings.cards.attempt_seconds)
            reference = reference_of(attempt_id)
            await stored.insert(
                tx, NewAttempt(family_id, attempt_id, reference, name, account_id, now, now + life, found)
            )
            for seconds in context.process.settings.cards.enquire_after:
                at = now + timedelta(seconds=seconds)
                parameters_of_job = {"payment": str(attempt_id)}
                await jobs.enqueue(tx, ENQUIRE, now, family_id=family_id, parameters=parameters_of_job, run_at=at)
            await context.record(tx, "card_payment_started", family=family_id, subject=attempt_id, bank=name)
        attempt = await stored.lock(tx, family_id, first or attempt_id)
        email = await tx.fetchval("select email from account where family_id = $1 and id = $2", family_id, account_id)
    assert attempt is not None, "written with its key"
    return attempt, email


async def _claimed(tx: Any, context: Context, key: str, parameters: bytes, result: UUID) -> UUID | None:
    if not 8 <= len(key) <= 100:
        raise context.refusal("BAD_USER_INPUT", ["idempotencyKey"])
    now = context.process.clock()
    try:
        return await idempotency.claim(tx, context.viewer.family, key, "startCardPayment", parameters, result, now)
    except idempotency.KeyReused as error:
        raise context.refusal("IDEMPOTENCY_KEY_REUSED", ["idempotencyKey"]) from error


async def _payable(tx: Any, context: Context, asked: Asked, bank: Bank, now: datetime) -> list[Owed]:
    """Give the invoices as they can be paid now; attempts on them whose time is over are ended. Raises Refusal."""
    family_id = context.viewer.family
    found = await stored.owed(tx, family_id, asked.invoices)
    if len(found) != len(asked.invoices):
        raise context.refusal("NOT_FOUND", ["invoices"])
    for each in found:
        if each.cancelled:
            raise context.refusal("INVOICE_CANCELLED", ["invoices"])
        if each.open_cents <= 0:
            raise context.refusal("INVOICE_PAID", ["invoices"])
    if await debits.at_the_bank(tx, family_id, asked.invoices):
        raise context.refusal("DEBIT_UNDER_WAY", ["invoices"])
    whole = sum(each.open_cents for each in found)
    if asked.cents is not None and asked.cents != whole:
        raise context.refusal("WHOLE_AMOUNT_ONLY", ["cents"])
    if not bank.contract.smallest <= whole <= bank.contract.largest:
        raise context.refusal("AMOUNT_NOT_PAYABLE", ["invoices"])
    for attempt in await stored.run_out(tx, family_id, asked.invoices, now):
        await expire(tx, attempt, now)
    if await stored.under_way(tx, family_id, asked.invoices):
        raise context.refusal("PAYMENT_UNDER_WAY", ["invoices"])
    return found


async def _redirected(context: Context, attempt: Attempt, redirect: Redirect) -> Attempt:
    """Write where the browser goes; of two that were faster than each other, the first one counts for both."""
    async with context.transaction() as tx:
        await money.hold(tx, attempt.family_id)
        before = await stored.lock(tx, attempt.family_id, attempt.id)
        assert before is not None, "attempts are never deleted"
        if may(before.status, "REDIRECTED", FAMILY):
            written = msgspec.json.encode(redirect).decode()
            await stored.redirect(tx, before, redirect.bank_reference, written, context.process.clock())
        after = await stored.lock(tx, attempt.family_id, attempt.id)
    steps.reached("card.redirected")
    assert after is not None, "attempts are never deleted"
    return after


async def _unavailable(context: Context, attempt: Attempt) -> None:
    """End an attempt that never reached the bank, so that the invoices can be paid at once when it is back."""
    async with context.transaction() as tx:
        await money.hold(tx, attempt.family_id)
        before = await stored.lock(tx, attempt.family_id, attempt.id)
        if before is not None and before.status == "CREATED":
            await stored.end(tx, before, "CANCELLED", UNAVAILABLE, context.process.clock())


def _started(attempt: Attempt) -> Started:
    redirect = msgspec.json.decode(attempt.redirect, type=Redirect) if attempt.redirect else None
    return Started(attempt.family_id, attempt.id, redirect)


async def cancel(context: Context, family_id: UUID, attempt_id: UUID) -> None:
    """Give up a payment that the bank has not decided; a repeated call changes nothing.

    The bank may still say that it was paid: that is booked. Raises Refusal: NOT_FOUND, PAYMENT_MADE.
    """
    now = context.process.clock()
    async with context.transaction() as tx:
        await money.hold(tx, family_id)
        before = await stored.lock(tx, family_id, attempt_id)
        if before is None:
            raise context.refusal("NOT_FOUND", ["payment"])
        if before.status == "PAID":
            raise context.refusal("PAYMENT_MADE", ["payment"])
        if not may(before.status, "CANCELLED", FAMILY):
            return
        await stored.end(tx, before, "CANCELLED", "FAMILY", now)
        await context.record(tx, "card_payment_cancelled", family=family_id, subject=attempt_id)
        await tell(tx, await card_news.ended(tx, before, "CANCELLED", now))


async def expire(tx: Any, attempt: Attempt, now: datetime) -> None:
    """End an attempt whose time is over: the invoices can be paid again."""
    assert may(attempt.status, "EXPIRED", CLOCK), attempt.status
    await stored.end(tx, attempt, "EXPIRED", "TIME", now)
    await audit.record(tx, audit.Act("card_payment_expired", "SYSTEM", now, None, attempt.family_id, attempt.id))
    await tell(tx, await card_news.ended(tx, attempt, "EXPIRED", now))


async def standing(process: Any, bank: str, reference: str) -> tuple[str, UUID] | None:
    """Give the status and the id of an attempt, for the page that browsers come back to. Raises DatabaseUnavailable."""
    async with process.database.transaction(SYSTEM_SIGHT) as tx:
        return await stored.shown(tx, bank, reference)


def reference_of(attempt_id: UUID) -> str:
    """Give the 26 letters and digits (Crockford's base 32) by which a bank knows an attempt."""
    value = attempt_id.int
    return "".join(ALPHABET[value >> 5 * place & 31] for place in reversed(range(26)))
