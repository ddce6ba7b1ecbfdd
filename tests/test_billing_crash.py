"""Billing cut off anywhere, or beside others who publish: nobody is billed twice, and numbers have no gap."""

import asyncio
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest

from db import money
from tests.billing import (
    BILLING_JOBS,
    MARCH,
    PUBLISH,
    START,
    Village,
    priced,
)
from tests.house import House, Made
from tests.program import environment

ROOT = Path(__file__).parent.parent


@pytest.fixture
async def town(house: House) -> Village:
    """Give a town with two tariffs, one of them in brackets."""
    return await priced(house)


@pytest.fixture
async def cashier(house: House) -> str:
    """Give the token of an agent who may bill."""
    return await house.agent("regie")


async def test_numbers_stay_without_gap_when_publishing_is_cut_and_others_publish_beside_it(
    town: Village, cashier: str
) -> None:
    families = [await town.house.make_family() for _ in range(6)]
    for each in families:
        [child] = await town.children(each)
        await town.used(each, child, "journee", date(2026, 3, 4))
    run = await town.drafted(cashier)
    await town.house.do(PUBLISH, cashier, run=run["id"])
    assert town.house.opened is not None
    database = town.house.opened.process.database
    line = money.Line(town.services["cantine"], {"fr": "Autre", "en": "Other"}, 1, 100)
    due = town.house.clock().date() + timedelta(days=30)

    async def alone(family: Made, *, cut: bool) -> None:
        try:
            async with database.transaction({"kiosque.system": "on"}) as tx:
                wanted = money.NewInvoice(family.id, date(2026, 1, 1), due, [line])
                await money.publish(tx, [wanted], town.house.clock())
                if cut:
                    raise ZeroDivisionError
        except ZeroDivisionError:
            pass

    beside = (alone(each, cut=n % 2 == 0) for n, each in enumerate(families))
    await asyncio.gather(town.jobs("publish_billing_run"), *beside)
    await town.jobs()

    year = town.house.clock().year
    numbers = await town.see("select number from invoice where number like $1 order by number", f"{year}-%")
    assert [int(number[5:]) for (number,) in numbers] == list(range(1, len(numbers) + 1))
    assert len(await town.see("select from invoice where period = $1", MARCH)) == 6


@pytest.mark.parametrize(
    "step",
    [
        "billing.drafts_written",
        "billing.drafts_written:2",
        "billing.before_published:2",
        "billing.published",
        "billing.published:2",
        "billing.issued",
        "job.worked",
        "job.finished",
    ],
)
async def test_a_program_killed_at_any_step_bills_nobody_twice_and_leaves_no_gap(
    town: Village, cashier: str, step: str
) -> None:
    families = [await town.house.make_family() for _ in range(3)]
    for each in families:
        [child] = await town.children(each)
        await town.used(each, child, "journee", date(2026, 3, 4))
    run = (await town.house.do(START, cashier, month=str(MARCH)))["run"]

    async def until(state: str) -> None:
        killed = await _jobs_apart(town.house.dsn, step)
        for _ in range(20):
            if (await town.run(cashier, run["id"]))["state"] == state:
                break
            await asyncio.sleep(1.1)
            await _jobs_apart(town.house.dsn, "")
        assert killed in (0, -9)

    await until("DRAFTED")
    assert (await town.run(cashier, run["id"]))["invoiceCount"] == 3
    await town.house.do(PUBLISH, cashier, run=run["id"])
    await until("PUBLISHED")
    for _ in range(20):
        if (await town.run(cashier, run["id"]))["toldAt"]:
            break
        await asyncio.sleep(1.1)
        await _jobs_apart(town.house.dsn, "")

    numbers = await town.see("select right(number, 6)::integer from invoice order by number")
    assert [number for (number,) in numbers] == list(range(1, len(numbers) + 1))
    told = "select count(*)::integer from news where type = 'invoice_issued' and family_id = any($1)"
    assert await town.see(told, [each.id for each in families]) == [(3,)]
    assert (await town.run(cashier, run["id"]))["invoicesTold"] == 3


async def _jobs_apart(dsn: str, crash_at: str) -> int:
    """Do what is due in a program of its own, which may kill itself at a step; give how it ended."""
    kinds = [part for kind in BILLING_JOBS for part in ("--kind", kind)]
    command = [sys.executable, "-m", "gateway", "jobs", "run", "--database", dsn, *kinds]
    crash = {"KIOSQUE_CRASH_AT": crash_at} if crash_at else {}
    child = await asyncio.create_subprocess_exec(
        *command,
        env=environment(jobs__lease=1, billing__families_at_once=1) | crash,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return await child.wait()
