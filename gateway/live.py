"""The hub of live streams: reads each item of news once and hands it to the streams that follow it.

A stream replays what it missed, then is live; the change from one to the other loses and doubles nothing, because an
item that arrives meanwhile makes the replay look once more. An idle stream is an entry in an index: it has no task.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import structlog

from db import news
from db.news import NewsRow
from db.pool import API_ROLE, UNREACHABLE, Database, connect
from gateway.errors import refused_by
from gateway.execution import Closing, Listener
from resolvers.problems import refusal
from resolvers.streams import Follow

log = structlog.get_logger(__name__)

POLL_SECONDS = 0.5
RECONNECT_SECONDS = 0.5
FAMILIES_AT_ONCE = 6
REPLAYS_AT_ONCE = 3
"""Both together leave connections of the pool to requests, also when all clients come back at once after a cut."""

INBOX_BELL = "kiosque_inbox"
"""Rings with a family's id when items of its inbox are marked as read."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a stream of an inbox is told: how things stand with a family."""

    family_id: UUID


Render = Callable[[Any], Awaitable[bytes]]
"""Makes the bytes of an item of news, or of a Standing."""

Bell = Callable[[str], None]
"""Called with what the database says when it rings; never blocks."""


@dataclass(slots=True, eq=False)
class Stream:
    """One subscription of one client."""

    follow: Follow
    group: Hashable
    """Streams of one group get the same bytes for the same item."""
    render: Render
    listener: Listener
    seq: int = 0
    """Number of the last item pushed."""
    live: bool = False
    missed: bool = False
    """True when an item came while the replay was reading."""
    closed: bool = False
    inbox: bool = False
    """It is told how the inbox stands, and no items of news."""


class Live:
    """All live streams of one gateway; also hears, for others, what else the database rings about."""

    def __init__(self, dsn: str, bells: Mapping[str, Bell], on_reconnect: Sequence[Callable[[], None]]) -> None:
        """`bells` are called by the channel that rings; `on_reconnect` when some may have been missed."""
        self._dsn = dsn
        self._bells = {**bells, INBOX_BELL: self.inbox_rang}
        self._on_reconnect = on_reconnect
        self._of_family: dict[UUID, set[Stream]] = defaultdict(set)
        self._bell = asyncio.Event()
        self._changed: set[UUID] = set()
        self._inbox_bell = asyncio.Event()
        self._seen: set[tuple[UUID, int]] = set()
        self._horizon = ""
        self._turns = asyncio.Semaphore(FAMILIES_AT_ONCE)
        self._replay_turns = asyncio.Semaphore(REPLAYS_AT_ONCE)
        self._replays: set[asyncio.Task[None]] = set()
        self.pushed = 0
        """Events pushed, for /metrics."""

    def __len__(self) -> int:
        return sum(map(len, self._of_family.values()))

    async def open(self, database: Database) -> None:
        """Begin at the present end of the news, before any stream does; raises DatabaseUnavailable."""
        async with database.connection() as connection:
            self._horizon = await news.horizon(connection)

    def follow(self, stream: Stream) -> Closing:
        """Begin a stream: its replay runs beside, what comes meanwhile is not lost."""
        stream.seq = stream.follow.after
        self._of_family[stream.follow.family_id].add(stream)
        task = asyncio.create_task(self._replay(stream))
        self._replays.add(task)
        task.add_done_callback(self._replays.discard)
        return Closing(partial(self.leave, stream))

    def follow_inbox(self, stream: Stream) -> Closing:
        """Begin a stream of an inbox: it is told at once how that stands."""
        self._of_family[stream.follow.family_id].add(stream)
        self._inbox_changed(stream.follow.family_id)
        return Closing(partial(self.leave, stream))

    def inbox_rang(self, told: str) -> None:
        """Note that something was marked as read."""
        self._inbox_changed(UUID(told))

    def _inbox_changed(self, family_id: UUID) -> None:
        if any(stream.inbox for stream in self._of_family.get(family_id, ())):
            self._changed.add(family_id)
            self._inbox_bell.set()

    async def run_inboxes(self) -> None:
        """Tell for ever how inboxes stand; what changes while one is read is told together next."""
        while True:
            await self._inbox_bell.wait()
            self._inbox_bell.clear()
            changed, self._changed = self._changed, set()
            await asyncio.gather(*map(self._tell_inbox, changed))

    async def _tell_inbox(self, family_id: UUID) -> None:
        async with self._turns:
            groups: dict[Hashable, list[Stream]] = defaultdict(list)
            for stream in self._of_family.get(family_id, ()):
                if stream.inbox:
                    groups[stream.group].append(stream)
            for streams in groups.values():
                await self._tell_group(streams, Standing(family_id))

    def leave(self, stream: Stream) -> None:
        """Forget a stream whose client has gone."""
        stream.closed = True
        of_family = self._of_family.get(stream.follow.family_id)
        if of_family is not None:
            of_family.discard(stream)
            if not of_family:
                del self._of_family[stream.follow.family_id]

    def accounts(self) -> list[tuple[UUID, UUID]]:
        """Give the accounts of families that follow something: family and account."""
        viewers = (stream.follow.context.viewer for streams in self._of_family.values() for stream in streams)
        return list({(each.family_id, each.account_id) for each in viewers if each.family_id and each.account_id})

    def close_terms_gate(self, account_ids: Collection[UUID]) -> None:
        """End the streams of accounts that have not accepted the terms in force: no feed of news is open before."""
        for stream in [stream for streams in self._of_family.values() for stream in streams]:
            viewer = stream.follow.context.viewer
            if viewer.account_id in account_ids:
                self._fail(stream, refusal("TERMS_NOT_ACCEPTED", viewer))

    async def _replay(self, stream: Stream) -> None:
        try:
            while not stream.closed:
                async with self._replay_turns:
                    stream.missed = False
                    rows = await stream.follow.missed(stream.seq)
                    for row in rows:
                        self._push(stream, row, await stream.render(row))
                if not rows and not stream.missed:
                    stream.live = True
                    return
        except Exception as failure:
            self._fail(stream, failure)

    async def run(self) -> None:
        """Read news for ever; a lost connection is made anew and nothing between is lost."""
        while True:
            try:
                connection = await connect(self._dsn, role=API_ROLE, application="kiosque-live", statement_seconds=30)
                try:
                    await self._listen(connection)
                finally:
                    connection.terminate()
            except (TimeoutError, *UNREACHABLE, asyncpg.PostgresError) as trouble:
                log.warning("live_connection_lost", kind=type(trouble).__name__)
                await asyncio.sleep(RECONNECT_SECONDS)

    async def _listen(self, connection: asyncpg.Connection) -> None:
        await connection.execute("select set_config('kiosque.system', 'on', false)")
        await connection.add_listener("kiosque_news", lambda *_: self._bell.set())
        for channel, bell in self._bells.items():
            await connection.add_listener(channel, lambda *told, bell=bell: bell(told[3]))
        # What is read again after a lost connection is told to nobody twice: a stream knows the last item that it got.
        self._horizon = news.rewound(self._horizon)
        for look_anew in self._on_reconnect:
            look_anew()
        for family_id in self._of_family:
            self._inbox_changed(family_id)
        while True:
            self._bell.clear()
            await self._read(connection)
            try:
                async with asyncio.timeout(POLL_SECONDS):
                    await self._bell.wait()
            except TimeoutError:
                continue

    async def _read(self, connection: asyncpg.Connection) -> None:
        rows, horizon = await news.since(connection, self._horizon)
        fresh = [row for row in rows if (row.family_id, row.seq) not in self._seen]
        self._horizon = horizon
        # What is older than the new horizon is not read again and need not be remembered.
        self._seen = {(row.family_id, row.seq) for row in rows}
        of_family: dict[UUID, list[NewsRow]] = defaultdict(list)
        for row in fresh:
            if row.family_id in self._of_family:
                of_family[row.family_id].append(row)
                self._inbox_changed(row.family_id)
        await asyncio.gather(*(self._tell(family_id, items) for family_id, items in of_family.items()))

    async def _tell(self, family_id: UUID, rows: list[NewsRow]) -> None:
        async with self._turns:
            for row in rows:
                wanting = [stream for stream in self._of_family.get(family_id, ()) if stream.follow.wants(row)]
                groups: dict[Hashable, list[Stream]] = defaultdict(list)
                for stream in wanting:
                    if not stream.live:
                        stream.missed = True
                    elif row.seq > stream.seq:
                        groups[stream.group].append(stream)
                for streams in groups.values():
                    await self._tell_group(streams, row)

    async def _tell_group(self, streams: list[Stream], row: NewsRow | Standing) -> None:
        """Make the bytes once for all streams of a group."""
        try:
            body = await streams[0].render(row)
        except Exception as failure:
            for stream in streams:
                self._fail(stream, failure)
            return
        for stream in streams:
            self._push(stream, row, body)

    def _push(self, stream: Stream, row: NewsRow | Standing, body: bytes) -> None:
        if not stream.closed:
            if isinstance(row, NewsRow):
                stream.seq = row.seq
            self.pushed += 1
            stream.listener.push(body)

    def _fail(self, stream: Stream, failure: Exception) -> None:
        """End a stream that cannot be told: its client resumes behind its last cursor."""
        if stream.closed:
            return
        self.leave(stream)
        refused = refused_by(failure, stream.follow.context.request_id)
        stream.listener.end(msgspec.json.encode(refused.errors))
