"""Service status: whether the portal is open, and maintenance that is planned or runs (R8, R9)."""

from datetime import datetime
from enum import Enum
from typing import Annotated

import strawberry

from resolvers import service_status
from schema.access import ADMIN, EVERYBODY
from schema.declare import Payload, announced, column, embedded, mutation, status_of
from schema.relay import Info

PRESENT = "from present_maintenance(:now) m"


@strawberry.enum(description="Whether the portal is open.")
class ServiceState(Enum):
    """R8."""

    OPEN = strawberry.enum_value("OPEN", description="Everything works.")
    PLANNED = strawberry.enum_value("PLANNED", description="Everything works; maintenance is announced.")
    MAINTENANCE = strawberry.enum_value(
        "MAINTENANCE", description="Everything can be read; commands are refused with the code MAINTENANCE."
    )


@strawberry.type(description="Whether the portal is open, and what is announced.")
class ServiceStatus:
    """R8: readable by everybody, always."""

    id: strawberry.ID = column("Always the same, for caches.", "'service-status'")
    state: ServiceState = column(
        "The state at this moment.",
        f"coalesce((select case when m.starts_at <= :now then 'MAINTENANCE' else 'PLANNED' end {PRESENT}), 'OPEN')",
    )
    notice: str | None = column(
        "What the city says about it, in the language of the viewer.",
        f"(select case :language when 'en' then m.message_en else m.message_fr end {PRESENT})",
    )
    starts_at: datetime | None = column("When the maintenance begins or began.", f"(select m.starts_at {PRESENT})")
    ends_at: datetime | None = column("When it ends; null when nobody knows yet.", f"(select m.ends_at {PRESENT})")
    agents_may_work: bool | None = column(
        "True when agents work on meanwhile; null while the portal is open.", f"(select m.agents_may_work {PRESENT})"
    )


@strawberry.type
class ServiceStatusQueries:
    """Root fields about the status."""

    service_status: ServiceStatus = embedded("Whether the portal is open.", may=EVERYBODY)


@strawberry.type
class ServiceStatusSubscriptions:
    """Live status."""

    service_status_changed: ServiceStatus = announced(
        "The status of the portal: first as it is, then at each change.", may=EVERYBODY
    )


@strawberry.type(description="What a change of the portal's status gives.")
class ServiceStatusPayload(Payload):
    """Payload of commands on maintenance."""

    service_status: ServiceStatus = status_of("The status now.")


@strawberry.type
class ServiceStatusMutations:
    """Commands on maintenance."""

    @mutation(
        may=ADMIN.always,
        description="Plan maintenance or begin it at once: families then read only. Replaces what was planned, or what "
        "runs.",
    )
    async def set_maintenance(
        info: Info,
        message_fr: Annotated[str, strawberry.argument(description="What families read, in French.")],
        message_en: Annotated[str, strawberry.argument(description="The same in English.")],
        starts_at: Annotated[
            datetime | None, strawberry.argument(description="When it begins; at once unless given.")
        ] = None,
        ends_at: Annotated[
            datetime | None, strawberry.argument(description="When it ends by itself; `endMaintenance` unless given.")
        ] = None,
        agents_may_work: Annotated[
            bool, strawberry.argument(description="Whether agents' commands work meanwhile.")
        ] = True,
        tell_families: Annotated[
            bool | None,
            strawberry.argument(
                description="Whether every family is told on its channels; of planned maintenance unless given."
            ),
        ] = None,
    ) -> ServiceStatusPayload:
        """R8."""
        notice = service_status.Notice(starts_at, ends_at, message_fr, message_en, agents_may_work, tell_families)
        await service_status.set_maintenance(info.context, notice)
        return ServiceStatusPayload()

    @mutation(
        may=ADMIN.always, description="End the maintenance that runs or, where none does, cancel the planned one."
    )
    async def end_maintenance(info: Info) -> ServiceStatusPayload:
        """R8."""
        await service_status.end_maintenance(info.context)
        return ServiceStatusPayload()
