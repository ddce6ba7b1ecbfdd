"""The mail catcher: an SMTP server that keeps what it gets, and misbehaves towards chosen addresses."""

import asyncio
import itertools
import ssl
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

from aiosmtpd.smtp import SMTP, Envelope, Session

from db.clock import Clock, utc_now

KEEP = 500
TAKEN = "250 2.0.0 OK, caught"


@dataclass(frozen=True, slots=True)
class Caught:
    """One message as it came."""

    id: int
    received_at: datetime
    sender: str
    recipient: str
    raw: bytes

    @property
    def message(self) -> EmailMessage:
        """The message, read."""
        message = message_from_bytes(self.raw, policy=default)
        if not isinstance(message, EmailMessage):
            raise TypeError("the standard library's policy `default` gives an EmailMessage")
        return message

    def part(self, kind: str) -> str:
        """Give the text of the part `plain` or `html`; empty when there is none."""
        body = self.message.get_body((kind,))
        return str(body.get_content()) if body else ""


class Catcher:
    """The last messages, newest last in `messages`; `start` opens the port."""

    def __init__(self, *, keep: int = KEEP, clock: Clock = utc_now, tls: ssl.SSLContext | None = None) -> None:
        """With `tls`, STARTTLS is offered."""
        self.messages: deque[Caught] = deque(maxlen=keep)
        self.count = 0
        """Messages taken since the start, also those no longer kept."""

        self.port = 0
        self._clock = clock
        self._tls = tls
        self._numbers = itertools.count(1)
        self._habits: dict[str, Callable[[str], str | None]] = {}
        self._hanging: set[str] = set()
        self._dropping: set[str] = set()
        self._server: asyncio.Server | None = None
        self._sessions: set[asyncio.Transport] = set()
        self._news = asyncio.Event()

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen; port 0 takes any free one, which is then `port`."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._protocol, host, port)
        self.port = self._server.sockets[0].getsockname()[1]
