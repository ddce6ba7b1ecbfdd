"""The password of whoever is signed in."""

from typing import Any
from uuid import UUID

OF_ACCOUNT = "select password_hash from account where family_id = $1 and id = $2"


async def of_account(tx: Any, family_id: UUID, account_id: UUID) -> str | None:
    """Give the password hash of a login."""
    found: str | None = await tx.fetchval(OF_ACCOUNT, family_id, account_id)
    return found


async def of_agent(tx: Any, agent_id: UUID) -> str | None:
    """Give the password hash of an agent."""
    found: str | None = await tx.fetchval("select password_hash from agent where id = $1", agent_id)
    return found
