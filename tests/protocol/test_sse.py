"""Events: the distinct connections mode of graphql-sse."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import msgspec
import pytest
from aiohttp import ClientPayloadError, ClientResponse

from gateway.endpoint import LiveLimits
from tests.protocol.house import SECRET, Served, raw, served, token
from tests.protocol.test_websocket import LISTEN, MESSAGE, until

EVENTS = {"Accept": "text/event-stream"}


@asynccontextmanager
async def stream(running: Served, query: str, variables: Any = None, **headers: str) -> AsyncIterator[ClientResponse]:
    """Ask for events."""
    body = {"query": query, "variables": variables}
    async with running.client.post(running.url, json=body, headers=EVENTS | headers) as answer:
        yield answer


def events(text: str) -> list[tuple[str, Any]]:
    """Read a finished stream as an EventSource does."""
    assert "\r" not in text
    found = []
    for block in text.split("\n\n"):
        lines = dict(line.split(":", 1) for line in block.splitlines() if not line.startswith(":"))
        if "event" in lines:
            data = lines["data"].removeprefix(" ")
            found.append((lines["event"].removeprefix(" "), msgspec.json.decode(data) if data else None))
    return found


async def test_a_subscription_is_a_stream_that_ends_with_complete(running: Served) -> None:
    async with stream(running, "subscription{count(to:3)}") as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        assert "no-cache" in answer.headers["Cache-Control"]
        found = events(await answer.text())
    assert found == [*(("next", {"data": {"count": n}}) for n in (1, 2, 3)), ("complete", None)]


async def test_queries_and_mutations_work_too(running: Served) -> None:
    async with stream(running, "query($t:String!){echo(text:$t)}", {"t": "a\nb"}) as answer:
        assert events(await answer.text()) == [("next", {"data": {"echo": "a\nb"}}), ("complete", None)]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{nope}", "GRAPHQL_VALIDATION_FAILED"),
        ("query($t:String!){echo(text:$t)}", "BAD_USER_INPUT"),
        ("subscription($t:Int!){count(to:$t)}", "BAD_USER_INPUT"),
        ("subscription{fails}", "INTERNAL"),
    ],
)
async def test_a_fault_of_the_operation_is_an_event(running: Served, query: str, code: str) -> None:
    async with stream(running, query) as answer:
        assert answer.status == 200
        text = await answer.text()
    assert SECRET not in text
    (kind, result), last = events(text)
    assert (kind, result["errors"][0]["extensions"]["code"], last) == ("next", code, ("complete", None))


async def test_a_fault_of_the_request_is_its_status(running: Served) -> None:
    async with stream(running, LISTEN, Authorization="Bearer wrong") as answer:
        assert (answer.status, answer.headers["Content-Type"]) == (401, "application/json; charset=utf-8")
    async with stream(running, LISTEN, Origin="https://evil.example") as answer:
        assert answer.status == 403


async def test_a_subscription_is_streamed_to_who_also_accepts_events(running: Served) -> None:
    accept = "application/graphql-response+json, application/json, text/event-stream"
    async with stream(running, "subscription{count(to:1)}", Accept=accept) as answer:
        assert events(await answer.text())[-1] == ("complete", None)
    async with stream(running, "{me}", Accept=accept) as answer:
        assert answer.headers["Content-Type"].startswith("application/graphql-response+json")


async def test_news_arrive_and_a_quiet_stream_is_kept_open_by_comments() -> None:
    async with served(live=LiveLimits(comment_seconds=0.1)) as running:
        async with stream(running, LISTEN) as answer:
            await until(lambda: running.house.listeners)
            running.house.publish(MESSAGE)
            text = ""
            while text.count(":\n\n") < 4:
                text += (await answer.content.readany()).decode()
            assert events(text) == [("next", {"data": {"messageSent": {"id": "9", "body": "b"}}})]
        await until(lambda: not running.house.listeners and not len(running.endpoint.sockets))


async def test_an_idle_stream_has_no_task_of_its_own() -> None:
    async with served() as running, stream(running, LISTEN):
        await until(lambda: running.house.listeners)
        before = len(asyncio.all_tasks())
        async with stream(running, LISTEN), stream(running, LISTEN):
            await until(lambda: len(running.house.listeners) == 3)
            # What aiohttp needs for any connection and its request.
            assert len(asyncio.all_tasks()) - before <= 2 * 2


@pytest.mark.parametrize("how", ["expiry", "session", "stop"])
async def test_a_stream_is_cut_without_complete(how: str) -> None:
    async with served() as running:
        lasting = token(1, 5, seconds=0.2 if how == "expiry" else 60)
        async with stream(running, LISTEN, Authorization=f"Bearer {lasting}") as answer:
            assert answer.status == 200
            if how != "expiry":  # its listener may have come and gone by now
                await until(lambda: running.house.listeners)
            if how == "session":
                running.endpoint.sockets.close_session(UUID(int=5))
            if how == "stop":
                await running.endpoint.sockets.stop()
            assert "complete" not in (await answer.text())
        await until(lambda: not running.house.listeners)


async def test_streams_count_as_sockets_of_the_account() -> None:
    async with served(an_account=1) as running:
        authorization = f"Bearer {token(1)}"
        async with stream(running, LISTEN, Authorization=authorization) as first:
            assert first.status == 200
            async with stream(running, LISTEN, Authorization=authorization) as second:
                assert second.status == 429
                assert (await second.json())["errors"][0]["extensions"]["code"] == "THROTTLED"


async def test_a_client_that_does_not_read_is_cut_off() -> None:
    async with served(live=LiveLimits(closing_seconds=0.3)) as running, stream(running, LISTEN) as answer:
        await until(lambda: running.house.listeners)
        sent = 0
        while running.house.listeners and sent < 1_000:
            running.house.publish(MESSAGE | {"body": "x" * 100_000})
            sent += 1
            await asyncio.sleep(0)
            if sent > 300:
                await asyncio.sleep(0.01)
        assert sent < 1_000
        with pytest.raises(ClientPayloadError):
            await answer.read()


async def test_a_slow_reader_gets_the_end_too() -> None:
    async with served() as running, stream(running, "{large(size:900000)}") as answer:
        await asyncio.sleep(0.1)
        found = events(await answer.text())
    assert [kind for kind, _ in found] == ["next", "complete"]
    assert len(found[0][1]["data"]["large"]) == 900_000


async def test_http_1_0_gets_plain_events(running: Served) -> None:
    body = b'{"query":"subscription{count(to:2)}"}'
    head = b"POST /graphql HTTP/1.0\r\nHost: x\r\nAccept: text/event-stream\r\nContent-Type: application/json\r\n"
    async with raw(running) as (reader, writer):
        writer.write(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        answer = (await asyncio.wait_for(reader.read(), 5)).decode()
    assert [kind for kind, _ in events(answer.split("\r\n\r\n", 1)[1])] == ["next", "next", "complete"]
