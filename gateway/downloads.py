"""`GET /exports/{id}`: a family's copy of its data, for a signed link of a mail or for whoever is signed in."""

from uuid import UUID

from aiohttp import web

from db import audit
from db.exports import Offer
from db.keys import LinkRefused
from db.pool import DatabaseUnavailable
from gateway.endpoint import MakeContext
from gateway.errors import RequestRefused
from gateway.giving import PRIVATE, later, not_given
from resolvers import exports
from resolvers.context import Process
from resolvers.exports import DOWNLOAD_EXPORT
from resolvers.viewer import SYSTEM_SIGHT


class Downloads:
    """Handlers over one process."""

    def __init__(self, process: Process, make_context: MakeContext) -> None:
        self._process = process
        self._make_context = make_context

    async def export(self, request: web.Request) -> web.StreamResponse:
        """Give an archive; whatever is not there, not theirs or not in time is the same 404."""
        try:
            export_id = UUID(request.match_info["id"])
            family_id = await self._family(request, export_id)
            found = await exports.offered(self._process, family_id, export_id) if family_id else None
            if family_id is None or found is None:
                return not_given("LINK_NOT_VALID")
            await self._record(family_id, export_id)
        except ValueError:
            return not_given("LINK_NOT_VALID")
        except DatabaseUnavailable:
            return later()
        return await self._send(request, family_id, export_id, found)

    async def _family(self, request: web.Request, export_id: UUID) -> UUID | None:
        """Give the family for which the request may fetch this export."""
        token = request.query.get("token")
        if token is not None:
            try:
                claims = self._process.keys.read_link(DOWNLOAD_EXPORT, token, self._process.clock())
                return UUID(claims["family"]) if UUID(claims["export"]) == export_id else None
            except (LinkRefused, KeyError):
                return None
        try:
            context = await self._make_context(request, request.headers.get("Authorization"))
        except RequestRefused:
            return None
        return context.viewer.family_id

    async def _record(self, family_id: UUID, export_id: UUID) -> None:
        act = audit.Act("export_downloaded", "FAMILY", self._process.clock(), None, family_id, export_id)
        async with self._process.database.transaction(SYSTEM_SIGHT) as tx:
            await audit.record(tx, act)

    async def _send(self, request: web.Request, family_id: UUID, export_id: UUID, found: Offer) -> web.StreamResponse:
        name = f"kiosque-{found.family_number}-{found.ready_at:%Y-%m-%d}.zip"
        response = web.StreamResponse(
            headers=PRIVATE
            | {"Content-Type": "application/zip", "Content-Disposition": f'attachment; filename="{name}"'}
        )
        response.content_length = found.size
        await response.prepare(request)
        async for piece in exports.pieces(self._process, family_id, export_id, found.chunks):
            await response.write(piece)
        await response.write_eof()
        return response
