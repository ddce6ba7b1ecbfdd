"""« Informations sur mesure »: pages for this family, from its members and its procedures."""

from datetime import timedelta
from typing import Any

import pytest

from db.clock import PARIS
from db.ids import uuid7
from tests import purse
from tests.house import START, House
from tests.test_pages import PAGE, PUBLISH, SAVE, editor

READ = """query Suggested ($first: Int, $after: String) { viewer { suggestedPages(first: $first, after: $after) {
    totalCount pageInfo { hasNextPage endCursor } edges { node { slug suggestedBecause } } } } }"""
WITHDRAW = "mutation ($procedure: ID!) { withdrawProcedure(procedure: $procedure) { problems { code } } }"


async def suggested(house: House, token: str | None, *slugs: str) -> dict[str, list[str]]:
    """Give the pages suggested, in order, with the reasons; only these where some are named."""
    edges = (await house.ask(READ, token, first=50)).data["viewer"]["suggestedPages"]["edges"]
    found = {edge["node"]["slug"]: edge["node"]["suggestedBecause"] for edge in edges}
    return {slug: why for slug, why in found.items() if slug in slugs} if slugs else found


async def page(house: House, slug: str, **changes: Any) -> None:
    """Publish a page as an editor."""
    token = await editor(house)
    await house.do(SAVE, token, page={**PAGE, "slug": slug, **changes})
    await house.do(PUBLISH, token, slug=slug)


async def child(house: House, family: Any, days: int, school: str | None) -> None:
    """Add a child of so many days."""
    await house.connection.execute(
        """insert into member (family_id, id, role, first_name, last_name, birth_date, school, created_at)
           values ($1, $2, 'CHILD', 'Lou', 'Essai', $3, $4, now())""",
        family.id,
        uuid7(),
        house.clock().date() - timedelta(days=days),
        school,
    )


async def test_nobody_in_particular_is_suggested_nothing(house: House) -> None:
    assert await suggested(house, None) == {}
    assert await suggested(house, await house.agent()) == {}
    _, token = await house.member()
    assert await suggested(house, token) == {}, "a family without ages and procedures"


@pytest.mark.parametrize(
    ("days", "school", "audience", "told"),
    [
        (365 * 4 + 10, "École des Pins", {"ageFrom": 3, "ageUntil": 6, "atSchool": True}, True),
        (365 * 4 + 10, None, {"ageFrom": 3, "ageUntil": 6, "atSchool": True}, False),
        (365 * 4 + 10, None, {"ageFrom": 3, "ageUntil": 6, "atSchool": False}, True),
        (365 * 4 + 10, None, {"ageFrom": 3, "ageUntil": 6}, True),
        (365 * 7, "École des Pins", {"ageFrom": 3, "ageUntil": 6}, False),
        (365 * 2, None, {"ageFrom": 3, "ageUntil": 6}, False),
    ],
)
async def test_a_page_for_an_age_finds_the_families_that_have_it(
    house: House, days: int, school: str | None, audience: dict[str, Any], told: bool
) -> None:
    await page(house, "pour-l-age", audiences=[audience])
    family, token = await house.member()
    await child(house, family, days, school)
    assert await suggested(house, token, "pour-l-age") == ({"pour-l-age": ["MEMBER"]} if told else {})


async def test_what_prepares_a_draft_comes_before_what_follows_a_procedure_and_what_is_for_an_age(house: House) -> None:
    await page(house, "age", audiences=[{"ageFrom": 3, "ageUntil": 11}])
    await page(house, "avant", before=["acte-etat-civil"])
    await page(house, "apres", after=["cantine"])
    family, token = await house.member()
    await child(house, family, 365 * 5, None)
    slugs = ("age", "avant", "apres")
    assert await suggested(house, token, *slugs) == {"age": ["MEMBER"]}
    procedure = await house.submitted(token)
    await house.do(START, token, kind="acte-etat-civil", key="une-cle-de-test", answers={})
    found = await suggested(house, token, *slugs)
    assert list(found.items()) == [("avant", ["DRAFT"]), ("apres", ["OPEN_PROCEDURE"]), ("age", ["MEMBER"])]
    await house.do(WITHDRAW, token, procedure=procedure)
    assert "apres" not in await suggested(house, token, *slugs)


async def test_a_page_about_paying_finds_who_owes_something_and_nobody_who_has_paid(house: House) -> None:
    await page(house, "payer", invoices=["DUE_SOON"])
    await page(house, "difficultes", invoices=["OVERDUE", "DUE_SOON"])
    slugs = ("payer", "difficultes")
    due: dict[int, dict[str, list[str]]] = {
        15: {},
        14: {"payer": ["INVOICE"], "difficultes": ["INVOICE"]},
        -1: {"difficultes": ["INVOICE"]},
    }
    for days, expected in due.items():
        family, token = await house.member()
        issued = house.clock().astimezone(PARIS) - timedelta(days=10)
        bill = await purse.invoice(house.connection, family.id, 1000, at=issued, due_days=10 + days)
        assert await suggested(house, token, *slugs) == expected, f"due in {days} days"
        await purse.pay(house.connection, family.id, 400, [bill.id])
        assert await suggested(house, token, *slugs) == expected, "a part is still owed"
        await purse.pay(house.connection, family.id, 600, [bill.id])
        assert await suggested(house, token, *slugs) == {}, "paid"
    _, stranger = await house.member()
    assert await suggested(house, stranger, *slugs) == {}, "other families' debts"


async def test_a_cancelled_invoice_suggests_nothing_and_a_page_may_cease_to_help(house: House) -> None:
    await page(house, "payer", invoices=["DUE_SOON"])
    (family, token), (other, its) = await house.member(), await house.member()
    bill = await purse.invoice(house.connection, family.id, at=house.clock(), due_days=3)
    await purse.invoice(house.connection, other.id, at=house.clock(), due_days=3)
    await house.connection.execute(
        "update invoice set cancelled_at = now(), cancelled_reason = 'Erreur' where id = $1", bill.id
    )
    assert await suggested(house, token, "payer") == {}
    assert await suggested(house, its, "payer") == {"payer": ["INVOICE"]}
    await page(house, "payer")
    assert await suggested(house, its, "payer") == {}


async def test_another_familys_procedures_and_children_suggest_nothing(house: House) -> None:
    await page(house, "age", audiences=[{"ageFrom": 3, "ageUntil": 11}], after=["cantine"])
    (family, token), (_, stranger) = await house.member(), await house.member()
    await child(house, family, 365 * 5, None)
    await house.submitted(token)
    assert await suggested(house, token, "age") == {"age": ["OPEN_PROCEDURE", "MEMBER"]}
    assert await suggested(house, stranger, "age") == {}


async def test_an_archived_page_is_suggested_to_nobody(house: House) -> None:
    await page(house, "age", audiences=[{"ageFrom": 3, "ageUntil": 11}])
    family, token = await house.member()
    await child(house, family, 365 * 5, None)
    archive = 'mutation { archivePage(slug: "age") { problems { code } } }'
    await house.do(archive, await house.sign_in("admin@mairie.example", agent=True))
    assert await suggested(house, token, "age") == {}


async def test_pages_of_suggestions_do_not_overlap_and_are_read_in_one_statement(house: House) -> None:
    for number in range(5):
        await page(house, f"age-{number}", audiences=[{"ageFrom": 3, "ageUntil": 11}])
    family, token = await house.member()
    await child(house, family, 365 * 5, "École des Pins")
    whole = list(await suggested(house, token))
    slugs, after = [], None
    while True:
        found = (await house.ask(READ, token, first=2, after=after)).data["viewer"]["suggestedPages"]
        assert found["totalCount"] == len(whole) >= 5
        slugs += [edge["node"]["slug"] for edge in found["edges"]]
        after = found["pageInfo"]["endCursor"]
        if not found["pageInfo"]["hasNextPage"]:
            break
    assert slugs == whole
    assert house.opened is not None
    lanes = house.opened.endpoint.executor.lanes  # type: ignore[attr-defined]
    assert lanes["planned", "Suggested"] > 0 and lanes["walked", "Suggested"] == 0


@pytest.mark.parametrize(
    "wrong", [{"ageFrom": -1, "ageUntil": 3}, {"ageFrom": 3, "ageUntil": 3}, {"ageFrom": 0, "ageUntil": 122}]
)
async def test_an_age_that_cannot_be_is_refused_without_effect(house: House, wrong: dict[str, int]) -> None:
    token = await editor(house)
    payload = (await house.ask(SAVE, token, page={**PAGE, "audiences": [wrong]})).data["savePage"]
    assert payload["problems"] == [{"code": "BAD_USER_INPUT", "path": ["page", "audiences", "0"]}]
    assert not await house.connection.fetchval("select exists (select from page where slug = $1)", PAGE["slug"])
