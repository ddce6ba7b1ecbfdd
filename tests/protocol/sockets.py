"""A client of graphql-transport-ws that keeps nothing back."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from aiohttp import ClientWebSocketResponse, WSMsgType

from tests.protocol.house import Served


class Socket:
    """One socket, message by message."""

    def __init__(self, ws: ClientWebSocketResponse) -> None:
        self.ws = ws

    async def send(self, **message: Any) -> None:
        await self.ws.send_json(message)

    async def get(self, seconds: float = 5) -> dict[str, Any]:
        """Give the next message; fails when the socket is closed instead."""
        received = await self.ws.receive(seconds)
        assert received.type is WSMsgType.TEXT, (received.type, received.data, self.ws.close_code)
        found: dict[str, Any] = msgspec.json.decode(received.data)
        return found

    async def code(self, seconds: float = 5) -> int | None:
        """Wait for the closing and give its code."""
        while (await self.ws.receive(seconds)).type is WSMsgType.TEXT:
            pass
        return self.ws.close_code

    async def init(self, token: str | None = None) -> None:
        """Sign in, or enter as nobody."""
        await self.send(type="connection_init", payload={"authorization": token} if token else None)
        assert await self.get() == {"type": "connection_ack"}

    async def subscribe(self, key: str, query: str, variables: Any = None) -> None:
        await self.send(type="subscribe", id=key, payload={"query": query, "variables": variables})


@asynccontextmanager
async def connected(
    running: Served, *, init: bool = True, token: str | None = None, protocol: str = "graphql-transport-ws", **more: Any
) -> AsyncIterator[Socket]:
    """Open a socket."""
    protocols = (protocol,) if protocol else ()
    async with running.client.ws_connect(running.url, protocols=protocols, max_msg_size=0, **more) as ws:
        socket = Socket(ws)
        if init:
            await socket.init(token)
        yield socket
