"""What a procedure wants of documents: the required ones, those an agent asks for, and those that messages carry."""

from collections.abc import Sequence
from typing import Any

from db import filing as stored
from db import uploads as documents
from db.clock import PARIS
from db.ids import uuid7
from db.procedures import Procedure
from db.uploads import Document, Key
from resolvers.context import Context
from resolvers.problems import Refusal
from resolvers.sentences import SENTENCES
from resolvers.viewer import Kind

MOST_IN_MESSAGE = 10


async def check_submission(tx: Any, context: Context, draft: Procedure) -> None:
    """Raise one DOCUMENT_MISSING per document that the kind requires and that is not filed with a draft, and one
    DOCUMENT_EXPIRED per field with one whose last day has passed.
    """
    today = context.process.clock().astimezone(PARIS).date()
    refused = [_missing(context, each) for each in await stored.required(tx, draft)]
    for field in await stored.expired(tx, draft, today):
        refused.append(context.refusal("DOCUMENT_EXPIRED", ["documents", field]))
    _refuse(refused)


async def check_answer(tx: Any, context: Context, procedure: Procedure) -> None:
    """Raise one DOCUMENT_MISSING per document that the family is being asked for and has not filed."""
    _refuse([_missing(context, each) for each in await stored.asked(tx, procedure)])


def _missing(context: Context, document: stored.Missing) -> Refusal:
    language = context.viewer.language
    text = SENTENCES["DOCUMENT_MISSING"].to(language).format(document=document.label[language])
    return Refusal("DOCUMENT_MISSING", text, ["documents", document.field])


def _refuse(refused: Sequence[Refusal]) -> None:
    if refused:
        first, *first.also = refused
        raise first


async def require_usable(tx: Any, context: Context, document: Document, procedure: Procedure, path: list[str]) -> None:
    """Raise Refusal where a document is out of date (DOCUMENT_EXPIRED), or filed elsewhere by a family that keeps none
    (DOCUMENT_NOT_KEPT, R2).
    """
    if document.expires_on < context.process.clock().astimezone(PARIS).date():
        raise context.refusal("DOCUMENT_EXPIRED", path)
    elsewhere = await documents.procedures_of(tx, (document.family_id, document.id)) - {procedure.id}
    if elsewhere and not await documents.is_kept(tx, procedure.family_id):
        raise context.refusal("DOCUMENT_NOT_KEPT", path)


async def hold(tx: Any, context: Context, keys: Sequence[Key]) -> list[Document | None]:
    """Give the documents of a message to be written, None for one that the viewer may not send, and hold their rows.

    A family sends those it sees, an agent those that it has uploaded. Raises Refusal BAD_USER_INPUT for too many.
    """
    if len(keys) > MOST_IN_MESSAGE:
        raise context.refusal("BAD_USER_INPUT", ["documents"])
    held = {key: await documents.lock(tx, key) for key in sorted(set(keys))}  # in order: nobody waits in a ring
    viewer = context.viewer

    def own(found: Document | None) -> bool:
        if viewer.kind is Kind.AGENT:
            return found is not None and found.agent_id == viewer.agent
        return found is not None and found.family_id == viewer.family and not found.is_waiting

    return [held[key] if own(held[key]) else None for key in keys]


async def send(tx: Any, context: Context, procedure: Procedure, number: int, found: Sequence[Document | None]) -> None:
    """File documents that are held with the message of a number.

    Raises Refusal: NOT_FOUND, also for one that an agent uploaded for another procedure; DOCUMENT_EXPIRED,
    DOCUMENT_NOT_KEPT.
    """
    now, given = context.process.clock(), []
    for place, document in enumerate(found):
        path = ["documents", str(place)]
        if document is None or document.family_id != procedure.family_id:
            raise context.refusal("NOT_FOUND", path)
        if context.viewer.kind is Kind.FAMILY:
            await require_usable(tx, context, document, procedure, path)
        elif document.procedure_id != procedure.id:
            raise context.refusal("NOT_FOUND", path)
        given.append(document.id)
    wanted = list(dict.fromkeys(given))
    if not wanted:
        return
    await stored.send(tx, procedure, number, wanted, [uuid7(now) for _ in wanted], now)
    for document_id in wanted:
        await context.record(
            tx, "document_sent", family=procedure.family_id, subject=document_id, procedure=procedure.id
        )
