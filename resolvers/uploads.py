"""Documents: uploaded, filed with procedures, given back, and erased when nobody needs or keeps them (R2).

A file is safe in the vault before its row is written, and its row says that it is erased before the file goes: whatever
dies in between leaves a file without a row, which `sweep` finds, and never a row without its file.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from dateutil.relativedelta import relativedelta

from db import filing as stored_filing
from db import jobs, procedures, steps
from db import uploads as stored
from db.clock import PARIS
from db.ids import uuid7
from db.jobs import Job
from db.uploads import Document, Key
from resolvers import filing
from resolvers.context import Context, Process
from resolvers.job_runner import GiveUp, Progress, Result
from resolvers.media import NotAccepted, clean_name
from resolvers.problems import Refusal
from resolvers.scanning import Scanner, ScannerUnavailable
from resolvers.sentences import SENTENCES
from resolvers.storage import StorageUnavailable
from resolvers.vault import Incoming, key_of
from resolvers.viewer import SYSTEM_SIGHT, Kind

log = structlog.get_logger(__name__)

SWEEP_DOCUMENTS = "sweep_documents"
ERASE_FILES = "erase_files"
DOWNLOAD_DOCUMENT = "download-document"
"""Purpose of the signed links."""

PIECE_BYTES = 256 * 1024
FIELD = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,59}", re.ASCII)
OPEN_TO_DOCUMENTS = frozenset({"DRAFT", "AWAITING_FAMILY"})
LEFT_BEHIND = timedelta(days=1)
"""A file without a row is one of an upload that died when it is as old as this."""

FEW_STRANGERS = 100
STRANGE_SHARE = 10


@dataclass(frozen=True, slots=True)
class Upload:
    """What a client sends."""

    name: str
    declared_type: str
    expires_on: date | None
    pieces: AsyncIterator[bytes]


async def receive(context: Context, upload: Upload, procedure: Key | None = None) -> Document:
    """Take in a document of the family that asks, or of an agent for a procedure of a family; give what is known of it.

    Raises Refusal: NOT_FOUND for a procedure that the agent does not handle, EXPIRY_NOT_VALID, TOO_MANY_DOCUMENTS,
    DOCUMENTS_TOO_BIG, DOCUMENT_TOO_BIG, UPLOAD_TOO_SLOW, those of `NotAccepted`, DOCUMENT_INFECTED,
    SCANNER_UNAVAILABLE; StorageUnavailable; and what `pieces` raises.
    """
    vault, now, viewer = context.process.documents, context.process.clock(), context.viewer
    key = procedure[0] if procedure else viewer.family, uuid7(now)
    expires_on = _expiry(context, upload.expires_on, now)
    async with context.look() as tx:
        await _require_room(tx, context, 1, procedure)
    async with vault.incoming(*key) as file:
        await _take(context, file, upload.pieces)
        media_type = _inspected(context, file, upload.declared_type)
        scanned_at = await _scanned(context, key, file)
        document = Document(
            *key,
            clean_name(upload.name, media_type),
            media_type,
            file.size,
            file.sha256,
            expires_on,
            now,
            viewer.agent if procedure else None,
            procedure[1] if procedure else None,
        )
        steps.reached("upload.received")
        await vault.keep(file, key)
        steps.reached("upload.stored")
    try:
        await _write(context, document, scanned_at)
    except Refusal:
        with suppress(StorageUnavailable):  # then `sweep` finds it
            await vault.erase(key)
        raise
    return document


def _expiry(context: Context, wanted: date | None, now: datetime) -> date:
    settings, today = context.process.settings.documents, now.astimezone(PARIS).date()
    if wanted is None:
        return today + timedelta(days=settings.expires_days)
    if not today <= wanted <= today + relativedelta(years=settings.expires_years):
        raise context.refusal("EXPIRY_NOT_VALID", ["expiresOn"])
    return wanted


async def _require_room(tx: Any, context: Context, size: int, procedure: Key | None) -> None:
    """What an agent uploads for a procedure is no part of what its family has."""
    settings = context.process.settings.documents
    if procedure is not None:
        if not await procedures.seen(tx, *procedure):
            raise context.refusal("NOT_FOUND", ["procedure"])
        if await stored.handed_in(tx, *procedure) >= settings.per_procedure:
            raise context.refusal("TOO_MANY_DOCUMENTS", ["procedure"])
        return
    held = await stored.holdings(tx, context.viewer.family)
    if held.files >= settings.files:
        raise context.refusal("TOO_MANY_DOCUMENTS")
    if held.bytes + size > settings.family_bytes:
        raise context.refusal("DOCUMENTS_TOO_BIG")


def too_big(context: Context) -> Refusal:
    """Make the refusal of a file above the limit, which it names."""
    megabytes = f"{context.process.settings.documents.file_bytes / 2**20:.3g}"
    language = context.viewer.language
    text = SENTENCES["DOCUMENT_TOO_BIG"].to(language)
    return Refusal("DOCUMENT_TOO_BIG", text.format(size=megabytes if language == "en" else megabytes.replace(".", ",")))


async def _take(context: Context, file: Incoming, pieces: AsyncIterator[bytes]) -> None:
    """Bring the bytes of a request to the disk as they come."""
    settings, vault = context.process.settings.documents, context.process.documents
    waiting = bytearray()
    try:
        async with asyncio.timeout(settings.upload_seconds):
            async for piece in pieces:
                waiting += piece
                if file.size + len(waiting) > settings.file_bytes:
                    raise too_big(context)
                if len(waiting) >= PIECE_BYTES:
                    await vault.add(file, bytes(waiting))
                    waiting.clear()
    except TimeoutError:
        raise context.refusal("UPLOAD_TOO_SLOW") from None
    await vault.add(file, bytes(waiting))
    await vault.end(file)


def _inspected(context: Context, file: Incoming, declared: str) -> str:
    try:
        return file.inspection.media_type(declared, context.process.settings.documents.media_types)
    except NotAccepted as refused:
        raise context.refusal(refused.code) from refused


async def _scanned(context: Context, key: Key, file: Incoming) -> datetime | None:
    """Have the scanner look at a file; what it finds stands in the audit log, for agents to see."""
    settings, vault = context.process.settings.documents, context.process.documents
    if settings.clamav is None:
        return None
    try:
        finding = await Scanner(settings.clamav, settings.clamav_timeout).finding(vault.clear(file))
    except ScannerUnavailable as trouble:
        log.error("document_not_scanned", why=str(trouble), id=context.request_id)
        raise context.refusal("SCANNER_UNAVAILABLE") from trouble
    if finding is not None:
        async with context.transaction() as tx:
            await context.record(tx, "document_infected", family=key[0], subject=key[1], finding=finding)
        raise context.refusal("DOCUMENT_INFECTED")
    return context.process.clock()


async def _write(context: Context, document: Document, scanned_at: datetime | None) -> None:
    procedure = (document.family_id, document.procedure_id) if document.procedure_id else None
    async with context.transaction() as tx:
        if procedure is None:
            await stored.hold_family(tx, document.family_id)
        else:
            await procedures.lock(tx, *procedure)
        await _require_room(tx, context, document.size, procedure)
        await stored.insert(tx, document, context.viewer.account_id, scanned_at)
        await context.record(
            tx,
            "document_uploaded",
            family=document.family_id,
            subject=document.id,
            media_type=document.media_type,
            size=document.size,
        )


async def find(context: Context, key: Key) -> Document | None:
    """Give a document that the viewer may read: a family its own, an agent those filed with the agent's services, or
    uploaded for them.
    """
    viewer = context.viewer
    if viewer.kind is Kind.AGENT:
        services = viewer.services
    elif viewer.kind is Kind.FAMILY and viewer.family_id == key[0]:
        services = None
    else:
        return None
    async with context.look() as tx:
        return await stored.readable(tx, key, services)


async def link(context: Context, key: Key) -> tuple[str, datetime]:
    """Give the token of a link that gives a document to whoever has it, and when it ends.

    Raises Refusal NOT_FOUND, also for one that an agent has not sent yet: such a link would be the family's.
    """
    found = await find(context, key)
    if found is None or found.is_waiting:
        raise context.refusal("NOT_FOUND", ["document"])
    until = context.process.clock() + timedelta(seconds=context.process.settings.documents.link_seconds)
    claims = {"family": str(key[0]), "document": str(key[1])}
    if context.viewer.agent_id is not None:
        claims["agent"] = str(context.viewer.agent_id)
    return context.process.keys.link_token(DOWNLOAD_DOCUMENT, claims, until), until


async def attach(context: Context, procedure: Key, document: Key, field: str) -> Key:
    """File a document with a procedure that the family is writing or must complete; a repeated call changes nothing.

    Raises Refusal: NOT_FOUND, FIELD_NOT_VALID for a name that neither the form, nor the kind, nor the open information
    request has, MOVE_NOT_ALLOWED for a procedure that takes none now, DOCUMENT_EXPIRED,
    TOO_MANY_DOCUMENTS, DOCUMENT_NOT_KEPT for one that was filed elsewhere by a family that keeps none (R2).
    """
    now, family_id = context.process.clock(), context.viewer.family
    if not FIELD.fullmatch(field):
        raise context.refusal("FIELD_NOT_VALID", ["field"])
    async with context.transaction() as tx:
        found = await _held(tx, context, document)
        draft = await procedures.lock(tx, *procedure)
        if draft is None or draft.family_id != family_id:
            raise context.refusal("NOT_FOUND", ["procedure"])
        known = await stored.link(tx, *procedure, field, document[1])
        if known is not None:
            return family_id, known
        await _require_filable(tx, context, found, draft, field)
        link_id = uuid7(now)
        await stored.attach(tx, *procedure, field, document[1], link_id, now)
        await context.record(tx, "document_attached", family=family_id, subject=document[1], procedure=procedure[1])
    return family_id, link_id


async def _held(tx: Any, context: Context, key: Key) -> Document:
    found = await stored.lock(tx, key) if key[0] == context.viewer.family else None
    if found is None:
        raise context.refusal("NOT_FOUND", ["document"])
    return found


async def _require_filable(
    tx: Any, context: Context, document: Document, draft: procedures.Procedure, field: str
) -> None:
    if draft.status not in OPEN_TO_DOCUMENTS:
        raise context.refusal("MOVE_NOT_ALLOWED", ["procedure"])
    if not await stored_filing.takes(tx, draft, field):
        raise context.refusal("FIELD_NOT_VALID", ["field"])
    if (
        await stored.count_of_procedure(tx, draft.family_id, draft.id)
        >= context.process.settings.documents.per_procedure
    ):
        raise context.refusal("TOO_MANY_DOCUMENTS", ["procedure"])
    await filing.require_usable(tx, context, document, draft, ["document"])


async def remove(context: Context, document: Key, procedure: Key | None) -> Key:
    """Take a document out of a draft, or out of the account and all drafts; give its key.

    Raises Refusal: NOT_FOUND, DOCUMENT_IN_USE where it was submitted.
    """
    now, family_id = context.process.clock(), context.viewer.family
    async with context.transaction() as tx:
        await _held(tx, context, document)
        holders = await stored.hold_procedures(tx, document)
        if procedure is not None and (procedure[0] != family_id or procedure[1] not in holders):
            raise context.refusal("NOT_FOUND", ["procedure"])
        wanted = list(holders) if procedure is None else [procedure[1]]
        if any(holders[each] for each in wanted):
            raise context.refusal("DOCUMENT_IN_USE", ["document"])
        await stored.detach(tx, document, wanted)
        if procedure is None:
            await stored.erase_one(tx, document, now)
            await jobs.enqueue(tx, ERASE_FILES, now, family_id=family_id)
        act = "document_removed" if procedure is None else "document_detached"
        await context.record(tx, act, family=family_id, subject=document[1])
    return document


async def erase(tx: Any, family_id: UUID, now: datetime) -> None:
    """Erase all documents of a family in the transaction `tx`; their files follow by a job once it has committed."""
    await stored.erase_all(tx, family_id, now)
    await jobs.enqueue(tx, ERASE_FILES, now, family_id=family_id)


async def erase_unkept(process: Process, ended_before: datetime, family_id: UUID | None) -> int:
    """Erase documents that no procedure needs and that are not kept, or whose date has passed; give how many.

    A procedure needs them until it ended before `ended_before`. Their files follow by a job.
    """
    now, total = process.clock(), 0
    today = now.astimezone(PARIS).date()
    unfiled = now - timedelta(days=process.settings.documents.unfiled_days)
    while True:
        async with process.database.transaction(SYSTEM_SIGHT) as tx:
            count = await stored.erase_unkept(tx, ended_before, now, family_id, today, unfiled)
            if count:
                await jobs.enqueue(tx, ERASE_FILES, now)
        if not count:
            return total
        total += count


async def erase_files(process: Process, job: Job, progress: Progress) -> Result:
    """Erase the files of erased documents. No connection is held while the storage works."""
    erased = 0
    while True:
        async with process.database.transaction(SYSTEM_SIGHT) as tx:
            keys = await stored.to_erase(tx)
        if not keys:
            return {"files": erased}
        for key in keys:
            await process.documents.erase(key)
        async with process.database.transaction(SYSTEM_SIGHT) as tx:
            await stored.files_erased(tx, keys, process.clock())
        erased += len(keys)
        await progress(50)


async def sweep(process: Process, job: Job, progress: Progress) -> Result:
    """Erase what crashes left behind: files of erased documents, files without a row, uploads that did not end.

    Where far more files are strange than crashes leave, the storage is another portal's: nothing is touched. Raises
    GiveUp.
    """
    await erase_files(process, job, progress)
    before = process.clock() - LEFT_BEHIND
    total, strangers = 0, []
    async for batch in process.documents.files():
        total += len(batch)
        keys = [key for each in batch if each.changed_at < before and (key := key_of(each.key))]
        async with process.database.transaction(SYSTEM_SIGHT) as tx:
            known = await stored.known(tx, keys)
        strangers += [key for key in keys if key not in known]
    if len(strangers) > max(FEW_STRANGERS, total // STRANGE_SHARE):
        raise GiveUp("STRANGE_STORAGE")
    for key in strangers:
        await process.documents.erase(key)
    return {"orphans": len(strangers), "unfinished": await process.documents.drop_unfinished(before)}
