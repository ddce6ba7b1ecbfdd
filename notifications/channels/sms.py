"""Text messages, through the city's providers: the fastest first, the next at once when one is away."""

import asyncio
import re
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from uuid import uuid4

import asyncpg
import structlog

from db import opt_out, receipts
from db.lanes import Connection
from db.settings_channels import Sms as Settings
from notifications.breaker import Breaker
from notifications.channels import Dead, Delivery, Later, Receipt
from notifications.channels.http import Unsure
from notifications.channels.pace import UNKNOWN, Pace
from notifications.channels.sms_provider import CameReceipt, CameText, Hear, Provider, Text, text_of
from notifications.messages import Messages

log = structlog.get_logger(__name__)

NUMBER = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)
"""E.164."""

LONGEST_WAIT = 1.0
"""Seconds that a message waits for its turn at a provider before the next one is asked."""

MOST_PATIENCE = 20.0
"""Seconds for all providers together: a lane's lease must last longer."""

EARLY = 0.1
"""Seconds by which the end may come early for a whole attempt."""

DOUBT_SECONDS = 60.0
"""A provider that did not answer goes last for so long."""


class Sms:
    """Text messages; see docs/decisions/0020."""

    interrupts = True

    def __init__(
        self,
        settings: Settings,
        make: Callable[[Hear], Mapping[str, Provider]],
        messages: Messages,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`make` makes the providers, in the order of preference, and is told where to report what comes in."""
        self._settings = settings
        self._came: deque[CameReceipt | CameText] = deque()
        self._providers = make(self._came.append)
        self._messages = messages
        self._monotonic = monotonic
        self._paces = {name: Pace(each.rate, UNKNOWN) for name, each in self._providers.items()}
        self._node = uuid4()
        self._breakers = {name: Breaker(monotonic) for name in self._providers}
        self._doubted: dict[str, float] = {}
        self._demoted: frozenset[str] = frozenset()
        self.limit = sum(each.limit for each in self._providers.values())
        waits = [each.patience + LONGEST_WAIT for each in self._providers.values()]
        self.patience = max(*waits, min(sum(waits), MOST_PATIENCE)) if len(waits) > 1 else waits[0]

    async def send(self, delivery: Delivery) -> Receipt:
        """Hand one message to the first provider that takes it.

        Raises Dead when the number does not exist, Later when no provider takes it, or when one may have.
        """
        if not NUMBER.fullmatch(delivery.address):
            raise Dead("not a number", retire_address=True)
        body, segments = text_of(self._messages.short(delivery), self._settings.segments)
        text = Text(delivery.id, delivery.address, self._settings.sender, body, segments)
        trouble = Later("all providers are away")
        ends_at = self._monotonic() + self.patience
        for provider in self._in_order():
            if self._monotonic() + provider.patience + LONGEST_WAIT > ends_at + EARLY:
                break
            try:
                return await self._by(provider, text)
            except Unsure:
                self._doubted[provider.name] = self._monotonic() + DOUBT_SECONDS
                raise
            except Later as later:
                trouble = later
        raise trouble

    async def tend(self, pool: asyncpg.Pool, now: datetime) -> None:
        """Keep what came in by the providers' own connections; learn who is slow, and how many share the rates."""
        async with pool.acquire() as connection:
            while self._came:
                async with connection.transaction():
                    await _keep(connection, self._came[0], now)
                self._came.popleft()
            await self._judge(connection, now)
            nodes = await receipts.senders(connection, self._node)
        for pace in self._paces.values():
            pace.share(nodes)

    async def close(self) -> None:
        """Hang up."""
        for provider in self._providers.values():
            await provider.close()

    def _in_order(self) -> Iterator[Provider]:
        """Give those that may be asked: in the order of the settings, but the slow and the doubtful last."""
        now = self._monotonic()
        names = sorted(self._providers, key=lambda name: (self._doubted.get(name, 0.0) > now, name in self._demoted))
        for name in names:
            if not self._breakers[name].open:
                yield self._providers[name]

    async def _by(self, provider: Provider, text: Text) -> Receipt:
        wait = self._paces[provider.name].take(self._monotonic(), LONGEST_WAIT)
        if wait > LONGEST_WAIT:
            raise Later("RATE", wait=wait, channel_at_fault=False)
        await asyncio.sleep(wait)
        breaker = self._breakers[provider.name]
        try:
            async with asyncio.timeout(provider.patience):
                reference = await provider.submit(text)
        except TimeoutError as error:
            breaker.record(False)
            raise Unsure("no answer in time; it may come twice") from error
        except Later as later:
            breaker.record(not later.channel_at_fault)
            raise
        except Dead:
            breaker.record(True)
            raise
        breaker.record(True)
        return Receipt(
            f"{provider.name} {reference}",
            provider=provider.name,
            reference=reference,
            segments=text.segments,
            awaits=self._settings.receipt_seconds if provider.receipts else None,
        )

    async def _judge(self, connection: Connection, now: datetime) -> None:
        settings, names = self._settings, list(self._providers)
        if len(names) < 2:
            return
        window, slow = timedelta(seconds=settings.slow_window), timedelta(seconds=settings.slow_seconds)
        shares = await receipts.slow_shares(connection, names, now, window, slow)
        for name, (share, judged) in shares.items():
            if judged >= settings.slow_least and share >= settings.slow_share and name not in self._demoted:
                log.warning("provider_slow", provider=name, share=round(share, 2), judged=judged)
                await receipts.demote(connection, name, now + timedelta(seconds=settings.demoted_seconds))
        self._demoted = frozenset(await receipts.demoted(connection, now))


async def _keep(tx: Connection, came: CameReceipt | CameText, now: datetime) -> None:
    if isinstance(came, CameReceipt):
        await receipts.keep(tx, came.provider, came.reference, came.state, now)
    elif opt_out.is_stop(came.body):
        await opt_out.stop(tx, came.sender, now)
