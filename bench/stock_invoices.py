"""Invoices, as stock Strawberry has them."""

from datetime import date

import strawberry

from bench.stock_data import Row
from bench.stock_relay import Connection, Info, Money, connection, global_id, translated


@strawberry.type
class InvoiceLine:
    """One line."""

    quantity: int
    unit_price: Money
    amount: Money
    row: strawberry.Private[Row]

    @strawberry.field
    def label(self, info: Info) -> str:
        return translated(info, self.row, "label")


def line_from(row: Row) -> InvoiceLine:
    """Make a line."""
    unit_price, amount = Money(cents=row["unit_cents"]), Money(cents=row["cents"])
    return InvoiceLine(quantity=row["quantity"], unit_price=unit_price, amount=amount, row=row)


@strawberry.type
class Invoice:
    """An invoice."""

    id: strawberry.ID
    number: str
    period: date
    status: str
    due_on: date
    total: Money
    row: strawberry.Private[Row]

    @strawberry.field
    async def lines(self, info: Info, first: int = 20) -> Connection[InvoiceLine]:
        rows = await info.context.lines(first + 1).load((self.row["family_id"], self.row["id"]))
        return connection(rows, first, "InvoiceLine", "position id", line_from)


def invoice_from(row: Row) -> Invoice:
    """Make an invoice."""
    return Invoice(
        id=global_id(40, row["family_id"], row["id"]),
        number=row["number"],
        period=row["period"],
        status=row["status"],
        due_on=row["due_on"],
        total=Money(cents=row["total_cents"]),
        row=row,
    )
