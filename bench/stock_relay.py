"""What all types of the usual way share: ids, lists, texts in two languages, amounts."""

import base64
import json
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar
from uuid import UUID

import strawberry

from bench.stock_data import Data, Row
from resolvers.tariffs import formatted

T = TypeVar("T")
Info = strawberry.Info[Data, None]


@strawberry.type
class PageInfo:
    """Relay's PageInfo, as far as it is selected."""

    has_next_page: bool
    end_cursor: str | None


@strawberry.type
class Edge(Generic[T]):
    """Relay's edge."""

    cursor: str
    node: T


@strawberry.type
class Connection(Generic[T]):
    """Relay's connection."""

    edges: list[Edge[T]]
    page_info: PageInfo


def global_id(tag: int, *key: UUID) -> strawberry.ID:
    """Make a global id."""
    return strawberry.ID(base64.b64encode(bytes([tag]) + b"".join(part.bytes for part in key)).decode())


def connection(rows: Sequence[Row], first: int, name: str, order: str, make: Callable[[Row], T]) -> Connection[T]:
    """Make a page of at most `first` rows, with cursors of the columns `order`; one more tells of more."""
    columns = order.split()
    edges = [Edge(cursor=_cursor(name, *(row[each] for each in columns)), node=make(row)) for row in rows[:first]]
    return Connection(
        edges=edges, page_info=PageInfo(has_next_page=len(rows) > first, end_cursor=edges[-1].cursor if edges else None)
    )


def _cursor(name: str, *values: Any) -> str:
    return base64.b64encode(json.dumps([name, *map(str, values)]).encode()).decode()


def translated(info: Info, row: Row, name: str) -> str:
    """Give a text in the language of the viewer."""
    text: str = row[f"{name}_en" if info.context.viewer.language == "en" else f"{name}_fr"]
    return text


@strawberry.type
class Titled:
    """What has a title and a summary in two languages."""

    row: strawberry.Private[Row]

    @strawberry.field
    def title(self, info: Info) -> str:
        return translated(info, self.row, "title")

    @strawberry.field
    def summary(self, info: Info) -> str:
        return translated(info, self.row, "summary")


@strawberry.type
class Money:
    """An amount."""

    cents: int

    @strawberry.field
    def formatted(self, info: Info) -> str:
        return formatted(self.cents, info.context.viewer.language)
