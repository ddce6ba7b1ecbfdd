"""Bounces of e-mail (RFC 3464): read, and kept for the dispatcher as the receipts of text messages are."""

import re
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import Message
from email.policy import default
from typing import Any
from uuid import UUID

from db import bounces, receipts
from db.keys import Keys
from db.receipts import State

TO = ("Delivered-To", "X-Original-To", "Envelope-To", "To")
"""Headers in which relays and mailboxes keep whom a message was for."""

_STATUS = re.compile(r"([245])\.(\d{1,3}\.\d{1,3})")
GONE = re.compile(r"1\.(?!7$|8$)\d+|2\.1|4\.[14]")
"""No such mailbox, closed, or no way to its domain: nothing will ever arrive there."""

MAILBOX_FULL = "2.2"


@dataclass(frozen=True, slots=True)
class Bounce:
    """What a mailbox said of one delivery."""

    delivery_id: UUID
    state: State
    """FAILED, or RETRY where a later attempt may arrive."""

    problem: str
    """Such as `BOUNCED 5.1.1`."""

    retires: bool


def read(raw: bytes, mailbox: str, keys: Keys) -> Bounce | None:
    """Read a message that came to the bounce mailbox; None for what is no bounce of ours, or says nothing final.

    `mailbox` is the setting `mail.bounces`.
    """
    message = message_from_bytes(raw, policy=default)
    recipients = re.findall(r"[^\s<>,;:\"]+@[^\s<>,;:\"]+", " ".join(_headers(message)))
    delivery_id = next((found for to in recipients if (found := bounces.delivery_of(mailbox, keys, to))), None)
    if delivery_id is None:
        return None
    for group in _recipients(message):
        bounce = _judged(delivery_id, str(group.get("Action", "")), str(group.get("Status", "")))
        if bounce is not None:
            return bounce
    return None


def judged(sender: str, action: str, status: str, mailbox: str, keys: Keys) -> Bounce | None:
    """Read what a relay reports of the message with an envelope sender; None for none of ours, or nothing final."""
    delivery_id = bounces.delivery_of(mailbox, keys, sender.strip().strip("<>"))
    return _judged(delivery_id, action, status) if delivery_id else None


def _judged(delivery_id: UUID, action: str, status: str) -> Bounce | None:
    found = _STATUS.search(status)
    if action.strip().lower() != "failed" or found is None:
        return None
    kind, detail = found.groups()
    state: State = "RETRY" if kind != "5" or detail == MAILBOX_FULL else "FAILED"
    return Bounce(delivery_id, state, f"BOUNCED {found[0]}", state == "FAILED" and bool(GONE.fullmatch(detail)))


async def take(tx: Any, bounce: Bounce, at: datetime) -> None:
    """Keep a bounce; the same one again changes nothing. A dispatcher does the rest."""
    await receipts.keep(
        tx, bounces.PROVIDER, str(bounce.delivery_id), bounce.state, at, problem=bounce.problem, retires=bounce.retires
    )


def _headers(message: Message) -> list[str]:
    return [str(value) for name in TO for value in message.get_all(name, [])]


def _recipients(message: Message) -> list[Message]:
    """Give what a report says of each recipient: the groups of fields after the first."""
    for part in message.walk():
        groups = part.get_payload()
        if part.get_content_type() == "message/delivery-status" and isinstance(groups, list):
            return [group for group in groups if isinstance(group, Message) and "Action" in group]
    return []
