"""What the clock wants to do, overtaken by somebody else in the same moment: it looks again under the row's lock, and
does nothing to what is settled.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import date, timedelta

import pytest

from resolvers.debits import collect
from resolvers.legal_clock import DECIDE_BY_SILENCE
from tests.bank import RETURN, REVOKE, announced, calm, collect_day, owe, pay, payer, process, states
from tests.clockwork import run_due
from tests.conftest import Database
from tests.house import House
from tests.test_collected_once import WAITING, pressed
from tests.test_families import acts
from tests.test_legal_clock import move_to, read


@pytest.fixture
async def house(city: Database) -> AsyncIterator[House]:
    """Give a portal at which one stays signed in for months."""
    async with calm(city.dsn) as running:
        yield running


async def begun_anew(house: House, kind: str) -> None:
    """Let a periodic job be due again."""
    await house.connection.execute("delete from job where kind = $1", kind)


async def test_a_debit_that_the_bank_rejects_in_the_moment_of_its_booking_is_not_booked(house: House) -> None:
    signed = await payer(house)
    [owed] = await announced(house, signed)
    day = await collect_day(house, signed.family.id)
    await collect(process(house), day)
    await move_to(house, day)
    till = await house.agent("regie")
    given = {"named": f"{owed.number}-1", "reason": "AM04", "on": day.isoformat()}
    await begun_anew(house, "book_debits")
    told, ran = await pressed(house, house.problems(RETURN, till, **given), run_due(house, "book_debits"))
    assert (told, sum(ran.values())) == ([], 1)
    assert [state for state, _ in await states(house, signed)] == ["RETURNED"]
    assert await house.connection.fetchval("select count(*) from payment where family_id = $1", signed.family.id) == 0


async def test_a_mandate_that_is_taken_back_in_the_moment_it_would_lapse_has_not_lapsed(house: House) -> None:
    signed = await payer(house)
    house.clock.ahead = timedelta(days=3 * 366)
    await begun_anew(house, "lapse_mandates")
    told, ran = await pressed(
        house,
        house.problems(REVOKE, signed.token, mandate=signed.mandate["id"]),
        run_due(house, "lapse_mandates"),
    )
    assert (told, sum(ran.values())) == ([], 1)
    assert await house.connection.fetchval("select ended_reason from mandate") == "REVOKED"
    assert await acts(house, signed.family) == ["mandate_signed", "mandate_revoked"]
    news = "select string_agg(data ->> 'change', ',' order by seq) from news where family_id = $1"
    assert await house.connection.fetchval(news, signed.family.id) == "SIGNED,REVOKED"


async def test_an_invoice_that_is_paid_in_the_moment_of_its_reminder_is_not_reminded_of(house: House) -> None:
    family, _ = await house.member()
    [owed] = await owe(house, family.id, days=1)
    house.clock.ahead = timedelta(days=10)
    await begun_anew(house, "remind_of_invoices")
    paid, ran = await pressed(house, pay(house, family, owed, owed.cents), run_due(house, "remind_of_invoices"))
    assert (paid, sum(ran.values())) == (None, 1)
    assert await house.connection.fetchval("select count(*) from invoice_reminder") == 0
    told = "select count(*) from news where family_id = $1 and type = 'invoice_overdue'"
    assert await house.connection.fetchval(told, family.id) == 0
    assert "invoice_reminded" not in await acts(house, family)


async def test_a_decision_that_is_put_off_in_the_moment_silence_would_make_it_is_not_made(house: House) -> None:
    _, token = await house.member()
    procedure = await house.submitted(token)
    due = date.fromisoformat((await read(house, token, procedure))["impliedDecisionOn"])
    await move_to(house, due + timedelta(days=1))
    await begun_anew(house, DECIDE_BY_SILENCE)
    async with house.connection.transaction():
        await house.connection.execute("update procedure set implied_decision_on = implied_decision_on + 31")
        deciding = asyncio.create_task(run_due(house, DECIDE_BY_SILENCE))
        async with asyncio.timeout(20):
            while not await house.connection.fetchval(WAITING):
                await house.connection.execute("select pg_stat_clear_snapshot()")
                await asyncio.sleep(0.02)
    await deciding
    found = await read(house, token, procedure)
    assert (found["status"], found["decidedAt"]) == ("SUBMITTED", None)
