"""Procedures and their events as stored."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

KIND = """
    select k.id, k.code, k.service_id, k.title_fr, k.title_en, k.form::text as form, k.attestation_fr, k.attestation_en,
        k.decision_months, k.silence_means, k.opens_on, k.closes_on, k.capacity,
        s.name_fr, s.name_en, s.address, s.phone, s.email,
        s.hours_fr, s.hours_en
    from procedure_kind k join service s on s.id = k.service_id
"""


@dataclass(frozen=True, slots=True)
class Kind:
    """A version of a kind of procedure, with the service in charge."""

    id: UUID
    code: str
    service_id: UUID
    title: dict[str, str]
    form: str
    attestation: dict[str, str]
    decision_months: int
    silence_means: str
    service: dict[str, str]
    opens_on: date | None = None
    closes_on: date | None = None
    capacity: int | None = None


@dataclass(frozen=True, slots=True)
class Procedure:
    """A procedure whose row is locked until the transaction ends."""

    family_id: UUID
    id: UUID
    reference: str
    kind_id: UUID
    service_id: UUID
    status: str
    event_count: int
    answers: str
    submitted_at: datetime | None
    implied_decision_on: date | None
    assigned_agent_id: UUID | None = None
    member_id: UUID | None = None


async def kind_on_offer(tx: Any, code: str) -> Kind | None:
    """Give the version of a kind that is on offer now."""
    return _kind(await tx.fetchrow(f"{KIND} where k.code = $1 and k.superseded_at is null", code))


async def kind(tx: Any, kind_id: UUID) -> Kind:
    """Give the version of a kind that a procedure runs under."""
    found = _kind(await tx.fetchrow(f"{KIND} where k.id = $1", kind_id))
    assert found is not None, "a foreign key guarantees it"
    return found


def _kind(row: Any) -> Kind | None:
    if row is None:
        return None
    service = {name: row[name] for name in ("name_fr", "name_en", "address", "phone", "email", "hours_fr", "hours_en")}
    return Kind(
        row["id"],
        row["code"],
        row["service_id"],
        {"fr": row["title_fr"], "en": row["title_en"]},
        row["form"],
        {"fr": row["attestation_fr"], "en": row["attestation_en"]},
        row["decision_months"],
        row["silence_means"],
        service,
        row["opens_on"],
        row["closes_on"],
        row["capacity"],
    )


INSERT = """
    insert into procedure (family_id, id, reference, kind_id, service_id, member_id, status, answers, created_at,
        updated_at)
    values ($1, $2, $3 || lpad(nextval('procedure_reference')::text, 6, '0'), $4, $5, $6, 'DRAFT', $7, $8, $8)
"""


async def insert(
    tx: Any,
    family_id: UUID,
    procedure_id: UUID,
    prefix: str,
    kind: Kind,
    member_id: UUID | None,
    answers: str,
    at: datetime,
) -> None:
    """Write a new draft; its reference is `prefix` and the next number."""
    await tx.execute(INSERT, family_id, procedure_id, prefix, kind.id, kind.service_id, member_id, answers, at)


LOCK = """
    select family_id, id, reference, kind_id, service_id, status, event_count, answers::text as answers, submitted_at,
        implied_decision_on, assigned_agent_id, member_id
    from procedure where family_id = $1 and id = $2 for update
"""


async def lock(tx: Any, family_id: UUID, procedure_id: UUID) -> Procedure | None:
    """Give a procedure that the viewer sees and hold its row, or None."""
    row = await tx.fetchrow(LOCK, family_id, procedure_id)
    return Procedure(*row.values()) if row else None


async def known(tx: Any, family_id: UUID, procedure_id: UUID) -> Procedure | None:
    """Give a procedure that the viewer sees, or None; its row is not held."""
    row = await tx.fetchrow(LOCK.replace(" for update", ""), family_id, procedure_id)
    return Procedure(*row.values()) if row else None


async def seen(tx: Any, family_id: UUID, procedure_id: UUID) -> bool:
    """Tell whether the viewer sees a procedure."""
    found: bool = await tx.fetchval(
        "select exists (select from procedure where family_id = $1 and id = $2)", family_id, procedure_id
    )
    return found


async def member_exists(tx: Any, family_id: UUID, member_id: UUID) -> bool:
    """Tell whether somebody is a member of the family and has not left it."""
    found: bool = await tx.fetchval(
        "select exists (select from member where family_id = $1 and id = $2 and ended_at is null)",
        family_id,
        member_id,
    )
    return found


async def save_answers(tx: Any, procedure: Procedure, answers: str, at: datetime) -> None:
    """Replace the answers of a procedure."""
    await tx.execute(
        "update procedure set answers = $3, updated_at = $4 where family_id = $1 and id = $2",
        procedure.family_id,
        procedure.id,
        answers,
        at,
    )


async def write_submission(
    tx: Any, procedure: Procedure, attestation: str, implied_on: date, intake: date, at: datetime
) -> None:
    """Write what a submission adds to a draft; its status follows by `change_status`. `intake` is the opening period,
    by its first day: see `db.kinds`.
    """
    await tx.execute(
        "update procedure set attestation = $3, submitted_at = $4, implied_decision_on = $5, intake = $6 "
        "where family_id = $1 and id = $2",
        procedure.family_id,
        procedure.id,
        attestation,
        at,
        implied_on,
        intake,
    )


PAST = "select from_status from procedure_event where family_id = $1 and procedure_id = $2 order by number"


async def past(tx: Any, procedure: Procedure) -> list[str]:
    """Give the statuses that a procedure has left, in order."""
    return [row["from_status"] for row in await tx.fetch(PAST, procedure.family_id, procedure.id)]


CHANGE_STATUS = """
    with changed as (
        update procedure set status = $3, event_count = event_count + 1, updated_at = $4,
            assigned_agent_id = coalesce(assigned_agent_id, $7)
        where family_id = $1 and id = $2
        returning family_id, id, service_id, event_count
    )
    insert into procedure_event (family_id, procedure_id, number, id, service_id, from_status, to_status, actor,
        agent_id, message, occurred_at)
    select c.family_id, c.id, c.event_count, $9, c.service_id, $8, $3, $5, $7, $6, $4 from changed c
    returning number
"""


async def change_status(
    tx: Any,
    before: Procedure,
    to: str,
    event_id: UUID,
    at: datetime,
    *,
    actor: str,
    agent_id: UUID | None,
    message: str | None,
) -> int:
    """The only writer of `procedure.status`; give the number of the event, without gap per procedure.

    The agent who acts becomes the one in charge where there is none.
    """
    number: int = await tx.fetchval(
        CHANGE_STATUS, before.family_id, before.id, to, at, actor, message, agent_id, before.status, event_id
    )
    return number
