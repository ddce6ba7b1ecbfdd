"""OpenID Connect as a relying party: the provider's description and keys, its token endpoint, its ID tokens.

OpenID Connect Core 1.0 section 3.1, Discovery 1.0, PKCE (RFC 7636), RFC 9700. What the provider answers is bounded in
time and size, redirects are not followed, and only TLS is spoken beyond this machine.
"""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import AsyncIterator, Callable
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
from db.settings import Identity, Settings
from resolvers.provider import ProviderRefused, ProviderUnavailable, Request
from resolvers.viewer import SYSTEM_SIGHT

T = TypeVar("T")

ALGORITHMS = {"RS256": "RSA", "ES256": "EC"}
"""Algorithms of ID tokens that count, and the kind of key each is for."""

LARGEST_ANSWER = 64 * 1024
REQUIRED = ["iss", "sub", "aud", "exp", "iat", "nonce"]
CLOCKS_DIFFER = timedelta(seconds=60)
OLDEST_TOKEN = timedelta(minutes=10)
LONGEST_SUBJECT = 255
"""OpenID Connect Core 1.0 section 2."""

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
        key, algorithm = await self._key_of(answer.id_token, description)
        return _subject(answer.id_token, key, algorithm, self._settings, request.nonce, now)

    async def _description(self) -> _Description:
        url = f"{self._settings.issuer}".rstrip("/") + "/.well-known/openid-configuration"
        found = await self._remembered(url, _Description)
        endpoints = (found.authorization_endpoint, found.token_endpoint, found.jwks_uri)
        if found.issuer != self._settings.issuer or not all(map(is_secure, endpoints)):
            raise ProviderUnavailable("its description is not that of the issuer")
        return found

    async def _key_of(self, token: str, description: _Description) -> tuple[jwt.PyJWK, str]:
        """Find the key that a token names; an unknown name makes the keys be read once more, as after a rotation."""
        try:
            header = jwt.get_unverified_header(token)
        except jwt.InvalidTokenError as error:
            raise ProviderRefused("TOKEN_MALFORMED") from error
        algorithm, kid = header.get("alg"), header.get("kid")
        if algorithm not in ALGORITHMS or not isinstance(kid, str):
            raise ProviderRefused("ALGORITHM")
        for fresh in (False, True):
            keys = await self._remembered(description.jwks_uri, _Keys, fresh=fresh)
            for each in keys.keys:
                if each.get("kid") == kid and _is_for(each, algorithm):
                    return _read_key(each, algorithm), algorithm
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


def _is_for(key: dict[str, Any], algorithm: str) -> bool:
    same_use = key.get("use", "sig") == "sig" and key.get("alg", algorithm) == algorithm
    return same_use and key.get("kty") == ALGORITHMS[algorithm]


def _read_key(key: dict[str, Any], algorithm: str) -> jwt.PyJWK:
    try:
        return jwt.PyJWK(key, algorithm)
    except (jwt.PyJWTError, ValueError, TypeError, KeyError) as error:
        raise ProviderUnavailable("its key cannot be read") from error


def _subject(token: str, key: jwt.PyJWK, algorithm: str, settings: Identity, nonce: str, now: datetime) -> str:
    """Check an ID token (OpenID Connect Core 1.0 section 3.1.3.7) and give its subject; raises ProviderRefused."""
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            audience=settings.client_id,
            issuer=settings.issuer,
            options={
                "require": REQUIRED,
                # Compared below, with the clock of the portal.
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
                "enforce_minimum_key_length": True,
            },
        )
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise ProviderRefused(_why(error)) from error
    for is_right, code in _checks(claims, settings, nonce, now):
        if not is_right():
            raise ProviderRefused(code)
    return str(claims["sub"])


def _why(error: Exception) -> str:
    """Give the code of what is wrong: `InvalidAudienceError` → `INVALID_AUDIENCE`."""
    name = type(error).__name__.removesuffix("Error").removesuffix("Exception")
    return "".join(
        f"_{letter}" if letter.isupper() and at else letter.upper() for at, letter in enumerate(name)
    ).upper()


def _checks(
    claims: dict[str, Any], settings: Identity, nonce: str, now: datetime
) -> tuple[tuple[Callable[[], bool], str], ...]:
    seconds, beside = now.timestamp(), CLOCKS_DIFFER.total_seconds()
    audiences = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    ours, subject = settings.client_id, claims["sub"]
    oldest = seconds - OLDEST_TOKEN.total_seconds() - beside
    return (
        (lambda: claims.get("azp", ours if len(audiences) == 1 else None) == ours, "AUTHORIZED_PARTY"),
        (lambda: _is_number(claims["exp"]) and claims["exp"] > seconds - beside, "EXPIRED"),
        (lambda: _is_number(claims["iat"]) and oldest <= claims["iat"] <= seconds + beside, "ISSUED_AT"),
        (lambda: hmac.compare_digest(str(claims["nonce"]).encode(), nonce.encode()), "NONCE"),
        (lambda: isinstance(subject, str) and 0 < len(subject) <= LONGEST_SUBJECT, "SUBJECT"),
        (lambda: not settings.acr_values or claims.get("acr") in settings.acr_values.split(), "ASSURANCE"),
    )


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


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
