"""Access tokens: short-lived JWTs signed with Ed25519 by a key that all nodes share."""

import re
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from db import sessions as stored
from db.ids import uuid7
from db.keys import Keys
from db.settings import Tokens as TokenSettings

ALGORITHM = "EdDSA"
PURPOSE = "signing-key"
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
    """Signs and verifies access tokens.

    `keys` are the portal's signing keys by kid, the one that signs first.
    """

    def __init__(self, keys: dict[str, Ed25519PrivateKey], settings: TokenSettings) -> None:
        self._keys = keys
        self._kid = next(iter(keys))
        self._settings = settings
        self._verified: OrderedDict[str, AccessToken] = OrderedDict()

    def issue(self, session_id: UUID, subject: UUID, now: datetime, session_ends: datetime) -> tuple[str, datetime]:
        """Give a token and when it ends (UTC): after the settings' seconds, or with the session."""
        expires_at = min(now + timedelta(seconds=self._settings.access_seconds), session_ends).replace(microsecond=0)
        claims = {
            "iss": self._settings.issuer,
            "aud": self._settings.audience,
            "sub": str(subject),
            "sid": str(session_id),
            "typ": "access",
            "iat": now,
            "exp": expires_at,
        }
        return jwt.encode(claims, self._keys[self._kid], ALGORITHM, headers={"kid": self._kid}), expires_at

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
            decoded = jwt.decode(
                token,
                self._keys[header["kid"]].public_key(),
                algorithms=[ALGORITHM],
                audience=self._settings.audience,
                issuer=self._settings.issuer,
                options={"verify_exp": False, "verify_iat": False},
            )
            claims = msgspec.convert(decoded, Claims)
        except (jwt.InvalidTokenError, msgspec.ValidationError, KeyError, ValueError, TypeError) as error:
            raise TokenRefused(type(error).__name__) from error
        if claims.iat > (now + AHEAD).timestamp():
            raise TokenRefused("issued in the future")
        return AccessToken(claims.sid, datetime.fromtimestamp(claims.exp, UTC))


async def open_tokens(tx: Any, keys: Keys, settings: TokenSettings, now: datetime) -> Tokens:
    """Load the portal's signing keys, making the first one in a new portal."""
    sealed = await stored.signing_keys(tx)
    if not sealed:
        private = Ed25519PrivateKey.generate()
        clear = private.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        await stored.insert_first_signing_key(tx, str(uuid7(now)), keys.seal(PURPOSE, clear), now)
        sealed = await stored.signing_keys(tx)
    found = {kid: Ed25519PrivateKey.from_private_bytes(keys.unseal(PURPOSE, value)) for kid, value in sealed}
    return Tokens(found, settings)
