"""What operators see of partners: figures by state, and never whose they are."""

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from gateway.demo.city import DEMO_PARTNER, DEMO_PARTNER_NAME
from tests.conftest import Database
from tests.house import House, opened
from tests.receiver import receiving
from tests.test_partner_feed import numbered
from tests.test_partners import partner
from tests.test_webhooks import DISABLE, LOCAL, TEST, registered, until_status


@pytest.fixture
async def house(city: Database) -> AsyncIterator[House]:
    """Give a portal whose second attempts come late, to whose webhooks all its past is old."""
    async with opened(city.dsn, webhooks={**LOCAL, "retry_seconds": [600.0], "timeout": 10.0}) as running:
        await numbered(running)
        yield running


async def figures(house: House) -> tuple[dict[str, float], str]:
    """Give the figures of partners, and everything that is said."""
    async with house.http.get(f"{house.url}/metrics") as answer:
        text = await answer.text()
    found = re.findall(r"^(kiosque_(?:webhook|partner)\S+) (\S+)$", text, re.M)
    return {name: float(value) for name, value in found}, text


async def test_figures_tell_what_became_of_messages_and_how_long_others_wait(house: House) -> None:
    access = await partner(house)
    async with receiving() as well, receiving(lambda _: web.Response(status=500)) as failing:
        webhook, _ = await registered(house, access, well.url)
        await house.do(TEST, access, id=webhook)
        await until_status(house, access, "DELIVERED")
        other, secret = await registered(house, access, failing.url)
        for _ in range(2):
            await house.do(TEST, access, id=other)
        await failing.until(1)
        disabled, _ = await registered(house, access, "http://127.0.0.1:9/")
        await house.do(DISABLE, access, id=disabled)
        async with asyncio.timeout(10):  # the attempt is written a moment after it was answered
            while not await house.connection.fetchval("select exists (select from webhook where slow)"):
                await asyncio.sleep(0.02)
        found, text = await figures(house)
    assert found['kiosque_partners{state="working"}'] == 1
    assert [found[f'kiosque_webhooks{{state="{state}"}}'] for state in ("well", "failing", "disabled")] == [1, 1, 1]
    assert found['kiosque_webhook_deliveries{status="DELIVERED"}'] == 1
    assert found['kiosque_webhook_deliveries{status="PENDING"}'] == 2
    assert found['kiosque_webhook_backlog{state="failing"}'] == 2
    assert found['kiosque_webhook_backlog{state="well"}'] == found['kiosque_webhook_age_seconds{state="well"}'] == 0
    assert 0 < found['kiosque_webhook_age_seconds{state="failing"}'] < 60
    for told in (str(DEMO_PARTNER), DEMO_PARTNER_NAME, "127.0.0.1", secret, "observatoire"):
        assert told not in text


async def test_there_are_no_more_lines_with_more_partners_and_addresses(house: House) -> None:
    before, _ = await figures(house)
    access = await partner(house)
    for _ in range(3):
        await registered(house, access, "http://127.0.0.1:9/")
    after, _ = await figures(house)
    assert after.keys() == before.keys() and after['kiosque_webhooks{state="well"}'] == 3
