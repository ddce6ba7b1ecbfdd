"""How PostgreSQL finds rows where tables grow without end: by an index, whoever is looked for."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from db import accounts, devices, identity, privacy, sessions, throttle
from db.ids import uuid7
from tests.house import House

NOW = datetime(2026, 10, 1, tzinfo=UTC)
STATEMENTS: dict[str, tuple[str, tuple[Any, ...]]] = {
    "sign-in by address": (accounts.BY_EMAIL, ("personne@example.org",)),
    "sign-in by number": (accounts.BY_NUMBER, ("1",)),
    "sign-in of an agent": (accounts.OF_AGENT, ("personne@mairie.example",)),
    "who signs in, held": (accounts.HOLD, (uuid7(), uuid7())),
    "a session": (sessions.STATE, (uuid7(), NOW)),
    "refresh tokens that are over": (sessions.SWEEP[0], (NOW, 5000)),
    "sessions that are over": (sessions.SWEEP[1], (NOW, 5000)),
    "counts of failures": (throttle.SWEEP, (NOW.date(), NOW, 5000)),
    "devices that lie unused": (devices.SWEEP, (NOW - timedelta(days=400), 5000)),
    "keys of repeated requests": (privacy.FORGET_KEYS, (NOW,)),
    "attempts to sign in at a provider": (identity.SWEEP, (NOW, 100)),
}


@pytest.mark.parametrize("name", STATEMENTS)
async def test_no_table_is_read_whole(house: House, name: str) -> None:
    statement, values = STATEMENTS[name]
    connection = house.connection
    # The tables of a test are so small that reading them whole would be right.
    await connection.execute("set enable_seqscan = off; set role kiosque_api; set kiosque.system = 'on'")
    plan = "\n".join(row[0] for row in await connection.fetch(f"explain {statement}", *values))
    assert "Index" in plan and "Seq Scan" not in plan, plan
