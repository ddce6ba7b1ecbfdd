"""Services, kinds of procedure and members, as stock Strawberry has them."""

import json
from datetime import date
from uuid import UUID

import strawberry
from strawberry.scalars import JSON

from bench.stock_data import Row
from bench.stock_relay import Info, Titled, global_id, translated


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
class ProcedureKind(Titled):
    """A kind of procedure."""

    id: strawberry.ID
    code: str
    version: int
    decision_months: int
    silence_means: str

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
