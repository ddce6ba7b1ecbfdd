"""The feed of partners: steps of procedures are noted with the change, and numbered by one dispatcher at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

BATCH = 500


@dataclass(frozen=True, slots=True)
class FeedRow:
    """What decides who hears a step; what they read of it comes from the planner."""

    position: int
    service_id: UUID


# The lock on the one row is held to the commit, so that places become visible in their order and without gap: whoever
# sees a place sees all before it.
HOLD_END = "select position from procedure_feed_end for update"
NUMBER = """
    with waiting as (
        select family_id, procedure_id, number, service_id, row_number() over (order by noted) as nth
        from (select * from procedure_feed where position is null order by noted limit $2) w
    )
    update procedure_feed f set position = $1::bigint + w.nth from waiting w
    where f.family_id = w.family_id and f.procedure_id = w.procedure_id and f.number = w.number
    returning f.position, f.service_id
"""
MOVE_END = "update procedure_feed_end set position = $1"


async def number(tx: Any, count: int) -> list[FeedRow]:
    """Give the next steps that wait their places, `count` at the most, in order; one caller at a time."""
    end: int = await tx.fetchval(HOLD_END)
    rows = [FeedRow(row["position"], row["service_id"]) for row in await tx.fetch(NUMBER, end, count)]
    if rows:
        await tx.execute(MOVE_END, end + len(rows))
    return sorted(rows, key=lambda row: row.position)


async def waiting(connection: Any) -> bool:
    """Tell whether a step waits for its place."""
    found: bool = await connection.fetchval("select exists (select from procedure_feed where position is null)")
    return found


SINCE = f"""
    select position, service_id from procedure_feed where position > $1 order by position limit {BATCH}
"""
AFTER = f"""
    select position, service_id from procedure_feed
    where position > $1 and service_id = any($2) order by position limit {BATCH}
"""


async def end(connection: Any) -> int:
    """Give the last place of the feed; 0 when it is empty."""
    found: int = await connection.fetchval("select position from procedure_feed_end")
    return found


async def since(connection: Any, position: int) -> list[FeedRow]:
    """Give what came after a place, of all services, 500 at the most; for who sees all rows."""
    return [FeedRow(*row.values()) for row in await connection.fetch(SINCE, position)]


async def after(connection: Any, position: int, services: Sequence[UUID]) -> list[FeedRow]:
    """Give what came after a place in some services, 500 at the most."""
    return [FeedRow(*row.values()) for row in await connection.fetch(AFTER, position, list(services))]
