"""Keys derived from the master key of the settings, and the signed links made with them.

One secret to keep, one key per purpose: nothing signed for one purpose passes for another.
"""

import base64
import hmac
import os
import re
from datetime import datetime
from typing import Any

import jwt
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NONCE_BYTES = 12
SPELLING = re.compile(r"[\w-]+\.[\w-]+\.[\w-]{42}[AEIMQUYcgkosw048]", re.ASCII)
"""The one way to write a link's token, so that what is remembered of a used one holds for all its spellings: base64
readers pass strange characters by, and the last one has two bits to spare."""


class LinkRefused(Exception):
    """A signed link is forged, made for something else, or has expired."""


class Keys:
    """The keys of one portal.

    `master` is the 32-byte master key; every node of the portal has the same.
    """

    def __init__(self, master: bytes) -> None:
        if len(master) != 32:
            raise ValueError("the master key has 32 bytes")
        self._master = master

    @classmethod
    def from_text(cls, text: str) -> "Keys":
        """Read the master key as settings hold it: base64 of 32 bytes."""
        return cls(base64.b64decode(text, validate=True))

    def derived(self, purpose: str) -> bytes:
        """Give the 32-byte key of one purpose (HKDF-SHA-256, RFC 5869)."""
        return HKDF(SHA256(), 32, salt=None, info=f"kiosque/{purpose}".encode()).derive(self._master)

    def digest(self, purpose: str, text: str) -> bytes:
        """Give the HMAC-SHA-256 of a text, so that it can be compared but not read back."""
        return hmac.digest(self.derived(purpose), text.encode(), "sha256")

    def seal(self, purpose: str, clear: bytes) -> bytes:
        """Encrypt with AES-256-GCM; the nonce comes first."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + AESGCM(self.derived(purpose)).encrypt(nonce, clear, purpose.encode())

    def unseal(self, purpose: str, sealed: bytes) -> bytes:
        """Decrypt what `seal` made; raises `cryptography.exceptions.InvalidTag` when it was altered."""
        return AESGCM(self.derived(purpose)).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], purpose.encode())

    def link_token(self, purpose: str, claims: dict[str, Any], expires_at: datetime) -> str:
        """Make the signed part of a link; whoever holds it may do `purpose` until `expires_at` (UTC)."""
        return jwt.encode({**claims, "aud": purpose, "exp": expires_at}, self.derived(f"link/{purpose}"), "HS256")

    def read_link(self, purpose: str, token: str, now: datetime) -> dict[str, Any]:
        """Give the claims of a link token.

        Raises LinkRefused when it is forged, made for another purpose or expired at `now` (UTC).
        """
        if not SPELLING.fullmatch(token):
            raise LinkRefused("not the spelling of a link")
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self.derived(f"link/{purpose}"),
                algorithms=["HS256"],
                audience=purpose,
                options={"require": ["exp", "aud"], "verify_exp": False},
            )
        except jwt.InvalidTokenError as error:
            raise LinkRefused("the link is not one of ours") from error
        if claims["exp"] <= now.timestamp():
            raise LinkRefused("the link has expired")
        return claims
