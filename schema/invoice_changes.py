"""What is live about invoices: each change of where they stand, from the family's stream of news."""

import strawberry

from db.money_news import INVOICE_NEWS
from resolvers.reading.identity import id_sql
from schema.access import FAMILY
from schema.declare import column, feed, page, stored
from schema.invoices import Invoice
from schema.news import CURSOR, NEWS_ITEM
from schema.relay import OLDEST_FIRST, OWN, Connection


@stored("news", OWN)
@strawberry.type(description="Invoices stand otherwise than before.")
class InvoiceChange:
    """What `invoiceChanged` pushes."""

    id: strawberry.ID = column("Id of the item of news that tells it.", id_sql(NEWS_ITEM))
    cursor: str = column("For `after`, to resume behind this event.", CURSOR)
    type: str = column("What happened, e.g. payment_received.")
    invoices: Connection[Invoice] = page(
        "The invoices that it concerns, as they stand now.",
        "{o}.family_id = {t}.family_id and ({o}.id = {t}.subject_id or {o}.id in (select a.invoice_id "
        "from allocation a join payment p on p.family_id = a.family_id and p.id = a.payment_id "
        "join payment s on s.family_id = p.family_id and s.visit_id = p.visit_id "
        "where s.family_id = {t}.family_id and s.id = {t}.subject_id))",
        OLDEST_FIRST,
    )


@strawberry.type
class InvoiceSubscriptions:
    """Live streams about invoices."""

    invoice_changed: InvoiceChange = feed(
        "Each change of the family's invoices as it is committed: issued, paid, freed, cancelled, reminded of.",
        may=FAMILY,
        types=INVOICE_NEWS,
        takes=("after",),
    )
