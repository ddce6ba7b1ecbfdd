"""The addresses of documents: `POST /documents`, and `GET /documents/{id}` for whoever is signed in or has a link.

What is given is never shown as a page of the portal: it is saved, or opened without any right (ASVS 5.0, 3.2.1, 5.4.3).
A document that is not there and one that is not theirs are the same 404.
"""

import re
import unicodedata
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import quote
from uuid import UUID

import structlog
from aiohttp import web

from db import audit
from db.keys import LinkRefused
from db.pool import DatabaseUnavailable
from db.uploads import Document, Key, readable
from gateway.authentication import language_of
from gateway.endpoint import Endpoint
from gateway.errors import STATUS, RequestRefused, unavailable
from gateway.http import ALLOWED_HEADERS, cross_origin
from gateway.requests import not_allowed
from gateway.uploads import Uploads
from resolvers import uploads
from resolvers.context import Context, Process
from resolvers.problems import Refusal
from resolvers.reading.identity import NotOurs, read_id
from resolvers.sentences import SENTENCES
from resolvers.storage import NoSuchFile, StorageUnavailable
from resolvers.uploads import DOWNLOAD_DOCUMENT
from schema.access import FAMILY_OR_AGENT

log = structlog.get_logger(__name__)

POINTS = 5
"""What a download costs, as an operation of GraphQL costs points."""

STATUSES = {
    **STATUS,
    "DOCUMENT_TOO_BIG": 413,
    "DOCUMENT_TYPE_NOT_ALLOWED": 415,
    "UPLOAD_TOO_SLOW": 408,
    "TOO_MANY_DOCUMENTS": 409,
    "DOCUMENTS_TOO_BIG": 409,
    "TOO_MANY_REQUESTS": 429,
    "SCANNER_UNAVAILABLE": 503,
    "STORAGE_UNAVAILABLE": 503,
}
"""HTTP status by code; whatever else is wrong with a document is 422."""

UNPROCESSABLE = 422
RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)
HEADERS = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Vary": "Origin",
}
PREFLIGHT = {
    "Access-Control-Allow-Headers": f"{ALLOWED_HEADERS}, Content-Disposition, If-None-Match, If-Range, Range",
    "Access-Control-Max-Age": "600",
}
EXPOSED = "Accept-Ranges, Content-Disposition, Content-Range, ETag, Location"
FAILURES = (RequestRefused, Refusal, DatabaseUnavailable, StorageUnavailable)

Answer = Callable[[web.Request, Context], Awaitable[web.StreamResponse]]


def attach(app: web.Application, process: Process, endpoint: Endpoint) -> None:
    """Serve documents on an application."""
    files = Files(process, endpoint)
    app.router.add_route("*", "/documents", files.all)
    app.router.add_route("*", "/documents/{id}", files.one)


class Files:
    """Handlers over one process."""

    def __init__(self, process: Process, endpoint: Endpoint) -> None:
        self._process = process
        self._endpoint = endpoint
        self._uploads = Uploads(process, endpoint)

    async def all(self, request: web.Request) -> web.StreamResponse:
        """Answer at `/documents`."""
        return await self._answer(request, {"POST": self._post})

    async def one(self, request: web.Request) -> web.StreamResponse:
        """Answer at `/documents/{id}`."""
        return await self._answer(request, {"GET": self._get, "HEAD": self._get})

    async def _answer(self, request: web.Request, methods: dict[str, Answer]) -> web.StreamResponse:
        """Answer by method; a refusal becomes its status and `{code, message}`."""
        language = language_of(request)
        try:
            if request.method == "OPTIONS" and request.headers.get("Origin") in self._endpoint.gate.origins:
                headers = self._headers(request) | PREFLIGHT | {"Access-Control-Allow-Methods": ", ".join(methods)}
                return web.Response(status=204, headers=headers)
            if request.method not in methods:
                raise not_allowed(", ".join(methods))
            context = await self._endpoint.make_context(request, request.headers.get("Authorization"))
            language = context.viewer.language
            return await methods[request.method](request, context)
        except FAILURES as failure:
            refused = _refused(failure, language)
            answer = web.json_response({"code": refused.code, "message": refused.message}, status=refused.status)
            answer.headers.update(self._headers(request) | refused.headers)
            return answer

    async def _post(self, request: web.Request, context: Context) -> web.StreamResponse:
        answer = await self._uploads.document(request, context)
        answer.headers.update(self._headers(request))
        return answer

    async def _get(self, request: web.Request, context: Context) -> web.StreamResponse:
        document, agent_id = await self._found(request, context)
        headers = self._headers(request) | _headers_of(document)
        if any(tag.value in (document.sha256.hex(), "*") for tag in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        span = Span.of(request, document)
        if span is None:
            return web.Response(status=416, headers=headers | {"Content-Range": f"bytes */{document.size}"})
        if agent_id is not None and request.method == "GET":
            await self._record(document, agent_id)
        return await self._send(request, document, span, headers)

    async def _found(self, request: web.Request, context: Context) -> tuple[Document, UUID | None]:
        """Give the document asked for, and which agent asks. Raises RequestRefused and Refusal."""
        token = request.query.get("token")
        if token is None:
            self._endpoint.gate.check_origin(request)
            FAMILY_OR_AGENT.permit(context.viewer)
        await self._endpoint.spend(context, POINTS)
        key = self._key(request.match_info["id"])
        found, agent_id = None, context.viewer.agent_id
        if key is not None:
            if token is None:
                found = await uploads.find(context, key)
            else:
                found, agent_id = await self._linked(token, key)
        if found is None:
            raise context.refusal("NOT_FOUND")
        return found, agent_id

    async def _linked(self, token: str, key: Key) -> tuple[Document | None, UUID | None]:
        """Give the document of a link, and which agent made the link."""
        try:
            claims = self._process.keys.read_link(DOWNLOAD_DOCUMENT, token, self._process.clock())
            if (claims["family"], claims["document"]) != tuple(map(str, key)):
                return None, None
        except (LinkRefused, KeyError):
            return None, None
        async with self._process.database.transaction({"kiosque.family": str(key[0])}) as tx:
            found = await readable(tx, key, None)
        return found, UUID(claims["agent"]) if "agent" in claims else None

    def _key(self, text: str) -> Key | None:
        """Read the id of a document, in base64 as GraphQL gives it or in the alphabet of addresses."""
        try:
            found = read_id(self._process.reader.mapping, text.replace("-", "+").replace("_", "/"))
        except NotOurs:
            return None
        return (found.key[0], found.key[1]) if found.type_name == "Document" else None

    async def _record(self, document: Document, agent_id: UUID) -> None:
        """Keep in the audit log which agent read what (CNIL 2021-122, logging of access)."""
        now, key = self._process.clock(), (document.family_id, document.id)
        async with self._process.database.transaction({"kiosque.agent": str(agent_id)}) as tx:
            await audit.record(tx, audit.Act("document_read", "AGENT", now, agent_id, *key))

    async def _send(
        self, request: web.Request, document: Document, span: "Span", headers: dict[str, str]
    ) -> web.StreamResponse:
        response = web.StreamResponse(status=206 if span.is_part else 200, headers=headers)
        response.content_length = span.end - span.start
        if span.is_part:
            response.headers["Content-Range"] = f"bytes {span.start}-{span.end - 1}/{document.size}"
        if request.method == "HEAD":
            await response.prepare(request)
            return response
        pieces = self._process.documents.pieces(document, span.start, span.end)
        first = await _first(pieces, document)
        await response.prepare(request)
        await response.write(first)
        async for piece in pieces:
            await response.write(piece)
        await response.write_eof()
        return response

    def _headers(self, request: web.Request) -> dict[str, str]:
        """Give the headers of every answer."""
        foreign = cross_origin(request, self._endpoint)
        return HEADERS | ({**foreign, "Access-Control-Expose-Headers": EXPOSED} if foreign else {})


@dataclass(frozen=True, slots=True)
class Span:
    """The bytes that are given; the end is outside."""

    start: int
    end: int
    is_part: bool = True

    @classmethod
    def of(cls, request: web.Request, document: Document) -> "Span | None":
        """Give what a request asks for, or None where there is nothing of it (RFC 9110, section 14).

        Several ranges at once, or what is no range, give the whole document, and so does `If-Range` with another one.
        """
        size = document.size
        asked = RANGE.fullmatch(request.headers.get("Range", "").strip())
        if (
            asked is None
            or request.method != "GET"
            or request.headers.get("If-Range", etag(document)) != etag(document)
        ):
            return cls(0, size, is_part=False)
        first, last = asked.groups()
        if not first:
            return (cls(max(size - int(last), 0), size) if int(last) else None) if last else cls(0, size, is_part=False)
        start, end = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < start:
            return cls(0, size, is_part=False)
        return cls(start, end) if start < size else None


def etag(document: Document) -> str:
    """Give the strong validator of a document: it never changes."""
    return f'"{document.sha256.hex()}"'


def _headers_of(document: Document) -> dict[str, str]:
    plain = unicodedata.normalize("NFKD", document.name).encode("ascii", "ignore").decode()
    fallback = re.sub(r'["\\%]', "_", plain)
    charset = "; charset=utf-8" if document.media_type.startswith("text/") else ""
    return {
        "Accept-Ranges": "bytes",
        "Content-Disposition": f"attachment; filename=\"{fallback}\"; filename*=UTF-8''{quote(document.name, safe='')}",
        "Content-Type": document.media_type + charset,
        "ETag": etag(document),
    }


async def _first(pieces: AsyncIterator[bytes], document: Document) -> bytes:
    """Give the first piece; raises StorageUnavailable where the file is not there, which nobody should ever see."""
    try:
        return await anext(pieces)
    except NoSuchFile as error:
        log.error("document_file_missing", document=str(document.id))
        raise StorageUnavailable("NoSuchFile") from error


def _refused(failure: BaseException, language: str) -> RequestRefused:
    """Give the refusal of a failure, in the language of who asks."""
    if isinstance(failure, DatabaseUnavailable):
        return unavailable()
    if isinstance(failure, RequestRefused):
        if failure.code == "UNAUTHENTICATED":
            failure.message = SENTENCES["UNAUTHENTICATED"].to(language)
        return failure
    if isinstance(failure, Refusal):
        return RequestRefused(failure.code, failure.message, status=STATUSES.get(failure.code, UNPROCESSABLE))
    code = "STORAGE_UNAVAILABLE"
    return RequestRefused(code, SENTENCES[code].to(language), status=STATUSES[code])
