"""Relay: nodes, connections, pages; and the orders and viewers' conditions that types share."""

from typing import Annotated, Generic, TypeVar
from uuid import UUID

import strawberry

from resolvers.context import Context
from resolvers.reading.identity import NotOurs, read_id
from resolvers.reading.mapping import Order
from schema.declare import column

T = TypeVar("T")

Info = strawberry.Info[Context, None]
GlobalID = Annotated[strawberry.ID, strawberry.argument(description="Opaque id.")]

NEWEST_FIRST = Order((("{o}.id", "uuid"),), descending=True)
OLDEST_FIRST = Order((("{o}.id", "uuid"),))

OWN = {"FAMILY": "{t}.family_id = :family"}
OWN_OR_SERVICE = {**OWN, "AGENT": "{t}.service_id = any(:services)"}
OWN_OR_STAFF = {**OWN, "AGENT": "true"}
OWN_OR_TILL = {**OWN, "AGENT": "'{CASHIER,ADMIN}'::text[] && :roles"}
"""Rows about money: a family's own; all for agents who take it."""
PUBLIC = {"*": "true"}


@strawberry.interface(description="Anything with an opaque, lasting id.")
class Node:
    """The interface of everything that `node` finds."""

    id: strawberry.ID = column("Opaque id, the same for ever.", "{t}.id")


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    """Relay's PageInfo."""

    has_next_page: bool = strawberry.field(description="True when there are rows behind the last one.")
    has_previous_page: bool = strawberry.field(description="True when there are rows ahead of the first one.")
    start_cursor: str | None = strawberry.field(description="Cursor of the first row.")
    end_cursor: str | None = strawberry.field(description="Cursor of the last row.")


@strawberry.type(description="One row of a list and where it stands.")
class Edge(Generic[T]):
    """Relay's edge."""

    cursor: str = strawberry.field(description="Where the row stands; for `after` and `before`.")
    node: T = strawberry.field(description="The row.")


@strawberry.type(description="One page of a list.")
class Connection(Generic[T]):
    """Relay's connection."""

    edges: list[Edge[T]] = strawberry.field(description="The rows of this page, in order.")
    page_info: PageInfo = strawberry.field(description="Where this page stands.")
    total_count: int = strawberry.field(description="How many rows the whole list has; counted only when asked.")


def key_of(context: Context, text: str, type_name: str, argument: str) -> tuple[UUID, ...]:
    """Give the key in a global id of the wanted type; raises Refusal NOT_FOUND for any other."""
    try:
        found = read_id(context.process.reader.mapping, text)
    except NotOurs as error:
        raise context.refusal("NOT_FOUND", [argument]) from error
    if found.type_name != type_name:
        raise context.refusal("NOT_FOUND", [argument])
    return found.key
