"""Clients of live streams: graphql-transport-ws over a WebSocket, and server-sent events."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Self

import aiohttp

from tests.house import House

PATIENCE = 10.0


class Socket:
    """One WebSocket of one client."""

    def __init__(self, house: House, token: str | None, headers: Mapping[str, str] | None = None) -> None:
        self._house = house
        self._token = token
        self._headers = dict(headers or {})
        self._waiting: dict[str, asyncio.Queue[dict[str, Any]]] = {}
        self.code: int | None = None
        """Why the server closed it."""

    async def __aenter__(self) -> Self:
        url = self._house.url.replace("http", "ws") + "/graphql"
        self._ws = await self._house.http.ws_connect(url, protocols=["graphql-transport-ws"], headers=self._headers)
        payload = {"authorization": f"Bearer {self._token}"} if self._token else {}
        await self._ws.send_json({"type": "connection_init", "payload": payload})
        assert (await self._ws.receive_json(timeout=PATIENCE))["type"] == "connection_ack"
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._ws.close()
        await self._reader

    async def subscribe(self, key: str, query: str, **variables: Any) -> None:
        """Start an operation."""
        await self.send(key, {"query": query, "variables": variables})

    async def send(self, key: str, payload: dict[str, Any]) -> None:
        """Start an operation with any parameters."""
        self._waiting[key] = asyncio.Queue()
        await self._ws.send_json({"id": key, "type": "subscribe", "payload": payload})

    async def next(self, key: str) -> Any:
        """Wait for the next result's data."""
        message = await self.message(key)
        assert message["type"] == "next" and "errors" not in message["payload"], message
        return message["payload"]["data"]

    async def message(self, key: str) -> dict[str, Any]:
        """Wait for the next message of an operation."""
        async with asyncio.timeout(PATIENCE):
            return await self._waiting[key].get()

    async def closed(self) -> int:
        """Wait until the server closes; give its code."""
        async with asyncio.timeout(PATIENCE):
            await asyncio.shield(self._reader)
        assert self.code is not None
        return self.code

    async def _read(self) -> None:
        async for message in self._ws:
            if message.type is aiohttp.WSMsgType.TEXT:
                told = json.loads(message.data)
                if "id" in told:
                    self._waiting[told["id"]].put_nowait(told)
        self.code = self._ws.close_code


class EventStream:
    """One subscription over server-sent events."""

    def __init__(self, house: House, token: str | None, query: str, **variables: Any) -> None:
        self._house = house
        self._headers = {"Accept": "text/event-stream"} | ({"Authorization": f"Bearer {token}"} if token else {})
        self._body = {"query": query, "variables": variables}

    async def __aenter__(self) -> Self:
        self._response = await self._house.http.post(
            f"{self._house.url}/graphql", json=self._body, headers=self._headers
        )
        assert self._response.content_type == "text/event-stream", await self._response.text()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._response.close()

    async def next(self) -> Any:
        """Wait for the next event's data."""
        async with asyncio.timeout(PATIENCE):
            while True:
                line = (await self._response.content.readline()).decode()
                assert line, "the server ended the stream"
                if line.startswith("data:"):
                    told = json.loads(line[5:])
                    if told:
                        assert "errors" not in told, told
                        return told["data"]

    async def rest(self) -> str:
        """Wait until the server ends the stream; give what it still sent."""
        async with asyncio.timeout(PATIENCE):
            return (await self._response.content.read()).decode()
