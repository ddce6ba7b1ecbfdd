"""What this process does when the database rings: sessions are looked at anew, signing keys loaded again."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any
from uuid import UUID

import structlog

from db.pool import DatabaseUnavailable
from gateway.sockets import TRY_AGAIN, Sockets
from resolvers.session_cache import SessionCache
from resolvers.signing_keys import SigningKeys

log = structlog.get_logger(__name__)

SECOND_LOOK_SECONDS = 1.0
"""A line that was just being opened when its session ended is not yet among the open ones at the first look."""

KEYS_AGAIN_SECONDS = 2.0


class Bells:
    """The bells of one process."""

    def __init__(self, sessions: SessionCache, sockets: Sockets, signing_keys: SigningKeys) -> None:
        self._sessions = sessions
        self._sockets = sockets
        self._signing_keys = signing_keys
        self._work: set[asyncio.Task[None]] = set()

    @property
    def by_channel(self) -> Mapping[str, Callable[[str], None]]:
        """Give what to call, with the words of the notification, by channel."""
        return {
            "kiosque_session": lambda session_id: self._session_changed(UUID(session_id)),
            "kiosque_signing_key": lambda _: self._start(self._load_keys()),
        }

    def all_rang(self) -> None:
        """Do everything that a bell can ask for: they may have been out of reach."""
        self._sessions.forget_all()
        self._start(self._look(self._sockets.sessions()))
        self._start(self._load_keys())

    async def close(self) -> None:
        """Stop what is under way; nobody rings any more."""
        for task in self._work:
            task.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)

    def _session_changed(self, session_id: UUID) -> None:
        self._sessions.forget(session_id)
        self._look_if_open(session_id)
        asyncio.get_running_loop().call_later(SECOND_LOOK_SECONDS, self._look_if_open, session_id)

    def _look_if_open(self, session_id: UUID) -> None:
        if self._sockets.has_session(session_id):
            self._start(self._look([session_id]))

    async def _look(self, session_ids: list[UUID]) -> None:
        """Close the lines of sessions that have ended; where nobody can tell, the client must come back."""
        for session_id in session_ids:
            try:
                if await self._sessions.state(session_id) is None:
                    self._sockets.close_session(session_id)
            except DatabaseUnavailable:
                self._sockets.close_session(session_id, TRY_AGAIN, "Connect again")

    async def _load_keys(self) -> None:
        while True:
            try:
                await self._signing_keys.reload()
                return
            except DatabaseUnavailable:
                log.warning("signing_keys_not_loaded")
                await asyncio.sleep(KEYS_AGAIN_SECONDS)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)
