"""`GET /receipts/{id}.pdf`: for the family, for who takes money, or for who has a signed link.

A receipt that is not there and one that is not theirs are the same 404.
"""

from uuid import UUID

from aiohttp import web

from db import payment_receipts as stored
from db.keys import LinkRefused
from db.payment_receipts import Receipt
from db.pool import DatabaseUnavailable
from gateway.endpoint import MakeContext
from gateway.errors import RequestRefused
from gateway.giving import given, later, not_given
from resolvers import receipts
from resolvers.context import Process
from resolvers.problems import Refusal
from resolvers.receipts import DOWNLOAD_RECEIPT
from resolvers.typesetting import TypesetterBusy
from resolvers.viewer import SYSTEM_SIGHT
from schema.access import FAMILY_OR_TILL


class Receipts:
    """Handlers over one process."""

    def __init__(self, process: Process, make_context: MakeContext) -> None:
        self._process = process
        self._make_context = make_context

    async def give(self, request: web.Request) -> web.StreamResponse:
        """Give the receipt of the visit in the path."""
        try:
            found = await self._found(request)
            made = await receipts.pdf(self._process, *found) if found else None
        except (DatabaseUnavailable, TypesetterBusy):
            return later()
        if found is None or made is None:
            return not_given()
        return given(request, made, f"{found[0].number}.pdf")

    async def _found(self, request: web.Request) -> tuple[Receipt, str] | None:
        """Give the receipt that the request may have, and its language."""
        try:
            visit_id = UUID(request.match_info["id"])
        except ValueError:
            return None
        token = request.query.get("token")
        if token is not None:
            return await self._linked(token, visit_id)
        try:
            context = await self._make_context(request, request.headers.get("Authorization"))
            FAMILY_OR_TILL.permit(context.viewer)
        except (RequestRefused, Refusal):
            return None
        async with context.look() as tx:
            found = await stored.of_visit(tx, visit_id, context.viewer.family_id)
        return (found, context.viewer.language) if found else None

    async def _linked(self, token: str, visit_id: UUID) -> tuple[Receipt, str] | None:
        try:
            claims = self._process.keys.read_link(DOWNLOAD_RECEIPT, token, self._process.clock())
            family_id, visit = UUID(claims["family"]), UUID(claims["visit"])
        except (LinkRefused, KeyError, ValueError):
            return None
        if visit != visit_id:
            return None
        async with self._process.database.transaction(SYSTEM_SIGHT) as tx:
            found = await stored.of_visit(tx, visit_id, family_id)
            language = await tx.fetchval("select language from family where id = $1", family_id)
        return (found, language) if found else None
