"""A family's copy of its data (GDPR art. 15 and 20; R10): ordered, made as a job, offered for some days, deleted.

The archive is made of a stream and leaves as one: memory holds a piece of it at a time. Each piece is sealed with a key
of its own, so that none can be read, swapped or used for another archive.
"""

import zipfile
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from db import exports as stored
from db import families, jobs, mandates, uploads
from db.ids import uuid7
from db.jobs import Job
from db.keys import Keys
from db.outbox import Told, tell
from db.uploads import Document
from resolvers.context import Context, Process
from resolvers.job_runner import GiveUp, Progress, Result
from resolvers.sentence import Sentence
from resolvers.storage import NoSuchFile

BUILD_EXPORT = "build_export"
DOWNLOAD_EXPORT = "download-export"
"""Purpose of the signed link in the mail."""

PAUSE = timedelta(days=1)
PIECE_BYTES = 256 * 1024
MOST_BYTES = 50 * 1024 * 1024
"""Beside the documents."""

INTRODUCTION = Sentence(
    """Vos données du Kiosque famille – {city}
Copie faite le {at}.

Le fichier data.json contient tout ce que le portail conserve sur votre famille, au format JSON
(RGPD, articles 15 et 20). Gardez ce fichier pour vous : il contient des données personnelles.
Ce que chaque partie contient :
""",
    """Your data of the family portal – {city}
Copy made on {at}.

The file data.json holds everything that the portal keeps about your family, as JSON
(GDPR, articles 15 and 20). Keep this file to yourself: it holds personal data.
What each part holds:
""",
)
CONTENTS = {
    "family": Sentence("la famille : numéro, nom, dates", "the family: number, name, dates"),
    "member": Sentence("les adultes et les enfants", "adults and children"),
    "member_change": Sentence("les changements proposés pour un enfant partagé", "changes proposed of a shared child"),
    "quotient_familial": Sentence("les quotients familiaux", "income indexes (quotient familial)"),
    "invitation": Sentence("les invitations à ouvrir un accès", "invitations to open a login"),
    "account": Sentence("les accès de la famille, sans les mots de passe", "the family's logins, without passwords"),
    "password_reset": Sentence("les demandes de nouveau mot de passe", "new passwords asked for"),
    "email_change": Sentence("les changements d’adresse électronique", "changes of e-mail addresses"),
    "activation_code": Sentence("les codes d’activation émis, sans les codes", "codes issued, without the codes"),
    "terms_acceptance": Sentence("les conditions d’utilisation acceptées", "terms of use accepted"),
    "session": Sentence("les connexions : appareil, dates", "sign-ins: device, dates"),
    "provider_link": Sentence("les accès par un fournisseur d’identité", "sign-ins by another provider"),
    "device": Sentence("les appareils reconnus : dates", "known devices: dates"),
    "address": Sentence("les adresses où vous joindre", "where you can be reached"),
    "channel_preference": Sentence("vos moyens de contact préférés", "your preferred channels"),
    "data_choice": Sentence("les données que vous gardez dans le compte", "data that you keep in the account"),
    "service_opt_in": Sentence("les services que vous utilisez", "services that you use"),
    "document": Sentence("vos documents : nom, taille, dates", "your documents: name, size, dates"),
    "procedure_document": Sentence(
        "les documents joints aux démarches", "which document is filed with which procedure"
    ),
    "procedure": Sentence("vos démarches et vos réponses", "your procedures and answers"),
    "acknowledgement": Sentence("les accusés de réception de vos démarches", "acknowledgements of your procedures"),
    "procedure_event": Sentence("l’historique des démarches", "the history of procedures"),
    "information_request": Sentence("ce que les services vous ont demandé", "what the services asked you for"),
    "procedure_message": Sentence("vos échanges avec les services", "your conversations with the services"),
    "consumption": Sentence("ce que vos enfants ont utilisé, jour par jour", "what your children used, day by day"),
    "consumption_change": Sentence("les corrections de ces consommations", "corrections of what was used"),
    "invoice": Sentence("vos factures", "your invoices"),
    "invoice_line": Sentence("les lignes de vos factures", "the lines of your invoices"),
    "payment": Sentence("vos paiements", "your payments"),
    "allocation": Sentence("ce que vos paiements ont réglé", "what your payments settled"),
    "card_attempt": Sentence("vos paiements en ligne par carte", "your card payments online"),
    "card_attempt_invoice": Sentence("les factures de ces paiements", "the invoices of those payments"),
    "refund": Sentence("ce qui vous a été remboursé", "what was paid back to you"),
    "invoice_reminder": Sentence("les rappels de vos factures", "reminders of your invoices"),
    "mandate": Sentence("les mandats de prélèvement, avec le compte", "direct debit mandates, with the account"),
    "debit": Sentence("les prélèvements", "direct debits"),
    "handover": Sentence("les factures transmises au Trésor public", "invoices handed over to the public accountant"),
    "news": Sentence("ce qui vous a été annoncé", "what you were told"),
    "delivery": Sentence("les messages envoyés : où, quand", "messages sent: where, when"),
}
"""What the README says of each part, by table."""

HELP = Sentence("\nUne question ? {phone}, {email}\n", "\nAny question? {phone}, {email}\n")


async def request(context: Context) -> tuple[UUID, UUID]:
    """Order a copy; give its key. Raises Refusal EXPORT_TOO_SOON for a second one of the login within a day."""
    now, family_id, account_id = context.process.clock(), context.viewer.family, context.viewer.account
    export_id = uuid7(now)
    async with context.transaction() as tx:
        await stored.hold_account(tx, family_id, account_id)
        if await stored.requested_since(tx, family_id, account_id, now - PAUSE):
            raise context.refusal("EXPORT_TOO_SOON")
        parameters = {"export": str(export_id)}
        job_id = await jobs.enqueue(tx, BUILD_EXPORT, now, family_id=family_id, parameters=parameters)
        await stored.insert(tx, family_id, export_id, account_id, job_id, now)
        await context.record(tx, "export_requested", family=family_id, subject=export_id)
    return family_id, export_id


async def build(process: Process, job: Job, progress: Progress) -> Result:
    """Make the archive of a family and tell who asked for it; one that is there already stays as it is.

    With the sight of that family only: the database itself lets no other row in. What the tables hold is read in one
    transaction; documents follow piece by piece, because the storage may be across a network.
    """
    assert job.family_id is not None, "ordered for a family"
    family_id, export_id, now = job.family_id, UUID(job.parameters["export"]), process.clock()
    archive = _Archive(process, job, export_id)
    async with archive.transaction() as tx:
        wanted = await stored.hold(tx, family_id, export_id)
        if wanted is None or wanted.ready:
            return None
        await stored.drop_chunks(tx, family_id, export_id)
        await _fill(process, tx, archive, wanted.language, progress)
        documents = await uploads.of_family(tx, family_id)
    for number, document in enumerate(documents, 1):
        await _enclose(process, archive, number, document)
    async with archive.transaction() as tx:
        if await stored.hold(tx, family_id, export_id) is None:
            return None
        await archive.end(tx)
        until = now + timedelta(days=process.settings.retention.exports_days)
        await stored.make_ready(tx, family_id, export_id, archive.size, now, until)
        if wanted.email is not None:
            await tell(tx, _ready(family_id, export_id, wanted.email, until, now))
    return {"bytes": archive.size}


async def _enclose(process: Process, archive: "_Archive", number: int, document: Document) -> None:
    """Put a document into the archive; one that is erased meanwhile is left out."""
    pieces = process.documents.pieces(document, 0, document.size)
    try:
        piece = await anext(pieces)
    except NoSuchFile:
        async with archive.transaction() as tx:
            if await uploads.readable(tx, (document.family_id, document.id), None) is not None:
                raise
        return
    entry = zipfile.ZipInfo(f"documents/{number:03}-{document.name}", document.created_at.timetuple()[:6])
    entry.file_size = document.size
    with archive.file(entry) as file:
        file.write(piece)
        async for piece in pieces:
            file.write(piece)
            if archive.has_piece:
                async with archive.transaction() as tx:
                    await archive.flush(tx)


async def _fill(process: Process, tx: Any, archive: "_Archive", language: str, progress: Progress) -> None:
    """Write README.txt and data.json; documents follow as `documents/…`."""
    with archive.file("README.txt") as readme:
        readme.write(_readme(process, language).encode())
    with archive.file("data.json") as data:
        data.write(b'{"made_at": ' + msgspec.json.encode(process.clock()))
        for number, part in enumerate(stored.PARTS):
            data.write(b',\n"%s": [' % part.table.encode())
            between = b"\n"
            async for row in stored.rows_of(tx, part, archive.family_id):
                data.write(between + _opened(process.keys, part, archive.family_id, row))
                between = b",\n"
                await archive.flush(tx)
            data.write(b"]")
            await progress(100 * (number + 1) // (len(stored.PARTS) + 1))
        data.write(b"}\n")


def _opened(keys: Keys, part: stored.Part, family_id: UUID, row: str) -> bytes:
    """Give a row as the archive has it: what is encrypted at rest is clear in the family's own copy."""
    if part.also not in (stored.SEALED, stored.SEALED_ACCOUNT):
        return row.encode()
    values = msgspec.json.decode(row)
    if part.also == stored.SEALED_ACCOUNT:
        sealed = values["account"]
        account = mandates.opened(keys, family_id, b64decode(sealed)) if sealed else None
        return msgspec.json.encode(values | {"account": account})
    return msgspec.json.encode(values | {"value": families.opened(keys, family_id, b64decode(values["value"]))})


def _readme(process: Process, language: str) -> str:
    city = process.settings.city
    at = process.clock().astimezone(ZoneInfo(city.time_zone)).strftime("%d/%m/%Y %H:%M")
    lines = [f"- {part.table}: {CONTENTS[part.table].to(language)}" for part in stored.PARTS]
    help_desk = HELP.to(language).format(phone=city.contact_phone, email=city.contact_email)
    return INTRODUCTION.to(language).format(city=city.name, at=at) + "\n".join(lines) + "\n" + help_desk


def _ready(family_id: UUID, export_id: UUID, email: str, until: datetime, now: datetime) -> Told:
    data = {
        "export": str(export_id),
        "expires_at": until.isoformat(),
        "summary_fr": "La copie de vos données est prête.",
        "summary_en": "The copy of your data is ready.",
    }
    return Told(family_id, "ACCOUNT_SECURITY", "export_ready", export_id, data, now, priority=0, to=[("EMAIL", email)])


def _purpose(export_id: UUID, number: int) -> str:
    """One key a piece: what was sealed for one place opens in no other."""
    return f"export/{export_id}/{number}"


class _Archive:
    """A ZIP file that is written into the database piece by piece, by a job."""

    def __init__(self, process: Process, job: Job, export_id: UUID) -> None:
        assert job.family_id is not None, "ordered for a family"
        self.family_id = job.family_id
        self.size = 0
        self._process = process
        self._job = job
        self._export_id = export_id
        self._limit = MOST_BYTES + process.settings.documents.family_bytes
        self._waiting = bytearray()
        self._pieces = 0
        self._zip = zipfile.ZipFile(_Tube(self._waiting), "w", zipfile.ZIP_DEFLATED)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Any]:
        """Open a transaction that sees the family, and commits only while no other node does the job."""
        async with self._process.database.transaction({"kiosque.family": str(self.family_id)}) as tx:
            yield tx
            await jobs.hold(tx, self._job)

    def file(self, name: str | zipfile.ZipInfo) -> Any:
        """Begin a file of the archive; it ends with the block."""
        return self._zip.open(name, "w")

    @property
    def has_piece(self) -> bool:
        """Whether there is a piece to store."""
        return len(self._waiting) >= PIECE_BYTES

    async def flush(self, tx: Any) -> None:
        """Store the pieces that are full. Raises GiveUp for an archive that is too big."""
        while self.has_piece:
            await self._store(tx, PIECE_BYTES)

    async def end(self, tx: Any) -> None:
        """Write the table of contents and store the rest."""
        self._zip.close()
        await self.flush(tx)
        await self._store(tx, len(self._waiting))

    async def _store(self, tx: Any, size: int) -> None:
        piece = bytes(self._waiting[:size])
        del self._waiting[:size]
        self.size += size
        if self.size > self._limit:
            raise GiveUp("TOO_BIG")
        sealed = self._process.keys.seal(_purpose(self._export_id, self._pieces), piece)
        await stored.write_chunk(tx, self.family_id, self._export_id, self._pieces, sealed)
        self._pieces += 1


class _Tube:
    """What a ZIP file is written into: it cannot go back."""

    def __init__(self, waiting: bytearray) -> None:
        self._waiting = waiting

    def write(self, data: bytes) -> int:
        """Take some bytes."""
        self._waiting += data
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Nothing is held open."""


async def offered(process: Process, family_id: UUID, export_id: UUID) -> stored.Offer | None:
    """Give an archive of a family that is ready and has not expired. Raises DatabaseUnavailable."""
    async with process.database.transaction({"kiosque.family": str(family_id)}) as tx:
        return await stored.offer(tx, family_id, export_id, process.clock())


async def pieces(process: Process, family_id: UUID, export_id: UUID, count: int) -> AsyncIterator[bytes]:
    """Give the pieces of an archive, in order; no connection is held while the client reads.

    Raises LookupError when it is deleted meanwhile, `cryptography.exceptions.InvalidTag` when a piece was altered.
    """
    for number in range(count):
        async with process.database.transaction({"kiosque.family": str(family_id)}) as tx:
            sealed = await stored.chunk(tx, family_id, export_id, number)
        if sealed is None:
            raise LookupError("the archive was deleted")
        yield process.keys.unseal(_purpose(export_id, number), sealed)
