"""Statements of account: what a family came to owe and what it gave, in order, and what it then owed."""

from datetime import date, datetime
from enum import Enum
from typing import Any

import strawberry

from resolvers.reading.mapping import Order
from schema.access import FAMILY_OR_TILL
from schema.declare import Arg, column, one, report, stored
from schema.invoices import Invoice
from schema.money import Money, money
from schema.payments import Payment
from schema.relay import OWN_OR_TILL, Node
from schema.tags import Tag

CHRONOLOGICAL = Order((("{o}.happened_at", "timestamptz"), ("{o}.id", "text")))


@strawberry.enum(description="What an entry of an account is.")
class AccountEntryKind(Enum):
    """Kinds of entry."""

    INVOICE = strawberry.enum_value("INVOICE", description="An invoice was published: more is owed.")
    CANCELLATION = strawberry.enum_value("CANCELLATION", description="An invoice was cancelled: less is owed.")
    PAYMENT = strawberry.enum_value("PAYMENT", description="Money was received: less is owed.")
    UNDONE = strawberry.enum_value("UNDONE", description="A payment was taken back: more is owed.")
    REFUND = strawberry.enum_value("REFUND", description="Money was paid back: more is owed.")


@stored(
    "account_entries",
    OWN_OR_TILL,
    tag=Tag.ACCOUNT_ENTRY,
    types={"id": "text"},
    again="account_entries({k}.family_id, null, null)",
)
@strawberry.type(description="One entry of a family's account.")
class AccountEntry(Node):
    """An entry; its balance is the same in a statement of whatever days."""

    kind: AccountEntryKind = column("What it is.", "{t}.kind::text")
    happened_at: datetime = column("When.", "({t}.happened_at)")
    amount: Money = money("What it adds to what is owed; below zero where it takes off.", "{t}.cents")
    balance: Money = money("What was owed after it.", "{t}.balance_cents")
    invoice: Invoice | None = one(
        "The invoice that it is about.", "{o}.family_id = {t}.family_id and {o}.id = {t}.invoice_id"
    )
    payment: Payment | None = one(
        "The payment that it is about.", "{o}.family_id = {t}.family_id and {o}.id = {t}.payment_id"
    )


def statement() -> Any:
    """Declare the statement of the family that holds the field."""
    return report(
        "Its statement of account, oldest first; a balance counts everything before it, whatever days are asked for.",
        "account_entries({t}.id, :arg_since, :arg_until)",
        CHRONOLOGICAL,
        may=FAMILY_OR_TILL,
        since=Arg(date | None, "From this day on.", "date"),
        until=Arg(date | None, "Until this day.", "date"),
    )
