"""`/live`, `/ready` and `/metrics`: for those who run the portal."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from db import health as stored
from db import jobs
from db.clock import Clock
from db.pool import Database, DatabaseUnavailable
from gateway.executor import PortalExecutor
from gateway.live import Live
from gateway.sockets import Sockets
from gateway.throttling import Throttle
from resolvers.viewer import SYSTEM_SIGHT

LAG_SECONDS = 0.5


@dataclass(slots=True)
class Health:
    """What is known of the health of one gateway."""

    database: Database
    executor: PortalExecutor
    live: Live
    sockets: Sockets
    clock: Clock
    ready_age: float
    """Seconds after which a message that waits makes the portal not ready."""
    throttle: Throttle | None = None
    loop_lag: float = 0.0
    started: float = field(default_factory=time.time)

    async def measure_lag(self) -> None:
        """Measure for ever how late the event loop wakes up."""
        loop = asyncio.get_running_loop()
        while True:
            before = loop.time()
            await asyncio.sleep(LAG_SECONDS)
            self.loop_lag = max(loop.time() - before - LAG_SECONDS, 0.0)

    async def alive(self, _: web.Request) -> web.Response:
        """The process answers."""
        return web.json_response({"live": True})

    async def ready(self, _: web.Request) -> web.Response:
        """Requests may come: not stopping, database there and up to date, messages leave in time."""
        problems = ["stopping"] if self.sockets.stopping else await self._problems()
        return web.json_response({"ready": not problems, "problems": problems}, status=503 if problems else 200)

    async def _problems(self) -> list[str]:
        try:
            async with self.database.connection() as connection:
                pending = await stored.pending_migrations(connection)
                age = (await stored.outbox(connection)).age_seconds
        except DatabaseUnavailable:
            return ["database"]
        return [name for name, bad in (("migrations", bool(pending)), ("outbox", age > self.ready_age)) if bad]

    async def metrics(self, _: web.Request) -> web.Response:
        """Figures for Prometheus."""
        registry = CollectorRegistry()
        registry.register(Figures(self, await self._outbox(), await self._jobs()))
        return web.Response(
            body=generate_latest(registry), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
        )

    async def _outbox(self) -> stored.Outbox | None:
        try:
            async with self.database.connection() as connection:
                return await stored.outbox(connection)
        except DatabaseUnavailable:
            return None

    async def _jobs(self) -> jobs.State | None:
        try:
            async with self.database.transaction(SYSTEM_SIGHT) as tx:
                return await jobs.state(tx, self.clock())
        except DatabaseUnavailable:
            return None


class Figures(Collector):
    """The figures of one look."""

    def __init__(self, health: Health, outbox: stored.Outbox | None, state: jobs.State | None) -> None:
        self._health = health
        self._outbox = outbox
        self._jobs = state

    def collect(self) -> Iterator[Metric]:
        """Give all metric families."""
        health = self._health
        yield _gauge("kiosque_database_up", "1 when the database answers.", 0 if self._outbox is None else 1)
        yield _gauge("kiosque_loop_lag_seconds", "How late the event loop last woke up.", health.loop_lag)
        yield _gauge("kiosque_sockets", "Open live connections.", len(health.sockets))
        yield _gauge("kiosque_streams", "Live subscriptions.", len(health.live))
        pool = health.database.pool
        yield _gauge("kiosque_pool_connections", "Open connections to the database.", pool.size)
        yield _gauge("kiosque_pool_idle", "Those of them that nobody uses.", pool.idle)
        lanes = CounterMetricFamily(
            "kiosque_operations",
            "Operations by lane (planned: one statement; walked: graphql-core).",
            labels=["lane", "operation"],
        )
        for (lane, name), count in health.executor.lanes.items():
            lanes.add_metric([lane, name], count)
        yield lanes
        if health.throttle is not None:
            yield CounterMetricFamily("kiosque_throttled", "Operations refused as too fast.", health.throttle.refused)
        yield CounterMetricFamily("kiosque_events_pushed", "Events pushed to live subscriptions.", health.live.pushed)
        if self._outbox is not None:
            yield _gauge(
                "kiosque_outbox_age_seconds", "Age of the oldest message that is due.", self._outbox.age_seconds
            )
            yield _gauge("kiosque_dead_letters", "Messages put aside.", self._outbox.dead_letters)
            deliveries = GaugeMetricFamily(
                "kiosque_deliveries", "Deliveries by channel and status.", labels=["channel", "status"]
            )
            for channel, status, count in self._outbox.deliveries:
                deliveries.add_metric([channel, status], count)
            yield deliveries
        if self._jobs is not None:
            yield _gauge("kiosque_jobs_age_seconds", "Age of the oldest job that is due.", self._jobs.age_seconds)
            yield _gauge("kiosque_jobs_running", "Jobs at work on all nodes.", self._jobs.running)
            yield _gauge("kiosque_jobs_failed", "Jobs put aside.", self._jobs.failed)


def _gauge(name: str, description: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, description, value)
