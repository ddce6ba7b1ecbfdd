"""What waits for a member of the city's staff."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

INSERT = """
    insert into agent_task (family_id, id, kind, roles, subject_id, created_at) values ($1, $2, $3, $4, $5, $6)
    on conflict (family_id, kind, subject_id) where done_at is null do nothing
"""
FINISH = """
    update agent_task set done_at = $6, done_by = $5
    where family_id = $1 and id = $2 and roles && $3 and (service_id is null or service_id = any($4))
        and done_at is null
"""
IS_THERE = """
    select exists (select from agent_task
        where family_id = $1 and id = $2 and roles && $3 and (service_id is null or service_id = any($4)))
"""


async def insert(
    tx: Any, family_id: UUID, task_id: UUID, kind: str, roles: Sequence[str], subject_id: UUID, at: datetime
) -> None:
    """Write a task for agents of one of the roles; one that is open for the same subject stays the only one."""
    await tx.execute(INSERT, family_id, task_id, kind, list(roles), subject_id, at)


async def finish(
    tx: Any,
    family_id: UUID,
    task_id: UUID,
    roles: Sequence[str],
    services: Sequence[UUID],
    agent_id: UUID,
    at: datetime,
) -> bool:
    """Mark a task for one of these roles and services as done; False when there is none that waits."""
    told: str = await tx.execute(FINISH, family_id, task_id, list(roles), list(services), agent_id, at)
    return told == "UPDATE 1"


async def is_there(tx: Any, family_id: UUID, task_id: UUID, roles: Sequence[str], services: Sequence[UUID]) -> bool:
    """Tell whether there is such a task for one of these roles and services, done or not."""
    found: bool = await tx.fetchval(IS_THERE, family_id, task_id, list(roles), list(services))
    return found
