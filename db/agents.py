"""City staff."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent, held until the transaction ends."""

    id: UUID
    email: str
    name: str
    password_hash: str
    roles: frozenset[str]
    services: frozenset[UUID]
    disabled_at: datetime | None


HOLD = "select id, email, name, password_hash, roles, services, disabled_at from agent where id = $1 for update"
INSERT = """
    insert into agent (id, email, name, password_hash, roles, services, created_at) values ($1, $2, $3, $4, $5, $6, $7)
"""
CHANGE = "update agent set email = $2, name = $3, roles = $4, services = $5 where id = $1"
OTHER_ADMINS = """
    select exists (select from agent where 'ADMIN' = any(roles) and disabled_at is null and id <> $1)
"""


async def hold(tx: Any, agent_id: UUID) -> Agent | None:
    """Hold an agent until the transaction ends."""
    row = await tx.fetchrow(HOLD, agent_id)
    if row is None:
        return None
    values = (row["id"], row["email"], row["name"], row["password_hash"])
    return Agent(*values, frozenset(row["roles"]), frozenset(row["services"]), row["disabled_at"])


async def insert(
    tx: Any,
    agent_id: UUID,
    *,
    email: str,
    name: str,
    password_hash: str,
    roles: Sequence[str],
    services: Sequence[UUID],
    at: datetime,
) -> None:
    """Write an agent. Raises asyncpg.UniqueViolationError when the address is another agent's."""
    await tx.execute(INSERT, agent_id, email, name, password_hash, roles, services, at)


async def change(
    tx: Any, agent_id: UUID, *, email: str, name: str, roles: Sequence[str], services: Sequence[UUID]
) -> None:
    """Change an agent. Raises asyncpg.UniqueViolationError when the address is another agent's."""
    await tx.execute(CHANGE, agent_id, email, name, roles, services)


async def disable(tx: Any, agent_id: UUID, at: datetime | None) -> None:
    """Disable an agent, or with None let it work again."""
    await tx.execute("update agent set disabled_at = $2 where id = $1", agent_id, at)


async def set_password(tx: Any, agent_id: UUID, password_hash: str) -> None:
    """Write an agent's password's hash."""
    await tx.execute("update agent set password_hash = $2 where id = $1", agent_id, password_hash)


async def has_other_admin(tx: Any, agent_id: UUID) -> bool:
    """Tell whether somebody else administers the portal; two who leave at once wait for each other."""
    await tx.execute("select pg_advisory_xact_lock(hashtext('kiosque.admins'))")
    found: bool = await tx.fetchval(OTHER_ADMINS, agent_id)
    return found


async def are_services(tx: Any, services: Sequence[UUID]) -> bool:
    """Tell whether all of these are services of the city."""
    known: int = await tx.fetchval("select count(*) from service where id = any($1)", services)
    return known == len(services)
