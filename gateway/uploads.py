"""`POST /documents`: a family, or an agent for a procedure, uploads a file: the whole body, or the one part of a form.

The same gate as for GraphQL, then the bytes go to the disk as they come. The answer is what a client files it by.
"""

import warnings
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import date
from urllib.parse import quote
from uuid import UUID

import msgspec
from aiohttp import BodyPartReader, ClientPayloadError, MultipartReader, web
from aiohttp.http_exceptions import BadHttpMessage
from aiohttp.multipart import content_disposition_filename, parse_content_disposition

from db.uploads import Document, Key
from gateway.city import refuse_in_maintenance
from gateway.endpoint import Endpoint
from gateway.errors import RequestRefused
from resolvers import uploads
from resolvers.context import Context, Process
from resolvers.reading.identity import NotOurs, make_id, read_id
from resolvers.uploads import Upload
from schema.access import AGENT, FAMILY

POINTS = 50
"""What an upload costs, as an operation of GraphQL costs points."""

PART_BYTES = 64 * 1024
FORM_BYTES = 16 * 1024
"""What a form may add around its file."""

BROKEN = (web.RequestPayloadError, ClientPayloadError, BadHttpMessage, ConnectionError, ValueError)
"""What reading a body raises that is not what it says, or ends too early."""


class Uploads:
    """The handler over one process; it counts what arrives at once."""

    def __init__(self, process: Process, endpoint: Endpoint) -> None:
        self._process = process
        self._endpoint = endpoint
        self._arriving: Counter[UUID] = Counter()

    async def document(self, request: web.Request, context: Context) -> web.Response:
        """Take a document in. Raises RequestRefused, Refusal, StorageUnavailable and DatabaseUnavailable."""
        self._endpoint.gate.check_site(request)
        may = AGENT if "procedure" in request.query else FAMILY
        may.permit(context.viewer)
        refuse_in_maintenance(context, [may])
        await self._endpoint.spend(context, POINTS)
        expires_on, procedure = _expiry(request), self._procedure(request, context)
        if (request.content_length or 0) > self._process.settings.documents.file_bytes + FORM_BYTES:
            raise uploads.too_big(context)
        with self._counted(context):
            declared, name, pieces = await _file(request)
            document = await uploads.receive(context, Upload(name, declared, expires_on, pieces), procedure)
        return self._taken(document)

    @contextmanager
    def _counted(self, context: Context) -> Iterator[None]:
        """Refuse more at once than this process, or one login, may send."""
        settings, account = self._process.settings.documents, context.viewer.account_id or context.viewer.agent
        if self._arriving.total() >= settings.uploads or self._arriving[account] >= settings.uploads_per_account:
            raise context.refusal("TOO_MANY_REQUESTS")
        self._arriving[account] += 1
        try:
            yield
        finally:
            self._arriving[account] -= 1
            self._arriving += Counter()  # forgets those who have none

    def _procedure(self, request: web.Request, context: Context) -> Key | None:
        """Give the procedure that an agent uploads for; raises Refusal NOT_FOUND."""
        text = request.query.get("procedure")
        if text is None:
            return None
        try:
            found = read_id(self._process.reader.mapping, text.replace("-", "+").replace("_", "/"))
        except NotOurs:
            found = None
        if found is None or found.type_name != "Procedure":
            raise context.refusal("NOT_FOUND", ["procedure"])
        return found.key[0], found.key[1]

    def _taken(self, document: Document) -> web.Response:
        identity = make_id(self._process.reader.mapping, "Document", document.family_id, document.id)
        body = {
            "id": identity,
            "name": document.name,
            "mediaType": document.media_type,
            "size": document.size,
            "sha256": document.sha256.hex(),
            "expiresOn": document.expires_on,
        }
        headers = {"Location": f"/documents/{quote(identity, safe='')}"}
        return web.Response(
            status=201, body=msgspec.json.encode(body), content_type="application/json", headers=headers
        )


def _expiry(request: web.Request) -> date | None:
    text = request.query.get("expiresOn")
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise RequestRefused("BAD_REQUEST", "expiresOn must be a day, such as 2027-01-31.") from None


async def _file(request: web.Request) -> tuple[str, str, AsyncIterator[bytes]]:
    """Give the declared type, the name and the bytes of the file that a request brings."""
    if "Content-Encoding" in request.headers:
        raise RequestRefused("BAD_REQUEST", "The body must not be encoded.", status=415)
    if request.content_type != "multipart/form-data":
        disposition = request.headers.get("Content-Disposition", "")
        return request.content_type, _name(disposition), _whole(request)
    with _translated():
        form = await request.multipart()
        part = await form.next()
    if not isinstance(part, BodyPartReader) or part.name != "file":
        raise RequestRefused("BAD_REQUEST", "The form must have one part, named file.")
    disposition = part.headers.get("Content-Disposition", "")
    declared = part.headers.get("Content-Type", "").partition(";")[0].strip()
    return declared, _name(disposition), _only_part(form, part)


def _name(disposition: str) -> str:
    """Give the name in a Content-Disposition (RFC 6266); none or a broken one is no fault."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they would repeat what was sent
        _, parameters = parse_content_disposition(disposition)
        return content_disposition_filename(parameters) or ""


async def _whole(request: web.Request) -> AsyncIterator[bytes]:
    with _translated():
        async for piece in request.content.iter_any():
            yield piece


async def _only_part(form: MultipartReader, part: BodyPartReader) -> AsyncIterator[bytes]:
    with _translated():
        while piece := await part.read_chunk(PART_BYTES):
            yield piece
        if await form.next() is not None:
            raise RequestRefused("BAD_REQUEST", "The form must have one part, named file.")


@contextmanager
def _translated() -> Iterator[None]:
    """Say in our own words that a body is broken."""
    try:
        yield
    except BROKEN as error:
        raise RequestRefused("BAD_REQUEST", "The body is broken.") from error
