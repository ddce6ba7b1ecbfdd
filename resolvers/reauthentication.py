"""The password once more, before what only the owner of a login may do (ASVS 5.0, 7.5.1)."""

from db import reauthentication as stored
from db import throttle
from resolvers import attempts
from resolvers.context import Context


async def confirm_password(context: Context, password: str, argument: str = "password") -> None:
    """Check the password of the viewer, a family's login or an agent: an open screen is not enough.

    Throttled as sign-in is, but apart from it: whatever is asked for, guesses are counted together. `argument` is the
    one that the password came in. Raises Refusal: PASSWORD_WRONG, THROTTLED, BUSY.
    """
    viewer = context.viewer
    subject = context.process.keys.digest("throttle", f"password/{viewer.agent_id or viewer.account}")
    await attempts.count(context, subject, context.process.clock())
    async with context.look() as tx:
        known = (
            await stored.of_agent(tx, viewer.agent_id)
            if viewer.agent_id
            else await stored.of_account(tx, viewer.family, viewer.account)
        )
    if not await attempts.matches(context, known, password):
        raise context.refusal("PASSWORD_WRONG", [argument])
    async with context.transaction(system=True) as tx:
        await throttle.succeed(tx, subject)
