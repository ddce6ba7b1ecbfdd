"""What the operators' figures need of the database: numbers only, no rows."""

from dataclasses import dataclass
from typing import Any

from db.migrate import pending


@dataclass(frozen=True, slots=True)
class Outbox:
    """The state of the outbox."""

    age_seconds: float
    """Age of the oldest lane that is due and not leased."""
    dead_letters: int
    deliveries: list[tuple[str, str, int]]
    """Of the last day: channel, status, count."""


async def outbox(connection: Any) -> Outbox:
    """Give the state of the outbox."""
    row = await connection.fetchrow("select age_seconds, dead_letters, channels, statuses, counts from outbox_state()")
    deliveries = list(zip(row["channels"], row["statuses"], row["counts"], strict=True))
    return Outbox(row["age_seconds"], row["dead_letters"], deliveries)


async def pending_migrations(connection: Any) -> list[str]:
    """Give the migrations that the database lacks."""
    return await pending(connection)
