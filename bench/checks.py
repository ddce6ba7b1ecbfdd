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
    """Open the checks of one server; its connections are the superuser's, whom row-level security does not hold up.

    `settings` are PostgreSQL's, for these connections.
    """
    database = await Database.open(dsn, size=POOL, command_seconds=30, statement_seconds=30)
    async with database.connection() as connection:
        tokens = await open_tokens(connection, KEYS, TokenSettings(), utc_now())
    pool = await asyncpg.create_pool(
        dsn, min_size=1, max_size=POOL, reset=_no_reset, command_timeout=30, server_settings=settings
    )
    return Checks(pool, tokens, SessionCache(database, utc_now))


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
