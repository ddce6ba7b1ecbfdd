"""Refusals of what editors write, each with its path and without effect."""

from typing import Any

import pytest

from tests.house import House
from tests.test_pages import PAGE as WORDS
from tests.test_pages import PUBLISH, SAVE, editor
from tests.test_places import POOL
from tests.test_places import SAVE as SAVE_PLACE

CLOSED = {"firstDay": "2027-01-01", "lastDay": "2027-01-01", "reasonFr": "Jour de l’an", "reasonEn": "New year"}


async def refused(house: House, token: str, command: str, why: str, path: list[str], **given: Any) -> None:
    """Ask for something that is refused, and look that nothing was written."""
    tables = ("page_version", "page_category", "place", "opening_rule", "exceptional_day", "audit_entry")
    count = "select " + ", ".join(f"(select count(*) from {table})" for table in tables)
    before = await house.connection.fetchrow(count), await house.connection.fetch("select * from page_version")
    payload = (await house.ask(command, token, **given)).data
    [problem] = next(iter(payload.values()))["problems"]
    assert (problem["code"], problem["path"]) == (why, path)
    after = await house.connection.fetchrow(count), await house.connection.fetch("select * from page_version")
    assert after == before


async def test_a_category_needs_a_parent_that_there_is(house: House) -> None:
    token = await editor(house)
    command = """mutation ($code: String!, $parent: String) { savePageCategory(code: $code, titleFr: "A", titleEn: "A",
        parent: $parent) { problems { code path } } }"""
    await refused(house, token, command, "NOT_FOUND", ["parent"], code="neuf", parent="inconnu")


@pytest.mark.parametrize(
    ("given", "code", "path"),
    [
        ({"slug": "inconnue"}, "NOT_FOUND", ["slug"]),
        ({"slug": WORDS["slug"], "version": 9}, "NOT_FOUND", ["version"]),
        ({"slug": WORDS["slug"], "from": "2020-01-01T00:00:00Z"}, "BAD_USER_INPUT", ["visibleFrom"]),
        (
            {"slug": WORDS["slug"], "from": "2099-01-02T00:00:00Z", "until": "2099-01-01T00:00:00Z"},
            "BAD_USER_INPUT",
            ["visibleUntil"],
        ),
    ],
)
async def test_a_page_is_published_for_a_time_that_can_be(
    house: House, given: dict[str, Any], code: str, path: list[str]
) -> None:
    token = await editor(house)
    await house.do(SAVE, token, page=WORDS)
    await refused(house, token, PUBLISH, code, path, **given)


@pytest.mark.parametrize(
    ("command", "path"),
    [
        ('mutation { archivePage(slug: "inconnue") { problems { code path } } }', ["slug"]),
        ('mutation { archivePlace(code: "inconnu") { problems { code path } } }', ["code"]),
    ],
)
async def test_what_there_is_not_is_not_archived(house: House, command: str, path: list[str]) -> None:
    await refused(house, await editor(house), command, "NOT_FOUND", path)


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"weeklyHours": [{"weekday": 1, "opens": "09:00", "closes": "10:00"}] * 101}, ["weeklyHours"]),
        ({"exceptionalDays": [CLOSED] * 201}, ["exceptionalDays"]),
    ],
)
async def test_a_place_has_so_many_hours_at_the_most(house: House, given: dict[str, Any], path: list[str]) -> None:
    await refused(house, await editor(house), SAVE_PLACE, "BAD_USER_INPUT", path, place={**POOL, **given})


@pytest.mark.parametrize("links", ["places", "tariffs"])
async def test_a_page_leads_to_what_there_is(house: House, links: str) -> None:
    await refused(house, await editor(house), SAVE, "NOT_FOUND", [links], page={**WORDS, links: ["inconnu"]})
