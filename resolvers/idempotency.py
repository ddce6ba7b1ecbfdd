"""The rule of the idempotency key: every mutation that creates or moves money is carried out once a key, for a day."""

import hashlib
import json
from typing import Any
from uuid import UUID

from db import idempotency
from resolvers.context import Context


async def claimed(
    tx: Any, context: Context, family_id: UUID, key: str, operation: str, result: UUID, parameters: dict[str, Any]
) -> UUID | None:
    """Claim a key of a family for `result`; give None when it is new, or what the first request with it gave.

    A request that comes at the same time waits here for the first one. Raises Refusal: BAD_USER_INPUT for a key that
    is none, IDEMPOTENCY_KEY_REUSED when the parameters, which are kept as a hash, were others.
    """
    if not 8 <= len(key) <= 100:
        raise context.refusal("BAD_USER_INPUT", ["idempotencyKey"])
    digest = hashlib.sha256(json.dumps(parameters, sort_keys=True, default=str).encode()).digest()
    try:
        return await idempotency.claim(tx, family_id, key, operation, digest, result, context.process.clock())
    except idempotency.KeyReused as error:
        raise context.refusal("IDEMPOTENCY_KEY_REUSED", ["idempotencyKey"]) from error
