"""A dispatcher killed anywhere between a step and its receiver: nothing lost, nothing turned round."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import asyncpg
import pytest

from db.clock import utc_now
from db.ids import uuid7
from db.webhooks import PURPOSE
from gateway.demo.city import DEMO_PARTNER
from tests.conftest import Database
from tests.house import KEYS, MASTER_KEY
from tests.receiver import receiving, verified

SECRET = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
STEPS = 8
ROOT = Path(__file__).parents[1]


async def start(dsn: str, crash_at: str = "") -> asyncio.subprocess.Process:
    """Start a dispatcher whose leases end soon."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("KIOSQUE_")},
        "KIOSQUE_SECRETS__MASTER_KEY": MASTER_KEY,
        "KIOSQUE_WEBHOOKS__PRIVATE_NETWORKS": "127.0.0.0/8",
        "KIOSQUE_WEBHOOKS__TIMEOUT": "2",
        "KIOSQUE_WEBHOOKS__LEASE_MARGIN": "0.5",
        "KIOSQUE_WEBHOOKS__POLL": "0.1",
        **({"KIOSQUE_CRASH_AT": crash_at} if crash_at else {}),
    }
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "notifications", "--database", dsn, "--parent-stdin",
        cwd=ROOT, env=environment, stdin=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def note_steps(connection: asyncpg.Connection) -> None:
    """Let a procedure of the partner's services take steps."""
    row = await connection.fetchrow(
        """select p.family_id, p.id, p.service_id, p.event_count from procedure p join partner on true
           where p.service_id = any(partner.services) and p.submitted_at is not null order by p.id limit 1"""
    )
    assert row is not None
    for n in range(STEPS):
        await connection.execute(
            """insert into procedure_event (family_id, procedure_id, number, id, service_id, from_status, to_status,
                   actor, occurred_at) values ($1, $2, $3, $4, $5, 'SUBMITTED', 'IN_REVIEW', 'AGENT', $6)""",
            row["family_id"], row["id"], row["event_count"] + n + 1, uuid7(), row["service_id"], utc_now(),
        )  # fmt: skip


@pytest.mark.parametrize(
    "step", ["feed.numbered", "feed.told", "webhook.claimed", "webhook.sent:1", "webhook.sent:4", "webhook.recorded:3"]
)
async def test_killed_at_a_step_nothing_is_lost_or_turned_round(city: Database, step: str) -> None:
    connection = await asyncpg.connect(city.dsn, timeout=10)
    async with receiving() as receiver:
        await connection.execute("delete from procedure_feed")
        await connection.execute(
            "insert into webhook (partner_id, id, url, sealed_secret, created_at) values ($1, $2, $3, $4, $5)",
            DEMO_PARTNER, uuid7(), receiver.url, KEYS.seal(PURPOSE, SECRET.encode()), utc_now(),
        )  # fmt: skip
        await note_steps(connection)
        process = await start(city.dsn, step)
        assert await asyncio.wait_for(process.wait(), 60) == -signal.SIGKILL
        process = await start(city.dsn)
        try:
            async with asyncio.timeout(60):
                while (
                    await connection.fetchval("""select count(*) from webhook_delivery where status = 'DELIVERED'""")
                    < STEPS
                ):
                    await asyncio.sleep(0.05)
        finally:
            process.kill()
            await process.wait()
            await connection.close()
        places = [each.message["data"]["position"] for each in receiver.received]
        assert places == sorted(places) and sorted(set(places)) == list(range(1, STEPS + 1))
        assert len(places) - STEPS <= 1, "one message is repeated at the most, under its id"
        assert all(verified(SECRET, each.headers, each.body) for each in receiver.received)
