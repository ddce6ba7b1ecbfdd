"""The small signs that typewriters do not have, for everything that a family reads."""

import re

NO_BREAK = "\u00a0"
APOSTROPHE = "\u2019"


def set_finely(text: str, language: str) -> str:
    """Put typographic apostrophes, and in French the no-break spaces before : ; ! ? » and after «.

    Rules: Imprimerie nationale, Lexique des règles typographiques. A plain no-break space stands for the narrow one,
    which several mail programs show as a box.
    """
    text = text.replace("'", APOSTROPHE)
    if language != "fr":
        return text
    text = re.sub(r" (?=[:;!?»])", NO_BREAK, text)
    return re.sub(r"(?<=«) |(?<=\d) (?=\w)", NO_BREAK, text)
