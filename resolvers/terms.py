"""Terms of use: what is in force, and who accepted it."""

from typing import Any
from uuid import UUID

from db import terms as stored
from resolvers.context import Context


async def accept(context: Context, version: int) -> None:
    """Record that the account accepts the terms in force (R3, R4); raises Refusal TERMS_CHANGED."""
    async with context.transaction() as tx:
        await record_acceptance(tx, context, context.viewer.family, context.viewer.account, version, "EXPLICIT")
    context.process.sessions.forget_all()


async def record_acceptance(
    tx: Any, context: Context, family_id: UUID, account_id: UUID, version: int, manner: str
) -> None:
    """Write an acceptance with the text's hash, time and manner (R4); raises Refusal TERMS_CHANGED."""
    now = context.process.clock()
    in_force = await stored.in_force(tx, now)
    if in_force is None or in_force[0] != version:
        raise context.refusal("TERMS_CHANGED", ["version"])
    await stored.accept(tx, family_id, account_id, version, in_force[1], manner, now)
    await context.record(tx, "terms_accepted", family=family_id, subject=account_id, version=version, manner=manner)
