"""Webhooks of partners, and the journal of what was sent to them."""

from datetime import datetime
from enum import Enum
from typing import Annotated

import strawberry

from resolvers import webhooks
from schema.access import PARTNER, and_partner
from schema.declare import Payload, column, mutation, page, stored, written
from schema.partners import OWN_OR_ADMIN
from schema.relay import NEWEST_FIRST, OLDEST_FIRST, Connection, Info, Node, key_of
from schema.tags import Tag

USES = and_partner(PARTNER, "PROCEDURES_READ")


@strawberry.enum(description="Why nothing is sent to a webhook.")
class DisabledBecause(Enum):
    """Reasons."""

    BY_PARTNER = strawberry.enum_value("BY_PARTNER", description="The partner disabled it.")
    FAILING = strawberry.enum_value("FAILING", description="It failed for a day; the partner's contact was told.")
    GONE = strawberry.enum_value("GONE", description="It answered 410.")
    PARTNER_ENDED = strawberry.enum_value(
        "PARTNER_ENDED", description="The partner was revoked, expired or lost the scope."
    )


@strawberry.enum(description="What became of a message to a webhook.")
class WebhookStatus(Enum):
    """States of a delivery."""

    PENDING = strawberry.enum_value("PENDING", description="Waits, for its turn or to be tried again.")
    DELIVERED = strawberry.enum_value("DELIVERED", description="Answered with 2xx.")
    FAILED = strawberry.enum_value("FAILED", description="Given up after all attempts.")


@stored("webhook_attempt", OWN_OR_ADMIN, tag=Tag.WEBHOOK_ATTEMPT, key=("partner_id", "id"))
@strawberry.type(description="One attempt to hand a message over.")
class WebhookAttempt(Node):
    """An entry of the journal."""

    number: int = column("1, 2, 3 …")
    begun_at: datetime = column("When.")
    milliseconds: int = column("How long it took.")
    status_code: int | None = column("What was answered; none when nothing was.")
    problem: str | None = column("Why it does not count; none when it does.")
    answer: str | None = column("How the answer's body began.")


@stored("webhook_delivery", OWN_OR_ADMIN, tag=Tag.WEBHOOK_DELIVERY, key=("partner_id", "id"))
@strawberry.type(description="One message to a webhook; kept for seven days.")
class WebhookDelivery(Node):
    """A row of the journal."""

    message_id: str = column("Header `webhook-id`: the same at each attempt and replay; know duplicates by it.")
    type: str = column("`procedure.moved` or `test`.")
    body: str = column("What is sent, byte for byte.")
    status: WebhookStatus = column("What became of it.")
    attempts: int = column("How often it was tried.")
    next_try_at: datetime = column("When it is tried next, while it waits.")
    created_at: datetime = column("When it was ordered.")
    delivered_at: datetime | None = column("When it was answered with 2xx.")
    replay: bool = column("Whether it was asked for again.")
    tries: Connection[WebhookAttempt] = page(
        "Each attempt.", "{o}.partner_id = {t}.partner_id and {o}.delivery_id = {t}.id", OLDEST_FIRST
    )


@stored("webhook", OWN_OR_ADMIN, tag=Tag.WEBHOOK, key=("partner_id", "id"))
@strawberry.type(description="An address to which a partner is told the feed, in its order.")
class Webhook(Node):
    """A webhook."""

    url: str = column("The address.")
    shows_certificate: bool = column("Whether we show it a certificate (mTLS).", "({t}.sealed_certificate is not null)")
    created_at: datetime = column("When it was registered.")
    old_secret_until: datetime | None = column("Until when the secret before a rotation signs too.")
    disabled_at: datetime | None = column("Since when nothing is sent.")
    disabled_because: DisabledBecause | None = column("Why.")
    deliveries: Connection[WebhookDelivery] = page(
        "The journal, newest first.", "{o}.partner_id = {t}.partner_id and {o}.webhook_id = {t}.id", NEWEST_FIRST
    )


@strawberry.type
class WebhookQueries:
    """Root fields about webhooks."""

    webhooks: Connection[Webhook] = page("The partner's webhooks, newest first.", "true", NEWEST_FIRST, may=USES)


@strawberry.type(description="What a command on a webhook gives.")
class WebhookPayload(Payload):
    """Payload of commands on webhooks."""

    webhook: Webhook | None = written("The webhook.", "{o}.partner_id = :source_family_id and {o}.id = :source_id")
    secret: str | None = strawberry.field(
        default=None, description="What signs its messages (Standard Webhooks), shown once."
    )
    ordered: int | None = strawberry.field(default=None, description="How many messages are sent again.")


WebhookID = Annotated[strawberry.ID, strawberry.argument(description="Id of the webhook.")]


@strawberry.type
class WebhookMutations:
    """Commands on webhooks."""

    @mutation(may=USES, description="Register an address. It is told each step of the feed from now on, signed.")
    async def register_webhook(
        info: Info,
        url: Annotated[str, strawberry.argument(description="The address: https, of the public network.")],
        certificate: Annotated[
            str | None, strawberry.argument(description="Certificate and key to show to it, in PEM (mTLS).")
        ] = None,
    ) -> WebhookPayload:
        """The secret is shown once."""
        webhook_id, secret = await webhooks.register(info.context, url, certificate)
        return WebhookPayload(family_id=info.context.viewer.partner, id=webhook_id, secret=secret)

    @mutation(
        may=USES,
        description="Give a webhook a new secret. For some hours each message carries both signatures, separated by a "
        "space; the one of before the last rotation counts no more.",
    )
    async def rotate_webhook_secret(
        info: Info,
        webhook: WebhookID,
        overlap_hours: Annotated[int, strawberry.argument(description="How long the old one signs too; 0 to 168.")],
    ) -> WebhookPayload:
        """The new one is shown once."""
        partner_id, webhook_id = key_of(info.context, webhook, "Webhook", "webhook")
        secret = await webhooks.rotate_secret(info.context, partner_id, webhook_id, overlap_hours)
        return WebhookPayload(family_id=partner_id, id=webhook_id, secret=secret)

    @mutation(may=USES, description="Send a message of type `test`, behind what waits.")
    async def test_webhook(info: Info, webhook: WebhookID) -> WebhookPayload:
        """Its result is in the journal."""
        partner_id, webhook_id = key_of(info.context, webhook, "Webhook", "webhook")
        await webhooks.test(info.context, partner_id, webhook_id)
        return WebhookPayload(family_id=partner_id, id=webhook_id, ordered=1)

    @mutation(may=USES, description="Send again one message of the journal, or all since a moment, in their order.")
    async def replay_webhook(
        info: Info,
        webhook: WebhookID,
        delivery: Annotated[strawberry.ID | None, strawberry.argument(description="The one message.")] = None,
        since: Annotated[datetime | None, strawberry.argument(description="All since this moment.")] = None,
    ) -> WebhookPayload:
        """With the same message ids."""
        context = info.context
        partner_id, webhook_id = key_of(context, webhook, "Webhook", "webhook")
        found = key_of(context, delivery, "WebhookDelivery", "delivery")[1] if delivery else None
        count = await webhooks.replay(context, partner_id, webhook_id, found, since)
        return WebhookPayload(family_id=partner_id, id=webhook_id, ordered=count)

    @mutation(may=USES, description="Send nothing more to a webhook; what waits stays in the journal.")
    async def disable_webhook(info: Info, webhook: WebhookID) -> WebhookPayload:
        """Once more changes nothing."""
        partner_id, webhook_id = key_of(info.context, webhook, "Webhook", "webhook")
        await webhooks.disable(info.context, partner_id, webhook_id)
        return WebhookPayload(family_id=partner_id, id=webhook_id)

    @mutation(may=USES, description="Send to a disabled webhook again, what waits first.")
    async def enable_webhook(info: Info, webhook: WebhookID) -> WebhookPayload:
        """After its receiver was mended."""
        partner_id, webhook_id = key_of(info.context, webhook, "Webhook", "webhook")
        await webhooks.enable(info.context, partner_id, webhook_id)
        return WebhookPayload(family_id=partner_id, id=webhook_id)
