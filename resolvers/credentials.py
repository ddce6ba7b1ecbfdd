"""Credentials of a login that is signed in: a new password; and the links that stand for its owner."""

from uuid import UUID

from db import credentials as stored
from db import recovery, sessions
from db.keys import LinkRefused
from db.outbox import tell
from resolvers import attempts
from resolvers.context import Context
from resolvers.password_policy import check_password
from resolvers.reauthentication import confirm_password
from resolvers.security_news import told


async def change_password(context: Context, current: str, new: str, *, sign_out_others: bool) -> None:
    """Change the password; reset links end, and other sessions when wanted: at once on HTTP and on open sockets.

    Raises Refusal: PASSWORD_WRONG, THROTTLED, BUSY, the faults of the new password. Source: ASVS 5.0, 6.2.2 and 6.2.3.
    """
    viewer, now = context.viewer, context.process.clock()
    await confirm_password(context, current, "currentPassword")
    await check_password(context, None, viewer.family, new, path="newPassword")
    hashed = await attempts.hashed(context, new)
    async with context.transaction() as tx:
        await stored.hold_family(tx, viewer.family)
        await stored.set_password(tx, viewer.family, viewer.account, hashed)
        await recovery.void_resets(tx, viewer.family, viewer.account, now)
        if sign_out_others:
            await sessions.end_all(
                tx, viewer.account, viewer.family, now, "PASSWORD_CHANGED", except_session=viewer.session_id
            )
        login = await stored.email_of(tx, viewer.family, viewer.account)
        await tell(tx, told("password_changed", viewer.family, viewer.account, now, login=login))
        await context.record(tx, "password_changed", family=viewer.family, subject=viewer.account)
    context.process.sessions.forget_all()


def read_link(context: Context, purpose: str, token: str, subject: str) -> tuple[UUID, UUID, dict[str, str]]:
    """Give the family, the subject (the claim of that name) and all claims of a link; raises Refusal LINK_NOT_VALID."""
    try:
        claims = context.process.keys.read_link(purpose, token, context.process.clock())
        return UUID(claims["family"]), UUID(claims[subject]), claims
    except (LinkRefused, KeyError, ValueError, TypeError, AttributeError) as error:
        raise context.refusal("LINK_NOT_VALID", ["token"]) from error
