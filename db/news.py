"""The streams of news as subscriptions read them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

BATCH = 500
REWIND = 10_000
"""Transactions."""

FIRST_TRANSACTION = 3


@dataclass(frozen=True, slots=True)
class NewsRow:
    """What decides who hears an item of news; what they read of it comes from the planner."""

    family_id: UUID
    seq: int
    topic: str
    type: str
    procedure_id: UUID | None
    service_id: UUID | None
    subject_id: UUID


COLUMNS = "n.family_id, n.seq, n.topic, n.type, n.procedure_id, n.service_id, n.subject_id"

# Transactions commit out of order: everything from the oldest one still running is read again, and known items are
# dropped.
SINCE = f"""
    select {COLUMNS}
    from news n where n.xid >= $1::text::xid8 order by n.family_id, n.seq
"""

HORIZON = "select pg_snapshot_xmin(pg_current_snapshot())::text"

AFTER = f"""
    select {COLUMNS} from news n
    where n.family_id = $1 and n.seq > $2 and ($3::uuid is null or n.procedure_id = $3) and n.topic = any($4::text[])
        and ($6::uuid is null or n.subject_id = $6)
        and (cardinality($5::text[]) = 0 or n.type = any($5))
    order by n.seq limit {BATCH}
"""

LAST = "select f.news_seq from family f where f.id = $1"


async def horizon(connection: Any) -> str:
    """Give the transaction from which on news may still be unread."""
    found: str = await connection.fetchval(HORIZON)
    return found


def rewound(horizon: str) -> str:
    """Give an earlier horizon, for after the connection was lost.

    A server that crashed gives the numbers of its last, unfinished transactions out again, so that news may come below
    the horizon. It loses a fraction of a second of them; this goes back further.
    """
    return str(max(int(horizon) - REWIND, FIRST_TRANSACTION))


async def since(connection: Any, horizon: str) -> tuple[list[NewsRow], str]:
    """Give the news of all families from a horizon on, and the next horizon."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        following: str = await connection.fetchval(HORIZON)
        rows = await connection.fetch(SINCE, horizon)
    return [_row(row) for row in rows], following


async def after(
    connection: Any,
    family_id: UUID,
    seq: int,
    procedure_id: UUID | None,
    topics: Sequence[str],
    types: Sequence[str],
    subject_id: UUID | None = None,
) -> list[NewsRow]:
    """Give the next news of one family after a number, 500 at the most; no types means all."""
    rows = await connection.fetch(AFTER, family_id, seq, procedure_id, list(topics), list(types), subject_id)
    return [_row(row) for row in rows]


async def last(connection: Any, family_id: UUID) -> int | None:
    """Give the number of a family's newest item (0: none yet), or None when there is no such family."""
    found: int | None = await connection.fetchval(LAST, family_id)
    return found


def _row(row: Any) -> NewsRow:
    return NewsRow(*row.values())
