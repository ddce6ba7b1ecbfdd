"""A family's copy of its data (GDPR art. 15 and 20; R10): ordered, made as a job, offered for some days, deleted.

The archive is made of a stream and leaves as one: memory holds a piece of it at a time. Each piece is sealed with a key
of its own, so that none can be read, swapped or used for another archive.
"""

import zipfile
from base64 import b64decode
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from db import exports as stored
from db import families, jobs
from db.ids import uuid7
from db.jobs import Job
from db.keys import Keys
from db.outbox import Told, tell
from resolvers.context import Context, Process
from resolvers.job_runner import GiveUp, Progress, Result
from resolvers.problems import Sentence

BUILD_EXPORT = "build_export"
DOWNLOAD_EXPORT = "download-export"
"""Purpose of the signed link in the mail."""

PAUSE = timedelta(days=1)
PIECE_BYTES = 256 * 1024
MOST_BYTES = 50 * 1024 * 1024

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
    "procedure": Sentence("vos démarches et vos réponses", "your procedures and answers"),
    "procedure_event": Sentence("l’historique des démarches", "the history of procedures"),
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

    All in one transaction, with the sight of that family only: the database itself lets no other row in.
    """
    assert job.family_id is not None, "ordered for a family"
    family_id, export_id, now = job.family_id, UUID(job.parameters["export"]), process.clock()
    async with process.database.transaction({"kiosque.family": str(family_id)}) as tx:
        wanted = await stored.hold(tx, family_id, export_id)
        if wanted is None or wanted.ready:
            return None
        archive = _Archive(tx, process.keys, family_id, export_id)
        await _fill(process, tx, archive, wanted.language, progress)
        await archive.end()
        until = now + timedelta(days=process.settings.retention.exports_days)
        await stored.make_ready(tx, family_id, export_id, archive.size, now, until)
        if wanted.email is not None:
            await tell(tx, _ready(family_id, export_id, wanted.email, until, now))
        await jobs.hold(tx, job)
    return {"bytes": archive.size}


async def _fill(process: Process, tx: Any, archive: "_Archive", language: str, progress: Progress) -> None:
    """Write README.txt and data.json. Documents, when families file some, follow here as `documents/…`."""
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
                await archive.flush()
            data.write(b"]")
            await progress(100 * (number + 1) // (len(stored.PARTS) + 1))
        data.write(b"}\n")


def _opened(keys: Keys, part: stored.Part, family_id: UUID, row: str) -> bytes:
    """Give a row as the archive has it: what is encrypted at rest is clear in the family's own copy."""
    if part.also != stored.SEALED:
        return row.encode()
    values = msgspec.json.decode(row)
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
    """A ZIP file that is written into the database piece by piece."""

    def __init__(self, tx: Any, keys: Keys, family_id: UUID, export_id: UUID) -> None:
        self.family_id = family_id
        self.size = 0
        self._tx = tx
        self._keys = keys
        self._export_id = export_id
        self._waiting = bytearray()
        self._pieces = 0
        self._zip = zipfile.ZipFile(_Tube(self._waiting), "w", zipfile.ZIP_DEFLATED)

    def file(self, name: str) -> Any:
        """Begin a file of the archive; it ends with the block."""
        return self._zip.open(name, "w")

    async def flush(self) -> None:
        """Store the pieces that are full. Raises GiveUp for an archive that is too big."""
        while len(self._waiting) >= PIECE_BYTES:
            await self._store(PIECE_BYTES)

    async def end(self) -> None:
        """Write the table of contents and store the rest."""
        self._zip.close()
        await self.flush()
        await self._store(len(self._waiting))

    async def _store(self, size: int) -> None:
        piece = bytes(self._waiting[:size])
        del self._waiting[:size]
        self.size += size
        if self.size > MOST_BYTES:
            raise GiveUp("TOO_BIG")
        sealed = self._keys.seal(_purpose(self._export_id, self._pieces), piece)
        await stored.write_chunk(self._tx, self.family_id, self._export_id, self._pieces, sealed)
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
