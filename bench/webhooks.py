"""Webhooks of many partners that never answer, and how long a healthy one waits for its messages beside them."""

import argparse
import asyncio
import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from uuid import UUID

import asyncpg
from aiohttp import web

from bench.city import KEYS, MASTER_KEY, cluster
from bench.deliveries import asked
from bench.tables import table
from db import webhooks as stored
from db.clock import utc_now
from db.ids import uuid7

PAUSE = 0.2
"""Seconds between two events; each is told to every address."""

PATIENCE = 60.0
PARTNER = """
    insert into partner (id, name, contact_email, language, scopes, services, created_by, created_at, expires_at)
    values ($1, $2, 'api@partenaire.example', 'fr', '{PROCEDURES_READ}', '{}', $3, now(), now() + interval '1 year')
"""
WEBHOOK = "insert into webhook (partner_id, id, url, sealed_secret, created_at) values ($1, $2, $3, $4, now())"
AGENT = """
    insert into agent (id, email, name, password_hash, roles, created_at) values ($1, $2, 'Banc', '', '{ADMIN}', now())
"""


def receive(pipe: Connection) -> None:
    """Be all receivers; says the ports of the healthy one and of those that hang, then answers with the arrivals."""
    asyncio.run(_serve(pipe))


async def _serve(pipe: Connection) -> None:
    arrivals: list[tuple[str, float]] = []
    hung = 0

    async def take(request: web.Request) -> web.Response:
        await request.read()
        arrivals.append((request.headers["webhook-id"], time.time()))
        return web.Response(status=204)

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal hung
        hung += 1
        while await reader.read(65536):
            pass
        writer.close()

    app = web.Application()
    app.router.add_post("/", take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    slow = await asyncio.start_server(hang, "127.0.0.1", 0, backlog=4096)
    pipe.send((runner.addresses[0][1], slow.sockets[0].getsockname()[1]))
    while await asyncio.to_thread(pipe.recv):
        pipe.send([*arrivals, ("hung", float(hung))])
        arrivals.clear()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say how many."""
    parser.add_argument("--hanging", type=int, default=500, help="partners whose address never answers")
    parser.add_argument("--seconds", type=float, default=40.0, help="of events, five a second")
    parser.add_argument("--at-once", type=int, default=1000, help="places of the dispatcher (webhooks.at_once)")


async def run(given: argparse.Namespace) -> None:
    """Measure without those that hang and with them, and print."""
    spawned = multiprocessing.get_context("spawn")
    ours, theirs = spawned.Pipe()
    server = spawned.Process(target=receive, args=(theirs,), daemon=True)
    server.start()
    ports = ours.recv()
    rows = []
    async with cluster() as postgres:
        for hanging in (0, given.hanging):
            dsn = await postgres.empty("webhooks")
            rows.append(await _measured(dsn, ports, hanging, given, ours))
    print(table(["hanging", "events", "arrived", "p50 ms", "p99 ms", "max ms", "connections that hung"], rows))
    ours.send(False)
    server.join(5)


async def _measured(
    dsn: str, ports: tuple[int, int], hanging: int, given: argparse.Namespace, pipe: Connection
) -> list[str]:
    """Give the row of so many that hang."""
    connection = await asyncpg.connect(dsn)
    addresses = await _addresses(connection, ports, hanging)
    before = dict(await asked(pipe))["hung"]
    told: dict[str, float] = {}
    with _dispatcher(dsn, given.at_once):
        await asyncio.sleep(2)
        ends = time.time() + given.seconds
        while time.time() < ends:
            told |= await _event(connection, addresses)
            await asyncio.sleep(PAUSE)
        arrived: dict[str, float] = {}
        while time.time() < ends + PATIENCE and len(arrived.keys() & told.keys()) < len(told):
            await asyncio.sleep(0.5)
            arrived |= dict(await asked(pipe))
    await connection.close()
    delays = sorted(1000 * (arrived[name] - at) for name, at in told.items() if name in arrived)
    cuts = [f"{delays[min(int(len(delays) * share), len(delays) - 1)]:.0f}" for share in (0.5, 0.99, 1.0)]
    return [str(hanging), str(len(told)), str(len(delays)), *cuts, f"{arrived['hung'] - before:.0f}"]


async def _addresses(connection: asyncpg.Connection, ports: tuple[int, int], hanging: int) -> list[tuple[UUID, UUID]]:
    """Make the partners with one address each, the healthy one last, so that it is claimed last among equals."""
    agent = uuid7()
    await connection.execute(AGENT, agent, f"{agent}@mairie.example")
    sealed = KEYS.seal(stored.PURPOSE, b"whsec_" + b"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    made = [(uuid7(), uuid7()) for _ in range(hanging + 1)]
    for place, (partner, webhook) in enumerate(made):
        port = ports[0] if place == hanging else ports[1]
        await connection.execute(PARTNER, partner, f"Partenaire {place}", agent)
        await connection.execute(WEBHOOK, partner, webhook, f"http://127.0.0.1:{port}/", sealed)
    return made


async def _event(connection: asyncpg.Connection, addresses: Sequence[tuple[UUID, UUID]]) -> dict[str, float]:
    """Tell every address something in one transaction; give the healthy one's message and the moment of the commit."""
    now = utc_now()
    ids = [uuid7(now) for _ in addresses]
    async with connection.transaction():
        rows = [
            (*address, each, f"msg_{each}", "test", "{}", now) for address, each in zip(addresses, ids, strict=True)
        ]
        await connection.executemany(stored.ORDER, rows)
        await connection.execute(stored.WAKE_ALL, sorted(webhook for _, webhook in addresses), now)
    return {f"msg_{ids[-1]}": time.time()}


@contextmanager
def _dispatcher(dsn: str, at_once: int) -> Iterator[None]:
    environment = {
        **os.environ,
        "KIOSQUE_SECRETS__MASTER_KEY": MASTER_KEY,
        "KIOSQUE_WEBHOOKS__PRIVATE_NETWORKS": "127.0.0.0/8",
        "KIOSQUE_WEBHOOKS__AT_ONCE": str(at_once),
    }
    command = [sys.executable, "-m", "notifications", "--database", dsn, "--parent-stdin"]
    process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE)
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)
