"""No page of another site can make a browser do anything: every way of sending, looked up where it would have left a
trace."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import aiohttp
import msgspec
import pytest

from tests.conftest import Cluster
from tests.house import House, opened

CONTENT_TYPES = {
    "json": "application/json",
    "text": "text/plain",
    "form": "application/x-www-form-urlencoded",
    "multipart": "multipart/form-data; boundary=edge",
    "answer": "application/graphql-response+json",
    "none": None,
}
METHODS = ("POST", "GET", "PUT", "HEAD", "OPTIONS", "DELETE")
LISTED = "https://app.ville.example"
ORIGINS = ("none", "same", "listed", "foreign", "null")
SITES = ("none", "same-origin", "same-site", "cross-site")
COOKIE = "kiosque-access"
SIBLING = "https://blog.ville.example"

START = (
    """mutation Start($key: String!) { startProcedure(kind: "cantine", idempotencyKey: $key) { problems { code } } }"""
)
AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Cell:
    """One way of sending."""

    content: str
    method: str
    origin: str
    site: str
    cookie: bool
    """Signed in by the cookie that a browser adds by itself; else by a token that a program adds."""
    client: bool
    """With the header that no foreign form can set."""

    @property
    def key(self) -> str:
        """The idempotency key by which the trace is found."""
        return "-".join(map(str, (self.content, self.method, self.origin, self.site, self.cookie, self.client)))

    @property
    def allowed(self) -> bool:
        """What the requirement says: JSON by POST, from us or from a listed page, cookies only beside our header."""
        ours = self.origin in ("none", "same") and self.site != "cross-site"
        return (
            self.content == "json"
            and self.method == "POST"
            and (ours or self.origin == "listed")
            and (self.client or not self.cookie)
        )

    def headers(self, house: House, token: str) -> dict[str, str]:
        """Give the headers of somebody who has signed in."""
        origins = {"same": house.url, "listed": LISTED, "foreign": "https://evil.example", "null": "null"}
        given = {
            "Authorization": None if self.cookie else f"Bearer {token}",
            "Content-Type": CONTENT_TYPES[self.content],
            "Origin": origins.get(self.origin),
            "Sec-Fetch-Site": None if self.site == "none" else self.site,
            "Cookie": f"{COOKIE}={token}" if self.cookie else None,
            "X-Portal-Client": "web" if self.client else None,
        }
        return {name: value for name, value in given.items() if value is not None}

    def body(self) -> bytes:
        """Give the mutation in the form that the content type stands for."""
        variables = {"key": self.key}
        parameters = {"query": START, "variables": msgspec.json.encode(variables).decode()}
        if self.content == "form":
            return urlencode(parameters).encode()
        if self.content == "multipart":
            parts = "".join(
                f'--edge\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
                for name, value in parameters.items()
            )
            return f"{parts}--edge--\r\n".encode()
        return msgspec.json.encode({"query": START, "variables": variables})


def cells() -> Iterator[Cell]:
    """Give every combination."""
    ways = itertools.product(CONTENT_TYPES, METHODS, ORIGINS, SITES, (False, True), (False, True))
    yield from itertools.starmap(Cell, ways)


@pytest.fixture(scope="module")
async def town(cluster: Cluster) -> AsyncIterator[House]:
    """Run a portal in development, where more is let in than in production, with one listed origin."""
    server = {"port": 0, "allowed_origins": [LISTED]}
    async with cluster.database("city") as made, opened(made.dsn, server=server) as house:
        yield house


async def traces(house: House) -> set[str]:
    """Give the keys of the mutations that were executed."""
    rows = await house.connection.fetch(
        "select k.key from idempotency_key k join procedure p on p.family_id = k.family_id and p.id = k.result"
    )
    return {row[0] for row in rows}


async def send(house: House, http: aiohttp.ClientSession, token: str, cell: Cell) -> int:
    """Send one cell; give the status."""
    params = {"query": START, "variables": msgspec.json.encode({"key": cell.key}).decode()}
    by_url = cell.method in ("GET", "HEAD")
    async with http.request(
        cell.method,
        f"{house.url}/graphql",
        params=params if by_url else None,
        data=None if by_url else cell.body(),
        headers=cell.headers(house, token),
        skip_auto_headers=["Content-Type"],
    ) as answer:
        await answer.read()
        return answer.status


async def test_a_mutation_is_executed_only_where_it_may_be(town: House) -> None:
    """All six content types by six methods, from five origins, with and without cookie and header."""
    _, token = await town.member()
    before = await traces(town)
    statuses: dict[Cell, int] = {}
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(cell: Cell) -> None:
        async with turns:
            statuses[cell] = await send(town, town.http, token, cell)

    await asyncio.gather(*map(one, cells()))
    executed = await traces(town) - before
    allowed = {cell for cell in statuses if cell.allowed}
    assert executed == {cell.key for cell in allowed}
    assert {statuses[cell] for cell in allowed} == {200}
    preflight = {cell for cell in statuses if cell.method == "OPTIONS" and cell.origin == "listed"}
    assert {statuses[cell] for cell in preflight} == {204}
    others = set(statuses) - allowed - preflight
    assert {statuses[cell] for cell in others} <= {403, 405, 406, 415}
    assert len(statuses) == 6 * 6 * 5 * 4 * 4


@pytest.mark.parametrize("cookie", [False, True])
@pytest.mark.parametrize("origin", [None, "same", LISTED, "https://evil.example", "null", SIBLING])
async def test_a_socket_is_opened_only_by_our_pages(town: House, origin: str | None, cookie: bool) -> None:
    _, token = await town.member()
    key = f"socket-{origin}-{cookie}"
    headers = {"Origin": town.url if origin == "same" else origin} if origin else {}
    headers |= {"Cookie": f"{COOKIE}={token}"} if cookie else {}
    url = town.url.replace("http", "ws") + "/graphql"
    let_in = origin in (None, "same", LISTED)
    allowed = let_in and not (cookie and origin is None)
    try:
        async with town.http.ws_connect(url, protocols=["graphql-transport-ws"], headers=headers) as socket:
            await socket.send_json({"type": "connection_init", "payload": {} if cookie else {"authorization": token}})
            await socket.receive_json(timeout=5)
            payload = {"query": START, "variables": {"key": key}}
            await socket.send_json({"id": "1", "type": "subscribe", "payload": payload})
            assert (await socket.receive_json(timeout=5))["type"] in ("next", "error")
    except aiohttp.WSServerHandshakeError as refused:
        assert refused.status == 403 and not let_in
    assert (key in await traces(town)) is allowed


@pytest.mark.parametrize("origin", ["https://evil.example", "null", SIBLING])
async def test_another_page_may_not_read_either(town: House, origin: str) -> None:
    for method in ("POST", "OPTIONS", "GET"):
        headers: dict[str, Any] = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        async with town.http.request(method, f"{town.url}/graphql", headers=headers) as answer:
            assert "Access-Control-Allow-Origin" not in answer.headers
            assert "Access-Control-Allow-Credentials" not in answer.headers
