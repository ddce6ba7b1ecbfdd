"""The channel that docs/adding-a-channel.md adds: ntfy, a server for notifications that a city may run itself."""

import msgspec
from aiohttp import web

from gateway.demo.peer import Got, Peer
from notifications.channels import Dead, Delivery, Later, Receipt
from notifications.channels.http import Http
from notifications.messages import Messages

GONE = (403, 404)
"""The topic is reserved by others, or the server knows none."""


class Ntfy:
    """Takes JSON at its root; a second message with the same `sequence_id` replaces the first on the phone."""

    interrupts = True

    def __init__(self, url: str, timeout: float, messages: Messages) -> None:
        self.limit, self.patience = 8, timeout
        self._url, self._messages = url, messages
        self._http = Http(timeout, self.limit)

    async def send(self, delivery: Delivery) -> Receipt:
        """Post the few words that a lock screen shows. Raises Dead, Later, Unsure."""
        short = self._messages.short(delivery)
        body = {"topic": delivery.address, "title": short.title, "message": short.text, "click": short.link}
        letter = msgspec.json.encode(body | {"sequence_id": str(delivery.id)})
        answer = await self._http.post(self._url, letter, {"Content-Type": "application/json"})
        if answer.good():
            return Receipt("taken", reference=answer.read()["id"])
        answer.raise_busy()
        if answer.status in GONE:
            raise Dead(f"status {answer.status}", retire_address=True)
        raise Later(f"status {answer.status}")

    async def close(self) -> None:
        """Hang up."""
        await self._http.close()


class NtfyServer(Peer):
    """A double of ntfy."""

    def routes(self) -> list[web.RouteDef]:
        """Give what it answers."""
        return [web.post("/", self._publish)]

    async def _publish(self, request: web.Request) -> web.StreamResponse:
        came = await request.json()

        def got(number: int) -> Got:
            reference = came["sequence_id"]
            return Got(number, self._clock(), "NTFY", came["topic"], came["message"], reference, details=came)

        return await self.take(request, got, came["topic"], lambda kept: web.json_response({"id": f"m{kept.id}"}))
