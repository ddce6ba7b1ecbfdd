"""Versions of the terms of use and their acceptances."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


def digest(body_fr: str, body_en: str) -> str:
    """Give the SHA-256, in hexadecimal, of a version's texts: French, a line feed, English, in UTF-8."""
    return hashlib.sha256(f"{body_fr}\n{body_en}".encode()).hexdigest()


IN_FORCE = "select version from terms where effective_at <= $1 order by version desc limit 1"


async def in_force(connection: Any, now: datetime) -> int | None:
    """Give the version in force, if any is."""
    version: int | None = await connection.fetchval(IN_FORCE, now)
    return version


ACCEPTABLE = """
    select hash from terms where version = $1 and version >= coalesce(
        (select v.version from terms v where v.effective_at <= $2 order by v.version desc limit 1), 0)
"""


async def acceptable(tx: Any, version: int, now: datetime) -> str | None:
    """Give the hash of a version that is in force or was announced since; None for any other."""
    found: str | None = await tx.fetchval(ACCEPTABLE, version, now)
    return found


ACCEPT = """
    insert into terms_acceptance (family_id, account_id, version, hash, manner, accepted_at)
    values ($1, $2, $3, $4, $5, $6) on conflict do nothing returning true
"""
RING_SESSIONS = """
    select pg_notify('kiosque_session', id::text) from session
    where family_id = $1 and account_id = $2 and ended_at is null
"""


async def accept(
    tx: Any, family_id: UUID, account_id: UUID, version: int, digest: str, manner: str, at: datetime
) -> bool:
    """Record an acceptance once, and let every gateway look at the account's sessions anew; False if it was there."""
    written = await tx.fetchval(ACCEPT, family_id, account_id, version, digest, manner, at)
    await tx.execute(RING_SESSIONS, family_id, account_id)
    return bool(written)


@dataclass(frozen=True, slots=True)
class Published:
    """A version just written."""

    id: UUID
    version: int


LOCK = "select pg_advisory_xact_lock(hashtext('kiosque.terms'))"
PUBLISH = """
    insert into terms (id, version, effective_at, published_at, body_fr, body_en, hash)
    select $1, coalesce(max(version), 0) + 1, $2, $3, $4, $5, $6 from terms returning id, version
"""


async def publish(
    tx: Any, terms_id: UUID, effective_at: datetime, body_fr: str, body_en: str, at: datetime
) -> Published:
    """Write the next version, for good: the database refuses every change of it."""
    await tx.execute(LOCK)
    row = await tx.fetchrow(PUBLISH, terms_id, effective_at, at, body_fr, body_en, digest(body_fr, body_en))
    return Published(row["id"], row["version"])


MISSING = """
    select k.account_id from unnest($1::uuid[], $2::uuid[]) as k(family_id, account_id)
    where not exists (select from terms_acceptance c
        where c.family_id = k.family_id and c.account_id = k.account_id and c.version = $3)
"""


async def not_accepted_by(tx: Any, accounts: Sequence[tuple[UUID, UUID]], version: int) -> set[UUID]:
    """Give those accounts (family, account) that have not accepted a version."""
    families, ids = [family for family, _ in accounts], [account for _, account in accounts]
    return {row["account_id"] for row in await tx.fetch(MISSING, families, ids, version)}
