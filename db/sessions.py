"""Sessions and refresh tokens."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

INSERT = """
    insert into session (id, family_id, account_id, agent_id, device, shared_computer, created_at, used_at, expires_at)
    values ($1, $2, $3, $4, $5, $6, $7, $7, $8)
"""


async def insert(
    tx: Any,
    session_id: UUID,
    *,
    family_id: UUID | None,
    account_id: UUID | None,
    agent_id: UUID | None,
    device: str,
    shared_computer: bool,
    at: datetime,
    expires_at: datetime,
) -> None:
    """Write a sign-in."""
    await tx.execute(INSERT, session_id, family_id, account_id, agent_id, device, shared_computer, at, expires_at)


@dataclass(frozen=True, slots=True)
class State:
    """A live session and who holds it."""

    id: UUID
    expires_at: datetime
    used_at: datetime
    family_id: UUID | None
    account_id: UUID | None
    agent_id: UUID | None
    language: str
    terms_accepted: bool
    roles: list[str]
    services: list[UUID]


STATE = """
    select s.id, s.expires_at, s.used_at, s.family_id, s.account_id, s.agent_id, coalesce(a.language, 'fr') as language,
        not exists (
            select from (select version from terms where effective_at <= $2 order by version desc limit 1) t
            where not exists (
                select from terms_acceptance c
                where c.family_id = s.family_id and c.account_id = s.account_id and c.version = t.version)
        ) as terms_accepted,
        coalesce(g.roles, '{}') as roles, coalesce(g.services, '{}') as services
    from session s
    left join account a on a.family_id = s.family_id and a.id = s.account_id
    left join agent g on g.id = s.agent_id and g.disabled_at is null
    where s.id = $1 and s.ended_at is null and s.expires_at > $2 and (s.agent_id is null or g.id is not null)
"""


async def state(tx: Any, session_id: UUID, now: datetime) -> State | None:
    """Give a session that is alive, or None."""
    row = await tx.fetchrow(STATE, session_id, now)
    return State(*row.values()) if row else None


END = "update session set ended_at = $2, end_reason = $3 where id = $1 and ended_at is null"
END_ALL = """
    update session set ended_at = $3, end_reason = $4
    where ended_at is null and (account_id = $1 and family_id = $2 or $2 is null and agent_id = $1)
        and id is distinct from $5
"""
END_ALL_OF_FAMILY = "update session set ended_at = $2, end_reason = $3 where family_id = $1 and ended_at is null"


async def end(tx: Any, session_id: UUID, at: datetime, reason: str) -> None:
    """End one session; a trigger tells every gateway."""
    await tx.execute(END, session_id, at, reason)


async def end_all(
    tx: Any,
    holder_id: UUID,
    family_id: UUID | None,
    at: datetime,
    reason: str,
    *,
    except_session: UUID | None = None,
) -> None:
    """End all sessions of an account, or of an agent (no family), but for the one to keep."""
    await tx.execute(END_ALL, holder_id, family_id, at, reason, except_session)


async def end_all_of_family(tx: Any, family_id: UUID, at: datetime, reason: str) -> None:
    """End the sessions of all logins of a family."""
    await tx.execute(END_ALL_OF_FAMILY, family_id, at, reason)


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A refresh token held until the transaction ends."""

    session_id: UUID
    used_at: datetime | None


async def insert_refresh(tx: Any, digest: bytes, session_id: UUID, at: datetime) -> None:
    """Write a refresh token by its hash; the same one again changes nothing."""
    await tx.execute(
        "insert into refresh_token (hash, session_id, created_at) values ($1, $2, $3) on conflict do nothing",
        digest,
        session_id,
        at,
    )


async def hold_refresh(tx: Any, digest: bytes) -> RefreshToken | None:
    """Find a refresh token by its hash and hold it."""
    row = await tx.fetchrow("select session_id, used_at from refresh_token where hash = $1 for update", digest)
    return RefreshToken(*row.values()) if row else None


async def use_refresh(tx: Any, digest: bytes, session_id: UUID, at: datetime) -> None:
    """Mark a refresh token as used, and its session with it."""
    await tx.execute("update refresh_token set used_at = $2 where hash = $1", digest, at)
    await tx.execute("update session set used_at = $2 where id = $1", session_id, at)


async def signing_keys(tx: Any) -> list[tuple[str, bytes]]:
    """Give the signing keys that still count, newest first, sealed."""
    rows = await tx.fetch(
        "select kid, sealed_private_key from signing_key where retired_at is null order by created_at desc, kid"
    )
    return [(row["kid"], row["sealed_private_key"]) for row in rows]


async def insert_first_signing_key(tx: Any, kid: str, sealed: bytes, at: datetime) -> None:
    """Write the portal's first signing key; another node's is kept."""
    await tx.execute("select pg_advisory_xact_lock(hashtext('kiosque.signing_key'))")
    await tx.execute(
        "insert into signing_key (kid, sealed_private_key, created_at) "
        "select $1, $2, $3 where not exists (select from signing_key)",
        kid,
        sealed,
        at,
    )
