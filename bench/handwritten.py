"""The limit to come near to: bare aiohttp, one hand-written statement a read, the same token and session checks.

`python -m bench.handwritten --database URL --port N`
"""

import argparse
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import uvloop
from aiohttp import web

from bench import statements
from bench.checks import Checks, opened, serve
from resolvers.viewer import Viewer

Answer = Callable[[Viewer, dict[str, Any]], Awaitable[bytes]]
BODY = msgspec.json.Decoder(dict[str, Any])


async def make_app(dsn: str) -> web.Application:
    """Make the application: one address a read, its variables as the JSON body."""
    # Its statements were written so that one plan fits all values; planning them anew would be wasted.
    checks = await opened(dsn, plan_cache_mode="force_generic_plan")
    pool = checks.pool

    async def me(viewer: Viewer, _: dict[str, Any]) -> bytes:
        return await fetch(statements.ME, viewer.family_id, viewer.account_id)

    async def dashboard(viewer: Viewer, given: dict[str, Any]) -> bytes:
        return await fetch(statements.DASHBOARD, viewer.family_id, given.get("procedures", 10), viewer.language)

    async def work(viewer: Viewer, given: dict[str, Any]) -> bytes:
        return await fetch(
            statements.WORK, list(viewer.services), given["status"], given.get("first", 100), viewer.language
        )

    async def catalogue(viewer: Viewer, _: dict[str, Any]) -> bytes:
        return await fetch(statements.CATALOGUE, viewer.language)

    async def fetch(sql: str, *values: Any) -> bytes:
        async with pool.acquire() as connection:
            answer: bytes = await connection.fetchval(sql, *values)
        return answer

    app = web.Application()
    for name, answer in (("me", me), ("dashboard", dashboard), ("work list", work), ("catalogue", catalogue)):
        app.router.add_post(f"/{name.replace(' ', '-')}", _handler(checks, answer))
    return app


def _handler(checks: Checks, answer: Answer) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        viewer = await checks.viewer(request)
        data = await answer(viewer, BODY.decode(await request.read()))
        return web.Response(body=b'{"data":' + data + b"}", content_type="application/json")

    return handle


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", metavar="URL", required=True)
    parser.add_argument("--port", type=int, required=True)
    given = parser.parse_args()
    uvloop.run(serve(make_app(given.database), given.port))
