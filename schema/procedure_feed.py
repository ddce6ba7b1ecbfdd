"""The feed of partners: every step of the procedures of their services, as a list and live."""

from typing import Any

import strawberry

from resolvers.context import Context
from resolvers.reading.identity import NotOurs, cursor_sql, read_cursor
from resolvers.reading.mapping import Order
from schema.access import PARTNER, Access, and_partner
from schema.declare import AFTER, FEED, Arg, PartnerFeed, column, one, page, stored
from schema.procedures import OF_PARTNER, Procedure, ProcedureEvent
from schema.relay import Connection, Node
from schema.services import Service
from schema.tags import Tag

IN_FEED = Order((("{o}.position", "bigint"),))
NAME = "ProcedureFeedEvent"
READS = and_partner(PARTNER, "PROCEDURES_READ")


@stored(
    "procedure_feed",
    {"PARTNER": f"{OF_PARTNER} and {{t}}.position is not null"},
    tag=Tag.PROCEDURE_FEED_EVENT,
    key=("position",),
    types={"position": "bigint"},
)
@strawberry.type(description="A step of a procedure, in the order in which partners are told.")
class ProcedureFeedEvent(Node):
    """An item of the feed."""

    message_id: str = column("The `webhook-id` under which webhooks tell the step.", "'evt_' || {t}.position::text")
    cursor: str = column(
        "For `after`, of the list and of the stream alike.", cursor_sql(NAME, IN_FEED).replace("{o}", "{t}")
    )
    event: ProcedureEvent = one(
        "What happened.",
        "{o}.family_id = {t}.family_id and {o}.procedure_id = {t}.procedure_id and {o}.number = {t}.number",
        kept_by="a foreign key of three columns, and the predicate of steps is that of the feed",
    )
    service: Service = one("The service in charge at that time.", "{o}.id = {t}.service_id")
    procedure: Procedure | None = one(
        "The procedure as it stands now; null when another service has it by now.",
        "{o}.family_id = {t}.family_id and {o}.id = {t}.procedure_id",
    )


def place_of(context: Context, after: str | None, end: int) -> int:
    """Give the place behind which a stream begins: that of a cursor, or the end of the feed.

    Raises Refusal BAD_USER_INPUT for what is no cursor of the feed.
    """
    if after is None:
        return end
    try:
        [place] = read_cursor(NAME, IN_FEED, after)
    except NotOurs as error:
        raise context.refusal("BAD_USER_INPUT", ["after"]) from error
    if not 0 <= int(place) <= end:
        raise context.refusal("BAD_USER_INPUT", ["after"])
    return int(place)


def followed_feed(description: str, *, may: Access) -> Any:
    """Declare the live stream of the feed."""
    field = one(
        description,
        "{o}.position = :source_position",
        may=may,
        casts={"source_position": "bigint"},
        after=AFTER,
    )
    field.metadata = {**field.metadata, FEED: PartnerFeed()}
    return field


@strawberry.type
class ProcedureFeedQueries:
    """The feed as a list."""

    procedure_events: Connection[ProcedureFeedEvent] = page(
        "Steps of procedures of the partner's services, in the order of the feed: a cursor misses nothing, whatever is "
        "committed at the same time.",
        "{o}.position is not null",
        IN_FEED,
        may=READS,
        services=Arg(
            list[str] | None,
            "Only these services, by their codes.",
            "text[]",
            "{o}.service_id in (select s.id from service s where s.code = any(:arg_services))",
        ),
    )


@strawberry.type
class ProcedureFeedSubscriptions:
    """The feed live."""

    procedure_events: ProcedureFeedEvent = followed_feed(
        "Each step of procedures of the partner's services, in the order of the feed, as it is committed. With `after` "
        "what came behind that cursor is replayed first.",
        may=READS,
    )
