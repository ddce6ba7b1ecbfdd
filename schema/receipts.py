"""Receipts: the link under which one is fetched."""

from datetime import datetime
from typing import Annotated

import strawberry

from resolvers import receipts
from schema.access import FAMILY_OR_TILL
from schema.declare import Payload, mutation
from schema.relay import Info, key_of


@strawberry.type(description="A link to a receipt.")
class ReceiptLinkPayload(Payload):
    """Payload of receiptLink."""

    url: str | None = strawberry.field(
        default=None, description="Gives the receipt (PDF) to whoever has it, without signing in."
    )
    expires_at: datetime | None = strawberry.field(
        default=None, description="When it ends, five minutes later unless the city sets another time."
    )


@strawberry.type
class ReceiptMutations:
    """Commands about receipts."""

    @mutation(
        may=FAMILY_OR_TILL,
        description="Make a short link to the receipt of a payment and of those made at the same visit. With a token "
        "of one's own it is also at the path that `Payment.receipt` names.",
    )
    async def receipt_link(
        info: Info,
        payment: Annotated[strawberry.ID, strawberry.argument(description="Id of the payment.")],
    ) -> ReceiptLinkPayload:
        """R16."""
        family_id, payment_id = key_of(info.context, payment, "Payment", "payment")
        url, until = await receipts.link_of(info.context, (family_id, payment_id))
        return ReceiptLinkPayload(url=url, expires_at=until)
