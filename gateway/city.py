"""What concerns everybody at once, watched by every gateway: maintenance (R8), and terms of use that come into force
(R3).

The database rings when either is changed; what the clock alone changes is seen by looking every second.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from math import ceil

import asyncpg
import structlog

from db import service_status, terms
from db.pool import DatabaseUnavailable
from gateway.errors import RequestRefused, log_failure
from gateway.execution import Closing, Listener
from gateway.live import Live
from resolvers.context import Context, Process
from resolvers.viewer import SYSTEM_SIGHT
from schema.access import Access

log = structlog.get_logger(__name__)

POLL_SECONDS = 1.0
SETTLING_SECONDS = 10.0
"""How long streams are looked at again after new terms came into force: one may just have been let in by what was
remembered of its session from before."""


def refuse_in_maintenance(context: Context, wanted: Sequence[Access]) -> None:
    """Raise RequestRefused (MAINTENANCE, with the notice) when a command does not work at present for this viewer."""
    process, viewer = context.process, context.viewer
    now = process.clock()
    running = process.status.running(now)
    if running is None:
        return
    agents = process.status.agents_may_work(now)
    if not all(access.works_in_maintenance(viewer, agents_may_work=agents) for access in wanted):
        notice = running.message_en if viewer.language == "en" else running.message_fr
        raise RequestRefused("MAINTENANCE", notice, headers=_retry_after(running, now))


def _retry_after(running: service_status.Maintenance, now: datetime) -> dict[str, str]:
    """Say when to come back, where that is known (RFC 9110, section 10.2.3)."""
    if running.ends_at is None:
        return {}
    return {"Retry-After": str(max(1, ceil((running.ends_at - now).total_seconds())))}


@dataclass(slots=True, eq=False)
class StatusStream:
    """One client that follows the status."""

    group: Hashable
    """Streams of one group get the same bytes."""
    render: Callable[[], Awaitable[bytes]]
    listener: Listener
    last: bytes = b""


class City:
    """What one gateway knows of the whole city, and who is told of it."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._bell = asyncio.Event()
        self._streams: set[StatusStream] = set()
        self._turn = asyncio.Lock()
        self._told: object = None
        self._version: int | None = None
        self._settled_at = 0.0

    def rang(self, _: str = "") -> None:
        """Look anew: something was changed, or may have been."""
        self._bell.set()

    async def run(self, live: Live) -> None:
        """Watch for ever; a database that is away is asked again, and no fault ends it."""
        while True:
            self._bell.clear()
            try:
                await self.look(live)
            except (DatabaseUnavailable, RequestRefused, asyncpg.PostgresError, TimeoutError) as trouble:
                log.warning("city_not_seen", kind=type(trouble).__name__)
            except Exception as fault:
                log_failure(fault, "")
            try:
                async with asyncio.timeout(POLL_SECONDS):
                    await self._bell.wait()
            except TimeoutError:
                continue

    async def look(self, live: Live | None = None) -> None:
        """See what has changed, and tell it; raises DatabaseUnavailable, and what a rendering raises."""
        now = self._process.clock()
        async with self._process.database.connection() as connection:
            self._process.status.learn(await service_status.not_over(connection, now))
            version = await terms.in_force(connection, now)
        await self._close_terms_gate(version, live)
        await self._tell_status(now)

    async def follow(self, stream: StatusStream) -> Closing:
        """Give a client the status as it is, then each change; raises what its rendering raises."""
        async with self._turn:
            self._push(stream, await stream.render())
            self._streams.add(stream)
        return Closing(partial(self._streams.discard, stream))

    async def _tell_status(self, now: datetime) -> None:
        told = self._process.status.told(now)
        if told == self._told:
            return
        async with self._turn:
            groups: dict[Hashable, list[StatusStream]] = defaultdict(list)
            for stream in self._streams:
                groups[stream.group].append(stream)
            for streams in groups.values():
                body = await streams[0].render()
                for stream in streams:
                    self._push(stream, body)
        self._told = told

    def _push(self, stream: StatusStream, body: bytes) -> None:
        if body != stream.last:
            stream.last = body
            stream.listener.push(body)

    async def _close_terms_gate(self, version: int | None, live: Live | None) -> None:
        """End the streams of who has not accepted the terms that have come into force."""
        now = asyncio.get_running_loop().time()
        if version != self._version:
            if self._version is not None:
                self._process.sessions.forget_all()
                self._settled_at = now + SETTLING_SECONDS
            self._version = version
        if version is not None and now < self._settled_at and live is not None and (accounts := live.accounts()):
            async with self._process.database.transaction(SYSTEM_SIGHT) as tx:
                live.close_terms_gate(await terms.not_accepted_by(tx, accounts, version))
