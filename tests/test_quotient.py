"""The quotient familial: dated, kept encrypted, shown to the family and to those who serve it."""

import re
from datetime import date, timedelta
from typing import Any

import pytest

from db import families as stored
from db.ids import uuid7
from tests.house import KEYS, House
from tests.test_families import acts, family_of

SET = """mutation ($family: ID!, $value: Int!, $from: Date!, $until: Date, $source: QuotientSource! = CAF) {
    setQuotientFamilial(family: $family, value: $value, validFrom: $from, validUntil: $until, source: $source) {
        problems { code path } quotient { value validFrom validUntil source } } }"""
OWN = """query Own { viewer { family { quotientFamilial { euros: value validFrom }
    quotients(first: 10) { totalCount edges { node { id value source recordedAt } } } } } }"""
NUMBERED = "query ($n: String!) { family(number: $n) { quotientFamilial { value } quotients { totalCount } } }"
PLAIN = "query Plain { viewer { family { number quotientFamilial { validFrom } } } }"


def day(house: House, days: int) -> str:
    """Give a day some days from today."""
    return (house.clock().date() + timedelta(days=days)).isoformat()


async def euros(house: House, token: str) -> int | None:
    """Give the quotient that counts today, as the family sees it."""
    found = (await house.ask(OWN, token)).data["viewer"]["family"]["quotientFamilial"]
    return found["euros"] if found else None


async def test_the_last_quotient_to_begin_counts_and_none_is_overwritten(house: House) -> None:
    family, token = await house.member()
    agent = await house.agent("regie")
    identity = (await family_of(house, token))["id"]
    assert await euros(house, token) is None
    written = await house.do(SET, agent, family=identity, value=612, **{"from": day(house, -400)}, source="TAX_NOTICE")
    assert written["quotient"]["value"] == 612
    await house.do(SET, agent, family=identity, value=480, **{"from": day(house, -30)})
    await house.do(SET, agent, family=identity, value=999, **{"from": day(house, 30)})
    assert await euros(house, token) == 480
    await house.do(SET, agent, family=identity, value=475, **{"from": day(house, -30)})
    assert await euros(house, token) == 475, "a correction: what is recorded later for the same day wins"
    seen = (await house.ask(OWN, token)).data["viewer"]["family"]["quotients"]
    assert [edge["node"]["value"] for edge in seen["edges"]] == [475, 999, 480, 612]
    assert [edge["node"]["source"] for edge in seen["edges"]][-1] == "TAX_NOTICE"
    assert await acts(house, family) == ["quotient_recorded"] * 4


async def test_a_quotient_that_has_run_out_counts_no_more(house: House) -> None:
    family, token = await house.member()
    agent = await house.agent()
    identity = (await family_of(house, token))["id"]
    await house.do(SET, agent, family=identity, value=300, **{"from": day(house, -60)}, until=day(house, -1))
    assert await euros(house, token) is None
    today = house.clock().date()
    async with house.connection.transaction():
        running = await stored.quotient_on(house.connection, KEYS, family.id, today - timedelta(days=10))
        assert running is not None and running.value == 300
        assert await stored.quotient_on(house.connection, KEYS, family.id, today) is None
        assert await stored.quotient_on(house.connection, KEYS, family.id, date(2000, 1, 1)) is None


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"value": -1}, "value"),
        ({"value": 100_001}, "value"),
        ({"from": "1999-01-01"}, "validFrom"),
        ({"from": "2999-01-01"}, "validFrom"),
        ({"until": "2020-01-01"}, "validUntil"),
    ],
)
async def test_a_quotient_that_cannot_be_is_refused_without_effect(
    house: House, wrong: dict[str, Any], path: str
) -> None:
    _, token = await house.member()
    agent = await house.agent()
    identity = (await family_of(house, token))["id"]
    given = {"family": identity, "value": 500, "from": day(house, 0), **wrong}
    payload = (await house.ask(SET, agent, **given)).data["setQuotientFamilial"]
    assert payload == {"problems": [{"code": "QUOTIENT_NOT_VALID", "path": [path]}], "quotient": None}
    assert await euros(house, token) is None


async def test_only_who_serves_families_records_and_reads_quotients(house: House) -> None:
    family, token = await house.member()
    _, stranger = await house.member()
    identity = (await family_of(house, token))["id"]
    agent = await house.agent()
    await house.do(SET, agent, family=identity, value=500, **{"from": day(house, 0)})
    given = {"family": identity, "value": 1, "from": day(house, 0)}
    assert (await house.ask(SET, token, **given)).codes == ["FORBIDDEN"]
    assert (await house.ask(SET, stranger, **given)).codes == ["FORBIDDEN"]
    assert (await house.ask(NUMBERED, agent, n=family.number)).data["family"]["quotientFamilial"] == {"value": 500}
    await house.connection.execute("update agent set roles = '{EDITOR}' where email = 'scolaire@mairie.example'")
    house.opened.process.sessions.forget_all() if house.opened else None
    assert (await house.ask(NUMBERED, agent, n=family.number)).data["family"] == {
        "quotientFamilial": None,
        "quotients": {"totalCount": 0},
    }
    assert (await house.ask(SET, agent, **given)).codes == ["FORBIDDEN"]


def says(text: str) -> bool:
    """Tell whether a text says the value; ids and moments hold its digits by chance."""
    return re.search(r"\b73219\b", text) is not None


async def test_a_value_lies_encrypted_and_opens_in_its_own_row_only(house: House) -> None:
    family, token = await house.member()
    other, other_token = await house.member()
    agent = await house.agent()
    for side in (token, other_token):
        identity = (await family_of(house, side))["id"]
        await house.do(SET, agent, family=identity, value=73_219, **{"from": day(house, 0)})
    rows = await house.connection.fetch("select * from quotient_familial")
    assert rows and not any(
        b"73219" in row["sealed_value"] or says(str(dict(row, sealed_value=0, recorded_at=0))) for row in rows
    )
    news = await house.connection.fetchval("select string_agg(data::text, '') from news")
    assert not says(news), "nor does a message say it"
    await house.connection.execute(
        """update quotient_familial set sealed_value =
           (select sealed_value from quotient_familial where family_id = $2 limit 1) where family_id = $1""",
        family.id,
        other.id,
    )
    answer = await house.ask(OWN, token)
    assert set(answer.codes) == {"INTERNAL"} and not says(str(answer.body))
    assert await euros(house, other_token) == 73_219


async def test_only_operations_that_select_the_value_are_walked(house: House) -> None:
    _, token = await house.member()
    assert house.opened is not None
    lanes = house.opened.endpoint.executor.lanes  # type: ignore[attr-defined]
    await house.ask(PLAIN, token)
    await house.ask(OWN, token)
    assert (lanes["planned", "Plain"], lanes["walked", "Plain"]) == (1, 0)
    assert (lanes["planned", "Own"], lanes["walked", "Own"]) == (0, 1)


def test_a_sealed_value_differs_each_time() -> None:
    family = uuid7()
    first, second = (stored.sealed_quotient(KEYS, family, 500) for _ in range(2))
    assert first != second
    assert stored.opened(KEYS, family, first) == stored.opened(KEYS, str(family), second) == 500
