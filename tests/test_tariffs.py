"""Tariffs: saved by editors, told to everybody, computed for one's own family with the reason."""

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.tariffs import Price
from resolvers import tariffs
from tests.house import KEYS, House
from tests.test_quotient import SET, day

SAVE = (
    """mutation ($tariff: TariffInput!) { saveTariff(tariff: $tariff) { problems { code path } tariff { id code } } }"""
)
READ = """query ($code: String!, $day: Date, $member: ID) { tariff(code: $code) {
    code label unit service { code }
    prices(day: $day) { edges { node {
        quotientFrom quotientUntil validFrom validUntil price { cents currency formatted } } } }
    yourPrice(member: $member) { quotient quotientValidFrom quotientFrom quotientUntil explanation
        price { cents currency formatted } } } }"""
OWN = """query ($code: String!, $member: ID) { tariff(code: $code) { mine: yourPrice(member: $member) {
    explanation costs: price { c: cents f: formatted } } } }"""
FAMILY = "{ viewer { family { id members { edges { node { id firstName } } } } } }"
MEAL: dict[str, Any] = {
    "code": "repas-essai",
    "service": "cantine",
    "labelFr": "Repas",
    "labelEn": "Meal",
    "unitFr": "le repas",
    "unitEn": "a meal",
    "validFrom": "2026-01-01",
    "prices": [
        {"quotientFrom": 0, "quotientUntil": 500, "cents": 100},
        {"quotientFrom": 500, "quotientUntil": 1000, "cents": 250},
        {"quotientFrom": 1000, "cents": 123_456},
    ],
}


async def saved(house: House, **changes: Any) -> str:
    """Save a tariff as an administrator; give an access token."""
    token = await house.sign_in("admin@mairie.example", agent=True)
    await house.do(SAVE, token, tariff={**MEAL, **changes})
    return token


async def read(house: House, token: str | None = None, **arguments: Any) -> Any:
    """Give the tariff as somebody sees it."""
    return (await house.ask(READ, token, code="repas-essai", **arguments)).data["tariff"]


async def record(house: House, token: str, value: int, **more: Any) -> None:
    """Let an agent record a quotient of the family of a token."""
    identity = (await house.ask(FAMILY, token)).data["viewer"]["family"]["id"]
    await house.do(SET, await house.agent(), family=identity, value=value, **{"from": day(house, -3), **more})


async def test_everybody_reads_prices_by_bracket(house: House) -> None:
    await saved(house)
    found = await read(house)
    assert (found["label"], found["unit"], found["service"]["code"]) == ("Repas", "le repas", "cantine")
    rows = [edge["node"] for edge in found["prices"]["edges"]]
    assert [(row["quotientFrom"], row["quotientUntil"]) for row in rows] == [(0, 500), (500, 1000), (1000, None)]
    assert rows[2]["price"] == {"cents": 123_456, "currency": "EUR", "formatted": "1\u202f234,56\u00a0€"}
    assert found["yourPrice"] is None, "nobody has signed in"
    listed = '{ tariffs(service: "cantine") { edges { node { code } } } }'
    codes = [edge["node"]["code"] for edge in (await house.ask(listed)).data["tariffs"]["edges"]]
    assert "repas-essai" in codes and "stationnement-resident" not in codes


@pytest.mark.parametrize(
    ("quotient", "cents", "bracket"),
    [
        (0, 100, "de 0 à moins de 500 €"),
        (499, 100, "500"),
        (500, 250, "de 500 à moins de 1000 €"),
        (99_999, 123_456, "1000"),
    ],
)
async def test_a_family_sees_the_price_of_its_bracket_and_why(
    house: House, quotient: int, cents: int, bracket: str
) -> None:
    await saved(house)
    _, token = await house.member()
    since = day(house, -3)
    await record(house, token, quotient, **{"from": since})
    own = (await read(house, token))["yourPrice"]
    assert (own["price"]["cents"], own["quotient"], own["quotientValidFrom"]) == (cents, quotient, since)
    for part in (f"{quotient} €", "CAF", bracket, own["price"]["formatted"], "le repas."):
        assert part in own["explanation"]


async def test_the_highest_price_counts_when_the_quotient_is_unknown_or_has_run_out(house: House) -> None:
    await saved(
        house, prices=[{**MEAL["prices"][0], "cents": 900}, *MEAL["prices"][1:2], {"quotientFrom": 1000, "cents": 300}]
    )
    _, token = await house.member()
    own = (await read(house, token))["yourPrice"]
    assert (own["price"]["cents"], own["quotient"]) == (900, None), "the highest, wherever it stands"
    assert "ne connaît pas" in own["explanation"]
    await record(house, token, 700, **{"from": day(house, -60)}, until=day(house, -1))
    assert (await read(house, token))["yourPrice"]["price"]["cents"] == 900
    await record(house, token, 700)
    assert (await read(house, token))["yourPrice"]["price"]["cents"] == 250


async def test_a_price_that_is_the_same_for_all_needs_no_quotient(house: House) -> None:
    await saved(house, prices=[{"quotientFrom": 0, "cents": 500}])
    _, token = await house.member()
    await record(house, token, 700)
    own = (await read(house, token))["yourPrice"]
    assert (own["price"]["cents"], own["quotient"]) == (500, None)
    assert own["explanation"] == "Le prix est le même pour tous\u00a0: 5,00\u00a0€ le repas."


async def test_the_reason_is_told_in_english_and_under_aliases(house: House) -> None:
    await saved(house)
    family, token = await house.member()
    await house.connection.execute("update account set language = 'en' where family_id = $1", family.id)
    token = await house.sign_in(family.email)
    await record(house, token, 700)
    own = (await house.ask(OWN, token, code="repas-essai")).data["tariff"]["mine"]
    assert own["costs"] == {"c": 250, "f": "€2.50"}
    assert own["explanation"].startswith("Your quotient familial of €700 (known since ")
    assert own["explanation"].endswith("is in the bracket from €500 to below €1000: €2.50 a meal.")


async def test_a_member_is_named_and_nobody_elses_member_is(house: House) -> None:
    await saved(house)
    _, token = await house.member()
    _, stranger = await house.member()
    members = (await house.ask(FAMILY, token)).data["viewer"]["family"]["members"]["edges"]
    child = members[0]["node"]
    own = (await read(house, token, member=child["id"]))["yourPrice"]
    assert own["explanation"].startswith(f"Pour {child['firstName']}. ")
    assert (await read(house, stranger, member=child["id"]))["yourPrice"] is None
    assert (await read(house, token, member="AAAA"))["yourPrice"] is None
    assert (await read(house, await house.agent(), member=child["id"]))["yourPrice"] is None


async def test_two_families_never_share_a_price(house: House) -> None:
    await saved(house)
    (_, poor), (_, rich) = await house.member(), await house.member()
    await record(house, poor, 10)
    await record(house, rich, 5_000)
    for _ in range(2):
        assert (await read(house, poor))["yourPrice"]["price"]["cents"] == 100
        assert (await read(house, rich))["yourPrice"]["price"]["cents"] == 123_456


async def test_new_prices_follow_the_old_ones_without_gap_or_overlap(house: House) -> None:
    token = await saved(house)
    begins = (house.clock() + timedelta(days=30)).date()
    later = {**MEAL, "validFrom": begins.isoformat(), "prices": [{"quotientFrom": 0, "cents": 777}]}
    await house.do(SAVE, token, tariff=later)

    async def cents(moment: Any) -> list[int]:
        edges = (await read(house, day=moment.isoformat()))["prices"]["edges"]
        return [edge["node"]["price"]["cents"] for edge in edges]

    assert await cents(begins - timedelta(days=1)) == [100, 250, 123_456]
    assert await cents(begins) == await cents(begins + timedelta(days=900)) == [777]
    await house.do(SAVE, token, tariff={**later, "prices": [{"quotientFrom": 0, "cents": 778}]})
    assert await cents(begins) == [778], "what was announced for a day may be announced anew"
    assert await cents(begins - timedelta(days=1)) == [100, 250, 123_456]


@pytest.mark.parametrize(
    ("prices", "path"),
    [
        ([], []),
        ([{"quotientFrom": 1, "cents": 1}], ["0", "quotientFrom"]),
        ([{"quotientFrom": 0, "quotientUntil": 500, "cents": 1}], ["0", "quotientUntil"]),
        (
            [{"quotientFrom": 0, "quotientUntil": 500, "cents": 1}, {"quotientFrom": 501, "cents": 1}],
            ["1", "quotientFrom"],
        ),
        (
            [{"quotientFrom": 0, "quotientUntil": 500, "cents": 1}, {"quotientFrom": 499, "cents": 1}],
            ["1", "quotientFrom"],
        ),
        ([{"quotientFrom": 0, "cents": 1}, {"quotientFrom": 500, "cents": 1}], ["1", "quotientFrom"]),
        ([{"quotientFrom": 0, "quotientUntil": 0, "cents": 1}], ["0", "quotientUntil"]),
        ([{"quotientFrom": 0, "cents": -1}], ["0", "cents"]),
        ([{"quotientFrom": 0, "cents": 10_000_001}], ["0", "cents"]),
    ],
)
async def test_brackets_that_leave_a_gap_are_refused_with_their_path_and_change_nothing(
    house: House, prices: list[Any], path: list[str]
) -> None:
    token = await saved(house)
    payload = (await house.ask(SAVE, token, tariff={**MEAL, "labelFr": "Autre", "prices": prices})).data["saveTariff"]
    assert payload["problems"] == [{"code": "TARIFF_NOT_VALID", "path": ["tariff", "prices", *path]}]
    found = await read(house)
    assert found["label"] == "Repas" and len(found["prices"]["edges"]) == 3


@pytest.mark.parametrize(
    ("change", "code", "path"),
    [
        ({"code": "Été"}, "BAD_USER_INPUT", "code"),
        ({"labelFr": ""}, "BAD_USER_INPUT", "labelFr"),
        ({"unitEn": "x" * 61}, "BAD_USER_INPUT", "unitEn"),
        ({"validUntil": "2025-12-31"}, "BAD_USER_INPUT", "validUntil"),
        ({"validFrom": "1999-12-31"}, "BAD_USER_INPUT", "validFrom"),
        ({"service": "aucun"}, "NOT_FOUND", "service"),
    ],
)
async def test_a_wrong_tariff_is_refused_without_effect(
    house: House, change: dict[str, str], code: str, path: str
) -> None:
    token = await house.sign_in("admin@mairie.example", agent=True)
    payload = (await house.ask(SAVE, token, tariff={**MEAL, **change})).data["saveTariff"]
    assert payload["problems"] == [{"code": code, "path": ["tariff", path]}]
    assert await read(house) is None


async def test_only_editors_save_tariffs(house: House) -> None:
    _, family = await house.member()
    for token, refusal in ((None, "UNAUTHENTICATED"), (family, "FORBIDDEN"), (await house.agent(), "FORBIDDEN")):
        assert (await house.ask(SAVE, token, tariff=MEAL)).codes == [refusal]
    assert await read(house) is None


async def test_a_page_tells_the_tariffs_that_it_speaks_of(house: House) -> None:
    page = '{ page(slug: "cantine-inscription") { tariffs { edges { node { code } } } } }'
    codes = [edge["node"]["code"] for edge in (await house.ask(page)).data["page"]["tariffs"]["edges"]]
    assert codes == ["repas-cantine", "accueil-du-soir"]


async def test_a_bill_gets_the_price_of_the_day_that_it_is_for(house: House) -> None:
    await saved(house)
    family, token = await house.member()
    await record(house, token, 700, **{"from": day(house, -30)}, until=day(house, -10))
    today = house.clock().date()
    assert house.opened is not None
    async with house.opened.process.database.transaction({"kiosque.system": "on"}) as tx:
        for days, cents in ((-5, 123_456), (-20, 250), (-40, 123_456)):
            price = await tariffs.price_on(tx, KEYS, family.id, "repas-essai", today + timedelta(days=days))
            assert price is not None and price.cents == cents
        assert await tariffs.price_on(tx, KEYS, family.id, "repas-essai", today.replace(year=2001, day=1)) is None


@given(cents=st.integers(0, 10**12))
def test_amounts_are_written_the_same_by_both(cents: int) -> None:
    text = tariffs.formatted(cents, "fr")
    assert text.endswith("\u00a0€") and text[-5] == ","
    assert int("".join(each for each in text if each.isdigit())) == cents


@pytest.mark.parametrize("cents", [0, 1, 99, 100, 123_456, 100_000_000, 10**13, -5, -123_456])
async def test_the_database_writes_amounts_as_we_do(house: House, cents: int) -> None:
    for language in ("fr", "en"):
        written = await house.connection.fetchval("select formatted_money($1, $2)", cents, language)
        assert written == tariffs.formatted(cents, language)


@given(bounds=st.lists(st.integers(1, 3000), unique=True, max_size=6), quotient=st.none() | st.integers(0, 4000))
def test_there_is_exactly_one_price_for_any_quotient(bounds: list[int], quotient: int | None) -> None:
    edges = [0, *sorted(bounds), None]
    brackets = [Price(low, high, 100 + place) for place, (low, high) in enumerate(pairwise(edges)) if low is not None]
    found = tariffs.price_of(brackets, quotient)
    assert found is not None
    if quotient is None:
        assert found.cents == max(each.cents for each in brackets)
    else:
        assert found.quotient_from <= quotient and (found.quotient_until is None or quotient < found.quotient_until)
