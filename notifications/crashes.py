"""Our own faults at one message: told without personal data, tried again, and at last put aside as a dead letter."""

import traceback
from datetime import datetime, timedelta

import structlog

from db.dispatch import Note
from db.lanes import Waiting
from db.settings_channels import Outbox
from notifications.retries import backoff

log = structlog.get_logger(__name__)


def crashed(waiting: Waiting, channel: str, fault: Exception, settings: Outbox, now: datetime) -> Note:
    """Give the note of a crash: it must not stop the other messages, nor be tried for ever.

    The message is tried again after a pause, and is a dead letter once it crashed `settings.crashes` times.
    """
    # The text of the exception may hold personal data; its kind and place do not.
    place = traceback.extract_tb(fault.__traceback__)[-1]
    log.error(
        "delivery_crashed",
        channel=channel,
        delivery=str(waiting.id),
        type=waiting.type,
        fault=type(fault).__name__,
        at=f"{place.name}:{place.lineno}",
    )
    dead = waiting.crashes + 1 >= settings.crashes
    return Note(
        waiting.id,
        "DEAD_LETTER" if dead else "PENDING",
        next_try_at=now + timedelta(seconds=pause_of(waiting, settings)),
        crashes=1,
        problem="CRASHED",
    )


def pause_of(waiting: Waiting, settings: Outbox) -> float:
    """Give the seconds until a message that failed once more is tried again."""
    failures = waiting.attempts + waiting.crashes + 1
    return backoff(failures, base=settings.retry_base, cap=settings.retry_cap)
