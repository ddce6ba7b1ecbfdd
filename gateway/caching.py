"""What caches between the portal and its readers may keep (RFC 9110, RFC 9111): public answers, by GET, for a while."""

from hashlib import sha256

from aiohttp import web

from gateway.registry import digest_of
from gateway.requests import GraphQLRequest
from resolvers.viewer import Viewer, anonymous

PRIVATE = "private, no-store"
VARY = "Accept, Accept-Language, Authorization, Cookie, Origin"


def is_public(request: web.Request, asked: GraphQLRequest, viewer: Viewer) -> bool:
    """Tell whether a request is one whose answer may be kept: a registered document by GET, of nobody in particular."""
    named = digest_of(asked) is not None and not asked.query
    return request.method == "GET" and named and viewer == anonymous(viewer.language)


def etag_of(media: str, body: bytes) -> str:
    """Give the strong validator of an answer: other bytes or another media type, another validator."""
    return f'"{sha256(media.encode() + b" " + body).hexdigest()[:32]}"'


def is_known(request: web.Request, etag: str) -> bool:
    """Tell whether the client has the answer already (`If-None-Match`; weak comparison, RFC 9110 section 13.1.2)."""
    given = request.headers.getall("If-None-Match", [])
    tags = [tag.strip().removeprefix("W/") for value in given for tag in value.split(",")]
    return etag in tags or tags == ["*"]


def headers(etag: str, seconds: int) -> dict[str, str]:
    """Give the headers of an answer that may be kept so long."""
    return {"Cache-Control": f"public, max-age={seconds}", "ETag": etag, "Vary": VARY}
