"""`POST /partner/documents`: a partner registers the documents that it will send, as its tools list them.

They are checked as at the command line, all or none, and may be called by that partner only.
"""

from aiohttp import web

from db import audit
from db import documents as stored
from db.pool import DatabaseUnavailable
from gateway.documents import Documents
from gateway.endpoint import Endpoint
from gateway.errors import RequestRefused
from gateway.manifests import Entry, ManifestRefused, parsed
from resolvers.context import Context, Process
from resolvers.viewer import Kind

MOST_DOCUMENTS = 500


class PartnerDocuments:
    """The handler over one process."""

    def __init__(self, process: Process, endpoint: Endpoint) -> None:
        self._process = process
        self._make_context = endpoint.make_context
        # Introspection is no part of what is put on line; suggestions help whoever writes the documents.
        self._known = Documents(
            endpoint.documents.schema, endpoint.documents.limits, suggestions=True, introspection=False
        )

    async def register(self, request: web.Request) -> web.Response:
        """Take a list (Apollo's or Relay's); give how many are new, known or back, and their hashes."""
        try:
            context = await self._make_context(request, request.headers.get("Authorization"))
            if context.viewer.kind is not Kind.PARTNER:
                anonymous = context.viewer.kind is Kind.ANONYMOUS
                raise RequestRefused(
                    "UNAUTHENTICATED" if anonymous else "FORBIDDEN", "Partners register documents here."
                )
            entries = parsed(await request.read(), "The body")
            return await self._write(context, entries)
        except RequestRefused as refused:
            return web.json_response(body=refused.body(), status=refused.status, headers=refused.headers)
        except ManifestRefused as refused:
            told = RequestRefused("BAD_REQUEST", str(refused))
            return web.json_response(body=told.body(), status=told.status)
        except DatabaseUnavailable:
            return web.Response(status=503, headers={"Retry-After": "5"})

    async def _write(self, context: Context, entries: list[Entry]) -> web.Response:
        names = [[name or "" for name in self._known.prepare(entry.text).operations] for entry in entries]
        client, now = stored.client_of(context.viewer.partner), self._process.clock()
        counts = {"new": 0, "brought back": 0, "known": 0}
        async with context.transaction() as tx:
            for entry, operations in zip(entries, names, strict=True):
                counts[await stored.register(tx, entry.hash, client, entry.text, operations, now)] += 1
            if await stored.count(tx, client) > MOST_DOCUMENTS:
                raise RequestRefused("TOO_COSTLY", f"A partner has {MOST_DOCUMENTS} documents at the most.")
            changed = len(entries) - counts["known"]
            if changed:
                data = {"client": client, "documents": changed}
                await audit.record(
                    tx, audit.Act("documents_registered", Kind.PARTNER.value, now, context.viewer.partner, data=data)
                )
        return web.json_response({**counts, "hashes": [entry.hash for entry in entries]})
