"""Credentials of a login that is signed in: proof of its password, and a new one."""

from uuid import UUID

from db import credentials as stored
from db import recovery, sessions, throttle
from db.keys import LinkRefused
from db.outbox import tell
from resolvers import attempts
from resolvers.context import Context
from resolvers.password_policy import check_password
from resolvers.security_news import told


async def prove(context: Context, password: str, argument: str) -> None:
    """Let the one who is signed in prove to be the owner, before what only the owner may do.

    Throttled like sign-in. Raises Refusal: PASSWORD_WRONG, THROTTLED, BUSY.
    """
    process, viewer = context.process, context.viewer
    subject = process.keys.digest("throttle", f"password/{viewer.account}")
    await attempts.count(context, subject, process.clock())
    async with context.look() as tx:
        known = await stored.password_hash(tx, viewer.family, viewer.account)
    if not await attempts.matches(context, known, password):
        raise context.refusal("PASSWORD_WRONG", [argument])
    async with context.transaction(system=True) as tx:
        await throttle.succeed(tx, subject)


async def change_password(context: Context, current: str, new: str, *, sign_out_others: bool) -> None:
    """Change the password; reset links end, and other sessions when wanted: at once on HTTP and on open sockets.

    Raises Refusal: PASSWORD_WRONG, THROTTLED, BUSY, the faults of the new password. Source: ASVS 5.0, 6.2.2 and 6.2.3.
    """
    viewer, now = context.viewer, context.process.clock()
    await prove(context, current, "currentPassword")
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
        await tell(tx, told("password_changed", viewer.family, viewer.account, now))
        await context.record(tx, "password_changed", family=viewer.family, subject=viewer.account)
    context.process.sessions.forget_all()


def read_link(context: Context, purpose: str, token: str, subject: str) -> tuple[UUID, UUID, dict[str, str]]:
    """Give the family, the subject (the claim of that name) and all claims of a link; raises Refusal LINK_NOT_VALID."""
    try:
        claims = context.process.keys.read_link(purpose, token, context.process.clock())
        return UUID(claims["family"]), UUID(claims[subject]), claims
    except (LinkRefused, KeyError, ValueError, TypeError, AttributeError) as error:
        raise context.refusal("LINK_NOT_VALID", ["token"]) from error
