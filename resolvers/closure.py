"""Leaving: a family closes its account (R10), the city ends one (R22), and everything that names a family is erased."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from dateutil.relativedelta import relativedelta

from db import audit, exports, invitations, jobs, privacy, procedures, sessions
from db import closure as stored
from db.ids import uuid7
from db.jobs import Job
from db.outbox import Told, tell
from resolvers import uploads
from resolvers.context import Context, Process
from resolvers.job_runner import Again, Progress, Result
from resolvers.reauthentication import confirm_password
from resolvers.viewer import SYSTEM_SIGHT

FORGET_LAST_ADDRESS = "forget_last_address"
ERASE_CLOSED = "erase_closed"
ERASE_FAMILY = "erase_family"
LOOK_AGAIN = timedelta(minutes=5)
LONGEST_REASON = 1000


async def refuse_who_left(tx: Any, context: Context, family_id: UUID, account_id: UUID) -> None:
    """Let nobody in whose access ended: called with the right password given, before a session is opened.

    Raises Refusal: ACCOUNT_TERMINATED (R22), BAD_CREDENTIALS for a login that left meanwhile, ACCOUNT_LOCKED for one
    whose unauthorised use was reported (R20).
    """
    standing = await stored.standing(tx, family_id, account_id)
    if standing.removed:
        raise context.refusal("BAD_CREDENTIALS")
    if standing.terminated:
        raise context.refusal("ACCOUNT_TERMINATED")
    if standing.locked:
        raise context.refusal("ACCOUNT_LOCKED")


async def close_account(context: Context, password: str, reason: str | None) -> None:
    """Close the login that asks, and its family's account with the last one (R10).

    Credentials and contacts are erased, sessions end. What was filed stays with the city, debts stay due. `reason` is
    a code. Raises Refusal: PASSWORD_WRONG, THROTTLED, BUSY; UNAUTHENTICATED when the login was removed meanwhile.
    """
    process, viewer, now = context.process, context.viewer, context.process.clock()
    family_id, account_id = viewer.family, viewer.account
    await confirm_password(context, password)
    async with context.transaction(system=True) as tx:
        family = await stored.hold_family(tx, family_id)
        assert family is not None, "a session's foreign key guarantees it"
        logins = await invitations.logins(tx, family_id)
        if account_id not in logins:
            raise context.refusal("UNAUTHENTICATED")
        is_last = len(logins) == 1
        last = await _farewell(tx, family_id, account_id, logins[account_id], is_last, now)
        if is_last:
            await _withdraw_drafts(tx, family_id, now)
            await stored.close(tx, family_id, now)
        await leave(tx, account_id, last, "ACCOUNT_CLOSED")
        await context.record(
            tx, "account_closed", family=family_id, subject=account_id, reason=reason, last_login=is_last
        )
    process.sessions.forget_all()


async def leave(tx: Any, account_id: UUID, last: Told, reason: str) -> None:
    """Erase a login of a family that is held, end its sessions, and send a last message; `tx` sees all rows.

    `last` names its addresses itself: the login has none any more. That of the login is erased once the message went.
    """
    family_id, now = last.family_id, last.occurred_at
    await exports.drop_unfinished(tx, family_id, account_id)
    await stored.erase_login(tx, family_id, account_id, now)
    await sessions.end_all(tx, account_id, family_id, now, reason)
    seq, run_at = await tell(tx, last), now + timedelta(minutes=1)
    await jobs.enqueue(tx, FORGET_LAST_ADDRESS, now, family_id=family_id, parameters={"seq": seq}, run_at=run_at)


async def _farewell(tx: Any, family_id: UUID, account_id: UUID, email: str, is_last: bool, now: datetime) -> Told:
    """The last message, to the address that is about to be erased; the address is in its delivery only."""
    data = {
        "last_login": is_last,
        "open_procedures": await privacy.open_procedures(tx, family_id) if is_last else 0,
        "summary_fr": "Le compte de la famille a été fermé." if is_last else "Un accès à votre compte a été fermé.",
        "summary_en": "The family’s account was closed." if is_last else "One login of your account was closed.",
    }
    return Told(
        family_id, "ACCOUNT_SECURITY", "account_closed", account_id, data, now, priority=0, to=[("EMAIL", email)]
    )


async def _withdraw_drafts(tx: Any, family_id: UUID, now: datetime) -> None:
    """A draft that nobody can finish any more is withdrawn, so that its answers go like those of all that ended."""
    for procedure_id in await stored.drafts(tx, family_id):
        draft = await procedures.lock(tx, family_id, procedure_id)
        if draft is not None and draft.status == "DRAFT":
            await procedures.change_status(
                tx, draft, "WITHDRAWN", uuid7(now), now, actor="FAMILY", agent_id=None, message=None
            )


async def forget_last_address(process: Process, job: Job, progress: Progress) -> Result:
    """Erase the address of a closed login once its last message has gone, or was given up."""
    now, seq = process.clock(), int(job.parameters["seq"])
    assert job.family_id is not None, "ordered for a family"
    async with process.database.transaction(SYSTEM_SIGHT) as tx:
        if not await stored.is_waiting(tx, job.family_id, seq):
            await stored.forget_last_address(tx, job.family_id, seq)
            return None
    raise Again(now + LOOK_AGAIN)


async def terminate(context: Context, family_id: UUID, reason: str) -> None:
    """End a family's access because it was used against the law (R22), and tell it why; a repeated call changes
    nothing.

    Raises Refusal: NOT_FOUND, BAD_USER_INPUT without a reason.
    """
    reason, now = reason.strip(), context.process.clock()
    if not 1 <= len(reason) <= LONGEST_REASON:
        raise context.refusal("BAD_USER_INPUT", ["reason"])
    async with context.transaction(system=True) as tx:
        family = await _held(tx, context, family_id)
        if family.terminated:
            return
        await stored.terminate(tx, family_id, now, reason)
        await sessions.end_all_of_family(tx, family_id, now, "ACCOUNT_TERMINATED")
        await tell(tx, _security(family_id, "account_terminated", {"message": reason, **TERMINATED}, now))
        await context.record(tx, "account_terminated", family=family_id)
    context.process.sessions.forget_all()


async def reinstate(context: Context, family_id: UUID) -> None:
    """Give a family whose access was ended its access back, and tell it; a repeated call changes nothing.

    Raises Refusal NOT_FOUND.
    """
    now = context.process.clock()
    async with context.transaction(system=True) as tx:
        family = await _held(tx, context, family_id)
        if not family.terminated:
            return
        await stored.reinstate(tx, family_id)
        await tell(tx, _security(family_id, "account_reinstated", REINSTATED, now))
        await context.record(tx, "account_reinstated", family=family_id)


TERMINATED = {
    "summary_fr": "La mairie a mis fin à l’accès à votre compte.",
    "summary_en": "The city has ended the access to your account.",
}
REINSTATED = {
    "summary_fr": "La mairie a rétabli l’accès à votre compte.",
    "summary_en": "The city has restored the access to your account.",
}


def _security(family_id: UUID, kind: str, data: dict[str, Any], now: datetime) -> Told:
    return Told(family_id, "ACCOUNT_SECURITY", kind, family_id, data, now, priority=0)


async def _held(tx: Any, context: Context, family_id: UUID) -> stored.Family:
    family = await stored.hold_family(tx, family_id)
    if family is None:
        raise context.refusal("NOT_FOUND", ["family"])
    return family


async def erase(context: Context, family_id: UUID, number: str) -> None:
    """Erase everything that names a family, for a request under GDPR art. 17; a repeated call changes nothing.

    Accounts, decisions and the audit log keep their rows, which then name nobody (art. 17(3)(b) and (e)). `number` is
    the family's, typed again. Raises Refusal: NOT_FOUND, FAMILY_IN_USE while the city has to decide something.
    """
    now = context.process.clock()
    async with context.transaction(system=True) as tx:
        family = await _held(tx, context, family_id)
        if family.number != number.strip():
            raise context.refusal("NOT_FOUND", ["number"])
        if family.erased:
            return
        if await privacy.open_procedures(tx, family_id):
            raise context.refusal("FAMILY_IN_USE", ["family"])
        await _erase(tx, family_id, now)
        await context.record(tx, "family_erased", family=family_id)
    context.process.sessions.forget_all()


async def _erase(tx: Any, family_id: UUID, now: datetime) -> None:
    await sessions.end_all_of_family(tx, family_id, now, "FAMILY_ERASED")
    await exports.drop_of_family(tx, family_id)
    await uploads.erase(tx, family_id, now)
    await stored.erase(tx, family_id, now)


async def erase_closed(process: Process, job: Job, progress: Progress) -> Result:
    """Order the erasure of families that closed longer ago than accounts must be kept."""
    now = process.clock()
    before = now - relativedelta(years=process.settings.retention.closed_family_years)
    async with process.database.transaction(SYSTEM_SIGHT) as tx:
        closed = await privacy.closed_before(tx, before)
        for family_id in closed:
            await jobs.enqueue(tx, ERASE_FAMILY, now, family_id=family_id)
    return {"families": len(closed)}


async def erase_family(process: Process, job: Job, progress: Progress) -> Result:
    """Erase a family whose time has passed; one that was opened again meanwhile is left alone."""
    now = process.clock()
    before = now - relativedelta(years=process.settings.retention.closed_family_years)
    assert job.family_id is not None, "ordered for a family"
    async with process.database.transaction(SYSTEM_SIGHT) as tx:
        await jobs.hold(tx, job)
        await stored.hold_family(tx, job.family_id)
        if await privacy.is_past(tx, job.family_id, before):
            await _erase(tx, job.family_id, now)
            await audit.record(tx, audit.Act("family_erased", "SYSTEM", now, family_id=job.family_id))
    return None
