"""Daily messages: news that a family has told together, once a day at its hour (R13).

What waits is in the inbox already. Gathering it, telling it and noting that it was told is one transaction under the
family's row lock: a crash leaves all of it waiting, and of several dispatchers one tells it.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from db.outbox import BULK, Told, tell

TOPICS = ("PROCEDURE_STATUS", "PROCEDURE_MESSAGE", "INVOICE_ISSUED")
"""Topics with news that can wait for the daily message; of these only the types of `db.outbox.CAN_WAIT` do."""

TOPIC = "DAILY_MESSAGE"
TYPE = "daily_message"
SHOWN = 30
"""Items that one message names; it says how many more there are."""


def _at(day: datetime, hour: int, zone: ZoneInfo) -> datetime:
    """Give the hour of a local day; one that the clocks leave out is when they have been put forward, of one that comes
    twice it is the first.
    """
    return datetime.combine(day.date(), time(hour), zone).astimezone(UTC)


def last_time(now: datetime, hour: int, zone: ZoneInfo) -> datetime:
    """Give when the clocks last showed an hour (UTC): once a day, also when they are changed."""
    local = now.astimezone(zone)
    today = _at(local, hour, zone)
    return today if today <= now else _at(local - timedelta(days=1), hour, zone)


def next_time(now: datetime, hour: int, zone: ZoneInfo) -> datetime:
    """Give when the clocks will next show an hour (UTC)."""
    local = now.astimezone(zone)
    today = _at(local, hour, zone)
    return today if today > now else _at(local + timedelta(days=1), hour, zone)


SET = "update family set digest_hour = $2, digest_topics = $3 where id = $1"

# Of a family that wants no daily message any more, what waits comes at once.
DUE = """
    with hours as (select * from unnest($1::smallint[], $2::timestamptz[]) as h(hour, last))
    select f.id from family f left join hours h on h.hour = f.digest_hour
    where f.id = any (array(select distinct n.family_id from news n where n.awaits_digest))
        and (f.digest_hour is null or coalesce(f.digested_at, '-infinity') < h.last and exists (
            select from news n where n.family_id = f.id and n.awaits_digest and n.occurred_at < h.last))
    order by f.id limit $3 for update of f skip locked
"""
GATHERED = """
    select n.seq, n.occurred_at, n.data ->> 'summary_fr' as fr, n.data ->> 'summary_en' as en
    from news n where n.family_id = $1 and n.awaits_digest order by n.seq
"""
NOTE = """
    with told as (
        update news set awaits_digest = false, digested_in = $3 where family_id = $1 and seq = any ($2)
    )
    update family set digested_at = $4 where id = $1
"""


@dataclass(frozen=True, slots=True)
class Item:
    """One item of news that waits."""

    seq: int
    occurred_at: datetime
    fr: str | None
    en: str | None


async def choose(tx: Any, family_id: UUID, hour: int | None, topics: list[str]) -> None:
    """Write at which hour the daily message comes, and of which topics; None: it comes no more."""
    await tx.execute(SET, family_id, hour, topics)


async def due(tx: Any, now: datetime, zone: ZoneInfo, most: int) -> list[UUID]:
    """Hold families whose hour has come since something happened; nobody else has them until the end of `tx`."""
    hours = list(range(24))
    rows = await tx.fetch(DUE, hours, [last_time(now, hour, zone) for hour in hours], most)
    return [row["id"] for row in rows]


async def tell_all(tx: Any, family_id: UUID, now: datetime) -> None:
    """Tell a family, which is held, everything that waits, in one message."""
    items = [Item(*row.values()) for row in await tx.fetch(GATHERED, family_id)]
    if not items:
        return
    seq = await tell(tx, _told(family_id, items, now))
    await tx.execute(NOTE, family_id, [item.seq for item in items], seq, now)


def _told(family_id: UUID, items: list[Item], now: datetime) -> Told:
    shown = [{"at": item.occurred_at.isoformat(), "fr": item.fr, "en": item.en} for item in items[:SHOWN]]
    count = len(items)
    data = {
        "items": shown,
        "count": count,
        "more": count - len(shown),
        "summary_fr": f"Votre message du jour : {count} nouvelle{'s' if count > 1 else ''}.",
        "summary_en": f"Your daily message: {count} piece{'s' if count > 1 else ''} of news.",
    }
    return Told(family_id, TOPIC, TYPE, family_id, data, now, priority=BULK, unread=False)
