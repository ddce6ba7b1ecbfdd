"""The database of the benchmarks: a large demo city in an embedded PostgreSQL, kept between runs."""

import base64
import hashlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import asyncpg

import gateway.demo
from bench.invoices import write_invoices
from bench.pages import write_pages
from db import migrate
from db import sessions as stored
from db.clock import utc_now
from db.embedded import EmbeddedServer
from db.ids import uuid7
from db.keys import Keys
from db.settings import Tokens as TokenSettings
from gateway.demo.city import load_city
from resolvers.signing_keys import open_tokens

CACHE = Path("/var/tmp/kiosque-bench")
MASTER_KEY = base64.b64encode(b"b" * 32).decode()
KEYS = Keys.from_text(MASTER_KEY)
LIVES = timedelta(days=1)
PAGES = 1_000
"""Pages of a city that was used for a year."""


@dataclass(frozen=True, slots=True)
class Login:
    """Somebody signed in, with an access token that outlives the benchmark."""

    token: str
    session_id: UUID
    family_id: UUID | None


@dataclass(frozen=True, slots=True)
class Cluster:
    """The running PostgreSQL of the benchmarks."""

    server: EmbeddedServer

    def dsn(self, name: str) -> str:
        """Give the address of one of its databases."""
        return self.server.dsn.replace("/kiosque?", f"/{name}?")

    @property
    def pid(self) -> int:
        """Process number of the server."""
        assert self.server.pid is not None, "it was started"
        return self.server.pid

    async def execute(self, *statements: str) -> None:
        """Run statements beside all databases."""
        connection = await asyncpg.connect(self.dsn("postgres"), timeout=10)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    async def city(self, families: int) -> str:
        """Give the address of a city of this size, loading it unless it is there already."""
        name = f"city_{families}_{_version()}"
        connection = await asyncpg.connect(self.dsn("postgres"), timeout=10)
        try:
            known = {row[0] for row in await connection.fetch("select datname from pg_database")}
        finally:
            await connection.close()
        if name not in known:
            stale = [other for other in known if re.fullmatch(rf"city_{families}_\w+|loading", other)]
            await self.execute(*(f"drop database {other} with (force)" for other in stale), "create database loading")
            await _load(self.dsn("loading"), families)
            await self.execute(f"alter database loading rename to {name}")
        return self.dsn(name)

    async def used(self, families: int) -> str:
        """Give the address of such a city after a year of use: with invoices and many pages; kept like the others."""
        name = f"used_{families}_{_version()}"
        connection = await asyncpg.connect(self.dsn("postgres"), timeout=10)
        try:
            known = {row[0] for row in await connection.fetch("select datname from pg_database")}
        finally:
            await connection.close()
        if name not in known:
            for other in known:
                if re.fullmatch(rf"used_{families}_\w+", other):
                    await self.execute(f"drop database {other} with (force)")
            await _use(await self.fresh("loading", families))
            await self.execute(f"alter database loading rename to {name}")
        return self.dsn(name)

    async def fresh(self, name: str, families: int) -> str:
        """Give the address of a city of this size that may be written to, made anew."""
        await self.city(families)
        template = f"city_{families}_{_version()}"
        await self._replace(name, f"create database {name} template {template} strategy file_copy")
        return self.dsn(name)

    async def empty(self, name: str) -> str:
        """Give the address of a migrated, empty database, made anew."""
        await self._replace(name, f"create database {name}")
        await migrate.migrate(self.dsn(name))
        return self.dsn(name)

    async def _replace(self, name: str, create: str) -> None:
        await self.execute(f"drop database if exists {name} with (force)", create)


@asynccontextmanager
async def cluster(folder: Path = CACHE) -> AsyncIterator[Cluster]:
    """Run the PostgreSQL of the benchmarks; nothing in it must survive the loss of power."""
    server = EmbeddedServer(_reachable(folder) / "data", durable=False)
    await server.start()
    try:
        yield Cluster(server)
    finally:
        await server.stop()


def _reachable(folder: Path) -> Path:
    """Make a folder that the server's user can pass through when we are root."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    return folder


async def sign_in_families(dsn: str, count: int) -> list[Login]:
    """Sign in `count` accounts that accepted the terms, of the families with the most procedures."""
    return await _sign_in(
        dsn,
        """select a.family_id, a.id as account_id, null::uuid as agent_id from account a
           join terms_acceptance c on c.family_id = a.family_id and c.account_id = a.id
           order by (select count(*) from procedure p where p.family_id = a.family_id) desc, a.id limit $1""",
        count,
    )


async def sign_in_agents(dsn: str, count: int) -> list[Login]:
    """Sign in agents who handle procedures."""
    return await _sign_in(
        dsn,
        """select null::uuid as family_id, null::uuid as account_id, id as agent_id from agent
           where 'AGENT' = any(roles) order by id limit $1""",
        count,
    )


async def _sign_in(dsn: str, query: str, count: int) -> list[Login]:
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        now = utc_now()
        tokens = await open_tokens(connection, KEYS, TokenSettings(access_seconds=int(LIVES.total_seconds())), now)
        logins = []
        for row in await connection.fetch(query, count):
            session_id = await _open_session(connection, row, now)
            token, _ = tokens.issue(session_id, row["account_id"] or row["agent_id"], now, now + LIVES)
            logins.append(Login(token, session_id, row["family_id"]))
        return logins
    finally:
        await connection.close()


async def _open_session(connection: asyncpg.Connection, row: asyncpg.Record, now: datetime) -> UUID:
    session_id = uuid7()
    await stored.insert(
        connection,
        session_id,
        family_id=row["family_id"],
        account_id=row["account_id"],
        agent_id=row["agent_id"],
        device="bench",
        shared_computer=False,
        at=now,
        expires_at=now + LIVES,
    )
    return session_id


async def _load(dsn: str, families: int) -> None:
    await migrate.migrate(dsn)
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        await load_city(connection, KEYS, utc_now, families=families)
        await connection.execute("vacuum analyze")
    finally:
        await connection.close()


async def _use(dsn: str) -> None:
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        await write_invoices(connection)
        await write_pages(connection, PAGES)
        await connection.execute("vacuum analyze", timeout=600)
    finally:
        await connection.close()


def _version() -> str:
    """Tell apart cities of another schema or of another generator."""
    digest = hashlib.sha256()
    for folder, pattern in (
        (Path(migrate.__file__).parent / "migrations", "*.sql"),
        (Path(*gateway.demo.__path__), "*.py"),
        (Path(__file__).parent, "invoices.py"),
        (Path(__file__).parent, "pages.py"),
    ):
        for path in sorted(folder.glob(pattern)):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:8]
