"""Words as passwords hide them: with capitals, accents, digits for letters; and the words that belong to a family."""

import re
import unicodedata
from collections.abc import Collection
from datetime import date

from babel.dates import get_month_names

SHORTEST_HELD = 4
"""A shorter word, such as a name of three letters, counts only when it stands alone."""

SHORTEST_ALONE = 3
NOBODYS = frozenset({"association", "commune", "famille", "family", "madame", "mairie", "monsieur", "ville"})
"""Words of families' and cities' names that belong to nobody."""

# i, l, 1 and ! look alike: one letter stands for all of them.
_MASKS = str.maketrans(dict(zip("01!|l2345678@$€+9", "oiiiizeasgtbasetg", strict=True)))


def folded(text: str) -> str:
    """Write a text without capitals and accents."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in apart if not unicodedata.combining(character))


def unmasked(text: str) -> str:
    """Write a folded text with the letters that its digits and signs stand for, as in p@ssw0rd."""
    return text.translate(_MASKS)


def of_texts(texts: Collection[str]) -> set[str]:
    """Give the words of names and addresses that somebody would try; of an e-mail address, what stands before the @."""
    words: set[str] = set()
    for text in texts:
        parts = re.split(r"[\W_]+", folded(text.partition("@")[0]))
        words |= {*parts, "".join(parts), *(part.strip("0123456789") for part in parts)}
    return {word for word in words if len(word) >= SHORTEST_ALONE and not word.isdigit()} - NOBODYS


def of_date(day: date) -> set[str]:
    """Give the usual spellings of a date: 14072015, 140715, 20150714, 1472015, 14juillet2015 …"""
    short = day.year % 100
    numbers = {
        f"{day:%d%m%Y}",
        f"{day:%d%m}{short:02}",
        f"{day:%Y%m%d}",
        f"{short:02}{day:%m%d}",
        f"{day:%m%d%Y}",
        f"{day.day}{day:%m%Y}",
        f"{day.day}{day.month}{day.year}",
    }
    month = folded(get_month_names("wide", locale="fr")[day.month])
    return numbers | {f"{day.day}{month}{day.year}", f"{day.day}{month}"}
