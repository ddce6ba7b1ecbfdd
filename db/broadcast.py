"""The city's own stream: what all families are told is one row, spread over them batch by batch.

A batch is one transaction that writes the families' news and deliveries and moves the cursor past them, so that a crash
leaves nothing half told; a unique key keeps a family from ever being told twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from db.ids import uuid7
from db.outbox import BULK, DEFAULT_CHANNELS, OPTIONAL, route

ANNOUNCE = "insert into broadcast (id, topic, type, data, created_at) values ($1, $2, $3, $4, $5)"


async def announce(tx: Any, topic: str, type: str, data: dict[str, Any], at: datetime) -> UUID:
    """Tell every family that is active by now; the dispatcher spreads it after the commit. Give its id.

    `data` is what the messages need, in plain JSON, with `summary_fr` and `summary_en`.
    """
    broadcast_id = uuid7(at)
    await tx.execute(ANNOUNCE, broadcast_id, topic, type, msgspec.json.encode(data).decode(), at)
    return broadcast_id


@dataclass(frozen=True, slots=True)
class Broadcast:
    """One thing that all families are told, held until the transaction ends."""

    id: UUID
    topic: str
    type: str
    data: str
    """JSON."""
    created_at: datetime
    told_up_to: UUID | None


HOLD = """
    select id, topic, type, data, created_at, told_up_to from broadcast where finished_at is null
    order by created_at limit 1 for update skip locked
"""


async def hold(tx: Any) -> Broadcast | None:
    """Give the oldest broadcast that is not finished and that no other dispatcher is spreading at the moment."""
    row = await tx.fetchrow(HOLD)
    return Broadcast(*row.values()) if row else None


@dataclass(frozen=True, slots=True)
class Listener:
    """A family with the next number of its stream, and where it wants to be told."""

    id: UUID
    number: str
    seq: int
    channels: Sequence[str] | None
    addresses: str
    """JSON: list of channel and address."""


# Rows are locked in the order of their ids, as by every dispatcher, and their numbers are taken as a mutation takes
# them. Who was told already is left out after the lock, so that the numbers stay without gap.
NEXT = """
    with batch as (
        select f.id from family f
        where f.id > coalesce($2, '00000000-0000-0000-0000-000000000000'::uuid) and f.activated_at <= $3
            and (exists (select from account a where a.family_id = f.id and a.removed_at is null) or exists (
                select from address a where a.family_id = f.id and a.verified_at is not null and a.retired_at is null))
            and not exists (select from news n where n.family_id = f.id and n.broadcast_id = $1)
        order by f.id limit $4 for update of f
    ), numbered as (
        update family f set news_seq = f.news_seq + 1 from batch b where f.id = b.id
        returning f.id, f.number, f.news_seq
    )
    select n.id, n.number, n.news_seq,
        (select case when p.email_ended_at is not null and $6 then array_remove(p.channels, 'EMAIL') else p.channels end
            from channel_preference p where p.family_id = n.id and p.topic = $5) as channels,
        (select coalesce(json_agg(json_build_array(a.channel, a.value) order by a.id), '[]') from address a
            where a.family_id = n.id and a.verified_at is not null and a.retired_at is null) as addresses
    from numbered n order by n.id
"""


async def next_listeners(tx: Any, held: Broadcast, most: int) -> list[Listener]:
    """Give the next families to tell, each with its number taken: who was active when it was announced."""
    rows = await tx.fetch(NEXT, held.id, held.told_up_to, held.created_at, most, held.topic, held.type in OPTIONAL)
    return [Listener(*row.values()) for row in rows]


WRITE = f"""
    with item as (
        insert into news (family_id, seq, id, topic, type, subject_id, data, occurred_at, broadcast_id)
        select family_id, seq, id, $3, $4, $5, $6::json, $7, $5
        from json_to_recordset($1::json) as told(family_id uuid, seq bigint, id uuid)
    ), place as (
        select * from json_to_recordset($2::json)
            as place(family_id uuid, seq bigint, id uuid, channel text, address text, next_channels text[])
    ), sent as (
        insert into delivery (family_id, id, news_seq, subject_id, channel, address, next_channels, next_try_at,
            created_at)
        select family_id, id, seq, $5, channel, address, next_channels, $8, $8 from place
    )
    insert into lane (family_id, subject_id, channel, address, priority, due_at)
    select family_id, $5, channel, address, {BULK}, $8 from place
"""


async def write(tx: Any, held: Broadcast, listeners: Sequence[Listener], now: datetime) -> None:
    """Write the families' news and deliveries; `now` (UTC) is when they are due."""
    told, places = [], []
    for each in listeners:
        addresses = msgspec.json.decode(each.addresses)
        channels = DEFAULT_CHANNELS if each.channels is None else each.channels
        channel, values, rest = route(channels, addresses, each.number)
        of_family = {"family_id": each.id, "seq": each.seq}
        told.append({**of_family, "id": uuid7(now)})
        places += [
            {**of_family, "id": uuid7(now), "channel": channel, "address": value, "next_channels": rest}
            for value in values
        ]
    await tx.execute(WRITE, _json(told), _json(places), held.topic, held.type, held.id, held.data, held.created_at, now)


MOVE = """
    update broadcast set told_up_to = coalesce($2, told_up_to), families = families + $3, finished_at = $4
    where id = $1 returning families
"""


async def move(tx: Any, held: Broadcast, listeners: Sequence[Listener], finished_at: datetime | None) -> int:
    """Put the cursor behind these families; give how many have been told by now."""
    last = listeners[-1].id if listeners else None
    told: int = await tx.fetchval(MOVE, held.id, last, len(listeners), finished_at)
    return told


def _json(rows: object) -> str:
    return msgspec.json.encode(rows).decode()
