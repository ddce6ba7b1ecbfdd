"""What waits for the city's staff: things that no family and no clock can settle."""

from typing import Any
from uuid import UUID

from db import tasks as stored
from db.card_payments import BANK_MISMATCH
from db.ids import uuid7
from db.ledger import OF_THE_TILL, UNEXPLAINED_CREDIT
from resolvers.context import Context

DONE_BY = {
    "UNAUTHORIZED_USE": ("AGENT", "ADMIN"),
    "DEADLINE_NEAR": ("AGENT",),
    UNEXPLAINED_CREDIT: OF_THE_TILL,
    BANK_MISMATCH: OF_THE_TILL,
    "DEBIT_RETURNED": OF_THE_TILL,
    "EMAIL_UNREACHABLE": ("AGENT", "ADMIN"),
}
"""Which roles see and finish a task, by kind."""


async def ask_for(tx: Any, context: Context, kind: str, family_id: UUID, subject_id: UUID) -> None:
    """Put a task before the staff, in the transaction that makes it necessary; raises KeyError for an unknown kind."""
    now = context.process.clock()
    await stored.insert(tx, family_id, uuid7(now), kind, DONE_BY[kind], subject_id, now)


async def finish(context: Context, family_id: UUID, task_id: UUID) -> None:
    """Mark a task as done; once more changes nothing.

    Raises Refusal NOT_FOUND, also for the task of another role or service.
    """
    viewer, now = context.viewer, context.process.clock()
    async with context.transaction() as tx:
        roles = sorted(viewer.roles)
        if await stored.finish(tx, family_id, task_id, roles, viewer.services, viewer.agent, now):
            await context.record(tx, "task_finished", family=family_id, subject=task_id)
        elif not await stored.is_there(tx, family_id, task_id, roles, viewer.services):
            raise context.refusal("NOT_FOUND", ["task"])
