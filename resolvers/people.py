"""Names and birth dates as people give them, checked and put into the form they are stored in."""

import unicodedata
from datetime import date

from db.members import Person
from resolvers.context import Context

LONGEST_NAME = 100
LONGEST_SCHOOL = 200
OLDEST_YEARS = 120
CHILD_UNDER = 25
_SIGNS = frozenset("'\u2019\u02bc-\u2010\u2011. ")


def person(context: Context, first_name: str, last_name: str, birth_date: date | None, role: str) -> Person:
    """Check the facts of a member.

    Raises Refusal: NAME_NOT_VALID, BIRTH_DATE_NOT_VALID (in the future, or over 120 years ago), TOO_OLD_FOR_A_CHILD
    (25 years).
    """
    found = Person(name(context, first_name, "firstName"), name(context, last_name, "lastName"), birth_date)
    if birth_date is not None:
        years = age(birth_date, context.process.clock().date())
        if not 0 <= years <= OLDEST_YEARS:
            raise context.refusal("BIRTH_DATE_NOT_VALID", ["birthDate"])
        if role == "CHILD" and years >= CHILD_UNDER:
            raise context.refusal("TOO_OLD_FOR_A_CHILD", ["birthDate"])
    return found


def name(context: Context, text: str, argument: str) -> str:
    """Give a name composed (NFC) and with single blanks; raises Refusal NAME_NOT_VALID.

    Letters of any script with their marks, apostrophes, hyphens, blanks and the full stop of a shortened name.
    """
    found = " ".join(unicodedata.normalize("NFC", text).split())
    kinds = [unicodedata.category(character)[0] for character in found if character not in _SIGNS]
    if not 1 <= len(found) <= LONGEST_NAME or "L" not in kinds or not set(kinds) <= {"L", "M"}:
        raise context.refusal("NAME_NOT_VALID", [argument])
    return found


def school(context: Context, text: str | None, role: str) -> str | None:
    """Give the name of a child's school, or None; raises Refusal SCHOOL_NOT_VALID."""
    found = " ".join(unicodedata.normalize("NFC", text or "").split())
    if found and (role != "CHILD" or len(found) > LONGEST_SCHOOL or not found.isprintable()):
        raise context.refusal("SCHOOL_NOT_VALID", ["school"])
    return found or None


def age(born: date, today: date) -> int:
    """Give a person's age in whole years; negative before the birth."""
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
