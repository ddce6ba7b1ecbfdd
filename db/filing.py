"""Documents in the life of procedures: what is required, what is asked for, and what messages bring.

Names of fields with a dot are the portal's own: `asked.<event>.<position>` of an information request, made by the view
requested_document, and `message.<number>`. Names of forms have no dot, nor have codes of kinds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from db.procedures import Procedure

TAKES = """
    select exists (select from procedure_kind k where k.id = $3 and k.form -> 'properties' -> $4::text is not null)
        or exists (select from required_document r where r.kind_id = $3 and r.code = $4)
        or exists (select from requested_document q
            where q.family_id = $1 and q.procedure_id = $2 and q.event_number = $5 and q.field = $4)
"""


async def takes(tx: Any, procedure: Procedure, field: str) -> bool:
    """Tell whether a procedure takes documents under a name: a field of its form, a code of its kind, in the versions
    it was started with, or what the family is being asked for.
    """
    found: bool = await tx.fetchval(
        TAKES, procedure.family_id, procedure.id, procedure.kind_id, field, procedure.event_count
    )
    return found


@dataclass(frozen=True, slots=True)
class Missing:
    """A document that is not there."""

    field: str
    label: dict[str, str]


# `{field}` of a row `r`.
NOT_FILED = """not exists (
        select from procedure_document l join document d on d.family_id = l.family_id and d.id = l.document_id
        where l.family_id = $1 and l.procedure_id = $2 and l.field = {field} and d.erased_at is null)"""
REQUIRED = f"""
    select r.code, r.label_fr, r.label_en from required_document r
    where r.kind_id = $3 and r.required and {NOT_FILED.format(field="r.code")} order by r.position
"""
ASKED = f"""
    select r.field, r.label, r.label from requested_document r
    where r.family_id = $1 and r.procedure_id = $2 and r.event_number = $3 and {NOT_FILED.format(field="r.field")}
    order by r.position
"""


async def required(tx: Any, draft: Procedure) -> list[Missing]:
    """Give the documents that the kind of a draft requires and that are not filed with it."""
    return _missing(await tx.fetch(REQUIRED, draft.family_id, draft.id, draft.kind_id))


async def asked(tx: Any, procedure: Procedure) -> list[Missing]:
    """Give the documents that the family is being asked for and has not filed; the label is in the agent's words."""
    return _missing(await tx.fetch(ASKED, procedure.family_id, procedure.id, procedure.event_count))


def _missing(rows: Sequence[Any]) -> list[Missing]:
    return [Missing(field, {"fr": fr, "en": en}) for field, fr, en in (row.values() for row in rows)]


EXPIRED = """
    select distinct l.field from procedure_document l
    join document d on d.family_id = l.family_id and d.id = l.document_id
    where l.family_id = $1 and l.procedure_id = $2 and d.erased_at is null and d.expires_on < $3
    order by l.field
"""


async def expired(tx: Any, procedure: Procedure, today: date) -> list[str]:
    """Give the fields under which something is filed whose last day has passed."""
    return [row["field"] for row in await tx.fetch(EXPIRED, procedure.family_id, procedure.id, today)]


SEND = """
    with sent as (
        update document set sent_at = coalesce(sent_at, $6)
        where family_id = $1 and id = any($4) and agent_id is not null and sent_at is null
    )
    insert into procedure_document (family_id, procedure_id, field, document_id, id, service_id, attached_at)
    select p.family_id, p.id, 'message.' || $3::integer, d.document_id, d.id, p.service_id, $6
    from procedure p, unnest($4::uuid[], $5::uuid[]) d(document_id, id) where p.family_id = $1 and p.id = $2
"""


async def send(
    tx: Any, procedure: Procedure, number: int, documents: Sequence[UUID], links: Sequence[UUID], at: datetime
) -> None:
    """File documents with a message; those of an agent are the family's to see from now on."""
    await tx.execute(SEND, procedure.family_id, procedure.id, number, list(documents), list(links), at)
