"""Billing that fails for good: it says so, and goes on where it stopped, with no number lost and none given twice."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.billing import DISCARD, MARCH, MARCHS, PUBLISH, START, Village, priced
from tests.conftest import Database
from tests.counters import CANCEL, INVOICE, key
from tests.house import Made, opened
from tests.test_billing import lines_of

ATTEMPTS = 2
BROKEN = """
    create function out_of_order() returns trigger language plpgsql as $$ begin
        if new.family_id = '{family}' then raise exception 'no space left' using errcode = '53100'; end if;
        return new;
    end $$;
    create trigger out_of_order before insert on {table} for each row execute function out_of_order()
"""
MENDED = "drop function out_of_order cascade"
NUMBERS = "select right(number, 6)::integer from invoice order by number"
ACTS = "select data ->> 'job', data ->> 'because' from audit_entry where act = 'billing_run_failed' order by number"


@pytest.fixture
async def town(city: Database) -> AsyncIterator[Village]:
    """Give a town that bills one family in a transaction, and tries twice."""
    jobs = {"attempts": ATTEMPTS, "retry_base": 0.1}
    async with opened(city.dsn, billing={"families_at_once": 1}, jobs=jobs) as house:
        yield await priced(house)


@pytest.fixture
async def cashier(town: Village) -> str:
    """Give the token of an agent who may bill."""
    return await town.house.agent("regie")


async def families(town: Village, count: int) -> list[Made]:
    """Give families that used a day in March, in the order in which they are billed."""
    made = [await town.house.make_family() for _ in range(count)]
    for each in made:
        [child] = await town.children(each)
        await town.used(each, child, "journee", date(2026, 3, 4))
    return sorted(made, key=lambda each: each.id)


async def tried_in_vain(town: Village) -> None:
    """Let what is due be tried until it is put aside."""
    for _ in range(ATTEMPTS):
        await town.jobs()
        town.house.clock.ahead += timedelta(seconds=0.2)  # mails are sent by the clock on the wall


async def broken(town: Village, family: UUID, table: str = "invoice") -> None:
    """Let the database refuse what is written of a family."""
    await town.do(BROKEN.format(family=family, table=table))


async def without_gap(town: Village) -> bool:
    """Tell whether the numbers of all invoices follow each other."""
    numbers = [row[0] for row in await town.see(NUMBERS)]
    return numbers == list(range(1, len(numbers) + 1))


async def test_a_publication_that_failed_for_good_goes_on_where_it_stopped(town: Village, cashier: str) -> None:
    first, second, third = await families(town, 3)
    run = await town.drafted(cashier)
    due = str(town.house.clock().date() + timedelta(days=20))
    await town.house.do(PUBLISH, cashier, run=run["id"], due=due)
    await broken(town, second.id)
    await tried_in_vain(town)

    stopped = await town.run(cashier, run["id"])
    assert (stopped["state"], stopped["failedBecause"]) == ("PUBLICATION_FAILED", "DiskFullError")
    assert stopped["failedAt"] and stopped["toldAt"] is None and stopped["invoiceCount"] == 3
    assert await town.see("select family_id from invoice where period = $1", MARCH) == [(first.id,)]
    assert await town.see(ACTS) == [("publish_billing_run", "DiskFullError")]
    told = await town.house.mail_to("regie@mairie.example", "facturation de 03/2026")
    assert "DiskFullError" in told and "publiez de nouveau" in told
    assert await town.see("select count(*)::integer from agent_notice") == [(1,)], "once, not at each attempt"
    assert await town.house.problems(DISCARD, cashier, run=run["id"]) == ["BILLING_RUN_NOT_READY"]
    assert await town.house.problems(START, cashier, month=str(MARCH)) == ["BILLING_RUN_OPEN"]
    assert (await town.run(cashier, run["id"]))["state"] == "PUBLICATION_FAILED"

    await town.do(MENDED)
    town.house.clock.ahead += timedelta(days=3)
    cashier = await town.house.agent("regie")
    later = str(town.house.clock().date() + timedelta(days=60))
    again = await asyncio.gather(*(town.house.do(PUBLISH, cashier, run=run["id"], due=later) for _ in range(5)))
    assert [each["run"]["state"] for each in again] == ["PUBLISHING"] * 5
    waiting = "select count(*)::integer from job where kind = 'publish_billing_run' and state = 'PENDING'"
    assert await town.see(waiting) == [(1,)]
    await town.jobs()

    done = await town.run(cashier, run["id"])
    assert (done["state"], done["failedAt"], done["failedBecause"]) == ("PUBLISHED", None, None)
    assert (done["invoiceCount"], done["invoicesTold"], done["dueOn"]) == (3, 3, due), "the days of the first order"
    billed = await town.see("select family_id, due_on from invoice where period = $1 order by number", MARCH)
    assert billed == [(each.id, date.fromisoformat(due)) for each in (first, second, third)]
    assert await without_gap(town)
    assert (await town.house.do(PUBLISH, cashier, run=run["id"]))["run"]["state"] == "PUBLISHED"
    assert await town.jobs() == {}


async def test_a_publication_that_failed_before_its_first_invoice_takes_the_days_of_the_new_order(
    town: Village, cashier: str
) -> None:
    [only] = await families(town, 1)
    run = await town.drafted(cashier)
    await town.house.do(PUBLISH, cashier, run=run["id"])
    await broken(town, only.id)
    await tried_in_vain(town)
    await town.do(MENDED)
    town.house.clock.ahead += timedelta(days=40)
    cashier = await town.house.agent("regie")
    today = town.house.clock().date()
    past = str(today - timedelta(days=5))
    assert await town.house.problems(PUBLISH, cashier, run=run["id"], issued=past) == ["BAD_USER_INPUT"]
    assert (await town.run(cashier, run["id"]))["state"] == "PUBLICATION_FAILED"

    await town.house.do(PUBLISH, cashier, run=run["id"], due=str(today + timedelta(days=9)))
    await town.jobs()

    done = await town.run(cashier, run["id"])
    assert (done["state"], done["dueOn"]) == ("PUBLISHED", str(today + timedelta(days=9)))
    assert await without_gap(town)


async def test_families_that_could_not_be_told_are_told_when_the_run_is_published_once_more(
    town: Village, cashier: str
) -> None:
    made = await families(town, 2)
    run = await town.drafted(cashier)
    await town.house.do(PUBLISH, cashier, run=run["id"])
    await broken(town, made[1].id, "news")
    await tried_in_vain(town)
    stopped = await town.run(cashier, run["id"])
    assert (stopped["state"], stopped["toldAt"]) == ("PUBLISHED", None)
    assert stopped["failedAt"] and stopped["failedBecause"] == "DiskFullError"

    await town.do(MENDED)
    await asyncio.gather(*(town.house.do(PUBLISH, cashier, run=run["id"]) for _ in range(3)))
    await town.jobs()

    done = await town.run(cashier, run["id"])
    assert done["toldAt"] and (done["failedAt"], done["invoicesTold"]) == (None, 2)
    told = "select count(*)::integer from news where type = 'invoice_issued' and family_id = any($1)"
    assert await town.see(told, [each.id for each in made]) == [(2,)]


async def test_drafting_that_failed_for_good_goes_on_or_is_given_up(town: Village, cashier: str) -> None:
    made = await families(town, 2)
    await broken(town, made[0].id, "draft_invoice")
    run = (await town.house.do(START, cashier, month=str(MARCH)))["run"]
    await tried_in_vain(town)
    assert (await town.run(cashier, run["id"]))["state"] == "DRAFTING_FAILED"
    assert await town.house.problems(PUBLISH, cashier, run=run["id"]) == ["BILLING_RUN_NOT_READY"]
    assert await town.house.problems(START, cashier, month="2026-02-01") == ["BILLING_RUN_OPEN"]
    assert await town.house.problems(START, cashier, month=str(MARCH), service="cantine") == ["BILLING_RUN_OPEN"]

    await town.do(MENDED)
    several = [town.house.ask(START, cashier, month=str(MARCH)) for _ in range(4)]
    answers = [(await each).data["startBillingRun"] for each in several]
    assert [each["run"]["id"] for each in answers if not each["problems"]] == [run["id"]], "the same run, once"
    await town.jobs()
    drafted = await town.run(cashier, run["id"])
    assert (drafted["state"], drafted["invoiceCount"], drafted["failedAt"]) == ("DRAFTED", 2, None)
    await town.house.do(DISCARD, cashier, run=run["id"])

    await broken(town, made[0].id, "draft_invoice")
    run = (await town.house.do(START, cashier, month=str(MARCH)))["run"]
    await tried_in_vain(town)
    assert (await town.house.do(DISCARD, cashier, run=run["id"]))["run"]["state"] == "DISCARDED"


async def test_a_run_that_was_given_up_does_not_fail_when_its_job_is_put_aside(town: Village, cashier: str) -> None:
    await families(town, 1)
    run = (await town.house.do(START, cashier, month=str(MARCH)))["run"]
    await town.do("update job set attempts = $1 where kind = 'draft_billing_run'", ATTEMPTS)  # it killed its processes
    await town.house.do(DISCARD, cashier, run=run["id"])
    assert await town.jobs() == {("draft_billing_run", "failed"): 1, ("drop_billing_drafts", "done"): 1}
    stopped = await town.run(cashier, run["id"])
    assert (stopped["state"], stopped["failedAt"]) == ("DISCARDED", None)
    assert await town.see(ACTS) == [] and await town.see("select * from agent_notice") == []


async def test_a_line_that_no_amount_can_tell_is_named_and_keeps_its_family_alone_out(
    town: Village, cashier: str
) -> None:
    good, bad = await families(town, 2)
    [child] = await town.children(bad)
    await town.do("update tariff_price set cents = 2000000000 where tariff_id = $1", town.tariffs["repas"])
    await town.used(bad, child, "repas", *MARCHS[9:12], quantity=1000)

    run = await town.drafted(cashier)

    assert (run["state"], run["invoiceCount"], run["total"]["cents"]) == ("DRAFTED", 1, 1500)
    [found] = [edge["node"] for edge in run["checks"]["edges"] if edge["node"]["code"] == "TOO_LARGE"]
    named = (found["family"]["number"], found["tariff"]["code"], found["day"], found["member"]["firstName"])
    assert named == (bad.number, "repas", str(MARCHS[9]), "Enfant 1")
    assert len(lines_of(run, good)) == 1
    await town.house.do(PUBLISH, cashier, run=run["id"])
    await town.jobs()
    assert (await town.run(cashier, run["id"]))["state"] == "PUBLISHED"
    assert await town.see("select family_id from invoice where period = $1", MARCH) == [(good.id,)]

    await town.do("update tariff_price set cents = 400 where tariff_id = $1", town.tariffs["repas"])
    await town.used(bad, child, "repas", *MARCHS[9:12], quantity=1)
    rest = await town.published(cashier)
    assert (rest["invoiceCount"], rest["total"]["cents"]) == (1, 1500 + 3 * 400), "the next run bills all of it"
    assert await without_gap(town)


async def test_lines_that_only_together_are_too_much_are_found_as_well(town: Village, cashier: str) -> None:
    [bad] = await families(town, 1)
    [child] = await town.children(bad)
    for tariff, cents in (("repas", 1_200_000_000), ("journee", 1_300_000_000)):
        await town.do("update tariff_price set cents = $2 where tariff_id = $1", town.tariffs[tariff], cents)
    await town.used(bad, child, "repas", MARCHS[9])

    run = await town.drafted(cashier)

    [found] = [edge["node"] for edge in run["checks"]["edges"]]
    assert (found["code"], found["tariff"]["code"], found["now"]) == ("TOO_LARGE", "journee", None)
    assert (run["state"], run["invoiceCount"]) == ("DRAFTED", 0)
    assert await town.house.problems(PUBLISH, cashier, run=run["id"]) == ["BILLING_RUN_EMPTY"]


async def test_the_totals_of_a_run_say_what_is_owed_when_an_invoice_was_issued_again(
    town: Village, cashier: str
) -> None:
    made = await families(town, 2)
    run = await town.published(cashier)
    assert (run["invoiceCount"], run["total"]["cents"]) == (2, 3000)
    assert (run["cancelledCount"], run["cancelled"]["cents"]) == (0, 0)

    async def cancel(family: Made, **more: Any) -> None:
        [(number,)] = await town.see(
            "select number from invoice where family_id = $1 and cancelled_at is null", family.id
        )
        identity = (await town.house.ask(INVOICE, cashier, number=number)).data["invoice"]["id"]
        await town.house.do(CANCEL, cashier, invoice=identity, reason="Erreur de saisie.", key=key(), **more)

    await cancel(made[0], reissue=[{"position": 1, "quantity": 1}])
    after = await town.run(cashier, run["id"])
    assert (after["invoiceCount"], after["total"]["cents"]) == (2, 3000), "not both the old one and the new one"
    assert (after["cancelledCount"], after["cancelled"]["cents"]) == (1, 1500)
    await cancel(made[1])
    after = await town.run(cashier, run["id"])
    assert (after["invoiceCount"], after["total"]["cents"]) == (1, 1500)
    assert (after["cancelledCount"], after["cancelled"]["cents"]) == (2, 3000)
    owed = "select sum(total_cents)::integer from invoice where period = $1 and cancelled_at is null"
    assert await town.see(owed, MARCH) == [(1500,)]
