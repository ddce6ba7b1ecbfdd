"""The mail catcher: an SMTP server that keeps what it gets, and misbehaves towards chosen addresses."""

import asyncio
import ssl
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, Literal

from aiosmtpd.smtp import SMTP, Envelope, Session

from db.clock import Clock, utc_now

KEEP = 500
TAKEN = "250 2.0.0 OK, caught"
NEVER = 24 * 3600.0


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
        return str(body.get_content()).replace("\r\n", "\n") if body else ""


@dataclass(slots=True)
class Habit:
    """How the catcher treats one address, `left` more times (None: always)."""

    kind: Literal["answer", "hang", "drop"]
    answer: str = ""
    left: int | None = None


class Catcher:
    """Keeps the last messages, newest last; `start` opens the port. Runs in the event loop that started it."""

    def __init__(self, *, keep: int = KEEP, clock: Clock = utc_now, tls: ssl.SSLContext | None = None) -> None:
        """With `tls`, STARTTLS is offered."""
        self.messages: deque[Caught] = deque(maxlen=keep)
        self.count = 0
        """Messages taken since the start, also those no longer kept."""

        self.host = ""
        self.port = 0
        self._clock = clock
        self._tls = tls
        self._habits: dict[str, Habit] = {}
        self._server: asyncio.Server | None = None
        self._sessions: set[_Session] = set()
        self._caught = asyncio.Event()

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen; port 0 takes any free one, which is then `port`."""
        self._server = await asyncio.get_running_loop().create_server(self._session, host, port)
        self.host, self.port = self._server.sockets[0].getsockname()[:2]

    async def stop(self) -> None:
        """Close the port and cut all connections; what was caught stays. `start` may be called again."""
        if self._server is None:
            return
        self._server.close()
        for session in list(self._sessions):
            session.cut()
        self._sessions.clear()
        await self._server.wait_closed()
        self._server = None

    def refuse(self, address: str, answer: str = "550 5.1.1 no such mailbox", times: int | None = None) -> None:
        """Answer a recipient with a code for good (5xx) or for now (4xx), `times` times or always."""
        self._habits[address] = Habit("answer", answer, times)

    def busy(self, address: str, answer: str = "451 4.3.0 try again later", times: int | None = None) -> None:
        """Answer a recipient with a code for now (4xx)."""
        self.refuse(address, answer, times)

    def hang(self, address: str, times: int | None = None) -> None:
        """Take the message of a recipient and never answer."""
        self._habits[address] = Habit("hang", left=times)

    def drop(self, address: str, times: int | None = None) -> None:
        """Take and keep the message of a recipient, but cut the connection instead of answering."""
        self._habits[address] = Habit("drop", left=times)

    def behave(self, address: str) -> None:
        """Treat an address well again."""
        self._habits.pop(address, None)

    def to(self, address: str) -> list[Caught]:
        """Give the messages to one recipient, oldest first."""
        return [caught for caught in self.messages if caught.recipient == address]

    async def wait_for(self, enough: Callable[[], bool], seconds: float = 10.0) -> None:
        """Wait until `enough()` is true, looking after each message; raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while not enough():
                self._caught.clear()
                await self._caught.wait()

    # What aiosmtpd calls, by these names.

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take a recipient, or answer as told."""
        habit = self._habit(address, "answer")
        if habit:
            return habit.answer
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Keep a message, or misbehave as told."""
        recipient = envelope.rcpt_tos[0]
        if self._habit(recipient, "hang"):
            await asyncio.sleep(NEVER)
        for to in envelope.rcpt_tos:
            self._keep(envelope, to)
        if self._habit(recipient, "drop") and isinstance(server, _Session):
            server.cut()
        return TAKEN

    def _keep(self, envelope: Envelope, recipient: str) -> None:
        self.count += 1
        content = envelope.original_content or b""
        self.messages.append(Caught(self.count, self._clock(), envelope.mail_from or "", recipient, content))
        self._caught.set()

    def _habit(self, address: str, kind: str) -> Habit | None:
        habit = self._habits.get(address)
        if habit is None or habit.kind != kind:
            return None
        if habit.left is not None:
            habit.left -= 1
            if habit.left <= 0:
                self.behave(address)
        return habit

    def _session(self) -> "_Session":
        session = _Session(
            self,
            on_end=self._sessions.discard,
            enable_SMTPUTF8=True,
            hostname="localhost",
            ident="Kiosque mail catcher",
            tls_context=self._tls,
            loop=asyncio.get_running_loop(),
        )
        self._sessions.add(session)
        return session


class _Session(SMTP):
    """One connection, which says when it ends."""

    def __init__(self, handler: Catcher, *, on_end: Callable[["_Session"], None], **options: Any) -> None:
        super().__init__(handler, **options)
        self._on_end = on_end

    def cut(self) -> None:
        """Drop the connection without a word."""
        if isinstance(self.transport, asyncio.Transport):
            self.transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self._on_end(self)
