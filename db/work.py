"""Who is in charge of a procedure."""

from typing import Any
from uuid import UUID

from db.procedures import Procedure

ASSIGN = "update procedure set assigned_agent_id = $3 where family_id = $1 and id = $2"


async def assign(tx: Any, procedure: Procedure, agent_id: UUID | None) -> None:
    """Put an agent in charge, or nobody."""
    await tx.execute(ASSIGN, procedure.family_id, procedure.id, agent_id)


CAN = """
    select exists (select from agent
        where id = $1 and $2 = any (services) and 'AGENT' = any (roles) and disabled_at is null)
"""


async def can_handle(tx: Any, agent_id: UUID, service_id: UUID) -> bool:
    """Tell whether an agent handles the procedures of a service."""
    found: bool = await tx.fetchval(CAN, agent_id, service_id)
    return found
