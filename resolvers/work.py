"""The work of agents: who is in charge of a procedure, and moves of many at once."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from db import work as stored
from db.procedures import Procedure
from resolvers.context import Context
from resolvers.problems import Refusal
from resolvers.procedures import ANY_STATE, TO_REOPEN, Key, locked, move, moved, permit
from resolvers.sentences import SENTENCES

TAKEN_FROM = frozenset({"SUBMITTED"})
IN_HAND = frozenset({"IN_REVIEW", "AWAITING_FAMILY"})
OPEN = TAKEN_FROM | IN_HAND
MOST_AT_ONCE = 100
AT_ONCE = 4
"""Procedures that one request moves at the same time: the pool has connections for others."""


async def take(context: Context, key: Key) -> Key:
    """Take charge of a procedure; a submitted one goes into review. A repeated call changes nothing.

    Raises Refusal: NOT_FOUND, ALREADY_MOVED when another agent is in charge or it was decided, MOVE_NOT_ALLOWED.
    """
    agent_id = context.viewer.agent
    async with context.transaction() as tx:
        before = await locked(tx, context, key)
        if before.status not in OPEN:
            await permit(tx, context, before, "IN_REVIEW", TAKEN_FROM)
        if before.assigned_agent_id not in (None, agent_id):
            sentence = SENTENCES["ALREADY_TAKEN"].to(context.viewer.language)
            raise Refusal("ALREADY_MOVED", sentence, ["procedure"]).about(key.family_id, key.id)
        if before.status == "SUBMITTED":
            await moved(tx, context, before, "IN_REVIEW", None, TAKEN_FROM)
        elif before.assigned_agent_id is None:
            await stored.assign(tx, before, agent_id)
            await _record(tx, context, before, agent_id)
    return key


async def assign(context: Context, key: Key, agent_id: UUID | None) -> Key:
    """Put an agent of the service in charge of an open procedure, or nobody; a repeated call changes nothing.

    Raises Refusal: NOT_FOUND for the procedure or an agent who does not handle those of its service, ALREADY_MOVED
    when it was decided.
    """
    async with context.transaction() as tx:
        before = await locked(tx, context, key)
        if agent_id is not None and not await stored.can_handle(tx, agent_id, before.service_id):
            raise context.refusal("NOT_FOUND", ["colleague"])
        if before.status not in OPEN:
            raise context.refusal("ALREADY_MOVED", ["procedure"]).about(key.family_id, key.id)
        if before.assigned_agent_id != agent_id:
            await stored.assign(tx, before, agent_id)
            await _record(tx, context, before, agent_id)
    return key


async def _record(tx: object, context: Context, procedure: Procedure, agent_id: UUID | None) -> None:
    who = str(agent_id) if agent_id else None
    await context.record(tx, "procedure_assigned", family=procedure.family_id, subject=procedure.id, agent=who)


Command = Callable[[Context, Key, str | None], Awaitable[Key]]


def _move_to(to: str, starts: frozenset[str] = ANY_STATE) -> Command:
    return lambda context, key, words: move(context, key, to, words, starts=starts)


COMMANDS: dict[str, Command] = {
    "TAKE": lambda context, key, _: take(context, key),
    "RELEASE": lambda context, key, _: assign(context, key, None),
    "ACCEPT": _move_to("ACCEPTED"),
    "REJECT": _move_to("REJECTED"),
    "CLOSE": _move_to("CLOSED"),
    "REOPEN": _move_to("IN_REVIEW", TO_REOPEN),
}
"""What can be done to many procedures at once, each as if it were alone."""

WITH_REASON = frozenset({"REJECT", "CLOSE", "REOPEN"})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one procedure of many; `key` is None where it was not found."""

    key: Key | None
    refused: Refusal | None


async def do_all(context: Context, action: str, keys: Sequence[Key | Refusal], message: str | None) -> list[Outcome]:
    """Do the same to up to 100 procedures; give the outcomes in the same order.

    Each is a transaction of its own: what one refusal stops is that procedure alone, no lock is held for the sake of
    another, and a request that is sent again goes on where the first one was cut. Raises Refusal BAD_USER_INPUT for too
    many, or without the reason that the action needs.
    """
    if len(keys) > MOST_AT_ONCE:
        raise context.refusal("BAD_USER_INPUT", ["procedures"])
    if action in WITH_REASON and message is None:
        raise context.refusal("BAD_USER_INPUT", ["message"])
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(place: int, key: Key | Refusal) -> Outcome:
        try:
            if isinstance(key, Refusal):
                raise key
            async with turns:
                return Outcome(await COMMANDS[action](context, key, message), None)
        except Refusal as refused:
            refused.path = ["procedures", str(place)]
            return Outcome(Key(*refused.row) if refused.row else None, refused)

    return await asyncio.gather(*(one(place, key) for place, key in enumerate(keys)))
