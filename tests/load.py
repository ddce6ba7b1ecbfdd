"""Agents at work while things break: every move is tried until it is answered; `tests/account.py` looks at it all."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import UUID

import aiohttp
import asyncpg

from db.pool import UNREACHABLE
from gateway.errors import AWAY
from tests.house import TAKE, House, Made

DEADLINE = 5.0
"""What the settings give an operation (`limits.deadline`)."""

SLACK = 4.0
"""More that an answer may take: before the deadline begins, who asks is looked up; and the cores are busy."""


def _move(field: str, words: str) -> str:
    return f"""mutation ($procedure: ID!, $words: String!) {{
        {field}(procedure: $procedure, {words}: $words) {{ problems {{ code }} procedure {{ status }} }} }}"""


TAKEN = ("IN_REVIEW", TAKE)
ASKED = ("AWAITING_FAMILY", _move("requestInformation", "message"))
ACCEPTED = ("ACCEPTED", _move("acceptProcedure", "message"))
REJECTED = ("REJECTED", _move("rejectProcedure", "reason"))
REOPENED = ("IN_REVIEW", _move("reopenProcedure", "reason"))
WAYS = {
    "SUBMITTED": [TAKEN],
    "IN_REVIEW": [ASKED, ACCEPTED, REJECTED],
    "AWAITING_FAMILY": [ACCEPTED, REJECTED],
    "ACCEPTED": [REOPENED],
    "REJECTED": [REOPENED],
}

TRACES = """
    select p.status = $3 as status, p.event_count = $4 as counted, e.number is not null as event,
        n.seq is not null as news, exists (
            select from delivery d where d.family_id = n.family_id and d.news_seq = n.seq) as delivery
    from procedure p
    left join procedure_event e on e.family_id = p.family_id and e.procedure_id = p.id and e.number = $4
    left join news n on n.family_id = p.family_id and n.procedure_id = p.id and n.procedure_event_number = $4
    where p.family_id = $1 and p.id = $2
"""


@dataclass(slots=True)
class Case:
    """One procedure, and the moves of it that were acknowledged."""

    family: Made
    id: UUID
    identity: str
    """Its id in GraphQL."""
    status: str = "SUBMITTED"
    moves: list[tuple[str, str | None]] = field(default_factory=list)
    """Status and message of each event; the first one is the submission."""


@dataclass(slots=True)
class Load:
    """Agents who move procedures; a procedure is in one agent's hands at a time."""

    house: House
    pool: asyncpg.Pool
    """Looks behind the scenes, also after the database was away."""
    token: str
    cases: list[Case]
    writers: int
    """Agents at work at the same time."""
    pause: float
    """Seconds between two moves of an agent."""
    unanswered: Counter[str] = field(default_factory=Counter)
    """Moves that had to be tried again, by what the tries without an answer had left behind: `kept` or `undone`."""
    refused: Counter[str] = field(default_factory=Counter)
    """Answers that said "not now", by status and code."""
    slowest: float = 0.0
    """Seconds that the slowest answer took, good or bad."""
    _working: asyncio.Task[None] = field(init=False)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _words: Any = field(default_factory=count)

    @property
    def moves(self) -> int:
        """Moves acknowledged so far."""
        return sum(len(case.moves) for case in self.cases)

    @property
    def families(self) -> list[Made]:
        """The families of the procedures."""
        return list({case.family.id: case.family for case in self.cases}.values())

    def start(self) -> None:
        """Begin to move all procedures."""
        self._working = asyncio.create_task(self._work_all())

    async def moved_on(self, moves: int = 100) -> None:
        """Wait until so many more are acknowledged; raises what went wrong meanwhile."""
        enough = self.moves + moves
        async with asyncio.timeout(60):
            while self.moves < enough:
                if self._working.done():
                    self._working.result()
                await asyncio.sleep(0.05)

    async def finish(self) -> None:
        """End after the moves in hand; raises what went wrong meanwhile."""
        self._stopping.set()
        await self._working

    async def abandon(self) -> None:
        """End at once; harmless after `finish`."""
        self._working.cancel()
        await asyncio.gather(self._working, return_exceptions=True)

    async def _work_all(self) -> None:
        waiting = random.sample(self.cases, len(self.cases))
        async with asyncio.TaskGroup() as agents:
            for _ in range(self.writers):
                agents.create_task(self._work(waiting))

    async def _work(self, waiting: list[Case]) -> None:
        while not self._stopping.is_set():
            case = waiting.pop(0)
            await self._move(case)
            waiting.append(case)
            await asyncio.sleep(self.pause * random.uniform(0.5, 1.5))

    async def _move(self, case: Case) -> None:
        to, mutation = random.choice(WAYS[case.status])
        words = None if mutation is TAKE else f"Message {next(self._words)}"
        became = None
        while not await self._answered(mutation, case, words):
            became = await self._whole_or_not_at_all(case, to)
            await asyncio.sleep(0.1)
        if became is not None:
            self.unanswered[became] += 1
        case.status = to
        case.moves.append((to, words))

    async def _answered(self, mutation: str, case: Case, words: str | None) -> bool:
        """Send a move; False when there was no answer, or one that says to try again. Hanging is a failure."""
        started = asyncio.get_running_loop().time()
        variables = {"procedure": case.identity} | ({} if words is None else {"words": words})
        try:
            async with asyncio.timeout(DEADLINE + SLACK):
                reply = await self.house.ask(mutation, self.token, **variables)
        except aiohttp.ClientError:
            return False
        self.slowest = max(self.slowest, asyncio.get_running_loop().time() - started)
        if errors := reply.body.get("errors"):
            # Status 200: the move was made, but what came of it could not be read.
            assert reply.status in (503, 200) and all(error["message"] == AWAY for error in errors), reply
            self.refused[f"{reply.status} {reply.codes[0]}"] += 1
            return False
        assert next(iter(reply.data.values()))["problems"] == [], reply
        return True

    async def _whole_or_not_at_all(self, case: Case, to: str) -> str:
        """Look for what a move without an answer left behind: everything, or nothing."""
        while True:
            try:
                row = await self.pool.fetchrow(TRACES, case.family.id, case.id, to, len(case.moves) + 1)
                break
            except (asyncpg.PostgresError, *UNREACHABLE, TimeoutError):
                await asyncio.sleep(0.05)  # the database is away too
        assert row is not None, "procedures are never deleted"
        assert len(set(row.values())) == 1, dict(row)
        return "kept" if row["event"] else "undone"


@asynccontextmanager
async def at_work(
    house: House, *, families: int, procedures: int, writers: int = 8, pause: float = 0.05
) -> AsyncIterator[Load]:
    """Give families with submitted procedures, which an agent then moves until the block ends."""
    cases = [case for _ in range(families) for case in await _family(house, procedures)]
    agent = await house.agent()
    async with asyncpg.create_pool(house.dsn, min_size=0, max_size=3, timeout=5, command_timeout=10) as pool:
        load = Load(house, pool, agent, cases, min(writers, len(cases)), pause)
        load.start()
        try:
            yield load
            await load.finish()
        finally:
            await load.abandon()


async def _family(house: House, procedures: int) -> list[Case]:
    family, token = await house.member()
    cases = []
    for _ in range(procedures):
        identity = await house.submitted(token)
        newest = "select id from procedure where family_id = $1 order by created_at desc limit 1"
        procedure_id = await house.connection.fetchval(newest, family.id)
        cases.append(Case(family, procedure_id, identity, moves=[("SUBMITTED", None)]))
    return cases
