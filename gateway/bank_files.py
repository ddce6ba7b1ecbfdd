"""`GET /debits/{id}.xml` and `GET /dockets/{id}.csv|xml`: files for the bank and for the public accountant, given to
cashiers and administrators who are signed in.
"""

from uuid import UUID

from aiohttp import web

from db.pool import DatabaseUnavailable
from gateway.endpoint import MakeContext
from gateway.errors import RequestRefused
from gateway.giving import given, later, not_given
from resolvers import collection, debits
from resolvers.context import Context
from schema.access import TILL


class BankFiles:
    """Handlers over one process."""

    def __init__(self, make_context: MakeContext) -> None:
        self._make_context = make_context

    async def debits(self, request: web.Request) -> web.Response:
        """Give the file of a batch; whatever is not there, or not for who asks, is the same 404."""
        try:
            context = await self._context(request)
            filed = await debits.file_of(context, UUID(request.match_info["id"])) if context else None
        except ValueError:
            return not_given()
        except DatabaseUnavailable:
            return later()
        return given(request, filed.content, filed.name, "application/xml") if filed else not_given()

    async def dockets(self, request: web.Request) -> web.Response:
        """Give a file of a docket; whatever is not there, or not for who asks, is the same 404."""
        ending = request.match_info["ending"]
        try:
            context = await self._context(request)
            filed = await collection.files_of(context, UUID(request.match_info["id"])) if context else None
        except ValueError:
            return not_given()
        except DatabaseUnavailable:
            return later()
        if filed is None:
            return not_given()
        content, content_type = (
            (filed.files.csv, "text/csv; charset=utf-8") if ending == "csv" else (filed.files.xml, "application/xml")
        )
        return given(request, content, f"{filed.name}.{ending}", content_type)

    async def _context(self, request: web.Request) -> Context | None:
        """Give the context of an agent who may see money."""
        try:
            context = await self._make_context(request, request.headers.get("Authorization"))
        except RequestRefused:
            return None
        return context if context.viewer.kind in TILL.kinds and context.viewer.roles & TILL.roles else None
