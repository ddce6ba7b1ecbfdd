"""Outside providers of sign-in: who is linked to which account, and browsers on their way."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from db.ids import uuid7

SWEPT = 100
"""Attempts swept away with each new one, at the most."""

KEEP_PROVIDER = """
    insert into identity_provider (issuer, name) values ($1, $2)
    on conflict (issuer) do update set name = $2, retired_at = null
        where identity_provider.name <> $2 or identity_provider.retired_at is not null
"""
RETIRE_OTHERS = """
    update identity_provider set retired_at = $2 where issuer is distinct from $1 and retired_at is null
"""


async def keep_provider(tx: Any, issuer: str | None, name: str, at: datetime) -> UUID | None:
    """Keep the provider of the settings, retire any other; give its id. None: there is none."""
    await tx.execute(RETIRE_OTHERS, issuer, at)
    if issuer is None:
        return None
    await tx.execute(KEEP_PROVIDER, issuer, name)
    found: UUID = await tx.fetchval("select id from identity_provider where issuer = $1", issuer)
    return found


@dataclass(frozen=True, slots=True)
class Attempt:
    """A browser that was sent to the provider."""

    id: UUID
    provider_id: UUID
    binding_hash: bytes
    sealed: bytes
    redirect_uri: str
    shared_computer: bool
    family_id: UUID | None
    account_id: UUID | None


INSERT = """
    insert into identity_attempt (id, provider_id, intent, state_hash, binding_hash, sealed, redirect_uri,
        shared_computer, family_id, account_id, created_at, expires_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
"""
SWEEP = """
    delete from identity_attempt where id in (select id from identity_attempt where expires_at < $1 limit $2)
"""


async def insert_attempt(
    tx: Any, attempt: Attempt, intent: str, state_hash: bytes, at: datetime, expires_at: datetime
) -> None:
    """Write an attempt, and sweep away expired ones that the transaction sees."""
    await tx.execute(SWEEP, at, SWEPT)
    await tx.execute(
        INSERT,
        attempt.id,
        attempt.provider_id,
        intent,
        state_hash,
        attempt.binding_hash,
        attempt.sealed,
        attempt.redirect_uri,
        attempt.shared_computer,
        attempt.family_id,
        attempt.account_id,
        at,
        expires_at,
    )


TAKE = """
    update identity_attempt set used_at = $3
    where state_hash = $1 and intent = $2 and used_at is null and expires_at > $3
    returning id, provider_id, binding_hash, sealed, redirect_uri, shared_computer, family_id, account_id
"""


async def take_attempt(tx: Any, state_hash: bytes, intent: str, now: datetime) -> Attempt | None:
    """Use up an attempt that is open; None for any other."""
    row = await tx.fetchrow(TAKE, state_hash, intent, now)
    return Attempt(*row.values()) if row else None


LINKED = """
    update provider_link l set used_at = $3 from account a
    where l.provider_id = $1 and l.subject_hmac = $2 and a.family_id = l.family_id and a.id = l.account_id
        and a.removed_at is null
    returning l.family_id, l.account_id, a.email_verified_at is not null
"""


async def account_of_subject(
    tx: Any, provider_id: UUID, subject: bytes, at: datetime
) -> tuple[UUID, UUID, bool] | None:
    """Give family and account that a subject is linked to, and whether its address is verified."""
    row = await tx.fetchrow(LINKED, provider_id, subject, at)
    return tuple(row.values()) if row else None


INSERT_LINK = """
    insert into provider_link (family_id, id, account_id, provider_id, subject_hmac, created_at)
    values ($1, $2, $3, $4, $5, $6)
"""


async def insert_link(
    tx: Any, family_id: UUID, account_id: UUID, provider_id: UUID, subject: bytes, at: datetime
) -> UUID:
    """Link a subject to an account; give the link's id.

    Raises asyncpg.UniqueViolationError when the subject or the account is linked already.
    """
    link_id = uuid7(at)
    await tx.execute(INSERT_LINK, family_id, link_id, account_id, provider_id, subject, at)
    return link_id


async def delete_link(tx: Any, family_id: UUID, account_id: UUID, link_id: UUID) -> bool:
    """Remove a link of an account; False when there is none."""
    status: str = await tx.execute(
        "delete from provider_link where family_id = $1 and account_id = $2 and id = $3", family_id, account_id, link_id
    )
    return status != "DELETE 0"
