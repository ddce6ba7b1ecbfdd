"""Who a session stands for, remembered for two seconds so that a request seldom asks the database."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from uuid import UUID

from db import sessions as stored
from db.clock import Clock
from db.pool import Database
from resolvers.viewer import SYSTEM_SIGHT

SECONDS = 2.0
REMEMBERED = 20_000


@dataclass(frozen=True, slots=True)
class _Known:
    state: stored.State | None
    until: float


class SessionCache:
    """The sessions that this process has lately seen; one that ended is forgotten as soon as the database rings."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._known: OrderedDict[UUID, _Known] = OrderedDict()
        self._forgotten = 0

    async def state(self, session_id: UUID) -> stored.State | None:
        """Give a live session, or None; at most two seconds old. Raises DatabaseUnavailable."""
        now = asyncio.get_running_loop().time()
        known = self._known.get(session_id)
        if known is not None and known.until > now:
            return known.state
        forgotten = self._forgotten
        state = await self._read(session_id)
        # What was read while a session ended may be from before its end: good for this request, not for the next.
        if forgotten == self._forgotten:
            self._known[session_id] = _Known(state, now + SECONDS)
            self._known.move_to_end(session_id)
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return state

    def forget(self, session_id: UUID) -> None:
        """Ask the database anew the next time."""
        self._forgotten += 1
        self._known.pop(session_id, None)

    def forget_all(self) -> None:
        """Ask the database anew for every session."""
        self._forgotten += 1
        self._known.clear()

    async def _read(self, session_id: UUID) -> stored.State | None:
        async with self._database.transaction(SYSTEM_SIGHT) as tx:
            return await stored.state(tx, session_id, self._clock())
