"""Families: households, professionals and associations, and their members."""

from datetime import date, datetime
from enum import Enum
from typing import Annotated

import strawberry

from resolvers import accounts
from resolvers.reading.mapping import Order
from schema.access import ANY_AGENT
from schema.declare import Arg, Payload, aggregate, column, mutation, one, page, stored
from schema.news import ChannelPreference, Delivery, NewsItem
from schema.procedures import Procedure, ProcedureStatus
from schema.relay import NEWEST_FIRST, OLDEST_FIRST, OWN_OR_STAFF, Connection, Info, Node
from schema.sessions import Session


@strawberry.enum(description="What a family is.")
class Profile(Enum):
    """R6."""

    INDIVIDUAL = strawberry.enum_value("INDIVIDUAL", description="A household.")
    PROFESSIONAL = strawberry.enum_value("PROFESSIONAL", description="A professional, with a SIRET.")
    ASSOCIATION = strawberry.enum_value("ASSOCIATION", description="An association, with an RNA number.")


@strawberry.enum(description="What a member is in its family.")
class MemberRole(Enum):
    """Adults answer, children are registered."""

    ADULT = strawberry.enum_value("ADULT", description="An adult.")
    CHILD = strawberry.enum_value("CHILD", description="A child.")


@stored("member", OWN_OR_STAFF, tag=3)
@strawberry.type(description="An adult or a child of a family.")
class Member(Node):
    """A member of a family (R11)."""

    role: MemberRole = column("Adult or child.")
    first_name: str = column("First name.")
    last_name: str = column("Last name.")
    birth_date: date | None = column("Day of birth.")
    school: str | None = column("School, for a child that goes to one.")


@stored("family", {"FAMILY": "{t}.id = :family", "AGENT": "true"}, tag=6, key=("id",))
@strawberry.type(description="A household, professional or association: it owns procedures and invoices.")
class Family(Node):
    """A family (famille)."""

    number: str = column("Family number, as printed on invoices; never a secret.")
    profile: Profile = column("What the family is.")
    name: str = column("Name.")
    language: str = column("`fr` or `en`: the language of its messages.")
    activated_at: datetime | None = column("When its first account was opened.")
    members: Connection[Member] = page("Adults and children.", "{o}.family_id = {t}.id", OLDEST_FIRST)
    procedures: Connection[Procedure] = page(
        "Procedures, newest first.",
        "{o}.family_id = {t}.id",
        NEWEST_FIRST,
        status=Arg(list[ProcedureStatus] | None, "Only these statuses.", "text[]", "{o}.status = any(:arg_status)"),
    )
    sessions: Connection[Session] = page("Sign-ins that have not ended.", "{o}.family_id = {t}.id", NEWEST_FIRST)
    notification_settings: Connection[ChannelPreference] = page(
        "Ordered channels, one entry a topic on which the family made a choice.",
        "{o}.family_id = {t}.id",
        Order((("{o}.topic", "text"),)),
    )
    inbox: Connection[NewsItem] = page(
        "Everything the family was told, newest first.",
        "{o}.family_id = {t}.id",
        Order((("{o}.seq", "bigint"),), descending=True),
    )
    unread_count: int = aggregate(
        "How many items of the inbox nobody has marked as read.",
        "NewsItem",
        "count(*)",
        "{o}.family_id = {t}.id and {o}.read_at is null",
    )
    deliveries: Connection[Delivery] = page(
        "The proof: what was sent, where, when, and whether it arrived; newest first.",
        "{o}.family_id = {t}.id",
        NEWEST_FIRST,
    )


@strawberry.type(description="A new activation code.")
class ActivationCodePayload(Payload):
    """Payload of issueActivationCode."""

    code: str | None = strawberry.field(default=None, description="The code, shown once: it is stored as an HMAC.")
    expires_on: date | None = strawberry.field(default=None, description="The last day on which it can be used.")


@strawberry.type
class FamilyQueries:
    """Root fields about families."""

    family: Family | None = one(
        "A family by its number, for agents.",
        "{o}.number = :arg_number",
        may=ANY_AGENT,
        number=Arg(str, "Family number."),
    )
    families: Connection[Family] = page(
        "Families, for agents.",
        "true",
        OLDEST_FIRST,
        may=ANY_AGENT,
        search=Arg(
            str | None,
            "Beginning of the number or of the name.",
            filters="({o}.number like :arg_search || '%' or {o}.name ilike :arg_search || '%')",
        ),
    )


@strawberry.type
class FamilyMutations:
    """Commands about families."""

    @mutation(may=ANY_AGENT, description="Issue a new activation code for a family at the counter or by phone (R15).")
    async def issue_activation_code(
        info: Info, family_number: Annotated[str, strawberry.argument(description="Family number.")]
    ) -> ActivationCodePayload:
        """R15."""
        code, last_day = await accounts.issue_activation_code(info.context, family_number)
        return ActivationCodePayload(code=code, expires_on=last_day)
