"""Every open live connection of this process, so that it can be counted and closed.

A connection is closed at once when its session ends, when its token expires, and when the process stops.
"""

import asyncio
from collections import defaultdict
from typing import Protocol
from uuid import UUID

from resolvers.viewer import Viewer

GOING_AWAY = 1001
TRY_AGAIN = 1013
FORBIDDEN = 4403
TOO_MANY = 4429
"""An account has its share of connections open. Clients do not try again by themselves after this code."""


class Line(Protocol):
    """One live connection: a WebSocket or a stream of events."""

    def hang_up(self, code: int, reason: str) -> None:
        """Tell the client why and close; sent in the same tick, never blocks, harmless when repeated."""


class Sockets:
    """The open lines, by account and by session."""

    def __init__(self, an_account: int = 5) -> None:
        self._most = an_account
        self._lines: set[Line] = set()
        self._of_account: dict[UUID, set[Line]] = defaultdict(set)
        self._of_session: dict[UUID, set[Line]] = defaultdict(set)
        self._all_gone = asyncio.Event()
        self.stopping = False
        """True once the process stops; new lines are refused."""

    def __len__(self) -> int:
        return len(self._lines)

    def open(self, line: Line) -> None:
        """Know a line, before anybody has signed in on it."""
        self._lines.add(line)

    def admit(self, line: Line, viewer: Viewer) -> bool:
        """Count a line for who has signed in on it; False when the account has its share already."""
        account = viewer.login
        if account is not None:
            if len(self._of_account[account]) >= self._most:
                return False
            self._of_account[account].add(line)
        if viewer.session_id is not None:
            self._of_session[viewer.session_id].add(line)
        return True

    def forget(self, line: Line, viewer: Viewer | None) -> None:
        """Drop a line that has ended."""
        self._lines.discard(line)
        if viewer is not None:
            _drop(self._of_account, viewer.login, line)
            _drop(self._of_session, viewer.session_id, line)
        if self.stopping and not self._lines:
            self._all_gone.set()

    def has_session(self, session_id: UUID) -> bool:
        """Tell whether a session has a line open."""
        return session_id in self._of_session

    def sessions(self) -> list[UUID]:
        """Give the sessions that have a line open."""
        return list(self._of_session)

    def close_session(self, session_id: UUID, code: int = FORBIDDEN, reason: str = "Session ended") -> None:
        """Close every line of a session, because it has ended unless told otherwise."""
        for line in list(self._of_session.get(session_id, ())):
            line.hang_up(code, reason)

    def close_all(self, code: int = GOING_AWAY) -> None:
        """Close every line and refuse new ones."""
        self.stopping = True
        for line in list(self._lines):
            line.hang_up(code, "Server is stopping")

    async def stop(self, seconds: float = 3.0) -> None:
        """Close every line (1001) and wait until they are gone, at most so long."""
        self.close_all()
        if self._lines:
            try:
                await asyncio.wait_for(self._all_gone.wait(), seconds)
            except TimeoutError:
                return


def _drop(index: dict[UUID, set[Line]], key: UUID | None, line: Line) -> None:
    if key is not None and key in index:
        index[key].discard(line)
        if not index[key]:
            del index[key]
