"""What a family keeps in its account and which services it uses (R2), and the clock that erases what is not kept."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from dateutil.relativedelta import relativedelta

from db import exports, jobs, procedures, sessions
from db import privacy as stored
from db.ids import uuid7
from db.jobs import Job
from resolvers import uploads
from resolvers.context import Context, Process
from resolvers.job_runner import Progress, Result
from resolvers.viewer import SYSTEM_SIGHT

KEPT_UNLESS_SAID = {
    "ANSWERS": False,
    "SCHOOL": True,
    "CONTACTS": True,
    "QUOTIENT_FAMILIAL": True,
    "DOCUMENTS": False,
}
"""The data that a family may choose to keep between procedures, and what holds until it chooses.

Answers and documents serve one procedure, so that they go with it (GDPR art. 5(1)(c) and 25(2)); the others serve the
account.
"""

ERASE_UNKEPT = "erase_unkept"
ERASE_UNKEPT_OF_FAMILY = "erase_unkept_of_family"
SWEEP = "sweep"
FAILED_EXPORTS = timedelta(days=2)

Batch = Callable[[Any], Awaitable[int]]


async def set_retention(context: Context, datum: str, keep: bool) -> tuple[UUID, UUID]:
    """Keep a datum between procedures, or keep it no longer; give the key of the choice.

    What is kept no longer is erased as soon as no procedure needs it.
    """
    now, family_id = context.process.clock(), context.viewer.family
    async with context.transaction() as tx:
        choice_id = await stored.choose(tx, family_id, datum, uuid7(now), keep, now)
        if not keep:
            await jobs.enqueue(tx, ERASE_UNKEPT_OF_FAMILY, now, family_id=family_id)
        await context.record(tx, "data_retention_set", family=family_id, datum=datum, keep=keep)
    return family_id, choice_id


async def set_opt_in(context: Context, service_id: UUID, opted_in: bool) -> tuple[UUID, UUID]:
    """Use a service, or leave it; give the key of the choice.

    Raises Refusal: NOT_FOUND, SERVICE_IN_USE while a procedure is open there.
    """
    now, family_id = context.process.clock(), context.viewer.family
    async with context.transaction() as tx:
        if not await stored.service_exists(tx, service_id):
            raise context.refusal("NOT_FOUND", ["service"])
        if not opted_in and await stored.service_in_use(tx, family_id, service_id):
            raise context.refusal("SERVICE_IN_USE", ["service"])
        choice_id = await stored.opt_in(tx, family_id, service_id, uuid7(now), opted_in, now)
        await context.record(tx, "service_opt_in_set", family=family_id, subject=service_id, opted_in=opted_in)
    return family_id, choice_id


async def used(tx: Any, context: Context, kind: procedures.Kind, now: datetime) -> None:
    """Note that a family uses a service because it starts a procedure there."""
    await stored.opt_in(tx, context.viewer.family, kind.service_id, uuid7(now), True, now)


async def erase_unkept(process: Process, job: Job, progress: Progress) -> Result:
    """Erase what families do not keep, of procedures that ended longer ago than they can be contested.

    Two months: CJA art. R421-1 for the court, CRPA art. L411-2 for an appeal to the city.
    """
    now = process.clock()
    before = now - relativedelta(months=process.settings.retention.contest_months)
    family_id = job.family_id
    return {
        "answers": await _all(process, lambda tx: stored.erase_answers(tx, before, family_id, now)),
        "documents": await uploads.erase_unkept(process, before, family_id),
        "schools": await _once(process, lambda tx: stored.erase_schools(tx, before, family_id)),
        "contacts": await _once(process, lambda tx: stored.erase_contacts(tx, before, family_id)),
        "quotients": await _once(process, lambda tx: stored.erase_quotients(tx, before, family_id)),
    }


async def sweep(process: Process, job: Job, progress: Progress) -> Result:
    """Erase everything whose time has passed; see docs/privacy.md."""
    settings, now = process.settings.retention, process.clock()
    news_before = now - relativedelta(months=settings.news_months)
    procedures_before = now - relativedelta(years=settings.procedures_years)
    return {
        "exports": await _all(process, lambda tx: exports.drop_expired(tx, now, now - FAILED_EXPORTS)),
        "keys": await _all(
            process, lambda tx: stored.forget_keys(tx, now - timedelta(hours=settings.idempotency_hours))
        ),
        "sessions": await _all(process, lambda tx: sessions.sweep(tx, now, process.settings.tokens)),
        "jobs": await _once(process, lambda tx: jobs.forget(tx, now - timedelta(days=settings.jobs_days))),
        "procedures": await _all(process, lambda tx: stored.forget_procedures(tx, procedures_before, now)),
        "deliveries": await _all(process, lambda tx: stored.forget_deliveries(tx, news_before)),
        "recoveries": await _all(process, lambda tx: stored.forget_recoveries(tx, news_before)),
        "news": await _all(process, lambda tx: stored.forget_news(tx, news_before)),
    }


async def _once(process: Process, batch: Batch) -> int:
    async with process.database.transaction(SYSTEM_SIGHT) as tx:
        return await batch(tx)


async def _all(process: Process, batch: Batch) -> int:
    """Repeat a batch, each in a transaction of its own, until it finds nothing more."""
    total = 0
    while count := await _once(process, batch):
        total += count
    return total
