"""Consumptions: what members used on which day, and its correction (R29)."""

from datetime import date, datetime
from enum import Enum
from typing import Annotated

import strawberry

from resolvers import consumptions
from resolvers.reading.mapping import Order
from schema.access import COUNTER, FAMILY_OR_AGENT
from schema.declare import Arg, Payload, column, mutation, one, page, stored, written
from schema.members import Member
from schema.relay import OLDEST_FIRST, OWN, Connection, Info, Node, key_of
from schema.services import Service
from schema.tags import Tag
from schema.tariffs import Tariff

OWN_SERVICE_OR_TILL = {
    **OWN,
    "AGENT": "({t}.service_id = any(:services) or '{CASHIER,ADMIN}'::text[] && :roles)",
}


@strawberry.enum(description="Who said what was used.")
class ConsumptionSource(Enum):
    """Sources."""

    IMPORT = strawberry.enum_value("IMPORT", description="A file of the service's own system.")
    AGENT = strawberry.enum_value("AGENT", description="An agent; later files do not overwrite it.")


@stored(
    "consumption_change", OWN_SERVICE_OR_TILL, tag=Tag.CONSUMPTION_CHANGE, key=("family_id", "consumption_id", "id")
)
@strawberry.type(description="One correction of a consumption; never changed.")
class ConsumptionChange(Node):
    """A correction."""

    from_quantity: int = column("Units before.")
    to_quantity: int = column("Units after.")
    source: ConsumptionSource = column("Who corrected it.")
    reason: str | None = column("Why, in the agent's words.")
    changed_at: datetime = column("When.")


@stored("consumption", OWN_SERVICE_OR_TILL, tag=Tag.CONSUMPTION)
@strawberry.type(description="What a member used on one day of one tariff.")
class Consumption(Node):
    """A consumption (prestation consommée)."""

    day: date = column("The day.")
    quantity: int = column("Units of the tariff; 0 for what was recorded and proved wrong.")
    source: ConsumptionSource = column("Who said it last.")
    recorded_at: datetime = column("When it was first recorded.")
    changed_at: datetime = column("When it was last changed.")
    member: Member = one("Who used it.", "{o}.family_id = {t}.family_id and {o}.id = {t}.member_id")
    tariff: Tariff = one("What was used.", "{o}.id = {t}.tariff_id")
    service: Service = one("The service.", "{o}.id = {t}.service_id")
    changes: Connection[ConsumptionChange] = page(
        "Its corrections, in order.",
        "{o}.family_id = {t}.family_id and {o}.consumption_id = {t}.id",
        OLDEST_FIRST,
    )


LAST_DAY_FIRST = Order((("{o}.day::text", "text"), ("{o}.id", "uuid")), descending=True)


@strawberry.type
class ConsumptionQueries:
    """Root fields about consumptions."""

    consumptions: Connection[Consumption] = page(
        "Consumptions that the viewer sees: the family's own, or those of the agent's services; last day first.",
        "true",
        LAST_DAY_FIRST,
        may=FAMILY_OR_AGENT,
        family=Arg(
            str | None,
            "Only those of this family, by its number.",
            filters="{o}.family_id = (select f.id from family f where f.number = :arg_family)",
        ),
        month=Arg(
            date | None,
            "Only those of the month of this day.",
            "date",
            "{o}.day >= date_trunc('month', :arg_month::timestamp)::date "
            "and {o}.day < (date_trunc('month', :arg_month::timestamp) + interval '1 month')::date",
        ),
        member=Arg(
            strawberry.ID | None,
            "Only those of this member.",
            filters="{o}.family_id = id_part(:arg_member, 0) and {o}.member_id = id_part(:arg_member, 1)",
        ),
    )


@strawberry.type(description="What correcting a consumption gives.")
class ConsumptionPayload(Payload):
    """Payload of correctConsumption."""

    consumption: Consumption | None = written("The consumption as it stands now, unless refused.")


@strawberry.type
class ConsumptionMutations:
    """Commands on consumptions."""

    @mutation(
        may=COUNTER,
        description="Say what a member used on a day, whatever a file said; invoices follow with the next run of the "
        "month. The same again changes nothing.",
    )
    async def correct_consumption(
        info: Info,
        member: Annotated[strawberry.ID, strawberry.argument(description="Who used it.")],
        tariff: Annotated[str, strawberry.argument(description="Code of the tariff.")],
        day: Annotated[date, strawberry.argument(description="The day.")],
        quantity: Annotated[int, strawberry.argument(description="Units: 0 to 1,000.")],
        reason: Annotated[str, strawberry.argument(description="Why; 500 characters at the most.")],
    ) -> ConsumptionPayload:
        """Agents correct what their services recorded."""
        family_id, member_id = key_of(info.context, member, "Member", "member")
        found = await consumptions.correct(info.context, family_id, member_id, tariff, day, quantity, reason)
        return ConsumptionPayload(family_id=family_id, id=found)
