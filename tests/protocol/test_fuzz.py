"""Whatever is sent, nothing ends in a 500 or in a traceback, and the server goes on."""

import json
from typing import Any

from aiohttp import WSMsgType
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.protocol.house import Served
from tests.protocol.sockets import connected

WORDS = ["{me}", "query A{me}", "subscription{count(to:1)}", "ping", "\0", "\ud800"]
ACCEPTS = ["", "*/*", "application/json", "text/event-stream", "application/graphql-response+json", "x;q=1;;,"]

texts = st.text(max_size=20) | st.sampled_from(WORDS)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=8,
)
members = st.sampled_from(["query", "variables", "operationName", "extensions", "type", "id", "payload", "other"])
types = st.sampled_from(["connection_init", "ping", "pong", "subscribe", "complete", "next", "start", ""])
requests = st.dictionaries(members, values, max_size=5) | values
messages = st.fixed_dictionaries({"type": types}, optional={"id": values, "payload": requests})
documents = st.text(alphabet='{}()[]$!:@"\\.#, \nabqueryfragmenton0123é\0', max_size=60)
accepts = st.sampled_from(ACCEPTS)

FUZZ = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


def encoded(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=True).encode()


@FUZZ
@given(body=st.binary(max_size=80) | requests.map(encoded), accept=accepts)
async def test_any_body_gets_an_answer(running: Served, body: bytes, accept: str) -> None:
    headers = {"Content-Type": "application/json", "Accept": accept}
    async with running.client.post(running.url, data=body, headers=headers) as answer:
        text = await answer.text()
        assert answer.status in (200, 400, 406), text
        assert "Traceback" not in text
        if answer.status != 200:
            assert json.loads(text)["errors"][0]["extensions"]["code"]


@FUZZ
@given(source=documents)
async def test_any_document_gets_an_answer(running: Served, source: str) -> None:
    status, body = await running.post(source)
    assert status in (200, 400), body
    assert "data" in body or body["errors"][0]["extensions"]["code"] != "INTERNAL"


@FUZZ
@given(query=st.binary(max_size=40))
async def test_any_query_string_gets_an_answer(running: Served, query: bytes) -> None:
    escaped = "".join(f"%{byte:02X}" for byte in query)
    async with running.client.get(f"{running.url}?query={escaped}&variables={escaped}") as answer:
        assert answer.status in (200, 400), await answer.text()


@FUZZ
@given(frames=st.lists(st.binary(max_size=60) | messages.map(encoded) | requests.map(encoded), min_size=1, max_size=4))
async def test_any_frame_is_answered_or_closes_with_a_code(running: Served, frames: list[bytes], capfd: Any) -> None:
    async with connected(running, init=False) as socket:
        for frame in frames:
            if not socket.ws.closed:
                await socket.ws.send_frame(frame, WSMsgType.TEXT)
        await socket.ws.close()
        assert socket.ws.close_code in (1000, 4400, 4401, 4403, 4409, 4429)
    assert "Traceback" not in capfd.readouterr().err
