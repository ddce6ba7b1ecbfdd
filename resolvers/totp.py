"""One-time codes of an authenticator app (RFC 6238): six digits of HMAC-SHA-1, a new code every 30 seconds."""

from datetime import datetime

import pyotp
from pyotp.utils import strings_equal

SECRET_CHARACTERS = 32
"""Of base32: 160 bits, as RFC 4226 section 4 recommends."""

DIGITS = 6
STEP_SECONDS = 30
STEPS_BESIDE = 1
"""Clocks may differ by one step in both directions (RFC 6238 section 5.2)."""


def new_secret() -> str:
    """Make a fresh secret, in base32."""
    return pyotp.random_base32(SECRET_CHARACTERS)


def uri(secret: str, account: str, issuer: str) -> str:
    """Give the `otpauth:` address that apps read from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=issuer)


def step_of(secret: str, code: str, now: datetime, after: int) -> int | None:
    """Give the time step that a code belongs to: the present one or a neighbour; None when it is of none.

    Steps up to `after` are spent, so that a code that somebody looked at is good only once (RFC 6238 section 5.2).
    """
    present = int(now.timestamp()) // STEP_SECONDS
    codes = pyotp.TOTP(secret)
    found = None
    for step in range(present - STEPS_BESIDE, present + STEPS_BESIDE + 1):
        if strings_equal(codes.generate_otp(step), code) and step > after:
            found = step
    return found
