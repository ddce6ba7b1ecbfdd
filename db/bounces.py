"""Envelope senders that name their delivery (VERP), so that a bounce says by itself what did not arrive.

Signed: whoever makes one up retires nobody's address.
"""

import base64
import binascii
import hmac
import re
from uuid import UUID

from db.keys import Keys

PROVIDER = "relay"
"""What deliveries by e-mail and their bounces call who took them."""

PURPOSE = "bounce"
ID_CHARACTERS, SEAL_CHARACTERS = 26, 13
_TOKEN = re.compile(rf"\+([a-z2-7]{{{ID_CHARACTERS}}})([a-z2-7]{{{SEAL_CHARACTERS}}})$")


def sender_of(mailbox: str, keys: Keys, delivery_id: UUID) -> str:
    """Give the envelope sender of one delivery: `local+token@domain`, 40 characters longer than the mailbox."""
    local, _, domain = mailbox.rpartition("@")
    named = _base32(delivery_id.bytes)
    return f"{local}+{named}{_seal(keys, named)}@{domain}"


def delivery_of(mailbox: str, keys: Keys, recipient: str) -> UUID | None:
    """Give the delivery that an envelope sender of ours names, whatever its capitals; None for any other address."""
    local, _, domain = recipient.lower().rpartition("@")
    found = _TOKEN.search(local)
    if found is None or f"{local[: found.start()]}@{domain}" != mailbox.lower():
        return None
    named, seal = found.groups()
    if not hmac.compare_digest(seal, _seal(keys, named)):
        return None
    try:
        return UUID(bytes=base64.b32decode(f"{named}======".upper()))
    except (binascii.Error, ValueError):
        return None


def _seal(keys: Keys, named: str) -> str:
    return _base32(keys.digest(PURPOSE, named)[:8])


def _base32(value: bytes) -> str:
    return base64.b32encode(value).decode().rstrip("=").lower()
