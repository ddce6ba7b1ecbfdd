"""graphql-transport-ws: every message, every way to break the protocol, every limit of a socket."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from aiohttp import WSMsgType, WSServerHandshakeError

from gateway.endpoint import LiveLimits
from tests.protocol.house import SECRET, Served, raw, served, token
from tests.protocol.sockets import connected

LISTEN = "subscription{messageSent{id body}}"
HANDSHAKE = (
    b"GET /graphql HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    b"Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
)
MESSAGE = {"id": "9", "body": "b", "channel": "SMS"}


async def until(condition: Any, seconds: float = 10) -> None:
    """Wait until something has become true."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


async def test_a_query_a_mutation_and_a_subscription_share_a_socket(running: Served) -> None:
    async with connected(running, token=token(3)) as socket:
        await socket.subscribe("1", "query($t:String!){echo(text:$t)}", {"t": "é"})
        assert await socket.get() == {"id": "1", "type": "next", "payload": {"data": {"echo": "é"}}}
        assert await socket.get() == {"id": "1", "type": "complete"}
        await socket.subscribe("2", "subscription{count(to:2)}")
        assert [(await socket.get())["payload"]["data"]["count"] for _ in range(2)] == [1, 2]
        assert await socket.get() == {"id": "2", "type": "complete"}
        await socket.subscribe("1", "{me}")
        assert (await socket.get())["payload"]["data"]["me"].endswith("0003")


async def test_news_are_pushed_until_the_client_leaves() -> None:
    async with served() as running, connected(running) as socket:
        await socket.subscribe("n", LISTEN)
        await until(lambda: running.house.listeners)
        running.house.publish(MESSAGE)
        assert (await socket.get())["payload"] == {"data": {"messageSent": {"id": "9", "body": "b"}}}
        await socket.send(type="complete", id="n")
        await until(lambda: not running.house.listeners)
        await socket.send(type="complete", id="n")
        await socket.subscribe("n", "{me}")
        assert (await socket.get())["payload"] == {"data": {"me": "nobody"}}


async def test_an_idle_subscription_has_no_task() -> None:
    async with served() as running, connected(running) as socket:
        before = len(asyncio.all_tasks())
        for key in range(20):
            await socket.subscribe(str(key), LISTEN)
        await until(lambda: len(running.house.listeners) == 20)
        await until(lambda: len(asyncio.all_tasks()) <= before)
        running.house.publish(MESSAGE)
        assert {(await socket.get())["id"] for _ in range(20)} == {str(key) for key in range(20)}


async def test_leaving_the_socket_leaves_its_subscriptions() -> None:
    async with served() as running:
        async with connected(running) as socket:
            await socket.subscribe("n", LISTEN)
            await until(lambda: running.house.listeners)
        await until(lambda: not running.house.listeners and not len(running.endpoint.sockets))


async def test_a_cut_connection_leaves_its_subscriptions() -> None:
    async with served() as running, connected(running) as socket:
        await socket.subscribe("n", LISTEN)
        await until(lambda: running.house.listeners)
        socket.ws._writer.transport.abort()
        await until(lambda: not running.house.listeners and not len(running.endpoint.sockets))


@pytest.mark.parametrize(
    ("query", "variables", "code"),
    [
        ("{", None, "GRAPHQL_PARSE_FAILED"),
        ("{nope}", None, "GRAPHQL_VALIDATION_FAILED"),
        ("query($t:String!){echo(text:$t)}", {}, "BAD_USER_INPUT"),
        ("subscription($t:Int!){count(to:$t)}", {}, "BAD_USER_INPUT"),
        ("query A{me} query B{me}", None, "BAD_REQUEST"),
        ("{messages(first:9999){edges{cursor}}}", None, "TOO_COSTLY"),
        ("subscription{fails}", None, "INTERNAL"),
    ],
)
async def test_a_fault_ends_its_operation_only(running: Served, query: str, variables: Any, code: str) -> None:
    async with connected(running) as socket:
        await socket.subscribe("1", query, variables)
        message = await socket.get()
        assert (message["id"], message["type"]) == ("1", "error")
        assert message["payload"][0]["extensions"]["code"] == code
        assert SECRET not in str(message)
        await socket.subscribe("1", "{me}")
        assert (await socket.get())["type"] == "next"


async def test_a_field_that_fails_is_a_result(running: Served) -> None:
    async with connected(running) as socket:
        await socket.subscribe("1", "{boom}")
        payload = (await socket.get())["payload"]
        assert payload["data"] == {"boom": None}
        assert payload["errors"][0]["extensions"]["code"] == "INTERNAL"


async def test_pings_are_answered_before_and_after_the_init(running: Served) -> None:
    async with connected(running, init=False) as socket:
        await socket.send(type="ping")
        assert await socket.get() == {"type": "pong"}
        await socket.send(type="ping", payload={"a": 1})
        assert await socket.get() == {"type": "pong", "payload": {"a": 1}}
        await socket.send(type="pong")
        await socket.init()


@pytest.mark.parametrize("payload", [{}, None, {"authorization": "1/1/60"}, {"Authorization": "Bearer 1/1/60"}])
async def test_the_ways_to_introduce_oneself(running: Served, payload: Any) -> None:
    async with connected(running, init=False) as socket:
        await socket.send(type="connection_init", payload=payload)
        assert await socket.get() == {"type": "connection_ack"}
        await socket.subscribe("1", "{me}")
        assert (await socket.get())["payload"]["data"]["me"] == (str(UUID(int=1)) if payload else "nobody")


SUBSCRIBE: dict[str, Any] = {"type": "subscribe", "id": "1", "payload": {"query": LISTEN}}
INIT: dict[str, Any] = {"type": "connection_init"}


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        ([SUBSCRIBE], 4401),
        ([INIT, INIT], 4429),
        ([INIT, SUBSCRIBE, SUBSCRIBE], 4409),
        ([{"type": "connection_init", "payload": {"authorization": "wrong"}}], 4403),
        ([{"type": "connection_init", "payload": {"authorization": 5}}], 4400),
        ([{"type": "connection_init", "payload": "text"}], 4400),
        ([{"type": "connection_init", "payload": []}], 4400),
        ([INIT, {"type": "start", "id": "1", "payload": {}}], 4400),
        ([INIT, {"type": "subscribe", "payload": {"query": "{me}"}}], 4400),
        ([INIT, {"type": "subscribe", "id": "", "payload": {"query": "{me}"}}], 4400),
        ([INIT, {"type": "subscribe", "id": 1, "payload": {"query": "{me}"}}], 4400),
        ([INIT, {"type": "subscribe", "id": "1"}], 4400),
        ([INIT, {"type": "subscribe", "id": "1", "payload": {}}], 4400),
        ([INIT, {"type": "subscribe", "id": "1", "payload": {"query": 5}}], 4400),
        ([INIT, {"type": "subscribe", "id": "1", "payload": {"query": "{me}", "variables": []}}], 4400),
        ([INIT, {"type": "complete"}], 4400),
        ([{"type": 5}], 4400),
        ([{}], 4400),
    ],
)
async def test_a_message_out_of_order_or_shape_closes(running: Served, messages: list[Any], code: int) -> None:
    async with connected(running, init=False) as socket:
        for message in messages:
            await socket.ws.send_json(message)
        assert await socket.code() == code


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "nonsense",
        "[]",
        "null",
        "5",
        '{"type":"ping"',
        '{"type":"ping","payload":{"a":NaN}}',
        '{"type":"subscribe","id":"1","payload":{"query":"\\ud800"}}',
        '{"type":"subscribe","id":"1","payload":{"query":"{me}","variables":{"a":"\\u0000"}}}',
        '{"type":"subscribe","id":"1","payload":' + '{"a":' * 9_000 + "1" + "}" * 9_000 + "}",
        '{"type":"subscribe","id":"1","payload":' + "[" * 60_000,
        b"\x00\x01",
        b'{"type":"ping"}',
    ],
)
async def test_a_broken_frame_closes_with_4400(running: Served, frame: str | bytes, capfd: Any) -> None:
    async with connected(running) as socket:
        await (socket.ws.send_str(frame) if isinstance(frame, str) else socket.ws.send_bytes(frame))
        assert await socket.code() == 4400
    assert "Traceback" not in capfd.readouterr().err


async def test_text_that_is_not_utf8_closes_with_4400(running: Served) -> None:
    async with connected(running) as socket:
        await socket.ws.send_frame(b'{"type":"\xed\xa0\x80"}', WSMsgType.TEXT)
        assert await socket.code() == 4400


async def test_a_frame_too_large_closes_with_1009(running: Served) -> None:
    async with connected(running) as socket:
        await socket.ws.send_str("x" * 70_000)
        assert await socket.code() == 1009


@pytest.mark.parametrize("protocol", ["graphql-ws", "", "other"])
async def test_other_subprotocols_are_closed_with_4406(running: Served, protocol: str) -> None:
    async with connected(running, init=False, protocol=protocol) as socket:
        assert await socket.code() == 4406


async def test_a_page_of_another_site_may_not_open_a_socket(running: Served) -> None:
    with pytest.raises(WSServerHandshakeError) as refused:
        async with connected(running, headers={"Origin": "https://evil.example"}):
            pass
    assert refused.value.status == 403


async def test_a_handshake_that_is_not_one_is_a_faulty_request(running: Served) -> None:
    async with running.client.get(running.url, headers={"Upgrade": "websocket", "Connection": "upgrade"}) as answer:
        assert answer.status == 400
        assert (await answer.json())["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


async def test_a_client_that_does_not_introduce_itself_is_closed() -> None:
    async with served(live=LiveLimits(init_seconds=0.1)) as running, connected(running, init=False) as socket:
        assert await socket.code() == 4408


async def test_a_socket_is_closed_when_its_token_expires(running: Served) -> None:
    async with connected(running, token=token(seconds=0.2)) as socket:
        await socket.subscribe("n", LISTEN)
        assert await socket.code() == 4403


async def test_a_socket_is_closed_when_its_session_ends() -> None:
    async with (
        served() as running,
        connected(running, token=token(1, 5)) as one,
        connected(running, token=token(1, 6)) as other,
    ):
        running.endpoint.sockets.close_session(UUID(int=5))
        assert await one.code() == 4403
        await other.subscribe("1", "{me}")
        assert (await other.get())["type"] == "next"


async def test_an_account_has_its_share_of_sockets() -> None:
    async with served(an_account=2) as running, connected(running, token=token(1)):
        async with connected(running, token=token(1)):
            async with connected(running, init=False) as third:
                await third.send(type="connection_init", payload={"authorization": token(1)})
                assert await third.code() == 4429
            async with connected(running, token=token(2)):
                pass
        await until(lambda: len(running.endpoint.sockets) == 1)
        async with connected(running, token=token(1)):
            pass


async def test_forty_queries_at_once_all_get_their_answer(running: Served) -> None:
    async with connected(running) as socket:
        for key in range(40):
            await socket.subscribe(str(key), "{slow(seconds:0.02)}")
        done = [await socket.get() for _ in range(80)]
        assert {message["id"] for message in done if message["type"] == "complete"} == {str(n) for n in range(40)}


async def test_a_socket_has_its_share_of_subscriptions(running: Served) -> None:
    async with connected(running) as socket:
        for key in range(21):
            await socket.subscribe(str(key), LISTEN)
        message = await socket.get()
        assert (message["type"], message["payload"][0]["extensions"]["code"]) == ("error", "THROTTLED")
        await socket.subscribe("q", "{me}")
        assert (await socket.get())["id"] == "q"


async def test_an_operation_on_a_socket_has_a_deadline() -> None:
    async with served(deadline=0.1) as running, connected(running) as socket:
        await socket.subscribe("1", "{slow(seconds:5)}")
        assert (await socket.get())["payload"][0]["extensions"]["code"] == "TOO_COSTLY"


async def test_a_dead_client_is_found_by_the_heartbeat() -> None:
    live = LiveLimits(heartbeat_seconds=1.0)
    async with served(live=live) as running, connected(running, autoping=False) as socket:
        await socket.subscribe("n", LISTEN)
        await until(lambda: running.house.listeners)
        await until(lambda: not running.house.listeners and not len(running.endpoint.sockets))


async def test_a_client_that_answers_pings_stays() -> None:
    async with served(live=LiveLimits(heartbeat_seconds=1.0)) as running, connected(running) as socket:
        await socket.subscribe("n", LISTEN)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(socket.get(60), 3)
        running.house.publish(MESSAGE)
        assert (await socket.get())["type"] == "next"


async def test_a_client_that_does_not_read_is_cut_off_and_costs_a_bounded_queue() -> None:
    live = LiveLimits(closing_seconds=0.3)
    async with served(live=live) as running, raw(running) as (reader, writer):
        writer.write(HANDSHAKE)
        await reader.readuntil(b"\r\n\r\n")
        subscribe = b'{"type":"subscribe","id":"1","payload":{"query":"subscription{messageSent{body}}"}}'
        for message in (b'{"type":"connection_init"}', subscribe):
            writer.write(bytes((0x81, 0x80 | len(message), 0, 0, 0, 0)) + message)
        await until(lambda: running.house.listeners)
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        sent = 0
        while running.house.listeners:
            running.house.publish(MESSAGE | {"body": "x" * 100_000})
            sent += 1
            await asyncio.sleep(0)
        assert 64 < sent < 400
        await until(lambda: not len(running.endpoint.sockets))


async def test_a_slow_client_gets_everything_in_order() -> None:
    async with served() as running, connected(running) as socket:
        await socket.subscribe("1", "subscription{messageSent{id body}}")
        await until(lambda: running.house.listeners)
        for number in range(60):
            running.house.publish({"id": str(number), "body": "x" * 100_000, "channel": "SMS"})
        found = [(await socket.get())["payload"]["data"]["messageSent"]["id"] for _ in range(60)]
        assert found == [str(number) for number in range(60)]
