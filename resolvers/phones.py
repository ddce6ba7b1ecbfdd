"""A family's phones: a number is told things once a code that was sent there came back (R13, R16)."""

import hmac
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

from db import addresses as stored
from db import throttle
from db.ids import uuid7
from db.outbox import Told, tell
from db.phone_codes import code_of
from resolvers import attempts
from resolvers.context import Context
from resolvers.family_news import confirm
from resolvers.phone_numbers import masked, normalised_phone

LABEL = 200
PAUSE = timedelta(seconds=30)
"""Between two codes to the same number."""


async def add(context: Context, phone: str, label: str | None) -> tuple[UUID, UUID]:
    """Send a code to a number; gives the key of the address, which is unproven until `verify`.

    Raises Refusal: CHANNEL_NOT_OFFERED, PHONE_NOT_VALID, BAD_USER_INPUT, THROTTLED.
    """
    settings, viewer, now = context.process.settings.sms, context.viewer, context.process.clock()
    if not settings.providers:
        raise context.refusal("CHANNEL_NOT_OFFERED", ["phone"])
    try:
        number = normalised_phone(phone, settings.countries)
    except ValueError as error:
        raise context.refusal("PHONE_NOT_VALID", ["phone"]) from error
    shown = checked_label(context, label)
    await _count_code(context, viewer.account, number, now)
    async with context.transaction() as tx:
        address_id = await stored.offer(tx, viewer.family, uuid7(now), viewer.account, "SMS", number, shown, now)
        challenge_id, until = uuid7(now), now + timedelta(seconds=settings.code_seconds)
        await stored.challenge(tx, viewer.family, challenge_id, viewer.account, address_id, now, until)
        await tell(tx, _code_told(viewer.family, address_id, number, challenge_id, now))
        await context.record(tx, "phone_offered", family=viewer.family, subject=address_id)
    return viewer.family, address_id


async def verify(context: Context, address_id: UUID, code: str) -> tuple[UUID, UUID]:
    """Take the code that was sent; the family is told. Gives the key of the address.

    Raises Refusal: NOT_FOUND, CODE_NOT_VALID (also when it expired), THROTTLED.
    """
    viewer, now, keys = context.viewer, context.process.clock(), context.process.keys
    subject = keys.digest("throttle", f"phone-code/{viewer.account}/{address_id}")
    await attempts.count(context, subject, now)
    async with context.transaction() as tx:
        address = await stored.hold(tx, viewer.family, address_id)
        if address is None or address.channel != "SMS" or address.retired:
            raise context.refusal("NOT_FOUND", ["address"])
        challenge = await stored.open_challenge(tx, viewer.family, address_id, now)
        if challenge is None or not hmac.compare_digest(code_of(keys, challenge).encode(), _digits(code).encode()):
            raise context.refusal("CODE_NOT_VALID", ["code"])
        await stored.use_challenge(tx, viewer.family, challenge, now)
        await stored.verify(tx, viewer.family, address_id, now)
        await throttle.succeed(tx, subject)
        await confirm(tx, context, viewer.family, address_id, "ADDRESS_ADDED", masked(address.value))
        await context.record(tx, "phone_verified", family=viewer.family, subject=address_id)
    return viewer.family, address_id


def checked_label(context: Context, label: str | None) -> str | None:
    """Give a label without blanks around it, None for an empty one. Raises Refusal BAD_USER_INPUT."""
    shown = (label or "").strip()
    if len(shown) > LABEL or not (shown.isprintable()):
        raise context.refusal("BAD_USER_INPUT", ["label"])
    return shown or None


async def _count_code(context: Context, account_id: UUID, number: str, now: datetime) -> None:
    """Count a code for its login and for its number, whoever asks: text messages cost, and too many are a nuisance.

    Raises Refusal THROTTLED.
    """
    keys, most = context.process.keys, context.process.settings.sms.codes_a_day
    subjects = [keys.digest("throttle", f"phone/{account_id}"), keys.digest("throttle", f"phone/{number}")]
    async with context.transaction(system=True) as tx:
        for subject in sorted(subjects):
            await _spend(tx, context, subject, now, most)


async def _spend(tx: Any, context: Context, subject: bytes, now: datetime, most: int) -> None:
    known = await throttle.hold(tx, subject, now.date())
    if known.today >= most:
        raise context.throttled(datetime.combine(now.date() + timedelta(days=1), time(), UTC) - now)
    if known.blocked_until is not None and known.blocked_until > now:
        raise context.throttled(known.blocked_until - now)
    await throttle.fail(tx, subject, now + PAUSE)


def _code_told(family_id: UUID, address_id: UUID, number: str, challenge_id: UUID, now: datetime) -> Told:
    data = {
        "challenge": str(challenge_id),
        "summary_fr": "Un code a été envoyé pour confirmer un numéro.",
        "summary_en": "A code was sent to confirm a number.",
    }
    to = [("SMS", number)]
    return Told(family_id, "ACCOUNT_SECURITY", "phone_verification", address_id, data, now, priority=0, to=to)


def _digits(code: str) -> str:
    return "".join(character for character in code[:20] if not character.isspace())
