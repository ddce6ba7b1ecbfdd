"""What all compared servers do alike: check the access token, check its session, keep ten connections."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass

import asyncpg
from aiohttp import web

from bench.city import KEYS
from db.clock import utc_now
from db.pool import Database
from db.settings import Tokens as TokenSettings
from resolvers.session_cache import SessionCache
from resolvers.sessions import viewer_of
from resolvers.signing_keys import open_tokens
from resolvers.tokens import TokenRefused, Tokens
from resolvers.viewer import Viewer, anonymous

POOL = 10
ROLE = "bench_reader"


@dataclass(frozen=True, slots=True)
class Checks:
    """Who asks, as the portal finds it out."""

    pool: asyncpg.Pool
    tokens: Tokens
    sessions: SessionCache

    async def viewer(self, request: web.Request) -> Viewer:
        """Give the viewer of a request."""
        authorization = request.headers.get("Authorization")
        if authorization is None:
            return anonymous()
        try:
            access = self.tokens.verify(authorization.removeprefix("Bearer "), utc_now())
        except TokenRefused as error:
            raise web.HTTPUnauthorized from error
        state = await self.sessions.state(access.session_id)
        if state is None:
            raise web.HTTPUnauthorized
        return viewer_of(state, access.expires_at)


async def opened(dsn: str, **settings: str) -> Checks:
    """Open the checks of one server; its connections are an ordinary role's that row-level security leaves out.

    Not the superuser's: PostgreSQL asks at each call of a function whether the role may call it, and a superuser alone
    is let through unasked, which no service in the world should be. `settings` are PostgreSQL's, for these connections.
    """
    await _make_role(dsn)
    database = await Database.open(dsn, size=POOL, command_seconds=30, statement_seconds=30, wait_seconds=2)
    async with database.connection() as connection:
        tokens = await open_tokens(connection, KEYS, TokenSettings(), utc_now())
    pool = await asyncpg.create_pool(
        dsn, min_size=1, max_size=POOL, reset=_no_reset, command_timeout=30, server_settings=settings | {"role": ROLE}
    )
    return Checks(pool, tokens, SessionCache(database, utc_now))


async def _make_role(dsn: str) -> None:
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        if not await connection.fetchval("select exists (select from pg_roles where rolname = $1)", ROLE):
            await connection.execute(f"create role {ROLE} bypassrls")
        for granted in ("usage on schema public", "select on all tables", "execute on all functions"):
            where = "" if "schema" in granted else " in schema public"
            await connection.execute(f"grant {granted}{where} to {ROLE}")
    finally:
        await connection.close()


async def _no_reset(_: asyncpg.Connection) -> None:
    """Nothing to reset."""


async def serve(app: Awaitable[web.Application], port: int) -> None:
    """Serve an application until the process is ended."""
    made = await app
    made.router.add_get("/live", _alive)
    runner = web.AppRunner(made, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


async def _alive(_: web.Request) -> web.Response:
    return web.json_response({"live": True})
