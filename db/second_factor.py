"""Agents' second factors, recovery codes, and what agents were asked to prove."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from db.ids import uuid7


@dataclass(frozen=True, slots=True)
class Factor:
    """An authenticator app (`sealed_secret`, `last_step`) or a passkey (the other three)."""

    id: UUID
    method: str
    sealed_secret: bytes | None
    last_step: int | None
    credential_id: bytes | None
    public_key: bytes | None
    sign_count: int | None


HOLD_AGENT = "select email, password_hash from agent where id = $1 and disabled_at is null for update"
OF_AGENT = """
    select id, method, sealed_secret, last_step, credential_id, public_key, sign_count
    from second_factor where agent_id = $1 order by id
"""


async def hold_agent(tx: Any, agent_id: UUID) -> tuple[str, str] | None:
    """Hold an agent until the transaction ends; give e-mail address and password hash, None when disabled."""
    row = await tx.fetchrow(HOLD_AGENT, agent_id)
    return (row["email"], row["password_hash"]) if row else None


async def of_agent(tx: Any, agent_id: UUID) -> list[Factor]:
    """Give an agent's factors, oldest first."""
    return [Factor(*row.values()) for row in await tx.fetch(OF_AGENT, agent_id)]


INSERT_TOTP = """
    insert into second_factor (id, agent_id, method, name, sealed_secret, last_step, created_at)
    values ($1, $2, 'TOTP', $3, $4, $5, $6)
"""
INSERT_PASSKEY = """
    insert into second_factor (id, agent_id, method, name, credential_id, public_key, sign_count, created_at)
    values ($1, $2, 'PASSKEY', $3, $4, $5, $6, $7)
"""


async def insert_totp(tx: Any, agent_id: UUID, name: str, sealed: bytes, step: int, at: datetime) -> UUID:
    """Write an authenticator app whose code of the time step `step` was just used; give its id."""
    factor_id = uuid7(at)
    await tx.execute(INSERT_TOTP, factor_id, agent_id, name, sealed, step, at)
    return factor_id


async def insert_passkey(
    tx: Any, agent_id: UUID, name: str, credential_id: bytes, public_key: bytes, sign_count: int, at: datetime
) -> UUID:
    """Write a passkey; give its id. Raises asyncpg.UniqueViolationError for one that is known."""
    factor_id = uuid7(at)
    await tx.execute(INSERT_PASSKEY, factor_id, agent_id, name, credential_id, public_key, sign_count, at)
    return factor_id


async def use_totp(tx: Any, factor_id: UUID, step: int, at: datetime) -> None:
    """Spend a time step and those before it."""
    await tx.execute("update second_factor set last_step = $2, used_at = $3 where id = $1", factor_id, step, at)


async def use_passkey(tx: Any, factor_id: UUID, sign_count: int, at: datetime) -> None:
    """Keep how often a passkey has signed."""
    await tx.execute("update second_factor set sign_count = $2, used_at = $3 where id = $1", factor_id, sign_count, at)


async def remove(tx: Any, agent_id: UUID, factor_id: UUID) -> None:
    """Remove one factor."""
    await tx.execute("delete from second_factor where agent_id = $1 and id = $2", agent_id, factor_id)


async def remove_all(tx: Any, agent_id: UUID) -> int:
    """Remove an agent's factors, recovery codes and open challenges; give how many factors there were."""
    await tx.execute("delete from recovery_code where agent_id = $1", agent_id)
    await drop_challenges(tx, agent_id)
    status: str = await tx.execute("delete from second_factor where agent_id = $1", agent_id)
    return int(status.split()[-1])


async def drop_challenges(tx: Any, agent_id: UUID) -> None:
    """Let everything that an agent was asked to prove count no more."""
    await tx.execute("delete from agent_challenge where agent_id = $1", agent_id)


async def replace_recovery_codes(tx: Any, agent_id: UUID, hashes: Sequence[bytes], at: datetime) -> None:
    """Write fresh recovery codes; the old ones no longer count."""
    await tx.execute("delete from recovery_code where agent_id = $1", agent_id)
    await tx.execute(
        "insert into recovery_code (agent_id, hash, created_at) select $1, hash, $3 from unnest($2::bytea[]) hash",
        agent_id,
        hashes,
        at,
    )


async def has_recovery_codes(tx: Any, agent_id: UUID) -> bool:
    """Tell whether an agent has recovery codes left."""
    left = "select exists (select from recovery_code where agent_id = $1 and used_at is null)"
    found: bool = await tx.fetchval(left, agent_id)
    return found


async def use_recovery_code(tx: Any, agent_id: UUID, digest: bytes, at: datetime) -> bool:
    """Use up a recovery code; False when it is unknown or used."""
    use = "update recovery_code set used_at = $3 where agent_id = $1 and hash = $2 and used_at is null"
    status: str = await tx.execute(use, agent_id, digest, at)
    return status != "UPDATE 0"


@dataclass(frozen=True, slots=True)
class Challenge:
    """What an agent was asked to prove, held until the transaction ends."""

    id: UUID
    agent_id: UUID
    shared_computer: bool
    nonce: bytes
    sealed_secret: bytes | None


INSERT_CHALLENGE = """
    insert into agent_challenge (id, agent_id, purpose, shared_computer, nonce, sealed_secret, created_at, expires_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8)
"""


async def insert_challenge(
    tx: Any,
    agent_id: UUID,
    purpose: str,
    *,
    nonce: bytes,
    sealed_secret: bytes | None,
    shared_computer: bool,
    at: datetime,
    expires_at: datetime,
) -> UUID:
    """Write a challenge, sweep away the agent's expired ones, and give its id."""
    challenge_id = uuid7(at)
    await tx.execute("delete from agent_challenge where agent_id = $1 and expires_at <= $2", agent_id, at)
    values = (challenge_id, agent_id, purpose, shared_computer, nonce, sealed_secret, at, expires_at)
    await tx.execute(INSERT_CHALLENGE, *values)
    return challenge_id


HOLD_CHALLENGE = """
    select id, agent_id, shared_computer, nonce, sealed_secret from agent_challenge
    where id = $1 and agent_id = $2 and purpose = $3 and expires_at > $4 and ended_at is null and failures < $5
    for update
"""


async def hold_challenge(
    tx: Any, challenge_id: UUID, agent_id: UUID, purpose: str, now: datetime, most_failures: int
) -> Challenge | None:
    """Hold a challenge that still counts, or give None."""
    row = await tx.fetchrow(HOLD_CHALLENGE, challenge_id, agent_id, purpose, now, most_failures)
    return Challenge(*row.values()) if row else None


async def fail_challenge(tx: Any, challenge_id: UUID) -> None:
    """Count a wrong answer."""
    await tx.execute("update agent_challenge set failures = failures + 1 where id = $1", challenge_id)


async def end_challenge(tx: Any, challenge_id: UUID, at: datetime) -> None:
    """Let a challenge count no more."""
    await tx.execute("update agent_challenge set ended_at = $2 where id = $1", challenge_id, at)
