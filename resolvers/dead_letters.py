"""Messages that our own program failed at again and again: once it is mended, administrators send them."""

from collections.abc import Sequence
from uuid import UUID

from db import dead_letters as stored
from resolvers.context import Context
from resolvers.viewer import SYSTEM_SIGHT

MOST = 100
"""Dead letters of one command."""


async def send_again(context: Context, deliveries: Sequence[tuple[UUID, UUID]]) -> int:
    """Send dead letters, given as family and id, as if they had never been tried; gives how many.

    Raises Refusal BAD_USER_INPUT for none, twice the same or more than 100, NOT_FOUND when one of them is no dead
    letter (any more): then none is sent.
    """
    if not 1 <= len(set(deliveries)) == len(deliveries) <= MOST:
        raise context.refusal("BAD_USER_INPUT", ["deadLetters"])
    async with context.process.database.transaction(SYSTEM_SIGHT) as tx:
        found = await stored.send_again(tx, deliveries, context.process.clock())
        if found < len(deliveries):
            raise context.refusal("NOT_FOUND", ["deadLetters"])
        for family_id, delivery_id in deliveries:
            await context.record(tx, "dead_letter_sent_again", family=family_id, subject=delivery_id)
    return found
