"""Mandates: signed with the password again, sealed where they lie, shown masked, taken back, replaced, lapsed (R26)."""

from datetime import date, timedelta
from typing import Any

import pytest

from db import mandates
from db.mandates import Holder
from resolvers import sepa
from tests.bank import IBAN, OTHER_IBAN, REVOKE, SIGN, cashier, payer
from tests.clockwork import run_due
from tests.conftest import Database
from tests.house import KEYS, PASSWORD, House, opened
from tests.test_families import acts

MINE = """{ viewer { family { mandates(first: 10) { totalCount edges { node {
    id rum account creditorIdentifier signedOn lastUsedOn endedAt endedReason } } } } } }"""
FORM = "{ mandateForm { offered text creditorName creditorIdentifier noticeDays } }"


async def mine(house: House, token: str) -> list[dict[str, Any]]:
    """Give the mandates that a family sees."""
    edges = (await house.ask(MINE, token)).data["viewer"]["family"]["mandates"]["edges"]
    return [edge["node"] for edge in edges]


async def test_a_signed_mandate_is_shown_masked_and_told_to_every_address(house: House) -> None:
    family, token = await house.member()
    await house.connection.execute(
        """insert into address (family_id, id, channel, value, verified_at, created_at)
           values ($1, gen_random_uuid(), 'EMAIL', 'autre@example.org', now(), now())""",
        family.id,
    )
    signed = await house.do(SIGN, token, iban="fr14 2004 1010 0505 0001 3m02 606", password=PASSWORD)
    assert signed["mandate"]["account"] == "FR•• •••• 2606"
    assert signed["mandate"]["rum"] == f"PES-{family.number}-001"
    assert signed["mandate"]["creditorIdentifier"] == sepa.DEMO_IDENTIFIER
    assert await mine(house, token) == [{**signed["mandate"], "lastUsedOn": None}]
    for address in (family.email, "autre@example.org"):
        assert "FR•• •••• 2606" in await house.mail_to(address, "mandat")
    assert await acts(house, family) == ["mandate_signed"]


async def test_the_same_account_again_changes_nothing_and_another_one_replaces_it(house: House) -> None:
    signed = await payer(house)
    again = await house.do(SIGN, signed.token, iban=IBAN, password=PASSWORD)
    assert again["mandate"] == signed.mandate
    other = await house.do(SIGN, signed.token, iban=OTHER_IBAN, password=PASSWORD)
    assert other["mandate"]["rum"] == f"PES-{signed.family.number}-002"
    found = await mine(house, signed.token)
    assert [(each["rum"][-3:], each["endedReason"]) for each in found] == [("002", None), ("001", "REPLACED")]


@pytest.mark.parametrize(
    ("given", "code", "path"),
    [
        ({"iban": "FR1420041010050500013M02607"}, "IBAN_NOT_VALID", "iban"),
        ({"iban": ""}, "IBAN_NOT_VALID", "iban"),
        ({"iban": "BR1800360305000010009795493C1"}, "IBAN_NOT_SEPA", "iban"),
        ({"iban": IBAN, "bic": "NOBIC"}, "BIC_NOT_VALID", "bic"),
        ({"iban": "CH9300762011623852957"}, "BIC_NOT_VALID", "bic"),
        ({"iban": "CH9300762011623852957", "bic": "UBSWCHZH80A"}, "HOLDER_ADDRESS_MISSING", "address"),
        ({"holder": "  "}, "HOLDER_NOT_VALID", "holder"),
        ({"holder": "x" * 71}, "HOLDER_NOT_VALID", "holder"),
        ({"address": {"street": "x" * 71, "postcode": "1", "town": "y"}}, "HOLDER_NOT_VALID", "address"),
        ({"agrees": False}, "MANDATE_NOT_AGREED", "agrees"),
        ({"password": "Autre-mot-2026"}, "PASSWORD_WRONG", "password"),
    ],
)
async def test_what_cannot_be_signed_is_refused_without_effect(
    house: House, given: dict[str, Any], code: str, path: str
) -> None:
    family, token = await house.member()
    answer = await house.ask(SIGN, token, **{"iban": IBAN, "password": PASSWORD, **given})
    assert answer.data["signMandate"] == {"problems": [{"code": code, "path": [path]}], "mandate": None}
    assert await mine(house, token) == []
    assert await acts(house, family) == []


async def test_an_account_outside_the_eea_is_signed_with_bic_and_address(house: House) -> None:
    family, token = await house.member()
    address = {"street": "1 rue du Lac", "postcode": "1200", "town": "Genève"}
    given = {"iban": "CH9300762011623852957", "bic": "UBSWCHZH80A", "address": address}
    await house.do(SIGN, token, **given, password=PASSWORD)
    sealed = await house.connection.fetchval("select sealed_account from mandate where family_id = $1", family.id)
    wanted = Holder("CH9300762011623852957", "UBSWCHZH80A", "Camille Essai", "1 rue du Lac", "1200", "Genève")
    assert mandates.opened(KEYS, family.id, sealed) == wanted


async def test_a_family_takes_its_mandate_back_once(house: House) -> None:
    signed = await payer(house)
    taken = await house.do(REVOKE, signed.token, mandate=signed.mandate["id"])
    assert taken["mandate"]["endedReason"] == "REVOKED"
    assert await house.do(REVOKE, signed.token, mandate=signed.mandate["id"]) == taken
    assert "révoqué" in await house.mail_to(signed.family.email, "révoqué")
    assert await acts(house, signed.family) == ["mandate_signed", "mandate_revoked"]


async def test_a_mandate_of_others_is_not_found_and_stays(house: House) -> None:
    signed = await payer(house)
    _, stranger = await house.member()
    assert await house.problems(REVOKE, stranger, mandate=signed.mandate["id"]) == ["NOT_FOUND"]
    node = "query ($id: ID!) { node(id: $id) { id } }"
    assert (await house.ask(node, stranger, id=signed.mandate["id"])).data == {"node": None}
    assert (await mine(house, signed.token))[0]["endedAt"] is None


async def test_agents_without_the_till_see_no_mandate_and_take_none_back(house: House) -> None:
    signed = await payer(house)
    agent = await house.agent()
    node = "query ($id: ID!) { node(id: $id) { id } }"
    assert (await house.ask(node, agent, id=signed.mandate["id"])).data == {"node": None}
    assert (await house.ask(REVOKE, agent, mandate=signed.mandate["id"])).codes == ["FORBIDDEN"]
    assert (await house.ask(SIGN, agent, iban=IBAN, password=PASSWORD)).codes == ["FORBIDDEN"]
    assert (await house.ask(SIGN, iban=IBAN, password=PASSWORD)).codes == ["UNAUTHENTICATED"]
    assert (await mine(house, signed.token))[0]["endedAt"] is None
    till = await cashier(house)
    taken = await house.do(REVOKE, till, mandate=signed.mandate["id"])
    assert taken["mandate"]["endedReason"] == "REVOKED"


async def test_a_mandate_lapses_after_36_months_without_use(house: House) -> None:
    await house.connection.execute("delete from mandate")
    signed = await payer(house)
    used = await payer(house)
    house.clock.ahead = timedelta(days=3 * 365 - 5)
    await run_due(house, "lapse_mandates")
    lapsed = "select rum from mandate where ended_reason = 'LAPSED'"
    assert await house.connection.fetch(lapsed) == []
    await house.connection.execute(
        "update mandate set used_on = signed_on + 1 where family_id = $1 and used_on is null", used.family.id
    )
    await house.connection.execute("update mandate set signed_on = signed_on - 8, used_on = used_on + 300")
    house.clock.ahead += timedelta(days=1)
    await run_due(house, "lapse_mandates")
    assert [row["rum"] for row in await house.connection.fetch(lapsed)] == [signed.mandate["rum"]]
    told = "select string_agg(data ->> 'change', ',' order by seq) from news where family_id = $1"
    assert await house.connection.fetchval(told, signed.family.id) == "SIGNED,LAPSED"
    assert await acts(house, signed.family) == ["mandate_signed", "mandate_lapsed"]


async def test_the_form_says_what_one_agrees_to(house: House) -> None:
    _, token = await house.member()
    form = (await house.ask(FORM, token)).data["mandateForm"]
    assert form["offered"] and form["noticeDays"] == 14
    assert "Ville de démonstration" in form["text"] and sepa.DEMO_IDENTIFIER in form["text"]
    assert "8 semaines" in form["text"].replace("\N{NO-BREAK SPACE}", " ")


async def test_where_the_city_has_no_creditor_identifier_nothing_can_be_signed(city: Database) -> None:
    settings = {"debit": {"creditor_identifier": ""}}
    async with opened(city.dsn, **settings) as house:
        family, token = await house.member()
        assert await house.problems(SIGN, token, iban=IBAN, password=PASSWORD) == ["DEBIT_NOT_OFFERED"]
        assert (await house.ask(FORM, token)).data["mandateForm"]["offered"] is False
        assert await mine(house, token) == []
        assert await acts(house, family) == []


def test_banks_rest_at_weekends_and_on_the_six_days_of_their_calendar() -> None:
    assert sepa.bank_day_from(date(2026, 4, 3)) == date(2026, 4, 7), "Good Friday to the Tuesday after Easter"
    assert sepa.bank_day_from(date(2026, 5, 1)) == date(2026, 5, 4)
    assert sepa.bank_day_from(date(2026, 7, 14)) == date(2026, 7, 14), "banks of other countries work"
    assert sepa.bank_days_after(date(2026, 12, 24), 2) == date(2026, 12, 29)
