"""Guesses of activation codes from many addresses, at two nodes at once: five a day are looked at, whatever is sent."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import count, cycle, islice
from random import Random

import aiohttp
import pytest

from resolvers import activation_codes
from resolvers.activation_codes import ALPHABET
from tests.conftest import Database
from tests.house import KEYS, PASSWORD, House, Made, opened
from tests.test_accounts import ACTIVATE, accounts_of, activate

ADDRESSES = 50
AT_ONCE = 16
"""Fewer than may wait for a hash, so that guesses are refused for what they are and not because the portal is busy."""

MOST_A_DAY = 5
REFUSED = {"ACTIVATION_REFUSED", "THROTTLED", "BUSY"}


@asynccontextmanager
async def senders() -> AsyncIterator[list[aiohttp.ClientSession]]:
    """Give clients of as many addresses."""
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(
                aiohttp.ClientSession(connector=aiohttp.TCPConnector(local_addr=(f"127.0.0.{10 + place}", 0)))
            )
            for place in range(ADDRESSES)
        ]


def codes(family: Made, random: Random) -> Iterator[str]:
    """Give guesses: from the seventh on the right code is among them again and again, in every spelling."""
    spellings = cycle([family.code, family.code.lower(), family.code.replace("-", " "), family.code.replace("-", "")])
    for number in count(1):
        if number > MOST_A_DAY and number % 7 == 0:
            yield next(spellings)
        else:
            yield "".join(random.choice(ALPHABET) for _ in range(10))


async def guess(url: str, client: aiohttp.ClientSession, number: str, code: str, place: int) -> str:
    """Send one guess; give the code of the refusal, or `opened`."""
    variables = {"number": number, "code": code, "email": f"voleur{place}@example.org", "password": PASSWORD}
    async with client.post(f"{url}/graphql", json={"query": ACTIVATE, "variables": variables}) as answer:
        body = await answer.json(content_type=None)
        assert answer.status < 500, body
    if body.get("errors"):
        return str(body["errors"][0]["extensions"]["code"])
    problems = body["data"]["activateAccount"]["problems"]
    return str(problems[0]["code"]) if problems else "opened"


async def besiege(nodes: list[House], family: Made, guesses: int, random: Random) -> Counter[str]:
    """Send guesses from all addresses to all nodes, the family's number in its spellings; count the refusals.

    The day's five go ahead one by one: together with a right code they would not always be the first to be counted.
    """
    numbers = cycle([family.number, f" {family.number}", f"{family.number}\t", family.number])
    turns = asyncio.Semaphore(AT_ONCE)

    async def send(place: int, code: str, number: str, client: aiohttp.ClientSession) -> str:
        async with turns:
            return await guess(nodes[place % len(nodes)].url, client, number, code, place)

    async with senders() as clients:
        work = zip(range(guesses), codes(family, random), numbers, cycle(clients), strict=False)
        first = [await send(*each) for each in islice(work, MOST_A_DAY)]
        return Counter(first + await asyncio.gather(*(send(*each) for each in work)))


async def looked_at(house: House, family: Made) -> int:
    """Give how many guesses of the day were compared with the code."""
    subject = KEYS.digest("throttle", f"activation/{family.number}")
    found = await house.connection.fetchval("select today from throttle where subject = $1", subject)
    return int(found or 0)


def early(*nodes: House) -> None:
    """Begin the next day where this one (UTC) is about to end: guesses are counted by the day."""
    for node in nodes:
        node.clock.ahead = timedelta(hours=1) if datetime.now(UTC).hour == 23 else timedelta()


@pytest.mark.parametrize("guesses", [500, pytest.param(10_000, marks=pytest.mark.long)])
async def test_of_guesses_from_fifty_addresses_five_a_day_are_looked_at(city: Database, guesses: int) -> None:
    """1,000 years of such days try a code of 50 bits with a chance of one in six hundred million."""
    async with opened(city.dsn) as house, opened(city.dsn) as other:
        early(house, other)
        family, neighbour = await house.make_family(), await house.make_family()
        told = await besiege([house, other], family, guesses, Random(guesses))
        assert set(told) <= REFUSED and told["ACTIVATION_REFUSED"] >= MOST_A_DAY, told
        assert await looked_at(house, family) == MOST_A_DAY
        assert await accounts_of(house, family) == 0
        assert await activate(house, neighbour) == [], "its neighbours activate meanwhile"
        assert await activate(house, family) == ["ACTIVATION_REFUSED"]
        house.clock.ahead += timedelta(days=1)
        assert await activate(house, family) == [], "the next day is a new one"


async def test_a_number_that_nobody_has_is_counted_like_any_other(house: House) -> None:
    """Otherwise the end of the counting would tell which families exist."""
    early(house)
    nobody = Made(id=(await house.make_family()).id, number="98765432", code=activation_codes.new_code(), email="")
    told = await besiege([house], nobody, 12, Random(1))
    assert set(told) <= REFUSED
    assert await looked_at(house, nobody) == MOST_A_DAY
