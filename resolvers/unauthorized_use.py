"""Unauthorised use, told at once (R20): the login is closed to everybody until its owner takes it back."""

from datetime import datetime
from typing import Any
from uuid import UUID

from db import accounts, recovery, sessions
from db import credentials as logins
from db.outbox import tell
from resolvers import tasks
from resolvers.context import Context
from resolvers.credentials import read_link
from resolvers.security_news import told
from resolvers.viewer import Kind

REPORT = "report-unauthorized-use"


async def report(context: Context, token: str | None) -> None:
    """Report that somebody else uses a login: one's own when signed in, or that of an alert's link.

    All its sessions end, at once on HTTP and on open sockets; sign-in is refused; open reset links and changes of
    address end; every address of the family is told, and the staff. A link asked for later, or a new activation code,
    unlocks it. Raises Refusal: UNAUTHENTICATED without either, FORBIDDEN to agents, LINK_NOT_VALID, also for an alert
    from before the login was last unlocked.
    """
    now = context.process.clock()
    if token is not None:
        family_id, account_id, claims = read_link(context, REPORT, token, "account")
        alerted_at = _moment(context, claims.get("at"))
    elif context.viewer.kind is Kind.FAMILY:
        family_id, account_id, alerted_at = context.viewer.family, context.viewer.account, now
    else:
        raise context.refusal("UNAUTHENTICATED" if context.viewer.kind is Kind.ANONYMOUS else "FORBIDDEN")
    async with context.transaction(system=True) as tx:
        await logins.hold_family(tx, family_id)
        if not await logins.lock(tx, family_id, account_id, now, alerted_at):
            raise context.refusal("LINK_NOT_VALID", ["token"])
        await _close(tx, context, family_id, account_id)
    context.process.sessions.forget_all()


async def _close(tx: Any, context: Context, family_id: UUID, account_id: UUID) -> None:
    now = context.process.clock()
    await sessions.end_all(tx, account_id, family_id, now, "UNAUTHORIZED_USE")
    await recovery.void_resets(tx, family_id, account_id, now)
    await recovery.cancel_changes(tx, family_id, account_id, now)
    to = await accounts.verified_emails(tx, family_id)
    login = await logins.email_of(tx, family_id, account_id)
    await tell(tx, told("account_locked", family_id, account_id, now, to=to, login=login))
    await tasks.ask_for(tx, context, "UNAUTHORIZED_USE", family_id, account_id)
    await context.record(tx, "unauthorized_use_reported", family=family_id, subject=account_id)


def _moment(context: Context, text: object) -> datetime:
    try:
        return datetime.fromisoformat(str(text))
    except ValueError as error:
        raise context.refusal("LINK_NOT_VALID", ["token"]) from error
