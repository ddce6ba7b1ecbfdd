"""How much a client may ask for: points of cost flow back at a rate, up to a burst, together on all nodes.

The generic cell rate algorithm, counted in memory and told to the database beside the requests, so that no request
waits for a statement. docs/decisions/0010 says how exact that is.
"""

import asyncio
import hmac
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from math import ceil
from uuid import UUID

import asyncpg
import structlog

from db import buckets
from db.keys import Keys
from db.pool import Database, DatabaseUnavailable
from db.settings import Limits
from gateway.addresses import household_of
from gateway.errors import RequestRefused, described
from resolvers.sentences import SENTENCES
from resolvers.viewer import Viewer

KEPT = 20_000
TOLD_SHARE = 20
"""A node tells the database once it has let through this part of the burst, …"""

UNTOLD_SHARE = 5
"""… and lets through no more than this part (and one operation) without having told."""

PAUSE_SECONDS = 0.02
"""Between two statements that tell the database; what many subjects spent goes into one."""

PATIENCE_SECONDS = 0.25
"""How long a request of a subject that spent much waits for the other nodes' part; then this node's must do."""

RETRY_SECONDS = 1.0
FORGET_SECONDS = 600.0
SUBJECT_BYTES = 16

log = structlog.get_logger(__name__)

Time = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Rate:
    """What one kind of subject may spend."""

    per_second: float
    """Points that flow back in a second."""
    burst: float
    """Points that may be spent at once."""

    def wait(self, tat: float, now: float, points: float) -> float:
        """Give the seconds until so many points may be spent; 0 or less: at once.

        What costs more than the burst needs all of it, and is paid back in full afterwards.
        """
        return max(tat, now) - now - (self.burst - min(points, self.burst)) / self.per_second


class Bucket:
    """What one subject has spent, as this node knows it; times are of the loop's clock."""

    __slots__ = ("rate", "subject", "tat", "untold")

    def __init__(self, subject: bytes, rate: Rate) -> None:
        self.subject = subject
        self.rate = rate
        self.tat = 0.0
        """When all of it will have flowed back."""
        self.untold = 0.0
        """Points that the database does not know of."""

    def spend(self, points: float, now: float) -> float:
        """Spend points, or give the seconds to wait before that."""
        wait = self.rate.wait(self.tat, now, points)
        if wait > 1e-9:
            return wait
        self.tat = max(self.tat, now) + points / self.rate.per_second
        self.untold += points
        return 0.0

    def learn(self, debt: float, asked_at: float) -> None:
        """Take over what all nodes spent: at that time it was to flow back in so many seconds."""
        self.tat = max(self.tat, asked_at + debt + self.untold / self.rate.per_second)

    @property
    def must_tell(self) -> bool:
        """Whether the database should hear of it."""
        return self.untold * TOLD_SHARE >= self.rate.burst

    @property
    def must_wait(self) -> bool:
        """Whether so much is untold that the next request waits for the other nodes' part."""
        return self.untold * UNTOLD_SHARE >= self.rate.burst


class Throttle:
    """The buckets of one node. Signed-in viewers are counted by login, all others by network address."""

    def __init__(
        self, database: Database, keys: Keys, account: Rate, anonymous: Rate, time: Time | None = None
    ) -> None:
        self._database = database
        self._key = keys.derived("bucket")
        self._account = account
        self._anonymous = anonymous
        self._time = time or asyncio.get_running_loop().time
        self._buckets: OrderedDict[UUID | str, Bucket] = OrderedDict()
        self._untold: dict[bytes, Bucket] = {}
        self._bell = asyncio.Event()
        self._told = asyncio.Event()
        self._forget_at = 0.0
        self.refused = 0
        """Operations refused, for /metrics."""

    async def spend(self, viewer: Viewer, client: str, points: int) -> None:
        """Count an operation of a viewer at a network address; raises RequestRefused (THROTTLED)."""
        bucket = self._bucket(viewer, client)
        if bucket.must_wait:
            await self._others_part(bucket)
        wait = bucket.spend(points, self._time())
        if wait:
            self.refused += 1
            raise _refused(viewer, wait)
        if bucket.must_tell and bucket.subject not in self._untold:
            self._tell(bucket)

    async def run(self) -> None:
        """Tell the database what is spent, for ever."""
        while True:
            await self._bell.wait()
            self._bell.clear()
            try:
                await self._settle()
            except (DatabaseUnavailable, asyncpg.PostgresError) as trouble:
                self._bell.set()
                log.warning("throttle_not_shared", kind=type(trouble).__name__)
                await asyncio.sleep(RETRY_SECONDS)
            await asyncio.sleep(PAUSE_SECONDS)

    def _bucket(self, viewer: Viewer, client: str) -> Bucket:
        login = viewer.login
        key = login or household_of(client)
        bucket = self._buckets.get(key)
        if bucket is None:
            subject = hmac.digest(self._key, str(key).encode(), "sha256")[:SUBJECT_BYTES]
            bucket = self._buckets[key] = Bucket(subject, self._account if login else self._anonymous)
            if len(self._buckets) > KEPT:
                _, oldest = self._buckets.popitem(last=False)
                if oldest.untold:
                    self._tell(oldest)
        else:
            self._buckets.move_to_end(key)
        return bucket

    async def _others_part(self, bucket: Bucket) -> None:
        """Wait until the database was told what this node knows of a subject, and told the rest."""
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                while bucket.must_wait:
                    await self._told.wait()

    def _tell(self, bucket: Bucket) -> None:
        self._untold[bucket.subject] = bucket
        self._bell.set()

    async def _settle(self) -> None:
        """Tell the database what is untold, and learn what was spent at the other nodes."""
        told, self._untold = self._untold, {}
        points = {subject: bucket.untold for subject, bucket in told.items()}
        asked_at = self._time()
        try:
            async with self._database.connection() as connection:
                seconds = {subject: points[subject] / bucket.rate.per_second for subject, bucket in told.items()}
                debts = await buckets.settle(connection, seconds)
                if asked_at >= self._forget_at:
                    self._forget_at = asked_at + FORGET_SECONDS
                    await buckets.forget(connection)
        except BaseException:
            self._untold = told | self._untold
            raise
        for subject, bucket in told.items():
            bucket.untold -= points[subject]
            bucket.learn(debts[subject], asked_at)
        self._told.set()
        self._told.clear()


def throttle_of(limits: Limits, production: bool, database: Database, keys: Keys) -> Throttle | None:
    """Give the throttle that the settings want: in production one, unless they say otherwise."""
    if not (production if limits.throttle is None else limits.throttle):
        return None
    account = Rate(limits.points_per_second, limits.points_burst)
    anonymous = Rate(limits.anonymous_points_per_second, limits.anonymous_points_burst)
    return Throttle(database, keys, account, anonymous)


def _refused(viewer: Viewer, wait: float) -> RequestRefused:
    seconds = ceil(wait)
    message = SENTENCES["TOO_MANY_REQUESTS"].to(viewer.language)
    errors = [described("THROTTLED", message, retryAfter=seconds)]
    return RequestRefused("THROTTLED", message, errors=errors, headers={"Retry-After": str(seconds)})
