"""Keys by which a repeated request is recognised and answered as the first time."""

from datetime import datetime
from typing import Any
from uuid import UUID

# A second request with the same key waits here for the first one's commit, then finds its row.
CLAIM = """
    insert into idempotency_key (family_id, key, operation, parameters_hash, result, created_at)
    values ($1, $2, $3, $4, $5, $6) on conflict (family_id, key) do nothing returning result
"""
FOUND = "select operation, parameters_hash, result from idempotency_key where family_id = $1 and key = $2"


class KeyReused(Exception):
    """The key was used for another operation or with other parameters."""


async def claim(
    tx: Any, family_id: UUID, key: str, operation: str, parameters_hash: bytes, result: UUID, at: datetime
) -> UUID | None:
    """Claim a key for `result`; give None when it is new, or the result of the first request.

    Raises KeyReused.
    """
    if await tx.fetchval(CLAIM, family_id, key, operation, parameters_hash, result, at) is not None:
        return None
    row = await tx.fetchrow(FOUND, family_id, key)
    if row["operation"] != operation or row["parameters_hash"] != parameters_hash:
        raise KeyReused
    found: UUID = row["result"]
    return found
