"""Devices on which accounts have signed in, known by the hash of the secret that each of them keeps."""

from datetime import datetime
from typing import Any
from uuid import UUID

MOST = 50
"""Devices remembered of one account; beyond that the one unused for longest is forgotten."""

IS_KNOWN = """
    select exists (
        select from device where family_id = $1 and account_id = $2 and hash = $3 and last_seen_at > $4
    )
"""
SEE = """
    update device set last_seen_at = $4
    where family_id = $1 and account_id = $2 and hash = $3 and last_seen_at > $5 returning 1
"""
ANY = "select exists (select from device where family_id = $1 and account_id = $2 and last_seen_at > $3)"
REMEMBER = """
    insert into device (family_id, account_id, hash, first_seen_at, last_seen_at) values ($1, $2, $3, $4, $4)
    on conflict (family_id, account_id, hash) do update set first_seen_at = $4, last_seen_at = $4
"""
FORGET_OLDEST = """
    delete from device where family_id = $1 and account_id = $2 and hash in (
        select hash from device where family_id = $1 and account_id = $2
        order by last_seen_at desc, hash offset $3)
"""
SWEEP = """
    delete from device where ctid = any(array(select ctid from device where last_seen_at < $1 limit $2))
"""


async def is_known(tx: Any, family_id: UUID, account_id: UUID, digest: bytes, since: datetime) -> bool:
    """Tell whether an account has signed in on a device since a moment."""
    known: bool = await tx.fetchval(IS_KNOWN, family_id, account_id, digest, since)
    return known


async def see(tx: Any, family_id: UUID, account_id: UUID, digest: bytes, at: datetime, since: datetime) -> bool:
    """Note that an account signs in on a device; False when it has not done so since a moment."""
    return await tx.fetchval(SEE, family_id, account_id, digest, at, since) is not None


async def has_any(tx: Any, family_id: UUID, account_id: UUID, since: datetime) -> bool:
    """Tell whether an account has any device that it used since a moment."""
    found: bool = await tx.fetchval(ANY, family_id, account_id, since)
    return found


async def remember(tx: Any, family_id: UUID, account_id: UUID, digest: bytes, at: datetime) -> None:
    """Remember a device that is new to an account."""
    await tx.execute(REMEMBER, family_id, account_id, digest, at)
    await tx.execute(FORGET_OLDEST, family_id, account_id, MOST)


async def forget_all(tx: Any, family_id: UUID, account_id: UUID) -> None:
    """Forget the devices of an account, as after a theft: each is then new again."""
    await tx.execute("delete from device where family_id = $1 and account_id = $2", family_id, account_id)


async def sweep(tx: Any, unused_since: datetime, limit: int) -> int:
    """Forget devices that lay unused; give how many."""
    told: str = await tx.execute(SWEEP, unused_since, limit)
    return int(told.split()[-1])
