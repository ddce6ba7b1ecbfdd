"""Acknowledgements of receipt: what a family was told when it submitted (CRPA L112-3, R112-5, R112-11-1)."""

from datetime import date, datetime

import strawberry

from schema.declare import column, one, stored
from schema.kinds import SilenceMeans
from schema.relay import OWN_OR_SERVICE, Node
from schema.services import Service
from schema.tags import Tag

APPEAL = (
    "case when {t}.silence_means = 'REJECTED' then case :language when 'en' then :appeal_en else :appeal_fr end end"
)


@stored("acknowledgement", OWN_OR_SERVICE, tag=Tag.ACKNOWLEDGEMENT)
@strawberry.type(description="The acknowledgement of receipt of a procedure, as it was given; never changed.")
class Acknowledgement(Node):
    """What the law asks for at once."""

    received_at: datetime = column("When the city received the procedure.")
    implied_decision_on: date = column("The day on which silence decides, if the procedure is complete.")
    silence_means: SilenceMeans = column("What silence means.")
    attestation_on_request: bool = column(
        "Whether the family may ask for an attestation once silence has accepted (CRPA L232-3).",
        "{t}.silence_means = 'ACCEPTED'",
    )
    appeal: str | None = column(
        "How and until when to contest what silence rejects, in the language of the viewer (CRPA R112-5).", APPEAL
    )
    service: Service = one("Service in charge.", "{o}.id = {t}.service_id")
    content_sha256: str = column(
        "SHA-256 of what was submitted, in hexadecimal; it stands in the mail and in the certificate.",
        "{t}.content_sha256",
    )
