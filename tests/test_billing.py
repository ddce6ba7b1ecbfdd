"""Billing runs: prices of the day, drafts and checks, publication in one go, corrections, and every refusal."""

import asyncio
from datetime import date, timedelta
from typing import Any

import pytest

from db import money
from db.clock import PARIS
from db.ids import uuid7
from tests.billing import (
    CORRECT,
    DISCARD,
    MARCH,
    MARCHS,
    MINE,
    NEW_YEAR,
    PUBLISH,
    START,
    Village,
    priced,
)
from tests.counters import CANCEL, INVOICE, key
from tests.house import House, Made
from tests.purse import pay
from tests.till import global_id


@pytest.fixture
async def town(house: House) -> Village:
    """Give a town with two tariffs, one of them in brackets."""
    return await priced(house)


@pytest.fixture
async def cashier(house: House) -> str:
    """Give the token of an agent who may bill."""
    return await house.agent("regie")


def codes(run: dict[str, Any]) -> list[str]:
    """Give the codes of a run's checks."""
    return [edge["node"]["code"] for edge in run["checks"]["edges"]]


def lines_of(run: dict[str, Any], family: Made) -> list[dict[str, Any]]:
    """Give the lines of a family's draft."""
    [draft] = [edge["node"] for edge in run["drafts"]["edges"] if edge["node"]["family"]["number"] == family.number]
    return [edge["node"] for edge in draft["lines"]["edges"]]


async def test_each_day_costs_what_the_quotient_of_that_day_says_and_the_line_says_why(
    town: Village, cashier: str
) -> None:
    family = await town.house.make_family()
    [child] = await town.children(family)
    await town.quotient(family.id, 599, NEW_YEAR)
    await town.quotient(family.id, 600, date(2026, 3, 16), date(2026, 3, 25))
    await town.used(family, child, "repas", *MARCHS)

    run = await town.drafted(cashier)

    assert [(each["quantity"], each["unitPrice"]["cents"]) for each in lines_of(run, family)] == [
        (15, 110),
        (10, 220),
        (6, 420),
    ]
    low, middle, unknown = (each["explanation"] for each in lines_of(run, family))
    assert "01/01/2026" in low and "de 0 à moins de 600" in low and "CAF" in low
    assert "16/03/2026" in middle and "de 600 à moins de 1200" in middle
    assert "inconnu" in unknown and "prix le plus élevé" in unknown
    assert (run["state"], run["kind"], run["invoiceCount"]) == ("DRAFTED", "REGULAR", 1)
    assert run["total"]["cents"] == 15 * 110 + 10 * 220 + 6 * 420
    assert codes(run) == ["QUOTIENT_MISSING"]


async def test_cesu_pay_for_the_leisure_centre_until_the_sixth_birthday_and_never_for_the_canteen(
    town: Village, cashier: str
) -> None:
    family = await town.house.make_family()
    [child] = await town.children(family)
    await town.do("update member set birth_date = '2020-03-11' where id = $1", child)
    await town.used(family, child, "repas", date(2026, 3, 4))
    await town.used(family, child, "journee", date(2026, 3, 4), date(2026, 3, 10), date(2026, 3, 11))

    run = await town.drafted(cashier)

    found = {(each["label"], each["cesuEligible"], each["quantity"]) for each in lines_of(run, family)}
    assert found == {("Repas", False, 1), ("Journée", True, 2), ("Journée", False, 1)}
    assert run["cesu"]["cents"] == 3000


async def test_publishing_gives_numbers_without_gap_tells_families_and_bills_nothing_twice(
    town: Village, cashier: str
) -> None:
    family, token = await town.house.member()
    other = await town.house.make_family()
    for each in (family, other):
        [child] = await town.children(each)
        await town.used(each, child, "journee", date(2026, 3, 4))
    run = await town.published(cashier)

    numbers = [edge["node"]["number"] for edge in run["invoices"]["edges"]]
    assert (run["state"], run["invoiceCount"], run["invoicesTold"]) == ("PUBLISHED", 2, 2)
    assert await town.house.problems(DISCARD, cashier, run=run["id"]) == ["BILLING_RUN_NOT_READY"]
    assert await town.house.problems(PUBLISH, cashier, run=run["id"]) == [], "a repeated order changes nothing"
    ordered = "select count(*) from audit_entry where act = 'billing_run_publication_ordered'"
    assert await town.see(ordered) == [(1,)] and await town.jobs() == {}
    assert [run["firstNumber"], run["lastNumber"]] == numbers
    assert int(numbers[1][5:]) == int(numbers[0][5:]) + 1
    assert run["toldAt"] is not None and run["drafts"]["edges"] == []
    [mine] = [edge["node"] for edge in (await town.house.ask(MINE, token)).data["invoices"]["edges"]]
    assert (mine["status"], mine["total"]["cents"]) == ("ISSUED", 1500)
    assert mine["lines"]["edges"][0]["node"]["explanation"] == "Prix unique."
    text = await town.house.mail_to(family.email, mine["number"])
    assert f"/invoices/{mine['number']}.pdf?token=" in text
    again = await town.drafted(cashier)
    assert (again["kind"], again["invoiceCount"], again["checks"]["edges"]) == ("ADJUSTMENT", 0, [])
    assert await town.house.problems(PUBLISH, cashier, run=again["id"]) == ["BILLING_RUN_EMPTY"]


async def test_more_consumed_is_a_complement_and_less_replaces_what_stands(town: Village, cashier: str) -> None:
    more, less = await town.house.make_family(), await town.house.make_family()
    for each in (more, less):
        [child] = await town.children(each)
        await town.used(each, child, "journee", date(2026, 3, 4), date(2026, 3, 11))
    await town.published(cashier)
    [child] = await town.children(more)
    await town.used(more, child, "journee", date(2026, 3, 18))
    [child] = await town.children(less)
    await town.used(less, child, "journee", date(2026, 3, 11), quantity=0)

    run = await town.published(cashier)

    assert run["kind"] == "ADJUSTMENT"
    kept = await town.see(
        """select f.number, i.total_cents, i.cancelled_at is not null, r.total_cents from invoice i
           join family f on f.id = i.family_id left join invoice r on r.family_id = i.family_id and r.id = i.replaces_id
           where i.period = $1 order by i.number""",
        MARCH,
    )
    assert sorted(kept, key=str) == sorted(
        [
            (more.number, 3000, False, None),
            (more.number, 1500, False, None),
            (less.number, 3000, True, None),
            (less.number, 1500, False, 3000),
        ],
        key=str,
    )
    assert (await town.drafted(cashier))["invoiceCount"] == 0


async def test_what_was_paid_settles_the_invoice_that_replaces_another(town: Village, cashier: str) -> None:
    family, token = await town.house.member()
    [child] = await town.children(family)
    await town.used(family, child, "journee", date(2026, 3, 4), date(2026, 3, 11))
    await town.published(cashier)
    [(invoice_id,)] = await town.see("select id from invoice where family_id = $1", family.id)
    assert town.house.opened is not None
    now = town.house.clock()
    async with town.house.opened.process.database.transaction({"kiosque.system": "on"}) as tx:
        await money.book(tx, money.Received(family.id, "CASH", 3000, "COUNTER", now), [invoice_id])
    await town.used(family, child, "journee", date(2026, 3, 11), quantity=0)

    await town.published(cashier)

    found = [edge["node"] for edge in (await town.house.ask(MINE, token)).data["invoices"]["edges"]]
    assert [(each["status"], each["total"]["cents"]) for each in found] == [("PAID", 1500), ("CANCELLED", 3000)]
    assert found[0]["replaces"] == found[1]["number"]


async def test_what_proves_never_used_is_cancelled_without_a_new_invoice(town: Village, cashier: str) -> None:
    family, token = await town.house.member()
    [child] = await town.children(family)
    await town.used(family, child, "journee", date(2026, 3, 4))
    await town.published(cashier)
    await town.used(family, child, "journee", date(2026, 3, 4), quantity=0)

    run = await town.drafted(cashier)
    assert codes(run) == ["REPLACES"] and run["drafts"]["edges"][0]["node"]["kind"] == "CANCELLATION"
    await town.house.do(PUBLISH, cashier, run=run["id"])
    await town.jobs()

    [only] = [edge["node"] for edge in (await town.house.ask(MINE, token)).data["invoices"]["edges"]]
    assert only["status"] == "CANCELLED"


async def test_checks_show_what_an_agent_should_look_at(town: Village, cashier: str) -> None:
    free, dear, changed, gone = [await town.house.make_family() for _ in range(4)]
    await town.do("update tariff_price set valid_until = '2026-03-30' where tariff_id = $1", town.tariffs["journee"])
    for family in (changed, gone):
        [child] = await town.children(family)
        await town.used(family, child, "journee", *[date(2026, 2, n) for n in range(2, 12)])
    await town.published(cashier, date(2026, 2, 1))
    for family, count in ((dear, 30), (changed, 2)):
        [child] = await town.children(family)
        await town.used(family, child, "journee", *MARCHS[:count], quantity=2)
    [child] = await town.children(free)
    await town.used(free, child, "journee", MARCHS[30])
    await town.do(
        "update tariff_price set cents = 0 where tariff_id = $1 and quotient_from = 1200", town.tariffs["repas"]
    )
    await town.quotient(free.id, 1300, NEW_YEAR)
    await town.used(free, child, "repas", MARCHS[0])

    run = await town.drafted(cashier)

    found = {(edge["node"]["code"], edge["node"]["family"]["number"]) for edge in run["checks"]["edges"]}
    assert found == {
        ("NO_PRICE", free.number),
        ("ZERO_AMOUNT", free.number),
        ("HUGE_AMOUNT", dear.number),
        ("DIFFERENCE", changed.number),
        ("DIFFERENCE", gone.number),
    }
    [missing] = [edge["node"] for edge in run["checks"]["edges"] if edge["node"]["code"] == "NO_PRICE"]
    assert (missing["day"], missing["tariff"]["code"]) == ("2026-03-31", "journee")
    assert await town.house.problems(PUBLISH, cashier, run=run["id"]) == ["PRICE_MISSING"]
    assert await town.see("select from invoice where period = $1", MARCH) == []


async def test_a_run_that_no_amount_can_tell_is_shown_without_one_and_not_published(
    town: Village, cashier: str
) -> None:
    """Nothing is rounded to what fits: a false sum would be published as a true one."""
    families = [await town.house.make_family() for _ in range(11)]
    await town.do("update tariff_price set cents = 100000000 where tariff_id = $1", town.tariffs["journee"])
    for family in families:
        [child] = await town.children(family)
        await town.used(family, child, "journee", MARCHS[0], MARCHS[1])

    run = await town.drafted(cashier)

    assert (run["total"], run["cesu"]["cents"], run["invoiceCount"]) == (None, 0, 11)
    assert codes(run) == ["HUGE_AMOUNT"] * 11
    assert {edge["node"]["total"]["cents"] for edge in run["drafts"]["edges"]} == {200_000_000}
    assert await town.house.problems(PUBLISH, cashier, run=run["id"]) == ["BILLING_RUN_TOO_LARGE"]
    await town.jobs()
    assert (await town.run(cashier, run["id"]))["state"] == "DRAFTED"
    assert await town.see("select from invoice where period = $1", MARCH) == []
    await town.house.do(DISCARD, cashier, run=run["id"])


async def test_one_invoice_beyond_what_an_invoice_can_be_keeps_a_run_from_being_published(
    town: Village, cashier: str
) -> None:
    family = await town.house.make_family()
    [child] = await town.children(family)
    await town.do("update tariff_price set cents = 50000001 where tariff_id = $1", town.tariffs["journee"])
    await town.used(family, child, "journee", MARCHS[0], MARCHS[1])
    run = await town.drafted(cashier)
    assert run["total"]["cents"] == 100_000_002
    assert await town.house.problems(PUBLISH, cashier, run=run["id"]) == ["BILLING_RUN_TOO_LARGE"]
    assert await town.see("select state from billing_run where period = $1", MARCH) == [("DRAFTED",)]
    await town.house.do(DISCARD, cashier, run=run["id"])
    await town.do("update tariff_price set cents = 50000000 where tariff_id = $1", town.tariffs["journee"])
    assert (await town.published(cashier))["total"]["cents"] == 100_000_000


async def test_what_an_agent_cancelled_is_billed_again_by_the_next_run_and_replaces_it(
    town: Village, cashier: str
) -> None:
    family, token = await town.house.member()
    [child] = await town.children(family)
    await town.used(family, child, "journee", MARCHS[3], MARCHS[10])
    await town.published(cashier)
    [(number, invoice_id)] = await town.see("select number, id from invoice where family_id = $1", family.id)
    await pay(town.house.connection, family.id, 3000, [invoice_id])
    identity = (await town.house.ask(INVOICE, cashier, number=number)).data["invoice"]["id"]
    cancelled = await town.house.do(CANCEL, cashier, invoice=identity, reason="Sortie annulée.", key=key())
    assert (cancelled["invoice"]["status"], cancelled["invoice"]["replacedBy"]) == ("CANCELLED", None)
    await town.used(family, child, "journee", MARCHS[10], quantity=0)

    run = await town.published(cashier)

    assert (run["kind"], run["total"]["cents"]) == ("ADJUSTMENT", 1500)
    found = [edge["node"] for edge in (await town.house.ask(MINE, token)).data["invoices"]["edges"]]
    assert [(each["status"], each["total"]["cents"], each["replaces"]) for each in found] == [
        ("PAID", 1500, number),
        ("CANCELLED", 3000, None),
    ]
    await town.used(family, child, "journee", MARCHS[17])
    await town.published(cashier)
    newest = (await town.house.ask(MINE, token)).data["invoices"]["edges"][0]["node"]
    assert (newest["status"], newest["replaces"]) == ("PAID", None), "a complement replaces nothing; credit settles it"
    assert (await town.drafted(cashier))["invoiceCount"] == 0


async def test_a_run_of_one_service_leaves_the_others_for_another(town: Village, cashier: str) -> None:
    family = await town.house.make_family()
    [child] = await town.children(family)
    await town.used(family, child, "repas", date(2026, 3, 4))
    await town.used(family, child, "journee", date(2026, 3, 4))

    canteen = await town.published(cashier, MARCH, "cantine")
    rest = await town.drafted(cashier)

    assert (canteen["total"]["cents"], canteen["service"]["code"]) == (420, "cantine")
    assert [(each["label"], each["quantity"]) for each in lines_of(rest, family)] == [("Journée", 1)]


async def test_two_runs_at_once_are_refused_and_one_that_is_given_up_makes_room(town: Village, cashier: str) -> None:
    run = await town.drafted(cashier)

    assert await town.house.problems(START, cashier, month=str(MARCH)) == ["BILLING_RUN_OPEN"]
    started = await asyncio.gather(
        *(town.house.problems(START, cashier, month="2026-02-01") for _ in range(5)), return_exceptions=True
    )
    assert started == [["BILLING_RUN_OPEN"]] * 5
    assert (await town.house.do(DISCARD, cashier, run=run["id"]))["run"]["state"] == "DISCARDED"
    assert (await town.house.do(DISCARD, cashier, run=run["id"]))["run"]["state"] == "DISCARDED"
    several = await asyncio.gather(*(town.house.problems(START, cashier, month="2026-02-01") for _ in range(8)))
    assert sorted(several) == [[]] + [["BILLING_RUN_OPEN"]] * 7


async def test_refusals_have_their_codes_and_no_effect(town: Village, cashier: str) -> None:
    ahead = town.house.clock().astimezone(PARIS).date().replace(day=1)
    runs = "select count(*) from billing_run"
    assert await town.house.problems(START, cashier, month=str(ahead)) == ["MONTH_NOT_OVER"]
    assert await town.house.problems(START, cashier, month="1999-12-01") == ["MONTH_NOT_OVER"]
    assert await town.house.problems(START, cashier, month=str(MARCH), service="lune") == ["NOT_FOUND"]
    assert await town.see(f"{runs} where period = $1 or started_at > now() - interval '1 minute'", MARCH) == [(0,)]
    payload = (await town.house.do(START, cashier, month=str(MARCH)))["run"]
    assert await town.house.problems(PUBLISH, cashier, run=payload["id"]) == ["BILLING_RUN_NOT_READY"]
    await town.jobs()
    today = town.house.clock().astimezone(PARIS).date()
    for days in ({"issued": str(today - timedelta(days=2))}, {"due": str(today - timedelta(days=2))}):
        assert await town.house.problems(PUBLISH, cashier, run=payload["id"], **days) == ["BAD_USER_INPUT"]
    assert await town.house.problems(PUBLISH, cashier, run=payload["id"]) == ["BILLING_RUN_EMPTY"]
    await town.house.do(DISCARD, cashier, run=payload["id"])
    assert await town.house.problems(PUBLISH, cashier, run=payload["id"]) == ["BILLING_RUN_NOT_READY"]
    family, token = await town.house.member()
    for who in (token, await town.house.agent("scolaire")):
        assert (await town.house.ask(START, who, month=str(MARCH))).codes == ["FORBIDDEN"]
    assert await town.see("select from invoice where period = $1", MARCH) == []
    assert family.number


async def test_a_draft_that_other_invoices_overtook_is_left_out(town: Village, cashier: str) -> None:
    family, other = await town.house.make_family(), await town.house.make_family()
    for each in (family, other):
        [child] = await town.children(each)
        await town.used(each, child, "journee", date(2026, 3, 4))
    run = await town.drafted(cashier)
    assert town.house.opened is not None
    line = money.Line(town.services["cantine"], {"fr": "Autre", "en": "Other"}, 1, 100)
    async with town.house.opened.process.database.transaction({"kiosque.system": "on"}) as tx:
        due = town.house.clock().date() + timedelta(days=30)
        await money.publish(tx, [money.NewInvoice(family.id, MARCH, due, [line])], town.house.clock())

    await town.house.do(PUBLISH, cashier, run=run["id"])
    await town.jobs()

    after = await town.run(cashier, run["id"])
    assert (after["leftOut"], after["invoiceCount"], codes(after)) == (1, 1, ["OVERTAKEN", "QUOTIENT_MISSING"][:1])
    assert (await town.drafted(cashier))["invoiceCount"] == 1


async def test_an_agent_corrects_what_was_used_and_says_why(town: Village, cashier: str) -> None:
    family, token = await town.house.member()
    [child] = await town.children(family)
    member = (await town.house.ask("{ viewer { family { members { edges { node { id } } } } } }", token)).data
    member_id = member["viewer"]["family"]["members"]["edges"][0]["node"]["id"]
    asked = {"member": member_id, "tariff": "repas", "day": "2026-03-04", "quantity": 2, "reason": "Oubli du pointage"}

    first = await town.house.do(CORRECT, cashier, **asked)
    await town.house.do(CORRECT, cashier, **asked)

    changes = [edge["node"] for edge in first["consumption"]["changes"]["edges"]]
    assert changes == [{"reason": "Oubli du pointage", "toQuantity": 2}]
    assert len(await town.see("select from consumption_change where family_id = $1", family.id)) == 1
    for wrong, code in (
        ({"quantity": 1001}, "BAD_USER_INPUT"),
        ({"reason": " "}, "BAD_USER_INPUT"),
        ({"day": "2999-01-01"}, "BAD_USER_INPUT"),
        ({"tariff": "lune"}, "NOT_FOUND"),
        ({"member": "bm90LW91cnM"}, "NOT_FOUND"),
        ({"member": global_id("Member", family.id, uuid7())}, "NOT_FOUND"),
    ):
        assert await town.house.problems(CORRECT, cashier, **{**asked, **wrong}) == [code]
    stranger = await town.house.agent("etat.civil")
    assert await town.house.problems(CORRECT, stranger, **{**asked, "quantity": 7}) == ["NOT_FOUND"]
    assert (await town.house.ask(CORRECT, token, **asked)).codes == ["FORBIDDEN"]
    assert await town.see("select quantity from consumption where family_id = $1", family.id) == [(2,)]
    assert child
