"""One leased lane is worked through: one delivery after the other, none before the end of the last is written."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import structlog

from db import steps
from db.clock import Clock
from db.dispatch import Note
from db.lanes import Lane, Waiting
from db.outbox import BULK
from db.quiet import QuietHours, waits
from db.settings_channels import Outbox
from notifications.breaker import Breaker
from notifications.channels import Channel, Dead, Delivery, Family, Later, News, Receipt
from notifications.crashes import crashed, pause_of
from notifications.recorder import Recorder
from notifications.results import Result
from notifications.slots import Slots

log = structlog.get_logger(__name__)

MARGIN = 2.0
"""Seconds of a long lease kept for writing the result; of a short one, a tenth."""


def margin(lease: float) -> float:
    """Give the seconds of a lease that are kept for writing the result."""
    return min(MARGIN, lease / 10)


@dataclass(frozen=True, slots=True)
class Desk:
    """One channel at work."""

    name: str
    channel: Channel
    breaker: Breaker
    slots: Slots
    """Taken from before the sending until the result is written, so that a kill leaves few duplicates."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """How one attempt ended."""

    note: Note
    outcome: str
    """`sent`, `later`, `quiet`, `failed`, `crashed` or `dead_letter`."""

    retire: str | None = None


def delivery_of(lane: Lane, waiting: Waiting) -> Delivery:
    """Put together what a channel gets to see."""
    family = Family(lane.held.family_id, lane.number, lane.name, lane.language)
    news = News(waiting.topic, waiting.type, waiting.data, waiting.occurred_at)
    return Delivery(waiting.id, lane.held.address, family, news, lane.target)


class LaneWork:
    """What all lanes need to be worked through."""

    def __init__(
        self,
        recorder: Recorder,
        settings: Outbox,
        quiet: QuietHours,
        clock: Clock,
        stopping: asyncio.Event,
        count: Callable[[str, str], None],
    ) -> None:
        """`count` is told the channel and the outcome of each attempt."""
        self._recorder = recorder
        self._settings = settings
        self._quiet = quiet
        self._clock = clock
        self._stopping = stopping
        self._count = count

    async def work(self, lane: Lane, desk: Desk, ends_at: float) -> None:
        """Send what waits, in order, and give the lane back; `ends_at` is the end of the lease on the loop's clock."""
        latest = ends_at - desk.channel.patience - margin(self._settings.lease)
        for waiting in lane.waiting:
            if not await self._slot(desk, lane, latest):
                break
            try:
                if not self._may_send(waiting, desk, latest):
                    break
                attempt = self._held_back(lane, waiting, desk) or await self._try(lane, waiting, desk)
                last = attempt.outcome != "sent" or waiting is lane.waiting[-1]
                kept = await self._recorder.record(Result(lane.held, attempt.note, attempt.retire, give_back=last))
            finally:
                desk.slots.give_back(lane.held.address)
            if not kept:
                log.warning("lease_lost", channel=desk.name, delivery=str(waiting.id))
            self._count(desk.name, attempt.outcome if kept else "lost")
            if last or not kept:
                return
        await self._recorder.record(Result(lane.held, give_back=True))

    async def _slot(self, desk: Desk, lane: Lane, latest: float) -> bool:
        """Wait for a slot; gives False when the lease would end too soon after it, or the dispatcher stops."""
        try:
            async with asyncio.timeout_at(latest):
                await desk.slots.take(lane.held.address, first=lane.priority < BULK)
        except (TimeoutError, asyncio.CancelledError):
            return False
        return True

    def _may_send(self, waiting: Waiting, desk: Desk, latest: float) -> bool:
        return (
            not self._stopping.is_set()
            and not desk.breaker.open
            and waiting.next_try_at <= self._clock()
            and asyncio.get_running_loop().time() < latest
        )

    def _held_back(self, lane: Lane, waiting: Waiting, desk: Desk) -> Attempt | None:
        """Put off what would ring in quiet hours, the family's own or the city's; None when it may go."""
        if not desk.channel.interrupts or not waits(waiting.topic, waiting.type):
            return None
        quiet = self._quiet if lane.quiet is None else QuietHours(*lane.quiet, self._quiet.zone)
        until = quiet.until(self._clock())
        if until is None:
            return None
        return Attempt(Note(waiting.id, "PENDING", next_try_at=until, problem="QUIET_HOURS"), "quiet")

    async def _try(self, lane: Lane, waiting: Waiting, desk: Desk) -> Attempt:
        if lane.retired:
            return self._failed(waiting, Dead("ADDRESS_RETIRED", retire_address=True))
        steps.reached("dispatch.before_send")
        try:
            async with asyncio.timeout(desk.channel.patience):
                receipt = await desk.channel.send(delivery_of(lane, waiting))
        except Later as later:
            desk.breaker.record(not later.channel_at_fault)
            attempt = self._later(waiting, later)
        except TimeoutError:
            desk.breaker.record(False)
            attempt = self._later(waiting, Later("no answer in time"))
        except asyncio.CancelledError:
            # The dispatcher stops and waits no longer: whether the message went out is unknown, and the lane goes back.
            attempt = self._later(waiting, Later("interrupted", wait=0))
        except Dead as dead:
            desk.breaker.record(True)
            attempt = self._failed(waiting, dead)
        except Exception as fault:
            attempt = self._crashed(waiting, desk.name, fault)
        else:
            desk.breaker.record(True)
            attempt = self._sent(waiting, receipt)
        steps.reached("dispatch.sent")
        return attempt

    def _sent(self, waiting: Waiting, receipt: Receipt) -> Attempt:
        status = "DELIVERED" if receipt.arrived else "SENT"
        now = self._clock()
        note = Note(
            waiting.id,
            status,
            attempts=1,
            sent_at=now,
            receipt=receipt.text,
            provider=receipt.provider,
            reference=receipt.reference,
            segments=receipt.segments,
            receipt_due_at=None if receipt.awaits is None else now + timedelta(seconds=receipt.awaits),
        )
        return Attempt(note, "sent")

    def _later(self, waiting: Waiting, later: Later) -> Attempt:
        wait = pause_of(waiting, self._settings) if later.wait is None else later.wait
        at = self._clock() + timedelta(seconds=wait)
        return Attempt(Note(waiting.id, "PENDING", next_try_at=at, attempts=1, problem=later.reason), "later")

    def _failed(self, waiting: Waiting, dead: Dead) -> Attempt:
        retire = dead.reason if dead.retire_address else None
        return Attempt(Note(waiting.id, "FAILED", attempts=1, problem=dead.reason), "failed", retire)

    def _crashed(self, waiting: Waiting, channel: str, fault: Exception) -> Attempt:
        note = crashed(waiting, channel, fault, self._settings, self._clock())
        return Attempt(note, "dead_letter" if note.status == "DEAD_LETTER" else "crashed")
