"""Gateway and dispatcher killed at random and at every named step: nothing lost, half done or turned round."""

import asyncio
import random
import signal
from pathlib import Path

import pytest

from db.steps import STEPS
from tests.account import account
from tests.conftest import Database
from tests.load import at_work
from tests.program import Program, apart

REPEATS = 4
"""Messages that one kill of a dispatcher may repeat: its connections to the mail server."""

AT_RANDOM = ""
OF_GATEWAY = [AT_RANDOM, *(step for step in STEPS if step.startswith("mutation."))]
OF_DISPATCHER = [AT_RANDOM, *(step for step in STEPS if step.startswith("dispatch."))]


async def killed(program: Program, steps: list[str], times: int) -> None:
    """Kill a running program again and again, in turn at random and at each step; it runs in the end."""
    plan = [steps[turn % len(steps)] for turn in range(times)]
    for step, following in zip(plan, [*plan[1:], AT_RANDOM], strict=True):
        if step == AT_RANDOM:
            await asyncio.sleep(random.uniform(0, 1))
            await program.kill()
        else:
            assert await program.ended() == -signal.SIGKILL
        await program.start(f"{following}:{random.randint(1, 6)}" if following != AT_RANDOM else "")


@pytest.mark.parametrize(("of_gateway", "of_dispatcher"), [(12, 40), pytest.param(150, 350, marks=pytest.mark.long)])
async def test_killed_at_random_and_at_every_step_nothing_is_lost_and_nothing_half_done(
    city: Database, tmp_path: Path, of_gateway: int, of_dispatcher: int
) -> None:
    async with (
        apart(city.dsn, tmp_path, outbox__lanes=6) as portal,
        at_work(portal.house, families=10, procedures=3, writers=12, pause=0.1) as load,
    ):
        async with asyncio.TaskGroup() as killers:
            killers.create_task(killed(portal.gateway, OF_GATEWAY, of_gateway))
            killers.create_task(killed(portal.dispatcher, OF_DISPATCHER, of_dispatcher))
        await portal.gateway.ready()
        await load.finish()
        found = await account(load)
    print(f"{of_gateway} + {of_dispatcher} kills: {found}; without an answer: {dict(load.unanswered)}")
    assert (found.lost, found.inversions) == (0, 0)
    assert found.repeated <= REPEATS * of_dispatcher
