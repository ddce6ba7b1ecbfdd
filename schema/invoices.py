"""Invoices: what a family owes, line by line, and what has settled it."""

from datetime import date, datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import strawberry

from resolvers.reading.mapping import Order
from schema.access import FAMILY_OR_TILL
from schema.declare import Arg, column, one, page, stored
from schema.members import Member
from schema.money import Money, money
from schema.relay import NEWEST_FIRST, OLDEST_FIRST, OWN_OR_TILL, Connection, Node
from schema.services import Service, in_language
from schema.tags import Tag

if TYPE_CHECKING:
    from schema.debits import Debit
    from schema.payments import Allocation

SETTLED = """(select coalesce(sum(s.cents), 0) from allocation s
    where s.family_id = ROW.family_id and s.invoice_id = ROW.id and s.freed_at is null)"""
TODAY = "(:now at time zone 'Europe/Paris')::date"
STATUS = """(select invoice_status(ROW.total_cents, b.cents, ROW.cancelled_at, ROW.due_on, TODAY)
    from (select SETTLED as cents offset 0) b)""".replace("SETTLED", SETTLED).replace("TODAY", TODAY)
"""What settled it is a column of a row: PostgreSQL puts the body of the function in the place of its call only then."""
OPEN = f"case when ROW.cancelled_at is null then ROW.total_cents - {SETTLED} else 0 end::integer"
OPEN_CESU = """greatest(0, least(OPEN, ROW.cesu_cents - (select coalesce(sum(s.cents), 0) from allocation s
    where s.family_id = ROW.family_id and s.invoice_id = ROW.id and s.freed_at is null
        and s.line_position is not null)))::integer""".replace("OPEN", OPEN)


FAMILY_NUMBER = "(select f.number from family f where f.id = {t}.family_id)"


def _of(template: str, row: str) -> str:
    return template.replace("ROW", row)


@strawberry.enum(description="Where an invoice stands; derived from what settled it, and from the day.")
class InvoiceStatus(Enum):
    """What the function `invoice_status` of the database gives."""

    ISSUED = strawberry.enum_value("ISSUED", description="Nothing was paid yet.")
    PARTLY_PAID = strawberry.enum_value("PARTLY_PAID", description="A part was paid.")
    PAID = strawberry.enum_value("PAID", description="Nothing more is owed.")
    OVERDUE = strawberry.enum_value("OVERDUE", description="Its due date is past and something is owed.")
    CANCELLED = strawberry.enum_value("CANCELLED", description="Cancelled by the city; nothing is owed for it.")


@stored("invoice_line", OWN_OR_TILL, tag=Tag.INVOICE_LINE)
@strawberry.type(description="One line of an invoice: what was used, and why it costs this much.")
class InvoiceLine(Node):
    """A line."""

    position: int = column("1, 2, 3 … as printed.")
    label: str = column("What it is for, in the language of the viewer.", in_language("label"))
    first_day: date | None = column("First day that it counts.")
    last_day: date | None = column("Last day that it counts.")
    quantity: int = column("How many units; negative in corrections.")
    unit_price: Money = money("Price of one unit.", "{t}.unit_cents")
    amount: Money = money("What it comes to.", "{t}.cents")
    cesu_eligible: bool = column("True when CESU may settle it.")
    explanation: str | None = column(
        "Why this price, in a sentence in the language of the viewer.",
        "{t}.explanation ->> case :language when 'en' then 'en' else 'fr' end",
    )
    member: Member | None = one("Who used it.", "{o}.family_id = {t}.family_id and {o}.id = {t}.member_id")
    service: Service = one("The service.", "{o}.id = {t}.service_id")


@stored("invoice", OWN_OR_TILL, tag=Tag.INVOICE)
@strawberry.type(description="An invoice (facture); published once, never changed, at the most cancelled and replaced.")
class Invoice(Node):
    """An invoice."""

    number: str = column("Number without gap within a year, e.g. 2026-000123.")
    reference: str = column("Reference on its coupon: twelve digits, the last two are check digits.")
    period: date = column("First day of the month that it is for (R29).")
    issued_on: date = column("Day of issue.")
    due_on: date = column("Last day to pay.")
    published_at: datetime = column("When it was published.")
    status: InvoiceStatus = column("Where it stands today.", _of(STATUS, "{t}"))
    total: Money = money("What it is for.", "{t}.total_cents")
    cesu: Money = money("What of it may be paid by CESU.", "{t}.cesu_cents")
    paid: Money = money("What was paid of it.", _of(SETTLED, "{t}") + "::integer")
    open: Money = money("What is still owed; an invoice is paid online whole (R30).", _of(OPEN, "{t}"))
    open_cesu: Money = money("What of that may still be paid by CESU.", _of(OPEN_CESU, "{t}"))
    cancelled_at: datetime | None = column("When it was cancelled.")
    cancelled_reason: str | None = column("Why, as the family was told.")
    lines: Connection[InvoiceLine] = page(
        "Its lines.",
        "{o}.family_id = {t}.family_id and {o}.invoice_id = {t}.id",
        Order((("{o}.position", "integer"),)),
    )
    allocations: Connection[Annotated["Allocation", strawberry.lazy("schema.payments")]] = page(
        "What settled it, also what was freed since, in the order of booking.",
        "{o}.family_id = {t}.family_id and {o}.invoice_id = {t}.id",
        OLDEST_FIRST,
    )
    handed_over_on: date | None = column(
        "When it was handed over to the public accountant, who collects it from then on.",
        "(select h.handed_on from handover h where h.family_id = {t}.family_id and h.invoice_id = {t}.id)",
    )
    debit: Annotated["Debit", strawberry.lazy("schema.debits")] | None = one(
        "Its direct debit: announced, at the bank, or booked.",
        "{o}.family_id = {t}.family_id and {o}.invoice_id = {t}.id and {o}.state in ('ANNOUNCED', 'SENT', 'BOOKED')",
    )
    replaces: str | None = column(
        "Number of the cancelled invoice that it stands for.",
        "(select r.number from invoice r where r.family_id = {t}.family_id and r.id = {t}.replaces_id)",
    )
    replaced_by: str | None = column(
        "Number of the invoice that stands for it, once cancelled.",
        "(select r.number from invoice r where r.family_id = {t}.family_id and r.replaces_id = {t}.id)",
    )
    family_number: str = column("Number of the family that owes it.", FAMILY_NUMBER)


OF_STATUS = Arg(
    list[InvoiceStatus] | None, "Only these statuses.", "text[]", f"{_of(STATUS, '{o}')} = any(:arg_status)"
)
OF_PERIOD = Arg(
    date | None,
    "Only invoices for the month of this day.",
    "date",
    "{o}.period = date_trunc('month', :arg_period::timestamp)::date",
)


@strawberry.type
class InvoiceQueries:
    """Root fields about invoices."""

    invoices: Connection[Invoice] = page(
        "Invoices that the viewer sees: the family's own, or all for who takes money; newest first.",
        "true",
        NEWEST_FIRST,
        may=FAMILY_OR_TILL,
        status=OF_STATUS,
        period=OF_PERIOD,
    )
    invoice: Invoice | None = one(
        "An invoice by its number or by the reference of its coupon.",
        "{o}.number = :arg_number or {o}.reference = :arg_number",
        may=FAMILY_OR_TILL,
        number=Arg(str, "Number, e.g. 2026-000123, or the twelve digits of the coupon."),
    )
