"""The dispatcher as a program: killed anywhere, it loses nothing, turns nothing round, and repeats little."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gateway.demo.smtp import Catcher
from tests.notifications.house import Family, House, start_program

REPEATS = 4
"""Messages that one kill may repeat: the connections to the relay."""


@asynccontextmanager
async def program(
    house: House, catcher: Catcher, crash_at: str = "", **variables: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run the program, and kill it at the end if it still lives."""
    process = await start_program(house, catcher, crash_at, **variables)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def tell_all(house: House, count: int) -> list[Family]:
    """Tell five families `count` things each."""
    families = [await house.make_family(f"f{n}@exemple.fr") for n in range(5)]
    for _ in range(count):
        for family in families:
            await house.tell(family)
    return families


async def check(house: House, catcher: Catcher, families: list[Family], kills: int) -> None:
    """Nothing lost, nothing turned round, at most `REPEATS` repeated a kill."""
    repeated = 0
    for n, family in enumerate(families):
        places = {f"<{row['id']}@ville.example>": row["news_seq"] for row in await house.deliveries(family)}
        came = [places[str(caught.message["Message-ID"])] for caught in catcher.to(f"f{n}@exemple.fr")]
        assert came == sorted(came)
        assert set(came) == set(places.values())
        assert {status for _, status in await house.statuses(family)} == {"SENT"}
        repeated += len(came) - len(set(came))
    assert repeated <= REPEATS * kills


@pytest.mark.parametrize("step", ["claimed:1", "before_send:1", "before_send:7", "sent:1", "sent:8", "recorded:3"])
async def test_killed_at_a_step_nothing_is_lost_or_turned_round(house: House, catcher: Catcher, step: str) -> None:
    families = await tell_all(house, 6)
    for _ in range(2):
        async with program(house, catcher, f"dispatch.{step}") as process:
            assert await asyncio.wait_for(process.wait(), 60) == -signal.SIGKILL
    async with program(house, catcher):
        await house.quiet()
    await check(house, catcher, families, kills=2)


async def test_a_message_that_kills_the_dispatcher_three_times_is_put_aside(house: House, catcher: Catcher) -> None:
    family = await house.make_family("martin@exemple.fr")
    await house.tell(family)
    await house.tell(family)
    for _ in range(3):
        async with program(house, catcher, "dispatch.before_send", KIOSQUE_OUTBOX__CRASHES="3") as process:
            await asyncio.wait_for(process.wait(), 60)
    async with program(house, catcher, KIOSQUE_OUTBOX__CRASHES="3"):
        await house.quiet()
    assert await house.statuses(family) == [("EMAIL", "DEAD_LETTER"), ("IN_APP", "DELIVERED"), ("EMAIL", "SENT")]


@pytest.mark.parametrize("how", ["terminated", "orphaned"])
async def test_the_program_ends_when_told_to_or_when_its_parent_is_gone(
    house: House, catcher: Catcher, how: str
) -> None:
    families = await tell_all(house, 2)
    patient = {"KIOSQUE_MAIL__TIMEOUT": "5", "KIOSQUE_OUTBOX__LEASE": "10"}
    async with program(house, catcher, **patient) as process:
        await catcher.wait_for(lambda: catcher.count > 0, 30)
        if how == "terminated":
            process.terminate()
        elif process.stdin:
            process.stdin.close()
        assert await asyncio.wait_for(process.wait(), 6) == 0
    assert not await house.pool.fetchval("select bool_or(leased) from lane")
    async with program(house, catcher, **patient):
        await house.quiet()
    await check(house, catcher, families, kills=0)
