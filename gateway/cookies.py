"""Cookies on the wire: names, attributes, and which requests may bring them.

`__Host-` binds a cookie to exactly this host over TLS (RFC 6265bis, 4.1.3.2). A development portal on plain HTTP
leaves the prefix and `Secure` out: there Chrome refuses the prefix even on localhost, and Safari `Secure`.
"""

from dataclasses import dataclass

from aiohttp import web

from gateway.requests import CLIENT_HEADER, is_upgrade
from resolvers.cookies import Cookies, Role

PREFIX = "__Host-"
NAMES = {role: f"kiosque-{role}" for role in Role}
SAFE_METHODS = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class Jar:
    """How one portal names its cookies."""

    secure: bool = True
    """False only for development on plain HTTP."""

    def name(self, role: Role) -> str:
        """Give the name of a cookie on the wire."""
        return f"{PREFIX}{NAMES[role]}" if self.secure else NAMES[role]

    def read(self, request: web.Request) -> Cookies:
        """Give the cookies of a request, or none where another site may have caused it.

        A request that may change something needs the header that no foreign form can set, and a socket an `Origin`,
        which the gate has compared with the portal's own: browsers send cookies with sockets of every site.
        """
        if "Cookie" not in request.headers or not _is_ours(request):
            return Cookies()
        given = request.cookies
        return Cookies({role: given[self.name(role)] for role in Role if given.get(self.name(role))})

    def write(self, response: web.StreamResponse, cookies: Cookies) -> None:
        """Put what the request's work wanted into the headers of its answer."""
        for role, cookie in cookies.wanted.items():
            response.set_cookie(
                self.name(role),
                cookie.value,
                max_age=None if cookie.lasts is None else int(cookie.lasts.total_seconds()),
                path="/",
                secure=self.secure,
                httponly=True,
                samesite="Lax",
            )


def _is_ours(request: web.Request) -> bool:
    if is_upgrade(request):
        return "Origin" in request.headers
    return request.method in SAFE_METHODS or CLIENT_HEADER in request.headers
