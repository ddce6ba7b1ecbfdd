"""What came of deliveries is written, and what failed for good goes to the next channel: one transaction each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg

from db import dispatch, lanes, receipts
from db.dispatch import Fallen, Note
from db.ids import uuid7
from db.lanes import Connection, Held

BATCH = 100
"""Lanes that one round of tidying takes."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a lane has to say: the end of an attempt, that it is given back, or both."""

    held: Held
    note: Note | None = None
    retire: str | None = None
    """Why the lane's address is dead, if it is."""

    give_back: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a batch of results."""

    done: list[Result]
    busy: list[Result]
    """A producer is just adding to these lanes: to be written with the next batch."""

    lost: list[Result]
    """Others hold these lanes now; nothing was written."""

    more: bool
    """A lane that was given back is due again: something came while it was in hand, when nobody hears the bell."""


async def write(pool: asyncpg.Pool, results: Sequence[Result], now: datetime) -> Written:
    """Write a batch of results, one of a lane at the most."""
    by_lane = {result.held: result for result in results}
    more = False
    async with pool.acquire() as connection:
        async with connection.transaction():
            locked = [by_lane[held] for held in await lanes.lock(connection, list(by_lane))]
            if locked:
                more = await _write_locked(connection, locked, now)
        missed = [held for held in by_lane if by_lane[held] not in locked]
        valid = set(await lanes.still_held(connection, missed)) if missed else set()
    return Written(
        locked,
        [by_lane[held] for held in missed if held in valid],
        [by_lane[held] for held in missed if held not in valid],
        more,
    )


async def _write_locked(tx: Connection, results: Sequence[Result], now: datetime) -> bool:
    """Gives whether more is due."""
    fallen: Fallen = []
    notes = [(result.held.family_id, result.note) for result in results if result.note]
    if notes:
        fallen += await dispatch.write(tx, notes)
    gone = [(result.held, result.retire) for result in results if result.retire]
    if gone:
        await dispatch.retire(tx, gone, now)
        fallen += await dispatch.empty(tx, [held for held, _ in gone])
    await fall_back(tx, fallen, now)
    given_back = [result.held for result in results if result.give_back]
    return bool(given_back) and await lanes.settle(tx, given_back, now)


async def fall_back(tx: Connection, fallen: Fallen, now: datetime) -> None:
    """Order the fallen deliveries anew, on the next channel of the family's list that can reach it (R13)."""
    if not fallen:
        return
    places = await dispatch.reachable(tx, fallen)
    if places:
        await dispatch.tell(tx, [(uuid7(now), place) for place in places], now)


async def take_back_lost(pool: asyncpg.Pool, now: datetime, crashes: int) -> int:
    """Free the lanes of dispatchers that died; gives their number.

    The first delivery of each counts a crash, and at `crashes` of them becomes a dead letter.
    """
    async with pool.acquire() as connection, connection.transaction():
        lost = await lanes.take_lost(connection, now, BATCH)
        if lost:
            await fall_back(connection, await dispatch.count_crashes(connection, lost, crashes), now)
            await lanes.settle(connection, lost, now)
    return len(lost)


async def take_receipts(pool: asyncpg.Pool, now: datetime, wait: timedelta) -> int:
    """Move receipts that came into their deliveries, and stop waiting for those that are overdue.

    What bounced for now is due again in `wait`. Gives the number of deliveries that go to their next channel, if there
    is one.
    """
    async with pool.acquire() as connection, connection.transaction():
        fallen = await receipts.take(connection, now, BATCH, wait)
        fallen += await receipts.time_out(connection, now, BATCH)
        await fall_back(connection, fallen, now)
    return len(fallen)


async def give_up_stale(pool: asyncpg.Pool, now: datetime, after: timedelta, working: Sequence[str]) -> int:
    """Give up what could not be sent within `after`, also where a channel is not `working` and nothing was tried.

    Gives the number of deliveries that go to their next channel, if there is one.
    """
    async with pool.acquire() as connection, connection.transaction():
        stale = await lanes.take_stale(connection, now - after, working, BATCH)
        if not stale:
            return 0
        fallen = await dispatch.give_up(connection, stale, now - after)
        await fall_back(connection, fallen, now)
        await lanes.settle(connection, stale, now)
    return len(fallen)
