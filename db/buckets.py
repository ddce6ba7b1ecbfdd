"""Points that subjects have spent, shared by all nodes: one row a subject, by the generic cell rate algorithm.

A row holds the theoretical arrival time: when everything spent will have flowed back. Only the database's clock counts,
because the clocks of nodes may differ.
"""

from collections.abc import Mapping
from typing import Any

# Sorted, so that two nodes that tell of the same subjects wait for each other in turn.
SETTLE = """
    insert into bucket as b (subject, tat)
    select subject, now() + seconds * interval '1 second'
    from unnest($1::bytea[], $2::float8[]) as spent (subject, seconds)
    order by subject
    on conflict (subject) do update set tat = greatest(b.tat, now()) + (excluded.tat - now())
    returning subject, extract(epoch from tat - now())::float8 as seconds
"""


async def settle(connection: Any, spent: Mapping[bytes, float]) -> dict[bytes, float]:
    """Add what subjects (HMACs, never accounts or addresses) have spent, in seconds: points divided by the rate.

    Gives for each the seconds until all that it ever spent has flowed back.
    """
    rows = await connection.fetch(SETTLE, list(spent), list(spent.values()))
    return {row["subject"]: row["seconds"] for row in rows}


async def forget(connection: Any) -> None:
    """Drop what has flowed back an hour ago."""
    await connection.execute("delete from bucket where tat < now() - interval '1 hour'")
