"""A mail relay that misbehaves at one step of a conversation (RFC 5321), so many times, and is well-behaved after."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from email import message_from_bytes

GREETING, BYE = "greeting", "QUIT"
ANSWERS = {"EHLO": "250 crooked.example", "MAIL": "250 2.1.0 OK", "RCPT": "250 2.1.5 OK", "DATA": "354 go on"}
HANG, DROP, GARBAGE = "hang", "drop", "garbage"
LONG = 2.0
"""Seconds; more than anybody waits in these tests."""


@dataclass
class Crooked:
    """`step` is `greeting`, `EHLO`, `MAIL`, `RCPT`, `DATA`, `text` (half of it is read) or `dot`."""

    step: str
    fault: str
    """What it answers there, or HANG, DROP, GARBAGE."""

    left: int = 1
    port: int = 0
    took: list[str] = field(default_factory=list)
    """`Message-ID` of each message it keeps; at the dot it keeps those it then says nothing sensible about."""

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._converse, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening."""
        self._server.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            try:
                await self._say(GREETING, "220 crooked.example", writer)
                while verb := (await reader.readline()).decode()[:4].upper():
                    if verb == BYE:
                        return
                    await self._say(verb, ANSWERS.get(verb, "250 2.0.0 OK"), writer)
                    if verb == "DATA" and self._began:
                        await self._take(reader, writer)
            finally:
                writer.close()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.step == "text" and self.left:
            await reader.readexactly(100)
            await self._say("text", "", writer)
        letter = await reader.readuntil(b"\r\n.\r\n")
        refuses = self.step == "dot" and self.left and self.fault[0] in "45"
        if not refuses:
            self.took.append(str(message_from_bytes(letter)["Message-ID"]))
        await self._say("dot", "250 2.0.0 taken", writer)

    async def _say(self, step: str, well: str, writer: asyncio.StreamWriter) -> None:
        self._began = step == "DATA"
        words = well
        if step == self.step and self.left:
            self.left -= 1
            self._began = False
            if self.fault == HANG:
                await asyncio.sleep(LONG)
            if self.fault in (DROP, HANG):
                writer.transport.abort()
                raise ConnectionResetError
            words = "\x00\xff what?" if self.fault == GARBAGE else self.fault
        writer.write(f"{words}\r\n".encode("latin-1"))
        await writer.drain()
        if words.startswith("421"):
            raise ConnectionResetError
