"""The dispatcher: leases lanes that are due, works through many at once, outlives its database and its providers."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import structlog

from db import lanes, steps
from db.clock import Clock, utc_now
from db.configuration import SettingsError
from db.keys import Keys
from db.lanes import Lane, Wanted
from db.notices import AGENTS, PARTNERS
from db.outbox import BULK
from db.pool import DISPATCH_ROLE, STATEMENT_CACHE, server_settings
from db.settings import Settings
from notifications import results
from notifications.breaker import Breaker
from notifications.broadcast import Spreader
from notifications.channels import Channels, Tended
from notifications.digests import Digester
from notifications.feed import Sequencer
from notifications.lanes import Desk, LaneWork, margin
from notifications.listener import Bells, listen
from notifications.notices import Notices
from notifications.post import Post
from notifications.recorder import Recorder
from notifications.registry import channels_of, quiet_hours
from notifications.slots import Slots
from notifications.troubles import TROUBLES, Patience
from notifications.webhooks import Hooks

log = structlog.get_logger(__name__)

DEPTH = 20
"""Deliveries of one lane that are leased together."""

CLAIM_GRACE = 0.5
GRACE = 3.5
"""Seconds that what is being sent may still take when the dispatcher stops; one more is left for writing."""

ANY = (0, 32767)
"""All priorities that there may be, first and last."""

KINDS = {False: (0, BULK - 1), True: (BULK, 32767)}
"""Priorities of what concerns one family, and of what many are told at once: each kind has lanes of its own in hand, so
that a wave leaves room for the rest."""

Kind = tuple[str, bool]
"""Channel, and whether many are told at once."""

TIDY_SECONDS = 1.0
STALE_SECONDS = 30.0


@dataclass(slots=True)
class Stats:
    """What the dispatcher has done since it started."""

    beat: datetime | None = None
    """When the database last answered it (UTC)."""

    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Attempts by channel and outcome: `sent`, `later`, `failed`, `crashed`, `dead_letter`, `lost`."""

    lanes: int = 0
    """Lanes in hand."""

    taken_back: int = 0
    """Lanes of dispatchers that died."""


class Dispatcher:
    """One dispatcher; any number of them may share a database."""

    def __init__(
        self, settings: Settings, dsn: str, pool: asyncpg.Pool, channels: Channels, clock: Clock = utc_now
    ) -> None:
        """`pool` is of role `kiosque_dispatch`. Raises SettingsError when a channel may take longer than a lease."""
        for name, channel in channels.items():
            if channel.patience + margin(settings.outbox.lease) >= settings.outbox.lease:
                raise SettingsError(
                    f"outbox.lease must be longer than the {channel.patience:g} s that {name} may take."
                )
        self.stats = Stats()
        self._settings = settings.outbox
        self._bounce_wait = timedelta(seconds=settings.mail.bounce_wait)
        self._dsn = dsn
        self._pool = pool
        self._clock = clock
        self._bell = asyncio.Event()
        self._stopping = asyncio.Event()
        self._hungry: set[Kind] = set()
        self._recorder = Recorder(pool, clock, self._recorded)
        self._work = LaneWork(self._recorder, self._settings, quiet_hours(settings), clock, self._stopping, self._count)
        self._feed = Sequencer(pool, clock)
        self._digester = Digester(pool, clock, ZoneInfo(settings.city.time_zone))
        self._hooks = hooks_of(settings, pool, clock)
        monotonic = asyncio.get_running_loop().time
        self._desks = {
            name: Desk(name, channel, Breaker(monotonic), Slots(channel)) for name, channel in channels.items()
        }
        self._lanes: dict[Kind, set[asyncio.Task[None]]] = {(name, bulk): set() for name in channels for bulk in KINDS}
        self._crash: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def run(self, stop: asyncio.Event) -> None:
        """Dispatch until `stop` is set; then finish what is being sent, within 5 s, and give all lanes back."""
        recorder = asyncio.create_task(self._recorder.run())
        claiming = asyncio.create_task(self._claim_until_stopped())
        others = [
            asyncio.create_task(listen(self._dsn, self._bells)),
            asyncio.create_task(self._feed.run()),
            asyncio.create_task(self._digester.run()),
            asyncio.create_task(self._every(TIDY_SECONDS, self._take_back)),
            asyncio.create_task(self._every(STALE_SECONDS, self._give_up)),
            asyncio.create_task(self._every(TIDY_SECONDS, self._take_receipts)),
            asyncio.create_task(self._every(TIDY_SECONDS, self._tend)),
            asyncio.create_task(Spreader(self._pool, self._clock, self._settings.broadcast_batch).run()),
            *(asyncio.create_task(each) for each in self._of_others()),
        ]
        stopped = asyncio.create_task(stop.wait())
        ends: list[asyncio.Future[Any]] = [stopped, self._crash, recorder, claiming, *others]
        try:
            done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._stopping.set()
            self._bell.set()
            # Cut in the middle, a claim would leave lanes that nobody knows to be leased.
            await asyncio.wait([claiming], timeout=CLAIM_GRACE)
            await _end(claiming, stopped, *others)
            await self._finish_lanes()
            await _end(recorder)
        for end in done:
            end.result()

    @property
    def _bells(self) -> Bells:
        bells = {"kiosque_lane": self._bell.set, "kiosque_noted": self._feed.bell.set}
        return bells | ({"kiosque_webhook": self._hooks.bell.set} if self._hooks else {})

    def _of_others(self) -> list[Coroutine[Any, Any, None]]:
        """Give what is done for partners beside, and for agents."""
        email = self._desks.get("EMAIL")
        boxes = (PARTNERS, AGENTS) if email else ()
        notices = [Notices(self._pool, self._clock, email.channel, box).run() for box in boxes if email]
        return [*notices, *([self._hooks.run()] if self._hooks else [])]

    async def _finish_lanes(self) -> None:
        running = [task for tasks in self._lanes.values() for task in tasks]
        if not running:
            return
        _, late = await asyncio.wait(running, timeout=GRACE)
        for task in late:
            task.cancel()
        if late:
            _, left = await asyncio.wait(late, timeout=1.0)
            log.warning("stopped_late", interrupted=len(late), unwritten=len(left))
            await _end(*left)

    async def _claim_until_stopped(self) -> None:
        patience = Patience()
        while not self._stopping.is_set():
            self._bell.clear()
            try:
                await self._claim()
            except TROUBLES as trouble:
                await patience.wait(log, "database_away", trouble)
                continue
            patience.reset()
            await self._next_bell()

    async def _next_bell(self) -> None:
        try:
            async with asyncio.timeout(self._settings.poll):
                await self._bell.wait()
        except TimeoutError:
            return

    async def _claim(self) -> None:
        wanted = self._wanted()
        if not wanted:
            return
        now = self._clock()
        ends_at = asyncio.get_running_loop().time() + self._settings.lease
        async with self._pool.acquire() as connection:
            claimed = await lanes.claim(connection, wanted, DEPTH, now, now + timedelta(seconds=self._settings.lease))
        self.stats.beat = now
        if claimed:
            steps.reached("dispatch.claimed")
        for lane in claimed:
            self._start(lane, ends_at)
        taken = Counter(_kind(lane) for lane in claimed)
        self._hungry = {
            kind for each in wanted for kind in [(each.channel, each.first == BULK)] if taken[kind] >= each.free
        }

    def _wanted(self) -> list[Wanted]:
        """Give how many lanes each channel may take on: none while its provider is away, then one to see."""
        wanted = []
        for name, desk in self._desks.items():
            in_hand = {bulk: len(self._lanes[name, bulk]) for bulk in KINDS}
            if desk.breaker.open:
                continue
            if desk.breaker.probing:
                wanted.append(Wanted(name, *ANY, 1 - sum(in_hand.values())))
                continue
            wanted += [Wanted(name, *KINDS[bulk], self._settings.lanes - count) for bulk, count in in_hand.items()]
        return [each for each in wanted if each.free > 0]

    def _start(self, lane: Lane, ends_at: float) -> None:
        kind = _kind(lane)
        task = asyncio.create_task(self._work.work(lane, self._desks[lane.held.channel], ends_at))
        self._lanes[kind].add(task)
        self.stats.lanes += 1
        task.add_done_callback(lambda done: self._lane_ended(kind, done))

    def _lane_ended(self, kind: Kind, task: asyncio.Task[None]) -> None:
        self._lanes[kind].discard(task)
        self.stats.lanes -= 1
        if not task.cancelled() and (fault := task.exception()) and not self._crash.done():
            self._crash.set_exception(fault)
        # Waiting until half the lanes are free makes one claim of many.
        if kind in self._hungry and len(self._lanes[kind]) <= self._settings.lanes // 2:
            self._bell.set()

    async def _take_back(self) -> None:
        if self._recorder.behind:
            return
        count = await results.take_back_lost(self._pool, self._clock(), self._settings.crashes)
        if count:
            self.stats.taken_back += count
            log.warning("lanes_taken_back", lanes=count)
            self._bell.set()

    async def _give_up(self) -> None:
        # What waits for the post is not late: it is printed when the city prints.
        working = ["POST", *(name for name, desk in self._desks.items() if not desk.breaker.open)]
        after = timedelta(seconds=self._settings.retry_for)
        count = await results.give_up_stale(self._pool, self._clock(), after, working)
        if count:
            log.warning("deliveries_given_up", deliveries=count)
            self._bell.set()

    async def _take_receipts(self) -> None:
        if await results.take_receipts(self._pool, self._clock(), self._bounce_wait):
            self._bell.set()

    async def _tend(self) -> None:
        for desk in self._desks.values():
            if isinstance(desk.channel, Tended):
                await desk.channel.tend(self._pool, self._clock())

    async def _every(self, seconds: float, tidy: Callable[[], Coroutine[Any, Any, None]]) -> None:
        patience = Patience()
        while True:
            await asyncio.sleep(seconds)
            try:
                await tidy()
                patience.reset()
            except TROUBLES as trouble:
                await patience.wait(log, "database_away", trouble)

    def _count(self, channel: str, outcome: str) -> None:
        self.stats.outcomes[channel, outcome] += 1

    def _recorded(self, more: bool) -> None:
        self.stats.beat = self._clock()
        if more:
            self._bell.set()
        steps.reached("dispatch.recorded")


def _kind(lane: Lane) -> Kind:
    return lane.held.channel, lane.priority >= BULK


def hooks_of(settings: Settings, pool: asyncpg.Pool, clock: Clock) -> Hooks | None:
    """Make what sends to partners' addresses; None without the master key that their secrets are sealed with."""
    if settings.secrets.master_key is None:
        return None
    wanted = settings.webhooks

    def open_post() -> Post:
        return Post(
            allowed=wanted.private_networks,
            https=settings.server.production,
            seconds=wanted.timeout,
            answer_bytes=wanted.answer_bytes,
        )

    return Hooks(pool, clock, wanted, Keys.from_text(settings.secrets.master_key), open_post)


async def _end(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _no_reset(_: asyncpg.Connection) -> None:
    """No session state is ever set, so there is none to reset."""


async def open_pool(dsn: str, settings: Settings) -> asyncpg.Pool:
    """Make the dispatcher's pool: four connections are enough, because none is held while something is sent.

    Nothing is opened yet, so that the database may still be away.
    """
    database = settings.database
    parameters = server_settings(DISPATCH_ROLE, "kiosque-dispatch", database.statement_timeout)
    # Shorter than the server's deadlock check, so that of two who wait for each other it is never a mutation that dies.
    parameters["lock_timeout"] = "500"
    # Every statement looks rows up by key. The tables fill and empty faster than their statistics are taken, and a plan
    # made for an empty table would read all of a full one.
    parameters |= dict.fromkeys(("enable_seqscan", "enable_hashjoin", "enable_mergejoin"), "off")
    parameters["plan_cache_mode"] = "force_generic_plan"
    return await asyncpg.create_pool(
        dsn,
        min_size=0,
        max_size=4,
        timeout=database.command_timeout,
        command_timeout=database.command_timeout,
        max_inactive_connection_lifetime=0,
        reset=_no_reset,
        server_settings=parameters,
        **STATEMENT_CACHE,
    )


async def run(settings: Settings, dsn: str, stop: asyncio.Event) -> None:
    """Dispatch the news of one database until `stop` is set."""
    channels = channels_of(settings, utc_now)
    pool = await open_pool(dsn, settings)
    try:
        await Dispatcher(settings, dsn, pool, channels).run(stop)
    finally:
        # Nothing is held any more; closing politely would wait for a database that may be away.
        pool.terminate()
        for channel in channels.values():
            await channel.close()
