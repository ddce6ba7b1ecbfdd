"""Thousands of operations as nobody writes them: each is answered or refused, none breaks anything, none takes long."""

import asyncio
import os
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest

import schema
from tests.conftest import Cluster
from tests.house import PASSWORD, House, opened
from tests.test_reading import supply
from tests.wild import Wild

DOCUMENTS = int(os.environ.get("KIOSQUE_DOCUMENTS", "300"))
SEED = int(os.environ.get("KIOSQUE_SEED", "20261122"))
LONGEST_SECONDS = 1.0
"""Of the requirement: no document takes longer."""

BUILT = schema.build()
EXPECTED = {
    "GRAPHQL_PARSE_FAILED",
    "GRAPHQL_VALIDATION_FAILED",
    "BAD_REQUEST",
    "BAD_USER_INPUT",
    "UNAUTHENTICATED",
    "FORBIDDEN",
    "NOT_FOUND",
    "TERMS_NOT_ACCEPTED",
    "MAINTENANCE",
    "TOO_COSTLY",
}
"""Codes of the contract that a wild operation may meet; `INTERNAL` is none of them."""


@dataclass(slots=True)
class Sending:
    """A portal, those who send wild operations, and what came of them."""

    house: House
    supply: dict[str, list[Any]]
    tokens: dict[str, str | None] = field(default_factory=dict)
    outcomes: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0

    async def token(self, who: str) -> str | None:
        """Sign somebody in."""
        if who == "anonymous":
            return None
        if who not in self.tokens:
            self.tokens[who] = (await self.house.member())[1] if who == "family" else await self.house.agent()
        return self.tokens[who]

    async def send(self, seed: int) -> None:
        """Send the operation of a seed; whoever lost the session by it comes back."""
        random = Random(seed)
        who = random.choice(("anonymous", "family", "family", "agent"))
        wild = Wild(BUILT.graphql, self.supply, random)
        text = wild.operation(random.choice(("query", "query", "mutation")))
        token = await self.token(who)
        told = f"seed {seed}, {who}: {text}\n{wild.variables}"
        began = time.perf_counter()
        answer = await self.house.ask(text, token, **wild.variables)
        seconds = time.perf_counter() - began
        for _ in range(4):  # the machine may have been busy: what is slow by itself is slow again
            if seconds <= LONGEST_SECONDS:
                break
            began = time.perf_counter()
            await self.house.ask(text, token, **wild.variables)
            seconds = time.perf_counter() - began
        self.slowest = max(self.slowest, seconds)
        assert seconds <= LONGEST_SECONDS, told
        assert answer.status < 500, f"{told}\n{answer}"
        assert set(answer.codes) <= EXPECTED, f"{told}\n{answer.codes}"
        self.outcomes["answered" if "data" in answer.body else answer.codes[0]] += 1
        if token is not None and "UNAUTHENTICATED" in answer.codes:
            del self.tokens[who]


@pytest.fixture(scope="module")
async def sending(cluster: Cluster) -> AsyncIterator[Sending]:
    """Run a portal and find values worth sending."""
    async with cluster.database("city") as made, opened(made.dsn) as house:
        known = await supply(house.connection)
        values: dict[str, list[Any]] = {name: list(each) for name, each in known.arguments.items()}
        cursors = [cursor for each in known.cursors.values() for cursor in each]
        values |= {"after": cursors, "before": cursors, "first": [0, 1, 5, 100], "last": [1, 5, 100]}
        values |= {"familyNumber": values["number"], "identifier": ["1000000", "scolaire@mairie.example"]}
        values["password"] = [PASSWORD, "Autre-mot-2026", "court"]
        yield Sending(house, values)


async def test_wild_operations_are_answered_or_refused_and_never_break(sending: Sending) -> None:
    for seed in range(SEED, SEED + DOCUMENTS):
        await sending.send(seed)
    print(f"{dict(sending.outcomes)}, slowest {sending.slowest:.3f} s")
    assert sending.outcomes["answered"] > DOCUMENTS * 0.5, sending.outcomes
    async with asyncio.timeout(10), sending.house.http.get(f"{sending.house.url}/ready") as answer:
        assert answer.status == 200, "all of it left the portal as it should be"
