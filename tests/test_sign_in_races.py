"""A sign-in beside a change of the password that it was made with."""

import asyncio

import pytest
from argon2 import PasswordHasher

from tests.house import PASSWORD, SIGN_IN, House

NEW = "Tout-autre-chose-8"
AGENT = "scolaire@mairie.example"
CHANGES = {
    "FAMILY": "update account set password_hash = $1 where email = $2",
    "AGENT": "update agent set password_hash = $1 where email = $2",
}


async def somebody_waits(house: House) -> None:
    """Return once a transaction waits for a row."""
    async with asyncio.timeout(10):
        while not await house.connection.fetchval("select exists (select from pg_locks where not granted)"):
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("kind", ["FAMILY", "AGENT"])
async def test_a_password_changed_while_it_was_looked_at_lets_nobody_in(house: House, kind: str) -> None:
    email = (await house.member())[0].email if kind == "FAMILY" else AGENT
    before = await house.connection.fetchval("select count(*) from session")
    given = {"identifier": email, "as_": kind}
    async with house.connection.transaction():
        await house.connection.execute(CHANGES[kind], PasswordHasher().hash(NEW), email)
        late = asyncio.create_task(house.problems(SIGN_IN, password=PASSWORD, **given))
        await somebody_waits(house)
    assert await late == ["BAD_CREDENTIALS"]
    assert await house.connection.fetchval("select count(*) from session") == before
    assert await house.problems(SIGN_IN, password=NEW, **given) == []


async def test_two_sign_ins_that_renew_an_old_hash_both_succeed(house: House) -> None:
    email = (await house.member())[0].email
    old = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash(PASSWORD)
    await house.connection.execute(CHANGES["FAMILY"], old, email)
    given = {"identifier": email, "password": PASSWORD, "as_": "FAMILY"}
    assert await asyncio.gather(*(house.problems(SIGN_IN, **given) for _ in range(3))) == [[], [], []]
    renewed = await house.connection.fetchval("select password_hash from account where email = $1", email)
    assert renewed != old
