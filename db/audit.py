"""The audit log: who did what, written in the transaction of what was done, chained by the database at its commit."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from db.ids import uuid7

INSERT = """
    insert into audit_entry (id, act, actor, actor_id, family_id, subject_id, data, occurred_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8)
"""


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that somebody did.

    `act` is a past participle with its object, such as `password_changed`. `actor` is the kind of viewer or `SYSTEM`,
    `actor_id` the account, agent or partner. `data` holds codes, ids and counts only: an entry is never erased, so that
    no name and no address may stand in it.
    """

    act: str
    actor: str
    occurred_at: datetime
    actor_id: UUID | None = None
    family_id: UUID | None = None
    subject_id: UUID | None = None
    data: dict[str, Any] = field(default_factory=dict)


async def record(tx: Any, act: Act) -> None:
    """Write an act; it is there if and only if the transaction commits."""
    data = msgspec.json.encode(act.data).decode()
    await tx.execute(
        INSERT,
        uuid7(act.occurred_at),
        act.act,
        act.actor,
        act.actor_id,
        act.family_id,
        act.subject_id,
        data,
        act.occurred_at,
    )
