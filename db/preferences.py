"""What a family prefers: ordered channels per topic, and the addresses that they reach."""

from collections.abc import Sequence
from datetime import datetime, time
from typing import Any
from uuid import UUID

from db.outbox import DEFAULT_CHANNELS

UNSUBSCRIBE = "unsubscribe"
"""Purpose of the links that end the e-mails of a topic."""

SET_CHANNELS = """
    insert into channel_preference (family_id, topic, channels, updated_at) values ($1, $2, $3, $4)
    on conflict (family_id, topic) do update set
        channels = excluded.channels, updated_at = excluded.updated_at, email_ended_at = null
"""
# The order stays as it was chosen: what is required still goes by it.
END_EMAIL = """
    insert into channel_preference (family_id, topic, channels, updated_at, email_ended_at)
    select id, $2, $3, $4, $4 from family where id = $1
    on conflict (family_id, topic) do update set email_ended_at = $4, updated_at = $4
        where channel_preference.email_ended_at is null
    returning id
"""
SET_QUIET_HOURS = "update family set quiet_starts = $2, quiet_ends = $3 where id = $1"
# What a hold was put on is looked at anew: the next hours may be over sooner.
LOOK_ANEW = """
    with held as (
        update delivery set next_try_at = $2
        where family_id = $1 and status = 'PENDING' and problem = 'QUIET_HOURS' and next_try_at > $2
        returning subject_id, channel, address
    )
    update lane set due_at = $2 from held
    where lane.family_id = $1 and lane.subject_id = held.subject_id and lane.channel = held.channel
        and lane.address = held.address and not lane.leased
"""
REACHED_BY = (
    "select distinct channel from address where family_id = $1 and verified_at is not null and retired_at is null"
)
MARK_READ = "update news set read_at = $3 where family_id = $1 and id = any($2) and read_at is null"


async def set_channels(tx: Any, family_id: UUID, topic: str, channels: Sequence[str], at: datetime) -> None:
    """Write the ordered channels of one topic."""
    await tx.execute(SET_CHANNELS, family_id, topic, list(channels), at)


async def end_email(tx: Any, family_id: UUID, topic: str, at: datetime) -> UUID | None:
    """Write that e-mail is no more used for optional news of a topic; gives the preference, None when it was so."""
    found: UUID | None = await tx.fetchval(END_EMAIL, family_id, topic, list(DEFAULT_CHANNELS), at)
    return found


async def set_quiet_hours(tx: Any, family_id: UUID, hours: tuple[time, time] | None, at: datetime) -> None:
    """Write a family's own quiet hours; None: those of the city."""
    await tx.execute(SET_QUIET_HOURS, family_id, *(hours or (None, None)))
    await tx.execute(LOOK_ANEW, family_id, at)


async def reached_by(tx: Any, family_id: UUID) -> set[str]:
    """Give the channels for which the family has a verified address that still works."""
    return {row["channel"] for row in await tx.fetch(REACHED_BY, family_id)}


async def mark_read(tx: Any, family_id: UUID, news_ids: Sequence[UUID], at: datetime) -> None:
    """Mark items of the inbox as read."""
    await tx.execute(MARK_READ, family_id, list(news_ids), at)
