"""Clients that follow a family's news over a WebSocket or server-sent events, and resume after each cut."""

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import aiohttp
import asyncpg

from tests.house import Made
from tests.load import Load

FOLLOW = """subscription ($after: String) { procedureStatusChanged(after: $after) {
    cursor procedure { reference } event { number toStatus } } }"""
PAUSE = 0.1
"""Seconds before a client connects anew."""

Event = tuple[int, str, int, str]
"""Cursor, reference of the procedure, number and status of its event."""


@dataclass(slots=True)
class Follower:
    """One client."""

    url: str
    token: str
    family: Made
    over: Literal["socket", "events"]
    after: int
    """Cursor of the last item that it need not hear."""
    heard: list[Event] = field(default_factory=list)
    connected: asyncio.Event = field(default_factory=asyncio.Event)
    ends: list[str] = field(default_factory=list)
    """How its streams ended."""
    _timeout: asyncio.Timeout | None = None

    async def run(self) -> None:
        """Follow until cancelled, always from the last cursor."""
        while True:
            self.ends.append(await self._follow())
            self.connected.clear()
            await asyncio.sleep(PAUSE)

    def cut(self) -> None:
        """Reset the connection without a word."""
        assert self._timeout is not None, "cut while connected"
        self._timeout.reschedule(0)

    async def _follow(self) -> str:
        try:
            async with asyncio.timeout(None) as self._timeout, _abrupt() as session:
                await (self._by_socket if self.over == "socket" else self._by_events)(session)
        except TimeoutError:
            return "cut"
        except aiohttp.ClientError as error:
            return type(error).__name__
        return "closed"

    @property
    def _operation(self) -> dict[str, Any]:
        after = self.heard[-1][0] if self.heard else self.after
        return {"query": FOLLOW, "variables": {"after": str(after)}}

    async def _by_socket(self, session: aiohttp.ClientSession) -> None:
        async with session.ws_connect(f"{self.url}/graphql", protocols=["graphql-transport-ws"]) as socket:
            await socket.send_json({"type": "connection_init", "payload": {"authorization": f"Bearer {self.token}"}})
            async for message in socket:
                told = json.loads(message.data)
                if told["type"] == "connection_ack":
                    await socket.send_json({"id": "1", "type": "subscribe", "payload": self._operation})
                    self.connected.set()
                elif told["type"] == "next":
                    self._hear(told["payload"])
                elif told["type"] in ("error", "complete"):
                    return

    async def _by_events(self, session: aiohttp.ClientSession) -> None:
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "text/event-stream"}
        async with session.post(f"{self.url}/graphql", json=self._operation, headers=headers) as response:
            response.raise_for_status()
            self.connected.set()
            async for line in response.content:
                if line.startswith(b"data: "):
                    told = json.loads(line[6:])
                    if "errors" in told:
                        return
                    self._hear(told)

    def _hear(self, payload: Any) -> None:
        item = payload["data"]["procedureStatusChanged"]
        event = item["event"]
        self.heard.append((int(item["cursor"]), item["procedure"]["reference"], event["number"], event["toStatus"]))


@asynccontextmanager
async def _abrupt() -> AsyncIterator[aiohttp.ClientSession]:
    """Open a session whose connections are reset, not closed."""

    def reset_at_close(address: Any) -> socket.socket:
        made = socket.socket(*address[:3])
        made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return made

    timeout = aiohttp.ClientTimeout(total=None, sock_connect=10)
    connector = aiohttp.TCPConnector(socket_factory=reset_at_close)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        yield session


@asynccontextmanager
async def following(followers: Sequence[Follower]) -> AsyncIterator[None]:
    """Let clients follow until the block ends; it begins when all are connected."""
    tasks = [asyncio.create_task(follower.run()) for follower in followers]
    try:
        async with asyncio.timeout(60):
            for follower in followers:
                await follower.connected.wait()
        yield
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(result, asyncio.CancelledError) for result in results), results


async def clients(load: Load, of_each_family: int) -> list[Follower]:
    """Give clients of all families of a load: sockets and streams of events in turn, some from the beginning."""
    made = []
    for family in load.families:
        token = await load.house.sign_in(family.email)
        seq = await load.pool.fetchval("select news_seq from family where id = $1", family.id)
        for place in range(of_each_family):
            after = 0 if place % 4 > 1 else seq
            made.append(Follower(load.house.url, token, family, ("socket", "events")[place % 2], after))
    return made


async def stream(pool: asyncpg.Pool, family: Made) -> list[Event]:
    """Give what the stream of a family holds, in its order."""
    rows = await pool.fetch(
        """select n.seq, p.reference, e.number, e.to_status from news n
           join procedure p on p.family_id = n.family_id and p.id = n.procedure_id
           join procedure_event e on e.family_id = n.family_id and e.procedure_id = n.procedure_id
               and e.number = n.procedure_event_number
           where n.family_id = $1 and n.topic = 'PROCEDURE_STATUS' order by n.seq""",
        family.id,
    )
    return [tuple(row) for row in rows]


async def heard_all(pool: asyncpg.Pool, followers: Sequence[Follower], seconds: float = 30.0) -> int:
    """Wait until every client has heard as many items as its stream holds, compare them all, and give their number."""
    streams = {follower.family.id: await stream(pool, follower.family) for follower in followers}
    wanted = [[event for event in streams[each.family.id] if event[0] > each.after] for each in followers]
    try:
        async with asyncio.timeout(seconds):
            while any(len(each.heard) < len(events) for each, events in zip(followers, wanted, strict=True)):
                await asyncio.sleep(0.05)
    except TimeoutError:
        pass  # the comparison says who missed what
    for each, events in zip(followers, wanted, strict=True):
        missed, others = [one for one in events if one not in each.heard], len(each.heard) - len(events)
        assert each.heard == events, (
            f"{each.over} after {each.after} missed {missed}, {others:+} heard, ends: {each.ends}"
        )
    return sum(map(len, wanted))
