"""Procedures (démarches): from the first draft to the decision."""

import hashlib
import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
from dateutil.relativedelta import relativedelta

from db import idempotency
from db import procedures as stored
from db.clock import PARIS
from db.ids import uuid7
from db.outbox import tell
from resolvers import news, retention
from resolvers.context import Context
from resolvers.forms import faults
from resolvers.problems import Refusal
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


@dataclass(frozen=True, slots=True)
class Key:
    """The key of a procedure; what a client sees of it is read by the planner."""

    family_id: UUID
    id: UUID


async def start(context: Context, kind_code: str, member: UUID | None, answers: Any, idempotency_key: str) -> Key:
    """Start a draft; a repeated call with the same key gives the same draft.

    Raises Refusal: KIND_NOT_OPEN, NOT_FOUND for a foreign member, IDEMPOTENCY_KEY_REUSED.
    """
    now, family_id = context.process.clock(), context.viewer.family
    parameters = fingerprint({"kind": kind_code, "member": member, "answers": answers})
    async with context.transaction() as tx:
        procedure_id = uuid7(now)
        first = await _claimed(tx, context, idempotency_key, "startProcedure", parameters, procedure_id)
        if first is not None:
            return Key(family_id, first)
        kind = await stored.kind_on_offer(tx, kind_code)
        if kind is None:
            raise context.refusal("KIND_NOT_OPEN", ["kind"])
        if member is not None and not await stored.member_exists(tx, family_id, member):
            raise context.refusal("NOT_FOUND", ["member"])
        prefix = f"{context.process.settings.city.reference_prefix}-{now.astimezone(PARIS).year}-"
        await stored.insert(tx, family_id, procedure_id, prefix, kind, member, _text(answers or {}), now)
        await retention.used(tx, context, kind, now)
    return Key(family_id, procedure_id)


async def save_draft(context: Context, key: Key, answers: Any) -> Key:
    """Keep answers as typed; they are checked when the draft is submitted. Raises Refusal: NOT_FOUND,
    MOVE_NOT_ALLOWED.
    """
    async with context.transaction() as tx:
        draft = await _locked(tx, context, key)
        if draft.status != "DRAFT":
            raise context.refusal("MOVE_NOT_ALLOWED", ["procedure"])
        await stored.save_answers(tx, draft, _text(answers), context.process.clock())
    return key


async def submit(context: Context, key: Key, attests: bool) -> Key:
    """Submit a draft and acknowledge it at once; a repeated call changes nothing.

    Raises Refusal: NOT_FOUND, ATTESTATION_MISSING (R38), one ANSWER_NOT_VALID per fault, MOVE_NOT_ALLOWED.
    """
    now = context.process.clock()
    async with context.transaction() as tx:
        draft = await _locked(tx, context, key)
        if draft.status == "SUBMITTED":
            return key
        permit(context, draft.status, "SUBMITTED")
        if not attests:
            raise context.refusal("ATTESTATION_MISSING", ["attests"])
        kind = await stored.kind(tx, draft.kind_id)
        _check_answers(context, kind, draft)
        implied_on = implied_decision(now, kind.decision_months)
        await stored.write_submission(tx, draft, kind.attestation[context.viewer.language], implied_on, now)
        number = await _change_status(tx, context, draft, "SUBMITTED", None, now)
        await tell(tx, news.submitted(draft, kind, number, now, implied_on.isoformat()))
    return key


def implied_decision(submitted_at: datetime, months: int) -> date:
    """Give the day on which silence decides: `months` after the day of receipt in Paris (CRPA L231-1, L231-6)."""
    day: date = submitted_at.astimezone(PARIS).date() + relativedelta(months=months)
    return day


def _check_answers(context: Context, kind: stored.Kind, draft: stored.Procedure) -> None:
    found = faults(kind.form, msgspec.json.decode(draft.answers))
    if found:
        refusals = [
            Refusal("ANSWER_NOT_VALID", fault.sentence.to(context.viewer.language), [fault.pointer]) for fault in found
        ]
        refusals[0].also = refusals[1:]
        raise refusals[0]


async def move(context: Context, key: Key, to: str, message: str | None = None) -> Key:
    """Move a procedure and tell its family; a repeated call changes nothing.

    Raises Refusal: NOT_FOUND, ALREADY_MOVED when somebody else moved it first, MOVE_NOT_ALLOWED.
    """
    now = context.process.clock()
    async with context.transaction() as tx:
        before = await _locked(tx, context, key)
        if before.status == to:
            return key
        permit(context, before.status, to)
        kind = await stored.kind(tx, before.kind_id)
        number = await _change_status(tx, context, before, to, message, now)
        await tell(tx, news.moved(before, kind, number, to, message, now))
    return key


def permit(context: Context, before: str, to: str) -> None:
    """Raise ALREADY_MOVED when the state that the move starts from is past, MOVE_NOT_ALLOWED for what is no move at
    all.
    """
    if MOVES.get(before, {}).get(to) is context.viewer.kind:
        return
    decided = {"ACCEPTED", "REJECTED", "CLOSED", "WITHDRAWN"}
    code = "ALREADY_MOVED" if before in decided and to in decided else "MOVE_NOT_ALLOWED"
    raise context.refusal(code, ["procedure"])


async def _change_status(
    tx: Any, context: Context, before: stored.Procedure, to: str, message: str | None, now: datetime
) -> int:
    viewer = context.viewer
    await context.record(tx, "procedure_moved", family=before.family_id, subject=before.id, to=to)
    return await stored.change_status(
        tx, before, to, uuid7(now), now, actor=viewer.kind.value, agent_id=viewer.agent_id, message=message
    )


async def _locked(tx: Any, context: Context, key: Key) -> stored.Procedure:
    found = await stored.lock(tx, key.family_id, key.id)
    if found is None:
        raise context.refusal("NOT_FOUND", ["procedure"])
    return found


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


def _text(answers: Any) -> str:
    return msgspec.json.encode(answers).decode()
