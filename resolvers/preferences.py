"""How a family wants to be told (R13), and its inbox."""

from collections.abc import Sequence
from uuid import UUID

from db import preferences as stored
from db.ids import uuid7
from db.outbox import Told, tell
from resolvers.context import Context


async def set_channels(context: Context, topic: str, channels: Sequence[str]) -> UUID:
    """Set the ordered channels of a topic: the first that can reach the family is used, the next when it fails.

    Raises Refusal: BAD_USER_INPUT for an empty list or a channel named twice, CHANNEL_NOT_AVAILABLE.
    """
    family_id = context.viewer.family
    if not channels or len(set(channels)) != len(channels):
        raise context.refusal("BAD_USER_INPUT", ["channels"])
    async with context.transaction() as tx:
        reachable = {"IN_APP"} | await stored.reached_by(tx, family_id)
        if not set(channels) <= reachable:
            raise context.refusal("CHANNEL_NOT_AVAILABLE", ["channels"])
        await stored.set_channels(tx, family_id, topic, channels, context.process.clock())
    return family_id


async def mark_read(context: Context, news_ids: Sequence[UUID]) -> UUID:
    """Mark items of the inbox as read; those already read stay as they are."""
    family_id = context.viewer.family
    async with context.transaction() as tx:
        await stored.mark_read(tx, family_id, news_ids, context.process.clock())
    return family_id


async def send_test(context: Context, topic: str) -> UUID:
    """Tell the family a test message the way it chose for a topic."""
    family_id, now = context.viewer.family, context.process.clock()
    data = {"summary_fr": "Ceci est un message d’essai.", "summary_en": "This is a test message."}
    async with context.transaction() as tx:
        await tell(tx, Told(family_id, topic, "test", uuid7(now), data, now))
    return family_id
