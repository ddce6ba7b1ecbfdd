"""Partners: who they are, their secrets by digest, and the assertions that they used."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from db.ids import uuid7


@dataclass(frozen=True, slots=True)
class Partner:
    """A partner, held until the transaction ends."""

    id: UUID
    name: str
    contact_email: str
    language: str
    scopes: list[str]
    services: list[UUID]
    networks: list[str]
    jwks: str | None
    expires_at: datetime
    revoked_at: datetime | None


COLUMNS = "id, name, contact_email, language, scopes, services, networks, jwks::text as jwks, expires_at, revoked_at"
INSERT = """
    insert into partner (id, name, contact_email, language, scopes, services, networks, jwks, expires_at, created_by,
        created_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
"""
CHANGE = """
    update partner set name = $2, contact_email = $3, language = $4, scopes = $5, services = $6, networks = $7,
        jwks = $8, expires_at = $9, warned_at = case when expires_at = $9 then warned_at end
    where id = $1
"""


async def insert(tx: Any, partner: Partner, created_by: UUID, at: datetime) -> None:
    """Write a partner. Raises asyncpg.UniqueViolationError when the name is another's."""
    await tx.execute(INSERT, *_values(partner), created_by, at)


async def change(tx: Any, partner: Partner) -> None:
    """Change a partner. Raises asyncpg.UniqueViolationError when the name is another's."""
    await tx.execute(CHANGE, *_values(partner))


def _values(partner: Partner) -> tuple[Any, ...]:
    who = (partner.id, partner.name, partner.contact_email, partner.language)
    return (*who, partner.scopes, partner.services, partner.networks, partner.jwks, partner.expires_at)


async def hold(tx: Any, partner_id: UUID) -> Partner | None:
    """Give a partner and hold its row until the transaction ends."""
    row = await tx.fetchrow(f"select {COLUMNS} from partner where id = $1 for update", partner_id)
    return Partner(*row.values()) if row else None


async def working(tx: Any, partner_id: UUID, now: datetime) -> Partner | None:
    """Give a partner that is neither revoked nor expired."""
    statement = f"select {COLUMNS} from partner where id = $1 and revoked_at is null and expires_at > $2"
    row = await tx.fetchrow(statement, partner_id, now)
    return Partner(*row.values()) if row else None


async def revoke(tx: Any, partner_id: UUID, at: datetime) -> None:
    """Let a partner in no more."""
    await tx.execute("update partner set revoked_at = $2 where id = $1 and revoked_at is null", partner_id, at)


ADD = "insert into partner_secret (partner_id, id, digest, hint, created_at) values ($1, $2, $3, $4, $5)"
END_SECRETS = """
    update partner_secret set expires_at = $2 where partner_id = $1 and (expires_at is null or expires_at > $2)
"""
SECRETS = "select digest from partner_secret where partner_id = $1 and (expires_at is null or expires_at > $2)"


async def insert_secret(tx: Any, partner_id: UUID, digest: bytes, hint: str, at: datetime) -> None:
    """Write a secret by its digest; `hint` are its last four characters."""
    await tx.execute(ADD, partner_id, uuid7(at), digest, hint, at)


async def end_secrets(tx: Any, partner_id: UUID, at: datetime) -> None:
    """Let all secrets that a partner has now count until a moment, no longer."""
    await tx.execute(END_SECRETS, partner_id, at)


async def secrets(tx: Any, partner_id: UUID, now: datetime) -> list[bytes]:
    """Give the digests of the secrets that count."""
    return [row["digest"] for row in await tx.fetch(SECRETS, partner_id, now)]


async def use_assertion(tx: Any, partner_id: UUID, digest: bytes, expires_at: datetime) -> bool:
    """Note that an assertion was used; False when it was before."""
    told: str = await tx.execute(
        "insert into partner_assertion (partner_id, digest, expires_at) values ($1, $2, $3) on conflict do nothing",
        partner_id,
        digest,
        expires_at,
    )
    return told == "INSERT 0 1"


EXPIRING = """
    update partner set warned_at = $1
    where revoked_at is null and warned_at is null and expires_at > $1 and expires_at <= $2
    returning id, name, expires_at
"""
NOTICE = """
    insert into partner_notice (partner_id, id, type, data, created_at, next_try_at) values ($1, $2, $3, $4, $5, $5)
"""
TASK = """
    insert into partner_task (partner_id, id, kind, subject_id, created_at) values ($1, $2, $3, $4, $5)
    on conflict (partner_id, kind, subject_id) where done_at is null do nothing
"""


async def expiring(tx: Any, now: datetime, until: datetime) -> list[tuple[UUID, str, datetime]]:
    """Mark the partners that expire by `until` and were not told; give id, name and end of each."""
    return [tuple(row.values()) for row in await tx.fetch(EXPIRING, now, until)]


async def notify(tx: Any, partner_id: UUID, type: str, data: dict[str, Any], at: datetime) -> None:
    """Tell a partner's contact something by e-mail, in the transaction that makes it so."""
    await tx.execute(NOTICE, partner_id, uuid7(at), type, msgspec.json.encode(data).decode(), at)


async def ask_staff(tx: Any, partner_id: UUID, kind: str, subject_id: UUID, at: datetime) -> None:
    """Put a task about a partner before administrators; one open for the same subject stays the only one."""
    await tx.execute(TASK, partner_id, uuid7(at), kind, subject_id, at)


async def finish_task(tx: Any, partner_id: UUID, task_id: UUID, agent_id: UUID, at: datetime) -> bool:
    """Mark a task as done; False when there is none. Once more changes nothing."""
    found = await tx.fetchval(
        """update partner_task set done_at = coalesce(done_at, $4), done_by = coalesce(done_by, $3)
           where partner_id = $1 and id = $2 returning id""",
        partner_id,
        task_id,
        agent_id,
        at,
    )
    return found is not None


BATCH = 5000


async def sweep(tx: Any, now: datetime, notices_before: datetime) -> int:
    """Forget assertions and secrets that are over, and notices that were sent before a moment; give how many went."""
    gone = [
        await tx.execute("delete from partner_assertion where expires_at < $1", now),
        await tx.execute("delete from partner_secret where expires_at < $1", now),
        await tx.execute("delete from partner_notice where coalesce(sent_at, failed_at) < $1", notices_before),
        await tx.execute("delete from agent_notice where coalesce(sent_at, failed_at) < $1", notices_before),
    ]
    return sum(int(told.split()[-1]) for told in gone)


def jwks_text(keys: Sequence[dict[str, Any]]) -> str:
    """Write a key set as it is stored."""
    return msgspec.json.encode({"keys": list(keys)}).decode()
