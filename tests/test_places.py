"""Places: saved by editors, found by everybody, open when they say so."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.clockwork import run_due
from tests.house import House

SAVE = """mutation ($place: PlaceInput!) { savePlace(place: $place) {
    problems { code path } place { id code name isOpen weeklyHours { edges { node { weekday opens closes season } } }
        exceptionalDays { edges { node { firstDay opens closes reason } } } } } }"""
READ = """query ($code: String!, $at: DateTime) { place(code: $code) {
    name isOpen(at: $at) nextOpening(at: $at)
    hours(since: $at, first: 2) { edges { node { opensAt closesAt } } } } }"""
NEAR = """query ($latitude: Float!, $longitude: Float!, $after: String) {
    places(latitude: $latitude, longitude: $longitude, first: 2, after: $after) {
        edges { cursor node { code distance(latitude: $latitude, longitude: $longitude) } } } }"""
POOL: dict[str, Any] = {
    "code": "piscine-essai",
    "nameFr": "Piscine",
    "nameEn": "Pool",
    "address": "1 allée des Essais, 33600 Pessac",
    "latitude": 44.8061,
    "longitude": -0.6306,
    "weeklyHours": [{"weekday": day, "opens": "09:00", "closes": "17:00"} for day in range(1, 8)],
}


async def editor(house: House) -> str:
    """Give an access token of an administrator, who may edit."""
    return await house.sign_in("admin@mairie.example", agent=True)


async def test_everybody_sees_when_a_place_is_open_and_opens_again(house: House) -> None:
    saved = await house.do(SAVE, await editor(house), place=POOL)
    assert [edge["node"]["opens"] for edge in saved["place"]["weeklyHours"]["edges"]] == ["09:00"] * 7
    monday = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    monday += timedelta(days=(7 - monday.weekday()) % 7 + 7)
    while True:  # past public holidays
        read = (await house.ask(READ, code="piscine-essai", at=monday.isoformat())).data["place"]
        if read["isOpen"]:
            break
        monday += timedelta(days=7)
    closes = datetime.fromisoformat(read["hours"]["edges"][0]["node"]["closesAt"])
    assert closes.hour in (15, 16), "17:00 in Paris"
    evening = (await house.ask(READ, code="piscine-essai", at=closes.isoformat())).data["place"]
    assert not evening["isOpen"], "closed at the minute it closes"
    assert evening["nextOpening"] == evening["hours"]["edges"][0]["node"]["opensAt"]


async def test_a_closure_holds_against_the_weekly_hours_and_says_why(house: House) -> None:
    day = (house.clock() + timedelta(days=20)).date().isoformat()
    closure = {"firstDay": day, "lastDay": day, "reasonFr": "Vidange", "reasonEn": "Emptying"}
    saved = await house.do(SAVE, await editor(house), place={**POOL, "exceptionalDays": [closure]})
    [edge] = saved["place"]["exceptionalDays"]["edges"]
    assert edge["node"] == {"firstDay": day, "opens": None, "closes": None, "reason": "Vidange"}
    noon = f"{day}T11:00:00Z"
    assert not (await house.ask(READ, code="piscine-essai", at=noon)).data["place"]["isOpen"]


async def test_the_nearest_places_come_first_and_pages_go_on_from_there(house: House) -> None:
    token = await editor(house)
    for code, north in (("loin", 44.9), ("pres", 44.8062), ("milieu", 44.82)):
        await house.do(SAVE, token, place={**POOL, "code": code, "latitude": north})
    here = {"latitude": 44.8061, "longitude": -0.6306}
    first = (await house.ask(NEAR, **here)).data["places"]
    codes = [edge["node"]["code"] for edge in first["edges"]]
    second = (await house.ask(NEAR, **here, after=first["edges"][-1]["cursor"])).data["places"]
    codes += [edge["node"]["code"] for edge in second["edges"]]
    ours = [code for code in codes if code in ("loin", "pres", "milieu")]
    assert ours == ["pres", "milieu", "loin"][: len(ours)] and ours
    metres = [edge["node"]["distance"] for edge in first["edges"] + second["edges"]]
    assert metres == sorted(metres)
    assert abs(next(m for m, c in zip(metres, codes, strict=True) if c == "pres") - 11) <= 1


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"code": "Été"}, "code"),
        ({"nameFr": ""}, "nameFr"),
        ({"latitude": 91}, "latitude"),
        ({"weeklyHours": [{"weekday": 8, "opens": "09:00", "closes": "10:00"}]}, "weekday"),
        ({"weeklyHours": [{"weekday": 1, "opens": "10:00", "closes": "09:00"}]}, "closes"),
        ({"weeklyHours": [{"weekday": 1, "opens": "9h", "closes": "10:00"}]}, "opens"),
        ({"weeklyHours": [{"weekday": 1, "opens": "09:00", "closes": "25:00"}]}, "closes"),
    ],
)
async def test_a_wrong_value_is_named_and_nothing_is_saved(house: House, change: dict[str, Any], path: str) -> None:
    before = await house.connection.fetchval("select count(*) from place")
    reply = await house.ask(SAVE, await editor(house), place={**POOL, **change})
    [problem] = reply.data["savePlace"]["problems"]
    assert problem["code"] == "BAD_USER_INPUT" and problem["path"][-1] == path
    assert await house.connection.fetchval("select count(*) from place") == before


async def test_nobody_but_an_editor_saves_a_place(house: House) -> None:
    _, family = await house.member()
    for token in (None, family, await house.agent()):
        assert (await house.ask(SAVE, token, place=POOL)).codes in (["UNAUTHENTICATED"], ["FORBIDDEN"])
    assert not await house.connection.fetchval("select exists (select from place where code = 'piscine-essai')")


async def test_the_daily_job_moves_the_known_window_on(house: House) -> None:
    await house.do(SAVE, await editor(house), place=POOL)
    last = await house.connection.fetchval("select max(closes_at) from opening_span")
    house.clock.ahead = timedelta(days=30)
    await run_due(house, "renew_spans")
    assert await house.connection.fetchval("select max(closes_at) from opening_span") >= last + timedelta(days=28)
