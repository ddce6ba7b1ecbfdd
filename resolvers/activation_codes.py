"""Activation codes: what is printed on an invoice so that a family can activate its account (R15).

Ten characters of Crockford's base32 carry 50 bits. Only an HMAC bound to the family's number is stored.
"""

import secrets

from db.keys import Keys

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 10
GROUP = 5
_MISREAD = str.maketrans({"I": "1", "L": "1", "O": "0"})
_SEPARATORS = str.maketrans("", "", " -\u00a0\u202f\u2010\u2011\u2012\u2013.")


def shown(code: str) -> str:
    """Write a code as it is printed: XXXXX-XXXXX."""
    return f"{code[:GROUP]}-{code[GROUP:]}"


def new_code() -> str:
    """Make a fresh code, grouped for printing."""
    return shown("".join(secrets.choice(ALPHABET) for _ in range(LENGTH)))


def normalised(text: str) -> str:
    """Give the ten characters of a code that somebody typed.

    Case, blanks and dashes do not matter; I and L are read as 1, O as 0 (Crockford). Raises ValueError for what is
    no code.
    """
    code = text.translate(_SEPARATORS).upper().translate(_MISREAD)
    if len(code) != LENGTH or any(character not in ALPHABET for character in code):
        raise ValueError("an activation code has ten letters and digits")
    return code


def digest(keys: Keys, family_number: str, code: str) -> bytes:
    """Give what is stored of a family's code; raises ValueError for what is no code."""
    return keys.digest("activation-code", f"{family_number}:{normalised(code)}")
