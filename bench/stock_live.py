"""The usual way of a subscription: a generator and a queue per subscriber, fed by one LISTEN a process."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator
from uuid import UUID

import asyncpg
import strawberry

from bench.stock_data import Row
from bench.stock_relay import Info
from bench.stock_types import NewsItem, item_from
from db import news

ITEM = """select family_id, id, seq, type, data, occurred_at, read_at from news where xid >= $1::text::xid8
    order by family_id, seq"""


class Hub:
    """Hands each new item to the queues of its family."""

    def __init__(self) -> None:
        self._queues: dict[UUID, set[asyncio.Queue[Row]]] = defaultdict(set)

    async def run(self, dsn: str) -> None:
        """Read news for ever."""
        connection = await asyncpg.connect(dsn, timeout=10)
        bell = asyncio.Event()
        await connection.add_listener("kiosque_news", lambda *_: bell.set())
        horizon, seen = await news.horizon(connection), set[tuple[UUID, int]]()
        while True:
            await bell.wait()
            bell.clear()
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                following: str = await connection.fetchval("select pg_snapshot_xmin(pg_current_snapshot())::text")
                rows = await connection.fetch(ITEM, horizon)
            fresh = [row for row in rows if (row["family_id"], row["seq"]) not in seen]
            horizon, seen = following, {(row["family_id"], row["seq"]) for row in rows}
            for row in fresh:
                for queue in self._queues.get(row["family_id"], ()):
                    queue.put_nowait(row)

    async def follow(self, family_id: UUID) -> AsyncGenerator[Row, None]:
        """Give the new items of a family."""
        queue: asyncio.Queue[Row] = asyncio.Queue()
        self._queues[family_id].add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            self._queues[family_id].discard(queue)


HUB = Hub()


@strawberry.type
class Subscription:
    """The root of streams."""

    @strawberry.subscription
    async def news(self, info: Info) -> AsyncGenerator[NewsItem, None]:
        """Follow the family's news."""
        family_id = info.context.viewer.family_id
        if family_id is None:
            raise PermissionError("only families")
        async for row in HUB.follow(family_id):
            yield item_from(row)
