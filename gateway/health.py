"""`/live`, `/ready` and `/metrics`: for those who run the portal."""

import asyncio
import time
from collections.abc import Iterator, Sequence
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
        """Requests may come: not stopping, database there and up to date, messages leave in time.

        What many families are told at once does not count (docs/decisions/0030): `OfWaves` shows it.
        """
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
        if (wave := await self._wave()) is not None:
            registry.register(OfWaves(wave))
        if (state := await self._webhooks()) is not None:
            registry.register(OfPartners(state))
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

    async def _wave(self) -> stored.Wave | None:
        try:
            async with self.database.transaction(SYSTEM_SIGHT) as tx:
                return await stored.wave(tx, self.clock())
        except DatabaseUnavailable:
            return None

    async def _webhooks(self) -> stored.Webhooks | None:
        try:
            async with self.database.transaction(SYSTEM_SIGHT) as tx:
                return await stored.webhooks(tx, self.clock())
        except DatabaseUnavailable:
            return None


class OfWaves(Collector):
    """What many families are told at once, and waits."""

    def __init__(self, wave: stored.Wave) -> None:
        self._wave = wave

    def collect(self) -> Iterator[Metric]:
        """Give all metric families."""
        age, waiting = self._wave.age_seconds, self._wave.waiting
        yield _gauge("kiosque_wave_age_seconds", "Age of the oldest notice to many families that is due.", age)
        yield _gauge("kiosque_wave_waiting", "Notices to many families that are due.", waiting)


class OfPartners(Collector):
    """What partners are sent; no label names one, so that there are as many lines as ever."""

    def __init__(self, state: stored.Webhooks) -> None:
        self._state = state

    def collect(self) -> Iterator[Metric]:
        """Give all metric families."""
        lanes = self._state.lanes
        yield _labelled("kiosque_partners", "Partners by state.", "state", self._state.partners)
        yield _labelled(
            "kiosque_webhooks", "Addresses by state.", "state", [(name, count) for name, count, *_ in lanes]
        )
        yield _labelled(
            "kiosque_webhook_deliveries", "Messages of the last day by status.", "status", self._state.deliveries
        )
        waiting = [(name, count) for name, _, count, _ in lanes]
        yield _labelled(
            "kiosque_webhook_backlog", "Messages that wait, by the state of their address.", "state", waiting
        )
        ages = [(name, age) for name, *_, age in lanes]
        yield _labelled("kiosque_webhook_age_seconds", "Age of the oldest message that waits.", "state", ages)


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
            age = self._outbox.age_seconds
            yield _gauge("kiosque_outbox_age_seconds", "Age of the oldest message to one family that is due.", age)
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


def _labelled(name: str, description: str, label: str, values: Sequence[tuple[str, float]]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, description, labels=[label])
    for each, value in values:
        family.add_metric([each], value)
    return family
