"""What a family prefers: ordered channels per topic, and the addresses that they reach."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

SET_CHANNELS = """
    insert into channel_preference (family_id, topic, channels, updated_at) values ($1, $2, $3, $4)
    on conflict (family_id, topic) do update set channels = excluded.channels, updated_at = excluded.updated_at
"""
REACHED_BY = (
    "select distinct channel from address where family_id = $1 and verified_at is not null and retired_at is null"
)
MARK_READ = "update news set read_at = $3 where family_id = $1 and id = any($2) and read_at is null"


async def set_channels(tx: Any, family_id: UUID, topic: str, channels: Sequence[str], at: datetime) -> None:
    """Write the ordered channels of one topic."""
    await tx.execute(SET_CHANNELS, family_id, topic, list(channels), at)


async def reached_by(tx: Any, family_id: UUID) -> set[str]:
    """Give the channels for which the family has a verified address that still works."""
    return {row["channel"] for row in await tx.fetch(REACHED_BY, family_id)}


async def mark_read(tx: Any, family_id: UUID, news_ids: Sequence[UUID], at: datetime) -> None:
    """Mark items of the inbox as read."""
    await tx.execute(MARK_READ, family_id, list(news_ids), at)
