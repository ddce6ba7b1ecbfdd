"""How each language writes: dates, statuses, and words that are set finely."""

import re
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import jinja2
from babel.dates import format_date, format_datetime
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream

from db.typography import APOSTROPHE, NO_BREAK, set_finely

LANGUAGES = ("fr", "en")

_LOCALES = {"fr": "fr_FR", "en": "en_GB"}
_DAYS = {"fr": "EEEE d MMMM y", "en": "EEEE d MMMM y"}
_MOMENTS = {"fr": f"EEEE d MMMM y 'à' HH{NO_BREAK}'h'{NO_BREAK}mm", "en": f"EEEE d MMMM y 'at' h:mm{NO_BREAK}a"}

STATUSES = {
    "fr": {
        "DRAFT": "brouillon",
        "SUBMITTED": "déposée",
        "IN_REVIEW": f"en cours d{APOSTROPHE}examen",
        "AWAITING_FAMILY": "en attente de votre réponse",
        "ACCEPTED": "acceptée",
        "REJECTED": "refusée",
        "CLOSED": "clôturée",
        "WITHDRAWN": "retirée",
    },
    "en": {
        "DRAFT": "draft",
        "SUBMITTED": "submitted",
        "IN_REVIEW": "under review",
        "AWAITING_FAMILY": "waiting for your reply",
        "ACCEPTED": "accepted",
        "REJECTED": "refused",
        "CLOSED": "closed",
        "WITHDRAWN": "withdrawn",
    },
}


class FineWords(Extension):
    """Sets the words of a template finely; what is filled in stays as it is."""

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        """Change the text between the template's tags."""
        language = getattr(self.environment, "language", "")
        for token in stream:
            yield Token(token.lineno, "data", set_finely(token.value, language)) if token.type == "data" else token


def day(value: str, language: str) -> str:
    """Write a date given as `2026-11-03`."""
    return _first_of_month(format_date(date.fromisoformat(value), _DAYS[language], _LOCALES[language]), language)


def moment(value: str, language: str, zone: ZoneInfo) -> str:
    """Write a moment given in ISO 8601 (with its zone) as the clocks of `zone` show it."""
    local = datetime.fromisoformat(value).astimezone(zone)
    return _first_of_month(format_datetime(local, _MOMENTS[language], locale=_LOCALES[language]), language)


def _first_of_month(text: str, language: str) -> str:
    return re.sub(r"\b1 (?=[a-zéû]+ \d{4})", "1er ", text) if language == "fr" else text


def environment(folder: Path, language: str, time_zone: str) -> jinja2.Environment:
    """Give the environment that reads the words of one language; a missing field is an error."""
    zone = ZoneInfo(time_zone)
    # Plain words: the layout escapes them when it makes HTML of them.
    words = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=jinja2.select_autoescape([]),
        undefined=jinja2.StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    words.extend(language=language)
    words.add_extension(FineWords)
    # `str` makes a missing field the error that it is.
    words.filters["day"] = lambda value: day(str(value), language)
    words.filters["moment"] = lambda value: moment(str(value), language, zone)
    words.filters["status"] = lambda value: STATUSES[language][value]
    return words
