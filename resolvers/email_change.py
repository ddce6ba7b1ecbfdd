"""A login's new address: it counts once both addresses have confirmed it."""

from datetime import timedelta

import asyncpg

from db import credentials as logins
from db import recovery as stored
from db.ids import uuid7
from db.outbox import tell
from resolvers.accounts import checked_email
from resolvers.context import Context
from resolvers.credentials import read_link
from resolvers.reauthentication import confirm_password
from resolvers.security_news import told

EMAIL_CHANGE = "email-change"
CHANGE_LIVES = timedelta(hours=24)


async def request(context: Context, email: str, password: str) -> None:
    """Ask for another address: both addresses are sent a link that confirms or cancels it, for a day.

    A request ends the one before. Whether the new address is taken is not told here. Raises Refusal: EMAIL_NOT_VALID,
    BAD_USER_INPUT for the present address, PASSWORD_WRONG, THROTTLED, BUSY.
    """
    viewer, now = context.viewer, context.process.clock()
    new = checked_email(context, email)
    await confirm_password(context, password)
    async with context.transaction() as tx:
        await logins.hold_family(tx, viewer.family)
        login = await logins.hold(tx, viewer.family, viewer.account)
        assert login is not None, "the session is this login's"
        if login.email == new:
            raise context.refusal("BAD_USER_INPUT", ["email"])
        asked = await stored.changes_since(tx, viewer.family, viewer.account, now - timedelta(days=1))
        if asked >= context.process.settings.accounts.email_changes_a_day:
            raise context.refusal("THROTTLED")
        change_id = uuid7(now)
        await stored.cancel_changes(tx, viewer.family, viewer.account, now)
        await stored.insert_change(
            tx, viewer.family, change_id, viewer.account, (login.email, new), now, now + CHANGE_LIVES
        )
        for kind, address, side in (
            ("email_change_requested", login.email, "old"),
            ("email_change_confirmation", new, "new"),
        ):
            data = {"change": str(change_id), "side": side, "old_email": login.email, "new_email": new}
            await tell(tx, told(kind, viewer.family, viewer.account, now, to=[address], **data))
        await context.record(tx, "email_change_requested", family=viewer.family, subject=viewer.account)


async def confirm(context: Context, token: str) -> bool:
    """Confirm a change by the link sent to one of its addresses; True once both have, and it is carried out.

    Raises Refusal LINK_NOT_VALID, also when another login has verified the new address.
    """
    now = context.process.clock()
    family_id, change_id, claims = read_link(context, EMAIL_CHANGE, token, "change")
    by_new = claims.get("side") == "new"
    try:
        async with context.transaction(system=True) as tx:
            await logins.hold_family(tx, family_id)
            if await stored.hold_change(tx, family_id, change_id, now) is None:
                raise context.refusal("LINK_NOT_VALID", ["token"])
            await stored.confirm_change(tx, family_id, change_id, now, by_new=by_new)
            change = await stored.hold_change(tx, family_id, change_id, now)
            assert change is not None, "it is held"
            if not change.confirmed:
                return False
            await stored.carry_out_change(tx, family_id, change_id, change, uuid7(now), now)
            await stored.void_resets(tx, family_id, change.account_id, now)
            data = {"old_email": change.old_email, "new_email": change.new_email}
            to = [change.new_email, change.old_email]
            await tell(tx, told("email_changed", family_id, change.account_id, now, to=to, **data))
            await context.record(tx, "email_changed", family=family_id, subject=change.account_id)
    except asyncpg.UniqueViolationError as error:
        raise context.refusal("LINK_NOT_VALID", ["token"]) from error
    return True


async def cancel(context: Context, token: str) -> None:
    """Cancel a change by the link sent to either address; the family is told. Raises Refusal LINK_NOT_VALID."""
    now = context.process.clock()
    family_id, change_id, _ = read_link(context, EMAIL_CHANGE, token, "change")
    async with context.transaction(system=True) as tx:
        await logins.hold_family(tx, family_id)
        change = await stored.hold_change(tx, family_id, change_id, now)
        if change is None:
            raise context.refusal("LINK_NOT_VALID", ["token"])
        await stored.cancel_changes(tx, family_id, change.account_id, now)
        data = {"new_email": change.new_email}
        await tell(tx, told("email_change_cancelled", family_id, change.account_id, now, to=[change.old_email], **data))
        await context.record(tx, "email_change_cancelled", family=family_id, subject=change.account_id)
