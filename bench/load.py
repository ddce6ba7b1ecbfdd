"""A client that costs little: keeps connections alive, sends finished requests, looks at status and length only.

`python -m bench.load` reads a job from its standard input and writes its figures to its standard output, both JSON.
"""

import asyncio
import sys
import time
from pathlib import Path
from typing import cast

import msgspec
import uvloop

ROOT = Path(__file__).resolve().parents[1]


class Job(msgspec.Struct):
    """What to send, to whom, for how long; each connection sends its next request when the last answer is there."""

    port: int
    requests: list[str]
    """Whole requests, head and body; connections take them in turn."""

    seconds: float
    connections: int = 16


class Figures(msgspec.Struct):
    """What was seen; times in milliseconds."""

    requests: int
    faults: int
    """Answers with another status than 200."""

    seconds: float
    p50: float
    p99: float
    bytes: float
    """Mean length of a body."""


class Line(asyncio.Protocol):
    """One connection."""

    def __init__(self, load: "Load") -> None:
        self._load = load
        self._held = b""
        self._ends = 0
        self._sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own class derives from none of asyncio's
        self._load.open += 1
        self._send()

    def data_received(self, data: bytes) -> None:
        """Take a part of an answer; a whole one lets the next request go."""
        self._held = self._held + data if self._held else data
        if not self._ends:
            head = self._held.find(b"\r\n\r\n")
            if head < 0:
                return
            start = self._held.lower().find(b"content-length: ", 0, head) + 16
            length = int(self._held[start : self._held.find(b"\r", start)])
            self._ends = head + 4 + length
            self._load.bytes += length
            self._load.faults += self._held[9:12] != b"200"
        if len(self._held) >= self._ends:
            self._load.times.append(time.perf_counter() - self._sent)
            self._held, self._ends = b"", 0
            self._send()

    def connection_lost(self, error: Exception | None) -> None:
        """A connection that is cut before the end is a fault."""
        self._load.faults += not self._load.over
        self._load.open -= 1
        if not self._load.open:
            self._load.ended.set()

    def _send(self) -> None:
        if self._load.over:
            self._transport.close()
            return
        self._sent = time.perf_counter()
        self._transport.write(self._load.next())


class Load:
    """All connections together."""

    def __init__(self, requests: list[bytes]) -> None:
        self._requests = requests
        self._turn = 0
        self.over = False
        self.times: list[float] = []
        self.open = 0
        self.ended = asyncio.Event()
        self.faults = 0
        self.bytes = 0

    def next(self) -> bytes:
        """Give the next request."""
        self._turn = (self._turn + 1) % len(self._requests)
        return self._requests[self._turn]


async def run(job: Job) -> Figures:
    """Do a job."""
    load, loop = Load([request.encode() for request in job.requests]), asyncio.get_running_loop()
    began = time.perf_counter()
    for _ in range(job.connections):
        await loop.create_connection(lambda: Line(load), "127.0.0.1", job.port)
    await asyncio.sleep(job.seconds)
    load.over = True
    seconds = time.perf_counter() - began
    await load.ended.wait()  # the last answers still come: a server need not see connections cut
    times = sorted(load.times)
    mean = load.bytes / max(len(times), 1)
    return Figures(len(times), load.faults, seconds, 1000 * _cut(times, 0.5), 1000 * _cut(times, 0.99), mean)


async def put(job: Job) -> Figures:
    """Do a job in a process of its own."""
    command = (sys.executable, "-m", "bench.load")
    child = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdin=-1, stdout=-1)
    output, _ = await child.communicate(msgspec.json.encode(job))
    return msgspec.json.decode(output, type=Figures)


def http(path: str, body: bytes, token: str | None) -> str:
    """Write a POST request."""
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    ]
    if token is not None:
        lines.append(f"Authorization: Bearer {token}")
    return "\r\n".join([*lines, "", ""]) + body.decode()


def _cut(times: list[float], share: float) -> float:
    return times[min(int(len(times) * share), len(times) - 1)] if times else 0.0


if __name__ == "__main__":
    sys.stdout.buffer.write(
        msgspec.json.encode(uvloop.run(run(msgspec.json.decode(sys.stdin.buffer.read(), type=Job))))
    )
