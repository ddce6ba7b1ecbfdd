"""The limit to come near to: bare aiohttp, one hand-written statement a read, the same token and session checks.

`python -m bench.handwritten --database URL --port N`
"""

import argparse
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import msgspec
import uvloop
from aiohttp import web

from bench import statements
from bench.checks import Checks, opened, serve
from resolvers.viewer import Viewer

Answer = Callable[[Viewer, dict[str, Any]], Awaitable[bytes]]
HEADERS = {"Cache-Control": "private, no-store", "Vary": "Accept, Origin", "X-Content-Type-Options": "nosniff"}
"""What every answer about somebody must have, whoever wrote the server."""

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

    async def procedures(viewer: Viewer, given: dict[str, Any]) -> bytes:
        values = list(viewer.services), given["status"], given.get("first", 100), viewer.language
        return await fetch(statements.PROCEDURES, *values)

    async def work_list(viewer: Viewer, given: dict[str, Any]) -> bytes:
        return await fetch(statements.WORK, list(viewer.services), given.get("first", 100), viewer.language)

    async def catalogue(viewer: Viewer, _: dict[str, Any]) -> bytes:
        return await fetch(statements.CATALOGUE, viewer.language)

    async def page(viewer: Viewer, given: dict[str, Any]) -> bytes:
        day = (datetime.fromisoformat(given[name]) for name in ("today", "tomorrow"))
        return await fetch(statements.PAGE, given["slug"], *day, viewer.language)

    async def search(viewer: Viewer, given: dict[str, Any]) -> bytes:
        return await fetch(statements.SEARCH, given["words"], viewer.language)

    async def fetch(sql: str, *values: Any) -> bytes:
        async with pool.acquire() as connection:
            answer: bytes = await connection.fetchval(sql, *values)
        return answer

    app = web.Application()
    for answer in (me, dashboard, procedures, work_list, catalogue, page, search):
        app.router.add_post(f"/{answer.__name__}", _handler(checks, answer))
    return app


def _handler(checks: Checks, answer: Answer) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        viewer = await checks.viewer(request)
        data = await answer(viewer, BODY.decode(await request.read()))
        return web.Response(body=b'{"data":' + data + b"}", content_type="application/json", headers=HEADERS)

    return handle


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", metavar="URL", required=True)
    parser.add_argument("--port", type=int, required=True)
    given = parser.parse_args()
    uvloop.run(serve(make_app(given.database), given.port))
