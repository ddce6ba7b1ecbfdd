"""How a finished file is given to whoever may have it, and what everybody else gets."""

import hashlib
from typing import Literal

from aiohttp import web

from resolvers.sentences import SENTENCES

PRIVATE = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""A file of a family stays with who asked for it, and no page may make anything of it."""

RETRY_SECONDS = 5


def given(
    request: web.Request,
    content: bytes,
    name: str,
    content_type: str = "application/pdf",
    disposition: Literal["attachment", "inline"] = "attachment",
) -> web.Response:
    """Give a file under a name, or say that the client has it already."""
    tag = f'"{hashlib.sha256(content).hexdigest()}"'
    headers = PRIVATE | {"ETag": tag, "Content-Disposition": f'{disposition}; filename="{name}"'}
    if request.headers.get("If-None-Match") == tag:
        return web.Response(status=304, headers=headers)
    return web.Response(body=content, headers=headers | {"Content-Type": content_type})


def not_given(code: str = "NOT_FOUND") -> web.Response:
    """Give the one answer to whoever must not have a file, in both languages: nobody knows who asks."""
    sentence = SENTENCES[code]
    return web.Response(status=404, text=f"{sentence.fr}\n{sentence.en}\n", headers={"Cache-Control": "no-store"})


def later() -> web.Response:
    """Say that the file cannot be had just now."""
    return web.Response(status=503, headers={"Retry-After": str(RETRY_SECONDS)})
