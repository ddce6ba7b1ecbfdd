"""GraphiQL, the explorer for development: one page and its files, all from this folder, nothing from the network."""

from functools import cache
from pathlib import Path

from aiohttp import web

FOLDER = Path(__file__).parent / "static" / "graphiql"

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "font-src 'self' data:",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
"""GraphiQL sets styles on its elements, hence the one exception."""

HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-cache",
    "Content-Type": "text/html; charset=utf-8",
    "Referrer-Policy": "no-referrer",
    "Vary": "Accept, Origin",
}


def attach(app: web.Application) -> None:
    """Serve the files of the page under `/graphiql/`."""
    app.router.add_static("/graphiql/", FOLDER)


def page() -> web.Response:
    """Give the page."""
    return web.Response(body=_document(), headers=HEADERS)


@cache
def _document() -> bytes:
    return (FOLDER / "index.html").read_bytes()
