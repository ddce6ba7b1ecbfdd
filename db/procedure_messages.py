"""Messages between families and services about a procedure."""

from dataclasses import astuple, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from db.procedures import Procedure


@dataclass(frozen=True, slots=True)
class Message:
    """A message to write; its author is an account of the family or an agent."""

    id: UUID
    author: str
    body: str
    request_key: str
    """Recognises a request that is sent again."""
    posted_at: datetime
    account_id: UUID | None = None
    agent_id: UUID | None = None


POST = """
    with numbered as (
        update procedure set message_count = message_count + 1 where family_id = $1 and id = $2
        returning family_id, id, service_id, message_count
    )
    insert into procedure_message (family_id, procedure_id, number, id, service_id, author, body, request_key,
        posted_at, account_id, agent_id)
    select n.family_id, n.id, n.message_count, $3, n.service_id, $4, $5, $6, $7, $8, $9 from numbered n
    returning number
"""


async def post(tx: Any, procedure: Procedure, message: Message) -> int:
    """Write a message; give its number, without gap per procedure."""
    number: int = await tx.fetchval(POST, procedure.family_id, procedure.id, *astuple(message))
    return number


@dataclass(frozen=True, slots=True)
class Written:
    """What a message says, and the documents that it carries."""

    body: str
    documents: frozenset[UUID]


WRITTEN = """
    select m.body, array(select l.document_id from procedure_document l where l.family_id = m.family_id
        and l.procedure_id = m.procedure_id and l.field = 'message.' || m.number)
    from procedure_message m
    where m.family_id = $1 and m.procedure_id = $2 and m.author = $3 and m.request_key = $4
"""


async def written(tx: Any, procedure: Procedure, author: str, request_key: str) -> Written | None:
    """Give what a request wrote before, None when it is new; the procedure is held, so that this does not change."""
    row = await tx.fetchrow(WRITTEN, procedure.family_id, procedure.id, author, request_key)
    return Written(row[0], frozenset(row[1])) if row else None


READ = """
    update procedure_message set read_at = $5
    where family_id = $1 and procedure_id = $2 and author = $3 and number <= coalesce($4, number) and read_at is null
"""


async def mark_read(tx: Any, procedure: Procedure, author: str, up_to: int | None, at: datetime) -> None:
    """Mark the messages of one side as read, up to a number; none: all."""
    await tx.execute(READ, procedure.family_id, procedure.id, author, up_to, at)
