"""Certificates of submission: the link under which one is fetched."""

from datetime import datetime
from typing import Annotated

import strawberry

from resolvers import certificates
from schema.access import FAMILY_OR_AGENT
from schema.declare import Payload, mutation
from schema.relay import Info, key_of


@strawberry.type(description="A link to a certificate.")
class CertificateLinkPayload(Payload):
    """Payload of certificateLink."""

    url: str | None = strawberry.field(
        default=None, description="Gives the certificate (PDF) to whoever has it, without signing in."
    )
    expires_at: datetime | None = strawberry.field(
        default=None, description="When it ends, five minutes later unless the city sets another time."
    )


@strawberry.type
class CertificateMutations:
    """Commands about certificates."""

    @mutation(
        may=FAMILY_OR_AGENT,
        description="Make a short link to the certificate of a submitted procedure: what was filed, its "
        "acknowledgement and the SHA-256 of the content. With a token of one's own it is also at "
        "/procedures/{reference}/certificate.pdf.",
    )
    async def certificate_link(
        info: Info,
        procedure: Annotated[strawberry.ID, strawberry.argument(description="Id of the procedure.")],
    ) -> CertificateLinkPayload:
        """R16, R38."""
        family_id, procedure_id = key_of(info.context, procedure, "Procedure", "procedure")
        url, until = await certificates.link(info.context, (family_id, procedure_id))
        return CertificateLinkPayload(url=url, expires_at=until)
