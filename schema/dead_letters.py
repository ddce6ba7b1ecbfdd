"""Dead letters: messages that were put aside."""

from datetime import datetime
from typing import Annotated

import strawberry

from resolvers import dead_letters
from schema.access import ADMIN
from schema.declare import Payload, column, mutation, page, stored
from schema.news import Channel
from schema.relay import NEWEST_FIRST, Connection, Info, Node, key_of
from schema.tags import Tag


@stored("delivery", {"AGENT": ":admin and {t}.status = 'DEAD_LETTER'"}, tag=Tag.DEAD_LETTER)
@strawberry.type(description="A message that was put aside, because the portal itself failed at it again and again.")
class DeadLetter(Node):
    """A delivery put aside; where it would go and what it tells stay the family's."""

    reference: str = column("What the logs call it: `delivery` of `delivery_crashed`.", "{t}.id::text")
    channel: Channel = column("How it would be sent.")
    family_number: str = column("Number of the family.", "(select f.number from family f where f.id = {t}.family_id)")
    crashes: int = column("How often the portal failed at it.")
    problem: str | None = column("Why, as a code.")
    created_at: datetime = column("When it was decided.")


@strawberry.type(description="What sending dead letters again gives.")
class DeadLettersPayload(Payload):
    """Payload of sendDeadLettersAgain."""

    sent: int | None = strawberry.field(default=None, description="How many are being sent, unless refused.")


@strawberry.type
class DeadLetterQueries:
    """Root fields about dead letters."""

    dead_letters: Connection[DeadLetter] = page(
        "Messages that were put aside, newest first; `sendDeadLettersAgain` sends them.",
        "{o}.status = 'DEAD_LETTER'",
        NEWEST_FIRST,
        may=ADMIN,
    )


@strawberry.type
class DeadLetterMutations:
    """Commands about dead letters."""

    @mutation(may=ADMIN, description="Send messages that were put aside, all or none, once their cause is mended.")
    async def send_dead_letters_again(
        info: Info,
        dead_letters_: Annotated[
            list[strawberry.ID], strawberry.argument(name="deadLetters", description="1 to 100 of them.")
        ],
    ) -> DeadLettersPayload:
        """One that also took another channel meanwhile arrives twice, by two ways."""
        keys = []
        for each in dead_letters_[: dead_letters.MOST + 1]:
            family_id, delivery_id = key_of(info.context, each, "DeadLetter", "deadLetters")
            keys.append((family_id, delivery_id))
        return DeadLettersPayload(sent=await dead_letters.send_again(info.context, keys))
