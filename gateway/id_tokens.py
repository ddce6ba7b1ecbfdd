"""ID tokens: which keys and signatures count, and what must be in one (OpenID Connect Core 1.0 section 3.1.3.7)."""

import hmac
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import jwt

from db.settings import Identity
from resolvers.provider import ProviderRefused, ProviderUnavailable

ALGORITHMS = {"RS256": "RSA", "ES256": "EC"}
"""Algorithms of ID tokens that count, and the kind of key each is for."""

REQUIRED = ["iss", "sub", "aud", "exp", "iat", "nonce"]
CLOCKS_DIFFER = timedelta(seconds=60)
OLDEST_TOKEN = timedelta(minutes=10)
LONGEST_SUBJECT = 255
"""OpenID Connect Core 1.0 section 2."""


def named_key(token: str) -> tuple[str, str]:
    """Give the algorithm of a token and the name of its key, unverified; raises ProviderRefused."""
    try:
        header = jwt.get_unverified_header(token)
    except jwt.InvalidTokenError as error:
        raise ProviderRefused("TOKEN_MALFORMED") from error
    algorithm, kid = header.get("alg"), header.get("kid")
    if algorithm not in ALGORITHMS or not isinstance(kid, str):
        raise ProviderRefused("ALGORITHM")
    return algorithm, kid


def key_in(keys: list[dict[str, Any]], algorithm: str, kid: str) -> jwt.PyJWK | None:
    """Find a key for an algorithm by its name; raises ProviderUnavailable for one that cannot be read."""
    return next((_read(each, algorithm) for each in keys if each.get("kid") == kid and _is_for(each, algorithm)), None)


def _is_for(key: dict[str, Any], algorithm: str) -> bool:
    same_use = key.get("use", "sig") == "sig" and key.get("alg", algorithm) == algorithm
    return same_use and key.get("kty") == ALGORITHMS[algorithm]


def _read(key: dict[str, Any], algorithm: str) -> jwt.PyJWK:
    try:
        return jwt.PyJWK(key, algorithm)
    except (jwt.PyJWTError, ValueError, TypeError, KeyError) as error:
        raise ProviderUnavailable("its key cannot be read") from error


def subject_of(token: str, key: jwt.PyJWK, settings: Identity, nonce: str, now: datetime) -> str:
    """Check an ID token and give its subject; raises ProviderRefused."""
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[key.algorithm_name],
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
