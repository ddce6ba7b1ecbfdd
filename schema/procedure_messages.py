"""Messages between a family and the service about a procedure."""

from datetime import datetime

import strawberry

from resolvers.reading.mapping import Order
from schema.actors import Actor
from schema.declare import column, page, stored
from schema.documents import AttachedDocument
from schema.relay import OLDEST_FIRST, OWN_OR_SERVICE, Connection, Node
from schema.tags import Tag

IN_ORDER = Order((("{o}.number", "integer"), ("{o}.id", "uuid")))
UNREAD = """(select count(*)::integer from procedure_message m
    where m.family_id = {t}.family_id and m.procedure_id = {t}.id and m.read_at is null
        and m.author = case when :family is null then 'FAMILY' else 'AGENT' end)"""
"""Of the other side than the viewer's."""


@stored("procedure_message", OWN_OR_SERVICE, tag=Tag.PROCEDURE_MESSAGE)
@strawberry.type(description="A message about a procedure, from the family or from the service.")
class ProcedureMessage(Node):
    """A message; never changed."""

    number: int = column("1, 2, 3 … without gap per procedure.")
    author: Actor = column("Which side wrote it.")
    agent_name: str | None = column(
        "Name of the agent who wrote it (CRPA L111-2).", "(select g.name from agent g where g.id = {t}.agent_id)"
    )
    body: str = column("The words.")
    posted_at: datetime = column("When it was written.")
    read_at: datetime | None = column("When somebody of the other side marked it as read.")
    documents: Connection[AttachedDocument] = page(
        "What it carries.",
        "{o}.family_id = {t}.family_id and {o}.procedure_id = {t}.procedure_id "
        "and {o}.field = 'message.' || {t}.number",
        OLDEST_FIRST,
    )
