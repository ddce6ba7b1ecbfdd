"""What came of deliveries: written while their lanes are held, and ordered anew on the next channel.

Rows travel to PostgreSQL as one JSON parameter, so that a batch of any size is one statement. Times are aware, UTC.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct

from db.lanes import Connection, Held, as_json


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
    provider: str | None = None
    reference: str | None = None
    segments: int | None = None
    receipt_due_at: datetime | None = None


class Place(Struct, frozen=True):
    """Where news goes next."""

    family_id: UUID
    news_seq: int
    subject_id: UUID
    channel: str
    address: str
    next_channels: list[str]
    priority: int


WRITE = """
update delivery set
    status = note.status,
    next_try_at = coalesce(note.next_try_at, delivery.next_try_at),
    attempts = delivery.attempts + note.attempts,
    crashes = delivery.crashes + note.crashes,
    sent_at = note.sent_at,
    receipt = note.receipt,
    problem = note.problem,
    provider = note.provider,
    reference = note.reference,
    segments = note.segments,
    receipt_due_at = note.receipt_due_at
from json_to_recordset($1::json) as note(family_id uuid, delivery_id uuid, status text, next_try_at timestamptz,
    attempts int, crashes int, sent_at timestamptz, receipt text, problem text, provider text, reference text,
    segments smallint, receipt_due_at timestamptz)
where delivery.family_id = note.family_id and delivery.id = note.delivery_id and delivery.status = 'PENDING'
returning delivery.family_id, delivery.id, delivery.status
"""

RETIRE = """
update address set retired_at = $2, retired_reason = gone.reason, dead_untold = address.channel = 'EMAIL'
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
select family_id, subject_id, channel, address, min(priority), case when channel <> 'POST' then $2::timestamptz end
from place join told using (family_id, id)
group by family_id, subject_id, channel, address
order by family_id, subject_id, channel, address
on conflict (family_id, subject_id, channel, address) do update set
    due_at = case when lane.leased then lane.due_at else least(lane.due_at, excluded.due_at) end
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


def _fallen(rows: list[asyncpg.Record]) -> Fallen:
    return [(row["family_id"], row["id"]) for row in rows if row["status"] in ("FAILED", "DEAD_LETTER")]


async def write(tx: Connection, notes: Sequence[tuple[UUID, Note]]) -> Fallen:
    """Write what came of deliveries that are held, each with its family; gives those that failed for good."""
    rows = [{"family_id": family_id, **msgspec.structs.asdict(note)} for family_id, note in notes]
    return _fallen(await tx.fetch(WRITE, as_json(rows)))


async def retire(tx: Connection, gone: Sequence[tuple[Held, str]], now: datetime) -> None:
    """Retire dead addresses, each with the reason."""
    rows = [{**msgspec.structs.asdict(held), "reason": reason} for held, reason in gone]
    await tx.execute(RETIRE, as_json(rows), now)


async def empty(tx: Connection, lanes: Sequence[Held]) -> Fallen:
    """Fail all that waits in locked lanes whose address is dead; gives it."""
    return _fallen(await tx.fetch(EMPTY, as_json(lanes)))


async def reachable(tx: Connection, fallen: Fallen) -> list[Place]:
    """Give, for each fallen delivery, the addresses of the next channel that can reach its family."""
    rows = await tx.fetch(REACHABLE, [family for family, _ in fallen], [delivery for _, delivery in fallen])
    return [Place(*row) for row in rows]


async def tell(tx: Connection, places: Sequence[tuple[UUID, Place]], now: datetime) -> None:
    """Order deliveries, each under its new id; one that exists already stays as it is."""
    rows = [{"id": new, **msgspec.structs.asdict(place)} for new, place in places]
    await tx.execute(TELL, as_json(rows), now)


async def count_crashes(tx: Connection, lanes: Sequence[Held], limit: int) -> Fallen:
    """Count a crash for the first delivery of each lane; gives those that reached the limit."""
    return _fallen(await tx.fetch(CRASHED, as_json(lanes), limit))


async def give_up(tx: Connection, lanes: Sequence[Held], before: datetime) -> Fallen:
    """Fail what was ordered before `before` in these locked lanes; gives it."""
    return _fallen(await tx.fetch(GIVE_UP, as_json(lanes), before))
