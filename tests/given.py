"""Keys of rows that functions of the database give: no table has them to be looked up."""

from collections.abc import Sequence
from typing import Any

import asyncpg

COUNTED = """select s.id, q.by, q.since, q.until, q.codes
    from (values ('{MONTH}'::text[], null::date, null::date, null::text[]), ('{}', '0001-01-02', '9999-12-30', null),
        ('{KIND,SERVICE,STATUS}', null, '9999-12-30', array(select code from service order by code)),
        ('{SERVICE}', null, null, '{}')) q(by, since, until, codes),
        statistics(q.by, q.since, q.until, q.codes, null, true) s"""
KEYS = {
    "StatisticsRow": COUNTED,
    "RevenueRow": "select r.month, r.service_id from revenue(null, null, null, null, true) r",
    "TillTotal": """select t.day, t.means from (select distinct p.received_on as day from payment p
            where p.source in ('COUNTER', 'POST') and p.undone_at is null and ($1::uuid is null or p.family_id = $1)) d,
        till_totals(d.day) t order by t.day, t.means""",
    "AccountEntry": """select f.id, e.id from family f, account_entries(f.id, null, null) e
        where $1::uuid is null or f.id = $1 order by f.id, e.id""",
    "RoutingStep": """select f.id, r.id from family f, unnest('{PAYMENT,PROCEDURE_STATUS}'::text[]) topic,
        channel_routes(f.id, topic) r where $1::uuid is null or f.id = $1 order by f.id, r.id""",
}
"""By type; of one family or of all where rows are a family's, or of days on which it paid."""

OF_FAMILIES = ("AccountEntry", "RoutingStep")


async def keys(connection: asyncpg.Connection, name: str, family: Any = None) -> list[Sequence[Any]]:
    """Give keys of rows of a type."""
    arguments = [family] if "$1" in KEYS[name] else []
    return [tuple(row.values()) for row in await connection.fetch(KEYS[name], *arguments)]
