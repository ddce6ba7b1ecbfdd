"""Messages between a family and the service about a procedure."""

from collections.abc import Sequence
from typing import Any

from db import procedure_messages as stored
from db import procedures as stored_procedures
from db.ids import uuid7
from db.outbox import tell
from db.uploads import Key as DocumentKey
from resolvers import filing, news
from resolvers.context import Context
from resolvers.procedures import Key, locked, words
from resolvers.viewer import Kind

OTHER_SIDE = {Kind.FAMILY: Kind.AGENT, Kind.AGENT: Kind.FAMILY}


async def post(context: Context, key: Key, body: str, request_key: str, documents: Sequence[DocumentKey] = ()) -> Key:
    """Write to the other side, with documents; the same request again, by its key, writes nothing.

    A draft has no other side yet. Raises Refusal: NOT_FOUND, MOVE_NOT_ALLOWED, IDEMPOTENCY_KEY_REUSED, BAD_USER_INPUT,
    and those of `filing.send`.
    """
    async with context.transaction() as tx:
        held = await filing.hold(tx, context, documents)
        procedure = await locked(tx, context, key)
        if procedure.submitted_at is None:
            raise context.refusal("MOVE_NOT_ALLOWED", ["procedure"]).about(key.family_id, key.id)
        if not 8 <= len(request_key) <= 100:
            raise context.refusal("BAD_USER_INPUT", ["idempotencyKey"])
        body = words(context, body, "body") or ""
        before = await stored.written(tx, procedure, context.viewer.kind.value, request_key)
        if before is None:
            number = await write(tx, context, procedure, body, request_key, len(set(documents)))
            await filing.send(tx, context, procedure, number, held)
        elif before != stored.Written(body, frozenset(document_id for _, document_id in documents)):
            raise context.refusal("IDEMPOTENCY_KEY_REUSED", ["idempotencyKey"])
    return key


async def write(
    tx: Any,
    context: Context,
    procedure: stored_procedures.Procedure,
    body: str,
    request_key: str,
    documents: int = 0,
) -> int:
    """Write the viewer's message about a procedure that is held, which carries so many documents, and tell the family;
    give its number.
    """
    now, viewer = context.process.clock(), context.viewer
    author = viewer.kind.value
    message = stored.Message(uuid7(now), author, body, request_key, now, viewer.account_id, viewer.agent_id)
    number = await stored.post(tx, procedure, message)
    await context.record(tx, "procedure_message_posted", family=procedure.family_id, subject=procedure.id)
    kind = await stored_procedures.kind(tx, procedure.kind_id)
    await tell(tx, news.message(procedure, kind, author, body, now, documents))
    return number


async def mark_read(context: Context, key: Key, up_to: int | None) -> Key:
    """Mark what the other side wrote as read, up to the message of a number; all unless given. Once more changes
    nothing.

    Raises Refusal: NOT_FOUND.
    """
    async with context.transaction() as tx:
        procedure = await locked(tx, context, key)
        author = OTHER_SIDE[context.viewer.kind].value
        await stored.mark_read(tx, procedure, author, up_to, context.process.clock())
    return key
