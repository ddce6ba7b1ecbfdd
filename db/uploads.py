"""Documents of families as stored: what is known of each, what it was filed with, and which have had their time (R2).

The bytes lie in the storage; a row is written when they are safe there, and outlives them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from db.privacy import DECIDED

Key = tuple[UUID, UUID]
"""Family and document."""

BATCH = 500


@dataclass(frozen=True, slots=True)
class Document:
    """What is known of a document that is not erased."""

    family_id: UUID
    id: UUID
    name: str
    media_type: str
    size: int
    """Bytes, as uploaded."""
    sha256: bytes
    expires_on: date
    created_at: datetime
    agent_id: UUID | None = None
    """The agent who uploaded it for the family."""
    procedure_id: UUID | None = None
    """The procedure that the agent uploaded it for."""
    sent_at: datetime | None = None
    """When the agent sent it; the family does not see it before."""

    @property
    def is_waiting(self) -> bool:
        """Tell whether an agent uploaded it and has not sent it yet."""
        return self.agent_id is not None and self.sent_at is None


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a family has in the storage."""

    files: int
    bytes: int


HOLDINGS = """
    select count(*), coalesce(sum(size), 0)::bigint from document
    where family_id = $1 and erased_at is null and agent_id is null
"""


async def holdings(tx: Any, family_id: UUID) -> Holdings:
    """Count the documents that a family has uploaded and their bytes."""
    return Holdings(*(await tx.fetchrow(HOLDINGS, family_id)).values())


async def hold_family(tx: Any, family_id: UUID) -> None:
    """Let uploads of one family wait for each other, so that its limits hold."""
    await tx.execute("select from family where id = $1 for no key update", family_id)


INSERT = """
    insert into document (family_id, id, name, media_type, size, sha256, expires_on, uploaded_by, created_at,
        scanned_at, agent_id, procedure_id)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
"""


async def insert(tx: Any, document: Document, uploaded_by: UUID | None, scanned_at: datetime | None) -> None:
    """Write a document whose bytes are safe in the storage."""
    await tx.execute(
        INSERT,
        document.family_id,
        document.id,
        document.name,
        document.media_type,
        document.size,
        document.sha256,
        document.expires_on,
        uploaded_by,
        document.created_at,
        scanned_at,
        document.agent_id,
        document.procedure_id,
    )


COLUMNS = """d.family_id, d.id, d.name, d.media_type, d.size, d.sha256, d.expires_on, d.created_at, d.agent_id,
        d.procedure_id, d.sent_at"""
READABLE = f"""
    select {COLUMNS} from document d
    where d.family_id = $1 and d.id = $2 and d.erased_at is null
        and ($3::uuid[] is null and (d.agent_id is null or d.sent_at is not null)
            or exists (
                select from procedure_document l
                join procedure p on p.family_id = l.family_id and p.id = l.procedure_id
                where l.family_id = d.family_id and l.document_id = d.id and l.service_id = any($3)
                    and p.submitted_at is not null)
            or d.agent_id is not null and exists (
                select from procedure p where p.family_id = d.family_id and p.id = d.procedure_id
                    and p.service_id = any($3) and p.submitted_at is not null))
"""


async def readable(tx: Any, key: Key, services: Sequence[UUID] | None) -> Document | None:
    """Give a document that the viewer sees; with `services`, only one that was filed with one of them, or that
    an agent uploaded for a procedure of one of them.
    """
    row = await tx.fetchrow(READABLE, *key, None if services is None else list(services))
    return Document(*row.values()) if row else None


async def lock(tx: Any, key: Key) -> Document | None:
    """Give a document that the viewer sees and hold its row, or None. Documents are held before procedures."""
    statement = f"select {COLUMNS} from document d where d.family_id = $1 and d.id = $2 and d.erased_at is null"
    row = await tx.fetchrow(f"{statement} for update", *key)
    return Document(*row.values()) if row else None


FILED = """
    select id from procedure_document
    where family_id = $1 and procedure_id = $2 and field = $3 and document_id = $4
"""
ATTACH = """
    insert into procedure_document (family_id, procedure_id, field, document_id, id, service_id, attached_at)
    select family_id, id, $3, $4, $5, service_id, $6 from procedure where family_id = $1 and id = $2
"""


async def link(tx: Any, family_id: UUID, procedure_id: UUID, field: str, document_id: UUID) -> UUID | None:
    """Give the id of the link between a document and a field of a procedure, if there is one."""
    found: UUID | None = await tx.fetchval(FILED, family_id, procedure_id, field, document_id)
    return found


async def attach(
    tx: Any, family_id: UUID, procedure_id: UUID, field: str, document_id: UUID, link_id: UUID, at: datetime
) -> None:
    """Write that a document is filed with a procedure, under a field of its form."""
    await tx.execute(ATTACH, family_id, procedure_id, field, document_id, link_id, at)


FILED_WITH = """
    select count(*) from procedure_document
    where family_id = $1 and procedure_id = $2 and field not like 'message.%'
"""
HANDED_IN = "select count(*) from document where family_id = $1 and procedure_id = $2 and erased_at is null"


async def count_of_procedure(tx: Any, family_id: UUID, procedure_id: UUID) -> int:
    """Count what is filed with a procedure; what came with messages is not meant."""
    count: int = await tx.fetchval(FILED_WITH, family_id, procedure_id)
    return count


async def handed_in(tx: Any, family_id: UUID, procedure_id: UUID) -> int:
    """Count what agents uploaded for a procedure."""
    count: int = await tx.fetchval(HANDED_IN, family_id, procedure_id)
    return count


HOLDERS = """
    select p.id, p.submitted_at is not null as submitted from procedure p
    where p.family_id = $1 and p.id in (
        select procedure_id from procedure_document where family_id = $1 and document_id = $2)
    order by p.id for update
"""


async def procedures_of(tx: Any, key: Key) -> set[UUID]:
    """Give the procedures that a document is filed with."""
    statement = "select procedure_id from procedure_document where family_id = $1 and document_id = $2"
    return {row["procedure_id"] for row in await tx.fetch(statement, *key)}


async def hold_procedures(tx: Any, key: Key) -> dict[UUID, bool]:
    """Give the procedures that a held document is filed with, and whether each was submitted; their rows are held."""
    return {row["id"]: row["submitted"] for row in await tx.fetch(HOLDERS, *key)}


DETACH = """
    delete from procedure_document where family_id = $1 and document_id = $2 and procedure_id = any($3)
"""


async def detach(tx: Any, key: Key, procedures: Sequence[UUID]) -> None:
    """Take a document out of drafts."""
    await tx.execute(DETACH, *key, list(procedures))


async def is_kept(tx: Any, family_id: UUID) -> bool:
    """Tell whether a family keeps documents between procedures; it does only where it said so."""
    statement = "select coalesce((select keep from data_choice where family_id = $1 and datum = 'DOCUMENTS'), false)"
    found: bool = await tx.fetchval(statement, family_id)
    return found


FORGET = "update document set erased_at = $2, name = '', sha256 = null where erased_at is null and family_id = $1"


async def erase_one(tx: Any, key: Key, at: datetime) -> None:
    """Erase a document; its bytes go by `to_erase`."""
    await tx.execute(f"{FORGET} and id = $3", key[0], at, key[1])


async def erase_all(tx: Any, family_id: UUID, at: datetime) -> None:
    """Erase all documents of a family; their bytes go by `to_erase`."""
    await tx.execute(FORGET, family_id, at)


# `$3` is one family, or null for all. A draft or an open procedure needs its documents, and one that ended lately may
# be contested. A family that closed its account keeps nothing.
ERASE_UNKEPT = f"""
    with past as (
        select d.family_id, d.id from document d join family f on f.id = d.family_id
        cross join lateral (
            select count(*) > 0 as filed, count(*) filter (
                where p.status not in {DECIDED} or p.updated_at >= $1) > 0 as needed
            from procedure_document l join procedure p on p.family_id = l.family_id and p.id = l.procedure_id
            where l.family_id = d.family_id and l.document_id = d.id
        ) u
        where d.erased_at is null and ($3::uuid is null or d.family_id = $3) and not u.needed and (
            d.expires_on < $4
            or d.agent_id is not null and d.sent_at is null and d.created_at < $5
            or (f.closed_at is not null or not exists (
                    select from data_choice c where c.family_id = d.family_id and c.datum = 'DOCUMENTS' and c.keep))
                and (u.filed or d.created_at < $5 or f.closed_at is not null))
        limit {BATCH} for update of d skip locked
    )
    update document d set erased_at = $2, name = '', sha256 = null from past
    where d.family_id = past.family_id and d.id = past.id
"""


async def erase_unkept(
    tx: Any, ended_before: datetime, at: datetime, family_id: UUID | None, today: date, filed_nowhere_before: datetime
) -> int:
    """Erase documents that no procedure needs any more and that are not kept, or whose date has passed; give how many.

    A batch at the most: call again while there are.
    """
    status: str = await tx.execute(ERASE_UNKEPT, ended_before, at, family_id, today, filed_nowhere_before)
    return int(status.rpartition(" ")[2])


TO_ERASE = f"""
    select family_id, id from document where erased_at is not null and file_erased_at is null
    order by erased_at, id limit {BATCH}
"""


async def to_erase(tx: Any) -> list[Key]:
    """Give erased documents whose bytes may still be in the storage, a batch at the most."""
    return [(row["family_id"], row["id"]) for row in await tx.fetch(TO_ERASE)]


FILES_ERASED = """
    update document d set file_erased_at = $3 from unnest($1::uuid[], $2::uuid[]) as gone(family_id, id)
    where d.family_id = gone.family_id and d.id = gone.id and d.erased_at is not null
"""


async def files_erased(tx: Any, keys: Sequence[Key], at: datetime) -> None:
    """Write that the bytes of erased documents are gone."""
    await tx.execute(FILES_ERASED, [family for family, _ in keys], [each for _, each in keys], at)


KNOWN = """
    select d.family_id, d.id from unnest($1::uuid[], $2::uuid[]) as found(family_id, id)
    join document d on d.family_id = found.family_id and d.id = found.id
    where d.file_erased_at is null
"""


async def known(tx: Any, keys: Sequence[Key]) -> set[Key]:
    """Give those keys of files that belong to a document."""
    rows = await tx.fetch(KNOWN, [family for family, _ in keys], [each for _, each in keys])
    return {(row["family_id"], row["id"]) for row in rows}


OF_FAMILY = f"select {COLUMNS} from document d where d.family_id = $1 and d.erased_at is null order by d.id"


async def of_family(tx: Any, family_id: UUID) -> list[Document]:
    """Give the documents of a family, oldest first."""
    return [Document(*row.values()) for row in await tx.fetch(OF_FAMILY, family_id)]
