"""Answers that tell nothing by their time: whether or not there is such an account, they take equally long."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from db import throttle
from resolvers.context import Context

CHANCE = 0.1
"""Of `accounts.answer_seconds`: what the wait is lengthened by, at the most."""


@asynccontextmanager
async def even(context: Context) -> AsyncIterator[None]:
    """Leave the block no sooner than after the settings' `accounts.answer_seconds`, also when it raises.

    Equal work would be equal only until somebody changes it; waiting also covers what the database does for a row that
    exists. What the request leaves the loop and the caches to do still shows by some 0.06 ms: a little chance on top
    covers it.
    """
    loop, least = asyncio.get_running_loop(), context.process.settings.accounts.answer_seconds
    ends = loop.time() + secrets.SystemRandom().uniform(least, least * (1 + CHANCE))
    try:
        yield
    finally:
        await asyncio.sleep(max(0.0, ends - loop.time()))


async def within_reason(tx: Any, context: Context, purpose: str) -> bool:
    """Count a request of this network address for accounts that it need not own; False when there were too many today.

    Loosely: a school or a town hall may stand behind one address.
    """
    subject = context.process.keys.digest("throttle", f"{purpose}-from/{context.client}")
    asked = await throttle.hold(tx, subject, context.process.clock().date())
    if asked.today >= context.process.settings.accounts.requests_a_day:
        return False
    await throttle.fail(tx, subject, None)
    return True
