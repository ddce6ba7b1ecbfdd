"""The usual way: stock Strawberry, its own view and caches, DataLoaders, asyncpg's pool.

`python -m bench.stock --database URL --port N`
"""

import argparse
import asyncio
from collections.abc import AsyncIterator, Callable

import strawberry
import uvloop
from aiohttp import web
from strawberry.aiohttp.views import GraphQLView
from strawberry.extensions import ParserCache, ValidationCache
from strawberry.schema.config import StrawberryConfig

from bench.checks import Checks, opened, serve
from bench.stock_data import Data
from bench.stock_live import HUB, Subscription
from bench.stock_types import Query


class View(GraphQLView[Data, None]):
    """Strawberry's view with our context."""

    checks: Checks

    async def get_context(self, request: web.Request, response: web.StreamResponse | web.WebSocketResponse) -> Data:
        """Give the loaders of one request."""
        return Data(self.checks.pool, await self.checks.viewer(request))


def listening(dsn: str) -> Callable[[web.Application], AsyncIterator[None]]:
    """Read news while the application runs."""

    async def listen(_: web.Application) -> AsyncIterator[None]:
        task = asyncio.create_task(HUB.run(dsn))
        yield
        task.cancel()

    return listen


async def make_app(dsn: str) -> web.Application:
    """Make the application."""
    schema = strawberry.Schema(
        Query,
        subscription=Subscription,
        config=StrawberryConfig(auto_camel_case=True),
        extensions=[lambda: ParserCache(maxsize=1000), lambda: ValidationCache(maxsize=1000)],
    )
    view = View(schema=schema, graphql_ide=None)
    view.checks = await opened(dsn)
    app = web.Application()
    app.cleanup_ctx.append(listening(dsn))
    app.router.add_route("*", "/graphql", view)
    return app


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", metavar="URL", required=True)
    parser.add_argument("--port", type=int, required=True)
    given = parser.parse_args()
    uvloop.run(serve(make_app(given.database), given.port))
