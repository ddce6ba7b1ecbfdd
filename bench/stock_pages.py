"""Information pages and places, as stock Strawberry has them."""

from datetime import datetime

import strawberry

from bench.stock_data import KINDS_OF_PAGE, PLACES_OF_PAGE, Row
from bench.stock_kinds import ProcedureKind, kind_from
from bench.stock_relay import Connection, Info, Titled, connection, global_id, translated


@strawberry.type
class OpeningSpan:
    """A time during which a place is open."""

    opens_at: datetime
    closes_at: datetime


def span_from(row: Row) -> OpeningSpan:
    """Make a time."""
    return OpeningSpan(opens_at=row["opens_at"], closes_at=row["closes_at"])


@strawberry.type
class Place:
    """A place."""

    id: strawberry.ID
    code: str
    address: str
    phone: str
    is_open: bool
    next_opening: datetime | None
    row: strawberry.Private[Row]

    @strawberry.field
    def name(self, info: Info) -> str:
        return translated(info, self.row, "name")

    @strawberry.field
    def access(self, info: Info) -> str:
        return translated(info, self.row, "access")

    @strawberry.field
    async def hours(self, info: Info, since: datetime, until: datetime, first: int = 20) -> Connection[OpeningSpan]:
        rows = await info.context.spans(since, until, first + 1).load(self.row["id"])
        return connection(rows, first, "OpeningSpan", "opens_at", span_from)


def place_from(row: Row) -> Place:
    """Make a place."""
    values = {name: row[name] for name in ("code", "address", "phone", "is_open", "next_opening")}
    return Place(id=global_id(29, row["id"]), row=row, **values)


@strawberry.type
class PageCategory:
    """A branch of the tree."""

    code: str
    row: strawberry.Private[Row]

    @strawberry.field
    def title(self, info: Info) -> str:
        return translated(info, self.row, "title")


@strawberry.type
class Page(Titled):
    """A page."""

    @strawberry.field
    def id(self) -> strawberry.ID:
        return global_id(26, self.row["page_id"])

    @strawberry.field
    def slug(self) -> str:
        slug: str = self.row["slug"]
        return slug

    @strawberry.field
    def html(self, info: Info) -> str:
        return translated(info, self.row, "html")

    @strawberry.field
    def published_at(self) -> datetime:
        at: datetime = self.row["published_at"]
        return at

    @strawberry.field
    async def category(self, info: Info) -> PageCategory:
        row = await info.context.categories.load(self.row["category_id"])
        return PageCategory(code=row["code"], row=row)

    @strawberry.field
    async def places(self, info: Info, first: int = 20) -> Connection[Place]:
        rows = await info.context.rows(PLACES_OF_PAGE, self.row["page_id"], first + 1)
        return connection(rows, first, "Place", "id", place_from)

    @strawberry.field
    async def kinds(self, info: Info, first: int = 20) -> Connection[ProcedureKind]:
        rows = await info.context.rows(KINDS_OF_PAGE, self.row["page_id"], first + 1)
        return connection(rows, first, "ProcedureKind", "id", kind_from)
