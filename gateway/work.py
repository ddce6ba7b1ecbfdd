"""Live work lists: whoever follows the work of a service hears of each procedure that changes.

The database rings with the procedure's key when a change is committed. Nothing is replayed: a stream that may have
missed something is told to look anew.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from functools import partial
from uuid import UUID

import msgspec

from gateway.errors import refused_by
from gateway.execution import Closing, Listener
from resolvers.context import Context

AT_ONCE = 3
"""Changes that are read at the same time: the pool has connections for requests."""


@dataclass(frozen=True, slots=True)
class Change:
    """A procedure that changed; a stream's selection starts from it."""

    family_id: UUID
    procedure_id: UUID


@dataclass(slots=True, eq=False)
class WorkStream:
    """One agent who follows the work of its services."""

    context: Context
    key: str
    """Under what the answer gives the root field."""
    group: Hashable
    """Streams of one group get the same bytes."""
    render: Callable[[Change], Awaitable[bytes | None]]
    """Gives the answer for a change; None when it is out of the agent's sight."""
    listener: Listener


class Work:
    """All live work lists of one gateway."""

    def __init__(self) -> None:
        self._of_service: dict[UUID, set[WorkStream]] = defaultdict(set)
        self._changed: dict[Change, UUID] = {}
        self._bell = asyncio.Event()
        self._turns = asyncio.Semaphore(AT_ONCE)

    def __len__(self) -> int:
        return len(self._streams())

    def follow(self, stream: WorkStream) -> Closing:
        """Begin a stream: it hears at once that it is live, then of each change."""
        for service_id in stream.context.viewer.services:
            self._of_service[service_id].add(stream)
        _look_anew(stream)
        return Closing(partial(self.leave, stream))

    def leave(self, stream: WorkStream) -> None:
        """Forget a stream whose client has gone."""
        for service_id in stream.context.viewer.services:
            streams = self._of_service.get(service_id, set())
            streams.discard(stream)
            if not streams:
                self._of_service.pop(service_id, None)

    def rang(self, told: str) -> None:
        """Note a change; several of one procedure that nobody was told of yet are one."""
        service_id, family_id, procedure_id = map(UUID, told.split())
        if service_id in self._of_service:
            self._changed[Change(family_id, procedure_id)] = service_id
            self._bell.set()

    def all_rang(self) -> None:
        """Let everybody look anew: changes may have been out of reach."""
        self._changed.clear()
        for stream in self._streams():
            _look_anew(stream)

    async def run(self) -> None:
        """Tell changes for ever."""
        while True:
            await self._bell.wait()
            self._bell.clear()
            changed, self._changed = self._changed, {}
            await asyncio.gather(*(self._tell(change, service_id) for change, service_id in changed.items()))

    async def _tell(self, change: Change, service_id: UUID) -> None:
        groups: dict[Hashable, list[WorkStream]] = defaultdict(list)
        for stream in self._of_service.get(service_id, ()):
            groups[stream.group].append(stream)
        for streams in groups.values():
            try:
                async with self._turns:
                    body = await streams[0].render(change)
            except Exception as failure:
                for stream in streams:
                    self._fail(stream, failure)
                continue
            for stream in streams:
                if body is not None:
                    stream.listener.push(body)

    def _fail(self, stream: WorkStream, failure: Exception) -> None:
        """End a stream that cannot be told: its client follows again and looks anew."""
        self.leave(stream)
        refused = refused_by(failure, stream.context.request_id)
        stream.listener.end(msgspec.json.encode(refused.errors))

    def _streams(self) -> set[WorkStream]:
        return {stream for streams in self._of_service.values() for stream in streams}


def _look_anew(stream: WorkStream) -> None:
    stream.listener.push(msgspec.json.encode({"data": {stream.key: None}}))
