"""Writes to the contacts of partners and to agents, beside the sending to families."""

import asyncio
from datetime import timedelta

import asyncpg
import structlog

from db import notices as stored
from db.clock import Clock
from db.notices import Box, Notice
from notifications.channels import Channel, Dead, Delivery, Family, Later, News
from notifications.retries import backoff
from notifications.troubles import TROUBLES, Patience

log = structlog.get_logger(__name__)

PAUSE_SECONDS = 1.0
AT_ONCE = 10
HELD = timedelta(minutes=2)
ATTEMPTS = 40
"""About three days, with pauses of an hour and a half at the end."""

LONGEST_PAUSE = 2 * 5400.0


class Notices:
    """One for each dispatcher and kind of receiver; several take turns."""

    def __init__(self, pool: asyncpg.Pool, clock: Clock, email: Channel, box: Box) -> None:
        """`pool` is of role `kiosque_dispatch`, `email` the channel that writes and sends."""
        self._pool = pool
        self._clock = clock
        self._email = email
        self._box = box

    async def run(self) -> None:
        """Send until cancelled; a database that is away is waited for."""
        patience = Patience()
        while True:
            try:
                busy = await self.send_due()
                patience.reset()
            except TROUBLES as trouble:
                await patience.wait(log, f"{self._box.table}s_wait", trouble)
                continue
            if not busy:
                await asyncio.sleep(PAUSE_SECONDS)

    async def send_due(self) -> bool:
        """Send what is due; False when there was nothing."""
        now = self._clock()
        async with self._pool.acquire() as connection:
            due = await stored.take(connection, self._box, now, now + HELD, AT_ONCE)
        for notice in due:
            await self._send(notice)
        return bool(due)

    async def _send(self, notice: Notice) -> None:
        whom = Family(notice.holder_id, "", notice.name, notice.language)
        news = News(self._box.holder.upper(), notice.type, notice.data, notice.created_at)
        try:
            async with asyncio.timeout(self._email.patience):
                await self._email.send(Delivery(notice.id, notice.email, whom, news))
        except (Later, TimeoutError):
            again = self._clock() + timedelta(seconds=backoff(notice.attempts, cap=LONGEST_PAUSE))
            async with self._pool.acquire() as connection:
                if notice.attempts >= ATTEMPTS:
                    await stored.failed(connection, self._box, notice, self._clock())
                else:
                    await stored.later(connection, self._box, notice, again)
            return
        except Dead as dead:
            log.warning(f"{self._box.holder}_not_reached", holder=str(notice.holder_id), problem=dead.reason)
            async with self._pool.acquire() as connection:
                await stored.failed(connection, self._box, notice, self._clock())
            return
        async with self._pool.acquire() as connection:
            await stored.sent(connection, self._box, notice, self._clock())
