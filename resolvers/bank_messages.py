"""What a bank says of a payment, and whether it counts: the one place where a bank's word becomes money.

A message counts only if everything of it agrees with what was ordered (`judge`). The same message again, one that comes
late, or in another order, is normal: it changes nothing twice. Of a message only the columns of `bank_message` are
kept, and of an unsigned one nothing but that it came (R35).
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec
import structlog

from db import audit, jobs, money, steps, tasks
from db import card_payments as stored
from db.card_payments import BANK_MISMATCH, Attempt, Message
from db.ids import uuid7
from db.ledger import OF_THE_TILL
from db.outbox import tell
from resolvers import card_news
from resolvers.banks import EURO, Bank, BankUnavailable, Contract, NotAMessage, Outcome, Statement
from resolvers.card_payments import BANK, ENQUIRE, may
from resolvers.context import Process
from resolvers.viewer import SYSTEM_SIGHT

log = structlog.get_logger(__name__)

TRANSACTION = re.compile(r"[0-9A-Za-z-]{1,64}")
AUTHORISATION = re.compile(r"[0-9A-Za-z]{1,12}")
"""Too short for the number of a card."""

STATUS = re.compile(r"[A-Z_]{1,40}")


class Verdict(StrEnum):
    """What we make of a message."""

    BOOKED = "BOOKED"
    REFUSED = "REFUSED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"
    WAITING = "WAITING"
    """It decides nothing."""
    DUPLICATE = "DUPLICATE"
    """This money is booked already."""
    STALE = "STALE"
    """The attempt has gone further than that."""

    UNKNOWN = "UNKNOWN"
    """It names no attempt of ours."""
    MALFORMED = "MALFORMED"
    SIGNATURE = "SIGNATURE"
    ATTEMPT = "ATTEMPT"
    MODE = "MODE"
    SITE = "SITE"
    CURRENCY = "CURRENCY"
    AMOUNT = "AMOUNT"
    OPERATION = "OPERATION"
    STATUS = "STATUS"
    TRANSACTION = "TRANSACTION"
    """It names no money that moved."""
    REPLAYED = "REPLAYED"
    """It names money that was booked for another attempt."""


TAKEN = frozenset(Verdict) - frozenset(list(Verdict)[list(Verdict).index(Verdict.UNKNOWN) :])
"""Verdicts on messages that are in order, whatever they say."""

MISMATCHES = frozenset(
    {Verdict.CURRENCY, Verdict.AMOUNT, Verdict.OPERATION, Verdict.STATUS, Verdict.TRANSACTION, Verdict.REPLAYED}
)
"""The bank itself says it, and it does not fit: somebody must look."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What became of a message."""

    verdict: Verdict


def judge(contract: Contract, attempt: Attempt, said: Statement) -> Verdict | None:
    """Compare a message with the attempt and the contract; None where everything agrees."""
    wrong = (
        (Verdict.MODE, said.mode != contract.mode),
        (Verdict.SIGNATURE, not said.signed),
        (Verdict.ATTEMPT, said.bank_reference != attempt.bank_reference),
        (Verdict.SITE, said.site != contract.site),
    )
    for verdict, differs in wrong:
        if differs:
            return verdict
    if said.outcome in (Outcome.WAITING, Outcome.EXPIRED):
        return None
    paid = said.outcome is Outcome.PAID
    differing = (
        (Verdict.CURRENCY, said.currency != EURO),
        (Verdict.AMOUNT, said.cents != attempt.cents),
        (Verdict.OPERATION, said.operation not in (("DEBIT",) if paid else ("DEBIT", ""))),
        (Verdict.STATUS, paid and said.status not in contract.paid),
        (Verdict.TRANSACTION, paid and not TRANSACTION.fullmatch(said.transaction or "")),
    )
    return next((verdict for verdict, differs in differing if differs), None)


async def notified(process: Process, name: str, bank: Bank, message: bytes) -> Heard:
    """Take a notification. Raises BankUnavailable, DatabaseUnavailable: the bank is to send it again."""
    try:
        bank_reference = bank.named(message)
        async with process.database.transaction(SYSTEM_SIGHT) as tx:
            attempt = await stored.find(tx, name, bank_reference)
        if attempt is None:
            return _heard(name, Verdict.UNKNOWN)
        said = await _read(process, bank, attempt, message)
    except NotAMessage:
        return _heard(name, Verdict.MALFORMED)
    steps.reached("bank.heard")
    return await decide(process, bank, attempt, said, "NOTIFICATION")


async def _read(process: Process, bank: Bank, attempt: Attempt, message: bytes) -> Statement:
    """Read a message; one that has to be asked about at a bank that is away is asked about soon."""
    now = process.clock()
    try:
        return await bank.read(message, now - attempt.created_at)
    except BankUnavailable:
        async with process.database.transaction(SYSTEM_SIGHT) as tx:
            await jobs.enqueue(
                tx, ENQUIRE, now, family_id=attempt.family_id, parameters={"payment": str(attempt.id)}, run_at=now
            )
        raise


async def decide(process: Process, bank: Bank, attempt: Attempt, said: Statement, source: str) -> Heard:
    """Do what a bank's word makes necessary, all in one transaction. Raises DatabaseUnavailable."""
    now = process.clock()
    async with process.database.transaction(SYSTEM_SIGHT) as tx:
        await money.hold(tx, attempt.family_id)
        before = await stored.lock(tx, attempt.family_id, attempt.id)
        assert before is not None, "attempts are never deleted"
        verdict = judge(bank.contract, before, said) or await _standing(tx, before, said)
        payment_id = None
        if verdict is Verdict.BOOKED:
            payment_id = await _book(tx, before, said, now)
        elif verdict in (Verdict.REFUSED, Verdict.CANCELLED, Verdict.EXPIRED):
            await _end(tx, before, verdict, now)
        elif verdict in MISMATCHES and said.outcome is Outcome.PAID:
            await tasks.insert(tx, before.family_id, uuid7(now), BANK_MISMATCH, OF_THE_TILL, before.id, now)
        if verdict is not Verdict.WAITING:
            await stored.write_message(tx, before, uuid7(now), _kept(said, source, verdict, payment_id), now)
        steps.reached("bank.booked")
    steps.reached("bank.committed")
    return _heard(attempt.bank, verdict)


async def _standing(tx: Any, attempt: Attempt, said: Statement) -> Verdict:
    """Give what a message that is in order comes to, as the attempt stands."""
    if said.outcome is Outcome.WAITING:
        return Verdict.WAITING
    if said.outcome is Outcome.PAID:
        booked_for = await stored.booked(tx, attempt.bank, said.transaction or "")
        if booked_for is None:
            return Verdict.BOOKED
        return Verdict.DUPLICATE if booked_for == attempt.id else Verdict.REPLAYED
    return Verdict(said.outcome) if may(attempt.status, said.outcome, BANK) else Verdict.STALE


async def _book(tx: Any, attempt: Attempt, said: Statement, now: datetime) -> Any:
    """Book the money; give the payment. The first of an attempt has its id, a second one is all credit."""
    first = may(attempt.status, "PAID", BANK)
    payment_id = attempt.id if first else uuid7(now)
    authorisation = said.authorisation if AUTHORISATION.fullmatch(said.authorisation or "") else None
    received = money.Received(
        attempt.family_id, "ONLINE_CARD", attempt.cents, "CARD", now, bank_reference=authorisation, id=payment_id
    )
    await money.book(tx, received, await stored.invoices_of(tx, attempt))
    if first:
        await stored.end(tx, attempt, "PAID", "BANK", now, settled=True)
    return payment_id


async def _end(tx: Any, attempt: Attempt, verdict: Verdict, now: datetime) -> None:
    """End an attempt as the bank says; a refusal is told to the family (R33)."""
    await stored.end(tx, attempt, verdict, "BANK", now, settled=True)
    act = audit.Act(f"card_payment_{verdict.lower()}", "SYSTEM", now, None, attempt.family_id, attempt.id)
    await audit.record(tx, act)
    if verdict is Verdict.REFUSED:
        await tell(tx, await card_news.refused(tx, attempt, now))
    else:
        await tell(tx, await card_news.ended(tx, attempt, verdict, now))


def _kept(said: Statement, source: str, verdict: Verdict, payment_id: Any) -> Message:
    """Give what is kept of a message; of one that nobody vouches for, only that it came."""
    fingerprint = hashlib.sha256(msgspec.json.encode(said)).digest()
    if verdict in (Verdict.SIGNATURE, Verdict.ATTEMPT, Verdict.MODE, Verdict.SITE):
        return Message(source, verdict, hashlib.sha256(verdict.encode()).digest())
    return Message(
        source,
        verdict,
        fingerprint,
        said.status if STATUS.fullmatch(said.status) else None,
        said.cents if said.cents is not None and said.cents < 2**31 else None,
        said.transaction if TRANSACTION.fullmatch(said.transaction or "") else None,
        payment_id,
    )


def _heard(bank: str, verdict: Verdict) -> Heard:
    if verdict not in TAKEN:
        log.warning("bank_message_refused", bank=bank, verdict=verdict.value)
    return Heard(verdict)
