"""Identifiers of professionals and associations (R6): each checked by its own rule, and which profile has which."""

import re
from collections.abc import Callable

from stdnum.exceptions import ValidationError
from stdnum.fr import siren, siret

Check = Callable[[str], str]
"""Gives an identifier as it is stored, or raises NotValid."""

RNA = re.compile(r"W[0-9][0-9A-Z][0-9]{7}")
"""W, then nine characters: digits, but for Corsica (W2A…, W2B…) and overseas (W9C…)."""
VOLUME_AND_FOLIO = re.compile(r"([0-9]{1,4})/([0-9]{1,4})")
_BLANKS = re.compile(r"[\s.\u00a0\u202f]+")


class NotValid(ValueError):
    """An identifier is not one; the text is the code of the refusal."""


def siret_of(text: str) -> str:
    """Give the 14 digits of a SIRET, with La Poste's own rule for its offices; raises NotValid."""
    number = _BLANKS.sub("", text)
    if not (number.isascii() and siret.is_valid(number)):
        raise NotValid("SIRET_NOT_VALID")
    return number


def rna_of(text: str) -> str:
    """Give an RNA number, W and nine digits (arrêté du 14 octobre 2009); raises NotValid."""
    number = _BLANKS.sub("", text).upper()
    if not RNA.fullmatch(number):
        raise NotValid("RNA_NOT_VALID")
    return number


def registry_number_of(text: str) -> str:
    """Give volume/folio of the register in Alsace-Moselle (local law on associations), or a SIREN; raises NotValid."""
    number = _BLANKS.sub("", text)
    if VOLUME_AND_FOLIO.fullmatch(number):
        return number
    try:
        return siren.validate(number if number.isascii() else "")
    except ValidationError as error:
        raise NotValid("REGISTRY_NUMBER_NOT_VALID") from error


def fault_of(profile: str, siret_: str | None, rna: str | None, registry_number: str | None) -> str | None:
    """Say what is wrong with identifiers for a profile: a code, or None.

    A professional has a SIRET; an association an RNA or registry number, and may have a SIRET; a household none.
    """
    of_association = rna or registry_number
    if profile == "ASSOCIATION":
        return None if of_association else "IDENTIFIER_MISSING"
    if of_association or (profile == "INDIVIDUAL" and siret_):
        return "IDENTIFIER_NOT_FOR_PROFILE"
    return "IDENTIFIER_MISSING" if profile == "PROFESSIONAL" and not siret_ else None
