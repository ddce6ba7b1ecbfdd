"""How long news takes to the socket and to the mail server; the smallest query: `python -m bench delays`.

News comes at a gentle rate, so that nothing waits for anything but the way itself.
"""

import argparse
import asyncio
import statistics
import sys

import psutil

from bench import load
from bench.city import Cluster, cluster, sign_in_families
from bench.live import audience, spread
from bench.programs import ROOT, Program, busy_tree, own
from bench.tables import table

CITY = 200
RATE = 20
LISTENERS = 5
ROUNDS = 5
SMALLEST = b'{"query":"{ __typename }"}'


async def sockets(postgres: Cluster, arguments: argparse.Namespace) -> list[list[str]]:
    """Measure the way to the socket, and what an idle subscription needs."""
    dsn = await postgres.fresh("delays", CITY)
    logins = await sign_in_families(dsn, LISTENERS)
    async with own(dsn, limits__sockets_per_account="1000000") as program:
        async with audience(program, logins, len(logins)) as hall:
            delays, _ = await spread(dsn, hall, RATE, arguments.seconds)
        before = program.process.memory_info().rss
        async with audience(program, logins, arguments.connections):
            memory = (program.process.memory_info().rss - before) / arguments.connections / 1024
        query = await smallest(program, psutil.Process(postgres.pid), arguments.seconds / ROUNDS)
    p50, p99 = (delays[int(len(delays) * share)] for share in (0.5, 0.99))
    return [
        [
            f"commit → socket, {len(delays)} changes, {RATE}/s",
            f"p50 {p50:.1f} ms, p99 {p99:.1f} ms, max {delays[-1]:.1f} ms",
        ],
        [f"memory of an idle subscription, {arguments.connections} sockets", f"{memory:.1f} KiB"],
        *query,
    ]


async def smallest(program: Program, database: psutil.Process, seconds: float) -> list[list[str]]:
    """Measure `{ __typename }` without a token, 16 connections."""
    job = load.Job(program.port, [load.http("/graphql", SMALLEST, None)], seconds)
    rounds, cpu = [], []
    await load.put(job)
    for _ in range(ROUNDS):
        before = program.cpu + busy_tree(database)
        rounds.append(await load.put(job))
        cpu.append(1000 * (program.cpu + busy_tree(database) - before) / rounds[-1].requests)
    rate = statistics.median(one.requests / one.seconds for one in rounds)
    p99 = statistics.median(one.p99 for one in rounds)
    return [["smallest query", f"{rate:,.0f}/s, p99 {p99:.1f} ms, {statistics.median(cpu):.3f} ms CPU"]]


async def run(arguments: argparse.Namespace) -> None:
    """Measure all of it; the way to the mail server is measured by `bench.deliveries`."""
    async with cluster() as postgres:
        print(table(["figure", "measured"], await sockets(postgres, arguments)), flush=True)
        dsn = await postgres.empty("deliveries")
        command = (sys.executable, "-m", "bench.deliveries", "--database", dsn, "--count", "300")
        child = await asyncio.create_subprocess_exec(*command, cwd=ROOT)
        if await child.wait():
            raise RuntimeError(f"bench.deliveries ended with {child.returncode}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what can be chosen."""
    parser.add_argument(
        "--seconds", type=float, default=15.0, help="of news; a fifth of it for each round of the query"
    )
    parser.add_argument("--connections", type=int, default=1_000, help="idle sockets whose memory is measured")
