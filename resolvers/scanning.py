"""The virus scanner: ClamAV's daemon over its socket (clamd(8), INSTREAM). A file it did not judge is not taken."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import suppress

from db.configuration import scanner_address

LONGEST_REPLY = 4096
FOUND = re.compile(r"stream: (.{1,200}) FOUND")
CODE = re.compile(r"[^\w.:-]+", re.ASCII)
"""What may stand in the name of a finding when it goes to the audit log."""

UNREACHABLE = (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError)
"""What a conversation raises that goes wrong; a time-out is an OSError."""


class ScannerUnavailable(Exception):
    """The scanner does not answer, not in time, or not with a judgement; the text is a code."""


class Scanner:
    """A scanner at `host:port` or `unix:/path`; it has `seconds` for a file."""

    def __init__(self, address: str, seconds: float) -> None:
        found = scanner_address(address)
        if found is None:
            raise ValueError("the address of a scanner is host:port or unix:/path")
        self._address = found
        self._seconds = seconds

    async def answers(self) -> bool:
        """Tell whether the scanner is there. Raises ScannerUnavailable when it cannot be reached."""
        try:
            async with asyncio.timeout(self._seconds):
                reader, writer = await self._connected()
                writer.write(b"zPING\0")
                reply = await reader.readuntil(b"\0")
                writer.close()
                return reply == b"PONG\0"
        except UNREACHABLE as error:
            raise ScannerUnavailable(type(error).__name__) from error

    async def finding(self, pieces: AsyncIterator[bytes]) -> str | None:
        """Give the name of what was found in a file, or None. Raises ScannerUnavailable, and what `pieces` raises."""
        try:
            async with asyncio.timeout(self._seconds):
                reader, writer = await self._connected()
                try:
                    return _judgement(await _asked(reader, writer, pieces))
                finally:
                    writer.close()
                    with suppress(OSError):
                        await writer.wait_closed()
        except UNREACHABLE as error:
            raise ScannerUnavailable(type(error).__name__) from error

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self._address, str):
            return await asyncio.open_unix_connection(self._address, limit=LONGEST_REPLY)
        return await asyncio.open_connection(*self._address, limit=LONGEST_REPLY)


async def _asked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pieces: AsyncIterator[bytes]) -> bytes:
    """Send a file and give the reply."""
    try:
        writer.write(b"zINSTREAM\0")
        async for piece in pieces:
            writer.write(len(piece).to_bytes(4) + piece)
            await writer.drain()
        writer.write(bytes(4))
        await writer.drain()
    except (BrokenPipeError, ConnectionResetError):
        # It has judged, or refused to, before the end: what it said may still be there.
        return await reader.readuntil(b"\0")
    return await reader.readuntil(b"\0")


def _judgement(reply: bytes) -> str | None:
    text = reply.rstrip(b"\0\n").decode("utf-8", "replace")
    if text == "stream: OK":
        return None
    found = FOUND.fullmatch(text)
    if found is None:
        raise ScannerUnavailable("NO_JUDGEMENT")
    return CODE.sub("_", found[1])[:80]
