"""The catcher of text messages: a provider like OVHcloud, any other that takes JSON, and all the phones behind both."""

import asyncio
import hashlib
import hmac
from typing import Any, Literal
from uuid import UUID

import aiohttp
import msgspec
from aiohttp import web

from gateway.demo.peer import Got, Peer

SERVICE = "sms-demo-1"
KEY, SECRET, CONSUMER = "demo-key", "demo-secret", "demo-consumer"
TOKEN = "demo-token"
CREDITS = 1000
DELIVERED, FAILED = "1", "2"
"""`dlr` of OVHcloud's receipts."""


class Phones(Peer):
    """Receipts follow when `callback` says where to: the address of the portal and the secret that it expects."""

    def __init__(self, *, keep: int = 500) -> None:
        super().__init__(keep=keep)
        self.callback: tuple[str, str] | None = None
        self.delay = 0.5
        """Seconds from a message to its receipt."""

        self.refused: list[str] = []
        """Why requests were turned away."""
        self._sending: set[asyncio.Task[None]] = set()

    def routes(self) -> list[web.RouteDef]:
        """OVHcloud's API and the plain one."""
        return [
            web.post("/ovh/sms/{service}/jobs", self._ovh),
            web.get("/ovh/sms/{service}", self._account),
            web.post("/sms", self._plain),
        ]

    async def stop(self) -> None:
        """Close the port, and forget receipts that are due."""
        for task in self._sending:
            task.cancel()
        await super().stop()

    async def send_receipt(self, got: Got, state: Literal["DELIVERED", "FAILED"] = "DELIVERED") -> int:
        """Tell the portal what became of a message; gives the status of its answer."""
        if got.provider == "ovh":
            query = {"id": got.details["id"], "dlr": DELIVERED if state == "DELIVERED" else FAILED}
            return await self._tell("GET", "/sms/ovh/receipt", None, query)
        return await self._tell("POST", "/sms/http/receipt", {"id": got.reference, "status": state.lower()}, {})

    async def reply(self, sender: str, words: str, provider: str = "http") -> int:
        """Send a text message to the portal from a phone; gives the status of its answer."""
        if provider == "ovh":
            return await self._tell("GET", "/sms/ovh/incoming", None, {"sender": sender, "message": words})
        return await self._tell("POST", "/sms/http/incoming", {"from": sender, "text": words}, {})

    async def _tell(self, method: str, path: str, body: dict[str, str] | None, query: dict[str, str]) -> int:
        assert self.callback is not None, "nobody wants to know"
        url, secret = self.callback
        content, headers = b"", {}
        if body is None:
            query = {**query, "key": secret}
        else:
            content = msgspec.json.encode(body)
            at = str(int(self._clock().timestamp()))
            digest = hmac.digest(secret.encode(), at.encode() + b"." + content, "sha256").hex()
            headers = {"X-Kiosque-Timestamp": at, "X-Kiosque-Signature": f"v1={digest}"}
        timeout = aiohttp.ClientTimeout(total=5)
        async with (
            aiohttp.ClientSession(timeout=timeout) as http,
            http.request(method, url + path, data=content, headers=headers, params=query) as response,
        ):
            return response.status

    async def _ovh(self, request: web.Request) -> web.StreamResponse:
        body = await request.text()
        wrong = self._wrong(request, body)
        if wrong:
            self.refused.append(wrong)
            return web.json_response({"message": wrong}, status=403)
        job = msgspec.json.decode(body)
        [to] = job["receivers"]

        def good(got: Got) -> web.Response:
            self._promise(got)
            done = {"totalCreditsRemoved": 1, "invalidReceivers": [], "validReceivers": [to]}
            return web.json_response({**done, "ids": [int(got.details["id"])]})

        def got(number: int) -> Got:
            details = {"id": str(400_000 + number), "coding": job["coding"], "sender": job["sender"]}
            return Got(number, self._clock(), "SMS", to, job["message"], job["tag"], "ovh", details)

        return await self.take(request, got, to, good)

    async def _account(self, request: web.Request) -> web.Response:
        wrong = self._wrong(request, "")
        if wrong:
            return web.json_response({"message": wrong}, status=403)
        return web.json_response({"name": SERVICE, "creditsLeft": CREDITS})

    async def _plain(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            self.refused.append("token")
            return web.json_response({"error": "token"}, status=401)
        sent: dict[str, Any] = msgspec.json.decode(await request.read())
        assert request.headers["Idempotency-Key"] == sent["id"] == str(UUID(sent["id"]))

        def good(got: Got) -> web.Response:
            self._promise(got)
            return web.json_response({"id": got.reference}, status=202)

        def got(number: int) -> Got:
            details = {"coding": sent["encoding"], "sender": sent["from"]}
            return Got(number, self._clock(), "SMS", sent["to"], sent["text"], sent["id"], "http", details)

        return await self.take(request, got, sent["to"], good)

    def _wrong(self, request: web.Request, body: str) -> str:
        """Check a request as OVHcloud does; gives what is wrong with it."""
        at = request.headers.get("X-Ovh-Timestamp", "0")
        url = f"{self.url}{request.rel_url}"
        signed = "+".join((SECRET, CONSUMER, request.method, url, body, at))
        expected = "$1$" + hashlib.sha1(signed.encode(), usedforsecurity=False).hexdigest()
        if request.headers.get("X-Ovh-Application") != KEY or request.headers.get("X-Ovh-Consumer") != CONSUMER:
            return "This credential does not exist"
        if abs(int(at) - self._clock().timestamp()) > 60:
            return "Query out of time"
        return "" if request.headers.get("X-Ovh-Signature") == expected else "Invalid signature"

    def _promise(self, got: Got) -> None:
        if self.callback is not None:
            task = asyncio.create_task(self._receipt_later(got))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    async def _receipt_later(self, got: Got) -> None:
        await asyncio.sleep(self.delay)
        try:
            await self.send_receipt(got)
        except (aiohttp.ClientError, TimeoutError):
            self.refused.append("receipt")
