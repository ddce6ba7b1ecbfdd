"""From an item of news to the words that a family reads.

The words of each type are in `templates/<language>/<type>.jinja`, once for HTML and plain text; the layouts are
`templates/layout.html` (compiled from `layout.mjml`) and `templates/layout.txt`.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

from db import phone_codes
from db.clock import Clock
from db.keys import Keys
from db.settings import City
from notifications.channels import Delivery
from notifications.links import LINKS, unsubscribe_link
from notifications.words import LANGUAGES, environment

FOLDER = Path(__file__).parent / "templates"
_SPACES = re.compile(r"[ \t\r\n\v\f\x1c-\x1f\x85\u2028\u2029]+")


class UnknownNews(LookupError):
    """Nobody wrote words for this type of news."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent: one subject, and the same words twice."""

    subject: str
    html: str
    text: str
    language: str
    unsubscribe: str | None = None
    """Address that ends such messages; None for what nobody can end."""


@dataclass(frozen=True, slots=True)
class Short:
    """What fits on the lock screen of a phone."""

    title: str
    text: str
    link: str
    language: str


class Messages:
    """Writes the messages of one city."""

    def __init__(self, city: City, portal_url: str, keys: Keys, clock: Clock, *, site_url: str | None = None) -> None:
        """`portal_url` is where the families' web app is, `site_url` (unless the same) this server; both without a
        slash at the end.
        """
        self._city = city
        self._site_url = site_url or portal_url
        self._portal_url = portal_url
        self._keys = keys
        self._clock = clock
        self._words = {language: environment(FOLDER / language, language, city.time_zone) for language in LANGUAGES}
        layouts = _layouts()
        self._html = layouts.get_template("layout.html")
        self._text = layouts.get_template("layout.txt")

    def write(self, delivery: Delivery, *, by_email: bool = True) -> Message:
        """Write the message of a delivery in its family's language; other ways than e-mail have no link to end it.

        Raises UnknownNews for a type without words, and jinja2.UndefinedError when the news lacks a field.
        """
        language = delivery.family.language
        facts = self._facts(delivery)
        parts = {**self._blocks(language, "frame", facts), **self._blocks(language, delivery.news.type, facts)}
        unsubscribe = unsubscribe_link(self._site_url, self._keys, delivery, self._clock()) if by_email else None
        shown: dict[str, Any] = {
            **{name: one_line(text) for name, text in parts.items()},
            "language": language,
            "city": self._city,
            "lead": _paragraphs(parts["lead"]),
            "details": _pairs(parts["details"]),
            "next": _paragraphs(parts["next"]),
            "quote": _lines(delivery.news.data.get("message") or ""),
            "service": facts.get("service"),
            "link": facts.get("link"),
            "unsubscribe": unsubscribe,
        }
        html, text = self._html.render(shown), _tidy(self._text.render(shown))
        return Message(shown["subject"], html, text, language, unsubscribe)

    def short(self, delivery: Delivery) -> Short:
        """Write the few words of a delivery for a phone: the block `short` where there is one, else what a mail program
        shows of it in its list. The link leads to the portal; whoever opens it signs in.

        Raises as `write`.
        """
        language = delivery.family.language
        parts = self._blocks(language, delivery.news.type, self._facts(delivery), ("subject", "preview", "short"))
        text = one_line(parts.get("short") or parts["preview"])
        return Short(one_line(parts["subject"]), text, f"{self._portal_url}/", language)

    def _blocks(self, language: str, name: str, facts: Mapping[str, Any], only: Collection[str] = ()) -> dict[str, str]:
        try:
            template = self._words[language].get_template(f"{name}.jinja")
        except jinja2.TemplateNotFound as error:
            raise UnknownNews(name) from error
        context = template.new_context(dict(facts))
        wanted = {block: render for block, render in template.blocks.items() if not only or block in only}
        return {block: "".join(render(context)) for block, render in wanted.items()}

    def _facts(self, delivery: Delivery) -> dict[str, Any]:
        """Give what the words may name: the news' data in the family's language, and who is told about what."""
        facts = {
            **_in_language(delivery.news.data, delivery.family.language),
            "family": delivery.family.name,
            "number": delivery.family.number,
            "city": self._city,
            "occurred_at": delivery.news.occurred_at.isoformat(),
        }
        facts["was"] = facts.get("from")
        link = LINKS.get(delivery.news.type)
        if link is not None:
            # From now, not from the event: a message that had to wait for the relay must still be of use.
            facts["link"] = link.to(self._portal_url, self._keys, delivery, self._clock())
        if "challenge" in delivery.news.data:
            facts["code"] = phone_codes.code_of(self._keys, delivery.news.data["challenge"])
        return facts


def one_line(text: str) -> str:
    """Put every run of white space into one space; no-break spaces stay."""
    return _SPACES.sub(" ", text).strip(" ")


def _layouts() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=jinja2.select_autoescape(["html"]),
        undefined=jinja2.StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _in_language(data: Mapping[str, Any], language: str) -> dict[str, Any]:
    """Give `title` for `title_fr` or `title_en`, also in the objects inside."""
    shown = {key: _in_language(value, language) if isinstance(value, dict) else value for key, value in data.items()}
    ending = f"_{language}"
    return shown | {key.removesuffix(ending): value for key, value in shown.items() if key.endswith(ending)}


def _paragraphs(text: str) -> list[str]:
    return [one_line(paragraph) for paragraph in re.split(r"\n\s*\n", text.strip()) if paragraph.strip()]


def _lines(text: str) -> list[str]:
    return [one_line(line) for line in text.strip().splitlines()]


def _pairs(text: str) -> list[tuple[str, str]]:
    """Read lines `label | value`."""
    pairs = (line.partition(" | ") for line in text.strip().splitlines() if line.strip())
    return [(one_line(label), one_line(value)) for label, _, value in pairs]


def _tidy(text: str) -> str:
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"
