"""Who acts on a procedure, and the agents whom a family may know by name."""

from enum import Enum

import strawberry

from schema.declare import column, stored
from schema.relay import Node
from schema.tags import Tag


@strawberry.enum(description="Who acts on a procedure.")
class Actor(Enum):
    """Who acts."""

    FAMILY = strawberry.enum_value("FAMILY", description="The family.")
    AGENT = strawberry.enum_value("AGENT", description="An agent of the service.")
    CLOCK = strawberry.enum_value("CLOCK", description="The legal clock: silence decided.")


HANDLES = "({t}.services && :services and 'AGENT' = any({t}.roles) and {t}.disabled_at is null)"
IN_CHARGE = "{t}.id in (select p.assigned_agent_id from procedure p where p.family_id = :family)"


@stored("agent", {"AGENT": HANDLES, "FAMILY": IN_CHARGE}, tag=Tag.COLLEAGUE, key=("id",))
@strawberry.type(
    description="An agent who handles procedures: colleagues see those of their services, a family those in charge of "
    "its procedures (CRPA L111-2)."
)
class Colleague(Node):
    """An agent, by name only."""

    name: str = column("Name.")
