"""The dispatcher's statements: lanes leased, results written under a fencing number, lanes given back.

Rows travel to PostgreSQL as one JSON parameter, so that a batch of any size is one statement. Times are aware, UTC.
"""

from collections.abc import Sequence
from datetime import datetime
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


class Lane(Struct, frozen=True):
    """A leased lane with all that is needed to send."""

    held: Held
    number: str
    name: str
    language: str
    retired: bool
    """Its address is known to be dead."""

    waiting: list[Waiting]
    """In the order in which they must be sent."""


class Note(Struct, frozen=True):
    """What came of one delivery: the change of its row."""

    delivery_id: UUID
    status: str
    next_try_at: datetime | None = None
    attempts: int = 0
    """Added to those before."""

    crashes: int = 0
    """Added to those before."""

    sent_at: datetime | None = None
    receipt: str | None = None
    problem: str | None = None


class Place(Struct, frozen=True):
    """Where news goes next."""

    family_id: UUID
    news_seq: int
    subject_id: UUID
    channel: str
    address: str
    next_channels: list[str]
    priority: int


# The second look at `lease` is by the statement's snapshot, the first by the row as it is when locked. Where they
# differ, another dispatcher had the lane in between and this snapshot's deliveries are stale: the next claim takes it.
CLAIM = """
with wanted as (
    select * from unnest($1::text[], $2::int[]) as wanted(channel, free)
), due as (
    select picked.* from wanted cross join lateral (
        select family_id, subject_id, lane.channel, address, lease from lane
        where lane.channel = wanted.channel and not leased and due_at <= $3
        order by priority, due_at limit wanted.free
        for update skip locked
    ) as picked
), claimed as (
    update lane set leased = true, due_at = $4, lease = lane.lease + 1 from due
    where lane.family_id = due.family_id and lane.subject_id = due.subject_id
        and lane.channel = due.channel and lane.address = due.address and lane.lease = due.lease
    returning lane.family_id, lane.subject_id, lane.channel, lane.address, lane.lease, lane.priority
)
select claimed.family_id, claimed.subject_id, claimed.channel, claimed.address, claimed.lease,
    family.number, family.name, family.language,
    exists (select from address where address.family_id = claimed.family_id and address.channel = claimed.channel
        and address.value = claimed.address and address.retired_at is not null
        and address.retired_reason is distinct from 'REPLACED') as retired,
    waiting.id, waiting.attempts, waiting.crashes, waiting.next_try_at,
    news.topic, news.type, news.data, news.occurred_at
from claimed
join family on family.id = claimed.family_id
left join lateral (
    select id, news_seq, attempts, crashes, next_try_at from delivery
    where delivery.family_id = claimed.family_id and delivery.subject_id = claimed.subject_id
        and delivery.channel = claimed.channel and delivery.address = claimed.address and status = 'PENDING'
    order by news_seq limit $5
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

WRITE = """
update delivery set
    status = note.status,
    next_try_at = coalesce(note.next_try_at, delivery.next_try_at),
    attempts = delivery.attempts + note.attempts,
    crashes = delivery.crashes + note.crashes,
    sent_at = note.sent_at,
    receipt = note.receipt,
    problem = note.problem
from json_to_recordset($1::json) as note(family_id uuid, delivery_id uuid, status text, next_try_at timestamptz,
    attempts int, crashes int, sent_at timestamptz, receipt text, problem text)
where delivery.family_id = note.family_id and delivery.id = note.delivery_id and delivery.status = 'PENDING'
returning delivery.family_id, delivery.id, delivery.status
"""

RETIRE = """
update address set retired_at = $2, retired_reason = gone.reason
from json_to_recordset($1::json) as gone(family_id uuid, channel text, address text, reason text)
where address.family_id = gone.family_id and address.channel = gone.channel and address.value = gone.address
    and address.retired_at is null
"""

# What waits behind a dead letter goes to the next channel together with it, so that the order holds there too.
EMPTY = """
update delivery set status = 'FAILED', problem = 'ADDRESS_RETIRED'
from json_to_recordset($1::json) as gone(family_id uuid, subject_id uuid, channel text, address text)
where delivery.family_id = gone.family_id and delivery.subject_id = gone.subject_id
    and delivery.channel = gone.channel and delivery.address = gone.address and delivery.status = 'PENDING'
returning delivery.family_id, delivery.id, delivery.status
"""

REACHABLE = """
select fallen.family_id, fallen.news_seq, fallen.subject_id, place.channel, place.address,
    fallen.next_channels[place.rank + 1:] as next_channels, lane.priority
from unnest($1::uuid[], $2::uuid[]) as wanted(family_id, id)
join delivery as fallen using (family_id, id)
join lane on lane.family_id = fallen.family_id and lane.subject_id = fallen.subject_id
    and lane.channel = fallen.channel and lane.address = fallen.address
cross join lateral (
    select next.channel, next.rank::int as rank, reach.address, rank() over (order by next.rank) as choice
    from unnest(fallen.next_channels) with ordinality as next(channel, rank)
    cross join lateral (
        select address.value from address
        where address.family_id = fallen.family_id and address.channel = next.channel
            and address.verified_at is not null and address.retired_at is null
        union all
        select family.number from family where next.channel = 'IN_APP' and family.id = fallen.family_id
    ) as reach(address)
) as place
where place.choice = 1
order by fallen.family_id, fallen.news_seq
"""

TELL = """
with place as (
    select * from json_to_recordset($1::json) as place(id uuid, family_id uuid, news_seq bigint, subject_id uuid,
        channel text, address text, next_channels text[], priority smallint)
), told as (
    insert into delivery (family_id, id, news_seq, subject_id, channel, address, next_channels, next_try_at, created_at)
    select family_id, id, news_seq, subject_id, channel, address, next_channels, $2, $2 from place
    on conflict (family_id, news_seq, channel, address) do nothing
    returning family_id, id
)
insert into lane (family_id, subject_id, channel, address, priority, due_at)
select family_id, subject_id, channel, address, min(priority), $2 from place join told using (family_id, id)
group by family_id, subject_id, channel, address
order by family_id, subject_id, channel, address
on conflict (family_id, subject_id, channel, address) do update set
    due_at = case when lane.leased then lane.due_at else least(lane.due_at, excluded.due_at) end
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

CRASHED = """
with head as (
    select distinct on (delivery.family_id, delivery.subject_id, delivery.channel, delivery.address)
        delivery.family_id, delivery.id
    from delivery join json_to_recordset($1::json) as held(family_id uuid, subject_id uuid, channel text, address text)
        using (family_id, subject_id, channel, address)
    where delivery.status = 'PENDING'
    order by delivery.family_id, delivery.subject_id, delivery.channel, delivery.address, delivery.news_seq
)
update delivery set crashes = crashes + 1, problem = 'CRASHED',
    status = case when crashes + 1 >= $2 then 'DEAD_LETTER' else status end
from head where delivery.family_id = head.family_id and delivery.id = head.id
returning delivery.family_id, delivery.id, delivery.status
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

GIVE_UP = """
update delivery set status = 'FAILED', problem = coalesce(problem, 'NOT_SENT_IN_TIME')
from json_to_recordset($1::json) as held(family_id uuid, subject_id uuid, channel text, address text)
where delivery.family_id = held.family_id and delivery.subject_id = held.subject_id
    and delivery.channel = held.channel and delivery.address = held.address
    and delivery.status = 'PENDING' and delivery.created_at < $2
returning delivery.family_id, delivery.id, delivery.status
"""

Fallen = list[tuple[UUID, UUID]]
"""Family and id of deliveries that will not arrive by their channel."""


def _json(rows: Any) -> str:
    return msgspec.json.encode(rows).decode()


def _held(rows: list[asyncpg.Record]) -> list[Held]:
    return [Held(*row) for row in rows]


def _fallen(rows: list[asyncpg.Record]) -> Fallen:
    return [(row["family_id"], row["id"]) for row in rows if row["status"] in ("FAILED", "DEAD_LETTER")]


def _lane(rows: list[asyncpg.Record]) -> Lane:
    first = rows[0]
    return Lane(
        held=Held(*first[:5]),
        number=first["number"],
        name=first["name"],
        language=first["language"],
        retired=first["retired"],
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


async def claim(connection: Connection, free: dict[str, int], depth: int, now: datetime, until: datetime) -> list[Lane]:
    """Lease due lanes, of each channel as many as are `free`, each with its next `depth` deliveries, until `until`."""
    rows = await connection.fetch(CLAIM, list(free), list(free.values()), now, until, depth)
    return [_lane(list(group)) for _, group in groupby(rows, key=lambda row: row[:5])]


async def lock(tx: Connection, held: Sequence[Held]) -> list[Held]:
    """Lock those lanes whose lease still holds and which nobody else has locked; gives them."""
    return _held(await tx.fetch(LOCK, _json(held)))


async def still_held(connection: Connection, held: Sequence[Held]) -> list[Held]:
    """Give those lanes whose lease still holds."""
    return _held(await connection.fetch(STILL_HELD, _json(held)))


async def write(tx: Connection, notes: Sequence[tuple[Held, Note]]) -> Fallen:
    """Write what came of deliveries in locked lanes; gives those that failed for good."""
    rows = [{"family_id": held.family_id, **msgspec.structs.asdict(note)} for held, note in notes]
    return _fallen(await tx.fetch(WRITE, _json(rows)))


async def retire(tx: Connection, gone: Sequence[tuple[Held, str]], now: datetime) -> None:
    """Retire dead addresses, each with the reason."""
    rows = [{**msgspec.structs.asdict(held), "reason": reason} for held, reason in gone]
    await tx.execute(RETIRE, _json(rows), now)


async def empty(tx: Connection, lanes: Sequence[Held]) -> Fallen:
    """Fail all that waits in locked lanes whose address is dead; gives it."""
    return _fallen(await tx.fetch(EMPTY, _json(lanes)))


async def reachable(tx: Connection, fallen: Fallen) -> list[Place]:
    """Give, for each fallen delivery, the addresses of the next channel that can reach its family."""
    rows = await tx.fetch(REACHABLE, [family for family, _ in fallen], [delivery for _, delivery in fallen])
    return [Place(*row) for row in rows]


async def tell(tx: Connection, places: Sequence[tuple[UUID, Place]], now: datetime) -> None:
    """Order deliveries, each under its new id; one that exists already stays as it is."""
    rows = [{"id": new, **msgspec.structs.asdict(place)} for new, place in places]
    await tx.execute(TELL, _json(rows), now)


async def settle(tx: Connection, held: Sequence[Held], now: datetime) -> bool:
    """Give lanes back, due when their first delivery is; gives whether one of them is due already.

    Must be a statement of its own after the one that locked the lanes: under READ COMMITTED each statement sees what
    was committed before it began. A producer that had the lane before us has committed, so this statement sees its
    delivery; one that comes after us waits for our commit and then sets the lane due itself. In one statement with the
    locking, the snapshot would be older than the lock, and a delivery committed in between would be forgotten.
    """
    return any(row["due"] for row in await tx.fetch(SETTLE, _json(held), now))


async def take_lost(tx: Connection, now: datetime, limit: int) -> list[Held]:
    """Take lanes whose lease has run out; who held them can write nothing more."""
    return _held(await tx.fetch(LOST, now, limit))


async def count_crashes(tx: Connection, lanes: Sequence[Held], limit: int) -> Fallen:
    """Count a crash for the first delivery of each lane; gives those that reached the limit."""
    return _fallen(await tx.fetch(CRASHED, _json(lanes), limit))


async def take_stale(tx: Connection, before: datetime, working: Sequence[str], limit: int) -> list[Held]:
    """Take free lanes with deliveries ordered before `before`, tried in vain or on a channel that is not `working`."""
    return _held(await tx.fetch(STALE, before, list(working), limit))


async def give_up(tx: Connection, lanes: Sequence[Held], before: datetime) -> Fallen:
    """Fail what was ordered before `before` in these locked lanes; gives it."""
    return _fallen(await tx.fetch(GIVE_UP, _json(lanes), before))
