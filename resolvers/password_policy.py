"""What a password must be (R17, R19): long enough, of several kinds, neither common nor personal.

Deviations from ASVS 5.0 and CNIL 2022-100, and where the list of common passwords comes from: see
docs/security/passwords.md.
"""

import re
from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

from db import credentials as stored
from resolvers import password_words
from resolvers.context import Context
from resolvers.passwords import normalised
from resolvers.problems import Refusal
from resolvers.sentence import Sentence
from resolvers.viewer import SYSTEM_SIGHT

SHORTEST, LONGEST = 8, 25
"""Characters (code points after NFC)."""

KINDS = ("LOWER", "UPPER", "DIGIT", "SPECIAL")
KINDS_NEEDED = 3

SENTENCE = Sentence(
    f"De {SHORTEST} à {LONGEST} caractères, avec au moins trois des quatre sortes : minuscules, majuscules, chiffres, "
    "signes. Ni mot de passe courant, ni nom, date de naissance ou numéro de votre famille.",
    f"{SHORTEST} to {LONGEST} characters, with at least three of the four kinds: lower case, upper case, digits, "
    "signs. No common password, and no name, date of birth or number of your family.",
)

SHORTEST_COMMON = 4
MOST_AROUND = 2
MOST_PLAIN_AROUND = 6
"""How many characters around a common word do not make it rare: any, or digits and signs."""

FEWEST_DIFFERENT = 4
RUNS = (
    "abcdefghijklmnopqrstuvwxyz",
    "azertyuiop",
    "qsdfghjklm",
    "wxcvbn",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "01234567890",
)
COMMON = Path(__file__).parent / "data" / "common_passwords.txt"


def kind_of(character: str) -> str:
    """Give which of the four kinds a character is; letters without case count as special."""
    if character.islower():
        return "LOWER"
    if character.isupper() or character.istitle():
        return "UPPER"
    return "DIGIT" if character.isdigit() else "SPECIAL"


def faults(password: str, *, personal: Collection[str] = ()) -> list[str]:
    """Give the codes of what is wrong with a password; none when it may be used.

    `personal` are names, addresses, numbers and spelled dates that somebody who knows the family would try first.
    """
    password = normalised(password)
    if len(password) > LONGEST:
        return ["PASSWORD_TOO_LONG"]
    found = []
    if len(password) < SHORTEST:
        found.append("PASSWORD_TOO_SHORT")
    if len({kind_of(character) for character in password}) < KINDS_NEEDED:
        found.append("PASSWORD_TOO_SIMPLE")
    if _is_common(password):
        found.append("PASSWORD_TOO_COMMON")
    if _is_personal(password, personal):
        found.append("PASSWORD_PERSONAL")
    return found


def refuse_faulty(context: Context, password: str, personal: Collection[str] = (), *, path: str = "password") -> None:
    """Raise the refusals that apply to a password, if any; `path` names the argument."""
    refusals = [context.refusal(code, [path]) for code in faults(password, personal=personal)]
    if refusals:
        first, *others = refusals
        raise Refusal(first.code, first.message, first.path, others)


async def check_password(
    context: Context,
    tx: Any,
    family_id: UUID | None,
    password: str,
    *,
    also: Collection[str] = (),
    path: str = "password",
) -> None:
    """Raise the refusals that apply to a new password of a login of this family: PASSWORD_TOO_SHORT, _TOO_LONG,
    _TOO_SIMPLE, _TOO_COMMON, _PERSONAL.

    `tx` is a transaction that sees the family, or None: then one of the portal's own is opened. Without a family only
    what is true of everybody counts: an answer must not tell strangers what a family is called. `also` are further
    words, such as the e-mail address of a login that is not yet there.
    """
    refuse_faulty(context, password, password_words.of_texts(also), path=path)
    if family_id is None:
        return
    if tx is None:
        async with context.process.database.transaction(SYSTEM_SIGHT) as own:
            known = await stored.personal(own, family_id)
    else:
        known = await stored.personal(tx, family_id)
    city = context.process.settings.city.name
    words = password_words.of_texts([*known.texts, city, *also])
    words |= {known.number} | {spelled for day in known.birth_dates for spelled in password_words.of_date(day)}
    refuse_faulty(context, password, words, path=path)


@cache
def common() -> frozenset[str]:
    """Give the common passwords and words, as `password_words.unmasked` writes them."""
    lines = COMMON.read_text(encoding="ascii").splitlines()
    return frozenset(line for line in lines if not line.startswith("#"))


def _is_common(password: str) -> bool:
    """Tell whether it is a common word, or hardly more."""
    plain = password_words.folded(password)
    if len(set(plain)) < FEWEST_DIFFERENT:
        return True
    return any(map(_is_a_word_with_little_around, {plain, "".join(filter(str.isalnum, plain))}))


def _is_a_word_with_little_around(text: str) -> bool:
    most = MOST_PLAIN_AROUND + MOST_AROUND
    for start in range(min(most, len(text)) + 1):
        for end in range(len(text), max(start + SHORTEST_COMMON, len(text) - most + start) - 1, -1):
            around = text[:start] + text[end:]
            letters = sum(map(str.isalpha, around))
            if letters > MOST_AROUND or (letters and len(around) > MOST_AROUND) or len(around) > MOST_PLAIN_AROUND:
                continue
            if _is_known(text[start:end]):
                return True
    return False


def _is_known(word: str) -> bool:
    return password_words.unmasked(word) in common() or any(word in run or word[::-1] in run for run in RUNS)


def _is_personal(password: str, personal: Collection[str]) -> bool:
    plain = password_words.folded(password)
    unmasked = password_words.unmasked(plain)
    joined = "".join(filter(str.isalnum, plain))
    alone = set(re.split(r"[\W\d_]+", plain))
    for word in map(password_words.folded, personal):
        if len(word) < password_words.SHORTEST_HELD:
            held = word in alone
        else:
            held = word in joined or (not word.isdigit() and password_words.unmasked(word) in unmasked)
        if held:
            return True
    return False
