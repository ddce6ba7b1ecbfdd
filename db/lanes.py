"""The lanes of the outbox: leased, locked, given back under a fencing number.

Rows travel to PostgreSQL as one JSON parameter, so that a batch of any size is one statement. Times are aware, UTC.
"""

from collections.abc import Sequence
from datetime import datetime, time
from itertools import groupby
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct

Connection = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy


class Held(Struct, frozen=True):
    """A lane under lease, with its fencing number."""

    family_id: UUID
    subject_id: UUID
    channel: str
    address: str
    lease: int


class Waiting(Struct, frozen=True):
    """A delivery that waits in a lane, with the news that it tells."""

    id: UUID
    attempts: int
    crashes: int
    next_try_at: datetime
    topic: str
    type: str
    data: dict[str, Any]
    occurred_at: datetime


class Wanted(Struct, frozen=True):
    """So many lanes of a channel, of these priorities."""

    channel: str
    first: int
    last: int
    free: int


class Lane(Struct, frozen=True):
    """A leased lane with all that is needed to send."""

    held: Held
    priority: int
    number: str
    name: str
    language: str
    retired: bool
    """Its address is known to be dead."""

    quiet: tuple[time, time] | None
    """The family's own quiet hours, if it chose any: from, until."""

    target: dict[str, Any]
    """What a push service needs beside the address."""

    waiting: list[Waiting]
    """In the order in which they must be sent."""


# The second look at `lease` is by the statement's snapshot, the first by the row as it is when locked. Where they
# differ, another dispatcher had the lane in between and this snapshot's deliveries are stale: the next claim takes it.
CLAIM = """
with wanted as (
    select * from json_to_recordset($1::json) as wanted(channel text, first smallint, last smallint, free int)
), due as (
    select picked.* from wanted cross join lateral (
        select family_id, subject_id, lane.channel, address, lease from lane
        where lane.channel = wanted.channel and lane.priority between wanted.first and wanted.last
            and not leased and due_at <= $2
        order by priority, due_at limit wanted.free
        for update skip locked
    ) as picked
), claimed as (
    update lane set leased = true, due_at = $3, lease = lane.lease + 1 from due
    where lane.family_id = due.family_id and lane.subject_id = due.subject_id
        and lane.channel = due.channel and lane.address = due.address and lane.lease = due.lease
    returning lane.family_id, lane.subject_id, lane.channel, lane.address, lane.lease, lane.priority
)
select claimed.family_id, claimed.subject_id, claimed.channel, claimed.address, claimed.lease, claimed.priority,
    family.number, family.name, family.language, family.quiet_starts, family.quiet_ends,
    coalesce(place.retired_at is not null and place.retired_reason is distinct from 'REPLACED', false) as retired,
    place.target,
    waiting.id, waiting.attempts, waiting.crashes, waiting.next_try_at,
    news.topic, news.type, news.data, news.occurred_at
from claimed
join family on family.id = claimed.family_id
left join address as place on place.family_id = claimed.family_id and place.channel = claimed.channel
    and place.value = claimed.address
left join lateral (
    select id, news_seq, attempts, crashes, next_try_at from delivery
    where delivery.family_id = claimed.family_id and delivery.subject_id = claimed.subject_id
        and delivery.channel = claimed.channel and delivery.address = claimed.address and status = 'PENDING'
    order by news_seq limit $4
) as waiting on true
left join news on news.family_id = claimed.family_id and news.seq = waiting.news_seq
order by claimed.priority, claimed.family_id, claimed.subject_id, claimed.channel, claimed.address, waiting.news_seq
"""

# A lane that a producer has just locked is skipped rather than waited for: no mutation and no batch stands still.
LOCK = """
select lane.family_id, lane.subject_id, lane.channel, lane.address, lane.lease
from lane join json_to_recordset($1::json)
    as held(family_id uuid, subject_id uuid, channel text, address text, lease bigint)
    on lane.family_id = held.family_id and lane.subject_id = held.subject_id
    and lane.channel = held.channel and lane.address = held.address and lane.lease = held.lease
where lane.leased
for update of lane skip locked
"""

STILL_HELD = """
select lane.family_id, lane.subject_id, lane.channel, lane.address, lane.lease
from lane join json_to_recordset($1::json)
    as held(family_id uuid, subject_id uuid, channel text, address text, lease bigint)
    on lane.family_id = held.family_id and lane.subject_id = held.subject_id
    and lane.channel = held.channel and lane.address = held.address and lane.lease = held.lease
where lane.leased
"""

SETTLE = """
update lane set leased = false, due_at = (
    select next_try_at from delivery
    where delivery.family_id = lane.family_id and delivery.subject_id = lane.subject_id
        and delivery.channel = lane.channel and delivery.address = lane.address and status = 'PENDING'
    order by news_seq limit 1
)
from json_to_recordset($1::json) as held(family_id uuid, subject_id uuid, channel text, address text, lease bigint)
where lane.family_id = held.family_id and lane.subject_id = held.subject_id
    and lane.channel = held.channel and lane.address = held.address and lane.lease = held.lease and lane.leased
returning coalesce(lane.due_at <= $2, false) as due
"""

LOST = """
with lost as (
    select family_id, subject_id, channel, address from lane where leased and due_at <= $1
    order by due_at limit $2
    for update skip locked
)
update lane set lease = lane.lease + 1 from lost
where lane.family_id = lost.family_id and lane.subject_id = lost.subject_id
    and lane.channel = lost.channel and lane.address = lost.address
returning lane.family_id, lane.subject_id, lane.channel, lane.address, lane.lease
"""

STALE = """
with stale as (
    select lane.family_id, lane.subject_id, lane.channel, lane.address from lane
    where not leased and (family_id, subject_id, channel, address) in (
        select family_id, subject_id, channel, address from delivery
        where status = 'PENDING' and created_at < $1 and (attempts > 0 or not channel = any ($2))
        order by created_at limit $3
    )
    for update skip locked
)
update lane set leased = true, lease = lane.lease + 1 from stale
where lane.family_id = stale.family_id and lane.subject_id = stale.subject_id
    and lane.channel = stale.channel and lane.address = stale.address
returning lane.family_id, lane.subject_id, lane.channel, lane.address, lane.lease
"""


def as_json(rows: Any) -> str:
    """Give rows as the one parameter of a statement."""
    return msgspec.json.encode(rows).decode()


def _held(rows: list[asyncpg.Record]) -> list[Held]:
    return [Held(*row) for row in rows]


def _lane(rows: list[asyncpg.Record]) -> Lane:
    first = rows[0]
    return Lane(
        held=Held(*first[:5]),
        priority=first["priority"],
        number=first["number"],
        name=first["name"],
        language=first["language"],
        retired=first["retired"],
        quiet=None if first["quiet_starts"] is None else (first["quiet_starts"], first["quiet_ends"]),
        target=msgspec.json.decode(first["target"] or "{}"),
        waiting=[_waiting(row) for row in rows if row["id"] is not None],
    )


def _waiting(row: asyncpg.Record) -> Waiting:
    return Waiting(
        id=row["id"],
        attempts=row["attempts"],
        crashes=row["crashes"],
        next_try_at=row["next_try_at"],
        topic=row["topic"],
        type=row["type"],
        data=msgspec.json.decode(row["data"]),
        occurred_at=row["occurred_at"],
    )


async def claim(
    connection: Connection, wanted: Sequence[Wanted], depth: int, now: datetime, until: datetime
) -> list[Lane]:
    """Lease due lanes, as many as are wanted of each kind, each with its next `depth` deliveries, until `until`."""
    rows = await connection.fetch(CLAIM, as_json(wanted), now, until, depth)
    return [_lane(list(group)) for _, group in groupby(rows, key=lambda row: row[:5])]


async def lock(tx: Connection, held: Sequence[Held]) -> list[Held]:
    """Lock those lanes whose lease still holds and which nobody else has locked; gives them."""
    return _held(await tx.fetch(LOCK, as_json(held)))


async def still_held(connection: Connection, held: Sequence[Held]) -> list[Held]:
    """Give those lanes whose lease still holds."""
    return _held(await connection.fetch(STILL_HELD, as_json(held)))


async def settle(tx: Connection, held: Sequence[Held], now: datetime) -> bool:
    """Give lanes back, due when their first delivery is; gives whether one of them is due already.

    Must be a statement of its own after the one that locked the lanes: under READ COMMITTED each statement sees what
    was committed before it began. A producer that had the lane before us has committed, so this statement sees its
    delivery; one that comes after us waits for our commit and then sets the lane due itself. In one statement with the
    locking, the snapshot would be older than the lock, and a delivery committed in between would be forgotten.
    """
    return any(row["due"] for row in await tx.fetch(SETTLE, as_json(held), now))


async def take_lost(tx: Connection, now: datetime, limit: int) -> list[Held]:
    """Take lanes whose lease has run out; who held them can write nothing more."""
    return _held(await tx.fetch(LOST, now, limit))


async def take_stale(tx: Connection, before: datetime, working: Sequence[str], limit: int) -> list[Held]:
    """Take free lanes with deliveries ordered before `before`, tried in vain or on a channel that is not `working`."""
    return _held(await tx.fetch(STALE, before, list(working), limit))
