"""A receiver of webhooks, written by the text of Standard Webhooks with nothing but the standard library."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from gateway.connections import Site

TOLERANCE = 300


def verified(secret: str, headers: Any, body: bytes) -> bool:
    """Tell whether a message is signed with a secret: `v1,` and the HMAC-SHA-256 of id, time and the exact body."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    given = [each.partition(",") for each in headers["webhook-signature"].split(" ")]
    fresh = abs(int(headers["webhook-timestamp"]) - time.time()) < TOLERANCE
    return fresh and any(version == "v1" and hmac.compare_digest(text, expected) for version, _, text in given)


@dataclass(slots=True)
class Received:
    """One request."""

    headers: Any
    body: bytes

    @property
    def message(self) -> Any:
        """What it says."""
        return json.loads(self.body)


Answer = Callable[[Received], Any]


@dataclass(slots=True)
class Receiver:
    """A running receiver."""

    port: int = 0
    received: list[Received] = field(default_factory=list)
    answer: Answer | None = None
    """Gives a response, or awaits; 204 when there is none."""

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}/crochet"

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Keep a request and answer it."""
        received = Received(request.headers.copy(), await request.read())
        self.received.append(received)
        found = self.answer(received) if self.answer else None
        if asyncio.iscoroutine(found):
            found = await found
        return found if found is not None else web.Response(status=204)

    async def until(self, count: int, seconds: float = 15.0) -> list[Received]:
        """Wait for so many requests."""
        async with asyncio.timeout(seconds):
            while len(self.received) < count:
                await asyncio.sleep(0.02)
        return self.received


@asynccontextmanager
async def receiving(answer: Answer | None = None) -> AsyncIterator[Receiver]:
    """Run a receiver on a free port."""
    receiver = Receiver(answer=answer)
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", receiver.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.2)
    await runner.setup()
    site = Site(runner, "127.0.0.1", 0)
    await site.start()
    receiver.port = site.port
    try:
        yield receiver
    finally:
        await runner.cleanup()
