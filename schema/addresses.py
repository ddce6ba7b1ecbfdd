"""Addresses: where a family can be told things, and how it adds phones and devices (R13)."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from resolvers import phones, preferences, push
from schema.access import EVERYBODY, FAMILY, FAMILY_OR_COUNTER
from schema.declare import Payload, column, embedded, mutation, stored, written
from schema.news import Channel
from schema.relay import OWN, Info, Node, key_of
from schema.scalars import PhoneNumber
from schema.tags import Tag


@stored("address", OWN, tag=Tag.ADDRESS)
@strawberry.type(description="Where a family can be told things, on one channel.")
class Address(Node):
    """An address of a family (R13)."""

    channel: Channel = column("How it is reached.")
    value: str = column("The e-mail address or the number (E.164); of a device, a fingerprint: its keys are not shown.")
    label: str | None = column("What the family calls it.")
    created_at: datetime = column("When it was given.")
    verified_at: datetime | None = column("When it was proven; nothing but its code is sent there before.")
    retired_at: datetime | None = column("Since when nothing is sent there any more.")
    retired_reason: str | None = column(
        "Why: REMOVED, REPLACED, STOPPED (by a text message STOP), TAKEN (another family uses the device now), "
        "TOO_MANY, or what the provider said."
    )


@strawberry.type(description="What a browser needs to subscribe to push messages.")
class WebPush:
    """RFC 8292; also at `/.well-known/web-push-key`."""

    id: strawberry.ID = column("Always the same, for caches.", "'web-push'")
    public_key: str | None = column(
        "The `applicationServerKey` (VAPID), base64url; none: not offered.", "nullif(:web_push_key, '')"
    )


@strawberry.input(description="What a browser's `PushSubscription.toJSON()` gives.")
class WebPushSubscription:
    """RFC 8030, 8291."""

    endpoint: str = strawberry.field(description="Address at the browser's push service.")
    p256dh: str = strawberry.field(description="Public key of the browser, base64url.")
    auth: str = strawberry.field(description="Secret of the browser, base64url.")


@strawberry.type(description="What a change of an address gives.")
class AddressPayload(Payload):
    """Payload of commands on addresses."""

    address: Address | None = written("The address, unless refused.")


@strawberry.type
class AddressQueries:
    """Root fields about addresses."""

    web_push: WebPush = embedded("What a browser needs to subscribe to push messages.", may=EVERYBODY)


Label = Annotated[str | None, strawberry.argument(description="What the family calls it, 200 characters at the most.")]


@strawberry.type
class AddressMutations:
    """Commands about addresses."""

    @mutation(may=FAMILY, description="Add a mobile phone: a code is sent there, which verifyPhone takes.")
    async def add_phone(
        info: Info,
        phone: Annotated[PhoneNumber, strawberry.argument(description="The number, of France or its overseas parts.")],
        label: Label = None,
    ) -> AddressPayload:
        """R13."""
        return _payload(await phones.add(info.context, phone, label))

    @mutation(may=FAMILY, description="Prove a phone by the code that was sent there; it is confirmed (R16).")
    async def verify_phone(
        info: Info,
        address: Annotated[strawberry.ID, strawberry.argument(description="The phone, as addPhone gave it.")],
        code: Annotated[str, strawberry.argument(description="The six digits; blanks do not matter.")],
    ) -> AddressPayload:
        """R13, R16."""
        return _payload(await phones.verify(info.context, _key(info, address), code))

    @mutation(may=FAMILY, description="Let this browser or this app be told things; it is confirmed (R16).")
    async def register_push(
        info: Info,
        web: Annotated[
            WebPushSubscription | None, strawberry.argument(description="Of a browser: its subscription.")
        ] = None,
        token: Annotated[
            str | None, strawberry.argument(description="Of a mobile app: its registration token (FCM).")
        ] = None,
        label: Label = None,
    ) -> AddressPayload:
        """R13."""
        if web is not None and token is None:
            given = push.Subscription(web.endpoint, web.p256dh, web.auth)
            return _payload(await push.register_browser(info.context, given, label))
        if token is not None and web is None:
            return _payload(await push.register_app(info.context, token, label))
        raise info.context.refusal("BAD_USER_INPUT", ["web"])

    @mutation(
        may=FAMILY_OR_COUNTER,
        description="Say where letters go; it is confirmed (R16). The topic's channels say whether any are sent.",
    )
    async def set_postal_address(
        info: Info,
        address: Annotated[
            str, strawberry.argument(description="As on an envelope, without the name: 2 to 6 lines of 38 characters.")
        ],
        family: Annotated[
            strawberry.ID | None, strawberry.argument(description="The family; agents say which one they serve.")
        ] = None,
    ) -> AddressPayload:
        """R13."""
        served = key_of(info.context, family, "Family", "family")[0] if family is not None else None
        return _payload(await preferences.set_postal_address(info.context, address, served))

    @mutation(
        may=FAMILY,
        description="Write again to a login's e-mail address that proved dead and works now; it is confirmed (R16).",
    )
    async def use_address_again(
        info: Info, address: Annotated[strawberry.ID, strawberry.argument(description="The address.")]
    ) -> AddressPayload:
        """R13."""
        return _payload(await preferences.use_again(info.context, _key(info, address)))

    @mutation(may=FAMILY, description="Send nothing more to a phone or a device; it is confirmed (R16).")
    async def remove_address(
        info: Info, address: Annotated[strawberry.ID, strawberry.argument(description="The address.")]
    ) -> AddressPayload:
        """R13."""
        return _payload(await preferences.remove_address(info.context, _key(info, address)))


def constants(web_push_key: str) -> dict[str, str]:
    """Give what `webPush` is made of, for the reader; empty: not offered."""
    return {"web_push_key": web_push_key}


def _key(info: Info, address: strawberry.ID) -> UUID:
    return key_of(info.context, address, "Address", "address")[1]


def _payload(key: tuple[UUID, UUID]) -> AddressPayload:
    return AddressPayload(family_id=key[0], id=key[1])
