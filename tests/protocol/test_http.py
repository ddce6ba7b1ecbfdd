"""HTTP: what is let in, which status it gets, and that nothing ends in a 500."""

import asyncio
import hashlib
import json
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway.requests import Gate
from tests.protocol.house import SECRET, Served, raw, served, token

GRAPHQL = "application/graphql-response+json"
JSON = {"Content-Type": "application/json"}
HEAD = b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


async def test_a_query_is_answered_in_the_form_asked_for(running: Served) -> None:
    for accept in (GRAPHQL, "application/json"):
        body = {"query": "{me}"}
        async with running.client.post(running.url, json=body, headers={"Accept": accept}) as answer:
            assert answer.status == 200
            assert answer.headers["Content-Type"] == f"{accept}; charset=utf-8"
            assert answer.headers["Vary"] == "Accept, Origin"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Server"] == "kiosque"
            assert await answer.json() == {"data": {"me": "nobody"}}


async def test_a_part_that_failed_leaves_the_rest_and_says_nothing_of_the_inside(running: Served) -> None:
    with capture_logs() as logs:
        status, body = await running.post("{me boom forbidden}")
    assert status == 200
    assert body["data"] == {"me": "nobody", "boom": None, "forbidden": None}
    masked, told = body["errors"]
    assert masked["extensions"]["code"] == "INTERNAL"
    assert told == {
        "message": "This is not open to you.",
        "locations": [{"line": 1, "column": 10}],
        "path": ["forbidden"],
        "extensions": {"code": "FORBIDDEN"},
    }
    assert SECRET not in json.dumps([body, logs], default=str)
    assert [(entry["id"], entry["kind"]) for entry in logs] == [(masked["extensions"]["id"], "RuntimeError")]


@pytest.mark.parametrize(
    ("query", "variables", "code"),
    [
        ("{", None, "GRAPHQL_PARSE_FAILED"),
        ("{nope}", None, "GRAPHQL_VALIDATION_FAILED"),
        ("query($t:String!){echo(text:$t)}", None, "BAD_USER_INPUT"),
        ("query($t:String!){echo(text:$t)}", {"t": 5}, "BAD_USER_INPUT"),
    ],
)
async def test_a_faulty_operation_is_400_or_200_by_the_form(
    running: Served, query: str, variables: Any, code: str
) -> None:
    for accept, expected in ((GRAPHQL, 400), ("application/json", 200)):
        status, body = await running.post(query, variables, headers={"Accept": accept})
        assert (status, body["errors"][0]["extensions"]["code"]) == (expected, code)
        assert "data" not in body


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'[{"query":"{me}"}]',
        b'"{me}"',
        b"null",
        b"5",
        b"\xff\xfe",
        b'{"query":"\xed\xa0\x80"}',
        b'\xef\xbb\xbf{"query":"{me}"}',
        b'{"query":5}',
        b'{"query":null}',
        b'{"variables":{}}',
        b'{"query":"{me}","variables":[]}',
        b'{"query":"{me}","variables":"{}"}',
        b'{"query":"{me}","operationName":7}',
        b'{"query":"{me}","extensions":true}',
        b'{"query":"{me}","variables":{"a":NaN}}',
        b'{"query":"{me}","variables":{"a":Infinity}}',
        b'{"query":"{me}","variables":{"a":1e999}}',
        b'{"query":"{me}","variables":{"a":"\\ud800"}}',
        b'{"query":"{me}","variables":{"\\udc00\\ud800":1}}',
        b'{"query":"{me}","variables":{"a":"\\u0000"}}',
        b'{"query":"{me}","variables":{"\\u0000":1}}',
        b'{"query":"{me}","variables":{"a":' + b"9" * 25 + b"}}",
        b'{"query":"{me}","variables":{"a":' + b"9" * 5000 + b"}}",
        b'{"query":"{me}","variables":{"a":' + b"[" * 90 + b"]" * 90 + b"}}",
        b'{"query":"{me}","variables":' + b'{"a":' * 9000 + b"1" + b"}" * 9000 + b"}",
        b'{"query":"{me}","variables":{"a":' + b"[" * 60_000,
        b'{"query":"{me}"} {}',
    ],
)
async def test_a_faulty_body_is_refused_with_a_sentence(running: Served, body: bytes) -> None:
    async with running.client.post(running.url, data=body, headers=JSON | {"Accept": GRAPHQL}) as answer:
        error = (await answer.json(content_type=None))["errors"][0]
        assert (answer.status, error["extensions"]["code"]) == (400, "BAD_REQUEST"), error


async def test_text_that_only_looks_like_nul_is_let_in(running: Served) -> None:
    status, body = await running.post("query($t:String!){echo(text:$t)}", {"t": "\\u0000 " + "9" * 30})
    assert (status, body) == (200, {"data": {"echo": "\\u0000 " + "9" * 30}})


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content-Type": "multipart/form-data; boundary=x"}, 415),
        ({"Content-Type": "application/json; charset=latin-1"}, 415),
        ({"Content-Type": "application/json; charset=UTF-8"}, 200),
        ({"Content-Type": "application/json", "Content-Encoding": "gzip"}, 415),
        ({"Content-Type": "application/json", "Accept": "image/png"}, 406),
        ({"Content-Type": "application/json", "Origin": "https://evil.example"}, 403),
        ({"Content-Type": "application/json", "Origin": "null"}, 403),
        ({"Content-Type": "application/json", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Content-Type": "application/json", "Sec-Fetch-Site": "same-origin"}, 200),
        ({"Content-Type": "application/json", "Cookie": "a=b"}, 403),
        ({"Content-Type": "application/json", "Cookie": "a=b", "X-Portal-Client": "web"}, 200),
        ({"Content-Type": "application/json", "Authorization": "Bearer wrong"}, 401),
    ],
)
async def test_the_gate(running: Served, headers: dict[str, str], status: int) -> None:
    async with running.client.post(running.url, data=b'{"query":"{me}"}', headers=headers) as answer:
        assert answer.status == status, await answer.text()
        if status != 200:
            assert (await answer.json())["errors"][0]["extensions"]["code"]
        if status == 401:
            assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_a_refused_mutation_has_no_effect(running: Served) -> None:
    before = len(running.house.messages)
    mutation = 'mutation{sendMessage(input:{body:"b",channel:"SMS"}){problems}}'
    for headers in ({"Origin": "https://evil.example"}, {"Cookie": "a=b"}, {"Authorization": "Bearer wrong"}):
        status, _ = await running.post(mutation, headers=headers)
        assert status in (401, 403)
    async with running.client.get(running.url, params={"query": mutation}) as answer:
        assert (answer.status, answer.headers["Allow"]) == (405, "POST")
    assert len(running.house.messages) == before


async def test_a_page_of_the_same_host_may_ask(running: Served) -> None:
    status, _ = await running.post("{me}", headers={"Origin": f"http://127.0.0.1:{running.port}"})
    assert status == 200


async def test_a_listed_origin_may_ask_and_read() -> None:
    async with served(gate=Gate(origins=frozenset({"https://portail.example"}))) as running:
        origin = {"Origin": "https://portail.example", "Sec-Fetch-Site": "cross-site"}
        async with running.client.post(running.url, json={"query": "{me}"}, headers=origin) as answer:
            assert answer.headers["Access-Control-Allow-Origin"] == "https://portail.example"
        async with running.client.options(running.url, headers=origin) as answer:
            assert answer.status == 204
            assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]
        async with running.client.options(running.url, headers={"Origin": "https://evil.example"}) as answer:
            assert answer.status == 405


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"])
async def test_other_methods_are_not_allowed(running: Served, method: str) -> None:
    async with running.client.request(method, running.url) as answer:
        assert answer.status == 405
        assert "POST" in answer.headers["Allow"]


async def test_get_is_for_development() -> None:
    async with served(development=False) as running:
        for params in ({"query": "{me}"}, {}):
            async with running.client.get(running.url, params=params, headers={"Accept": "text/html,*/*"}) as answer:
                assert answer.status in (400, 405)
        async with running.client.get(f"http://127.0.0.1:{running.port}/graphiql/page.js") as answer:
            assert answer.status == 404


async def test_get_reads_all_parameters(running: Served) -> None:
    params = {"query": "query A($t:String!){echo(text:$t)} query B{me}", "operationName": "A", "variables": '{"t":"é"}'}
    async with running.client.get(running.url, params=params) as answer:
        assert await answer.json() == {"data": {"echo": "é"}}
    for variables in ("[]", "{", '"x"', '{"t":"\\ud800"}'):
        async with running.client.get(running.url, params=params | {"variables": variables}) as answer:
            assert answer.status == 400


@pytest.mark.parametrize("name", ["query", "variables", "operationName"])
async def test_a_query_string_of_bytes_that_are_no_text_is_a_faulty_request(running: Served, name: str) -> None:
    async with raw(running) as (reader, writer):
        query = name.encode() + b"=\xff" + (b"" if name == "query" else b"&query={me}")
        writer.write(b"GET /graphql?" + query + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = await asyncio.wait_for(reader.read(), 5)
        assert b" 400 " in answer.split(b"\r\n")[0] and b"BAD_REQUEST" in answer


async def test_a_registered_document_is_called_by_its_hash() -> None:
    source = "query($t:String!){echo(text:$t)}"
    digest = hashlib.sha256(source.encode()).hexdigest()

    async def registered(asked: str, _: object) -> str | None:
        return source if asked == digest else None

    async with served(development=False, gate=Gate(registered=registered)) as running:
        extensions = {"persistedQuery": {"version": 1, "sha256Hash": digest}}
        body: dict[str, Any] = {"variables": {"t": "a"}, "extensions": extensions}
        async with running.client.post(running.url, json=body) as answer:
            assert await answer.json() == {"data": {"echo": "a"}}
        params = {"variables": '{"t":"b"}', "extensions": json.dumps(extensions)}
        async with running.client.get(running.url, params=params) as answer:
            assert await answer.json() == {"data": {"echo": "b"}}


async def test_an_unknown_hash_is_told_so_that_clients_fall_back(running: Served) -> None:
    body = {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}}}
    async with running.client.post(running.url, json=body) as answer:
        error = (await answer.json())["errors"][0]
    assert error == {"message": "PersistedQueryNotFound", "extensions": {"code": "PERSISTED_QUERY_NOT_FOUND"}}


async def test_a_large_body_is_refused_with_and_without_its_length(running: Served) -> None:
    large = b'{"query":"{me}","x":"' + b"x" * 70_000 + b'"}'

    async def parts() -> Any:
        for start in range(0, len(large), 10_000):
            yield large[start : start + 10_000]

    for data in (large, parts()):
        async with running.client.post(running.url, data=data, headers=JSON) as answer:
            assert answer.status == 413
            assert (await answer.json())["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


async def test_a_body_that_does_not_come_is_given_up() -> None:
    async with served(gate=Gate(body_seconds=0.2)) as running, raw(running) as (reader, writer):
        writer.write(HEAD + b"Content-Length: 99\r\n\r\n{")
        assert b" 408 " in await asyncio.wait_for(reader.readline(), 5)


async def test_broken_chunks_are_a_faulty_request() -> None:
    async with served(gate=Gate(body_seconds=0.2)) as running, raw(running) as (reader, writer):
        writer.write(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(0.1)
        writer.write(b"zzz\r\n")
        status = await asyncio.wait_for(reader.readline(), 5)
        assert b" 400 " in status or b" 408 " in status


async def test_what_is_not_http_is_answered_without_our_name(running: Served) -> None:
    async with raw(running) as (reader, writer):
        writer.write(b"\x16\x03\x01 nonsense\r\n\r\n")
        answer = await asyncio.wait_for(reader.read(), 5)
        assert b" 400 " in answer.split(b"\r\n")[0]
        assert b"aiohttp" not in answer and b"Python" not in answer and b"nonsense" not in answer


async def test_an_operation_has_a_deadline() -> None:
    async with served(deadline=0.1) as running:
        status, body = await running.post("{slow(seconds:5)}")
        assert (status, body["errors"][0]["extensions"]["code"]) == (503, "TOO_COSTLY")


async def test_variables_may_not_ask_for_too_much(running: Served) -> None:
    query = "query($n:Int){messages(first:$n){edges{node{id body channel}}}}"
    assert (await running.post(query, {"n": 100}))[0] == 200
    status, body = await running.post(query, {"n": 1_000})
    assert (status, body["errors"][0]["extensions"]["code"]) == (400, "TOO_COSTLY")


async def test_a_subscription_needs_a_live_transport(running: Served) -> None:
    async with asyncio.timeout(10):
        status, body = await running.post("subscription{messageSent{id}}")
    assert (status, body["errors"][0]["extensions"]["code"]) == (406, "BAD_REQUEST")


async def test_the_caller_is_known_by_the_token(running: Served) -> None:
    _, body = await running.post("{me}", headers={"Authorization": f"Bearer {token(7)}"})
    assert body["data"]["me"].endswith("0007")


async def test_graphiql_is_one_page_without_the_network(running: Served) -> None:
    async with running.client.get(running.url, headers={"Accept": "text/html,*/*;q=0.8"}) as answer:
        page = await answer.text()
        policy = answer.headers["Content-Security-Policy"]
    assert '<html lang="en">' in page and "<main>" in page and "<h1>" in page
    assert "//" not in page.replace("<!doctype html>", "")
    assert "script-src 'self';" in policy and "default-src 'none'" in policy
    for name in [part.split('"')[0] for part in page.split('"/graphiql/')[1:]]:
        async with running.client.get(f"http://127.0.0.1:{running.port}/graphiql/{name}") as answer:
            assert answer.status == 200
            assert "sourceMappingURL" not in await answer.text()
