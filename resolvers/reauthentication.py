"""The password once more, before what guards an account is changed (ASVS 5.0, 7.5.1)."""

from db import reauthentication as stored
from db import throttle
from resolvers import attempts
from resolvers.context import Context


async def confirm_password(context: Context, password: str) -> None:
    """Check the password of the viewer: an open screen is not enough to add another way in.

    Raises Refusal: BAD_CREDENTIALS, THROTTLED, BUSY.
    """
    viewer = context.viewer
    subject = context.process.keys.digest("throttle", f"reauthentication/{viewer.agent_id or viewer.account}")
    await attempts.count(context, subject, context.process.clock())
    async with context.look() as tx:
        known = (
            await stored.of_agent(tx, viewer.agent_id)
            if viewer.agent_id
            else await stored.of_account(tx, viewer.family, viewer.account)
        )
    if not await attempts.matches(context, known, password):
        raise context.refusal("BAD_CREDENTIALS", ["password"])
    async with context.transaction() as tx:
        await throttle.succeed(tx, subject)
