"""Revenue: what was invoiced and paid, by service and month; sums, and never a family's own."""

from datetime import date

import strawberry

from resolvers.reading.mapping import Order
from schema.access import TILL, and_partner
from schema.declare import Arg, column, one, report, stored
from schema.money import Money, money
from schema.relay import Connection, Node
from schema.services import Service
from schema.statistics import count_sql
from schema.tags import Tag

BY_MONTH = Order((("{o}.id", "text"),))
OF_THE_TILL = "'{CASHIER,ADMIN}'::text[] && :roles"
SMALL = "Null below five families for partners, and beyond what an Int holds."


def _sum(cents: str) -> str:
    """Give the template of a sum, or null rather than a false one."""
    return f"case when abs({cents}) <= 2147483647 then ({cents})::integer end"


@stored(
    "revenue",
    {"AGENT": OF_THE_TILL, "PARTNER": "'INVOICES_AGGREGATE' = any(:scopes)"},
    tag=Tag.REVENUE_ROW,
    key=("month", "service_id"),
    types={"month": "date"},
    again=f"revenue({{k}}.month, {{k}}.month, null, :services, {OF_THE_TILL})",
)
@strawberry.type(
    description="What one service was invoiced for in one month. A payment of an invoice over several services counts "
    "for each in proportion to its lines; what may pay for one line only (CESU) counts for that line's."
)
class RevenueRow(Node):
    """One month of one service, whatever months and services were asked for; cancelled invoices do not count."""

    month: date = column("First day of the month that the invoices are for.", "{t}.month::date")
    service: Service = one("The service.", "{o}.id = {t}.service_id", kept_by="the sums are joined with their services")
    invoices: int = column("How many invoices have a line of the service.", count_sql("invoices"))
    families: int = column("How many families these are of.", count_sql("families"))
    invoiced: Money | None = money(f"What their lines of the service come to. {SMALL}", _sum("{t}.invoiced_cents"))
    paid: Money | None = money(f"What of it was paid. {SMALL}", _sum("{t}.paid_cents"))
    due: Money | None = money(f"What of it is still owed. {SMALL}", _sum("({t}.invoiced_cents - {t}.paid_cents)"))


@strawberry.type
class RevenueQueries:
    """Root fields about revenue."""

    revenue: Connection[RevenueRow] = report(
        "Revenue of the partner's services, of all for who takes money, in order of month and service; exact at any "
        "moment.",
        f"revenue(:arg_from, :arg_until, :arg_services, :services, {OF_THE_TILL})",
        BY_MONTH,
        may=and_partner(TILL, "INVOICES_AGGREGATE"),
        **{"from": Arg(date | None, "First month, by any of its days.", "date")},
        until=Arg(date | None, "Last month, by any of its days.", "date"),
        services=Arg(list[str] | None, "Only these services, by their codes.", "text[]"),
    )
