"""What the tests of the dispatcher share."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from gateway.demo.smtp import Catcher
from tests.notifications.house import House


@pytest.fixture
async def house(database: Any) -> AsyncIterator[House]:
    """An empty city on a database of its own."""
    async with asyncpg.create_pool(database.dsn, min_size=1, max_size=4, command_timeout=10) as pool:
        yield House(database.dsn, pool)


@pytest.fixture
async def catcher() -> AsyncIterator[Catcher]:
    """A mail server."""
    catcher = Catcher(keep=100_000)
    await catcher.start()
    yield catcher
    await catcher.stop()
