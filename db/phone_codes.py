"""The codes that prove a phone number. None is stored: whoever has the keys of the portal makes it anew of its id."""

from uuid import UUID

from db.keys import Keys

DIGITS = 6


def code_of(keys: Keys, challenge: UUID | str) -> str:
    """Give the six digits of a challenge: its HMAC, cut (as RFC 4226, section 5.3)."""
    digest = keys.digest("phone-code", str(challenge))
    return str(int.from_bytes(digest[:8]) % 10**DIGITS).rjust(DIGITS, "0")
