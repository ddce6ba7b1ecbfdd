"""Numbers of cards and accounts in words that people type: never kept (R35, PCI DSS 3.2)."""

import re

from stdnum import iban, luhn
from stdnum.exceptions import ValidationError

DIGITS = re.compile(r"\d(?:[ .\-\u00a0\u202f]?\d){12,18}")
IBAN = re.compile(r"\b[A-Za-z]{2}\d{2}(?:[ \u00a0\u202f]?[A-Za-z0-9]){11,30}")
BLANKS = re.compile(r"[^A-Za-z0-9]")


def is_in(text: str) -> bool:
    """Tell whether a text holds what may be the number of a card or of an account."""
    if any(luhn.is_valid(BLANKS.sub("", found[0])) for found in DIGITS.finditer(text)):
        return True
    return any(_is_iban(BLANKS.sub("", found[0])) for found in IBAN.finditer(text))


def _is_iban(text: str) -> bool:
    """Words may follow a number without a stop: every beginning that is long enough counts."""
    for length in range(15, min(len(text), 34) + 1):
        try:
            iban.validate(text[:length], check_country=False)
        except ValidationError:
            continue
        return True
    return False
