"""What a family can be told about its procedures: the one place where such news is born."""

from datetime import datetime
from typing import Any

from db.outbox import Told
from db.procedures import Kind, Procedure
from db.typography import NO_BREAK
from resolvers.problems import Sentence

PROCEDURE_NEWS = ("procedure_submitted", "procedure_moved")
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


def submitted(procedure: Procedure, kind: Kind, number: int, at: datetime, implied_on: str) -> Told:
    """The acknowledgement that the law asks for at once (CRPA L112-3, R112-5): date, service, what silence will mean,
    when.
    """
    data = {
        **_common(procedure, kind),
        "submitted_at": at.isoformat(),
        "implied_decision_on": implied_on,
        "silence_means": kind.silence_means,
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
