"""Activation codes under attack and in use (R15): few guesses, one refusal, and everybody on file is told."""

import asyncio
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from resolvers.passwords import MOST_WAITING
from tests.conftest import Database
from tests.house import KEYS, PASSWORD, SIGN_IN, House, Made, opened
from tests.test_accounts import ACTIVATE, accounts_of, activate
from tests.test_devices import NOON
from tests.test_unauthorized_use import ISSUE

NEW = "Cheval-Lampe-42"
LOOKED_AT = "select today from throttle where subject = $1"
"""Every look is counted before it."""


class Addresses:
    """Guesses from many network addresses: each client is bound to one of its own in 127.0.0.0/8."""

    def __init__(self, house: House, count: int) -> None:
        self._house = house
        self._clients = [
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(local_addr=(f"127.0.1.{n + 1}", 0)))
            for n in range(count)
        ]

    async def __aenter__(self) -> "Addresses":
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*(client.close() for client in self._clients))

    async def guess(self, number: int, family: Made, code: str) -> str:
        """Guess a code from one of the addresses, again while the portal is too busy; give the code of the refusal."""
        while (told := await self._told(number, family, code)) == "BUSY":
            await asyncio.sleep(0.05)
        return told

    async def _told(self, number: int, family: Made, code: str) -> str:
        given = {"number": family.number, "code": code, "email": "voleur@example.org", "password": PASSWORD}
        client = self._clients[number % len(self._clients)]
        async with client.post(f"{self._house.url}/graphql", json={"query": ACTIVATE, "variables": given}) as response:
            body = await response.json()
        assert "errors" not in body, body
        [problem] = body["data"]["activateAccount"]["problems"]
        told: str = problem["code"]
        return told


async def guesses(city: Database, count: int, addresses: int, at_once: int) -> None:
    """Guess at one family's code: every answer is the same, and no more than five are looked at in a day."""
    async with opened(city.dsn, accounts={"answer_seconds": 0.0, "requests_a_day": 1000}) as house:
        house.clock.ahead = NOON - datetime.now(UTC)  # no new day begins meanwhile
        family, other = await house.make_family(), await house.make_family()
        gate = asyncio.Semaphore(at_once)
        async with Addresses(house, addresses) as clients:

            async def one(number: int) -> str:
                async with gate:
                    return await clients.guess(number, family, f"{number:010}")

            told = await asyncio.gather(*(one(number) for number in range(count)))
            told += await asyncio.gather(*(clients.guess(n, family, family.code) for n in range(addresses)))
        assert set(told) == {"ACTIVATION_REFUSED"}, "the right code is not looked at any more, either"
        subject = KEYS.digest("throttle", f"activation/{family.number}")
        assert await house.connection.fetchval(LOOKED_AT, subject) == 5
        assert await accounts_of(house, family) == 0
        assert await activate(house, other) == [], "other families are not concerned"
        house.clock.ahead += timedelta(days=1)
        assert await activate(house, family) == []


async def test_of_many_parallel_guesses_from_many_addresses_five_are_looked_at(city: Database) -> None:
    await guesses(city, count=500, addresses=50, at_once=50)


@pytest.mark.long
async def test_of_ten_thousand_guesses_from_fifty_addresses_five_are_looked_at(city: Database) -> None:
    await guesses(city, count=10_000, addresses=50, at_once=100)


async def test_one_network_address_guesses_so_often_a_day_at_whatever_family(city: Database) -> None:
    async with opened(city.dsn, accounts={"requests_a_day": 3, "answer_seconds": 0.0}) as house:
        house.clock.ahead = NOON - datetime.now(UTC)
        family = await house.make_family()
        for _ in range(3):
            stranger = await house.make_family()
            assert await activate(house, stranger, code="00000-00000") == ["ACTIVATION_REFUSED"]
        assert await activate(house, family) == ["ACTIVATION_REFUSED"]
        async with Addresses(house, 1) as elsewhere:
            given = {"number": family.number, "code": family.code, "email": family.email, "password": PASSWORD}
            client = elsewhere._clients[0]
            async with client.post(f"{house.url}/graphql", json={"query": ACTIVATE, "variables": given}) as response:
                assert (await response.json())["data"]["activateAccount"]["problems"] == []


async def test_a_busy_portal_uses_up_neither_code_nor_attempts(house: House) -> None:
    family = await house.make_family()
    assert house.opened is not None
    passwords, over = house.opened.process.passwords, threading.Event()
    passwords._thread.submit(over.wait)  # no place becomes free in between
    try:
        flood = [asyncio.create_task(passwords.hash("x")) for _ in range(MOST_WAITING)]
        await asyncio.sleep(0)
        told = [await activate(house, family) for _ in range(7)]
    finally:
        over.set()
    await asyncio.gather(*flood, return_exceptions=True)
    assert told == [["BUSY"]] * 7
    assert await activate(house, family) == []


@pytest.mark.parametrize("changed", [{"accepts": 99}, {"password": "Rvqh-essai-9x"}])
async def test_a_right_code_with_another_fault_stays_good(house: House, changed: dict[str, Any]) -> None:
    family = await house.make_family()
    query = ACTIVATE.replace("$password: String!", "$password: String!, $accepts: Int").replace(
        "password: $password)", "password: $password, acceptsTerms: $accepts)"
    )
    given = {"number": family.number, "code": family.code, "email": family.email, "password": PASSWORD} | changed
    for _ in range(7):
        assert await house.problems(query, **given) in (["TERMS_CHANGED"], ["PASSWORD_PERSONAL"])
    assert await accounts_of(house, family) == 0
    assert await activate(house, family) == []


async def test_who_has_no_code_does_not_learn_what_the_family_is_called(house: House) -> None:
    family = await house.make_family()
    assert await activate(house, family, code="00000-00000", password="Rvqh-essai-9x") == ["ACTIVATION_REFUSED"]


async def test_addresses_on_file_hear_of_an_activation_with_another_address(house: House) -> None:
    family, _ = await house.member()
    city_knows = f"registre{family.number}@example.org"
    await house.connection.execute(
        """insert into address (family_id, id, channel, value, created_at)
           values ($1, gen_random_uuid(), 'EMAIL', $2, now())""",
        family.id,
        city_knows,
    )
    issued = await house.do(ISSUE, await house.agent(), number=family.number)
    assert await activate(house, family, code=issued["code"], email="autre@example.org", password=NEW) == []
    for address in (family.email, city_knows):
        assert "report-unauthorized-use" in await house.mail_to(address, "compte est activé")
    await house.mail_to("autre@example.org", "verify-email")
    assert await accounts_of(house, family) == 2
    assert await house.sign_in(family.email), "the other login is as it was"


async def test_a_code_with_the_address_of_a_login_gives_that_login_back(house: House) -> None:
    family, token = await house.member()
    issued = await house.do(ISSUE, await house.agent(), number=family.number)
    assert await activate(house, family, code=issued["code"], password=NEW) == []
    assert await accounts_of(house, family) == 1
    assert (await house.ask("{ viewer { id } }", token)).codes == ["UNAUTHENTICATED"]
    given = {"identifier": family.email, "as_": "FAMILY"}
    assert await house.problems(SIGN_IN, password=PASSWORD, **given) == ["BAD_CREDENTIALS"]
    assert await house.problems(SIGN_IN, password=NEW, **given) == []
    acts = await house.connection.fetchval("select array_agg(act) from audit_entry where family_id = $1", family.id)
    assert {"activation_code_issued", "account_reactivated"} <= set(acts)
