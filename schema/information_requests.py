"""Information requests: what an agent asks a family for about a procedure."""

from datetime import datetime

import strawberry

from resolvers.reading.mapping import Order
from schema.declare import column, page, stored
from schema.documents import RequestedDocument
from schema.relay import OWN_OR_SERVICE, Connection, Node
from schema.scalars import JSON
from schema.tags import Tag

BY_POSITION = Order((("{o}.position", "integer"), ("{o}.request_id", "uuid")))


@stored("information_request", OWN_OR_SERVICE, tag=Tag.INFORMATION_REQUEST)
@strawberry.type(description="What an agent asked a family for about a procedure.")
class InformationRequest(Node):
    """A request; the legal clock pauses until it is answered."""

    event_number: int = column("Number of the event of the procedure that it came with.")
    message: str | None = column("What it is about; null once erased.")
    fields: list[str] = column("Fields of the form that the family may change.", "to_json({t}.fields)")
    documents: Connection[RequestedDocument] = page(
        "Documents that are missing, and what came in answer.",
        "{o}.family_id = {t}.family_id and {o}.request_id = {t}.id",
        BY_POSITION,
    )
    asked_at: datetime = column("When it was asked.")
    answers: JSON | None = column("What the family changed (RFC 7396); null until then, and once erased.")
    answered_at: datetime | None = column("When the family answered; null when the city went on without.")
