"""The audit log, for administrators: who did what, and proof that nobody changed it afterwards."""

from datetime import datetime
from enum import Enum

import strawberry

from resolvers.reading.mapping import Order
from schema.access import ADMIN
from schema.declare import Arg, column, page, stored
from schema.relay import Connection, Node
from schema.tags import Tag


@strawberry.enum(description="Who acted, in the audit log.")
class AuditActor(Enum):
    """Kinds of viewer, and the portal itself."""

    ANONYMOUS = strawberry.enum_value("ANONYMOUS", description="Somebody who had not signed in.")
    FAMILY = strawberry.enum_value("FAMILY", description="A login of a family.")
    AGENT = strawberry.enum_value("AGENT", description="City staff.")
    PARTNER = strawberry.enum_value("PARTNER", description="An organisation's API client.")
    SYSTEM = strawberry.enum_value("SYSTEM", description="The portal itself: jobs, commands of operators.")


LAST_FIRST = Order((("{o}.number", "bigint"),), descending=True)


@stored("audit_entry", {"AGENT": ":admin"}, tag=Tag.AUDIT_ENTRY, key=("id",))
@strawberry.type(description="One act, chained to the one before it.")
class AuditEntry(Node):
    """An entry of the audit log (R36); verified offline by `audit verify`."""

    number: str = column("Place in the chain: 1, 2, 3 … without gap.", "{t}.number::text")
    act: str = column("What was done, e.g. signed_in.")
    actor: AuditActor = column("Who did it.")
    actor_reference: str | None = column("The account, agent or partner, as an internal id.", "{t}.actor_id::text")
    agent_name: str | None = column(
        "Name of the agent, when one acted.", "(select g.name from agent g where g.id = {t}.actor_id)"
    )
    family_number: str | None = column(
        "Number of the family it concerns.", "(select f.number from family f where f.id = {t}.family_id)"
    )
    subject_reference: str | None = column("What it was done to, as an internal id.", "{t}.subject_id::text")
    details: str = column("Codes and counts, as a JSON text.", "{t}.data::text")
    occurred_at: datetime = column("When.")
    hash: str = column("SHA-256 over this entry and the hash before it.", "encode({t}.hash, 'hex')")
    previous_hash: str = column("Hash of the entry before.", "encode({t}.previous_hash, 'hex')")


@strawberry.type
class AuditQueries:
    """Root fields about the audit log."""

    audit_log: Connection[AuditEntry] = page(
        "The audit log, last act first.",
        "true",
        LAST_FIRST,
        may=ADMIN,
        acts=Arg(list[str] | None, "Only these acts.", "text[]", "{o}.act = any(:arg_acts)"),
        actor=Arg(AuditActor | None, "Only acts of such actors.", filters="{o}.actor = :arg_actor"),
        actor_reference=Arg(
            str | None,
            "Only acts of this account, agent or partner.",
            filters="{o}.actor_id::text = :arg_actorReference",
        ),
        family_number=Arg(
            str | None,
            "Only acts that concern the family of this number.",
            filters="{o}.family_id = (select f.id from family f where f.number = :arg_familyNumber)",
        ),
        since=Arg(
            datetime | None, "Only acts at or after this moment.", "timestamptz", "{o}.occurred_at >= :arg_since"
        ),
        until=Arg(datetime | None, "Only acts before this moment.", "timestamptz", "{o}.occurred_at < :arg_until"),
    )
