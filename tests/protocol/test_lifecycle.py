"""Connections at their beginning and their end: slow headers, and the stop of a full server."""

import asyncio
import time
from contextlib import AsyncExitStack
from uuid import UUID

from tests.protocol.house import raw, served, token
from tests.protocol.sockets import connected
from tests.protocol.test_websocket import LISTEN, MESSAGE, until


async def test_half_a_header_is_not_kept() -> None:
    async with served(header_seconds=1.0) as running, raw(running) as (reader, writer):
        writer.write(b"POST /graphql HTTP/1.1\r\nHost: x\r\n")
        assert await asyncio.wait_for(reader.read(), 5) == b""


async def test_a_client_that_says_nothing_is_not_kept() -> None:
    async with served(header_seconds=0.2) as running, raw(running) as (reader, _):
        assert await asyncio.wait_for(reader.read(), 5) == b""


async def test_a_connection_that_has_asked_once_is_kept() -> None:
    async with served(header_seconds=1.0) as running, raw(running) as (reader, writer):
        for _ in range(2):
            writer.write(b"GET /graphql?query={me} HTTP/1.1\r\nHost: x\r\nAccept: application/json\r\n\r\n")
            assert b" 200 " in await asyncio.wait_for(reader.readline(), 5)
            await asyncio.sleep(1.1)
            await reader.readuntil(b"}}")


async def test_five_hundred_sockets_are_told_and_gone_when_the_server_stops() -> None:
    async with served() as running, AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(connected(running, token=token(number))) for number in range(500)]
        for socket in sockets:
            await socket.subscribe("n", LISTEN)
        await until(lambda: len(running.house.listeners) == 500, 20)
        start = time.monotonic()
        codes, _ = await asyncio.gather(
            asyncio.gather(*(socket.code() for socket in sockets)), running.runner.cleanup()
        )
        assert set(codes) == {1001}
        assert time.monotonic() - start <= 5, "the limit of the requirement"
        assert not running.house.listeners


async def test_a_stopping_server_takes_no_new_sockets() -> None:
    async with served() as running:
        running.endpoint.sockets.close_all()
        async with running.client.get(
            running.url,
            headers={"Upgrade": "websocket", "Connection": "upgrade", "Sec-WebSocket-Version": "13"},
        ) as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (503, "5")


async def test_a_session_that_ends_hears_nothing_more() -> None:
    async with served() as running, connected(running, token=token(1, 5)) as socket:
        await socket.subscribe("n", LISTEN)
        await until(lambda: running.house.listeners)
        running.endpoint.sockets.close_session(UUID(int=5))
        running.house.publish(MESSAGE)
        assert (await socket.ws.receive(5)).data == 4403
        assert not running.house.listeners
