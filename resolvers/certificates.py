"""Certificates of submission: what a family filed, the acknowledgement that it got, and the hash that proves both.

Made of the acknowledgement as it is stored, so that the same procedure gives the same bytes again.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

import msgspec
from babel.dates import format_date, format_datetime

from db import audit, procedures
from db import legal_clock as stored
from db.clock import PARIS
from db.legal_clock import Acknowledgement, Key
from resolvers import legal_clock
from resolvers.context import Context, Process
from resolvers.sentence import Sentence
from resolvers.viewer import SYSTEM_SIGHT

DOWNLOAD_CERTIFICATE = "download-certificate"
"""Purpose of the signed links."""

TEMPLATE = (Path(__file__).parent / "data" / "certificate.typ").read_bytes()
LOCALES = {"fr": "fr_FR", "en": "en_GB"}
WORDS = {
    "page": Sentence("Page", "Page"),
    "label": Sentence("Intitulé", "Label"),
    "value": Sentence("Contenu", "Content"),
    "procedure": Sentence("La démarche", "The procedure"),
    "acknowledgement": Sentence("Accusé de réception", "Acknowledgement of receipt"),
    "answers": Sentence("Ce que vous avez déclaré", "What you declared"),
    "attestation": Sentence("Attestation", "Attestation"),
    "proof": Sentence("Empreinte du contenu", "Hash of the content"),
    "proof_sentence": Sentence(
        "SHA-256 du contenu déposé, tel que la mairie le conserve. La même empreinte figure dans l’accusé de réception "
        "qui vous a été envoyé.",
        "SHA-256 of what was submitted, as the city keeps it. The same hash stands in the acknowledgement that was "
        "sent to you.",
    ),
    "erased": Sentence(
        "Vos réponses ont été effacées, comme prévu, à la fin de la démarche. Leur empreinte reste ci-dessous.",
        "Your answers were erased when the procedure had ended, as announced. Their hash remains below.",
    ),
}
TITLE = Sentence("Certificat de dépôt", "Certificate of submission")
LABELS = {
    "reference": Sentence("Référence", "Reference"),
    "kind": Sentence("Démarche", "Procedure"),
    "family": Sentence("Déposée par", "Submitted by"),
    "number": Sentence("Numéro de famille", "Family number"),
    "member": Sentence("Personne concernée", "Person concerned"),
    "received": Sentence("Reçue le", "Received on"),
    "service": Sentence("Service chargé du dossier", "Service in charge"),
    "address": Sentence("Adresse", "Address"),
    "phone": Sentence("Téléphone", "Telephone"),
    "email": Sentence("Courriel", "E-mail"),
    "due": Sentence("Réponse au plus tard le", "Answer by"),
    "silence": Sentence("Sans réponse à cette date", "Without an answer by then"),
}
SILENCE = {
    "ACCEPTED": Sentence("la demande est réputée acceptée", "the request is deemed accepted"),
    "REJECTED": Sentence("la demande est réputée refusée", "the request is deemed refused"),
}
IF_COMPLETE = Sentence(
    "Cette date suppose la demande complète. Si la mairie vous demande un complément, elle change avec votre réponse "
    "(article L. 114-5 du code des relations entre le public et l’administration).",
    "This date supposes that the request is complete. If the city asks for more, it changes with your answer (article "
    "L. 114-5 of the French code of relations between the public and the administration).",
)
ON_REQUEST = Sentence(
    "Une fois la demande réputée acceptée, vous pouvez en demander une attestation (article L. 232-3 du même code).",
    "Once the request is deemed accepted you may ask for an attestation of it (article L. 232-3 of the same code).",
)
YES, NO = Sentence("Oui", "Yes"), Sentence("Non", "No")


async def found(context: Context, reference: str) -> tuple[Key, UUID] | None:
    """Give the procedure that a viewer may have the certificate of, and its kind; None for any other."""
    viewer = context.viewer
    async with context.look() as tx:
        return await stored.seen(tx, reference, viewer.family_id, viewer.services)


async def link(context: Context, key: Key) -> tuple[str, datetime]:
    """Give the address of a certificate for whoever has it, and when it ends. Raises Refusal NOT_FOUND."""
    async with context.look() as tx:
        procedure = await procedures.known(tx, *key)
        if procedure is None or procedure.submitted_at is None:
            raise context.refusal("NOT_FOUND", ["procedure"])
    process = context.process
    until = process.clock() + timedelta(seconds=process.settings.legal_clock.certificate_link_seconds)
    claims = {"family": str(key[0]), "procedure": str(key[1]), "language": context.viewer.language}
    token = process.keys.link_token(DOWNLOAD_CERTIFICATE, claims, until)
    return f"{process.settings.server.url}/procedures/{quote(procedure.reference)}/certificate.pdf?token={token}", until


async def certificate(process: Process, key: Key, kind_id: UUID, language: str) -> bytes | None:
    """Give the certificate of a submitted procedure; None where there is nothing to certify.

    Raises TypesetterBusy. For procedures that were submitted before acknowledgements were kept, one is written now.
    """
    now = process.clock()
    async with process.database.transaction(SYSTEM_SIGHT) as tx:
        kind = await procedures.kind(tx, kind_id)
        receipt = await stored.of_procedure(tx, key)
        if receipt is None and await stored.submitted(tx, key) is not None:
            receipt = await legal_clock.acknowledge(tx, key, kind, now)
        if receipt is None:
            return None
        act = audit.Act("certificate_given", "SYSTEM", now, None, key[0], key[1])
        await audit.record(tx, act)
    data = contents(receipt, kind, language, process.settings.city.name, process.settings.city.court)
    seconds = process.settings.legal_clock.certificate_timeout
    return await process.typesetter.pdf(TEMPLATE, data, receipt.received_at.astimezone(UTC), seconds)


def contents(receipt: Acknowledgement, kind: procedures.Kind, language: str, city: str, court: str) -> dict[str, Any]:
    """Give what the template sets: texts only."""
    content = msgspec.json.decode(receipt.content) if receipt.content else {}
    service: dict[str, str] = msgspec.json.decode(receipt.service)
    received = receipt.received_at.astimezone(PARIS)
    appeal = legal_clock.APPEAL.to(language).format(court=court)
    rows: dict[str, str | None] = {
        "reference": content.get("reference"),
        "kind": kind.title[language],
        "family": content.get("family", {}).get("name"),
        "number": content.get("family", {}).get("number"),
        "member": content.get("member"),
    }
    acknowledged = {
        "received": _moment(received, language),
        "service": service[f"name_{language}"],
        "address": service["address"],
        "phone": service["phone"],
        "email": service["email"],
        "due": _day(receipt.implied_decision_on, language),
        "silence": SILENCE[receipt.silence_means].to(language),
    }
    utc = receipt.received_at.astimezone(UTC)
    return {
        "language": language,
        "city": city,
        "title": TITLE.to(language),
        "subtitle": kind.title[language],
        "reference": content.get("reference") or kind.title[language],
        "date": {name: getattr(utc, name) for name in ("year", "month", "day", "hour", "minute", "second")},
        "words": {name: sentence.to(language) for name, sentence in WORDS.items()},
        "procedure": _labelled(rows, language),
        "acknowledgement": _labelled(acknowledged, language),
        "sentences": [
            IF_COMPLETE.to(language),
            ON_REQUEST.to(language) if receipt.silence_means == "ACCEPTED" else appeal,
        ],
        "answers": list(_answers(msgspec.json.decode(kind.form), content.get("answers"), language)),
        "attestation": content.get("attestation") or kind.attestation[language],
        "sha256": receipt.content_sha256,
    }


def _labelled(rows: Mapping[str, str | None], language: str) -> list[list[str]]:
    return [[LABELS[name].to(language), value] for name, value in rows.items() if value]


def _answers(form: Any, answers: Any, language: str, above: str = "") -> Iterator[list[str]]:
    """Give label and value of each answer, in the order of the form; what the form does not know comes last."""
    if not isinstance(answers, dict):
        return
    known: dict[str, Any] = form.get("properties", {})
    for name in [*(name for name in known if name in answers), *(name for name in answers if name not in known)]:
        schema = known.get(name, {})
        label = above + _title(schema, name, language)
        if isinstance(answers[name], dict):
            yield from _answers(schema, answers[name], language, f"{label} – ")
        else:
            yield [label, _value(schema, answers[name], language)]


def _title(schema: Any, name: str, language: str) -> str:
    title = schema.get("x-title-en") if language == "en" else schema.get("title")
    return str(title or schema.get("title") or name)


def _value(schema: Any, value: Any, language: str) -> str:
    if isinstance(value, list):
        return ", ".join(_value(schema.get("items", {}), each, language) for each in value) or "–"
    if isinstance(value, bool):
        return (YES if value else NO).to(language)
    for option in schema.get("oneOf", ()):
        if option.get("const") == value:
            return _title(option, str(value), language)
    if schema.get("format") == "date" and isinstance(value, str):
        try:
            return _day(date.fromisoformat(value), language)
        except ValueError:
            return value
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _day(day: date, language: str) -> str:
    return format_date(day, "d MMMM y", LOCALES[language])


def _moment(moment: datetime, language: str) -> str:
    pattern = {"fr": "d MMMM y 'à' HH'\u00a0h\u00a0'mm", "en": "d MMMM y 'at' HH:mm"}[language]
    return format_datetime(moment, pattern, locale=LOCALES[language])
