"""Logins that are removed while somebody else does something with them."""

import asyncio

from tests.house import PASSWORD, House
from tests.test_closure import CLOSE
from tests.test_invitations import GOOD, GUEST, REMOVE, emails, joined, logins

WAITING = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
HOLD = "select from family where id = $1 for update"


async def waiting(house: House, count: int) -> None:
    """Return once so many transactions wait for a row."""
    async with asyncio.timeout(10):
        while await house.connection.fetchval(WAITING) < count:
            await asyncio.sleep(0.01)


async def test_of_two_who_remove_a_login_at_once_one_finds_it_gone(house: House) -> None:
    family, token = await house.member()
    other = await joined(house, token, "tiers@example.org")
    account = (await logins(house, await joined(house, token)))["account"]["id"]
    async with house.connection.transaction():
        await house.connection.execute(HOLD, family.id)
        both = [
            asyncio.create_task(house.problems(REMOVE, by, id=account, password=password))
            for by, password in ((token, PASSWORD), (other, GOOD))
        ]
        await waiting(house, 2)
    assert sorted(await asyncio.gather(*both)) == [[], ["NOT_FOUND"]]
    assert GUEST not in await emails(house, token)
    removals = "select count(*) from audit_entry where act = 'account_removed' and family_id = $1"
    assert await house.connection.fetchval(removals, family.id) == 1


async def test_a_login_that_was_removed_meanwhile_closes_nothing(house: House) -> None:
    family, token = await house.member()
    guest = await joined(house, token)
    account = (await logins(house, guest))["account"]["id"]
    async with house.connection.transaction():
        await house.connection.execute(HOLD, family.id)
        removed = asyncio.create_task(house.problems(REMOVE, token, id=account, password=PASSWORD))
        await waiting(house, 1)
        closed = asyncio.create_task(house.problems(CLOSE, guest, password=GOOD))
        await waiting(house, 2)
    assert (await removed, await closed) == ([], ["UNAUTHENTICATED"])
    assert await emails(house, token) == [family.email]
    assert await house.connection.fetchval("select closed_at from family where id = $1", family.id) is None
