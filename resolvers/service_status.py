"""Maintenance: planned or immediate, always readable, while families' commands are refused (R8)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db import broadcast
from db import service_status as stored
from db.ids import uuid7
from resolvers import announcements
from resolvers.context import Context

LONGEST_MESSAGE = 2000


@dataclass(frozen=True, slots=True)
class Notice:
    """What an agent says about a maintenance."""

    starts_at: datetime | None
    """UTC; at once unless given."""
    ends_at: datetime | None
    message_fr: str
    message_en: str
    agents_may_work: bool
    tell_families: bool | None
    """None: families are told of planned maintenance only."""


async def set_maintenance(context: Context, notice: Notice) -> UUID:
    """Plan maintenance, or begin it at once; replaces what was planned, or what runs.

    Raises Refusal BAD_USER_INPUT for an empty message and for times that have passed or are in the wrong order.
    """
    now = context.process.clock()
    _check(context, notice, now)
    planned = notice.starts_at is not None and notice.starts_at > now
    given = stored.Maintenance(
        uuid7(now),
        notice.starts_at if planned and notice.starts_at else now,
        notice.ends_at,
        notice.message_fr.strip(),
        notice.message_en.strip(),
        notice.agents_may_work,
    )
    async with context.transaction() as tx:
        await stored.end(tx, now, running=not planned)
        await stored.insert(tx, given, now)
        if planned if notice.tell_families is None else notice.tell_families:
            news = announcements.maintenance(given, planned=planned)
            kind = "maintenance_planned" if planned else "maintenance_started"
            await broadcast.announce(tx, "MAINTENANCE", kind, news, now)
        await context.record(tx, "maintenance_set", family=None, subject=given.id, planned=planned)
    return given.id


def _check(context: Context, notice: Notice, now: datetime) -> None:
    for name, text in (("messageFr", notice.message_fr), ("messageEn", notice.message_en)):
        if not 0 < len(text.strip()) <= LONGEST_MESSAGE:
            raise context.refusal("BAD_USER_INPUT", [name])
    starts_at = notice.starts_at or now
    if starts_at < now:
        raise context.refusal("BAD_USER_INPUT", ["startsAt"])
    if notice.ends_at is not None and notice.ends_at <= starts_at:
        raise context.refusal("BAD_USER_INPUT", ["endsAt"])


async def end_maintenance(context: Context) -> None:
    """End the maintenance that runs or, where none does, cancel what is planned; raises Refusal NOT_FOUND."""
    now = context.process.clock()
    async with context.transaction() as tx:
        ended = await stored.end(tx, now, running=True) or await stored.end(tx, now, running=False)
        if not ended:
            raise context.refusal("NOT_FOUND")
        for maintenance_id in ended:
            await context.record(tx, "maintenance_ended", family=None, subject=maintenance_id)
