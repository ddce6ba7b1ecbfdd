"""A family's copy of its data as stored: what belongs into it, the order, and the archive in sealed pieces."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Part:
    """A table of which a family gets all its rows."""

    table: str
    order: str = "t.id"
    without: tuple[str, ...] = ()
    """Columns that are no data about the family: secrets, agents, the portal's own marks."""
    also: str = "'{}'::jsonb"
    """More values, as a JSON object: what an id in the row stands for."""


SEALED = "jsonb_build_object('value', encode(t.sealed_value, 'base64'))"
"""To be opened with a key of the settings before it is given."""

SEALED_ACCOUNT = "jsonb_build_object('account', encode(t.sealed_account, 'base64'))"
"""The same, of a mandate."""

PARTS = (
    Part("family", without=("news_seq", "search")),
    Part("member", without=("child_id",)),
    Part("member_change", without=("decided_by",)),
    Part("quotient_familial", without=("sealed_value", "recorded_by"), also=SEALED),
    Part("account", without=("password_hash",)),
    Part("invitation"),
    Part("password_reset"),
    Part("email_change"),
    Part("activation_code", without=("code_hmac", "issued_by")),
    Part("terms_acceptance", "t.version"),
    Part("provider_link", without=("subject_hmac",)),
    Part("session"),
    Part("device", "t.first_seen_at, t.hash", ("hash",)),
    Part("address", without=("target", "dead_untold")),
    Part("channel_preference", "t.topic"),
    Part("data_choice", "t.datum"),
    Part(
        "service_opt_in",
        also="(select jsonb_build_object('service', s.name_fr) from service s where s.id = t.service_id)",
    ),
    Part(
        "procedure",
        without=("assigned_agent_id",),
        also="""(select jsonb_build_object('kind', k.title_fr, 'service', s.name_fr)
            from procedure_kind k join service s on s.id = k.service_id where k.id = t.kind_id)""",
    ),
    Part("acknowledgement", without=("service_id",)),
    Part("procedure_event", "t.procedure_id, t.number", ("agent_id",)),
    Part(
        "document",
        without=("agent_id", "file_erased_at", "sha256"),
        also="jsonb_build_object('sha256', encode(t.sha256, 'hex'))",
    ),
    Part("procedure_document", "t.procedure_id, t.id"),
    Part("information_request", without=("asked_by",)),
    Part("procedure_message", "t.procedure_id, t.number", ("agent_id", "request_key")),
    Part(
        "consumption",
        "t.day, t.id",
        also="(select jsonb_build_object('tariff', r.label_fr) from tariff r where r.id = t.tariff_id)",
    ),
    Part("consumption_change", "t.consumption_id, t.id", ("agent_id",)),
    Part("invoice", without=("cancelled_by", "pdf", "run_id")),
    Part(
        "invoice_line",
        "t.invoice_id, t.position",
        also="(select jsonb_build_object('service', s.name_fr) from service s where s.id = t.service_id)",
    ),
    Part("payment", without=("cashier_id", "undone_by")),
    Part("allocation"),
    Part("card_attempt", without=("redirect",)),
    Part("card_attempt_invoice", "t.attempt_id, t.position", without=("live",)),
    Part("refund", without=("refunded_by",)),
    Part("invoice_reminder", "t.invoice_id, t.number"),
    Part("mandate", without=("sealed_account", "account_hmac", "text_hash"), also=SEALED_ACCOUNT),
    Part("debit", without=("return_recorded_by",)),
    Part("handover", "t.invoice_id"),
    Part("news", "t.seq", without=("xid",)),
    Part("delivery"),
)
"""Everything that is kept about a family. A new table of a family goes here, or below with the reason why not."""

LEFT_OUT = {
    "billing_check": "work of the city's staff on drafts: codes and amounts",
    "draft_invoice": "drafts of invoices, gone or published soon; nobody has decided on them",
    "draft_line": "drafts of invoices",
    "agent_task": "work of the city's staff: ids and codes",
    "bank_message": "what banks said of card payments: ids and codes; what came of it is in `card_attempt`",
    "audit_entry": "the city's proof of who did what: ids and codes only, and it names agents",
    "export": "earlier copies of the same",
    "export_chunk": "earlier copies of the same",
    "identity_attempt": "a browser on its way to a provider and back; gone within minutes",
    "idempotency_key": "recognises repeated requests for a day; its result is in the tables above",
    "job": "work of the portal: ids and counts",
    "phone_challenge": "that a code was sent to a number; gone within a day of the next one",
    "procedure_feed": "the places of steps in the list that partners follow; the steps are in `procedure_event`",
    "lane": "the dispatcher's queue; what it sends is in `delivery`",
}


async def rows_of(tx: Any, part: Part, family_id: UUID) -> AsyncIterator[str]:
    """Give the rows of a family in one table, each as the text of a JSON object; few are in memory at once."""
    whose = "id" if part.table == "family" else "family_id"
    values = f"(to_jsonb(t) - $2::text[] || coalesce({part.also}, '{{}}'))::text"
    statement = f"select {values} from {part.table} t where t.{whose} = $1 order by {part.order}"
    async for row in tx.cursor(statement, family_id, list(part.without), prefetch=50):
        yield row[0]


INSERT = """
    insert into export (family_id, id, account_id, job_id, requested_at) values ($1, $2, $3, $4, $5)
"""


async def insert(tx: Any, family_id: UUID, export_id: UUID, account_id: UUID, job_id: UUID, at: datetime) -> None:
    """Write that a login asked for a copy."""
    await tx.execute(INSERT, family_id, export_id, account_id, job_id, at)


LATELY = """
    select exists (select from export e join job j on j.id = e.job_id
        where e.family_id = $1 and e.account_id = $2 and e.requested_at > $3 and j.state <> 'FAILED')
"""


async def drop_chunks(tx: Any, family_id: UUID, export_id: UUID) -> None:
    """Drop what an attempt that failed has left of a copy."""
    await tx.execute("delete from export_chunk where family_id = $1 and export_id = $2", family_id, export_id)


async def hold_account(tx: Any, family_id: UUID, account_id: UUID) -> None:
    """Let requests of one login wait for each other."""
    await tx.execute("select from account where family_id = $1 and id = $2 for update", family_id, account_id)


async def requested_since(tx: Any, family_id: UUID, account_id: UUID, since: datetime) -> bool:
    """Tell whether a login asked for a copy since a moment; one that failed does not count."""
    found: bool = await tx.fetchval(LATELY, family_id, account_id, since)
    return found


@dataclass(frozen=True, slots=True)
class Export:
    """A copy that was asked for."""

    account_id: UUID
    email: str | None
    """Verified address of who asked; none when the login has left meanwhile."""

    language: str
    ready: bool


WANTED = """
    select e.account_id, case when a.email_verified_at is not null and a.removed_at is null then a.email end as email,
        a.language, e.ready_at is not null as ready
    from export e join account a on a.family_id = e.family_id and a.id = e.account_id
    where e.family_id = $1 and e.id = $2 for update of e
"""


async def hold(tx: Any, family_id: UUID, export_id: UUID) -> Export | None:
    """Give an export and hold it, or None when it was cancelled."""
    row = await tx.fetchrow(WANTED, family_id, export_id)
    return Export(*row.values()) if row else None


async def write_chunk(tx: Any, family_id: UUID, export_id: UUID, number: int, sealed: bytes) -> None:
    """Write a piece of the archive."""
    await tx.execute(
        "insert into export_chunk (family_id, export_id, number, sealed) values ($1, $2, $3, $4)",
        family_id,
        export_id,
        number,
        sealed,
    )


async def make_ready(tx: Any, family_id: UUID, export_id: UUID, size: int, at: datetime, until: datetime) -> None:
    """Offer the archive, of `size` bytes, until a moment."""
    await tx.execute(
        "update export set size = $3, ready_at = $4, expires_at = $5 where family_id = $1 and id = $2",
        family_id,
        export_id,
        size,
        at,
        until,
    )


@dataclass(frozen=True, slots=True)
class Offer:
    """An archive that can be downloaded."""

    family_number: str
    size: int
    """Bytes."""
    ready_at: datetime
    chunks: int


OFFER = """
    select f.number, e.size, e.ready_at,
        (select count(*) from export_chunk c where c.family_id = e.family_id and c.export_id = e.id)
    from export e join family f on f.id = e.family_id
    where e.family_id = $1 and e.id = $2 and e.expires_at > $3
"""


async def offer(tx: Any, family_id: UUID, export_id: UUID, now: datetime) -> Offer | None:
    """Give an archive that is ready and has not expired."""
    row = await tx.fetchrow(OFFER, family_id, export_id, now)
    return Offer(*row.values()) if row else None


async def chunk(tx: Any, family_id: UUID, export_id: UUID, number: int) -> bytes | None:
    """Give a sealed piece of an archive."""
    found: bytes | None = await tx.fetchval(
        "select sealed from export_chunk where family_id = $1 and export_id = $2 and number = $3",
        family_id,
        export_id,
        number,
    )
    return found


EXPIRED = """
    select family_id, id from export where expires_at <= $1 or expires_at is null and requested_at < $2 limit 100
    for update
"""
UNFINISHED = """
    select family_id, id from export where family_id = $1 and account_id = $2 and ready_at is null for update
"""
OF_FAMILY = "select family_id, id from export where family_id = $1 for update"
# Held before: the job that makes one would else add pieces between the two.
DROP = (
    """delete from export_chunk c using unnest($1::uuid[], $2::uuid[]) gone(family_id, id)
       where c.family_id = gone.family_id and c.export_id = gone.id""",
    """delete from export e using unnest($1::uuid[], $2::uuid[]) gone(family_id, id)
       where e.family_id = gone.family_id and e.id = gone.id""",
)


async def drop_expired(tx: Any, now: datetime, failed_before: datetime) -> int:
    """Drop archives whose time has passed, and requests from before a moment of which nothing came; give how many.

    A hundred at the most: call again while there are.
    """
    return await _drop(tx, await tx.fetch(EXPIRED, now, failed_before))


async def drop_unfinished(tx: Any, family_id: UUID, account_id: UUID) -> int:
    """Cancel what a login asked for and is not ready."""
    return await _drop(tx, await tx.fetch(UNFINISHED, family_id, account_id))


async def drop_of_family(tx: Any, family_id: UUID) -> int:
    """Drop all archives of a family."""
    return await _drop(tx, await tx.fetch(OF_FAMILY, family_id))


async def _drop(tx: Any, gone: list[Any]) -> int:
    for statement in DROP:
        await tx.execute(statement, [row["family_id"] for row in gone], [row["id"] for row in gone])
    return len(gone)
