"""What a relay tells us of e-mails that came back: `POST /mail/bounces`, beside the bounce mailbox.

Whoever knows the secret still retires nobody's address by chance: each report names its delivery by the signed envelope
sender, as in the mailbox.
"""

import asyncio
import hmac

import msgspec
import structlog
from aiohttp import web

from db.pool import DatabaseUnavailable
from gateway.hooks import is_signed
from resolvers import bounces
from resolvers.bounces import Bounce
from resolvers.context import Process
from resolvers.viewer import SYSTEM_SIGHT

log = structlog.get_logger(__name__)

PATH = "/mail/bounces"
MOST_BYTES = 1 << 20
MOST_REPORTS = 100
READ_SECONDS = 10.0


class _Report(msgspec.Struct, frozen=True):
    """The fields of RFC 3464 that count."""

    sender: str
    """The envelope sender of the message that came back: `retours+TOKEN@ville.fr`."""

    action: str
    status: str


class BounceHook:
    """The handler over one process. Without `mail.bounce_secret` or `mail.bounces` it answers 404."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._mail = process.settings.mail

    def routes(self) -> list[web.RouteDef]:
        """Give the address."""
        return [web.post(PATH, self._answer)]

    async def _answer(self, request: web.Request) -> web.Response:
        """Take reports: 204 taken or none of ours, 400 not understood, 401 wrong secret, 413, 503 come again."""
        secret = self._mail.bounce_secret
        if secret is None or not self._mail.bounces:
            return web.Response(status=404)
        bearer = request.headers.get("Authorization")
        if bearer is not None:
            given, expected = bearer.encode(errors="surrogateescape"), f"Bearer {secret}".encode()
            if not hmac.compare_digest(given, expected):
                return web.Response(status=401)
        try:
            async with asyncio.timeout(READ_SECONDS):
                body = await _whole(request)
        except TimeoutError:
            return web.Response(status=408)
        if body is None:
            return web.Response(status=413)
        if bearer is None and not is_signed(request, body, secret, self._process.clock()):
            return web.Response(status=401)
        try:
            await self._take(self._read(request.content_type, body))
        except (msgspec.DecodeError, RecursionError, ValueError):
            return web.Response(status=400)
        except DatabaseUnavailable:
            return web.Response(status=503, headers={"Retry-After": "5"})
        return web.Response(status=204)

    def _read(self, kind: str, body: bytes) -> list[Bounce]:
        """Give what is a bounce of ours. Raises ValueError or msgspec.DecodeError for what is no report."""
        mailbox, keys = self._mail.bounces, self._process.keys
        if kind == "message/rfc822":
            found = [bounces.read(body, mailbox, keys)]
        elif kind == "application/json":
            given = msgspec.json.decode(body, type=list[_Report] | _Report)
            reports = [given] if isinstance(given, _Report) else given
            if len(reports) > MOST_REPORTS:
                raise ValueError("too many reports")
            found = [bounces.judged(each.sender, each.action, each.status, mailbox, keys) for each in reports]
        else:
            raise ValueError("neither a message nor JSON")
        return [bounce for bounce in found if bounce is not None]

    async def _take(self, found: list[Bounce]) -> None:
        if not found:
            return
        async with self._process.database.transaction(SYSTEM_SIGHT) as tx:
            for bounce in found:
                await bounces.take(tx, bounce, self._process.clock())
        log.info("bounces_taken", bounces=len(found))


async def _whole(request: web.Request) -> bytes | None:
    """Read the body; None when there is more than a report may have."""
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > MOST_BYTES:
            return None
    return bytes(body)
