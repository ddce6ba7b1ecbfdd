"""Corrections: invoices cancelled and issued again, credits paid back or used."""

from typing import Annotated

import strawberry

from resolvers import invoices
from schema.access import TILL
from schema.counter import IdempotencyKey, Reason
from schema.declare import Payload, mutation, written
from schema.families import Family
from schema.invoices import Invoice
from schema.payments import Payment, PaymentMeans
from schema.relay import Info, key_of


@strawberry.input(description="A line of a cancelled invoice that is issued again.")
class ReissuedLineInput:
    """A line to keep."""

    position: int = strawberry.field(description="Its position on the cancelled invoice.")
    quantity: int = strawberry.field(description="How many units it should have had.")


@strawberry.type(description="What cancelling an invoice gives.")
class InvoicePayload(Payload):
    """Payload of cancelInvoice."""

    invoice: Invoice | None = written(
        "The cancelled invoice, unless refused; `replacedBy` names the one that stands for it."
    )


@strawberry.type(description="What paying credit back gives.")
class RefundPayload(Payload):
    """Payload of refundPayment."""

    payment: Payment | None = written("The payment with its refunds, unless refused.")


@strawberry.type(description="What using credit gives.")
class CreditPayload(Payload):
    """Payload of useCredit."""

    family: Family | None = written("The family, unless refused.", "{o}.id = :source_family_id")


@strawberry.type
class InvoiceMutations:
    """Commands on invoices and credits."""

    @mutation(
        may=TILL,
        description="Cancel an invoice for good, and issue it again with the lines given. What had settled it becomes "
        "credit, which settles the new invoice first. The family is told.",
    )
    async def cancel_invoice(
        info: Info,
        invoice: Annotated[strawberry.ID, strawberry.argument(description="The invoice.")],
        reason: Reason,
        idempotency_key: IdempotencyKey,
        reissue: Annotated[
            list[ReissuedLineInput] | None,
            strawberry.argument(description="Lines to issue again; none: nothing is owed any more."),
        ] = None,
    ) -> InvoicePayload:
        """A published invoice never changes."""
        key = key_of(info.context, invoice, "Invoice", "invoice")
        kept = None if reissue is None else [invoices.KeptLine(each.position, each.quantity) for each in reissue]
        (family_id, invoice_id), _ = await invoices.cancel(
            info.context, (key[0], key[1]), reason, kept, idempotency_key
        )
        return InvoicePayload(family_id=family_id, id=invoice_id)

    @mutation(may=TILL, description="Pay credit of a payment back; the family is told.")
    async def refund_payment(
        info: Info,
        payment: Annotated[strawberry.ID, strawberry.argument(description="The payment.")],
        cents: Annotated[int, strawberry.argument(description="How much, in cents: its credit at the most.")],
        means: Annotated[PaymentMeans, strawberry.argument(description="CASH, CARD or TRANSFER.")],
        reason: Reason,
        idempotency_key: IdempotencyKey,
    ) -> RefundPayload:
        """Credit goes back to who paid too much."""
        key = key_of(info.context, payment, "Payment", "payment")
        (family_id, payment_id), _ = await invoices.refund(
            info.context, (key[0], key[1]), cents, means.name, reason, idempotency_key
        )
        return RefundPayload(family_id=family_id, id=payment_id)

    @mutation(may=TILL, description="Settle open invoices of a family with its credits, oldest first.")
    async def use_credit(
        info: Info,
        family: Annotated[strawberry.ID, strawberry.argument(description="The family.")],
        invoices_: Annotated[
            list[strawberry.ID],
            strawberry.argument(name="invoices", description="Its open invoices, first to be settled first."),
        ],
        idempotency_key: IdempotencyKey,
    ) -> CreditPayload:
        """Later invoices use credits by themselves."""
        [family_id] = key_of(info.context, family, "Family", "family")
        wanted = [key_of(info.context, each, "Invoice", "invoices") for each in invoices_]
        await invoices.use_credit(info.context, family_id, [(each[0], each[1]) for each in wanted], idempotency_key)
        return CreditPayload(family_id=family_id)
