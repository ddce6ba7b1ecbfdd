"""`/.well-known/jwks.json`: the public keys with which others verify our access tokens (RFC 7517)."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from resolvers.tokens import Tokens

CACHED = "public, max-age=300"
"""A verifier that meets a key it does not know looks again; five minutes spare us the others."""


def handler(tokens: Tokens) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Give the handler of the address."""

    async def jwks(_: web.Request) -> web.Response:
        headers = {"Cache-Control": CACHED, "Access-Control-Allow-Origin": "*"}
        return web.json_response({"keys": tokens.public_keys}, headers=headers, content_type="application/jwk-set+json")

    return jwks
