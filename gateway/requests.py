"""The gate: what a request must be before anything of it is looked at.

In this order: not from another site, a small body, JSON in strict UTF-8, an object with members of the right types.
Each fault is refused with a sentence and a code; none reaches further in.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
from aiohttp import ClientPayloadError, web

from gateway.documents import Documents, Operation, cost_of
from gateway.errors import RequestRefused
from resolvers.viewer import Kind, Viewer

CLIENT_HEADER = "X-Portal-Client"
LARGEST_NUMBER = 2**63 - 1
NESTING = 64
SURROGATE = re.compile("[\ud800-\udfff]")

Registered = Callable[[str, Viewer], Awaitable[str | None]]
"""Gives the document of a SHA-256, in hexadecimal, that was registered for a viewer."""

T = TypeVar("T")


class GraphQLRequest(msgspec.Struct, frozen=True, rename="camel"):
    """The parameters of a request, as the specification of GraphQL over HTTP names them; others are ignored."""

    query: str | None = None
    variables: dict[str, Any] | None = None
    operation_name: str | None = None
    extensions: dict[str, Any] | None = None
    document_id: str | None = None
    """`sha256:` and the hash of a registered document; the same as `extensions.persistedQuery`."""


PARAMETERS = msgspec.json.Decoder(GraphQLRequest)
OBJECT = msgspec.json.Decoder(dict[str, Any])


@dataclass(frozen=True, slots=True)
class Gate:
    """What is let in."""

    origins: frozenset[str] = frozenset()
    """Other sites whose pages may send requests, as `https://host`."""

    free_get: bool = False
    """GET may carry any query; for development. Registered queries may always come by GET."""

    free: frozenset[Kind] = frozenset(Kind)
    """The viewers that may send any document; all others only registered ones."""

    registered: Registered | None = None
    """Documents that anybody may call, by their text or by its hash alone."""

    secure: bool = False
    """The portal is served over TLS: a page of the same host that came without it is another site."""

    body_bytes: int = 65_536
    body_seconds: float = 10.0

    def check_site(self, request: web.Request) -> None:
        """Refuse what a page of another site sends.

        Raises RequestRefused (FORBIDDEN) also for a request with cookies but without the portal's own header, which no
        foreign form can set.
        """
        self.check_origin(request)
        if "Cookie" in request.headers and CLIENT_HEADER not in request.headers and not is_upgrade(request):
            raise RequestRefused("FORBIDDEN", f"A request with cookies needs the header {CLIENT_HEADER}.")

    def check_origin(self, request: web.Request) -> None:
        """Refuse what says that it comes from another site; enough for what a browser may open as a page."""
        origin = request.headers.get("Origin")
        listed = origin in self.origins
        if origin is not None and not listed and not self._is_own(origin, request.host):
            raise RequestRefused("FORBIDDEN", "Requests from this origin are not accepted.")
        if request.headers.get("Sec-Fetch-Site") == "cross-site" and not listed:
            raise RequestRefused("FORBIDDEN", "Requests from other sites are not accepted.")

    def _is_own(self, origin: str, host: str) -> bool:
        scheme, _, place = origin.partition("://")
        return place == host and (scheme == "https" or not self.secure)

    async def read(self, request: web.Request) -> GraphQLRequest:
        """Read the parameters of a POST."""
        if request.content_type != "application/json" or "Content-Encoding" in request.headers:
            raise RequestRefused("BAD_REQUEST", "The body must be application/json, not encoded.", status=415)
        if (request.charset or "utf-8").lower() not in ("utf-8", "utf8"):
            raise RequestRefused("BAD_REQUEST", "The body must be in UTF-8.", status=415)
        return decoded(PARAMETERS, await self._body(request), "body")

    def read_query(self, request: web.Request) -> GraphQLRequest:
        """Read the parameters of a GET from its query string."""
        given = {name: value for name, value in request.query.items() if value != ""}
        if any(SURROGATE.search(value) for value in given.values()):
            raise RequestRefused("BAD_REQUEST", "The query string is not in UTF-8.")
        objects = {
            name: decoded(OBJECT, given[name].encode(), name) for name in ("variables", "extensions") if name in given
        }
        return GraphQLRequest(
            given.get("query"),
            objects.get("variables"),
            given.get("operationName"),
            objects.get("extensions"),
            given.get("documentId"),
        )

    async def _body(self, request: web.Request) -> bytes:
        """Read a body that is small and comes in good time."""
        if (request.content_length or 0) > self.body_bytes:
            raise self._too_large()
        body = b""
        try:
            if request.content.is_eof():
                body = request.content.read_nowait()
            else:
                async with asyncio.timeout(self.body_seconds):
                    async for part in request.content.iter_any():
                        body += part
                        if len(body) > self.body_bytes:
                            break
        except TimeoutError:
            raise RequestRefused("BAD_REQUEST", "The body did not arrive in time.", status=408) from None
        except (web.RequestPayloadError, ClientPayloadError):
            raise RequestRefused("BAD_REQUEST", "The body is broken.") from None
        if len(body) > self.body_bytes:
            raise self._too_large()
        return body

    def _too_large(self) -> RequestRefused:
        return RequestRefused("BAD_REQUEST", f"The body is larger than {self.body_bytes} bytes.", status=413)


def is_upgrade(request: web.Request) -> bool:
    """Tell whether a request opens a WebSocket."""
    return request.method == "GET" and request.headers.get("Upgrade", "").lower() == "websocket"


def decoded(decoder: msgspec.json.Decoder[T], text: bytes, what: str) -> T:
    """Decode JSON into its type.

    Raises RequestRefused (BAD_REQUEST) for anything that is not strict JSON of that type: also NaN, lone surrogates,
    NUL in a text, numbers beyond 64 bits and more than 64 levels.
    """
    try:
        value = decoder.decode(text)
        _check_values(value, NESTING)
        return value
    except msgspec.ValidationError as fault:
        raise RequestRefused("BAD_REQUEST", f"The {what} is not as expected: {fault}.") from None
    except (msgspec.DecodeError, UnicodeError):
        raise RequestRefused("BAD_REQUEST", f"The {what} is not valid JSON in UTF-8.") from None
    except RecursionError:
        raise RequestRefused("BAD_REQUEST", f"The {what} is nested too deeply.") from None


def _check_values(value: Any, levels: int) -> None:
    """Refuse what JSON can say and the database cannot keep."""
    if levels < 0:
        raise RequestRefused("BAD_REQUEST", f"The JSON has more than {NESTING} levels.")
    if isinstance(value, str):
        if "\0" in value:
            raise RequestRefused("BAD_REQUEST", "A text holds the character NUL.")
    elif isinstance(value, int):
        if abs(value) > LARGEST_NUMBER:
            raise RequestRefused("BAD_REQUEST", "A number is larger than 64 bits hold.")
    elif isinstance(value, GraphQLRequest):
        for part in (value.query, value.variables, value.operation_name, value.extensions, value.document_id):
            _check_values(part, levels)
    elif isinstance(value, Mapping):
        for name, part in value.items():
            _check_values(name, levels)
            _check_values(part, levels - 1)
    elif isinstance(value, list):
        for part in value:
            _check_values(part, levels - 1)


def operation_of(documents: Documents, source: str, asked: GraphQLRequest) -> Operation:
    """Give the operation asked for.

    Raises RequestRefused as `Documents.prepare` does, and TOO_COSTLY when its variables ask for too much.
    """
    operation = documents.prepare(source).operation(asked.operation_name)
    if cost_of(operation, asked.variables or {}) > documents.limits.cost:
        raise RequestRefused("TOO_COSTLY", f"The operation costs more than {documents.limits.cost} points.")
    return operation


def not_allowed(methods: str) -> RequestRefused:
    """Make the refusal of a method, naming those that are allowed."""
    return RequestRefused("BAD_REQUEST", f"Use {methods}.", status=405, headers={"Allow": methods})
