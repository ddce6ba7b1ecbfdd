"""A flood of sign-ins is turned away in good order; `python -m bench flood` measures what others notice of it."""

import asyncio
from pathlib import Path

from bench.flood import Bystanders, flood
from tests.conftest import Database
from tests.house import PASSWORD, SIGN_IN
from tests.program import apart

RATE, SECONDS = 200, 3.0
TURNED_AWAY = {"200 BAD_CREDENTIALS", "200 BUSY", "200 THROTTLED", "429 THROTTLED"}


async def test_a_flood_of_sign_ins_is_turned_away_while_others_are_served(city: Database, tmp_path: Path) -> None:
    async with apart(city.dsn, tmp_path) as portal:
        house = portal.house
        family, token = await house.member()
        others = Bystanders(house.url, [token, await house.agent()])
        told, _ = await asyncio.gather(flood(house.url, RATE, SECONDS), others.watch(SECONDS))
        assert set(told.codes) <= TURNED_AWAY and sum(told.codes.values()) == RATE * SECONDS, told.codes
        assert told.codes.get("200 BUSY", 0) + told.codes.get("200 THROTTLED", 0) > 0, "it was no flood"
        assert others.faults == 0 and len(others.milliseconds) >= 2, "each was answered at the least once"
        async with asyncio.timeout(10):
            while await house.problems(SIGN_IN, identifier=family.email, password=PASSWORD, as_="FAMILY"):
                await asyncio.sleep(0.2)
        assert "request_failed" not in portal.gateway.said()
