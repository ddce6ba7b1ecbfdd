"""Procedures (démarches): from the first draft to the decision."""

import hashlib
import json
from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from db import idempotency
from db import kinds as stored_kinds
from db import procedures as stored
from db.clock import PARIS
from db.ids import uuid7
from db.outbox import tell
from resolvers import filing, kinds, legal_clock, news, prefill, retention
from resolvers.context import Context
from resolvers.forms import Fault, faults
from resolvers.problems import refusals_of
from resolvers.viewer import Kind

# The legal moves: from → to → who may. Everything else is refused.
MOVES: dict[str, dict[str, Kind]] = {
    "DRAFT": {"SUBMITTED": Kind.FAMILY, "WITHDRAWN": Kind.FAMILY},
    "SUBMITTED": {"IN_REVIEW": Kind.AGENT, "WITHDRAWN": Kind.FAMILY},
    "IN_REVIEW": {
        "AWAITING_FAMILY": Kind.AGENT,
        "ACCEPTED": Kind.AGENT,
        "REJECTED": Kind.AGENT,
        "CLOSED": Kind.AGENT,
        "WITHDRAWN": Kind.FAMILY,
    },
    "AWAITING_FAMILY": {
        "IN_REVIEW": Kind.FAMILY,
        "ACCEPTED": Kind.AGENT,
        "REJECTED": Kind.AGENT,
        "CLOSED": Kind.AGENT,
        "WITHDRAWN": Kind.FAMILY,
    },
    "ACCEPTED": {"IN_REVIEW": Kind.AGENT},
    "REJECTED": {"IN_REVIEW": Kind.AGENT},
    "CLOSED": {"IN_REVIEW": Kind.AGENT},
}

ANY_STATE = frozenset(MOVES)
TO_REOPEN = frozenset({"ACCEPTED", "REJECTED", "CLOSED"})
"""Where a decided procedure stands until it is reopened."""

LONGEST_WORDS = 4_000


@dataclass(frozen=True, slots=True)
class Key:
    """The key of a procedure; what a client sees of it is read by the planner."""

    family_id: UUID
    id: UUID


async def start(
    context: Context,
    kind_code: str,
    member: UUID | None,
    answers: Any,
    idempotency_key: str,
    *,
    fill_in: bool = False,
) -> Key:
    """Start a draft; a repeated call with the same key gives the same draft.

    `fill_in` adds what is known to the answers that are given: see `resolvers.prefill`. Raises Refusal: KIND_NOT_OPEN,
    KIND_FULL, NOT_FOUND for a foreign member, IDEMPOTENCY_KEY_REUSED, BAD_USER_INPUT.
    """
    now, family_id = context.process.clock(), context.viewer.family
    parameters = fingerprint({"kind": kind_code, "member": member, "answers": answers, "fill_in": fill_in})
    async with context.transaction() as tx:
        procedure_id = uuid7(now)
        first = await _claimed(tx, context, idempotency_key, "startProcedure", parameters, procedure_id)
        if first is not None:
            return Key(family_id, first)
        if member is not None and not await stored.member_exists(tx, family_id, member):
            raise context.refusal("NOT_FOUND", ["member"])
        on_offer = await stored.kind_on_offer(tx, kind_code)
        kind = await kinds.check_open(tx, context, on_offer, "kind", now, hold=False)
        given = _object(context, answers or {})
        if fill_in:
            given = {**await prefill.prefilled(tx, context, kind, member), **given}
        prefix = f"{context.process.settings.city.reference_prefix}-{now.astimezone(PARIS).year}-"
        await stored.insert(tx, family_id, procedure_id, prefix, kind, member, text_of(given), now)
        await retention.used(tx, context, kind, now)
    return Key(family_id, procedure_id)


async def save_draft(context: Context, key: Key, answers: Any) -> Key:
    """Keep answers as typed; they are checked when the draft is submitted. Raises Refusal: NOT_FOUND,
    MOVE_NOT_ALLOWED, BAD_USER_INPUT for answers that are no object.
    """
    async with context.transaction() as tx:
        draft = await locked(tx, context, key)
        if draft.status != "DRAFT":
            raise context.refusal("MOVE_NOT_ALLOWED", ["procedure"]).about(key.family_id, key.id)
        given = _object(context, answers)
        await stored.save_answers(tx, draft, text_of(given), context.process.clock())
    return key


async def submit(context: Context, key: Key, attests: bool) -> Key:
    """Submit a draft and acknowledge it at once; a repeated call changes nothing.

    The form is that of the version it was started with; whether it is open and has a place left says the version on
    offer. Raises Refusal: NOT_FOUND, ATTESTATION_MISSING (R38), one ANSWER_NOT_VALID per fault, one
    DOCUMENT_MISSING or DOCUMENT_EXPIRED per document, KIND_NOT_OPEN, KIND_FULL, ALREADY_MOVED, MOVE_NOT_ALLOWED.
    """
    now = context.process.clock()
    async with context.transaction() as tx:
        draft = await locked(tx, context, key)
        if draft.status == "SUBMITTED":
            return key
        await permit(tx, context, draft, "SUBMITTED")
        if not attests:
            raise context.refusal("ATTESTATION_MISSING", ["attests"])
        kind = await stored.kind(tx, draft.kind_id)
        check_answers(context, faults(kind.form, msgspec.json.decode(draft.answers)))
        await filing.check_submission(tx, context, draft)
        await stored_kinds.share_code(tx, kind.code)
        on_offer = await stored.kind_on_offer(tx, kind.code)
        intake = (await kinds.check_open(tx, context, on_offer, "procedure", now, hold=True)).opens_on
        implied_on = legal_clock.implied_decision(now, kind.decision_months)
        attested = kind.attestation[context.viewer.language]
        await stored.write_submission(tx, draft, attested, implied_on, intake or stored_kinds.ALWAYS_OPEN, now)
        number = await change_status(tx, context, draft, "SUBMITTED", None, now)
        receipt = await legal_clock.acknowledge(tx, (key.family_id, key.id), kind, now)
        court = context.process.settings.city.court
        await tell(tx, news.submitted(draft, kind, number, receipt, court))
    return key


def check_answers(context: Context, found: list[Fault]) -> None:
    """Raise one ANSWER_NOT_VALID per fault, each with its JSON pointer as path."""
    if found:
        told = [(fault.sentence.to(context.viewer.language), [fault.pointer]) for fault in found]
        raise refusals_of("ANSWER_NOT_VALID", told)


async def move(context: Context, key: Key, to: str, message: str | None = None, *, starts: Set[str] = ANY_STATE) -> Key:
    """Move a procedure from one of the states `starts` and tell its family; a repeated call changes nothing.

    Raises Refusal: NOT_FOUND, ALREADY_MOVED when somebody else moved it first, MOVE_NOT_ALLOWED, BAD_USER_INPUT.
    """
    async with context.transaction() as tx:
        await moved(tx, context, await locked(tx, context, key), to, message, starts)
    return key


async def moved(
    tx: Any, context: Context, before: stored.Procedure, to: str, message: str | None, starts: Set[str] = ANY_STATE
) -> int | None:
    """Move a procedure that is held, as `move` does; give the number of the event, None where it was moved before."""
    now = context.process.clock()
    if before.status == to and (await stored.past(tx, before))[-1] in starts:
        return None
    await permit(tx, context, before, to, starts)
    message = words(context, message, "message" if to == "ACCEPTED" else "reason")
    kind = await stored.kind(tx, before.kind_id)
    number = await change_status(tx, context, before, to, message, now)
    await tell(tx, news.moved(before, kind, number, to, message, now))
    return number


async def permit(tx: Any, context: Context, before: stored.Procedure, to: str, starts: Set[str] = ANY_STATE) -> None:
    """Let the viewer move a procedure from one of the states `starts`, by the table of moves.

    Raises Refusal with the procedure as it stands: ALREADY_MOVED when it has left a state from which the viewer might
    have made this move, MOVE_NOT_ALLOWED for what was never possible.
    """

    def legal(status: str) -> bool:
        return status in starts and MOVES.get(status, {}).get(to) is context.viewer.kind

    if not legal(before.status):
        missed = any(map(legal, await stored.past(tx, before)))
        code = "ALREADY_MOVED" if missed else "MOVE_NOT_ALLOWED"
        raise context.refusal(code, ["procedure"]).about(before.family_id, before.id)


async def change_status(
    tx: Any, context: Context, before: stored.Procedure, to: str, message: str | None, now: datetime
) -> int:
    """Move a procedure by the viewer's hand and write it into the audit log; give the number of the event."""
    viewer = context.viewer
    await context.record(tx, "procedure_moved", family=before.family_id, subject=before.id, to=to)
    return await stored.change_status(
        tx, before, to, uuid7(now), now, actor=viewer.kind.value, agent_id=viewer.agent_id, message=message
    )


async def locked(tx: Any, context: Context, key: Key) -> stored.Procedure:
    """Give a procedure that the viewer sees and hold its row; raises Refusal: NOT_FOUND."""
    found = await stored.lock(tx, key.family_id, key.id)
    if found is None:
        raise context.refusal("NOT_FOUND", ["procedure"])
    return found


def words(context: Context, text: str | None, argument: str) -> str | None:
    """Give what somebody wrote without blanks around it; raises Refusal BAD_USER_INPUT for nothing or too much."""
    if text is None:
        return None
    text = text.strip()
    if not 1 <= len(text) <= LONGEST_WORDS:
        raise context.refusal("BAD_USER_INPUT", [argument])
    return text


async def _claimed(tx: Any, context: Context, key: str, operation: str, parameters: bytes, result: UUID) -> UUID | None:
    if not 8 <= len(key) <= 100:
        raise context.refusal("BAD_USER_INPUT", ["idempotencyKey"])
    try:
        return await idempotency.claim(
            tx, context.viewer.family, key, operation, parameters, result, context.process.clock()
        )
    except idempotency.KeyReused as error:
        raise context.refusal("IDEMPOTENCY_KEY_REUSED", ["idempotencyKey"]) from error


def fingerprint(parameters: dict[str, Any]) -> bytes:
    """Give a hash of a request's parameters, to compare a repeated idempotency key with its first use."""
    return hashlib.sha256(json.dumps(parameters, sort_keys=True, default=str).encode()).digest()


def text_of(answers: Any) -> str:
    """Give answers as JSON text."""
    return msgspec.json.encode(answers).decode()


def _object(context: Context, answers: Any) -> dict[str, Any]:
    """Give answers, by the names of their fields; raises Refusal BAD_USER_INPUT for anything else."""
    if not isinstance(answers, dict):
        raise context.refusal("BAD_USER_INPUT", ["answers"])
    return answers
