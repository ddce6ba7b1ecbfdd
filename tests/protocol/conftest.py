"""One house for the tests that need no settings of their own."""

from collections.abc import AsyncIterator

import pytest

from tests.protocol.house import Served, served


@pytest.fixture(scope="session")
async def running() -> AsyncIterator[Served]:
    """Run a house as in development."""
    async with served(an_account=10_000) as house:
        yield house
