"""Killed at every named step, direct debits are announced, sent and booked once."""

import signal
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from resolvers import sepa
from resolvers.debits import collect
from tests.bank import announced, by_the_clock, calm, collect_day, owe, payer, process, today
from tests.conftest import Database
from tests.house import House
from tests.program import Program, environment

FAMILIES = 3


@pytest.fixture
async def house(city: Database) -> AsyncIterator[House]:
    """Give a portal."""
    async with calm(city.dsn) as running:
        yield running


async def run(house: House, folder: Path, *arguments: str, crash_at: str = "") -> int:
    """Run a command of the portal on the database of a house; give its exit status."""
    variables = environment(data__folder=folder / "data")
    program = Program(["gateway", *arguments, "--database", house.dsn], variables, folder / "log")
    await program.start(crash_at)
    return await program.ended()


@pytest.mark.parametrize("step", ["debit.held", "debit.made", "debit.before_filed", "debit.filed"])
async def test_a_file_that_was_cut_off_is_finished_and_stays_the_same(house: House, tmp_path: Path, step: str) -> None:
    signed = [await payer(house) for _ in range(FAMILIES)]
    for each in signed:
        await owe(house, each.family.id, [1_001])
    await by_the_clock(house, "announce_debits")
    day = await collect_day(house, signed[0].family.id)
    command = ("debit", "--due", day.isoformat(), "--out", str(tmp_path / "out"))
    assert await run(house, tmp_path, *command, crash_at=step) == -signal.SIGKILL
    assert list(tmp_path.glob("out/*")) == []
    assert await run(house, tmp_path, *command) == 0
    [file] = (tmp_path / "out").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    filed = await collect(process(house), day)
    assert (file.read_bytes(), filed.debits, filed.cents) == (filed.content, FAMILIES, FAMILIES * 1_001)
    assert await run(house, tmp_path, *command) == 0
    assert file.read_bytes() == filed.content
    sent = "select count(*), count(distinct invoice_id) from debit where state = 'SENT'"
    assert tuple(await house.connection.fetchrow(sent) or ()) == (FAMILIES, FAMILIES)


@pytest.mark.parametrize("step", ["debit.before_booked:2", "debit.booked:2"])
async def test_a_booking_that_was_cut_off_is_finished_and_books_nothing_twice(
    house: House, tmp_path: Path, step: str
) -> None:
    signed = await payer(house)
    await announced(house, signed, 100, 200, 300)
    day = await collect_day(house, signed.family.id)
    await collect(process(house), day)
    await house.connection.execute("update debit_batch set due_on = (now() at time zone 'Europe/Paris')::date")
    command = ("jobs", "run", "--kind", "book_debits")
    assert await run(house, tmp_path, *command, crash_at=step) == -signal.SIGKILL
    await house.connection.execute("delete from job where kind = 'book_debits'")
    assert await run(house, tmp_path, *command) == 0
    paid = "select count(*), sum(cents) from payment where family_id = $1"
    assert tuple(await house.connection.fetchrow(paid, signed.family.id) or ()) == (3, 600)
    settled = "select sum(cents) from allocation where family_id = $1 and freed_at is null"
    assert await house.connection.fetchval(settled, signed.family.id) == 600


async def test_an_announcement_that_was_cut_off_is_made_once(house: House, tmp_path: Path) -> None:
    signed = [await payer(house) for _ in range(FAMILIES)]
    for each in signed:
        await owe(house, each.family.id)
    command = ("jobs", "run", "--kind", "announce_debits")
    assert await run(house, tmp_path, *command, crash_at="debit.announced:2") == -signal.SIGKILL
    await house.connection.execute("delete from job where kind = 'announce_debits'")
    assert await run(house, tmp_path, *command) == 0
    told = "select count(*), count(distinct family_id) from news where type = 'debit_announced'"
    assert tuple(await house.connection.fetchrow(told) or ()) == (FAMILIES, FAMILIES)


async def test_a_day_without_debits_is_said_and_a_wrong_day_refused(house: House, tmp_path: Path) -> None:
    folder, day = str(tmp_path / "out"), sepa.bank_days_after(today(house), 30)
    saturday = day + timedelta(days=5 - day.weekday())
    assert await run(house, tmp_path, "debit", "--due", day.isoformat(), "--out", folder) == 0
    assert await run(house, tmp_path, "debit", "--due", saturday.isoformat(), "--out", folder) == 1
    assert list(tmp_path.glob("out/*")) == []
