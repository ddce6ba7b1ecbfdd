"""What agents ask families for about a procedure, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from db.procedures import Procedure


@dataclass(frozen=True, slots=True)
class Request:
    """The last request about a procedure whose row is held."""

    id: UUID
    fields: tuple[str, ...]
    documents: tuple[str, ...]
    message: str | None
    asked_by: UUID | None
    answers: str | None
    answered_at: datetime | None


INSERT = """
    insert into information_request (family_id, id, procedure_id, service_id, event_number, fields, documents, message,
        asked_by, asked_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""


async def insert(
    tx: Any,
    procedure: Procedure,
    request_id: UUID,
    event_number: int,
    *,
    fields: Sequence[str],
    documents: Sequence[str],
    message: str,
    asked_by: UUID,
    at: datetime,
) -> None:
    """Write a request; `event_number` is that of the move that it came with."""
    about = procedure.family_id, request_id, procedure.id, procedure.service_id, event_number
    await tx.execute(INSERT, *about, list(fields), list(documents), message, asked_by, at)


LAST = """
    select id, fields, documents, message, asked_by, answers::text, answered_at from information_request
    where family_id = $1 and procedure_id = $2 order by event_number desc limit 1
"""


async def last(tx: Any, procedure: Procedure) -> Request | None:
    """Give the last request about a procedure, answered or not."""
    row = await tx.fetchrow(LAST, procedure.family_id, procedure.id)
    if row is None:
        return None
    request_id, fields, documents, *rest = row.values()
    return Request(request_id, tuple(fields), tuple(documents), *rest)


ANSWER = """
    update information_request set answers = $3::text::json, answered_at = $4 where family_id = $1 and id = $2
"""


async def answer(tx: Any, procedure: Procedure, request_id: UUID, answers: str, at: datetime) -> None:
    """Write what the family changed, a JSON merge patch."""
    await tx.execute(ANSWER, procedure.family_id, request_id, answers, at)
