"""Webhooks: a partner registers addresses, tries them, sends again what its journal holds, and stops them."""

import base64
import secrets
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from db import webhooks as stored
from db.ids import uuid7
from db.outside import UrlRefused, checked_url
from resolvers.context import Context, Process

SECRET_BEGINS = "whsec_"  # noqa: S105 - as Standard Webhooks write it
LONGEST_CERTIFICATE = 20_000


async def register(context: Context, url: str, certificate: str | None) -> tuple[UUID, str]:
    """Write an address; give its id and the secret that signs, shown once.

    Raises Refusal: WEBHOOK_URL_REFUSED, BAD_USER_INPUT (the certificate), TOO_MANY_WEBHOOKS.
    """
    process, partner_id, now = context.process, context.viewer.partner, context.process.clock()
    settings = process.settings
    allowed = settings.webhooks.private_networks
    try:
        checked = checked_url(url, https=settings.server.production, allowed=allowed)
    except UrlRefused as refused:
        raise context.refusal("WEBHOOK_URL_REFUSED", ["url"]) from refused
    shown = _checked_certificate(context, certificate)
    secret, sealed = _new_secret(process)
    sealed_certificate = process.keys.seal(stored.PURPOSE, shown) if shown else None
    webhook_id = uuid7(now)
    async with context.transaction() as tx:
        if await stored.count(tx, partner_id) >= settings.webhooks.each_partner:
            raise context.refusal("TOO_MANY_WEBHOOKS", ["url"])
        await stored.insert(tx, partner_id, webhook_id, checked, sealed, sealed_certificate, now)
        await context.record(tx, "webhook_registered", family=None, subject=webhook_id)
    return webhook_id, secret


async def rotate_secret(context: Context, partner_id: UUID, webhook_id: UUID, overlap_hours: int) -> str:
    """Give a new secret, shown once; the one of before signs too for so many hours, any older one no more.

    Raises Refusal NOT_FOUND, BAD_USER_INPUT.
    """
    process, now = context.process, context.process.clock()
    if not 0 <= overlap_hours <= process.settings.partners.overlap_hours_at_most:
        raise context.refusal("BAD_USER_INPUT", ["overlapHours"])
    secret, sealed = _new_secret(process)
    until = now + timedelta(hours=overlap_hours) if overlap_hours else None
    async with context.transaction() as tx:
        await _held(tx, context, partner_id, webhook_id)
        await stored.rotate(tx, partner_id, webhook_id, sealed, until)
        act = "webhook_secret_rotated"
        await context.record(tx, act, family=None, subject=webhook_id, overlap_hours=overlap_hours)
    return secret


async def test(context: Context, partner_id: UUID, webhook_id: UUID) -> UUID:
    """Send a message of type `test` behind what waits; give its id. Raises Refusal NOT_FOUND, WEBHOOK_DISABLED."""
    now = context.process.clock()
    delivery_id = uuid7(now)
    body = msgspec.json.encode({"type": "test", "timestamp": now, "data": {"webhook": str(webhook_id)}}).decode()
    async with context.transaction() as tx:
        await _working(tx, context, partner_id, webhook_id)
        await stored.order(tx, partner_id, webhook_id, delivery_id, "test", body, now)
    return delivery_id


async def replay(
    context: Context, partner_id: UUID, webhook_id: UUID, delivery_id: UUID | None, since: datetime | None
) -> int:
    """Send again one delivery, or all of the journal since a moment, in their order; give how many.

    They keep their message ids. Raises Refusal NOT_FOUND, WEBHOOK_DISABLED, BAD_USER_INPUT unless one of both is given.
    """
    now, most = context.process.clock(), context.process.settings.webhooks.replay_at_most
    if (delivery_id is None) == (since is None):
        raise context.refusal("BAD_USER_INPUT", ["delivery", "since"])
    async with context.transaction() as tx:
        await _working(tx, context, partner_id, webhook_id)
        count = await stored.replay(tx, partner_id, webhook_id, delivery_id, since, now, most)
        if delivery_id is not None and not count:
            raise context.refusal("NOT_FOUND", ["delivery"])
        await context.record(tx, "webhook_replayed", family=None, subject=webhook_id, deliveries=count)
    return count


async def disable(context: Context, partner_id: UUID, webhook_id: UUID) -> None:
    """Send nothing more to an address; once more changes nothing. Raises Refusal NOT_FOUND."""
    now = context.process.clock()
    async with context.transaction() as tx:
        if await _held(tx, context, partner_id, webhook_id):
            await stored.disable(tx, partner_id, webhook_id, "BY_PARTNER", now)
            await context.record(tx, "webhook_disabled", family=None, subject=webhook_id)


async def enable(context: Context, partner_id: UUID, webhook_id: UUID) -> None:
    """Send to an address again, what waits first; once more changes nothing. Raises Refusal NOT_FOUND,
    TOO_MANY_WEBHOOKS.
    """
    now = context.process.clock()
    async with context.transaction() as tx:
        if await _held(tx, context, partner_id, webhook_id):
            return
        if await stored.count(tx, partner_id) >= context.process.settings.webhooks.each_partner:
            raise context.refusal("TOO_MANY_WEBHOOKS", ["webhook"])
        await stored.enable(tx, partner_id, webhook_id, now)
        await context.record(tx, "webhook_enabled", family=None, subject=webhook_id)


async def sweep(process: Process, tx: Any) -> int:
    """Forget what is older than the journal, 5,000 deliveries at the most, and ended secrets; give how many went."""
    await stored.forget_secrets(tx, process.clock())
    before = process.clock() - timedelta(days=process.settings.webhooks.journal_days)
    return await stored.sweep(tx, before, 5000)


async def _held(tx: Any, context: Context, partner_id: UUID, webhook_id: UUID) -> bool:
    works = await stored.hold(tx, partner_id, webhook_id)
    if works is None:
        raise context.refusal("NOT_FOUND", ["webhook"])
    return works


async def _working(tx: Any, context: Context, partner_id: UUID, webhook_id: UUID) -> None:
    if not await _held(tx, context, partner_id, webhook_id):
        raise context.refusal("WEBHOOK_DISABLED", ["webhook"])


def _new_secret(process: Process) -> tuple[str, bytes]:
    """Give a secret as it is shown, and as it is kept."""
    secret = SECRET_BEGINS + base64.b64encode(secrets.token_bytes(32)).decode()
    return secret, process.keys.seal(stored.PURPOSE, secret.encode())


def _checked_certificate(context: Context, text: str | None) -> bytes | None:
    """Give a certificate and its key in PEM, when both can be read and belong together."""
    if text is None:
        return None
    try:
        pem = text.encode("ascii")
        key = load_pem_private_key(pem[pem.index(b"-----BEGIN ", pem.index(b"-----END CERTIFICATE")) :], None)
        fits = x509.load_pem_x509_certificate(pem).public_key() == key.public_key()
    except (ValueError, TypeError) as error:
        raise context.refusal("BAD_USER_INPUT", ["certificate"]) from error
    if not fits or len(pem) > LONGEST_CERTIFICATE:
        raise context.refusal("BAD_USER_INPUT", ["certificate"])
    return pem
