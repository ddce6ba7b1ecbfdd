"""`POST /oauth/token`: client credentials of partners (RFC 6749, section 4.4), authenticated by Basic, by the form, or
by a signed assertion (RFC 7523). Answers and refusals are those of RFC 6749, sections 5.1 and 5.2.
"""

import base64
import binascii
from collections.abc import Mapping
from functools import partial
from math import ceil
from urllib.parse import unquote_plus
from uuid import UUID

import jwt
from aiohttp import web

from db.pool import DatabaseUnavailable
from gateway.addresses import Proxies, household_of, within
from resolvers.context import Process
from resolvers.partner_tokens import Claim, TokenError, grant

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LARGEST_BODY = 16_384
NOT_KEPT = {"Cache-Control": "no-store", "Pragma": "no-cache"}
STATUS = {"invalid_client": 401, "unauthorized_client": 403, "slow_down": 429}
"""400 for all others."""


class TokenEndpoint:
    """The handler over one process."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._proxies = Proxies.from_texts(process.settings.server.trusted_proxies)

    async def handle(self, request: web.Request) -> web.Response:
        """Give a token, or say in the words of the standard why not."""
        try:
            return await self._grant(request)
        except TokenError as refused:
            return _refused(refused, basic="Authorization" in request.headers)
        except DatabaseUnavailable:
            return web.json_response(
                {"error": "temporarily_unavailable"}, status=503, headers={**NOT_KEPT, "Retry-After": "5"}
            )

    async def _grant(self, request: web.Request) -> web.Response:
        form = await _form(request)
        if "grant_type" not in form:
            raise TokenError("invalid_request", "grant_type is missing.")
        claim = _claim(form, request.headers.get("Authorization"))
        if form["grant_type"] != "client_credentials":
            raise TokenError("unsupported_grant_type", "Use client_credentials.")
        address = self._proxies.client_of(request)
        granted = await grant(self._process, claim, form.get("scope"), household_of(address), partial(within, address))
        body = {
            "access_token": granted.access_token,
            "token_type": "Bearer",
            "expires_in": granted.seconds,
            "scope": granted.scope,
        }
        return web.json_response(body, headers=NOT_KEPT)


async def _form(request: web.Request) -> Mapping[str, str]:
    """Read the form; a parameter that comes twice is refused (RFC 6749, section 3.2)."""
    if request.content_type != "application/x-www-form-urlencoded":
        raise TokenError("invalid_request", "The body must be application/x-www-form-urlencoded.")
    if (request.content_length or 0) > LARGEST_BODY:
        raise TokenError("invalid_request", "The body is too large.")
    try:
        found = await request.post()
    except (ValueError, web.HTTPException) as error:
        raise TokenError("invalid_request", "The body cannot be read.") from error
    if len(found) != len(set(found)):
        raise TokenError("invalid_request", "A parameter comes twice.")
    return {name: value for name, value in found.items() if isinstance(value, str) and value}


def _claim(form: Mapping[str, str], authorization: str | None) -> Claim:
    """Take the client's proof from the one place where it is (RFC 6749, section 2.3)."""
    ways = [authorization is not None, "client_secret" in form, "client_assertion" in form]
    if sum(ways) > 1:
        raise TokenError("invalid_request", "Authenticate in one way only.")
    if authorization is not None:
        name, secret = _basic(authorization)
        if form.get("client_id", name) != name:
            raise TokenError("invalid_request", "client_id names another client.")
        return Claim(_client(name), secret=secret)
    if "client_assertion" in form:
        if form.get("client_assertion_type") != ASSERTION_TYPE:
            raise TokenError("invalid_request", f"client_assertion_type must be {ASSERTION_TYPE}.")
        name = _subject(form["client_assertion"])
        if form.get("client_id", name) != name:
            raise TokenError("invalid_request", "client_id names another client.")
        return Claim(_client(name), assertion=form["client_assertion"])
    if "client_id" not in form or "client_secret" not in form:
        raise TokenError("invalid_client", "The client does not say who it is.")
    return Claim(_client(form["client_id"]), secret=form["client_secret"])


def _basic(authorization: str) -> tuple[str, str]:
    scheme, _, encoded = authorization.partition(" ")
    try:
        name, colon, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeError) as error:
        raise TokenError("invalid_client", "The Authorization header cannot be read.") from error
    if scheme.lower() != "basic" or not colon:
        raise TokenError("invalid_client", "Use Basic.")
    return unquote_plus(name), unquote_plus(secret)


def _subject(assertion: str) -> str:
    """Give whom an assertion speaks of; its signature is looked at afterwards, with that client's keys."""
    try:
        return str(jwt.decode(assertion, options={"verify_signature": False}).get("sub", ""))
    except jwt.PyJWTError as error:
        raise TokenError("invalid_client", "The assertion cannot be read.") from error


def _client(name: str) -> UUID:
    try:
        return UUID(name)
    except ValueError as error:
        raise TokenError("invalid_client", "The client is unknown, or what proves it is not valid.") from error


def _refused(refused: TokenError, *, basic: bool) -> web.Response:
    headers = dict(NOT_KEPT)
    if refused.code == "invalid_client" and basic:
        headers["WWW-Authenticate"] = 'Basic realm="Kiosque"'
    if refused.retry_after is not None:
        headers["Retry-After"] = str(ceil(refused.retry_after.total_seconds()))
    body = {"error": refused.code, "error_description": refused.description}
    return web.json_response(body, status=STATUS.get(refused.code, 400), headers=headers)
