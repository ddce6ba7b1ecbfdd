"""A centre of text messages (SMSC) that speaks SMPP 3.4: binds, takes messages, sends receipts, and misbehaves as told.

Written from the specification, with no line in common with the client that it serves.
"""

import asyncio
import struct
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from db.clock import Clock, utc_now
from gateway.demo.peer import Got, Kind
from notifications import gsm7

GENERIC_NACK = 0x80000000
ANSWER = 0x80000000
BIND_TRANSCEIVER, UNBIND, ENQUIRE_LINK, SUBMIT, DELIVER = 0x09, 0x06, 0x15, 0x04, 0x05
OK, BAD_PASSWORD, BAD_NUMBER, QUEUE_FULL, UNKNOWN = 0x00, 0x0E, 0x0B, 0x14, 0x03
RECEIPT = 0x04
OUR_ID, PAYLOAD = 0x1400, 0x0424
LARGEST = 64 * 1024
GARBAGE = b"\xff" * 32


@dataclass(slots=True)
class Habit:
    """How the centre treats one number, `left` more times (None: always)."""

    kind: Kind
    status: int = QUEUE_FULL
    left: int | None = None


class Reader:
    """Reads the fields of a PDU in order."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._at = 0

    def text(self) -> str:
        """Read a C-octet string."""
        end = self._octets.index(0, self._at)
        found = self._octets[self._at : end].decode("latin-1")
        self._at = end + 1
        return found

    def number(self) -> int:
        """Read one octet."""
        self._at += 1
        return self._octets[self._at - 1]

    def octets(self, count: int) -> bytes:
        """Read that many."""
        self._at += count
        return self._octets[self._at - count : self._at]

    def tags(self) -> dict[int, bytes]:
        """Read the optional parameters."""
        found = {}
        while self._at < len(self._octets):
            tag, length = struct.unpack(">HH", self.octets(4))
            found[tag] = self.octets(length)
        return found


@dataclass(frozen=True, slots=True)
class Submitted:
    """What counts of a `submit_sm`."""

    sender: str
    to: str
    text: str
    reference: str
    wants_receipt: bool
    coding: int


def read_submit(body: bytes) -> Submitted:
    """Read a `submit_sm` (section 4.4.1). Raises ValueError, IndexError, struct.error."""
    pdu = Reader(body)
    pdu.text()
    pdu.octets(2)
    sender = pdu.text()
    pdu.octets(2)
    to = pdu.text()
    pdu.octets(3)
    pdu.text()
    pdu.text()
    wants_receipt = bool(pdu.number() & 1)
    pdu.number()
    coding = pdu.number()
    pdu.number()
    short = pdu.octets(pdu.number())
    tags = pdu.tags()
    octets = tags.get(PAYLOAD, short)
    text = octets.decode("utf-16-be") if coding == 8 else gsm7.decoded(octets)
    return Submitted(sender, f"+{to}", text, tags.get(OUR_ID, b"").decode(), wants_receipt, coding)


@dataclass(eq=False)
class Session:
    """One connection."""

    writer: asyncio.StreamWriter
    bound: bool = False
    sequence: int = 0

    def send(self, command: int, status: int, sequence: int, body: bytes = b"") -> None:
        """Write one PDU."""
        self.writer.write(struct.pack(">IIII", 16 + len(body), command, status, sequence) + body)

    def deliver(self, sender: str, text: bytes, esm_class: int) -> None:
        """Send a message or a receipt to the client (section 4.6.1)."""
        self.sequence += 1
        ours = b"\x00\x01\x01" + sender.encode() + b"\x00\x00\x00KIOSQUE\x00"
        body = ours + bytes((esm_class, 0, 0)) + b"\x00\x00" + bytes((0, 0, 0, 0, len(text))) + text
        self.send(DELIVER, OK, self.sequence, body)


@dataclass(slots=True)
class Smsc:
    """Keeps the last messages, newest last."""

    password: str = "demo"
    keep: int = 500
    clock: Clock = utc_now
    host: str = "127.0.0.1"
    port: int = 0
    count: int = 0
    receipts: bool = False
    """Whether each message is followed by its receipt."""

    messages: deque[Got] = field(default_factory=deque)
    _habits: dict[str, Habit] = field(default_factory=dict)
    _sessions: set[Session] = field(default_factory=set)
    _server: asyncio.Server | None = None
    _came: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self, port: int = 0) -> None:
        """Listen; port 0 takes any free one, which is then `port`."""
        self._server = await asyncio.start_server(self._serve, self.host, port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the port and cut all sessions."""
        if self._server is not None:
            self._server.close()
            for session in list(self._sessions):
                session.writer.transport.abort()
            await self._server.wait_closed()
            self._server = None

    def treat(self, to: str, kind: Kind, *, times: int | None = None, status: int = QUEUE_FULL) -> None:
        """Misbehave towards a number: answer with a status, never answer, keep but cut, or keep and send nonsense."""
        self._habits[to] = Habit(kind, status, times)

    def to(self, number: str) -> list[Got]:
        """Give the messages to one number, oldest first."""
        return [got for got in self.messages if got.to == number]

    async def wait_for(self, enough: Callable[[], bool], seconds: float = 10.0) -> None:
        """Wait until `enough()` is true, looking after each message; raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while not enough():
                self._came.clear()
                await self._came.wait()

    def send_receipt(self, got: Got, state: str = "DELIVRD") -> None:
        """Send a receipt (appendix B) to whoever is bound."""
        text = (
            f"id:{got.details['id']} sub:001 dlvrd:001 submit date:2611230900 done date:2611230901 stat:{state} err:000"
        )
        for session in self._sessions:
            session.deliver(got.to.removeprefix("+"), text.encode(), RECEIPT)

    def send_text(self, sender: str, words: str) -> None:
        """Send a text message of a phone to whoever is bound."""
        for session in self._sessions:
            session.deliver(sender.removeprefix("+"), gsm7.encoded(words), 0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = Session(writer)
        self._sessions.add(session)
        try:
            while True:
                length, command, _, sequence = struct.unpack(">IIII", await reader.readexactly(16))
                if not 16 <= length <= LARGEST:
                    break
                self._answer(session, command, sequence, await reader.readexactly(length - 16))
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            self._sessions.discard(session)
            writer.close()

    def _answer(self, session: Session, command: int, sequence: int, body: bytes) -> None:
        if command == BIND_TRANSCEIVER:
            pdu = Reader(body)
            pdu.text()
            session.bound = pdu.text() == self.password
            session.send(command | ANSWER, OK if session.bound else BAD_PASSWORD, sequence, b"demo\x00")
        elif command == SUBMIT and session.bound:
            self._submit(session, sequence, read_submit(body))
        elif command in (UNBIND, ENQUIRE_LINK):
            session.send(command | ANSWER, OK, sequence)
        elif command < ANSWER:
            session.send(GENERIC_NACK, UNKNOWN, sequence)

    def _submit(self, session: Session, sequence: int, given: Submitted) -> None:
        habit = self._habit(given.to)
        if habit is not None and habit.kind == "hang":
            return
        if habit is not None and habit.kind == "answer":
            session.send(SUBMIT | ANSWER, habit.status, sequence)
            return
        self.count += 1
        name = f"{self.count:08x}"
        details = {"id": name, "coding": given.coding, "sender": given.sender}
        got = Got(self.count, self.clock(), "SMS", given.to, given.text, given.reference, "smpp", details)
        self.messages.append(got)
        while len(self.messages) > self.keep:
            self.messages.popleft()
        self._came.set()
        if habit is not None and habit.kind == "drop":
            session.writer.transport.abort()
        elif habit is not None:
            session.writer.write(GARBAGE)
        else:
            session.send(SUBMIT | ANSWER, OK, sequence, name.encode() + b"\x00")
            if self.receipts and given.wants_receipt:
                self.send_receipt(got)

    def _habit(self, to: str) -> Habit | None:
        habit = self._habits.get(to)
        if habit is not None and habit.left is not None:
            habit.left -= 1
            if habit.left <= 0:
                del self._habits[to]
        return habit
