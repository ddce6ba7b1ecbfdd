"""The demo city's places and pages."""

import tomllib
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from db.clock import PARIS
from db.ids import SeededIds
from gateway.demo.names import CITY, CITY_DOMAIN, POSTCODE, phone
from gateway.demo.rows import Tables
from resolvers import markdown
from resolvers.hours import Calendar, Exceptional, Rule, spans
from resolvers.places import KNOWN_AHEAD, KNOWN_BEFORE

GUIDE = Path(__file__).with_name("data") / "guide.toml"
ZONE = "A"


def add_guide(tables: Tables, ids: SeededIds, founded: datetime, now: datetime, editor: UUID) -> None:
    """Add places with their hours, categories, and pages that were published when the city was founded.

    Their words are still to be learnt: see `db.pages.learn`.
    """
    guide = tomllib.loads(GUIDE.read_text(encoding="utf-8"))
    places = {each["code"]: ids.at(founded) for each in guide["place"]}
    for number, each in enumerate(guide["place"]):
        _add_place(tables, ids, each, places[each["code"]], number, founded, now)
    categories = {each["code"]: ids.at(founded) for each in guide["category"]}
    for position, each in enumerate(guide["category"]):
        parent = categories.get(each.get("parent", ""))
        tables.add("page_category", categories[each["code"]], each["code"], parent, *each["title"], position)
    for each in guide["page"]:
        _add_page(tables, ids, each, categories[each["category"]], places, founded, editor)


def _add_place(
    tables: Tables, ids: SeededIds, given: dict[str, Any], place_id: UUID, number: int, founded: datetime, now: datetime
) -> None:
    address = f"{given['address']}, {POSTCODE} {CITY}"
    tables.add(
        "place",
        place_id,
        given["code"],
        *given["name"],
        address,
        *given["at"],
        *given["access"],
        sorted(given["accessibility"]),
        phone(80 + number),
        f"{given['code']}@{CITY_DOMAIN}",
        False,
        founded,
    )
    today = now.astimezone(PARIS).date()
    rules = [rule for text in given["hours"] for rule in _rules(text)]
    for rule in rules:
        closes = time.max if rule.closes == time(0) else rule.closes
        tables.add("opening_rule", ids.at(founded), place_id, rule.weekday, rule.opens, closes, rule.season)
    closures = [
        (today + timedelta(days=first), today + timedelta(days=last), *reasons)
        for first, last, *reasons in given.get("closed", [])
    ]
    for first, last, french, english in closures:
        tables.add("exceptional_day", ids.at(founded), place_id, first, last, french, english)
    _add_spans(tables, place_id, rules, [Exceptional(first, last) for first, last, *_ in closures], today)


def _rules(text: str) -> Iterator[Rule]:
    """Read `1-5 08:30-12:30 TERM`: weekdays, hours, season."""
    days, hours, season = [*text.split(), "ALWAYS"][:3]
    first, _, last = days.partition("-")
    opens, closes = hours.split("-")
    end = time(0) if closes == "24:00" else time.fromisoformat(closes)
    for weekday in range(int(first), int(last or first) + 1):
        yield Rule(weekday, time.fromisoformat(opens), end, season)


def _add_spans(tables: Tables, place_id: UUID, rules: list[Rule], closures: list[Exceptional], today: date) -> None:
    calendar = Calendar(ZoneInfo("Europe/Paris"), ZONE)
    for span in spans(calendar, rules, closures, today - KNOWN_BEFORE, today + KNOWN_AHEAD):
        tables.add("opening_span", place_id, span.opens_at, span.closes_at)


def _add_page(
    tables: Tables,
    ids: SeededIds,
    given: dict[str, Any],
    category_id: UUID,
    places: dict[str, UUID],
    founded: datetime,
    editor: UUID,
) -> None:
    """Add a page and its one version."""
    page_id, slug = ids.at(founded), given["slug"]
    tables.add("page", page_id, slug, category_id, founded)
    french, english = (_words(given, place) for place in (0, 1))
    tables.add(
        "page_version", ids.at(founded), page_id, 1, category_id, slug, *french, *english, founded, editor, founded
    )
    for position, code in enumerate(given.get("places", [])):
        tables.add("page_place", page_id, places[code], position)
    for phase in ("before", "after"):
        for position, code in enumerate(given.get(phase, [])):
            tables.add("page_kind", page_id, code, phase.upper(), position)


def _words(given: dict[str, Any], language: int) -> tuple[str, ...]:
    body = given["body"][language].strip()
    texts = given["title"][language], given["summary"][language], body
    return (*texts, markdown.html(body), markdown.plain(body))
