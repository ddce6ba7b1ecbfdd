"""Registered documents: what may be called by its hash, and who may send anything else.

Which documents there are is known in every process, so that an unknown hash costs nothing. The database rings when one
is registered or retired, and every node reads the list of hashes anew. Nobody registers by calling: see
docs/documents.md.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from hashlib import sha256

import structlog

from db import documents as stored
from db.pool import Database, DatabaseUnavailable
from gateway.errors import RequestRefused
from gateway.requests import Gate, GraphQLRequest, not_allowed
from resolvers.viewer import Kind, Viewer

CHARACTERS_KEPT = 8_000_000
RETRY_SECONDS = 0.5
PATIENCE_SECONDS = 1.0
"""How long a request for an unknown document waits for a list that is being read."""

EXPLORE = "EXPLORE"
"""The scope of partners that may send any document."""

log = structlog.get_logger(__name__)


class Registry:
    """The documents that may be called by their hash; texts are read at their first use, and only so many kept."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._clients: Mapping[str, frozenset[str]] = {}
        """The clients that registered each document, by its hash."""
        self._texts: OrderedDict[str, str] = OrderedDict()
        self._characters = 0
        self._reading: asyncio.Task[None] | None = None
        self._stale = False

    def __len__(self) -> int:
        return len(self._clients)

    async def load(self) -> None:
        """Read which documents there are; raises DatabaseUnavailable."""
        async with self._database.connection() as connection:
            self._clients = await stored.clients(connection)

    def rang(self, _: str = "") -> None:
        """Read the list anew, once for all bells that ring meanwhile."""
        self._stale = True
        if self._reading is None:
            self._reading = asyncio.create_task(self._read())

    async def close(self) -> None:
        """Give up reading."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    async def document(self, digest: str, viewer: Viewer) -> str | None:
        """Give the text of a document that was registered for this viewer, by its SHA-256 in hexadecimal.

        What a partner registered itself is for that partner only. Raises DatabaseUnavailable.
        """
        if digest not in self._clients and self._reading is not None:
            await asyncio.wait({self._reading}, timeout=PATIENCE_SECONDS)
        if not any(stored.is_for(client, viewer.partner_id) for client in self._clients.get(digest, ())):
            return None
        text = self._texts.get(digest)
        if text is None:
            async with self._database.connection() as connection:
                text = await stored.text(connection, digest)
            if text is not None:
                self._keep(digest, text)
        return text

    def _keep(self, digest: str, text: str) -> None:
        if digest not in self._texts:
            self._texts[digest] = text
            self._characters += len(text)
        while self._characters > CHARACTERS_KEPT:
            self._characters -= len(self._texts.popitem(last=False)[1])

    async def _read(self) -> None:
        """Read until what was read is not older than the last bell."""
        try:
            while self._stale:
                self._stale = False
                await self._try_to_load()
        finally:
            self._reading = None

    async def _try_to_load(self) -> None:
        try:
            await self.load()
        except DatabaseUnavailable:
            log.warning("registry_not_read")
            self._stale = True
            await asyncio.sleep(RETRY_SECONDS)


async def source_of(asked: GraphQLRequest, gate: Gate, viewer: Viewer, by_get: bool) -> str:
    """Give the text of the document that a viewer asks for.

    Raises RequestRefused: PERSISTED_QUERY_NOT_FOUND for an unknown hash, FORBIDDEN for a text that is not registered
    from a viewer who may send no other, BAD_REQUEST; and DatabaseUnavailable.
    """
    digest = digest_of(asked)
    if digest is not None and not asked.query:
        known = await gate.registered(digest, viewer) if gate.registered else None
        if known is None:
            raise RequestRefused("PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound")
        return known
    if asked.query is None:
        raise RequestRefused("BAD_REQUEST", "The parameter query is missing.")
    explores = viewer.kind is Kind.PARTNER and EXPLORE in viewer.scopes
    free = (explores or viewer.kind in gate.free) and (gate.free_get or not by_get)
    if digest is not None or not free:
        found = sha256(asked.query.encode()).hexdigest()
        if digest is not None and digest != found:
            raise RequestRefused("BAD_REQUEST", "provided sha does not match query")  # in Apollo's words
        if not free and not (gate.registered and await gate.registered(found, viewer) is not None):
            if by_get:
                raise not_allowed("POST")
            raise RequestRefused("FORBIDDEN", "Only registered documents are answered here.")
    return asked.query


def digest_of(asked: GraphQLRequest) -> str | None:
    """Give the hash by which a request names its document, if it does; raises RequestRefused (BAD_REQUEST)."""
    if asked.document_id is not None:
        algorithm, _, digest = asked.document_id.partition(":")
        if algorithm != "sha256" or asked.query is not None:
            raise RequestRefused("BAD_REQUEST", "A documentId is sha256: and the hash, and comes without a query.")
        return digest
    persisted = (asked.extensions or {}).get("persistedQuery")
    if persisted is None:
        return None
    named = persisted.get("sha256Hash") if isinstance(persisted, dict) else None
    if not isinstance(named, str) or persisted.get("version") != 1:
        raise RequestRefused("BAD_REQUEST", "Unsupported persisted query version")
    return named
