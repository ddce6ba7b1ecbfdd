"""One POST to an address of somebody else's: looked up once, connected to what was looked up, nothing followed.

Names are resolved by a resolver that refuses every address inside (docs/decisions/0025); aiohttp connects to what it
gives and to nothing else, with the name in Host and SNI, so that a name that is bound anew in between changes nothing.
"""

import socket
import ssl
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from db.outside import UrlRefused, checked_url, is_outside
from notifications.names import Names


class Refused(Exception):
    """Nothing was sent: the address leads inside, or is none."""


class OutsideResolver(AbstractResolver):
    """Looks names up, and gives only addresses of the public network or of networks that are allowed."""

    def __init__(self, inner: AbstractResolver, allowed: Sequence[str]) -> None:
        self._inner = inner
        self._allowed = allowed

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Give all addresses of a name; raises Refused when one of them lies inside."""
        found = await self._inner.resolve(host, port, family)
        if not all(is_outside(each["host"], self._allowed) for each in found):
            raise Refused("the name leads to a private address")
        return found

    async def close(self) -> None:
        """Let go of the inner one."""
        await self._inner.close()


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    text: str
    """Its beginning."""
    retry_after: str | None


class Post:
    """Sends; one for a process."""

    def __init__(
        self,
        *,
        allowed: Sequence[str],
        https: bool,
        seconds: float,
        answer_bytes: int,
        resolver: AbstractResolver | None = None,
        authorities: Path | None = None,
    ) -> None:
        """`allowed` are networks inside that are meant, for development; `authorities` a file of those whose
        certificates count, the system's otherwise.
        """
        self._allowed = allowed
        self._https = https
        self._answer_bytes = answer_bytes
        self._authorities = authorities
        connecting = min(seconds, 5.0)
        timeout = aiohttp.ClientTimeout(total=seconds, connect=connecting)
        connector = aiohttp.TCPConnector(
            resolver=OutsideResolver(resolver or Names(connecting * 0.8), allowed),
            use_dns_cache=False,
            limit=0,
            force_close=True,
        )
        self._http = aiohttp.ClientSession(
            connector=connector,
            timeout=timeout,
            trust_env=False,
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def send(self, url: str, body: bytes, headers: Mapping[str, str], certificate: bytes | None = None) -> Answer:
        """Send a body and give the answer, of whose text only so many bytes are read.

        Raises Refused, aiohttp.ClientError, OSError and TimeoutError.
        """
        try:
            checked_url(url, https=self._https, allowed=self._allowed)
        except UrlRefused as refused:
            raise Refused(str(refused)) from refused
        async with self._http.post(
            URL(url, encoded=True),
            data=body,
            headers={**headers, "Accept-Encoding": "identity"},
            allow_redirects=False,
            ssl=self._tls(certificate),
        ) as response:
            text = await response.content.read(self._answer_bytes)
            return Answer(response.status, text.decode("utf-8", "replace"), response.headers.get("Retry-After"))

    def _tls(self, certificate: bytes | None) -> ssl.SSLContext | bool:
        """Give what receivers are checked by; a context of its own for each certificate, which is nobody else's."""
        if certificate is None and self._authorities is None:
            return True
        context = ssl.create_default_context(cafile=self._authorities)
        if certificate is None:
            return context
        # The library reads certificates from files only; this one is gone before anything is sent.
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "client.pem")
            file.touch(mode=0o600)
            file.write_bytes(certificate)
            context.load_cert_chain(file)
        return context

    async def close(self) -> None:
        """Hang up."""
        await self._http.close()
