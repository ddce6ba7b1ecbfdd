"""The states of billing runs as stored: each statement makes one move."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

COUNTED = "update billing_run set families_total = $2 where id = $1"
MOVE_ON = "update billing_run set drafted_up_to = $2, families_done = families_done + $3 where id = $1"
DRAFTED = "update billing_run set state = 'DRAFTED', drafted_at = $2, families_done = families_total where id = $1"


async def counted(tx: Any, run_id: UUID, families: int) -> None:
    """Write how many families a run concerns."""
    await tx.execute(COUNTED, run_id, families)


async def move_on(tx: Any, run_id: UUID, up_to: UUID, families: int) -> None:
    """Write up to which family a run is drafted."""
    await tx.execute(MOVE_ON, run_id, up_to, families)


async def drafted(tx: Any, run_id: UUID, at: datetime) -> None:
    """Write that all drafts of a run are there."""
    await tx.execute(DRAFTED, run_id, at)


PUBLISHING = """
    update billing_run set state = 'PUBLISHING', published_by = $2, issued_on = $3, due_on = $4, failed_at = null,
        failed_because = null
    where id = $1
"""
WORKED_ON = "update billing_run set state = $2, failed_at = null, failed_because = null where id = $1"
FAILED = """
    update billing_run set failed_at = $3, failed_because = $4, state = case state
        when 'DRAFTING' then 'DRAFTING_FAILED' when 'PUBLISHING' then 'PUBLICATION_FAILED' else state end
    where id = $1 and state = $2
    returning period, case state when 'DRAFTING_FAILED' then started_by else published_by end as by
"""
PUBLISHED = """
    update billing_run r set state = 'PUBLISHED', published_at = $2 where id = $1
    returning (select count(*)::integer from invoice i where i.run_id = r.id) as invoices, left_out
"""
DISCARD = "update billing_run set state = 'DISCARDED', discarded_by = $2, discarded_at = $3 where id = $1"


async def publishing(tx: Any, run_id: UUID, by: UUID | None, issued_on: date, due_on: date) -> None:
    """Write that a run is to be published."""
    await tx.execute(PUBLISHING, run_id, by, issued_on, due_on)


async def worked_on(tx: Any, run_id: UUID, state: str) -> None:
    """Write that a run that had failed is worked on again."""
    await tx.execute(WORKED_ON, run_id, state)


async def failed(tx: Any, run_id: UUID, while_in: str, problem: str, at: datetime) -> tuple[date, UUID | None] | None:
    """Write that the job of a run was put aside for good; give its month and which agent had ordered it.

    None when the run is not in that state (any more).
    """
    row = await tx.fetchrow(FAILED, run_id, while_in, at, problem)
    return (row["period"], row["by"]) if row else None


async def published(tx: Any, run_id: UUID, at: datetime) -> dict[str, int]:
    """Write that a run is published; give how many invoices it has and how many drafts were left out."""
    return dict(await tx.fetchrow(PUBLISHED, run_id, at))


async def discard(tx: Any, run_id: UUID, by: UUID | None, at: datetime) -> None:
    """Write that a run is given up."""
    await tx.execute(DISCARD, run_id, by, at)
