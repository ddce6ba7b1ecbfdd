"""Addresses beside /graphql under abuse: every method, path and size. They are found from the application itself.

None may fail, name our software, hand out a file, or do anything for a method that it does not know.
"""

import asyncio
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from gateway.app import make_app
from tests.conftest import Cluster
from tests.house import House, opened

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "FOO")
PARTS = (
    "..", "%2e%2e", "..%2f..%2f..%2fetc%2fpasswd", "....//....//etc/passwd", "%252e%252e%252fetc%252fpasswd",
    "..%5c..%5c", "..%c0%af..%c0%afetc%c0%afpasswd", "%00", "x%00.pdf", "%0d%0aX-Injected:%201", "'%20or%201=1--",
    "%24%7b7*7%7d", "%7b%7b7*7%7d%7d", "%f0%9f%92%a9", "%ff%fe", "~root", ".git%2fconfig", "x" * 3000,
    "00000000-0000-0000-0000-000000000000", "0", "-1", "null", "undefined",
)  # fmt: skip
"""What stands where an address wants an id or a name, and behind every address."""

SECRETS = ("root:", "[core]", "Traceback", "asyncpg", "aiohttp", "X-Injected", "postgres")
"""Words of files and of our software that no answer may hold."""


@dataclass(frozen=True, slots=True)
class Doorstep:
    """A portal and all its addresses."""

    house: House
    routes: tuple[tuple[str, str], ...]
    """Method and path, with `{…}` where something may stand."""

    @property
    def paths(self) -> list[str]:
        """Give the addresses beside /graphql."""
        return sorted({path for _, path in self.routes if path != "/graphql"})

    async def send(self, method: str, path: str, **more: Any) -> tuple[int, str]:
        """Send a request to a path as it is written; give status, and everything else as text."""
        url = URL(f"{self.house.url}{path}", encoded=True)
        async with self.house.http.request(method, url, allow_redirects=False, **more) as answer:
            body = (await answer.read()).decode(errors="replace")
            assert answer.headers["X-Content-Type-Options"] == "nosniff", path
            assert answer.headers["Server"] == "kiosque", path
            return answer.status, f"{answer.headers}\n{body}"


@pytest.fixture(scope="module")
async def doorstep(cluster: Cluster) -> AsyncIterator[Doorstep]:
    """Open a portal; the demonstration's own pages are not among what is looked at."""
    async with cluster.database("city") as database, opened(database.dsn) as house:
        assert house.opened is not None
        app = make_app(house.opened)
        routes = [(route.method, route.resource) for route in app.router.routes()]
        known = tuple((method, each.canonical) for method, each in routes if isinstance(each, web.Resource))
        yield Doorstep(house, known)


async def test_no_method_makes_an_address_fail_or_does_what_it_should_not(doorstep: Doorstep) -> None:
    assert {"/live", "/ready", "/metrics", "/.well-known/jwks.json"} <= set(doorstep.paths)
    for path in doorstep.paths:
        allowed = {method for method, other in doorstep.routes if other == path}
        filled = path.replace("{", "").replace("}", "")
        for method in METHODS:
            status, said = await doorstep.send(method, filled)
            assert status < 500 or path == "/ready", (method, path, status)
            assert not any(word in said for word in SECRETS), (method, path, said)
            if method not in allowed and "*" not in allowed:
                assert status in (400, 404, 405), (method, path, status)


async def test_no_path_leads_out(doorstep: Doorstep) -> None:
    """Neither below an address nor where an address takes an id."""
    tried = 0
    for path in [*doorstep.paths, "/graphql"]:
        head, _, _ = path.partition("{")
        for part in PARTS:
            for written in {f"{head.rstrip('/')}/{part}", f"{head.rstrip('/')}/{part}/x", f"{head}?{part}={part}"}:
                status, said = await doorstep.send("GET", written)
                assert status < 500 or path == "/ready", (written, status)
                assert not any(word in said for word in SECRETS), (written, said)
                tried += 1
    assert tried > 200


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_large_body_is_not_read_to_its_end(doorstep: Doorstep, method: str) -> None:
    """Sixteen megabytes at an address that wants none, or 64 KiB at the most."""
    for path in [*doorstep.paths, "/graphql"]:
        filled = path.replace("{", "").replace("}", "")
        try:
            async with asyncio.timeout(10):
                status, _ = await doorstep.send(method, filled, data=io.BytesIO(b"x" * 2**24))
        except aiohttp.ClientConnectionError:
            continue  # cut off while it was still sending
        assert status < 500 or path == "/ready", (path, status)


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"},
        {"X-HTTP-Method-Override": "DELETE"},
        {"X-Original-URL": "/metrics", "X-Rewrite-URL": "/metrics"},
        {"Range": "bytes=0-18446744073709551615"},
        {"Range": "bytes=" + ",".join(f"{n}-" for n in range(500))},
        {"Content-Encoding": "gzip"},
        {"Expect": "100-continue"},
        {"Accept": "*/*;q=9999999999999999"},
        {"Accept-Language": "-" * 4000},
        {"Cookie": "; ".join(f"a{n}=b" for n in range(400)), "X-Portal-Client": "web"},
        {"If-None-Match": "*", "If-Modified-Since": "never"},
        {"Authorization": "Bearer " + "x" * 6000},
    ],
    ids=lambda headers: next(iter(headers)),
)
async def test_no_header_makes_an_address_fail_or_echoes(doorstep: Doorstep, headers: dict[str, str]) -> None:
    for path in doorstep.paths:
        filled = path.replace("{", "").replace("}", "")
        status, said = await doorstep.send("GET", filled, headers=headers)
        assert status < 500 or path == "/ready", (path, status)
        assert "evil.example" not in said and not any(word in said for word in SECRETS), (path, said)


async def test_keys_are_published_without_what_signs(doorstep: Doorstep) -> None:
    """RFC 8037: `d` would be the private half."""
    async with doorstep.house.http.get(f"{doorstep.house.url}/.well-known/jwks.json") as answer:
        keys = (await answer.json())["keys"]
    assert keys and all(set(key) <= {"kty", "crv", "x", "kid", "use", "alg"} for key in keys)
