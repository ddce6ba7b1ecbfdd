"""The ledger's inside: who acts, whose money is held, what is open, what settles it. `db.money` is its door."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from db.ids import uuid7

PARIS = ZoneInfo("Europe/Paris")
UNEXPLAINED_CREDIT = "UNEXPLAINED_CREDIT"
"""Kind of the task that a payment leaves behind when not all of it was owed."""

OF_THE_TILL = ("CASHIER", "ADMIN")
"""Roles of agents who may see and take money."""


@dataclass(frozen=True, slots=True)
class By:
    """Who acts, for the audit log: the kind of viewer or SYSTEM, and the agent or account."""

    kind: str = "SYSTEM"
    id: UUID | None = None

    @property
    def agent(self) -> UUID | None:
        """Give the agent, where it is one."""
        return self.id if self.kind == "AGENT" else None


PORTAL = By()


# The family's row first, then all that is read: a statement that waits for it would read what was there before.
HOLD = "select id from family where id = any($1::uuid[]) order by id for no key update"


async def hold(tx: Any, *families: UUID) -> None:
    """Let everything that moves money of these families wait for this transaction."""
    await tx.execute(HOLD, list(set(families)))


@dataclass(slots=True)
class Open:
    """An invoice that can take money: what is open of it, and of its lines that CESU may settle."""

    id: UUID
    cents: int
    eligible: list[list[int]]
    """Position and cents."""


OPEN = """
    select i.id, (i.total_cents - coalesce((select sum(a.cents) from allocation a
            where a.family_id = i.family_id and a.invoice_id = i.id and a.freed_at is null), 0))::integer,
        (select coalesce(json_agg(json_build_array(l.position, l.cents - coalesce((select sum(a.cents) from allocation a
            where a.family_id = l.family_id and a.invoice_id = l.invoice_id and a.line_position = l.position
                and a.freed_at is null), 0)) order by l.position), '[]')
            from invoice_line l where l.family_id = i.family_id and l.invoice_id = i.id and l.cesu_eligible)::text
    from invoice i where i.family_id = $1 and i.id = any($2) and i.cancelled_at is null
    order by array_position($2, i.id)
"""
ALLOCATE = """
    insert into allocation (family_id, id, payment_id, invoice_id, line_position, cents, allocated_at)
    select $1, a.id, $2, a.invoice_id, a.line_position, a.cents, $3
    from unnest($4::uuid[], $5::uuid[], $6::integer[], $7::integer[]) a (id, invoice_id, line_position, cents)
"""


async def still_open(tx: Any, family_id: UUID, invoices: Sequence[UUID]) -> list[Open]:
    rows = await tx.fetch(OPEN, family_id, list(dict.fromkeys(invoices)))
    return [Open(row[0], row[1], msgspec.json.decode(row[2])) for row in rows]


async def allocate(
    tx: Any,
    family_id: UUID,
    payment_id: UUID,
    means: str,
    cents: int,
    still: list[Open],
    at: datetime,
    settled: dict[UUID, int],
) -> int:
    """Write what a payment settles and give what is left of it; `still` and `settled` follow."""
    parts: list[tuple[UUID, int | None, int]] = []
    for invoice in still:
        lines: list[Any] = invoice.eligible if means == "CESU" else [[None, invoice.cents]]
        for line in lines:
            part = min(cents, invoice.cents, line[1])
            if part <= 0:
                continue
            parts.append((invoice.id, line[0], part))
            settled[invoice.id] = settled.get(invoice.id, 0) + part
            line[1] -= part
            invoice.cents -= part
            cents -= part
    if parts:
        columns = [list(column) for column in zip(*parts, strict=True)]
        await tx.execute(ALLOCATE, family_id, payment_id, at, [uuid7(at) for _ in parts], *columns)
    return cents


CREDITS = """
    select c.family_id, c.id, c.means, c.cents::integer from (
        select p.family_id, p.id, p.means, p.cents - coalesce((select sum(a.cents) from allocation a
                where a.family_id = p.family_id and a.payment_id = p.id and a.freed_at is null), 0)
            - coalesce((select sum(r.cents) from refund r
                where r.family_id = p.family_id and r.payment_id = p.id), 0) as cents
        from payment p where p.family_id = any($1) and p.undone_at is null
    ) c where c.cents > 0 order by c.family_id, c.id
"""
SETTLE_TASK = """
    update agent_task set done_at = $4 where family_id = $1 and kind = $2 and subject_id = $3 and done_at is null
"""


async def use_credits(tx: Any, invoices: Sequence[tuple[UUID, UUID]], at: datetime) -> int:
    """Settle invoices (family, id) with the credits of their families, oldest first; give the cents that were used.

    The families' rows are held. A credit of CESU settles eligible lines only. The task about a credit that is used up
    is done.
    """
    by_family: dict[UUID, list[UUID]] = {}
    for family_id, invoice_id in invoices:
        by_family.setdefault(family_id, []).append(invoice_id)
    used = 0
    still: dict[UUID, list[Open]] = {}
    for family_id, payment_id, means, cents in await tx.fetch(CREDITS, list(by_family)):
        if family_id not in still:
            still[family_id] = await still_open(tx, family_id, by_family[family_id])
        rest = await allocate(tx, family_id, payment_id, means, cents, still[family_id], at, {})
        used += cents - rest
        if rest == 0:
            await settle_task(tx, family_id, payment_id, at)
    return used


async def settle_task(tx: Any, family_id: UUID, payment_id: UUID, at: datetime) -> None:
    """Mark the task about a credit as done, since nothing is left of the credit."""
    await tx.execute(SETTLE_TASK, family_id, UNEXPLAINED_CREDIT, payment_id, at)


async def refunded(tx: Any, family_id: UUID, payment_id: UUID) -> bool:
    """Tell whether anything of a payment was paid back."""
    found: bool = await tx.fetchval(
        "select exists (select from refund where family_id = $1 and payment_id = $2)", family_id, payment_id
    )
    return found
