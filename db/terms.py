"""Versions of the terms of use and their acceptances."""

from datetime import datetime
from typing import Any
from uuid import UUID

IN_FORCE = """
    select version, hash from terms where effective_at <= $1 order by version desc limit 1
"""
ACCEPT = """
    insert into terms_acceptance (family_id, account_id, version, hash, manner, accepted_at)
    values ($1, $2, $3, $4, $5, $6) on conflict do nothing
"""


async def in_force(tx: Any, now: datetime) -> tuple[int, str] | None:
    """Give version and hash of the terms in force."""
    row = await tx.fetchrow(IN_FORCE, now)
    return (row["version"], row["hash"]) if row else None


RING_SESSIONS = """
    select pg_notify('kiosque_session', id::text) from session
    where family_id = $1 and account_id = $2 and ended_at is null
"""


async def accept(
    tx: Any, family_id: UUID, account_id: UUID, version: int, digest: str, manner: str, at: datetime
) -> None:
    """Record an acceptance once, and let every gateway look at the account's sessions anew."""
    await tx.execute(ACCEPT, family_id, account_id, version, digest, manner, at)
    await tx.execute(RING_SESSIONS, family_id, account_id)
