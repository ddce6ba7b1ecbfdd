"""The legal clock as stored: acknowledgements, what silence is about to decide, and tasks that say so."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

Key = tuple[UUID, UUID]
"""Family and procedure."""

SUBMITTED = """
    select f.number, f.name, p.reference, k.code, k.version, k.title_fr, k.title_en, m.first_name, m.last_name,
        p.answers::text as answers, p.attestation, p.submitted_at, p.kind_id
    from procedure p join family f on f.id = p.family_id join procedure_kind k on k.id = p.kind_id
        left join member m on m.family_id = p.family_id and m.id = p.member_id
    where p.family_id = $1 and p.id = $2 and p.submitted_at is not null and p.answers_erased_at is null
"""


@dataclass(frozen=True, slots=True)
class Submitted:
    """What a family submitted, as it stands in the tables."""

    family_number: str
    family_name: str
    reference: str
    kind_code: str
    kind_version: int
    title_fr: str
    title_en: str
    first_name: str | None
    last_name: str | None
    answers: str
    attestation: str
    submitted_at: datetime
    kind_id: UUID


async def submitted(tx: Any, key: Key) -> Submitted | None:
    """Give what was submitted; None for a draft, and when its answers were erased."""
    row = await tx.fetchrow(SUBMITTED, *key)
    return Submitted(*row.values()) if row else None


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """An acknowledgement of receipt, as it was given."""

    family_id: UUID
    procedure_id: UUID
    id: UUID
    service_id: UUID
    received_at: datetime
    implied_decision_on: date
    silence_means: str
    service: str
    """Name, address, telephone, e-mail and hours of the service, as JSON."""

    content: str | None
    """What was submitted, in its canonical form; none once it is erased."""

    content_sha256: str


INSERT = """
    insert into acknowledgement (family_id, procedure_id, id, service_id, received_at, implied_decision_on,
        silence_means, service, content, content_sha256)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
    on conflict (family_id, procedure_id) do nothing
"""


async def insert(tx: Any, made: Acknowledgement) -> None:
    """Write an acknowledgement; the first one of a procedure stays."""
    await tx.execute(
        INSERT,
        made.family_id,
        made.procedure_id,
        made.id,
        made.service_id,
        made.received_at,
        made.implied_decision_on,
        made.silence_means,
        made.service,
        made.content,
        made.content_sha256,
    )


OF_PROCEDURE = """
    select family_id, procedure_id, id, service_id, received_at, implied_decision_on, silence_means,
        service::text as service, content::text as content, content_sha256
    from acknowledgement where family_id = $1 and procedure_id = $2
"""


async def of_procedure(tx: Any, key: Key) -> Acknowledgement | None:
    """Give the acknowledgement of a procedure."""
    row = await tx.fetchrow(OF_PROCEDURE, *key)
    return Acknowledgement(*row.values()) if row else None


SEEN = """
    select family_id, id, kind_id from procedure
    where reference = $1 and submitted_at is not null and (family_id = $2 or service_id = any($3))
"""


async def seen(tx: Any, reference: str, family_id: UUID | None, services: Sequence[UUID]) -> tuple[Key, UUID] | None:
    """Give a submitted procedure by its reference, with its kind, to its family or to agents of its service."""
    row = await tx.fetchrow(SEEN, reference, family_id, list(services))
    return ((row["family_id"], row["id"]), row["kind_id"]) if row else None


DUE = """
    select implied_decision_on, family_id, id from procedure
    where status in ('SUBMITTED', 'IN_REVIEW') and implied_decision_on < $1
        and (implied_decision_on, family_id, id) > ($2, $3, $4)
    order by implied_decision_on, family_id, id limit $5
"""
Place = tuple[date, UUID, UUID]
FIRST: Place = (date(1, 1, 1), UUID(int=0), UUID(int=0))


async def due(tx: Any, today: date, after: Place, limit: int) -> list[Place]:
    """Give procedures whose day of implied decision was over before `today`, behind a place in their order."""
    return [tuple(row.values()) for row in await tx.fetch(DUE, today, *after, limit)]


NEAR = "p.status in ('SUBMITTED', 'IN_REVIEW') and p.implied_decision_on between $1::date and $1::date + $2::integer"
REMIND = f"""
    insert into agent_task (family_id, id, kind, roles, service_id, subject_id, created_at)
    select n.family_id, w.id, 'DEADLINE_NEAR', $3, n.service_id, n.id, $4
    from (
        select p.family_id, p.id, p.service_id, row_number() over (order by p.implied_decision_on, p.id) as place
        from procedure p
        where {NEAR} and not exists (
            select from agent_task t
            where t.family_id = p.family_id and t.kind = 'DEADLINE_NEAR' and t.subject_id = p.id
                and (t.done_at is null
                    or (t.created_at at time zone 'Europe/Paris')::date >= p.implied_decision_on - $2::integer))
        order by p.implied_decision_on, p.id limit $6
    ) n join unnest($5::uuid[]) with ordinality w(id, place) on w.place = n.place
    on conflict (family_id, kind, subject_id) where done_at is null do nothing
"""
SETTLE = f"""
    update agent_task t set done_at = $3
    where t.kind = 'DEADLINE_NEAR' and t.done_at is null and not exists (
        select from procedure p where p.family_id = t.family_id and p.id = t.subject_id and {NEAR})
"""


async def remind(tx: Any, today: date, days: int, roles: Sequence[str], at: datetime, ids: Sequence[UUID]) -> int:
    """Write a task for each procedure that silence decides within so many days, once a deadline; give how many.

    `ids` are for the new rows: as many tasks at the most.
    """
    return _count(await tx.execute(REMIND, today, days, list(roles), at, list(ids), len(ids)))


async def settle(tx: Any, today: date, days: int, at: datetime) -> int:
    """End tasks about deadlines that are no longer near: the procedure moved, or its clock stands. Give how many."""
    return _count(await tx.execute(SETTLE, today, days, at))


def _count(status: str) -> int:
    return int(status.rpartition(" ")[2])
