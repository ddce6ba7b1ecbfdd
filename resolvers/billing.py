"""Billing runs: a month of consumptions becomes drafts, checks and, in one go, published invoices (R29).

One run at a time. Drafting and publishing are jobs that any node takes over where another one died, some hundreds of
families in a transaction, so that nobody waits long for the money of a family. Families are told when all of a run is
published, by the job that sets their invoices in type.
"""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from db import audit, billing, billing_drafts, jobs, notices, steps
from db import billing_states as states
from db.clock import PARIS
from db.ids import uuid7
from db.jobs import Job
from resolvers.context import Context, Process
from resolvers.job_runner import GiveUp, Progress, Result
from resolvers.viewer import SYSTEM_SIGHT

DRAFT_RUN = "draft_billing_run"
PUBLISH_RUN = "publish_billing_run"
ISSUE_INVOICES = "issue_invoices"
DROP_DRAFTS = "drop_billing_drafts"

BATCH = 500
"""Families of one statement that drafts, which holds nobody up, or deletes drafts."""
STATEMENT_MS = "300000"
EARLIEST = date(2000, 1, 1)


async def start(context: Context, month: date, service: str | None) -> UUID:
    """Begin to draft the invoices of a month, of one service or of all; give the run.

    Raises Refusal: MONTH_NOT_OVER, NOT_FOUND for the service, BILLING_RUN_OPEN while another run is open.
    """
    process, now = context.process, context.process.clock()
    period = month.replace(day=1)
    async with context.transaction() as tx:
        service_id = await _service(tx, context, service)
        if not EARLIEST <= period < now.astimezone(PARIS).date().replace(day=1):
            raise context.refusal("MONTH_NOT_OVER", ["month"])
        run_id = await begin(tx, process, period, service_id, context.viewer.agent_id, now)
        if run_id is None:
            raise context.refusal("BILLING_RUN_OPEN", ["month"])
        await context.record(tx, "billing_run_started", family=None, subject=run_id, month=period.isoformat())
    return run_id


async def begin(
    tx: Any, process: Process, period: date, service_id: UUID | None, by: UUID | None, now: datetime
) -> UUID | None:
    """Write a run and order its drafting; one that failed at the same is gone on with. None while another is open."""
    run_id = uuid7(now)
    if not await billing.insert(tx, run_id, period, service_id, by, now):
        known = await billing.open_run(tx)
        wanted = ("DRAFTING_FAILED", period, service_id)
        if known is None or (known.state, known.period, known.service_id) != wanted:
            return None
        run_id = known.id
        await states.worked_on(tx, run_id, "DRAFTING")
    await jobs.enqueue(tx, DRAFT_RUN, now, parameters={"run": str(run_id)})
    return run_id


async def _service(tx: Any, context: Context, code: str | None) -> UUID | None:
    if code is None:
        return None
    found: UUID | None = await tx.fetchval("select id from service where code = $1", code)
    if found is None:
        raise context.refusal("NOT_FOUND", ["service"])
    return found


async def draft(process: Process, job: Job, progress: Progress) -> Result:
    """Draft a run, some hundreds of families in a transaction; what was done before a crash is not done again."""
    run_id = UUID(job.parameters["run"])
    settings = process.settings.billing
    limits = billing.Limits(settings.huge_cents, settings.difference_cents, settings.difference_percent)
    while True:
        async with process.database.transaction(SYSTEM_SIGHT) as tx:
            await tx.execute("select set_config('statement_timeout', $1, true)", STATEMENT_MS)
            run = await billing.hold(tx, run_id)
            if run is None or run.state != "DRAFTING":
                return {"families": run.families_done if run else 0}
            if run.drafted_up_to is None:
                await states.counted(tx, run.id, await billing.count_families(tx, run))
            families = await billing.next_families(tx, run, BATCH)
            if families:
                known = await billing.quotients(tx, process.keys, families, run.period, run.end)
                await billing.draft(tx, run, families, known, limits)
                await states.move_on(tx, run.id, families[-1], len(families))
            else:
                await states.drafted(tx, run.id, process.clock())
            await jobs.hold(tx, job)
            steps.reached("billing.drafts_written")
        done = run.families_done + len(families)
        await progress(min(99, 100 * done // max(run.families_total, done, 1)))


async def publish(context: Context, run_id: UUID, issued_on: date | None, due_on: date | None) -> None:
    """Order the publication of a run that was drafted and looked at; a repeated call changes nothing, but for a run
    that failed: it goes on where it stopped.

    Raises Refusal: NOT_FOUND, BILLING_RUN_NOT_READY, BILLING_RUN_EMPTY, BILLING_RUN_TOO_LARGE, PRICE_MISSING,
    BAD_USER_INPUT for the days.
    """
    now = context.process.clock()
    today = now.astimezone(PARIS).date()
    issued = issued_on or today
    due = due_on or issued + timedelta(days=context.process.settings.billing.due_days)
    async with context.transaction() as tx:
        run = await billing.hold(tx, run_id)
        if run is None:
            raise context.refusal("NOT_FOUND", ["run"])
        if _needs_nothing(run):
            return
        if await _goes_on(tx, run, context.viewer.agent_id, now):
            await context.record(tx, "billing_run_publication_ordered", family=None, subject=run.id, again=True)
            return
        if not today <= issued <= today + timedelta(days=31):
            raise context.refusal("BAD_USER_INPUT", ["issuedOn"])
        if not issued <= due <= issued + timedelta(days=366):
            raise context.refusal("BAD_USER_INPUT", ["dueOn"])
        fault = await _fault_of(tx, run)
        if fault is not None:
            raise context.refusal(fault, ["run"])
        await _order(tx, run, context.viewer.agent_id, issued, due, now)
        await context.record(tx, "billing_run_publication_ordered", family=None, subject=run.id)


def _needs_nothing(run: billing.Run) -> bool:
    return run.state == "PUBLISHING" or (run.state == "PUBLISHED" and not run.untold)


async def _goes_on(tx: Any, run: billing.Run, by: UUID | None, now: datetime) -> bool:
    """Let a run that failed go on with the days that its first invoices have; False for one that has none yet."""
    if run.untold:
        await states.worked_on(tx, run.id, "PUBLISHED")
        await jobs.enqueue(tx, ISSUE_INVOICES, now, parameters={"run": str(run.id)})
        return True
    if run.state != "PUBLICATION_FAILED" or (run.first_number is None and await billing.has_drafts(tx, run.id)):
        return False
    assert run.issued_on is not None and run.due_on is not None, "ordered with its days"
    await _order(tx, run, by, run.issued_on, run.due_on, now)
    return True


async def order(tx: Any, process: Process, run: billing.Run) -> str | None:
    """Order the publication of a run from the command line, issued today, or let it go on; give the code of what
    forbids it, if any.
    """
    now = process.clock()
    if _needs_nothing(run) or await _goes_on(tx, run, None, now):
        return None
    fault = await _fault_of(tx, run)
    if fault is None:
        issued = now.astimezone(PARIS).date()
        await _order(tx, run, None, issued, issued + timedelta(days=process.settings.billing.due_days), now)
    return fault


async def _fault_of(tx: Any, run: billing.Run) -> str | None:
    """Give the code of what forbids to publish a run."""
    if run.state not in ("DRAFTED", "PUBLICATION_FAILED"):
        return "BILLING_RUN_NOT_READY"
    if await billing.has_check(tx, run.id, "NO_PRICE"):
        return "PRICE_MISSING"
    if await billing.is_too_large(tx, run.id):
        return "BILLING_RUN_TOO_LARGE"
    return None if await billing.has_drafts(tx, run.id) else "BILLING_RUN_EMPTY"


async def _order(tx: Any, run: billing.Run, by: UUID | None, issued: date, due: date, now: datetime) -> None:
    await states.publishing(tx, run.id, by, issued, due)
    await jobs.enqueue(tx, PUBLISH_RUN, now, parameters={"run": str(run.id)})


async def publish_run(process: Process, job: Job, progress: Progress) -> Result:
    """Publish the drafts of a run, some hundreds of families in a transaction, and order that families are told.

    What was published before a crash is not a draft any more.
    """
    run_id, done = UUID(job.parameters["run"]), 0
    while True:
        now = process.clock()
        async with process.database.transaction(SYSTEM_SIGHT) as tx:
            await tx.execute("select set_config('statement_timeout', $1, true)", STATEMENT_MS)
            run = await billing.hold(tx, run_id)
            if run is None:
                raise GiveUp("NO_SUCH_RUN")
            if run.state != "PUBLISHING":
                return {}
            count = await billing_drafts.publish_next(tx, run, process.settings.billing.families_at_once, now)
            result = None if count else await _published(tx, run, now)
            await jobs.hold(tx, job)
            steps.reached("billing.before_published")
        steps.reached("billing.published")
        if result is not None:
            return result
        done += count
        await progress(min(99, 100 * done // max(run.families_total, done)))


async def _published(tx: Any, run: billing.Run, now: datetime) -> dict[str, int]:
    """Write that all of a run is published."""
    result = await states.published(tx, run.id, now)
    await jobs.enqueue(tx, ISSUE_INVOICES, now, parameters={"run": str(run.id)})
    await audit.record(tx, audit.Act("billing_run_published", "SYSTEM", now, None, None, run.id, result))
    return result


PUT_ASIDE_IN = {DRAFT_RUN: "DRAFTING", PUBLISH_RUN: "PUBLISHING", ISSUE_INVOICES: "PUBLISHED"}
"""In which state of a run the jobs of it work."""


async def put_aside(tx: Any, process: Process, job: Job, problem: str) -> None:
    """Write that a run goes on no more by itself; what was done of it stays done."""
    run_id, now = UUID(job.parameters["run"]), process.clock()
    found = await states.failed(tx, run_id, PUT_ASIDE_IN[job.kind], problem[:100] or "CRASHED", now)
    if found is None:
        return
    (period, agent_id), data = found, {"job": job.kind, "because": problem}
    await audit.record(tx, audit.Act("billing_run_failed", "SYSTEM", now, None, None, run_id, data))
    if agent_id is not None:
        told = {"month": f"{period:%m/%Y}", "because": problem, "while": PUT_ASIDE_IN[job.kind]}
        await notices.tell_agent(tx, agent_id, "agent_billing_failed", told, now)


async def discard(context: Context, run_id: UUID) -> None:
    """Give up a run before it is published; again changes nothing. Raises NOT_FOUND, BILLING_RUN_NOT_READY."""
    now = context.process.clock()
    async with context.transaction() as tx:
        run = await billing.hold(tx, run_id)
        if run is None:
            raise context.refusal("NOT_FOUND", ["run"])
        if run.state == "DISCARDED":
            return
        if run.state not in ("DRAFTING", "DRAFTING_FAILED", "DRAFTED"):
            raise context.refusal("BILLING_RUN_NOT_READY", ["run"])
        await states.discard(tx, run.id, context.viewer.agent_id, now)
        await jobs.enqueue(tx, DROP_DRAFTS, now, parameters={"run": str(run.id)})
        await context.record(tx, "billing_run_discarded", family=None, subject=run.id)


async def drop_drafts(process: Process, job: Job, progress: Progress) -> Result:
    """Delete the drafts of a run that is over."""
    dropped, run_id = 0, UUID(job.parameters["run"])
    while True:
        async with process.database.transaction(SYSTEM_SIGHT) as tx:
            gone = await billing.drop_drafts(tx, run_id, BATCH)
        dropped += gone
        if gone < BATCH:
            return {"drafts": dropped}
