"""Information requests: what an agent asks a family for, and the family's correction."""

from collections.abc import Sequence
from typing import Any

import msgspec

from db import information_requests as stored
from db import procedures as stored_procedures
from db.ids import uuid7
from resolvers import filing, procedure_messages
from resolvers.context import Context
from resolvers.forms import faults
from resolvers.problems import refusals_of
from resolvers.procedures import Key, check_answers, locked, moved, permit, text_of, words
from resolvers.sentences import SENTENCES

ASKED_FROM = frozenset({"IN_REVIEW"})
ANSWERED_FROM = frozenset({"AWAITING_FAMILY"})
MOST_DOCUMENTS = 20
LONGEST_LABEL = 200


async def ask(context: Context, key: Key, message: str, fields: Sequence[str], documents: Sequence[str]) -> Key:
    """Ask a family for what is missing: fields of the form that it may change, documents in words, and why.

    The same request again changes nothing. Raises Refusal: NOT_FOUND, ALREADY_MOVED, MOVE_NOT_ALLOWED, BAD_USER_INPUT
    with the field that the form has not.
    """
    async with context.transaction() as tx:
        before = await locked(tx, context, key)
        said = words(context, message, "message") or ""
        labels = _labels(context, documents)
        if before.status == "AWAITING_FAMILY" and _is_same(await stored.last(tx, before), fields, labels, said):
            return key
        await permit(tx, context, before, "AWAITING_FAMILY", ASKED_FROM)
        form = msgspec.json.decode((await stored_procedures.kind(tx, before.kind_id)).form)
        for place, name in enumerate(fields):
            if name not in form["properties"] or name in fields[:place]:
                raise context.refusal("BAD_USER_INPUT", ["fields", str(place)])
        number = await moved(tx, context, before, "AWAITING_FAMILY", said, ASKED_FROM)
        assert number is not None, "it was permitted to move"
        now, agent_id = context.process.clock(), context.viewer.agent
        await stored.insert(
            tx, before, uuid7(now), number, fields=fields, documents=labels, message=said, asked_by=agent_id, at=now
        )
    return key


def _labels(context: Context, documents: Sequence[str]) -> list[str]:
    labels = [label.strip() for label in documents]
    wrong = [str(place) for place, label in enumerate(labels) if not 1 <= len(label) <= LONGEST_LABEL]
    if wrong or len(labels) > MOST_DOCUMENTS:
        raise context.refusal("BAD_USER_INPUT", ["documents", *wrong[:1]])
    return labels


def _is_same(last: stored.Request | None, fields: Sequence[str], documents: Sequence[str], message: str) -> bool:
    asked = (tuple(fields), tuple(documents), message)
    return last is not None and (last.fields, last.documents, last.message) == asked


async def answer(context: Context, key: Key, answers: Any, message: str | None) -> Key:
    """Give what was asked for: `answers` is a JSON merge patch (RFC 7396) of the fields that the request names.

    The whole form is checked anew; the review goes on. Without a document that was asked for it takes a message: a
    family may bring paper, and says so. The same answer again changes nothing. Raises Refusal: NOT_FOUND, one
    ANSWER_NOT_ASKED or ANSWER_NOT_VALID per fault, one DOCUMENT_MISSING per document, ALREADY_MOVED, MOVE_NOT_ALLOWED,
    BAD_USER_INPUT.
    """
    now = context.process.clock()
    async with context.transaction() as tx:
        before = await locked(tx, context, key)
        patch = {} if answers is None else answers
        if not isinstance(patch, dict):
            raise context.refusal("BAD_USER_INPUT", ["answers"])
        request = await stored.last(tx, before)
        if before.status == "IN_REVIEW" and request and _was_given(request, patch):
            return key
        await permit(tx, context, before, "IN_REVIEW", ANSWERED_FROM)
        _check_asked(context, patch, request.fields if request else ())
        corrected = {**msgspec.json.decode(before.answers), **patch}
        corrected = {name: value for name, value in corrected.items() if value is not None}
        kind = await stored_procedures.kind(tx, before.kind_id)
        check_answers(context, faults(kind.form, corrected))
        said = words(context, message, "message")
        if said is None:
            await filing.check_answer(tx, context, before)
        await stored_procedures.save_answers(tx, before, text_of(corrected), now)
        if request is not None:
            await stored.answer(tx, before, request.id, text_of(patch), now)
        if said is not None:
            await procedure_messages.write(tx, context, before, said, f"answer {uuid7(now)}")
        await moved(tx, context, before, "IN_REVIEW", None, ANSWERED_FROM)
    return key


def _was_given(request: stored.Request, patch: dict[str, Any]) -> bool:
    return request.answers is not None and msgspec.json.decode(request.answers) == patch


def _check_asked(context: Context, patch: dict[str, Any], fields: Sequence[str]) -> None:
    """Raise one ANSWER_NOT_ASKED per answer that the request does not name."""
    others = [f"/{name.replace('~', '~0').replace('/', '~1')}" for name in patch if name not in fields]
    if others:
        sentence = SENTENCES["ANSWER_NOT_ASKED"].to(context.viewer.language)
        raise refusals_of("ANSWER_NOT_ASKED", [(sentence, [pointer]) for pointer in others])
