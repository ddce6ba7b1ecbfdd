"""Several logins of one family (R11): an adult invites another by e-mail; each has credentials of its own."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg

from db import invitations as stored
from db import members
from db.ids import uuid7
from db.invitations import Invitation
from db.outbox import Told, tell
from resolvers import attempts, closure, terms
from resolvers.accounts import checked_email
from resolvers.context import Context
from resolvers.credentials import read_link
from resolvers.family_news import confirm, confirmation
from resolvers.members import held
from resolvers.password_policy import check_password
from resolvers.reauthentication import confirm_password

PURPOSE = "invitation"


async def invite(context: Context, email: str, member_id: UUID | None) -> tuple[UUID, UUID]:
    """Send an adult the one-time link with which it opens its own login; give the invitation's key.

    An address that another account has gets the same answer and the same message: its link opens nothing. Raises
    Refusal: EMAIL_NOT_VALID, NOT_FOUND, TOO_MANY_LOGINS, TOO_MANY_INVITATIONS.
    """
    address, now, limits = checked_email(context, email), context.process.clock(), context.process.settings.families
    family_id, expires_at = context.viewer.family, now + timedelta(days=limits.invitation_days)
    invitation = Invitation(family_id, uuid7(now), address, member_id)
    async with context.transaction() as tx:
        family = await held(tx, context, family_id, "member")
        adults = [each.id for each in await members.current(tx, family_id) if each.role == "ADULT"]
        if member_id is not None and member_id not in adults:
            raise context.refusal("NOT_FOUND", ["member"])
        logins, invitations = await stored.counted(tx, family_id, now)
        if logins >= limits.logins:
            raise context.refusal("TOO_MANY_LOGINS")
        if invitations >= limits.invitations:
            raise context.refusal("TOO_MANY_INVITATIONS")
        await stored.insert(tx, invitation, context.viewer.account, now, expires_at)
        await confirm(tx, context, family_id, invitation.id, "ADULT_INVITED", address)
        data = {"invitation": str(invitation.id), "expires_on": expires_at.date().isoformat(), "inviting": family.name}
        to = [("EMAIL", address)]
        await tell(tx, Told(family_id, "ACCOUNT_SECURITY", "invitation", invitation.id, data, now, priority=0, to=to))
        await context.record(tx, "adult_invited", family=family_id, subject=invitation.id)
    return family_id, invitation.id


async def revoke(context: Context, key: tuple[UUID, UUID]) -> None:
    """Make an invitation's link useless; raises Refusal NOT_FOUND."""
    now = context.process.clock()
    if key[0] != context.viewer.family:
        raise context.refusal("NOT_FOUND", ["invitation"])
    async with context.transaction() as tx:
        invitation = await stored.open_invitation(tx, *key, now)
        if invitation is None:
            raise context.refusal("NOT_FOUND", ["invitation"])
        await stored.revoke(tx, invitation, now)
        await confirm(tx, context, invitation.family_id, invitation.id, "INVITATION_REVOKED", invitation.email)
        await context.record(tx, "invitation_revoked", family=invitation.family_id, subject=invitation.id)


async def accept(context: Context, token: str, password: str, accepts_terms: int | None) -> None:
    """Open the invited adult's login with its own password; the link itself has verified the address (R16).

    Raises Refusal: LINK_NOT_VALID for every cause alike, TERMS_CHANGED, TOO_MANY_LOGINS, BUSY, the faults of the
    password.
    """
    family_id, invitation_id, _ = read_link(context, PURPOSE, token, "invitation")
    key = family_id, invitation_id
    async with context.transaction(system=True) as tx:
        invitation = await _open_invitation(tx, context, key)
        await check_password(context, tx, invitation.family_id, password, also=[invitation.email])
    password_hash = await attempts.hashed(context, password)
    try:
        await _opened(context, key, password_hash, accepts_terms)
    except asyncpg.UniqueViolationError as error:
        raise context.refusal("LINK_NOT_VALID", ["token"]) from error


async def _open_invitation(tx: Any, context: Context, key: tuple[UUID, UUID]) -> Invitation:
    found = await stored.open_invitation(tx, *key, context.process.clock())
    if found is None:
        raise context.refusal("LINK_NOT_VALID", ["token"])
    return found


async def _opened(context: Context, key: tuple[UUID, UUID], password_hash: str, accepts_terms: int | None) -> None:
    now, language = context.process.clock(), context.viewer.language
    async with context.transaction(system=True) as tx:
        await held(tx, context, key[0], "token")
        invitation = await _open_invitation(tx, context, key)
        logins, _ = await stored.counted(tx, invitation.family_id, now)
        if logins >= context.process.settings.families.logins:
            raise context.refusal("TOO_MANY_LOGINS")
        account_id = uuid7(now)
        await stored.accept(tx, invitation, account_id, uuid7(now), password_hash, language, now)
        if accepts_terms is not None:
            family_id = invitation.family_id
            await terms.record_acceptance(tx, context, family_id, account_id, accepts_terms, "REGISTRATION")
        await confirm(tx, context, invitation.family_id, account_id, "LOGIN_ADDED", invitation.email)
        await context.record(tx, "invitation_accepted", family=invitation.family_id, subject=account_id)


async def remove_login(context: Context, key: tuple[UUID, UUID], password: str) -> None:
    """Remove another login of the family: it is erased as one that is closed, its sessions end at once.

    All addresses are told, the removed one too. Raises Refusal: NOT_FOUND, OWN_LOGIN, LAST_LOGIN, PASSWORD_WRONG,
    THROTTLED, BUSY.
    """
    viewer = context.viewer
    if key[0] != viewer.family:
        raise context.refusal("NOT_FOUND", ["account"])
    await confirm_password(context, password)
    async with context.transaction(system=True) as tx:
        await held(tx, context, viewer.family, "account")
        logins = await stored.logins(tx, viewer.family)
        if key[1] not in logins:
            raise context.refusal("NOT_FOUND", ["account"])
        if len(logins) == 1:
            raise context.refusal("LAST_LOGIN", ["account"])
        if key[1] == viewer.account:
            raise context.refusal("OWN_LOGIN", ["account"])
        last = await confirmation(tx, context, viewer.family, key[1], "LOGIN_REMOVED", logins[key[1]])
        await closure.leave(tx, key[1], last, "ACCOUNT_REMOVED")
        await context.record(tx, "account_removed", family=viewer.family, subject=key[1])
    context.process.sessions.forget_all()
