"""What the clock does, done now: jobs that are due, in the process of a house."""

from collections import Counter

from resolvers.job_runner import Runner
from resolvers.jobs import REGISTRY
from tests.house import House


async def run_due(house: House, *kinds: str) -> Counter[tuple[str, str]]:
    """Do what is due; every job must succeed or ask to run again."""
    assert house.opened is not None
    outcomes = await Runner(house.opened.process, REGISTRY).run_due(kinds)
    assert {outcome for _, outcome in outcomes} <= {"done", "again"}, outcomes
    return outcomes
