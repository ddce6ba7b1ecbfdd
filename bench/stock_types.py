"""The types of the usual way: the part of the portal's schema that the reads select."""

import json
from datetime import date, datetime
from enum import Enum
from uuid import UUID

import strawberry

from bench.stock_data import BALANCE, INBOX, INVOICES, OF_FAMILY, OF_SERVICES, ON_OFFER, PAGE, WORK_LIST, Row
from bench.stock_invoices import Invoice, invoice_from
from bench.stock_kinds import Member, ProcedureKind, Service, kind_from, member_from, service_of
from bench.stock_pages import Page
from bench.stock_relay import Connection, Info, Money, connection, global_id


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
class Colleague:
    """An agent."""

    id: strawberry.ID
    name: str


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
    async def family_number(self, info: Info) -> str:
        number: str = (await info.context.families.load(self.row["family_id"]))["number"]
        return number

    @strawberry.field
    async def family_name(self, info: Info) -> str:
        name: str = (await info.context.families.load(self.row["family_id"]))["name"]
        return name

    @strawberry.field
    async def member(self, info: Info) -> Member | None:
        if self.row["member_id"] is None:
            return None
        return member_from(await info.context.member.load((self.row["family_id"], self.row["member_id"])))

    @strawberry.field
    async def assignee(self, info: Info) -> Colleague | None:
        if self.row["assigned_agent_id"] is None:
            return None
        row = await info.context.colleagues.load(self.row["assigned_agent_id"])
        return Colleague(id=global_id(81, row["id"]), name=row["name"]) if row else None

    @strawberry.field
    async def unread_messages(self, info: Info) -> int:
        return await info.context.unread.load((self.row["family_id"], self.row["id"]))

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

    @strawberry.field
    async def balance(self, info: Info) -> Money:
        row = await info.context.row(BALANCE, self.key)
        return Money(cents=row["cents"] if row else 0)

    @strawberry.field
    async def invoices(self, info: Info, first: int = 20) -> Connection[Invoice]:
        rows = await info.context.rows(INVOICES, self.key, first + 1)
        return connection(rows, first, "Invoice", "id", invoice_from)


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

    @strawberry.field
    async def work_list(self, info: Info, first: int = 20, after: str | None = None) -> Connection[Procedure]:
        rows = await info.context.rows(WORK_LIST, list(info.context.viewer.services), first + 1)
        return connection(rows, first, "Procedure/deadline", "deadline id", procedure_from)

    @strawberry.field
    async def page(self, info: Info, slug: str) -> Page | None:
        row = await info.context.row(PAGE, slug)
        return Page(row=row) if row else None
