"""What the operators' figures need of the database: numbers only, no rows."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from db.migrate import pending
from db.outbox import BULK


@dataclass(frozen=True, slots=True)
class Outbox:
    """The state of the outbox."""

    age_seconds: float
    """Age of the oldest lane that is due and not leased, of what concerns one family."""
    dead_letters: int
    deliveries: list[tuple[str, str, int]]
    """Of the last day: channel, status, count."""


async def outbox(connection: Any) -> Outbox:
    """Give the state of the outbox."""
    row = await connection.fetchrow("select age_seconds, dead_letters, channels, statuses, counts from outbox_state()")
    deliveries = list(zip(row["channels"], row["statuses"], row["counts"], strict=True))
    return Outbox(row["age_seconds"], row["dead_letters"], deliveries)


@dataclass(frozen=True, slots=True)
class Wave:
    """What many families are told at once (invoices, reminders, the city's own news) and is not sent yet."""

    age_seconds: float
    """Since the oldest lane fell due that is not leased."""
    waiting: int
    """Such lanes."""


WAVE = """
    select coalesce(extract(epoch from $1::timestamptz - min(due_at)), 0)::float8, count(*) from lane
    where due_at <= $1 and not leased and priority >= $2
"""


async def wave(tx: Any, now: datetime) -> Wave:
    """Give how far the sending of what many are told is behind; `tx` sees all rows."""
    return Wave(*await tx.fetchrow(WAVE, now, BULK))


@dataclass(frozen=True, slots=True)
class Webhooks:
    """The state of what partners are sent."""

    deliveries: list[tuple[str, int]]
    """Of the last day: status, count."""
    lanes: list[tuple[str, int, int, float]]
    """`well`, `failing` or `disabled`: addresses, messages that wait, seconds since the oldest of them was ordered."""
    partners: list[tuple[str, int]]
    """`working`, `expired` or `revoked`, count."""


DELIVERIES = """
    select status, count(*) from webhook_delivery where created_at > $1::timestamptz - interval '1 day'
    group by status order by status
"""
LANES = """
    select s.state, count(w.id), coalesce(sum(d.waiting), 0)::bigint,
        coalesce(extract(epoch from $1::timestamptz - min(d.oldest)), 0)::float8
    from unnest(array['well', 'failing', 'disabled']) with ordinality s(state, place)
    left join webhook w on s.state = case when w.disabled_at is not null then 'disabled' when w.slow then 'failing'
        else 'well' end
    left join lateral (select count(*) as waiting, min(e.created_at) as oldest from webhook_delivery e
        where e.webhook_id = w.id and e.status = 'PENDING') d on true
    group by s.state, s.place order by s.place
"""
PARTNERS = """
    select s.state, count(p.id) from unnest(array['working', 'expired', 'revoked']) with ordinality s(state, place)
    left join partner p on s.state = case when p.revoked_at is not null then 'revoked' when p.expires_at <= $1
        then 'expired' else 'working' end
    group by s.state, s.place order by s.place
"""


async def webhooks(tx: Any, now: datetime) -> Webhooks:
    """Give the state of webhooks and partners; `tx` sees all rows."""
    deliveries = [tuple(row) for row in await tx.fetch(DELIVERIES, now)]
    lanes = [tuple(row) for row in await tx.fetch(LANES, now)]
    return Webhooks(deliveries, lanes, [tuple(row) for row in await tx.fetch(PARTNERS, now)])


async def pending_migrations(connection: Any) -> list[str]:
    """Give the migrations that the database lacks."""
    return await pending(connection)
