"""Payments: money received, what it settled, what is left of it."""

from datetime import date, datetime
from enum import Enum
from typing import Annotated

import strawberry

from schema.access import FAMILY_OR_TILL
from schema.declare import Arg, column, one, page, stored
from schema.invoices import FAMILY_NUMBER, Invoice
from schema.money import Money, money
from schema.relay import NEWEST_FIRST, OLDEST_FIRST, OWN_OR_TILL, Connection, Node
from schema.tags import Tag

USED = """(select coalesce(sum(s.cents), 0) from allocation s
    where s.family_id = {t}.family_id and s.payment_id = {t}.id and s.freed_at is null)"""
REFUNDED = """(select coalesce(sum(s.cents), 0) from refund s
    where s.family_id = {t}.family_id and s.payment_id = {t}.id)"""


@strawberry.enum(description="By what means money was received.")
class PaymentMeans(Enum):
    """Means of payment (R25–R28)."""

    CASH = strawberry.enum_value("CASH", description="Cash, at the counter only.")
    CHEQUE = strawberry.enum_value("CHEQUE", description="Cheque to the Trésor public.")
    CARD = strawberry.enum_value("CARD", description="Card at the counter.")
    CESU = strawberry.enum_value("CESU", description="CESU vouchers, for eligible lines only.")
    HOLIDAY_VOUCHER = strawberry.enum_value("HOLIDAY_VOUCHER", description="Holiday vouchers; no change is given.")
    ONLINE_CARD = strawberry.enum_value("ONLINE_CARD", description="Card on the bank's page.")
    DIRECT_DEBIT = strawberry.enum_value("DIRECT_DEBIT", description="SEPA direct debit.")
    TRANSFER = strawberry.enum_value("TRANSFER", description="Bank transfer.")
    CREDIT_NOTE = strawberry.enum_value("CREDIT_NOTE", description="Granted by the city.")


@strawberry.enum(description="By which way money was received.")
class PaymentSource(Enum):
    """Ways in."""

    COUNTER = strawberry.enum_value("COUNTER", description="At the town hall (R28).")
    POST = strawberry.enum_value("POST", description="By post, with the coupon (R27).")
    CARD = strawberry.enum_value("CARD", description="Card online (R25).")
    DEBIT = strawberry.enum_value("DEBIT", description="Direct debit (R26).")
    CITY = strawberry.enum_value("CITY", description="Granted by the city.")


@stored("allocation", OWN_OR_TILL, tag=Tag.ALLOCATION)
@strawberry.type(description="How much of a payment settles an invoice.")
class Allocation(Node):
    """An allocation; never deleted."""

    amount: Money = money("How much.", "{t}.cents")
    allocated_at: datetime = column("Since when.")
    freed_at: datetime | None = column("Until when: the payment was undone, or the invoice cancelled.")
    invoice: Invoice = one("The invoice.", "{o}.family_id = {t}.family_id and {o}.id = {t}.invoice_id")
    line_position: int | None = column("The line, where the means is good for some lines only.")
    payment: Annotated["Payment", strawberry.lazy("schema.payments")] = one(
        "The payment.", "{o}.family_id = {t}.family_id and {o}.id = {t}.payment_id"
    )


@stored("refund", OWN_OR_TILL, tag=Tag.REFUND)
@strawberry.type(description="Credit that was paid back.")
class Refund(Node):
    """A refund."""

    amount: Money = money("How much.", "{t}.cents")
    means: PaymentMeans = column("By what means.")
    reason: str = column("Why.")
    booked_on: date = column("Day of the accounts.", "{t}.refunded_on")
    paid_back_at: datetime = column("When.", "{t}.refunded_at")


@stored("payment", OWN_OR_TILL, tag=Tag.PAYMENT)
@strawberry.type(description="Money that was received by one means (règlement).")
class Payment(Node):
    """A payment."""

    means: PaymentMeans = column("By what means.")
    source: PaymentSource = column("By which way.")
    amount: Money = money("How much.", "{t}.cents")
    forfeited: Money = money("What vouchers were worth beyond it; no change is given.", "{t}.forfeited_cents")
    credit: Money = money(
        "What is left of it: neither allocated nor paid back.",
        f"case when {{t}}.undone_at is null then {{t}}.cents - {USED} - {REFUNDED} else 0 end::integer",
    )
    refunded: Money = money("What was paid back of it.", f"{REFUNDED}::integer")
    received_on: date = column("Day of the accounts.")
    received_at: datetime = column("When it was received.")
    bank_reference: str | None = column("The bank's authorisation code (R35).")
    receipt_number: str = column("Number of the receipt; payments of one visit share it.")
    receipt: str = column("Path of the receipt (PDF).", "'/receipts/' || {t}.visit_id || '.pdf'")
    undone_at: datetime | None = column("When it was taken back.")
    undone_reason: str | None = column("Why.")
    allocations: Connection[Allocation] = page(
        "What it settled, also what was freed since.",
        "{o}.family_id = {t}.family_id and {o}.payment_id = {t}.id",
        OLDEST_FIRST,
    )
    refunds: Connection[Refund] = page(
        "What was paid back.", "{o}.family_id = {t}.family_id and {o}.payment_id = {t}.id", OLDEST_FIRST
    )
    together: Connection[Annotated["Payment", strawberry.lazy("schema.payments")]] = page(
        "All payments of the same visit: they have one receipt.",
        "{o}.family_id = {t}.family_id and {o}.visit_id = {t}.visit_id",
        OLDEST_FIRST,
    )
    family_number: str = column("Number of the family that paid.", FAMILY_NUMBER)


@strawberry.type
class PaymentQueries:
    """Root fields about payments."""

    payments: Connection[Payment] = page(
        "Payments that the viewer sees: the family's own, or all for who takes money; newest first.",
        "true",
        NEWEST_FIRST,
        may=FAMILY_OR_TILL,
        means=Arg(list[PaymentMeans] | None, "Only these means.", "text[]", "{o}.means = any(:arg_means)"),
        since=Arg(date | None, "Received on this day or later.", "date", "{o}.received_on >= :arg_since"),
        until=Arg(date | None, "Received on this day or earlier.", "date", "{o}.received_on <= :arg_until"),
    )
