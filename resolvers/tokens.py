"""Access tokens: short-lived JWTs signed with Ed25519 by a key that all nodes share."""

import base64
import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from db.settings import Tokens as TokenSettings

ALGORITHM = "EdDSA"
REMEMBERED = 5000
HEADER = {"alg", "kid", "typ"}
"""All that a header may hold: what brings keys along (`jwk`, `jku`, `x5c`) or changes how a token is read (`crit`,
`b64`, `zip`) is not for us."""

SPELLING = re.compile(r"[\w-]+\.[\w-]+\.[\w-]{85}[AQgw]", re.ASCII)
"""The one way to write a token: base64 readers pass strange characters by, and the last one has four bits to spare."""

AHEAD = timedelta(seconds=60)
"""How far the clock of the node that issued a token may be ahead of ours."""

Seconds = Annotated[int, msgspec.Meta(ge=0, lt=2**33)]


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


class Claims(msgspec.Struct, frozen=True):
    """What an access token says, each claim in its one type; all are required."""

    iss: str
    aud: str
    sub: str
    sid: UUID
    typ: Literal["access"]
    iat: Seconds
    exp: Seconds


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
        """Check all that never changes about a token (RFC 8725)."""
        if not SPELLING.fullmatch(token):
            raise TokenRefused("not the spelling of a token")
        try:
            header = jwt.get_unverified_header(token)
            if not header.keys() <= HEADER:
                raise TokenRefused("more in its header than we understand")
            key = self._key(header.get("kid"), now)
            decoded = jwt.decode(
                token,
                key.private.public_key(),
                algorithms=[ALGORITHM],
                audience=self._settings.audience,
                issuer=self._settings.issuer,
                options={"verify_exp": False, "verify_iat": False},
            )
            claims = msgspec.convert(decoded, Claims)
        except (jwt.InvalidTokenError, msgspec.ValidationError, ValueError, TypeError) as error:
            raise TokenRefused(type(error).__name__) from error
        if claims.iat > (now + AHEAD).timestamp():
            raise TokenRefused("issued in the future")
        ends = datetime.fromtimestamp(claims.exp, UTC)
        return AccessToken(claims.sid, min(ends, key.retires_at) if key.retires_at else ends)

    def _key(self, kid: object, now: datetime) -> SigningKey:
        key = self._keys.get(kid) if isinstance(kid, str) else None
        if key is None or (key.retires_at is not None and key.retires_at <= now):
            raise UnknownKey("no key of that name")
        return key
