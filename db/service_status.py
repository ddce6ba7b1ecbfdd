"""Maintenance: when families may only read (R8)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Maintenance:
    """One time of maintenance; times are UTC."""

    id: UUID
    starts_at: datetime
    ends_at: datetime | None
    """None: nobody knows yet."""
    message_fr: str
    message_en: str
    agents_may_work: bool


NOT_OVER = """
    select id, starts_at, ends_at, message_fr, message_en, agents_may_work from maintenance
    where ended_at is null and (ends_at is null or ends_at > $1) order by starts_at
"""


async def not_over(connection: Any, now: datetime) -> tuple[Maintenance, ...]:
    """Give the maintenance that runs or is planned."""
    return tuple(Maintenance(*row.values()) for row in await connection.fetch(NOT_OVER, now))


INSERT = """
    insert into maintenance (id, starts_at, ends_at, message_fr, message_en, agents_may_work, created_at)
    values ($1, $2, $3, $4, $5, $6, $7)
"""


async def insert(tx: Any, given: Maintenance, at: datetime) -> None:
    """Write a maintenance; every gateway hears of it at the commit."""
    await tx.execute(
        INSERT,
        given.id,
        given.starts_at,
        given.ends_at,
        given.message_fr,
        given.message_en,
        given.agents_may_work,
        at,
    )


END = """
    update maintenance set ended_at = $1
    where ended_at is null and (ends_at is null or ends_at > $1) and (starts_at <= $1) = $2 returning id
"""


async def end(tx: Any, at: datetime, *, running: bool) -> list[UUID]:
    """End all maintenance that runs, or all that is planned; give which."""
    return [row["id"] for row in await tx.fetch(END, at, running)]
