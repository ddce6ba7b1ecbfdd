"""Access tokens: short-lived JWTs signed with Ed25519 by a key that all nodes share."""

import base64
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from db.settings import Tokens as TokenSettings

ALGORITHM = "EdDSA"
REMEMBERED = 5000
CLAIMS = ["exp", "iat", "aud", "iss", "sub", "sid", "typ"]


class TokenRefused(Exception):
    """An access token is forged, malformed, expired or not for us."""


class UnknownKey(TokenRefused):
    """A token names a key that this process does not know, or no longer."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One key of the portal."""

    kid: str
    private: Ed25519PrivateKey
    created_at: datetime
    retires_at: datetime | None
    """From when on its signatures count no more; one that has this set signs nothing new."""

    @property
    def public(self) -> dict[str, str]:
        """Give the public half as a JSON Web Key (RFC 8037)."""
        point = base64.urlsafe_b64encode(self.private.public_key().public_bytes_raw()).rstrip(b"=").decode()
        return {"kty": "OKP", "crv": "Ed25519", "x": point, "kid": self.kid, "use": "sig", "alg": ALGORITHM}


@dataclass(frozen=True, slots=True)
class AccessToken:
    """What a verified access token says."""

    session_id: UUID
    expires_at: datetime


class Tokens:
    """Signs and verifies access tokens."""

    def __init__(self, keys: Sequence[SigningKey], settings: TokenSettings) -> None:
        self._settings = settings
        self.use(keys)

    def use(self, keys: Sequence[SigningKey]) -> None:
        """Take the portal's keys as they are now, newest first; what they verified before is verified again."""
        self._keys = {key.kid: key for key in keys}
        self._signing = next((key for key in keys if key.retires_at is None), keys[0])
        self._verified: OrderedDict[str, AccessToken] = OrderedDict()

    @property
    def public_keys(self) -> list[dict[str, str]]:
        """Give what others need to verify our tokens."""
        return [key.public for key in self._keys.values()]

    def issue(
        self,
        session_id: UUID,
        subject: UUID,
        now: datetime,
        session_ends: datetime,
        *,
        life: timedelta | None = None,
    ) -> tuple[str, datetime]:
        """Give a token and when it ends (UTC): after its life, the settings' unless given, or with the session."""
        life = life or timedelta(seconds=self._settings.access_seconds)
        expires_at = min(now + life, session_ends).replace(microsecond=0)
        claims = {
            "iss": self._settings.issuer,
            "aud": self._settings.audience,
            "sub": str(subject),
            "sid": str(session_id),
            "typ": "access",
            "iat": now,
            "exp": expires_at,
        }
        key = self._signing
        return jwt.encode(claims, key.private, ALGORITHM, headers={"kid": key.kid}), expires_at

    def verify(self, token: str, now: datetime) -> AccessToken:
        """Give what a token says; raises TokenRefused. The signature of a token is checked once, its end each time."""
        known = self._verified.get(token)
        if known is None:
            known = self._verified[token] = self._decode(token, now)
            if len(self._verified) > REMEMBERED:
                self._verified.popitem(last=False)
        if known.expires_at <= now:
            raise TokenRefused("expired")
        return known

    def _decode(self, token: str, now: datetime) -> AccessToken:
        try:
            key = self._key(jwt.get_unverified_header(token).get("kid", ""), now)
            claims: dict[str, Any] = jwt.decode(
                token,
                key.private.public_key(),
                algorithms=[ALGORITHM],
                audience=self._settings.audience,
                issuer=self._settings.issuer,
                options={"require": CLAIMS, "verify_exp": False, "verify_iat": False},
            )
            if claims["typ"] != "access":
                raise TokenRefused("another kind of token")
            return AccessToken(UUID(claims["sid"]), datetime.fromtimestamp(int(claims["exp"]), UTC))
        except (jwt.InvalidTokenError, KeyError, ValueError, TypeError, OverflowError, OSError) as error:
            raise TokenRefused(type(error).__name__) from error

    def _key(self, kid: object, now: datetime) -> SigningKey:
        key = self._keys.get(kid) if isinstance(kid, str) else None
        if key is None or (key.retires_at is not None and key.retires_at <= now):
            raise UnknownKey("no key of that name")
        return key
