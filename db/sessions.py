"""Sessions and refresh tokens."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from db import devices, throttle
from db.settings import Tokens

INSERT = """
    insert into session (id, family_id, account_id, agent_id, device, shared_computer, created_at, used_at, expires_at,
        idle_ends_at, partner_id, scopes)
    values ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9, $10, $11)
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
    idle_ends_at: datetime | None = None,
    partner_id: UUID | None = None,
    scopes: Sequence[str] | None = None,
) -> None:
    """Write a sign-in; `idle_ends_at` is when it ends unless it is refreshed before, `scopes` are a partner's."""
    values = (session_id, family_id, account_id, agent_id, device, shared_computer, at, expires_at, idle_ends_at)
    await tx.execute(INSERT, *values, partner_id, scopes)


@dataclass(frozen=True, slots=True)
class State:
    """A live session and who holds it."""

    id: UUID
    expires_at: datetime
    device: str
    family_id: UUID | None
    account_id: UUID | None
    agent_id: UUID | None
    language: str
    terms_accepted: bool
    roles: list[str]
    services: list[UUID]
    partner_id: UUID | None = None
    scopes: Sequence[str] = ()
    networks: Sequence[str] = ()


STATE = """
    select s.id, s.expires_at, s.device, s.family_id, s.account_id, s.agent_id, coalesce(a.language, 'fr') as language,
        not exists (
            select from (select version from terms where effective_at <= $2 order by version desc limit 1) t
            where not exists (
                select from terms_acceptance c
                where c.family_id = s.family_id and c.account_id = s.account_id and c.version = t.version)
        ) as terms_accepted,
        coalesce(g.roles, '{}') as roles, coalesce(g.services, p.services, '{}') as services, s.partner_id,
        array(select unnest(s.scopes) intersect select unnest(p.scopes) order by 1) as scopes,
        coalesce(p.networks, '{}') as networks
    from session s
    left join account a on a.family_id = s.family_id and a.id = s.account_id
    left join agent g on g.id = s.agent_id and g.disabled_at is null
    left join partner p on p.id = s.partner_id and p.revoked_at is null and p.expires_at > $2
    where s.id = $1 and s.ended_at is null and s.expires_at > $2 and coalesce(s.idle_ends_at, s.expires_at) > $2
        and (s.agent_id is null or g.id is not null) and (s.partner_id is null or p.id is not null)
"""


async def state(tx: Any, session_id: UUID, now: datetime) -> State | None:
    """Give a session that is alive, or None."""
    row = await tx.fetchrow(STATE, session_id, now)
    return State(*row.values()) if row else None


END = "update session set ended_at = $2, end_reason = $3 where id = $1 and ended_at is null"
END_OWN = """
    update session set ended_at = $4, end_reason = $5
    where id = $1 and ended_at is null and (account_id = $2 and family_id = $3 or $3 is null and agent_id = $2)
    returning id
"""
END_ALL = """
    update session set ended_at = $3, end_reason = $4
    where ended_at is null and account_id = $1 and family_id = $2 and id is distinct from $5 returning id
"""
END_ALL_OF_AGENT = """
    update session set ended_at = $2, end_reason = $3
    where ended_at is null and agent_id = $1 and id is distinct from $4 returning id
"""
END_ALL_OF_PARTNER = """
    update session set ended_at = $2, end_reason = $3 where partner_id = $1 and ended_at is null returning id
"""
END_ALL_OF_FAMILY = """
    update session set ended_at = $2, end_reason = $3 where family_id = $1 and ended_at is null returning id
"""


async def end(tx: Any, session_id: UUID, at: datetime, reason: str) -> None:
    """End one session; a trigger tells every gateway."""
    await tx.execute(END, session_id, at, reason)


async def end_own(
    tx: Any, session_id: UUID, holder_id: UUID, family_id: UUID | None, at: datetime, reason: str
) -> bool:
    """End one session of an account, or of an agent (no family); False when there is no such session."""
    found: UUID | None = await tx.fetchval(END_OWN, session_id, holder_id, family_id, at, reason)
    return found is not None


async def end_all(
    tx: Any,
    holder_id: UUID,
    family_id: UUID | None,
    at: datetime,
    reason: str,
    *,
    except_session: UUID | None = None,
) -> list[UUID]:
    """End all sessions of an account, or of an agent (no family), but for the one to keep; give which."""
    if family_id is None:
        rows = await tx.fetch(END_ALL_OF_AGENT, holder_id, at, reason, except_session)
    else:
        rows = await tx.fetch(END_ALL, holder_id, family_id, at, reason, except_session)
    return [row["id"] for row in rows]


async def end_all_of_family(tx: Any, family_id: UUID, at: datetime, reason: str) -> list[UUID]:
    """End the sessions of all logins of a family; give which."""
    return [row["id"] for row in await tx.fetch(END_ALL_OF_FAMILY, family_id, at, reason)]


async def end_all_of_partner(tx: Any, partner_id: UUID, at: datetime, reason: str) -> list[UUID]:
    """End all sessions of a partner; give which."""
    return [row["id"] for row in await tx.fetch(END_ALL_OF_PARTNER, partner_id, at, reason)]


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


async def use_refresh(tx: Any, digest: bytes, session_id: UUID, at: datetime, idle_ends_at: datetime) -> None:
    """Mark a refresh token as used, and its session with it."""
    await tx.execute("update refresh_token set used_at = $2 where hash = $1", digest, at)
    await tx.execute("update session set used_at = $2, idle_ends_at = $3 where id = $1", session_id, at, idle_ends_at)


BATCH = 5000
# By `ctid`: what a batch found is deleted where it lies, and no table is read whole for it.
SWEEP = (
    """delete from refresh_token where ctid = any(array(
        select t.ctid from refresh_token t join session s on s.id = t.session_id
        where least(s.expires_at, s.ended_at, s.idle_ends_at) < $1 limit $2))""",
    """delete from session where ctid = any(array(
        select s.ctid from session s where least(s.expires_at, s.ended_at, s.idle_ends_at) < $1
            and not exists (select from refresh_token t where t.session_id = s.id) limit $2))""",
)


async def sweep(tx: Any, now: datetime, settings: Tokens) -> int:
    """Forget what is over: sessions and their refresh tokens, counts of failed attempts, devices that nobody uses.

    Sees all rows. Takes 5,000 rows of each kind at the most; gives how many went, so that the caller goes on, a
    transaction each, until it is 0.
    """
    kept_from = now - timedelta(days=settings.kept_days)
    gone = [await tx.execute(statement, kept_from, BATCH) for statement in SWEEP]
    counts = [int(told.split()[-1]) for told in gone]
    counts.append(await throttle.sweep(tx, now.date() - timedelta(days=1), now, BATCH))
    counts.append(await devices.sweep(tx, now - timedelta(days=settings.device_days), BATCH))
    return sum(counts)
