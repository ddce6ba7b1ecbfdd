"""The types of the usual way: the part of the portal's schema that the four reads select."""

import base64
import json
from collections.abc import Callable, Sequence
from datetime import date, datetime
from enum import Enum
from typing import Any, Generic, TypeVar
from uuid import UUID

import strawberry
from strawberry.scalars import JSON

from bench.stock_data import INBOX, OF_FAMILY, OF_SERVICES, ON_OFFER, Data, Row

T = TypeVar("T")
Info = strawberry.Info[Data, None]


@strawberry.enum
class ProcedureStatus(Enum):
    """States of a procedure."""

    DRAFT = "DRAFT"
    SUBMITTED = "SUBMITTED"
    IN_REVIEW = "IN_REVIEW"
    AWAITING_FAMILY = "AWAITING_FAMILY"
    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    CLOSED = "CLOSED"
    WITHDRAWN = "WITHDRAWN"


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
    """Make a page of at most `first` rows; one more tells that there are more."""
    edges = [Edge(cursor=_cursor(name, row[order]), node=make(row)) for row in rows[:first]]
    return Connection(
        edges=edges, page_info=PageInfo(has_next_page=len(rows) > first, end_cursor=edges[-1].cursor if edges else None)
    )


def _cursor(name: str, value: Any) -> str:
    return base64.b64encode(json.dumps([name, str(value)]).encode()).decode()


def translated(info: Info, row: Row, name: str) -> str:
    """Give a text in the language of the viewer."""
    text: str = row[f"{name}_en" if info.context.viewer.language == "en" else f"{name}_fr"]
    return text


@strawberry.type
class Service:
    """A service of the city."""

    code: str
    phone: str
    email: str
    row: strawberry.Private[Row]

    @strawberry.field
    def name(self, info: Info) -> str:
        return translated(info, self.row, "name")

    @strawberry.field
    def hours(self, info: Info) -> str:
        return translated(info, self.row, "hours")


async def service_of(info: Info, service_id: UUID) -> Service:
    """Load a service."""
    row = await info.context.services.load(service_id)
    return Service(code=row["code"], phone=row["phone"], email=row["email"], row=row)


@strawberry.type
class ProcedureKind:
    """A kind of procedure."""

    id: strawberry.ID
    code: str
    version: int
    decision_months: int
    silence_means: str
    row: strawberry.Private[Row]

    @strawberry.field
    def title(self, info: Info) -> str:
        return translated(info, self.row, "title")

    @strawberry.field
    def summary(self, info: Info) -> str:
        return translated(info, self.row, "summary")

    @strawberry.field
    def form(self) -> JSON:
        return JSON(json.loads(self.row["form"]))

    @strawberry.field
    async def service(self, info: Info) -> Service:
        return await service_of(info, self.row["service_id"])


def kind_from(row: Row) -> ProcedureKind:
    """Make a kind."""
    return ProcedureKind(
        id=global_id(7, row["id"]),
        code=row["code"],
        version=row["version"],
        decision_months=row["decision_months"],
        silence_means=row["silence_means"],
        row=row,
    )


@strawberry.type
class ProcedureEvent:
    """An event of a procedure."""

    number: int
    to_status: ProcedureStatus
    actor: str
    message: str | None
    occurred_at: datetime


def event_from(row: Row) -> ProcedureEvent:
    """Make an event."""
    return ProcedureEvent(
        number=row["number"],
        to_status=ProcedureStatus(row["to_status"]),
        actor=row["actor"],
        message=row["message"],
        occurred_at=row["occurred_at"],
    )


@strawberry.type
class Procedure:
    """A procedure."""

    id: strawberry.ID
    reference: str
    status: ProcedureStatus
    submitted_at: datetime | None
    implied_decision_on: date | None
    updated_at: datetime
    row: strawberry.Private[Row]

    @strawberry.field
    async def kind(self, info: Info) -> ProcedureKind:
        return kind_from(await info.context.kinds.load(self.row["kind_id"]))

    @strawberry.field
    async def service(self, info: Info) -> Service:
        return await service_of(info, self.row["service_id"])

    @strawberry.field
    async def events(self, info: Info, first: int = 20) -> Connection[ProcedureEvent]:
        rows = await info.context.events(first + 1).load((self.row["family_id"], self.row["id"]))
        return connection(rows, first, "ProcedureEvent", "id", event_from)


def procedure_from(row: Row) -> Procedure:
    """Make a procedure."""
    return Procedure(
        id=global_id(9, row["family_id"], row["id"]),
        reference=row["reference"],
        status=ProcedureStatus(row["status"]),
        submitted_at=row["submitted_at"],
        implied_decision_on=row["implied_decision_on"],
        updated_at=row["updated_at"],
        row=row,
    )


@strawberry.type
class Delivery:
    """One message to one address."""

    channel: str
    address: str
    status: str
    sent_at: datetime | None


def delivery_from(row: Row) -> Delivery:
    """Make a delivery."""
    return Delivery(channel=row["channel"], address=row["address"], status=row["status"], sent_at=row["sent_at"])


@strawberry.type
class NewsItem:
    """An item of the inbox."""

    id: strawberry.ID
    cursor: str
    type: str
    occurred_at: datetime
    read_at: datetime | None
    row: strawberry.Private[Row]

    @strawberry.field
    def summary(self, info: Info) -> str | None:
        text: str | None = json.loads(self.row["data"]).get(f"summary_{info.context.viewer.language}")
        return text

    @strawberry.field
    async def deliveries(self, info: Info, first: int = 20) -> Connection[Delivery]:
        rows = await info.context.deliveries(first + 1).load((self.row["family_id"], self.row["seq"]))
        return connection(rows, first, "Delivery", "id", delivery_from)


def item_from(row: Row) -> NewsItem:
    """Make an item of news."""
    return NewsItem(
        id=global_id(11, row["family_id"], row["id"]),
        cursor=str(row["seq"]),
        type=row["type"],
        occurred_at=row["occurred_at"],
        read_at=row["read_at"],
        row=row,
    )


@strawberry.type
class Member:
    """A member of a family."""

    id: strawberry.ID
    role: str
    first_name: str
    last_name: str
    birth_date: date | None
    school: str | None


def member_from(row: Row) -> Member:
    """Make a member."""
    return Member(
        id=global_id(3, row["family_id"], row["id"]),
        role=row["role"],
        first_name=row["first_name"],
        last_name=row["last_name"],
        birth_date=row["birth_date"],
        school=row["school"],
    )


@strawberry.type
class Account:
    """A login."""

    id: strawberry.ID
    email: str
    language: str
    created_at: datetime


@strawberry.type
class Family:
    """A family."""

    id: strawberry.ID
    number: str
    name: str
    profile: str
    key: strawberry.Private[UUID]

    @strawberry.field
    async def members(self, info: Info, first: int = 20) -> Connection[Member]:
        return connection(await info.context.members.load(self.key), first, "Member", "id", member_from)

    @strawberry.field
    async def procedures(self, info: Info, first: int = 20) -> Connection[Procedure]:
        rows = await info.context.rows(OF_FAMILY, self.key, first + 1)
        return connection(rows, first, "Procedure", "id", procedure_from)

    @strawberry.field
    async def inbox(self, info: Info, first: int = 20) -> Connection[NewsItem]:
        rows = await info.context.rows(INBOX, self.key, first + 1)
        return connection(rows, first, "NewsItem", "seq", item_from)


@strawberry.type
class Viewer:
    """Who asks."""

    @strawberry.field
    async def account(self, info: Info) -> Account | None:
        viewer = info.context.viewer
        row = await info.context.row(
            "select family_id, id, email, language, created_at from account where family_id = $1 and id = $2",
            viewer.family_id,
            viewer.account_id,
        )
        if row is None:
            return None
        identity = global_id(4, row["family_id"], row["id"])
        return Account(id=identity, email=row["email"], language=row["language"], created_at=row["created_at"])

    @strawberry.field
    async def family(self, info: Info) -> Family | None:
        row = await info.context.row(
            "select id, number, name, profile from family where id = $1", info.context.viewer.family_id
        )
        if row is None:
            return None
        names = {name: row[name] for name in ("number", "name", "profile")}
        return Family(id=global_id(6, row["id"]), key=row["id"], **names)


@strawberry.type
class Query:
    """The root."""

    @strawberry.field
    def viewer(self) -> Viewer:
        return Viewer()

    @strawberry.field
    async def procedures(
        self, info: Info, status: list[ProcedureStatus] | None = None, first: int = 20, after: str | None = None
    ) -> Connection[Procedure]:
        statuses = [each.value for each in status or ProcedureStatus]
        rows = await info.context.rows(OF_SERVICES, list(info.context.viewer.services), statuses, first + 1)
        return connection(rows, first, "Procedure", "id", procedure_from)

    @strawberry.field
    async def procedure_kinds(self, info: Info, first: int = 20) -> Connection[ProcedureKind]:
        return connection(await info.context.rows(ON_OFFER, first + 1), first, "ProcedureKind", "id", kind_from)
