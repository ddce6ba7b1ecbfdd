"""The demo city's tariffs, and for whom its pages are."""

import tomllib
from collections.abc import Mapping
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path
from uuid import UUID

from db.ids import SeededIds
from gateway.demo.rows import Tables

TARIFFS = Path(__file__).with_name("data") / "tariffs.toml"


def add_tariffs(tables: Tables, ids: SeededIds, founded: datetime, services: Mapping[str, UUID]) -> None:
    """Add tariffs that hold since the beginning of the year in which the city was founded; pages are there already."""
    given = tomllib.loads(TARIFFS.read_text(encoding="utf-8"))
    pages: dict[str, UUID] = {row[1]: row[0] for row in tables["page"]}
    since = date(founded.year, 1, 1)
    for position, each in enumerate(given["tariff"]):
        tariff_id = ids.at(founded)
        of_service = services[each["service"]]
        tables.add(
            "tariff",
            tariff_id,
            each["code"],
            of_service,
            *each["label"],
            *each["unit"],
            position,
            each.get("cesu", "NEVER"),
            founded,
        )
        for (low, cents), following in pairwise([*each["prices"], None]):
            until = following[0] if following else None
            tables.add("tariff_price", ids.at(founded), tariff_id, low, until, cents, since)
        for slug in each["pages"]:
            tables.add("page_tariff", pages[slug], tariff_id, position)
    for each in given["audience"]:
        tables.add("page_audience", pages[each["page"]], *each["ages"], each.get("at_school"))
    for each in given["invoice"]:
        for moment in each["moments"]:
            tables.add("page_invoice", pages[each["page"]], moment)
