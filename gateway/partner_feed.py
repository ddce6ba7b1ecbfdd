"""Live streams of partners: each gateway reads what is new in the feed once and hands it to partners of its services.

A stream replays what it missed, then is live. Places of the feed become visible in their order, so that the last place
that a stream was pushed is all that must be known of it.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from functools import partial

import asyncpg
import msgspec
import structlog

from db import feed
from db.feed import FeedRow
from db.pool import DatabaseUnavailable
from gateway.errors import log_failure, refused_by
from gateway.execution import Closing, Listener
from resolvers.context import Context, Process
from resolvers.viewer import SYSTEM_SIGHT

log = structlog.get_logger(__name__)

POLL_SECONDS = 2.0
REPLAYS_AT_ONCE = 2


@dataclass(slots=True, eq=False)
class FeedStream:
    """One partner that follows the feed."""

    context: Context
    group: Hashable
    """Streams of one group get the same bytes."""
    render: Callable[[FeedRow], Awaitable[bytes]]
    listener: Listener
    position: int
    """The last place that was pushed or passed by."""
    live: bool = False
    missed: bool = False
    """True when a step was told while the replay was reading."""
    closed: bool = False


class PartnerFeed:
    """All live streams of the feed in one gateway."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._streams: set[FeedStream] = set()
        self._bell = asyncio.Event()
        self._turns = asyncio.Semaphore(REPLAYS_AT_ONCE)
        self._replays: set[asyncio.Task[None]] = set()
        self._position = 0

    def __len__(self) -> int:
        return len(self._streams)

    def rang(self, _: str = "") -> None:
        """Read on: the feed has grown, or may have."""
        self._bell.set()

    async def open(self) -> None:
        """Begin at the present end of the feed; raises DatabaseUnavailable."""
        self._position = await self.end()

    async def end(self) -> int:
        """Give the last place of the feed; raises DatabaseUnavailable."""
        async with self._process.database.connection() as connection:
            return await feed.end(connection)

    def follow(self, stream: FeedStream) -> Closing:
        """Begin a stream behind its place."""
        self._streams.add(stream)
        task = asyncio.create_task(self._replay(stream))
        self._replays.add(task)
        task.add_done_callback(self._replays.discard)
        return Closing(partial(self.leave, stream))

    def leave(self, stream: FeedStream) -> None:
        """Forget a stream whose client has gone."""
        stream.closed = True
        self._streams.discard(stream)

    async def run(self) -> None:
        """Tell what is new, for ever; a database that is away is asked again, and no fault ends it."""
        while True:
            self._bell.clear()
            try:
                await self._read()
            except (DatabaseUnavailable, asyncpg.PostgresError, TimeoutError) as trouble:
                log.warning("feed_not_read", kind=type(trouble).__name__)
            except Exception as fault:
                log_failure(fault, "")
            try:
                async with asyncio.timeout(POLL_SECONDS):
                    await self._bell.wait()
            except TimeoutError:
                continue

    async def _read(self) -> None:
        while True:
            async with self._process.database.transaction(SYSTEM_SIGHT) as tx:
                rows = await feed.since(tx, self._position) if self._streams else []
                end = await feed.end(tx)
            if not self._streams:
                # One that came while this was read may have looked before it: then nothing is passed over.
                self._position = end
            for row in rows:
                await self._tell(row)
                self._position = row.position
            if len(rows) < feed.BATCH:
                return

    async def _tell(self, row: FeedRow) -> None:
        groups: dict[Hashable, list[FeedStream]] = defaultdict(list)
        for stream in self._streams:
            if row.service_id not in stream.context.viewer.services:
                continue
            if not stream.live:
                stream.missed = True
            elif row.position > stream.position:
                groups[stream.group].append(stream)
        for streams in groups.values():
            try:
                body = await streams[0].render(row)
            except Exception as failure:
                for stream in streams:
                    self._fail(stream, failure)
                continue
            for stream in streams:
                self._push(stream, row, body)

    async def _replay(self, stream: FeedStream) -> None:
        """Push what a stream missed; what is told meanwhile makes it look once more."""
        try:
            while not stream.closed:
                stream.missed = False
                async with self._turns:
                    rows = await self._missed(stream)
                    for row in rows:
                        self._push(stream, row, await stream.render(row))
                if not rows and not stream.missed:
                    stream.live = True
                    return
        except Exception as failure:
            self._fail(stream, failure)

    async def _missed(self, stream: FeedStream) -> list[FeedRow]:
        async with stream.context.look() as tx:
            return await feed.after(tx, stream.position, stream.context.viewer.services)

    def _push(self, stream: FeedStream, row: FeedRow, body: bytes) -> None:
        if not stream.closed:
            stream.position = row.position
            stream.listener.push(body)

    def _fail(self, stream: FeedStream, failure: Exception) -> None:
        """End a stream that cannot be told: its client resumes behind its last cursor."""
        if not stream.closed:
            self.leave(stream)
            refused = refused_by(failure, stream.context.request_id)
            stream.listener.end(msgspec.json.encode(refused.errors))
