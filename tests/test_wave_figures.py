"""What operators see of notices to thousands of families: whether they move, and never by taking nodes away."""

import re
from datetime import timedelta

import pytest

from db.ids import uuid7
from db.outbox import BULK
from tests.house import House

NOBODY_SENDS = """insert into lane (family_id, subject_id, channel, address, priority, due_at)
    values ($1, $2, 'SMS', '+33600000000', $3, $4)"""


async def look(house: House) -> tuple[dict[str, float], int]:
    """Give the figures of waves, and the status of `/ready`."""
    async with house.http.get(f"{house.url}/metrics") as answer:
        text = await answer.text()
    async with house.http.get(f"{house.url}/ready") as answer:
        found = re.findall(r"^kiosque_wave_(\w+) (\S+)$", text, re.M)
        return {name: float(value) for name, value in found}, answer.status


@pytest.mark.parametrize(("priority", "waiting", "status"), [(BULK, 3, 200), (BULK - 1, 0, 503)])
async def test_a_wave_that_is_stuck_shows_in_figures_and_takes_no_node_away(
    house: House, priority: int, waiting: int, status: int
) -> None:
    assert await look(house) == ({"age_seconds": 0, "waiting": 0}, 200)
    family = await house.make_family()
    for minutes in (120, 2, 1):
        at = house.clock() - timedelta(minutes=minutes)
        await house.connection.execute(NOBODY_SENDS, family.id, uuid7(), priority, at)
    figures, ready = await look(house)
    assert (figures["waiting"], ready) == (waiting, status)
    assert 7200 <= figures["age_seconds"] < 7300 if waiting else figures["age_seconds"] == 0
