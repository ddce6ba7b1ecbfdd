"""A family's devices: browsers (RFC 8030) and mobile apps that take push messages."""

import hashlib
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from db import addresses as stored
from db.ids import uuid7
from db.web_push import BadKey, is_allowed, public_point, unpadded
from resolvers.context import Context
from resolvers.family_news import confirm
from resolvers.phones import checked_label

LONGEST = 1000
AUTH_BYTES = 16


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a browser's `PushSubscription.toJSON()` gives."""

    endpoint: str
    p256dh: str
    auth: str


async def register_browser(context: Context, given: Subscription, label: str | None) -> tuple[UUID, UUID]:
    """Let a browser be told things; gives the key of its address.

    Raises Refusal: CHANNEL_NOT_OFFERED, PUSH_NOT_VALID (also for a push service that is not on the list).
    """
    settings = context.process.settings.push
    if not settings.enabled:
        raise context.refusal("CHANNEL_NOT_OFFERED", ["web"])
    if len(given.endpoint) > LONGEST or not is_allowed(given.endpoint, settings.hosts):
        raise context.refusal("PUSH_NOT_VALID", ["web", "endpoint"])
    try:
        public_point(given.p256dh)
        if len(unpadded(given.auth)) != AUTH_BYTES:
            raise BadKey("not 16 bytes")
    except BadKey as error:
        raise context.refusal("PUSH_NOT_VALID", ["web"]) from error
    target = {"endpoint": given.endpoint, "p256dh": given.p256dh, "auth": given.auth}
    return await _register(context, "WEB_PUSH", given.endpoint, target, label)


async def register_app(context: Context, token: str, label: str | None) -> tuple[UUID, UUID]:
    """Let a mobile app be told things; gives the key of its address.

    Raises Refusal: CHANNEL_NOT_OFFERED, PUSH_NOT_VALID.
    """
    if context.process.settings.fcm.service_account is None:
        raise context.refusal("CHANNEL_NOT_OFFERED", ["token"])
    if not 20 <= len(token) <= LONGEST or not (token.isascii() and token.isprintable() and " " not in token):
        raise context.refusal("PUSH_NOT_VALID", ["token"])
    return await _register(context, "MOBILE_PUSH", token, {"token": token}, label)


async def _register(
    context: Context, channel: str, secret: str, target: dict[str, Any], label: str | None
) -> tuple[UUID, UUID]:
    """Write a device under a fingerprint: who knows its endpoint or token could send there."""
    viewer, now = context.viewer, context.process.clock()
    family_id, account_id, shown = viewer.family, viewer.account, checked_label(context, label)
    fingerprint = hashlib.sha256(secret.encode()).hexdigest()[:32]
    # The portal's own sight: on a shared device another family may have been told things until now.
    async with context.transaction(system=True) as tx:
        await stored.take_from_others(tx, family_id, channel, fingerprint, now)
        address_id = await stored.register(
            tx, family_id, uuid7(now), account_id, (channel, fingerprint), target, shown, now
        )
        await stored.retire_oldest(tx, family_id, account_id, channel, now, context.process.settings.push.devices)
        await confirm(tx, context, family_id, address_id, "ADDRESS_ADDED", shown or DEVICES[channel])
        await context.record(tx, "push_registered", family=family_id, subject=address_id)
    return family_id, address_id


DEVICES = {"WEB_PUSH": "navigateur / browser", "MOBILE_PUSH": "application"}
"""What a device without a label is called."""
