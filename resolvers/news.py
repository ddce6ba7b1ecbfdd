"""What a family can be told about its procedures: the one place where such news is born."""

from datetime import datetime
from typing import Any

from db.legal_clock import Acknowledgement
from db.outbox import Told
from db.procedures import Kind, Procedure
from db.typography import NO_BREAK
from resolvers.sentence import Sentence

PROCEDURE_NEWS = ("procedure_submitted", "procedure_moved", "procedure_decided_by_silence")
"""Types of news that tell an event of a procedure."""

STATUS = {
    "SUBMITTED": Sentence("envoyée", "sent"),
    "IN_REVIEW": Sentence("en cours d’examen", "under review"),
    "AWAITING_FAMILY": Sentence("en attente de votre réponse", "waiting for your reply"),
    "ACCEPTED": Sentence("acceptée", "accepted"),
    "REJECTED": Sentence("refusée", "refused"),
    "CLOSED": Sentence("clôturée", "closed"),
    "WITHDRAWN": Sentence("retirée", "withdrawn"),
}

ATTACHED = (
    Sentence("", ""),
    Sentence(", avec un document", ", with a document"),
    Sentence(", avec {} documents", ", with {} documents"),
)
"""How a message ends that carries none, one, or several."""


def submitted(procedure: Procedure, kind: Kind, number: int, receipt: Acknowledgement, court: str) -> Told:
    """The acknowledgement that the law asks for at once (CRPA L112-3, R112-5, R112-11-1): day of receipt, service, what
    silence will mean and when; where it rejects the ways to appeal, where it accepts the right to an attestation.
    """
    at = receipt.received_at
    data = {
        **_common(procedure, kind),
        "submitted_at": at.isoformat(),
        "implied_decision_on": receipt.implied_decision_on.isoformat(),
        "silence_means": receipt.silence_means,
        "court": court,
        "content_sha256": receipt.content_sha256,
        "summary_fr": f"Nous avons bien reçu votre démarche {_quoted(kind.title['fr'])} ({procedure.reference}).",
        "summary_en": f"We have received your procedure “{kind.title['en']}” ({procedure.reference}).",
    }
    return _told("procedure_submitted", procedure, number, data, at)


def moved(procedure: Procedure, kind: Kind, number: int, to: str, message: str | None, at: datetime) -> Told:
    """A change of status that the family did not make itself, or its confirmation (R16)."""
    status = STATUS[to]
    data = {
        **_common(procedure, kind),
        "from": procedure.status,
        "to": to,
        "message": message,
        "summary_fr": f"Votre démarche {_quoted(kind.title['fr'])} ({procedure.reference}) est {status.fr}.",
        "summary_en": f"Your procedure “{kind.title['en']}” ({procedure.reference}) is {status.en}.",
    }
    return _told("procedure_moved", procedure, number, data, at)


def message(procedure: Procedure, kind: Kind, author: str, body: str, at: datetime, documents: int = 0) -> Told:
    """A message about a procedure, with so many documents: from the service, or the family's own, which only its other
    logins need to see.
    """
    own = author == "FAMILY"
    carries = ATTACHED[min(documents, 2)]
    data = {
        **_common(procedure, kind),
        "author": author,
        "message": body,
        "documents": documents,
        "summary_fr": f"{'Vous avez écrit au service' if own else 'Le service vous a écrit'} au sujet de votre "
        f"démarche « {kind.title['fr']} » ({procedure.reference}){carries.fr.format(documents)}.",
        "summary_en": f"{'You wrote to the service' if own else 'The service wrote to you'} about your procedure "
        f"“{kind.title['en']}” ({procedure.reference}){carries.en.format(documents)}.",
    }
    return Told(
        procedure.family_id,
        "PROCEDURE_MESSAGE",
        "procedure_message",
        procedure.id,
        data,
        at,
        service_id=procedure.service_id,
        procedure_id=procedure.id,
        inbox_only=own,
    )


def decided_by_silence(procedure: Procedure, kind: Kind, number: int, to: str, at: datetime) -> Told:
    """The decision that silence made (CRPA L231-1, L231-4), with the day on which it was born."""
    status = STATUS[to]
    assert procedure.implied_decision_on is not None, "it was due"
    data = {
        **_common(procedure, kind),
        "from": procedure.status,
        "to": to,
        "implied_decision_on": procedure.implied_decision_on.isoformat(),
        "summary_fr": f"Sans réponse de la mairie dans le délai, votre démarche {_quoted(kind.title['fr'])} "
        f"({procedure.reference}) est {status.fr}.",
        "summary_en": f"As the city has not answered in time, your procedure “{kind.title['en']}” "
        f"({procedure.reference}) is {status.en}.",
    }
    return _told("procedure_decided_by_silence", procedure, number, data, at)


def _common(procedure: Procedure, kind: Kind) -> dict[str, Any]:
    titles = {"title_fr": kind.title["fr"], "title_en": kind.title["en"]}
    return {"reference": procedure.reference, **titles, "service": kind.service}


def _told(kind_of_news: str, procedure: Procedure, number: int, data: dict[str, Any], at: datetime) -> Told:
    return Told(
        procedure.family_id,
        "PROCEDURE_STATUS",
        kind_of_news,
        procedure.id,
        data,
        at,
        service_id=procedure.service_id,
        procedure_id=procedure.id,
        procedure_event_number=number,
        priority=0,
    )


def _quoted(title: str) -> str:
    return f"«{NO_BREAK}{title}{NO_BREAK}»"
