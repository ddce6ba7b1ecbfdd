"""What tests stand on: a real PostgreSQL, a fresh database each, and a portal that listens on real sockets."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count

import asyncpg
import pytest

from db.clock import utc_now
from db.embedded import EmbeddedServer, scratch
from db.migrate import migrate
from gateway.demo.city import load_city
from tests.house import KEYS, House, opened
from tests.town import Forger, Town, town_on

NUMBERS = count(1)
FAMILIES = 40


@dataclass(frozen=True, slots=True)
class Database:
    """A database of a test's own."""

    dsn: str
    """For asyncpg, as superuser."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """The PostgreSQL of a test run, with two templates: migrated and empty, and the same with a small city."""

    server: EmbeddedServer
    spoiling: str = ""
    """Statements that each copy of a template begins with; for `tests.mutations`."""

    def dsn(self, name: str) -> str:
        """Give the address of one of its databases."""
        return self.server.dsn.replace("/kiosque?", f"/{name}?")

    async def execute(self, statement: str) -> None:
        """Run a statement beside all databases."""
        connection = await asyncpg.connect(self.dsn("postgres"), timeout=10)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    @asynccontextmanager
    async def database(self, template: str) -> AsyncIterator[Database]:
        """Copy a template for one test."""
        name = f"test_{os.getpid()}_{next(NUMBERS)}"
        await self.execute(f"create database {name} template {template} strategy file_copy")
        try:
            if self.spoiling:
                await self._spoil(name)
            yield Database(self.dsn(name))
        finally:
            await self.execute(f"drop database {name} with (force)")

    async def _spoil(self, name: str) -> None:
        connection = await asyncpg.connect(self.dsn(name), timeout=10)
        try:
            await connection.execute(self.spoiling)
        finally:
            await connection.close()


@dataclass(slots=True)
class Lent:
    """A PostgreSQL that outlives the test run, as `tests.mutations` has one for thousands of short runs."""

    cluster: Cluster | None = None


LENT = Lent()


def pytest_configure() -> None:
    """Give no example of a property a time limit: a slow machine is not a wrong answer."""
    from hypothesis import settings  # here, because pytest must be the first to load it

    settings.register_profile("kiosque", deadline=None)
    settings.load_profile("kiosque")


@pytest.fixture(scope="session")
async def cluster() -> AsyncIterator[Cluster]:
    """Give the PostgreSQL that all tests share."""
    if LENT.cluster is not None:
        yield LENT.cluster
        return
    async with running() as started:
        yield started


@asynccontextmanager
async def running() -> AsyncIterator[Cluster]:
    """Run a PostgreSQL with its templates; data is not synced to the disk."""
    with scratch() as folder:
        server = EmbeddedServer(folder, durable=False)
        await server.start()
        try:
            started = Cluster(server)
            await _make_templates(started)
            yield started
        finally:
            await server.stop()


async def _make_templates(cluster: Cluster) -> None:
    await cluster.execute("create database empty")
    await migrate(cluster.dsn("empty"))
    await cluster.execute("create database city template empty strategy file_copy")
    connection = await asyncpg.connect(cluster.dsn("city"), timeout=10)
    try:
        await load_city(connection, KEYS, utc_now, families=FAMILIES)
        await connection.execute("analyze")
    finally:
        await connection.close()


@pytest.fixture
async def database(cluster: Cluster) -> AsyncIterator[Database]:
    """Give a migrated, empty database."""
    async with cluster.database("empty") as made:
        yield made


@pytest.fixture
async def city(cluster: Cluster) -> AsyncIterator[Database]:
    """Give a database with a small city."""
    async with cluster.database("city") as made:
        yield made


@pytest.fixture
async def house(city: Database) -> AsyncIterator[House]:
    """Give a running portal: gateway, dispatcher and mail server, on a city of its own."""
    async with opened(city.dsn) as running:
        yield running


@pytest.fixture
async def provider() -> AsyncIterator[Forger]:
    """Give a provider of sign-in on a socket of its own."""
    running = Forger()
    await running.start()
    yield running
    await running.stop()


@pytest.fixture
async def town(city: Database, provider: Forger) -> AsyncIterator[Town]:
    """Give a portal whose settings name the provider."""
    async with town_on(city.dsn, provider) as made:
        yield made
