"""Kinds of procedure as editors write them: versions, required documents, and the places of an opening period."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from db.ids import uuid7
from db.pool import see_as

ALWAYS_OPEN = date.min
"""First day of an opening period that has none: -infinity in the database."""


@dataclass(frozen=True, slots=True)
class Document:
    """A document that a kind asks for."""

    code: str
    label_fr: str
    label_en: str
    help_fr: str | None
    help_en: str | None
    required: bool


@dataclass(frozen=True, slots=True)
class Content:
    """All that a version of a kind says; `form` is JSON text."""

    code: str
    service_id: UUID
    title_fr: str
    title_en: str
    summary_fr: str
    summary_en: str
    form: str
    attestation_fr: str
    attestation_en: str
    decision_months: int
    silence_means: str
    opens_on: date | None
    closes_on: date | None
    capacity: int | None

    @property
    def intake(self) -> date:
        """Give the opening period, by its first day."""
        return self.opens_on or ALWAYS_OPEN


COLUMNS = """code, service_id, title_fr, title_en, summary_fr, summary_en, form, attestation_fr, attestation_en,
        decision_months, silence_means, opens_on, closes_on, capacity"""


@dataclass(frozen=True, slots=True)
class Current:
    """The version on offer, held until the transaction ends."""

    id: UUID
    version: int
    content: Content
    documents: tuple[Document, ...]


async def hold_code(tx: Any, code: str) -> None:
    """Let everything that changes one kind, or gives its places anew, wait for each other."""
    await tx.execute("select pg_advisory_xact_lock(hashtextextended('kind ' || $1, 0))", code)


async def share_code(tx: Any, code: str) -> None:
    """Let changes of a kind wait until this transaction ends; submissions do not wait for each other."""
    await tx.execute("select pg_advisory_xact_lock_shared(hashtextextended('kind ' || $1, 0))", code)


CURRENT = f"""
    select id, version, {COLUMNS.replace("form,", "form::text,")} from procedure_kind
    where code = $1 and superseded_at is null
"""
DOCUMENTS = """
    select code, label_fr, label_en, help_fr, help_en, required from required_document
    where kind_id = $1 order by position
"""


async def current(tx: Any, code: str) -> Current | None:
    """Give the version of a kind that is on offer."""
    row = await tx.fetchrow(CURRENT, code)
    if row is None:
        return None
    kind_id, version, *values = row.values()
    documents = tuple(Document(*each.values()) for each in await tx.fetch(DOCUMENTS, kind_id))
    return Current(kind_id, version, Content(*values), documents)


async def service_by_code(tx: Any, code: str) -> UUID | None:
    """Give the id of a service."""
    found: UUID | None = await tx.fetchval("select id from service where code = $1", code)
    return found


RETIRE = "update procedure_kind set superseded_at = $2 where code = $1 and superseded_at is null"
INSERT = f"""
    insert into procedure_kind (id, version, published_at, {COLUMNS})
    select $1, coalesce(max(version), 0) + 1, $2, $3, $4, $5, $6, $7, $8, $9::text::json, $10, $11, $12, $13, $14, $15,
        $16
    from procedure_kind where code = $3
"""
INSERT_DOCUMENT = """
    insert into required_document (kind_id, id, position, code, label_fr, label_en, help_fr, help_en, required)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""


async def retire(tx: Any, code: str, at: datetime) -> None:
    """Take a kind off the catalogue."""
    await tx.execute(RETIRE, code, at)


async def insert(tx: Any, kind_id: UUID, content: Content, documents: Sequence[Document], at: datetime) -> None:
    """Write the next version of a kind, in the place of the one before."""
    await retire(tx, content.code, at)
    await tx.execute(INSERT, kind_id, at, *astuple(content))
    for position, document in enumerate(documents):
        await tx.execute(INSERT_DOCUMENT, kind_id, uuid7(at), position, *astuple(document))


# Those that were submitted before there was a limit count too. The code is held: nobody submits meanwhile.
OPEN_INTAKE = """
    insert into kind_intake (code, opens_on, taken)
    select $1, $2, coalesce(sum(holds_place(p.status)), 0) from procedure p join procedure_kind k on k.id = p.kind_id
    where k.code = $1 and coalesce(p.intake, '-infinity') = $2
    on conflict do nothing
"""


async def open_intake(tx: Any, code: str, opens_on: date) -> None:
    """Begin to count the places of an opening period, with the sight of the portal itself: an editor does not see the
    procedures.
    """
    await see_as(tx, {"kiosque.system": "on"})
    await tx.execute(OPEN_INTAKE, code, opens_on)
    await see_as(tx, {"kiosque.system": "off"})


TAKEN = "select taken from kind_intake where code = $1 and opens_on = $2"


async def taken(tx: Any, code: str, opens_on: date, *, hold: bool = False) -> int:
    """Give how many places of an opening period are taken; `hold` keeps the number until the transaction ends."""
    return await tx.fetchval(TAKEN + (" for update" if hold else ""), code, opens_on) or 0
