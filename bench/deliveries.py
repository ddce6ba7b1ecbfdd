"""How fast news reaches the mail server, and how soon after the commit: `python -m bench.deliveries --database URL`.

URL leads to an empty, migrated database. The mail catcher and the dispatcher are processes of their own. Families have
addresses of eight domains: at most two messages at once go to one (`mail.connections_per_domain`).
"""

import argparse
import asyncio
import base64
import multiprocessing
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from uuid import UUID

import asyncpg
import psutil

from bench.programs import busy
from db import outbox
from db.clock import utc_now
from db.ids import uuid7
from db.outbox import Told
from gateway.demo.smtp import Catcher

DOMAINS = [f"courrier{number}.example" for number in range(8)]
SETTLED = 3.0
"""Seconds after which a dispatcher has started."""

SETTINGS = {
    "KIOSQUE_SECRETS__MASTER_KEY": base64.b64encode(bytes(32)).decode(),
    "KIOSQUE_MAIL__STARTTLS": "never",
    "KIOSQUE_MAIL__SENDER": "kiosque@ville.example",
}
DATA = {
    "reference": "PES-2026-000123",
    "title_fr": "Inscription à la cantine",
    "title_en": "Canteen registration",
    "from": "SUBMITTED",
    "to": "IN_REVIEW",
    "message": None,
    "service": {
        "name_fr": "Restauration scolaire",
        "name_en": "School canteen",
        "address": "12 place du Marché, 33600 Saint-Aubin",
        "phone": "05 57 00 00 10",
        "email": "cantine@ville.example",
        "hours_fr": "le matin",
        "hours_en": "in the morning",
    },
}


def catch(pipe: Connection) -> None:
    """Be the mail server; says its port, then answers each question with the arrivals (seconds) by recipient."""

    async def serve() -> None:
        catcher = Catcher(keep=1_000_000)
        await catcher.start()
        pipe.send(catcher.port)
        while await asyncio.to_thread(pipe.recv):
            pipe.send([(caught.recipient, caught.received_at.timestamp()) for caught in catcher.messages])

    asyncio.run(serve())


@contextmanager
def dispatcher(dsn: str, port: int, others: Mapping[str, str] | None = None) -> Iterator[psutil.Process]:
    """Run the dispatcher, with other variables where given."""
    environment = {**os.environ, **SETTINGS, "KIOSQUE_MAIL__PORT": str(port), **(others or {})}
    command = [sys.executable, "-m", "notifications", "--database", dsn, "--parent-stdin"]
    process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE)
    try:
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(10)


async def make_families(connection: asyncpg.Connection, count: int, domains: Sequence[str] = DOMAINS) -> list[UUID]:
    """Make families with one verified address each, in the domains by turns."""
    ids = [uuid7() for _ in range(count)]
    now = utc_now()
    await connection.executemany(
        "insert into family (id, number, name, created_at) values ($1, $2, 'Famille Martin', $3)",
        [(family, str(100_000 + n), now) for n, family in enumerate(ids)],
    )
    await connection.executemany(
        "insert into address (family_id, id, channel, value, verified_at, created_at)"
        " values ($1, $2, 'EMAIL', $3, $4, $4)",
        [(family, uuid7(), f"{family}@{domains[n % len(domains)]}", now) for n, family in enumerate(ids)],
    )
    return ids


async def tell(connection: asyncpg.Connection, family: UUID) -> float:
    """Tell a family something; gives the moment of the commit (seconds)."""
    told = Told(family, "PROCEDURE_STATUS", "procedure_moved", uuid7(), DATA, utc_now())
    async with connection.transaction():
        await outbox.tell(connection, told)
    return time.time()


async def backlog(
    connection: asyncpg.Connection, families: list[UUID], dsn: str, port: int, pipe: Connection
) -> tuple[float, float]:
    """Give the deliveries per second while a backlog is worked off, and the dispatcher's CPU (ms) for each."""
    with dispatcher(dsn, port) as process:
        await asyncio.sleep(SETTLED)
        process.send_signal(signal.SIGSTOP)  # so that it finds all of it at once, and its start is not counted
        for family in families:
            await tell(connection, family)
        before = busy(process)
        process.send_signal(signal.SIGCONT)
        waiting = True
        while waiting:
            await asyncio.sleep(0.1)
            waiting = await connection.fetchval("select exists (select from delivery where status = 'PENDING')")
        spent = busy(process) - before
        arrivals = [at for _, at in await asked(pipe)]
    return (len(arrivals) - 1) / (max(arrivals) - min(arrivals)), spent / len(families) * 1000


async def delays(
    connection: asyncpg.Connection, families: list[UUID], dsn: str, port: int, pipe: Connection
) -> list[float]:
    """Give the milliseconds from commit to mail server, 20 commits a second."""
    before = {recipient: at for recipient, at in await asked(pipe)}
    committed = {}
    with dispatcher(dsn, port):
        await asyncio.sleep(SETTLED)
        for family in families:
            committed[str(family)] = await tell(connection, family)
            await asyncio.sleep(0.05)
        await asyncio.sleep(1)
        arrived = {recipient: at for recipient, at in await asked(pipe) if at != before.get(recipient)}
    came = {recipient.partition("@")[0]: at for recipient, at in arrived.items()}
    return [(came[family] - at) * 1000 for family, at in committed.items()]


async def asked(pipe: Connection) -> list[tuple[str, float]]:
    """Ask the mail server what arrived."""
    pipe.send(True)
    answer: list[tuple[str, float]] = await asyncio.to_thread(pipe.recv)
    return answer


async def measure(dsn: str, count: int) -> None:
    """Print both figures."""
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.Process(target=catch, args=(theirs,), daemon=True)
    server.start()
    port = ours.recv()
    connection = await asyncpg.connect(dsn)
    families = await make_families(connection, count)
    speed, spent = await backlog(connection, families, dsn, port, ours)
    print(f"deliveries/s, {count} families waiting: {speed:.0f}; {spent:.2f} ms of the dispatcher's CPU each")
    spread = sorted(await delays(connection, families[:300], dsn, port, ours))
    cuts = statistics.quantiles(spread, n=100)
    print(
        f"commit to mail server, {len(spread)} changes:"
        f" p50 {cuts[49]:.1f} ms, p99 {cuts[98]:.1f} ms, max {spread[-1]:.1f} ms"
    )
    await connection.close()
    ours.send(False)
    server.join(5)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", metavar="URL", required=True)
    parser.add_argument("--count", type=int, default=4000)
    arguments = parser.parse_args()
    multiprocessing.set_start_method("spawn")
    asyncio.run(measure(arguments.database, arguments.count))
