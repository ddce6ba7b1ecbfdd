"""Thousands of idle subscriptions, and news for them: `python -m bench live`.

Memory is the growth of the server's resident memory by socket; delays begin when the commit has returned.
"""

import argparse
import asyncio
import resource
import statistics
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import asyncpg
import msgspec

from bench.city import Cluster, Login, cluster, sign_in_families
from bench.programs import ROOT, Program, own, started
from bench.sockets import Arrivals, Crowd
from bench.tables import table
from db import outbox
from db.clock import utc_now
from db.ids import uuid7
from db.outbox import Told

QUERY = "subscription { news { cursor type occurredAt } }"
CITY = 2_000
WRITERS = 4
SETTLES = 3.0
"""Seconds after which the server has nothing more to do for sockets just opened."""

LONG_LINE = 2**28


@dataclass(frozen=True, slots=True)
class Audience:
    """The sockets, in a process of their own."""

    child: asyncio.subprocess.Process
    logins: list[Login]

    async def heard(self) -> Arrivals:
        """Give what has arrived since the last question."""
        assert self.child.stdin is not None and self.child.stdout is not None, "both are pipes"
        self.child.stdin.write(b"tell\n")
        return msgspec.json.decode(await self.child.stdout.readline(), type=Arrivals)


@asynccontextmanager
async def audience(program: Program, logins: list[Login], connections: int) -> AsyncIterator[Audience]:
    """Fill the hall; yields when every socket has subscribed and what it missed was read."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.sockets"), cwd=ROOT, stdin=-1, stdout=-1, limit=LONG_LINE
    )
    assert child.stdin is not None and child.stdout is not None, "both are pipes"
    crowd = Crowd(program.port, [login.token for login in logins], QUERY, connections)
    child.stdin.write(msgspec.json.encode(crowd) + b"\n")
    if (await child.stdout.readline()).strip() != b"ready":
        raise RuntimeError("the sockets could not be opened")
    await _quiet(program)
    try:
        yield Audience(child, logins)
    finally:
        child.stdin.write(b"end\n")
        await child.wait()


async def _quiet(program: Program) -> None:
    """Wait until the server rests: whoever subscribed is then live."""
    before = program.cpu
    while True:
        await asyncio.sleep(SETTLES)
        now = program.cpu
        if now - before < 0.1 * SETTLES:
            return
        before = now


async def tell(connection: asyncpg.Connection, family_id: UUID) -> tuple[int, float]:
    """Commit one item of news; give its number and the moment at which the commit had returned."""
    told = Told(family_id, "PROCEDURE_STATUS", "bench", uuid7(), {}, utc_now())
    async with connection.transaction():
        seq = await outbox.tell(connection, told)
    return seq, time.time()


async def spread(dsn: str, hall: Audience, rate: int, seconds: float) -> tuple[list[float], int]:
    """Tell families in turn, `rate` a second; give the delays in milliseconds and how many pushes were awaited."""
    committed: dict[tuple[int, int], float] = {}
    turn, total = iter(range(int(rate * seconds))), int(rate * seconds)
    began = time.perf_counter()

    async def write() -> None:
        connection = await asyncpg.connect(dsn, timeout=10)
        for number in turn:
            place = number % len(hall.logins)
            await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
            family_id = hall.logins[place].family_id
            assert family_id is not None, "families only"
            seq, at = await tell(connection, family_id)
            committed[place, seq] = at
        await connection.close()

    await asyncio.gather(*(write() for _ in range(WRITERS)))
    await asyncio.sleep(1.0)
    heard = await hall.heard()
    if heard.lost:
        raise RuntimeError(f"{heard.lost} sockets were cut")
    delays = [1000 * (at - committed[place, seq]) for place, seq, at in heard.items if (place, seq) in committed]
    if len(committed) != total:
        raise RuntimeError("not everything was told")
    return sorted(delays), len(heard.items)


async def to_all(dsn: str, hall: Audience, connections: int, times: int) -> list[float]:
    """Tell the one family that all sockets follow; give the milliseconds until the last one knows."""
    connection = await asyncpg.connect(dsn, timeout=10)
    family_id = hall.logins[0].family_id
    assert family_id is not None, "families only"
    delays = []
    for _ in range(times):
        await hall.heard()
        _, at = await tell(connection, family_id)
        await asyncio.sleep(3.0)
        heard = await hall.heard()
        if len(heard.items) != connections or heard.lost:
            raise RuntimeError(f"{len(heard.items)} of {connections} sockets heard it, {heard.lost} were cut")
        delays.append(1000 * (max(moment for _, _, moment in heard.items) - at))
    await connection.close()
    return delays


async def measure(name: str, postgres: Cluster, arguments: argparse.Namespace) -> list[str]:
    """Measure one server."""
    dsn = await postgres.fresh("live", CITY)
    logins = await sign_in_families(dsn, min(arguments.connections, CITY))
    async with _server(name, dsn) as program:
        before = program.process.memory_info().rss
        async with audience(program, logins, arguments.connections) as hall:
            memory = (program.process.memory_info().rss - before) / arguments.connections / 1024
            cpu = program.cpu
            delays, heard = await spread(dsn, hall, arguments.rate, arguments.seconds)
            cost = 1000 * (program.cpu - cpu) / (arguments.rate * arguments.seconds)
    async with _server(name, dsn) as program, audience(program, logins[:1], arguments.connections) as hall:
        everybody = await to_all(dsn, hall, arguments.connections, 5)
    cuts = [delays[int(len(delays) * share)] for share in (0.5, 0.99)]
    return [
        name,
        f"{memory:.1f}",
        f"{heard:,}",
        *(f"{cut:.1f}" for cut in cuts),
        f"{cost:.2f}",
        f"{statistics.median(everybody):.0f}",
        f"{min(everybody):.0f}–{max(everybody):.0f}",
    ]


def _server(name: str, dsn: str) -> AbstractAsyncContextManager[Program]:
    if name == "own":
        return own(dsn, limits__sockets_per_account="1000000")
    return started("stock", "bench.stock", "--database", dsn)


async def run(arguments: argparse.Namespace) -> None:
    """Measure both servers."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    async with cluster() as postgres:
        rows = [await measure(name, postgres, arguments) for name in arguments.servers.split(",")]
    print(
        f"{arguments.connections} idle sockets, {arguments.rate} updates/s for {arguments.seconds:g} s, "
        "then one for all"
    )
    heads = [
        "server",
        "KiB a socket",
        "pushes",
        "p50 ms",
        "p99 ms",
        "CPU ms an update",
        "one to all ms",
        "range",
    ]
    print(table(heads, rows))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what can be chosen."""
    parser.add_argument("--connections", type=int, default=5_000)
    parser.add_argument("--rate", type=int, default=200, help="updates a second")
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--servers", default="own,stock")
