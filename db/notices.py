"""What contacts of partners and agents are told by e-mail: taken by a dispatcher, tried again, put aside."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from db.ids import uuid7


@dataclass(frozen=True, slots=True)
class Box:
    """Notices of one kind of receiver, named in the logs by `table` and `holder`, with the statements over them."""

    table: str
    holder: str
    take: str
    sent: str
    later: str
    failed: str


def _box(table: str, holder: str, contact: str) -> Box:
    """Write the statements: names of the schema alone, `contact` is name, address and language of the receiver `p`."""
    mark = f"update {table} set {{}} = $3 where {holder}_id = $1 and id = $2"
    # Taken, it waits a while before another dispatcher may take it: after a death the contact is told twice at most.
    take = f"""
        with due as (
            select {holder}_id, id from {table}
            where sent_at is null and failed_at is null and next_try_at <= $1 order by next_try_at limit $3
            for update skip locked
        )
        update {table} n set next_try_at = $2, attempts = n.attempts + 1 from due, {holder} p
        where n.{holder}_id = due.{holder}_id and n.id = due.id and p.id = n.{holder}_id
        returning n.{holder}_id, n.id, n.type, n.data::text as data, n.created_at, n.attempts, {contact}
    """
    return Box(table, holder, take, *(mark.format(column) for column in ("sent_at", "next_try_at", "failed_at")))


PARTNERS = _box("partner_notice", "partner", "p.name, p.contact_email as email, p.language")
AGENTS = _box("agent_notice", "agent", "p.name, p.email, 'fr' as language")


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice that is due, with whom it goes to."""

    holder_id: UUID
    id: UUID
    type: str
    data: Mapping[str, Any]
    created_at: datetime
    attempts: int
    name: str
    email: str
    language: str


TELL_AGENT = """
    insert into agent_notice (agent_id, id, type, data, created_at, next_try_at)
    select id, $2, $3, $4, $5, $5 from agent where id = $1 and disabled_at is null
"""


async def take(connection: Any, box: Box, now: datetime, until: datetime, count: int) -> list[Notice]:
    """Take notices that are due, `count` at the most; they wait until `until` unless something is written."""
    rows = await connection.fetch(box.take, now, until, count)
    return [Notice(*{**row, "data": msgspec.json.decode(row["data"])}.values()) for row in rows]


async def sent(connection: Any, box: Box, notice: Notice, at: datetime) -> None:
    """Write that a notice was handed over."""
    await connection.execute(box.sent, notice.holder_id, notice.id, at)


async def later(connection: Any, box: Box, notice: Notice, at: datetime) -> None:
    """Let a notice wait until a moment."""
    await connection.execute(box.later, notice.holder_id, notice.id, at)


async def failed(connection: Any, box: Box, notice: Notice, at: datetime) -> None:
    """Put a notice aside: its address cannot receive, or it was tried too long."""
    await connection.execute(box.failed, notice.holder_id, notice.id, at)


async def tell_agent(tx: Any, agent_id: UUID, type: str, data: dict[str, Any], at: datetime) -> None:
    """Tell an agent something by e-mail, in the transaction that makes it so; whoever was disabled is told nothing."""
    await tx.execute(TELL_AGENT, agent_id, uuid7(at), type, msgspec.json.encode(data).decode(), at)
