"""The command that bills a month: what agents do with a run, for an operator's schedule."""

import asyncio
import io
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from rich.console import Console

from gateway.billing import month_billed
from tests.billing import MARCH, PUBLISH, START, Village, priced
from tests.house import House
from tests.program import environment

ROOT = Path(__file__).parents[1]
STATES = "select state, invoices_told from billing_run where period = $1"


@pytest.fixture
async def town(house: House) -> Village:
    """Give a town where three families used a day in March."""
    made = await priced(house)
    for _ in range(3):
        family = await house.make_family()
        [child] = await made.children(family)
        await made.used(family, child, "journee", date(2026, 3, 4))
    return made


@pytest.fixture
async def cashier(house: House) -> str:
    """Give the token of an agent who may bill."""
    return await house.agent("regie")


async def bill(town: Village, *arguments: str) -> tuple[int, str]:
    """Run the command; give its exit status and what it wrote."""
    house = town.house
    command = [sys.executable, "-P", "-m", "gateway", "bill", "--database", house.dsn, *arguments]
    variables = {**environment(), "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    run = await asyncio.to_thread(
        subprocess.run, command, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=120, check=False
    )
    return run.returncode, run.stdout + run.stderr


async def test_a_month_is_drafted_shown_and_then_published(town: Village) -> None:
    status, told = await bill(town, "--month", "2026-03")
    assert status == 0 and "3 drafts" in told, told
    assert await town.see(STATES, MARCH) == [("DRAFTED", 0)]

    status, told = await bill(town, "--month", "2026-03", "--publish")

    assert status == 0 and "3 invoices published" in told, told
    assert await town.see(STATES, MARCH) == [("PUBLISHED", 3)]


async def test_what_an_agent_ordered_already_is_gone_on_with(town: Village, cashier: str) -> None:
    run = await town.drafted(cashier)
    await town.house.do(PUBLISH, cashier, run=run["id"])
    told = io.StringIO()
    assert town.house.opened is not None

    await month_billed(town.house.opened.process.settings, MARCH, None, True, Console(file=told))

    assert "3 invoices published" in told.getvalue()
    assert await town.see(STATES, MARCH) == [("PUBLISHED", 3)]


async def test_what_cannot_be_billed_is_told_with_its_code_and_changes_nothing(town: Village, cashier: str) -> None:
    for arguments, code in (
        (("--month", "2099-01"), "MONTH_NOT_OVER"),
        (("--month", "2026-03", "--service", "x"), "NOT_FOUND"),
    ):
        status, told = await bill(town, *arguments, "--publish")
        assert (status, told.split()[0]) == (1, code), told
    await town.house.do(START, cashier, month=str(MARCH))
    status, told = await bill(town, "--month", "2026-02", "--publish")
    assert (status, told.split()[0]) == (1, "BILLING_RUN_OPEN"), told
    assert await town.see("select period, state from billing_run") == [(MARCH, "DRAFTING")]


async def test_a_month_without_anything_to_bill_is_not_published(town: Village) -> None:
    status, told = await bill(town, "--month", "2026-01", "--publish")
    assert status == 1 and "BILLING_RUN_EMPTY" in told, told
    assert await town.see("select count(*)::integer from invoice where period = $1", date(2026, 1, 1)) == [(0,)]
