"""How channels speak HTTP: every wait bounded, every answer bounded, no redirects, no cookies.

What matters after a failure is whether the provider may have taken the message: `Later` says that it did not, `Unsure`
that nobody knows.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import msgspec

from notifications.channels import Later

LARGEST_ANSWER = 64 * 1024
BUSY = frozenset({408, 425, 429, 500, 503})
"""Statuses that say: not taken, come again."""

DOUBTFUL = frozenset({502, 504})
"""Statuses of a proxy that heard nothing behind it."""


class Unsure(Later):
    """The message may or may not have been taken; it goes out again under the same id."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A provider's answer, whole."""

    status: int
    body: bytes
    retry_after: float | None
    """Seconds that the provider asked to wait."""

    def read(self) -> Any:
        """Give its JSON. Raises Unsure when it cannot be read: what came with a good status may mean anything."""
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, RecursionError) as error:
            raise Unsure("the provider's answer cannot be read; it may come twice") from error

    def good(self) -> bool:
        """Whether the status says yes."""
        return 200 <= self.status < 300

    def raise_busy(self) -> None:
        """Raise Later or Unsure for a status about the provider's health."""
        if self.status in DOUBTFUL:
            raise Unsure(f"status {self.status}; it may come twice")
        if self.status in BUSY or self.status >= 500:
            raise Later(f"status {self.status}", wait=self.retry_after)


class Http:
    """One provider's connections; opened with the first request."""

    def __init__(self, timeout: float, connections: int) -> None:
        """`timeout` in seconds bounds a request with its answer."""
        self._timeout = aiohttp.ClientTimeout(total=timeout, connect=timeout / 2)
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send a body. Raises Later when it was never sent, Unsure when no whole answer came."""
        return await self._ask("POST", url, body, headers)

    async def get(self, url: str, headers: Mapping[str, str]) -> Answer:
        """Ask. Raises Later, Unsure."""
        return await self._ask("GET", url, None, headers)

    async def close(self) -> None:
        """Hang up."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _ask(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        try:
            async with self._opened().request(
                method, url, data=body, headers=headers, allow_redirects=False
            ) as response:
                return Answer(response.status, await _bounded(response), _seconds(response.headers.get("Retry-After")))
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as error:
            raise Later(f"the provider is away: {type(error).__name__}") from error
        except (aiohttp.ClientError, TimeoutError, OSError, asyncio.IncompleteReadError) as error:
            raise Unsure(f"no answer came: {type(error).__name__}; it may come twice") from error

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._connections),
                timeout=self._timeout,
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": "Kiosque"},
                max_line_size=8190,
                max_field_size=8190,
            )
        return self._session


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > LARGEST_ANSWER:
            raise Unsure("the provider's answer is too large; it may come twice")
    return bytes(body)


def _seconds(text: str | None) -> float | None:
    """Read `Retry-After` in seconds, at most an hour; a date there is passed over."""
    return min(float(text), 3600.0) if text and text.isascii() and text.isdigit() and len(text) < 10 else None
