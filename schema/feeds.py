"""From the arguments of a subscription's root field to the stream that it follows."""

from collections.abc import Mapping
from typing import Any

from resolvers.context import Context
from resolvers.streams import Follow, follow
from schema.declare import Feed
from schema.news import Topic
from schema.relay import key_of


async def followed(context: Context, feed: Feed, arguments: Mapping[str, Any]) -> Follow:
    """Give the stream; raises Refusal."""
    family_id, procedure_id = context.viewer.family_id, None
    if arguments.get("procedure") is not None:
        family_id, procedure_id = key_of(context, arguments["procedure"], "Procedure", "procedure")
    payment_id = None
    if arguments.get("payment") is not None:
        family_id, payment_id = key_of(context, arguments["payment"], "CardPayment", "payment")
    topics = [topic.name for topic in arguments.get("topics") or Topic]
    return await follow(context, family_id, procedure_id, topics, feed.types, arguments.get("after"), payment_id)
