"""`GET /procedures/{reference}/certificate.pdf`: for the family, the agents of the service, or who has a signed link.

A procedure that is not there, not theirs, or still a draft is the same 404.
"""

from uuid import UUID

from aiohttp import web

from db import procedures
from db.keys import LinkRefused
from db.legal_clock import Key
from db.pool import DatabaseUnavailable
from gateway.endpoint import MakeContext
from gateway.errors import RequestRefused
from gateway.giving import given, later, not_given
from resolvers import certificates
from resolvers.certificates import DOWNLOAD_CERTIFICATE
from resolvers.context import Process
from resolvers.problems import Refusal
from resolvers.typesetting import TypesetterBusy
from resolvers.viewer import SYSTEM_SIGHT
from schema.access import FAMILY_OR_AGENT


class Certificates:
    """Handlers over one process."""

    def __init__(self, process: Process, make_context: MakeContext) -> None:
        self._process = process
        self._make_context = make_context

    async def give(self, request: web.Request) -> web.StreamResponse:
        """Give the certificate of the procedure in the path."""
        reference = request.match_info["reference"]
        try:
            found = await self._found(request, reference)
            made = await certificates.certificate(self._process, *found) if found else None
        except (DatabaseUnavailable, TypesetterBusy):
            return later()
        if made is None:
            return not_given()
        return given(request, made, f"{reference}.pdf")

    async def _found(self, request: web.Request, reference: str) -> tuple[Key, UUID, str] | None:
        """Give key, kind and language of the certificate that the request may have."""
        token = request.query.get("token")
        if token is not None:
            return await self._linked(token, reference)
        try:
            context = await self._make_context(request, request.headers.get("Authorization"))
            FAMILY_OR_AGENT.permit(context.viewer)
        except (RequestRefused, Refusal):
            return None
        found = await certificates.found(context, reference)
        return (*found, context.viewer.language) if found else None

    async def _linked(self, token: str, reference: str) -> tuple[Key, UUID, str] | None:
        try:
            claims = self._process.keys.read_link(DOWNLOAD_CERTIFICATE, token, self._process.clock())
            key = UUID(claims["family"]), UUID(claims["procedure"])
            language = claims["language"]
        except (LinkRefused, KeyError, ValueError):
            return None
        async with self._process.database.transaction(SYSTEM_SIGHT) as tx:
            procedure = await procedures.known(tx, *key)
        if procedure is None or procedure.reference != reference or procedure.submitted_at is None:
            return None
        return key, procedure.kind_id, language
