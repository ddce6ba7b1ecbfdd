"""Statistics as stored: a tally that a job folds, and lines that moves add meanwhile; see migration 0031."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID


async def fold(tx: Any, lines: int) -> int:
    """Add the oldest lines, so many at the most, to the tally; give how many there were."""
    count: int = await tx.fetchval("select fold_procedure_counts($1)", lines)
    return count


async def fold_revenue(tx: Any, lines: int) -> int:
    """Do the same for revenue; see migration 0084."""
    count: int = await tx.fetchval("select fold_revenue_counts($1)", lines)
    return count


COUNTS = """
    select c.month, s.code, c.kind_code, (select case $7 when 'en' then k.title_en else k.title_fr end
            from procedure_kind k where k.code = c.kind_code order by k.version desc limit 1),
        c.status, c.submitted, greatest(c.open, 0), (select coalesce(sum(u.n), 0)::bigint from unnest(c.classes) u(n)),
        c.accepted, c.rejected, round(delay_at(c.classes, 0.5)::numeric, 2), round(delay_at(c.classes, 0.9)::numeric, 2)
    from statistics($1, $2, $3, $4, $5, $6) c left join service s on s.id = c.service_id order by c.id limit $8
"""
REVENUE = """
    select r.month, s.code, r.invoices, r.families, r.invoiced_cents, r.paid_cents, r.invoiced_cents - r.paid_cents
    from revenue($1, $2, $3, $4, $5) r join service s on s.id = r.service_id order by r.id limit $6
"""


async def counts(
    tx: Any,
    by: Sequence[str],
    first: date | None,
    last: date | None,
    codes: Sequence[str] | None,
    services: Sequence[UUID],
    everywhere: bool,
    language: str,
    most: int,
) -> list[Any]:
    """Give statistics in their order: month, service, kind, title, status, counts, then hours of delay."""
    rows: list[Any] = await tx.fetch(COUNTS, by, first, last, codes, services, everywhere, language, most)
    return rows


async def revenue(
    tx: Any,
    first: date | None,
    last: date | None,
    codes: Sequence[str] | None,
    services: Sequence[UUID],
    everywhere: bool,
    most: int,
) -> list[Any]:
    """Give revenue in its order: month, service, invoices, families, then cents invoiced, paid and due."""
    rows: list[Any] = await tx.fetch(REVENUE, first, last, codes, services, everywhere, most)
    return rows
