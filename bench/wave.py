"""A month's end: 20,000 invoice notices by e-mail at once, and how long procedures' notices take meanwhile."""

import argparse
import asyncio
import multiprocessing
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from uuid import UUID

import asyncpg

from bench.city import cluster
from bench.deliveries import DATA, asked, catch, dispatcher, make_families
from bench.tables import table
from db import outbox
from db.clock import utc_now
from db.ids import uuid7
from db.outbox import BULK, Told

AT_ONCE = 200
"""Families that one transaction tells, as publishing a month does."""

PAUSE = 0.1
"""Seconds between two notices of procedures."""

IN_TIME = 10.0
INVOICE = {
    "invoice": "2026-000123",
    "due_on": "2026-12-15",
    **{f"{name}_cents": cents for name, cents in {"total": 4250, "settled": 0, "open": 4250}.items()},
    **{f"{name}_fr": "42,50 €" for name in ("total", "settled", "open")},
    **{f"{name}_en": "€42.50" for name in ("total", "settled", "open")},
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say how many."""
    parser.add_argument("--count", type=int, default=20_000, help="families that get an invoice")
    parser.add_argument("--others", type=int, default=100, help="families that hear of a procedure meanwhile, in turns")
    parser.add_argument("--seconds", type=float, default=0.0, help="over which the invoices are told; 0: at once")
    parser.add_argument("--connections", type=int, default=4, help="to the relay (mail.connections)")


async def run(given: argparse.Namespace) -> None:
    """Measure and print."""
    spawned = multiprocessing.get_context("spawn")
    ours, theirs = spawned.Pipe()
    server = spawned.Process(target=catch, args=(theirs,), daemon=True)
    server.start()
    port = ours.recv()
    async with cluster() as postgres:
        dsn = await postgres.empty("wave")
        connection = await asyncpg.connect(dsn)
        families = await make_families(connection, given.count + given.others)
        with dispatcher(dsn, port, {"KIOSQUE_MAIL__CONNECTIONS": str(given.connections)}):
            await asyncio.sleep(2)
            rows = await _wave(connection, dsn, families[: given.count], families[given.count :], given.seconds, ours)
        await connection.close()
    print(table(["figure", "measured"], rows))
    ours.send(False)
    server.join(5)


async def _wave(
    connection: asyncpg.Connection,
    dsn: str,
    crowd: Sequence[UUID],
    others: Sequence[UUID],
    seconds: float,
    pipe: Connection,
) -> list[list[str]]:
    """Send the wave, and notices of procedures until its last message has gone."""
    over = asyncio.Event()
    procedures = asyncio.create_task(_procedures(dsn, others, over))
    began = time.time()
    told = await _invoices(connection, crowd, seconds)
    published = time.time() - began
    waiting = True
    while waiting:
        await asyncio.sleep(0.2)
        waiting = await connection.fetchval("select exists (select from lane where leased or due_at is not null)")
    over.set()
    noticed = await procedures
    await asyncio.sleep(1)
    arrivals: dict[UUID, list[float]] = {}
    for recipient, at in await asked(pipe):
        arrivals.setdefault(UUID(recipient.partition("@")[0]), []).append(at)
    waited = sorted(arrivals[family][0] - at for family, at in told.items())
    delays = sorted(
        arrived - at
        for family, moments in noticed.items()
        for arrived, at in zip(arrivals[family], moments, strict=True)
    )
    assert all(len(arrivals[family]) == 1 for family in told), "sent twice"
    ended = max(arrivals[family][0] for family in told)
    in_time = sum(each <= IN_TIME for each in waited)
    return [
        [f"{len(told):,} invoices told", f"in {published:.1f} s"],
        ["their notices handed over", f"{len(told) / (ended - began):.0f}/s, the last after {ended - began:.1f} s"],
        ["of these within 10 s of their commit", f"{100 * in_time / len(told):.1f} %"],
        [f"delay of {len(delays)} procedures' notices meanwhile", _shown(delays)],
    ]


async def _invoices(connection: asyncpg.Connection, families: Sequence[UUID], seconds: float) -> dict[UUID, float]:
    """Tell all families of an invoice, many in a transaction; give when it was committed for each."""
    began = time.time()
    told: dict[UUID, float] = {}
    for start in range(0, len(families), AT_ONCE):
        batch = families[start : start + AT_ONCE]
        await asyncio.sleep(began + seconds * start / len(families) - time.time())
        async with connection.transaction():
            for family in batch:
                news = Told(family, "INVOICE_ISSUED", "invoice_issued", uuid7(), INVOICE, utc_now(), priority=BULK)
                await outbox.tell(connection, news)
        told |= dict.fromkeys(batch, time.time())
    return told


async def _procedures(dsn: str, families: Sequence[UUID], over: asyncio.Event) -> dict[UUID, list[float]]:
    """Tell one family after the other of a procedure; give the moments of the commits."""
    connection = await asyncpg.connect(dsn)
    told: dict[UUID, list[float]] = {family: [] for family in families}
    turn = 0
    while not over.is_set():
        family = families[turn % len(families)]
        turn += 1
        async with connection.transaction():
            news = Told(family, "PROCEDURE_STATUS", "procedure_moved", uuid7(), DATA, utc_now(), priority=0)
            await outbox.tell(connection, news)
        told[family].append(time.time())
        await asyncio.sleep(PAUSE)
    await connection.close()
    return told


def _shown(delays: Sequence[float]) -> str:
    p50, p99 = (delays[int(len(delays) * share)] * 1000 for share in (0.5, 0.99))
    return f"p50 {p50:.0f} ms, p99 {p99:.0f} ms, max {delays[-1] * 1000:.0f} ms"
