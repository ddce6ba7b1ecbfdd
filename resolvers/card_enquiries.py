"""Asking banks what became of payments that they have not told us: after 20 minutes, two hours, and every night."""

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from db import card_payments as stored
from db import money, steps
from db.card_payments import Attempt
from db.jobs import Job
from resolvers import bank_messages, card_payments
from resolvers.banks import BankUnavailable, Outcome
from resolvers.context import Process
from resolvers.job_runner import Again, GiveUp, Progress, Result
from resolvers.viewer import SYSTEM_SIGHT

log = structlog.get_logger(__name__)

ENQUIRE_NIGHTLY = "card_enquiries"
PAUSE = timedelta(minutes=5)
AT_ONCE = 4
BATCH = 200
FIRST = UUID(int=0)


async def enquire(process: Process, job: Job, progress: Progress) -> Result:
    """Ask about one payment; a bank that is away is asked again. Raises Again, GiveUp."""
    assert job.family_id is not None, "ordered for a family"
    async with process.database.transaction(SYSTEM_SIGHT) as tx:
        attempt = await stored.lock(tx, job.family_id, UUID(job.parameters["payment"]))
    if attempt is None:
        raise GiveUp("NO_SUCH_PAYMENT")
    try:
        return {"outcome": await ask(process, attempt)}
    except BankUnavailable as error:
        now = process.clock()
        if now > attempt.created_at + timedelta(days=process.settings.cards.enquire_days):
            raise GiveUp("BANK_UNAVAILABLE") from error
        raise Again(now + PAUSE) from error


async def enquire_nightly(process: Process, job: Job, progress: Progress) -> Result:
    """Ask about every payment of the last days of which the bank has not said its last word."""
    now, cards = process.clock(), process.settings.cards
    since, before = now - timedelta(days=cards.enquire_days), now - timedelta(seconds=max(cards.enquire_after))
    asked, away, after = 0, 0, (since, FIRST)
    while True:
        async with process.database.transaction(SYSTEM_SIGHT) as tx:
            batch = await stored.unsettled(tx, since, before, after, BATCH)
        if not batch:
            return {"asked": asked, "away": away}
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(attempt: Attempt, gate: asyncio.Semaphore = gate) -> bool:
            async with gate:
                try:
                    await ask(process, attempt)
                except BankUnavailable:
                    return False
                return True

        answered = await asyncio.gather(*map(one, batch))
        asked, away = asked + len(batch), away + answered.count(False)
        after = (batch[-1].created_at, batch[-1].id)
        await progress(50)


async def ask(process: Process, attempt: Attempt) -> str:
    """Ask the bank of an attempt and do what its answer makes necessary; give the outcome.

    An attempt whose time is over ends here, whether or not the bank answers. Raises BankUnavailable.
    """
    if attempt.settled_at is not None:
        return attempt.status
    now = process.clock()
    bank = process.banks.get(attempt.bank)
    if attempt.bank_reference is None or bank is None:  # the browser was never sent there, or the bank is gone
        await _run_out(process, attempt, now, settled=attempt.bank_reference is None)
        return "NOT_ASKED"
    try:
        said = await bank.enquire(attempt.bank_reference, now - attempt.created_at)
    except BankUnavailable:
        await _run_out(process, attempt, now)
        raise
    steps.reached("enquiry.answered")
    if said is None:
        await _run_out(process, attempt, now)
        return "NO_ENQUIRIES"
    heard = await bank_messages.decide(process, bank, attempt, said, "ENQUIRY")
    await _run_out(process, attempt, now, settled=said.outcome is Outcome.EXPIRED)
    return heard.verdict


async def _run_out(process: Process, attempt: Attempt, now: datetime, *, settled: bool = False) -> None:
    """End an attempt whose time is over, once; `settled`: the bank has nothing more to say of it."""
    async with process.database.transaction(SYSTEM_SIGHT) as tx:
        await money.hold(tx, attempt.family_id)
        present = await stored.lock(tx, attempt.family_id, attempt.id)
        assert present is not None, "attempts are never deleted"
        if present.live and present.expires_at <= now:
            await card_payments.expire(tx, present, now)
        if settled and now >= present.expires_at:
            await stored.settle(tx, present, now)
