"""Devices: which an account knows, and what it is told when a new one signs in.

A device keeps a signed random token, which says nothing about who it belongs to; an account remembers its hash. Only
we can make tokens, so that a made-up one costs no look into the database.
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from db import credentials as logins
from db import devices as stored
from db.keys import Keys
from db.outbox import Told, tell
from db.settings import Tokens as TokenSettings
from resolvers.context import Context
from resolvers.sentence import Sentence

PURPOSE = "device"
SECRET_BYTES, SIGNATURE_BYTES = 24, 16

NEW = Sentence("Connexion depuis un nouvel appareil : {device}.", "Sign-in on a new device: {device}.")
STOLEN = Sentence(
    "Nous avons fermé une session qui semblait copiée ({device}).",
    "We ended a session that seemed to be copied ({device}).",
)
UNKNOWN = Sentence("un appareil que nous ne reconnaissons pas", "a device that we do not recognise")
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("Chrome", "Chrome"),
    ("CriOS", "Chrome"),
    ("Safari", "Safari"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "Mac"),
    ("CrOS", "Chromebook"),
    ("Linux", "Linux"),
)
"""What is looked for in a User-Agent, the more telling first, and how a person calls it."""


def _made(keys: Keys) -> tuple[str, bytes]:
    """Make the token of a device that has none; give its hash too."""
    secret = secrets.token_bytes(SECRET_BYTES)
    return base64.urlsafe_b64encode(secret + _signature(keys, secret)).decode(), hashlib.sha256(secret).digest()


def digest_of(keys: Keys, token: str | None) -> bytes | None:
    """Give the hash by which a device is remembered; None for a token that we did not make."""
    try:
        raw = base64.urlsafe_b64decode((token or "").encode())
    except ValueError:
        return None
    secret, signature = raw[:SECRET_BYTES], raw[SECRET_BYTES:]
    return hashlib.sha256(secret).digest() if hmac.compare_digest(signature, _signature(keys, secret)) else None


def _signature(keys: Keys, secret: bytes) -> bytes:
    return keys.digest(PURPOSE, secret.hex())[:SIGNATURE_BYTES]


def known_since(settings: TokenSettings, now: datetime) -> datetime:
    """Give since when a device must have been used to be known still."""
    return now - timedelta(days=settings.device_days)


@dataclass(frozen=True, slots=True)
class Device:
    """A device that signs in to an account."""

    family_id: UUID
    account_id: UUID
    name: str
    """What it calls itself (User-Agent)."""


async def signed_in(
    tx: Any, context: Context, device: Device, token: str | None, now: datetime, *, remember: bool
) -> str | None:
    """Note on which device an account signs in, and tell the family of one that is new to an account that knows others.

    Gives the token that the device shall keep; none when it is not to be remembered.
    """
    keys, since = context.process.keys, known_since(context.process.settings.tokens, now)
    whose = device.family_id, device.account_id
    digest = digest_of(keys, token)
    if digest is not None and await stored.see(tx, *whose, digest, now, since):
        return token if remember else None
    if await stored.has_any(tx, *whose, since):
        await tell(tx, await _told(tx, "new_device", device, NEW, now))
    if not remember:
        return None
    if digest is None:
        token, digest = _made(keys)
    await stored.remember(tx, *whose, digest, now)
    return token


async def tell_stolen(tx: Any, device: Device, now: datetime) -> None:
    """Tell that a session was ended because two held what only one can have."""
    await tell(tx, await _told(tx, "session_stolen", device, STOLEN, now))


async def _told(tx: Any, type: str, device: Device, summary: Sentence, now: datetime) -> Told:
    called = called_by(device.name)
    data = {
        "account": str(device.account_id),
        "at": now.isoformat(),
        "login": await logins.email_of(tx, device.family_id, device.account_id),
        "device_fr": called.fr,
        "device_en": called.en,
        "summary_fr": summary.fr.format(device=called.fr),
        "summary_en": summary.en.format(device=called.en),
    }
    return Told(device.family_id, "ACCOUNT_SECURITY", type, device.account_id, data, now, priority=0)


def called_by(name: str) -> Sentence:
    """Say in words of ours what calls itself so: a User-Agent is anybody's text, and stands in no message."""
    browser = next((word for part, word in BROWSERS if part in name), None)
    system = next((word for part, word in SYSTEMS if part in name), None)
    if browser is not None and system is not None:
        return Sentence(f"{browser} sur {system}", f"{browser} on {system}")
    known = browser or system
    return UNKNOWN if known is None else Sentence(known, known)
