"""How fast reads are, beside the usual way and the limit: `python -m bench reads`.

Every server is a process of its own on the same database; their answers are compared before anything is measured.
"""

import argparse
import asyncio
import re
import statistics
import urllib.request
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import msgspec
import psutil

from bench import load, pgbench
from bench.city import Cluster, Login, cluster, sign_in_agents, sign_in_families
from bench.documents import READS, Read
from bench.programs import Program, busy_tree, own, started
from bench.tables import table
from db.ids import uuid7

SENDERS = 48
"""Families that send requests in turn."""

KINDS = 25
"""Kinds on offer, so that the catalogue has the size of a real one."""

LINKED = (
    """insert into page_place (page_id, place_id) select p.id, l.id from page p cross join place l where p.slug = $1
       on conflict do nothing""",
    """insert into page_kind (page_id, kind_code, phase) select p.id, k.code, 'AFTER' from page p cross join (
           select code from procedure_kind where superseded_at is null order by id limit 4) k where p.slug = $1
       on conflict do nothing""",
)
"""The page that is read speaks of all places, and of some kinds."""

TRAILING_ZEROS = re.compile(rb"(\.[0-9]+?)0+\+00:00")
"""Python writes microseconds with six digits, PostgreSQL without zeros at the end: both are the same moment."""

COST = "20000"
"""The list of 100 procedures with their events costs more than a client without a registered document may ask for."""


@dataclass(slots=True)
class Measured:
    """What one server needed for one read, round by round; times in milliseconds."""

    rate: list[float] = field(default_factory=list)
    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)
    server: list[float] = field(default_factory=list)
    """Processor time of the server for one request."""
    database: list[float] = field(default_factory=list)
    """The same of PostgreSQL."""
    size: float = 0.0

    @property
    def total(self) -> float:
        """Processor time of one request, both sides."""
        return statistics.median(self.server) + statistics.median(self.database)


@dataclass(frozen=True, slots=True)
class Field:
    """All that is measured against each other."""

    database: psutil.Process
    programs: list[Program]
    senders: dict[str, list[Login]]

    def knowing(self, read: Read) -> list[Program]:
        """Give the servers that know a read."""
        return [program for program in self.programs if program.name not in read.without]

    def requests(self, program: Program, name: str, read: Read) -> list[str]:
        """Write one request for each who sends this read."""
        logins: list[Any] = self.senders.get(read.sender, [None])
        tokens = [login.token if login else None for login in logins]
        return [load.http(*_target(program, name, read), token) for token in tokens]

    async def round(self, program: Program, name: str, read: Read, seconds: float, into: Measured) -> None:
        """Measure one server once."""
        job = load.Job(program.port, self.requests(program, name, read), seconds)
        server, database = program.cpu, busy_tree(self.database)
        figures = await load.put(job)
        if figures.faults:
            raise RuntimeError(f"{program.name}, {name}: {figures.faults} answers were no answers")
        into.rate.append(figures.requests / figures.seconds)
        into.p50.append(figures.p50)
        into.p99.append(figures.p99)
        into.server.append(1000 * (program.cpu - server) / figures.requests)
        into.database.append(1000 * (busy_tree(self.database) - database) / figures.requests)
        into.size = figures.bytes


def _target(program: Program, name: str, read: Read) -> tuple[str, bytes]:
    if program.name == "raw":
        return f"/{name.replace(' ', '_')}", msgspec.json.encode(read.variables)
    return "/graphql", msgspec.json.encode({"query": read.document, "variables": read.variables})


async def compare(field_: Field) -> None:
    """Raise unless all servers answer the same to everybody."""
    for name, read in READS.items():
        for place in range(len(field_.senders.get(read.sender, [None]))):
            programs = field_.knowing(read)
            answers = [await asyncio.to_thread(_ask, program, field_, name, read, place) for program in programs]
            for program, answer in zip(programs, answers, strict=True):
                if answer != answers[0]:
                    raise RuntimeError(f"{name}: {program.name} answers otherwise: {difference(answer, answers[0])}")


def difference(one: Any, other: Any, path: str = "") -> str:
    """Say where two JSON values first differ."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        found = (difference(one[key], other[key], f"{path}.{key}") for key in one)
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        found = (difference(*pair, f"{path}[{place}]") for place, pair in enumerate(zip(one, other, strict=True)))
    else:
        return "" if one == other else f"{path}: {one!r:.300} and {other!r:.300}"
    return next(filter(None, found), "")


def _ask(program: Program, field_: Field, name: str, read: Read, place: int) -> Any:
    head, _, body = field_.requests(program, name, read)[place].partition("\r\n\r\n")
    lines = head.split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines[1:] if not line.startswith("Content-Length"))
    url = f"http://127.0.0.1:{program.port}{lines[0].split(' ')[1]}"
    with urllib.request.urlopen(urllib.request.Request(url, body.encode(), headers)) as answer:
        given = msgspec.json.decode(TRAILING_ZEROS.sub(rb"\1+00:00", answer.read()))
    given.pop("extensions", None)  # the portal alone tells its cost
    return given


async def prepare(dsn: str) -> dict[str, list[Login]]:
    """Fill the catalogue and sign everybody in."""
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        for number in range(await connection.fetchval("select count(*) from procedure_kind"), KINDS):
            await connection.execute(
                """insert into procedure_kind select $1, k.code || '-' || $2, k.version, k.service_id, k.title_fr,
                   k.title_en, k.summary_fr, k.summary_en, k.form, k.attestation_fr, k.attestation_en,
                   k.decision_months, k.silence_means, k.published_at, null
                   from (select * from procedure_kind order by id offset $3 limit 1) k""",
                uuid7(),
                str(number),
                number % 5,
            )
        for link in LINKED:
            await connection.execute(link, READS["page"].variables["slug"])
        await connection.execute("analyze procedure_kind, page_place, page_kind")
    finally:
        await connection.close()
    agents = await sign_in_agents(dsn, 8)
    return {"family": await sign_in_families(dsn, SENDERS), "agent": agents[1:2]}


async def measure(postgres: Cluster, families: int, rounds: int, seconds: float) -> None:
    """Print the tables."""
    dsn = await postgres.used(families)
    senders = await prepare(dsn)
    async with AsyncExitStack() as stack:
        programs = [
            await stack.enter_async_context(own(dsn, limits__cost=COST)),
            await stack.enter_async_context(started("stock", "bench.stock", "--database", dsn)),
            await stack.enter_async_context(started("raw", "bench.handwritten", "--database", dsn)),
        ]
        field_ = Field(psutil.Process(postgres.pid), programs, senders)
        await compare(field_)
        print(
            f"{families} families; answers compared and equal; "
            f"medians of {rounds} rounds of {seconds:g} s, 16 connections"
        )
        found = {(name, each.name): Measured() for name, read in READS.items() for each in field_.knowing(read)}
        for turn in range(rounds + 1):
            for name, read in READS.items():
                for program in field_.knowing(read):
                    into = Measured() if turn == 0 else found[name, program.name]
                    await field_.round(program, name, read, min(seconds, 1.0) if turn == 0 else seconds, into)
    _print(found)
    await pgbench.measure(postgres, dsn, senders, seconds)


def _print(found: dict[tuple[str, str], Measured]) -> None:
    rows = []
    for (name, program), measured in found.items():
        raw, middle = found[name, "raw"], statistics.median
        rows.append(
            [
                f"{name}, {measured.size / 1000:.1f} kB",
                program,
                f"{middle(measured.rate):,.0f}",
                f"{middle(measured.p50):.1f}",
                f"{middle(measured.p99):.1f}",
                f"{middle(measured.server):.3f}",
                f"{middle(measured.database):.3f}",
                f"{measured.total:.3f}",
                f"{measured.total / raw.total:.2f}",
                f"{middle(measured.rate) / middle(raw.rate):.2f}",
            ]
        )
    heads = [
        "read",
        "server",
        "req/s",
        "p50 ms",
        "p99 ms",
        "server CPU ms",
        "PG CPU ms",
        "total",
        "total/raw",
        "req/s/raw",
    ]
    print(table(heads, rows))


async def grow(postgres: Cluster, sizes: tuple[int, int], seconds: float) -> None:
    """Print how the cost follows the rows asked for, and not the size of the city."""
    rows = []
    for families in sizes:
        dsn = await postgres.used(families)
        senders = await prepare(dsn)
        async with own(dsn, limits__cost=COST) as program:
            field_ = Field(psutil.Process(postgres.pid), [program], senders)
            for name, argument in (("dashboard", "procedures"), ("work list", "first")):
                for count in (1, 10, 100):
                    read = Read(READS[name].document, {**READS[name].variables, argument: count}, READS[name].sender)
                    measured = Measured()
                    await field_.round(program, name, read, 0.5, Measured())
                    for _ in range(3):
                        await field_.round(program, name, read, seconds, measured)
                    middle = statistics.median
                    cpu = (middle(measured.server), middle(measured.database))
                    size = f"{measured.size / 1000:.1f}"
                    rows.append([f"{families:,}", name, str(count), size, *(f"{ms:.3f}" for ms in cpu)])
    print(table(["families", "read", "procedures asked", "kB", "server CPU ms", "PG CPU ms"], rows))


async def run(arguments: argparse.Namespace) -> None:
    """Measure what was asked for."""
    async with cluster() as postgres:
        if not arguments.only_growth:
            await measure(postgres, arguments.families, arguments.rounds, arguments.seconds)
        if not arguments.without_growth:
            await grow(postgres, (arguments.families // 10, arguments.families), arguments.seconds / 2)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what can be chosen."""
    parser.add_argument("--families", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="of one server in one round")
    parser.add_argument("--only-growth", action="store_true")
    parser.add_argument("--without-growth", action="store_true")
