"""OpenID Connect as a relying party: the provider's description and keys, and its token endpoint.

OpenID Connect Core 1.0 section 3.1, Discovery 1.0, PKCE (RFC 7636), RFC 9700. What the provider answers is bounded in
time and size, redirects are not followed, and only TLS is spoken beyond this machine.
"""

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit
from uuid import UUID

import aiohttp
import jwt
import msgspec

from db import identity as stored
from db.clock import Clock
from db.configuration import is_secure
from db.pool import Database
from db.settings import Settings
from gateway import id_tokens
from resolvers.provider import ProviderRefused, ProviderUnavailable, Request
from resolvers.viewer import SYSTEM_SIGHT

T = TypeVar("T")


LARGEST_ANSWER = 64 * 1024

RETURN_PAGE = "/sign-in/provider"


class _Description(msgspec.Struct, frozen=True):
    """What is used of a provider's configuration (Discovery 1.0 section 3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str


class _Keys(msgspec.Struct, frozen=True):
    keys: list[dict[str, Any]]


class _Tokens(msgspec.Struct, frozen=True):
    id_token: str


@dataclass(frozen=True, slots=True)
class _Kept:
    """Something of the provider's, and until when it is believed."""

    value: Any
    until: datetime


class OpenIDProvider:
    """The provider of the settings; see `resolvers.provider.Provider`."""

    def __init__(self, settings: Settings, row_id: UUID, http: aiohttp.ClientSession, clock: Clock) -> None:
        self.id = row_id
        self._settings = settings.identity
        self.redirect_uris = settings.identity.redirect_uris or (f"{settings.server.url}{RETURN_PAGE}",)
        self._http = http
        self._clock = clock
        self._kept: dict[str, _Kept] = {}
        self._asking = asyncio.Lock()

    async def address(self, request: Request) -> str:
        """Give the address that a browser is sent to. Raises ProviderUnavailable."""
        description = await self._description()
        asked = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": request.redirect_uri,
            "scope": " ".join(self._settings.scopes),
            "state": request.state,
            "nonce": request.nonce,
            "code_challenge": _s256(request.verifier),
            "code_challenge_method": "S256",
            **({"acr_values": self._settings.acr_values} if self._settings.acr_values else {}),
        }
        joint = "&" if urlsplit(description.authorization_endpoint).query else "?"
        return f"{description.authorization_endpoint}{joint}{urlencode(asked)}"

    async def subject(self, request: Request, code: str, now: datetime) -> str:
        """Exchange a code, check the ID token, and give its subject. Raises ProviderUnavailable, ProviderRefused."""
        description = await self._description()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": request.redirect_uri,
            "client_id": self._settings.client_id,
            "code_verifier": request.verifier,
            **({"client_secret": self._settings.client_secret} if self._settings.client_secret else {}),
        }
        answer = await self._ask("POST", description.token_endpoint, _Tokens, data=form)
        key = await self._key_of(answer.id_token, description)
        return id_tokens.subject_of(answer.id_token, key, self._settings, request.nonce, now)

    async def look(self) -> int:
        """See that the provider can be used; give how many keys it publishes. Raises ProviderUnavailable."""
        description = await self._description()
        return len((await self._remembered(description.jwks_uri, _Keys)).keys)

    async def _description(self) -> _Description:
        url = f"{self._settings.issuer}".rstrip("/") + "/.well-known/openid-configuration"
        found = await self._remembered(url, _Description)
        endpoints = (found.authorization_endpoint, found.token_endpoint, found.jwks_uri)
        if found.issuer != self._settings.issuer or not all(map(is_secure, endpoints)):
            raise ProviderUnavailable("its description is not that of the issuer")
        return found

    async def _key_of(self, token: str, description: _Description) -> jwt.PyJWK:
        """Find the key that a token names; an unknown name makes the keys be read once more, as after a rotation."""
        algorithm, kid = id_tokens.named_key(token)
        for fresh in (False, True):
            published = await self._remembered(description.jwks_uri, _Keys, fresh=fresh)
            key = id_tokens.key_in(published.keys, algorithm, kid)
            if key is not None:
                return key
        raise ProviderRefused("KEY_UNKNOWN")

    async def _remembered(self, url: str, kind: type[T], *, fresh: bool = False) -> T:
        """Give what an address answers; asked again when it is old, or `fresh` is wanted. One asks, others wait."""
        async with self._asking:
            kept, now = self._kept.get(url), self._clock()
            if fresh or kept is None or kept.until <= now:
                value = await self._ask("GET", url, kind)
                until = now + timedelta(seconds=self._settings.cache_seconds)
                kept = self._kept[url] = _Kept(value, until)
        found: T = kept.value
        return found

    async def _ask(self, method: str, url: str, kind: type[T], **more: Any) -> T:
        """Ask the provider; raises ProviderUnavailable, and ProviderRefused when it refuses a code (status 400)."""
        try:
            async with self._http.request(method, url, allow_redirects=False, **more) as response:
                status, body = response.status, await _bounded(response)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ProviderUnavailable(type(error).__name__) from error
        if status == 400 and method == "POST":
            raise ProviderRefused("CODE_REFUSED")
        if status != 200:
            raise ProviderUnavailable(f"status {status}")
        try:
            return msgspec.json.decode(body, type=kind)
        except (msgspec.DecodeError, RecursionError) as error:
            raise ProviderUnavailable("its answer cannot be read") from error


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > LARGEST_ANSWER:
            raise ProviderUnavailable("its answer is too large")
    return bytes(body)


def _s256(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


@asynccontextmanager
async def opened(settings: Settings, database: Database, clock: Clock) -> AsyncIterator[OpenIDProvider | None]:
    """Give the provider of the settings until the block ends; None where they name none."""
    identity = settings.identity
    async with database.transaction(SYSTEM_SIGHT) as tx:
        row_id = await stored.keep_provider(tx, identity.issuer, identity.name, clock())
    if row_id is None:
        yield None
        return
    timeout = aiohttp.ClientTimeout(total=identity.timeout)
    async with aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as http:
        yield OpenIDProvider(settings, row_id, http, clock)
