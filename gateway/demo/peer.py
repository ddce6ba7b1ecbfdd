"""What the demonstration's providers share: they keep what they get, and misbehave towards chosen addresses."""

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from aiohttp import web

from db.clock import Clock, utc_now

KEEP = 500
NEVER = 24 * 3600.0
GARBAGE = b"<html>\xff{]"

Kind = Literal["answer", "hang", "drop", "garbage"]


@dataclass(frozen=True, slots=True)
class Got:
    """One message as it came."""

    id: int
    received_at: datetime
    channel: str
    to: str
    text: str
    reference: str
    """The sender's id of it: a second one with the same is a duplicate."""

    provider: str = ""
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Habit:
    """How a peer treats one address, `left` more times (None: always)."""

    kind: Kind
    answer: Callable[[], web.Response] | None = None
    left: int | None = None


class Peer(ABC):
    """An HTTP server that keeps the last messages, newest last."""

    def __init__(self, *, keep: int = KEEP, clock: Clock = utc_now) -> None:
        self.messages: deque[Got] = deque(maxlen=keep)
        self.count = 0
        """Messages taken since the start, also those no longer kept."""

        self.host, self.port = "127.0.0.1", 0
        self._clock = clock
        self._habits: dict[str, Habit] = {}
        self._came = asyncio.Event()
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{self.host}:{self.port}"

    @abstractmethod
    def routes(self) -> list[web.RouteDef]:
        """Give what it answers."""

    async def start(self, port: int = 0) -> None:
        """Listen; port 0 takes any free one, which is then `port`."""
        app = web.Application()
        app.add_routes(self.routes())
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.host, port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Close the port; what was kept stays. `start` may be called again."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def treat(
        self, to: str, kind: Kind, *, times: int | None = None, answer: Callable[[], web.Response] | None = None
    ) -> None:
        """Misbehave towards an address: answer otherwise, take the request and never answer (`hang`), keep the message
        but cut the connection (`drop`), or keep it and answer nonsense.
        """
        self._habits[to] = Habit(kind, answer, times)

    def behave(self, to: str) -> None:
        """Treat an address well again."""
        self._habits.pop(to, None)

    def to(self, address: str) -> list[Got]:
        """Give the messages to one address, oldest first."""
        return [got for got in self.messages if got.to == address]

    async def wait_for(self, enough: Callable[[], bool], seconds: float = 10.0) -> None:
        """Wait until `enough()` is true, looking after each message; raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while not enough():
                self._came.clear()
                await self._came.wait()

    async def take(
        self, request: web.Request, got: Callable[[int], Got], to: str, good: Callable[[Got], web.Response]
    ) -> web.StreamResponse:
        """Keep a message and answer, or misbehave as told."""
        habit = self._habit(to)
        if habit is not None and habit.kind == "hang":
            await asyncio.sleep(NEVER)
        if habit is not None and habit.answer is not None:
            return habit.answer()
        self.count += 1
        kept = got(self.count)
        self.messages.append(kept)
        self._came.set()
        if habit is None:
            return good(kept)
        if habit.kind == "drop" and request.transport is not None:
            request.transport.abort()
        return web.Response(body=GARBAGE, content_type="text/html")

    def _habit(self, to: str) -> Habit | None:
        habit = self._habits.get(to) or self._habits.get("*")
        if habit is not None and habit.left is not None:
            habit.left -= 1
            if habit.left <= 0:
                self._habits = {key: each for key, each in self._habits.items() if each is not habit}
        return habit
