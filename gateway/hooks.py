"""What providers of text messages tell us: `/sms/{provider}/receipt` and `/sms/{provider}/incoming`.

A receipt is kept, and moved into its delivery by a dispatcher; a text message that says STOP retires the number it came
from.
"""

import hmac
from collections.abc import Awaitable, Callable
from datetime import datetime

import msgspec
import structlog
from aiohttp import web

from db import opt_out, receipts
from db.pool import DatabaseUnavailable
from db.receipts import State
from resolvers.context import Process
from resolvers.phone_numbers import normalised_phone
from resolvers.viewer import SYSTEM_SIGHT

log = structlog.get_logger(__name__)

TOLERANCE = 300
"""Seconds by which a signature's time may differ from ours."""

DLR: dict[str, State] = {"1": "DELIVERED", "2": "FAILED", "16": "FAILED"}
"""Of OVHcloud; the others say that a message is under way."""


def is_signed(request: web.Request, body: bytes, secret: str, now: datetime) -> bool:
    """Whether a request carries a fresh signature of its time and its body (HMAC-SHA-256)."""
    at, signature = request.headers.get("X-Kiosque-Timestamp", ""), request.headers.get("X-Kiosque-Signature", "")
    if not (at.isascii() and at.isdigit() and len(at) < 12):
        return False
    expected = "v1=" + hmac.digest(secret.encode(), at.encode() + b"." + body, "sha256").hex()
    fresh = abs(int(at) - now.timestamp()) <= TOLERANCE
    return hmac.compare_digest(signature.encode(errors="surrogateescape"), expected.encode()) and fresh


class _Receipt(msgspec.Struct, frozen=True):
    id: str
    status: str


class _Incoming(msgspec.Struct, frozen=True):
    sender: str = msgspec.field(name="from")
    text: str = ""


STATUSES: dict[str, State] = {"delivered": "DELIVERED", "failed": "FAILED"}


class Hooks:
    """Handlers over one process. Without `sms.callback_secret` each answers 404."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._secret = process.settings.sms.callback_secret

    def routes(self) -> list[web.RouteDef]:
        """Give the addresses."""
        return [
            web.get("/sms/ovh/receipt", self._guarded(self._ovh_receipt), allow_head=False),
            web.get("/sms/ovh/incoming", self._guarded(self._ovh_incoming), allow_head=False),
            web.post("/sms/http/receipt", self._guarded(self._receipt)),
            web.post("/sms/http/incoming", self._guarded(self._incoming)),
        ]

    def _guarded(
        self, handle: Callable[[web.Request, bytes], Awaitable[None]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        """Let nobody in without the secret; what cannot be read is 400, a database that is away 503."""

        async def answer(request: web.Request) -> web.Response:
            if self._secret is None:
                return web.Response(status=404)
            body = await request.read()
            if not self._is_genuine(request, body, self._secret):
                return web.Response(status=401)
            try:
                await handle(request, body)
            except (msgspec.DecodeError, RecursionError, ValueError, KeyError):
                return web.Response(status=400)
            except DatabaseUnavailable:
                return web.Response(status=503, headers={"Retry-After": "5"})
            return web.Response(status=204)

        return answer

    def _is_genuine(self, request: web.Request, body: bytes, secret: str) -> bool:
        """OVHcloud can only repeat the key of its address; others sign time and body (HMAC-SHA-256)."""
        if request.method == "GET":
            return hmac.compare_digest(request.query.get("key", "").encode(), secret.encode())
        return is_signed(request, body, secret, self._process.clock())

    async def _ovh_receipt(self, request: web.Request, _: bytes) -> None:
        await self._keep("ovh", request.query["id"], DLR.get(request.query["dlr"]))

    async def _receipt(self, _: web.Request, body: bytes) -> None:
        came = msgspec.json.decode(body, type=_Receipt)
        await self._keep("http", came.id, STATUSES.get(came.status))

    async def _ovh_incoming(self, request: web.Request, _: bytes) -> None:
        await self._hear(request.query["sender"], request.query["message"])

    async def _incoming(self, _: web.Request, body: bytes) -> None:
        came = msgspec.json.decode(body, type=_Incoming)
        await self._hear(came.sender, came.text)

    async def _keep(self, provider: str, reference: str, state: State | None) -> None:
        if not 1 <= len(reference) <= 100 or not reference.isprintable():
            raise ValueError("not a reference")
        if state is not None:
            async with self._process.database.transaction(SYSTEM_SIGHT) as tx:
                await receipts.keep(tx, provider, reference, state, self._process.clock())

    async def _hear(self, sender: str, words: str) -> None:
        """Raises ValueError for a sender that no phone of ours can be."""
        number = normalised_phone(sender, self._process.settings.sms.countries)
        if not opt_out.is_stop(words):
            return
        async with self._process.database.transaction(SYSTEM_SIGHT) as tx:
            count = await opt_out.stop(tx, number, self._process.clock())
        log.info("phone_stopped", addresses=count)
