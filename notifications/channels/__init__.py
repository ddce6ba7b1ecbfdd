"""What a channel is: one file with a class that sends, and says `Later` or `Dead` when it cannot.

To add a channel: write the class, then name it in `notifications/registry.py`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, runtime_checkable
from uuid import UUID

import asyncpg


@dataclass(frozen=True, slots=True)
class News:
    """One item of a family's stream."""

    topic: str
    """Such as `PROCEDURE_STATUS`."""

    type: str
    """What happened, such as `procedure_moved`; it chooses the words."""

    data: Mapping[str, Any]
    """What the words need to know; its fields belong to the type."""

    occurred_at: datetime
    """UTC."""


@dataclass(frozen=True, slots=True)
class Family:
    """Who is told."""

    id: UUID
    number: str
    name: str
    language: str
    """`fr` or `en`."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to one address."""

    id: UUID
    """Stays the same over all attempts, so that a receiver knows a duplicate."""

    address: str
    family: Family
    news: News
    target: Mapping[str, Any] = field(default_factory=dict)
    """What a push service needs beside the address."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The channel took the message."""

    text: str
    """What the provider answered, for the family's proof; without any address."""

    arrived: bool = False
    """True when taking it means that it arrived, not only that it is on its way."""

    provider: str | None = None
    """Which of several providers took it."""

    reference: str | None = None
    """What the provider's receipts will call it."""

    segments: int | None = None
    """What it cost, in text messages."""

    awaits: float | None = None
    """Seconds within which a receipt must come, else the next channel is tried; None: none is expected."""


class Later(Exception):
    """Not now: the message stays first in its lane and is tried again."""

    def __init__(self, reason: str, *, wait: float | None = None, channel_at_fault: bool = True) -> None:
        """`reason` holds no address; `wait` in seconds when the provider named it.

        `channel_at_fault` is False when only this address has the trouble: the channel's breaker does not count it.
        """
        super().__init__(reason)
        self.reason = reason
        self.wait = wait
        self.channel_at_fault = channel_at_fault


class Dead(Exception):
    """Never: the next channel of the family's list is tried."""

    def __init__(self, reason: str, *, retire_address: bool) -> None:
        """`reason` holds no address; `retire_address` when nothing at all will ever arrive there."""
        super().__init__(reason)
        self.reason = reason
        self.retire_address = retire_address


class Channel(Protocol):
    """One way of telling."""

    limit: int
    """Messages in flight at once; as many can come twice when the dispatcher is killed."""

    patience: float
    """Seconds after which `send` has ended, one way or another."""

    interrupts: bool
    """Whether it rings or buzzes, so that quiet hours hold it back."""

    async def send(self, delivery: Delivery) -> Receipt:
        """Hand one message to the provider; raises Later or Dead."""

    async def close(self) -> None:
        """Let go of connections."""


@runtime_checkable
class Tended(Protocol):
    """A channel that needs the database now and then, though never while it sends."""

    async def tend(self, pool: asyncpg.Pool, now: datetime) -> None:
        """Write and read what all nodes share; called every second or so."""


@runtime_checkable
class Grouped(Protocol):
    """A channel that sends only so much at once to addresses that belong together."""

    group_limit: int
    """Messages in flight at once to one group."""

    def group(self, address: str) -> str:
        """Give the group of an address, such as its domain."""


class UnknownChannel(LookupError):
    """No channel of that name is at work here."""


class Channels(Mapping[str, Channel]):
    """The channels at work, by name; an unknown name raises UnknownChannel."""

    def __init__(self, channels: Mapping[str, Channel]) -> None:
        self._channels = dict(channels)

    def __getitem__(self, name: str) -> Channel:
        try:
            return self._channels[name]
        except KeyError:
            raise UnknownChannel(f"no channel is called {name!r}; there are {', '.join(sorted(self))}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._channels)

    def __len__(self) -> int:
        return len(self._channels)
