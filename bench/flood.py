"""Sign-ins that flood a gateway, and what everybody else notices of it: `python -m bench flood`.

Wrong passwords come at a steady rate, whatever becomes of them, from many network addresses and for as many logins, so
that no throttle keeps them from the one thread that hashes. Meanwhile others read at a gentle rate.
"""

import argparse
import asyncio
import random
import re
import statistics
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import msgspec

from bench.city import Login, cluster, sign_in_families
from bench.programs import ROOT, Program, own
from bench.tables import table

CITY = 200
ADDRESSES = 100
READERS = 8
PAUSE = 0.05
"""Seconds between two reads of a reader."""

LAG_PAUSE = 0.5
SIGN_IN = """mutation ($identifier: String!, $password: String!) {
    signIn(identifier: $identifier, password: $password) { problems { code } session { id } } }"""
READ = """{ viewer { id account { email } family { number name members(first: 10) { edges { node { firstName } } } } }
    procedures(first: 10) { edges { node { reference status } } } }"""


class Told(msgspec.Struct):
    """What became of a flood: how often which status and code."""

    codes: dict[str, int]
    late: float
    """Seconds by which the last one left later than it should have."""


@asynccontextmanager
async def clients(count: int) -> AsyncIterator[list[aiohttp.ClientSession]]:
    """Give clients of as many network addresses of this machine."""
    addresses = [f"127.0.{1 + place // 250}.{1 + place % 250}" for place in range(count)]
    connectors = [aiohttp.TCPConnector(local_addr=(address, 0), limit=0) for address in addresses]
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(aiohttp.ClientSession(connector=each)) for each in connectors]


async def flood(url: str, rate: int, seconds: float, addresses: int = ADDRESSES) -> Told:
    """Send wrong passwords at a rate, whether or not answers come."""
    told: Counter[str] = Counter()
    async with clients(addresses) as senders, asyncio.TaskGroup() as group:
        began = time.perf_counter()
        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
            group.create_task(_guess(url, senders[number % addresses], number, told))
        late = time.perf_counter() - began - seconds
    return Told(dict(told), max(late, 0.0))


async def _guess(url: str, client: aiohttp.ClientSession, number: int, told: Counter[str]) -> None:
    variables = {"identifier": f"personne{number}@example.org", "password": "Mauvais-Mot-1"}
    async with client.post(f"{url}/graphql", json={"query": SIGN_IN, "variables": variables}) as answer:
        body = await answer.json(content_type=None)
    if body.get("errors"):
        code = body["errors"][0]["extensions"]["code"]
    else:
        code = "".join(problem["code"] for problem in body["data"]["signIn"]["problems"]) or "SIGNED_IN"
    told[f"{answer.status} {code}"] += 1


@dataclass(slots=True)
class Bystanders:
    """Those who read meanwhile, and the loop's lag as the gateway itself tells it."""

    url: str
    tokens: Sequence[str]
    milliseconds: list[float] = field(default_factory=list)
    faults: int = 0
    lags: list[float] = field(default_factory=list)

    async def watch(self, seconds: float) -> None:
        """Read for so long."""
        async with aiohttp.ClientSession() as client:
            until = time.perf_counter() + seconds
            readers = (self._read(client, token, until) for token in self.tokens)
            await asyncio.gather(self._lag(client, until), *readers)

    async def _read(self, client: aiohttp.ClientSession, token: str, until: float) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        while time.perf_counter() < until:
            before = time.perf_counter()
            async with client.post(f"{self.url}/graphql", json={"query": READ}, headers=headers) as answer:
                body = await answer.read()
            self.milliseconds.append(1000 * (time.perf_counter() - before))
            self.faults += answer.status != 200 or b'"errors"' in body
            await asyncio.sleep(random.uniform(0.5, 1.5) * PAUSE)

    async def _lag(self, client: aiohttp.ClientSession, until: float) -> None:
        while time.perf_counter() < until:
            await asyncio.sleep(LAG_PAUSE)
            async with client.get(f"{self.url}/metrics") as answer:
                found = re.search(r"^kiosque_loop_lag_seconds (\S+)", await answer.text(), re.M)
            self.lags.append(1000 * float(found[1]) if found else float("nan"))


async def _apart(url: str, rate: int, seconds: float) -> Told:
    """Flood from a process of its own."""
    command = (sys.executable, "-m", "bench.flood", url, str(rate), str(seconds))
    child = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=-1)
    output, _ = await child.communicate()
    return msgspec.json.decode(output, type=Told)


async def measure(program: Program, logins: Sequence[Login], arguments: argparse.Namespace) -> None:
    """Watch without a flood and with one, turn by turn, and print the medians of both."""
    url, tokens = f"http://127.0.0.1:{program.port}", [login.token for login in logins]
    await Bystanders(url, tokens).watch(2.0)
    calms, storms, answers, late = [], [], Counter[str](), 0.0
    for _ in range(arguments.rounds):
        calm, storm = Bystanders(url, tokens), Bystanders(url, tokens)
        await calm.watch(arguments.seconds)
        told, _ = await asyncio.gather(_apart(url, arguments.rate, arguments.seconds), storm.watch(arguments.seconds))
        calms.append(calm)
        storms.append(storm)
        answers.update(told.codes)
        late = max(late, told.late)
    rows = [_row(name, seen) for name, seen in (("without", calms), (f"{arguments.rate} sign-ins/s", storms))]
    print(table(["flood", "reads", "faults", "p50 ms", "p99 ms", "loop lag p50 ms", "loop lag p99 ms"], rows))
    with_, without = (statistics.median(_of_reads(seen, 0.99)) for seen in (storms, calms))
    print(f"p99 with / without: {with_ / without:.2f}, medians of {arguments.rounds} rounds, turn by turn")
    said = ", ".join(f"{count} {code}" for code, count in sorted(answers.items()))
    print(f"answers: {said}; the last one left {1000 * late:.0f} ms late")


def _row(name: str, seen: Sequence[Bystanders]) -> list[str]:
    reads, faults = sum(len(each.milliseconds) for each in seen), sum(each.faults for each in seen)
    times = [f"{statistics.median(_of_reads(seen, share)):.1f}" for share in (0.5, 0.99)]
    lags = [f"{statistics.median(_cut(each.lags, share) for each in seen):.1f}" for share in (0.5, 0.99)]
    return [name, str(reads), str(faults), *times, *lags]


def _of_reads(seen: Sequence[Bystanders], share: float) -> list[float]:
    return [_cut(each.milliseconds, share) for each in seen]


def _cut(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


async def run(arguments: argparse.Namespace) -> None:
    """Measure one gateway."""
    async with cluster() as postgres:
        dsn = await postgres.fresh("flood", CITY)
        logins = await sign_in_families(dsn, READERS)
        async with own(dsn) as program:
            await measure(program, logins, arguments)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what can be chosen."""
    parser.add_argument("--rate", type=int, default=200, help="sign-ins a second")
    parser.add_argument("--seconds", type=float, default=8.0, help="of one half of a round")
    parser.add_argument("--rounds", type=int, default=5)


if __name__ == "__main__":
    outcome = asyncio.run(flood(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
    sys.stdout.buffer.write(msgspec.json.encode(outcome))
