"""`GET /invoices/{number}.pdf`: the bytes as issued, for the family, for who takes money, or for who has a signed link.

An invoice that is not there and one of another family are the same 404.
"""

from uuid import UUID

from aiohttp import web

from db import audit, issuing
from db.issuing import Kept
from db.keys import LinkRefused
from db.pool import DatabaseUnavailable
from gateway.endpoint import MakeContext
from gateway.errors import RequestRefused
from gateway.giving import given, later, not_given
from resolvers import invoice_issue
from resolvers.context import Process
from resolvers.invoice_issue import DOWNLOAD_INVOICE
from resolvers.problems import Refusal
from resolvers.typesetting import TypesetterBusy
from resolvers.viewer import SYSTEM_SIGHT
from schema.access import FAMILY_OR_TILL


class Invoices:
    """Handlers over one process."""

    def __init__(self, process: Process, make_context: MakeContext) -> None:
        self._process = process
        self._make_context = make_context

    async def give(self, request: web.Request) -> web.StreamResponse:
        """Give the invoice in the path."""
        number = request.match_info["number"]
        try:
            found = await self._found(request, number)
            if found is not None and found.pdf is None:
                await invoice_issue.issue_one(self._process, found.family_id, found.id)
                found = await self._found(request, number)
            if found is None or found.pdf is None:
                return not_given()
            await self._record(found)
        except (DatabaseUnavailable, TypesetterBusy):
            return later()
        body = invoice_issue.opened(self._process.keys, found.family_id, found.id, found.pdf)
        return given(request, body, f"{number}.pdf", disposition="inline")

    async def _found(self, request: web.Request, number: str) -> Kept | None:
        """Give the invoice if the request may have it."""
        token = request.query.get("token")
        if token is not None:
            return await self._linked(token, number)
        try:
            context = await self._make_context(request, request.headers.get("Authorization"))
            FAMILY_OR_TILL.permit(context.viewer)
        except (RequestRefused, Refusal):
            return None
        async with context.look() as tx:
            return await issuing.kept(tx, number)

    async def _linked(self, token: str, number: str) -> Kept | None:
        try:
            claims = self._process.keys.read_link(DOWNLOAD_INVOICE, token, self._process.clock())
            family_id = UUID(claims["family"])
        except (LinkRefused, KeyError, ValueError):
            return None
        if claims.get("invoice") != number:
            return None
        async with self._process.database.transaction({"kiosque.family": str(family_id)}) as tx:
            return await issuing.kept(tx, number)

    async def _record(self, found: Kept) -> None:
        act = audit.Act("invoice_given", "SYSTEM", self._process.clock(), None, found.family_id, found.id)
        async with self._process.database.transaction(SYSTEM_SIGHT) as tx:
            await audit.record(tx, act)
