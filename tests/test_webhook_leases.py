"""An address that is given back while something is ordered for it: what was ordered is due, and not forgotten."""

import asyncio

import asyncpg

from db import webhooks as stored
from db.clock import utc_now
from db.ids import uuid7
from gateway.demo.city import DEMO_PARTNER
from tests.conftest import Database

LEASED = """
    insert into webhook (partner_id, id, url, sealed_secret, created_at, leased, lease, due_at)
    values ($1, $2, 'https://partenaire.example/', '', $3, true, 1, $3)
"""
WAITS = "select exists (select from pg_locks where pid = $1 and not granted)"


async def test_what_is_ordered_while_an_address_is_given_back_is_due(city: Database) -> None:
    """The order holds the address first: who gives it back waits, and must then see what was ordered."""
    partner_id, webhook_id, now = DEMO_PARTNER, uuid7(), utc_now()
    ours, theirs = [await asyncpg.connect(city.dsn, timeout=10) for _ in range(2)]
    try:
        await ours.execute(LEASED, partner_id, webhook_id, now)
        held = stored.Held(partner_id, webhook_id, 1, "", b"", None, None, "", True, None, None, None, 0, None)
        async with theirs.transaction():
            await stored.order(theirs, partner_id, webhook_id, uuid7(), "test", "{}", now)
            given_back = asyncio.create_task(stored.give_back(ours, held))
            async with asyncio.timeout(5):
                while not await theirs.fetchval(WAITS, ours.get_server_pid()):
                    await asyncio.sleep(0.01)
        await given_back
        row = await ours.fetchrow("select leased, due_at from webhook where id = $1", webhook_id)
        assert row is not None and tuple(row) == (False, now)
    finally:
        await ours.close()
        await theirs.close()
