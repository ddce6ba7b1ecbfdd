"""`GET /.well-known/web-push-key`: the key by which browsers subscribe to push messages (VAPID, RFC 8292)."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from db.web_push import public_text, vapid_key
from resolvers.context import Process


def handler(process: Process) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Give the handler; it answers 404 where push messages are not offered."""
    push = process.settings.push
    key = public_text(vapid_key(push, process.keys)) if push.enabled else None

    async def show(_: web.Request) -> web.Response:
        if key is None:
            raise web.HTTPNotFound
        return web.json_response({"publicKey": key}, headers={"Cache-Control": "public, max-age=3600"})

    return show
