"""Correcting what members used: an agent's word, with a reason, counts more than any file."""

from datetime import date
from uuid import UUID

from db import consumptions as stored
from db.clock import PARIS
from db.ids import uuid7
from resolvers.context import Context

MOST = 1_000
EARLIEST = date(2000, 1, 1)


async def correct(
    context: Context, family_id: UUID, member_id: UUID, tariff: str, day: date, quantity: int, reason: str
) -> UUID:
    """Write how many units of a tariff a member used on a day, and why; give the consumption.

    What was billed already is corrected by the next billing run of the month. Raises Refusal: BAD_USER_INPUT, NOT_FOUND
    for a member, or a tariff that is not of the agent's services.
    """
    now, viewer = context.process.clock(), context.viewer
    for name, good in (
        ("day", EARLIEST <= day <= now.astimezone(PARIS).date()),
        ("quantity", 0 <= quantity <= MOST),
        ("reason", 1 <= len(reason.strip()) <= 500),
    ):
        if not good:
            raise context.refusal("BAD_USER_INPUT", [name])
    async with context.transaction() as tx:
        found = await stored.tariff_of(tx, tariff)
        if found is None or not (found[1] in viewer.services or viewer.roles & {"CASHIER", "ADMIN"}):
            raise context.refusal("NOT_FOUND", ["tariff"])
        if not await stored.member_is_there(tx, family_id, member_id):
            raise context.refusal("NOT_FOUND", ["member"])
        key = (family_id, day, member_id, found[0])
        await stored.insert(tx, *key, uuid7(now), found[1], now)
        known = await stored.hold(tx, *key)
        if known is None:
            raise context.refusal("NOT_FOUND", ["member"])
        if known.quantity != quantity:
            await stored.correct(tx, family_id, known.id, uuid7(now), quantity, viewer.agent, reason.strip(), now)
            await context.record(
                tx, "consumption_corrected", family=family_id, subject=known.id, before=known.quantity, now=quantity
            )
    return known.id
