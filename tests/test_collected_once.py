"""An invoice is collected by card or by direct debit, and never by both."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from datetime import date
from typing import Any

import pytest

from db.ids import uuid7
from gateway.demo.bank import REFUSED
from resolvers.debits import NothingToCollect, collect
from tests.bank import (
    LONG,
    OTHER_IBAN,
    RETURN,
    Owed,
    Payer,
    announced,
    by_the_clock,
    cashier,
    collect_day,
    forgive,
    payer,
    process,
    states,
    today,
)
from tests.conftest import Database
from tests.house import House
from tests.test_debit import BATCHES, WITHDRAW
from tests.till import START, Till, global_id, till_on

WAITING = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"


@pytest.fixture
async def till(city: Database) -> AsyncIterator[Till]:
    """Give a portal with banks, in a city that collects by direct debit."""
    async with till_on(city.dsn, tokens=LONG) as made:
        await forgive(made.house)
        yield made


@pytest.fixture
def house(till: Till) -> House:
    """Give the portal itself."""
    return till.house


def started(signed: Payer, *owed: Owed) -> dict[str, Any]:
    """Give the variables of a start."""
    return {"invoices": [global_id("Invoice", signed.family.id, each.id) for each in owed], "key": str(uuid7())}


async def test_an_invoice_that_is_being_paid_by_card_is_not_debited_and_announced_anew_once_that_failed(
    till: Till, house: House
) -> None:
    signed, other = await payer(house), await payer(house, OTHER_IBAN)
    [owed] = await announced(house, signed)
    await announced(house, other, 901)
    day = await collect_day(house, signed.family.id)
    till.wait(days=(day - today(house)).days - 6)
    paying = await house.do(START, signed.token, **started(signed, owed))
    filed = await collect(process(house), day)
    assert (filed.debits, filed.cents, filed.dropped) == (1, 901, {"CARD_PAYMENT": 1})
    assert await states(house, signed) == [("DROPPED", "CARD_PAYMENT")]
    await by_the_clock(house, "announce_debits")
    assert len(await states(house, signed)) == 1, "not while it is being paid"
    await till.pay(paying, REFUSED)
    await by_the_clock(house, "announce_debits")
    assert await states(house, signed) == [("DROPPED", "CARD_PAYMENT"), ("ANNOUNCED", None)]
    again = await house.do(START, signed.token, **started(signed, owed))
    await till.pay(again)
    with pytest.raises(NothingToCollect):
        await collect(process(house), await collect_day(house, signed.family.id))
    assert await states(house, signed) == [("DROPPED", "CARD_PAYMENT"), ("DROPPED", "INVOICE_PAID")]
    assert (await till.books()).credit_cents == 0


async def test_an_invoice_that_the_bank_is_debiting_cannot_be_paid_by_card(till: Till, house: House) -> None:
    signed = await payer(house)
    [owed] = await announced(house, signed)
    await collect(process(house), await collect_day(house, signed.family.id))
    [other] = await announced(house, signed, 777, days=40)
    before = await till.books()
    for basket in ((owed,), (other, owed)):
        assert await house.problems(START, signed.token, **started(signed, *basket)) == ["DEBIT_UNDER_WAY"]
    assert await till.books() == before
    assert await house.connection.fetchval("select count(*) from card_attempt") == 0
    assert await house.connection.fetchval("select count(*) from job where kind = 'card_enquiry'") == 0
    assert (await house.do(START, signed.token, **started(signed, other)))["redirect"], "only announced"


async def test_what_the_bank_never_got_or_sent_back_can_be_paid_by_card_at_once(till: Till, house: House) -> None:
    signed, other = await payer(house), await payer(house, OTHER_IBAN)
    [owed] = await announced(house, signed)
    await collect(process(house), await collect_day(house, signed.family.id))
    desk = await cashier(house)
    [edge] = (await house.ask(BATCHES, desk)).data["debitBatches"]["edges"]
    await house.do(WITHDRAW, desk, batch=edge["node"]["id"])
    assert (await house.do(START, signed.token, **started(signed, owed)))["redirect"]
    [returned] = await announced(house, other, 901)
    await collect(process(house), await collect_day(house, other.family.id))
    named = f"{returned.number}-1"
    await house.do(RETURN, desk, named=named, reason="AM04", on=today(house).isoformat())
    assert (await house.do(START, other.token, **started(other, returned)))["redirect"]


async def pressed(house: House, *calls: Coroutine[Any, Any, Any]) -> list[Any]:
    """Let calls wait for the row of a family, one behind the other, and then go; give what came of each."""
    tasks = []
    async with house.connection.transaction():
        await house.connection.execute("select from family for no key update")
        for waiting, call in enumerate(calls, 1):
            tasks.append(asyncio.create_task(call))
            async with asyncio.timeout(20):
                while await house.connection.fetchval(WAITING) < waiting:
                    await house.connection.execute("select pg_stat_clear_snapshot()")
                    await asyncio.sleep(0.02)
    return await asyncio.gather(*tasks, return_exceptions=True)


async def filed(house: House, day: date) -> int:
    """Make the file of a day; give how many debits it holds."""
    try:
        return (await collect(process(house), day)).debits
    except NothingToCollect:
        return 0


@pytest.mark.parametrize("first", ["card", "debit"])
async def test_of_a_start_and_a_file_at_the_same_moment_the_second_sees_the_first(
    till: Till, house: House, first: str
) -> None:
    signed = await payer(house)
    [owed] = await announced(house, signed)
    day = await collect_day(house, signed.family.id)
    start, file = house.problems(START, signed.token, **started(signed, owed)), filed(house, day)
    results = await pressed(house, *((start, file) if first == "card" else (file, start)))
    books = await till.books()
    if first == "card":
        assert (results, await states(house, signed), books.live) == ([[], 0], [("DROPPED", "CARD_PAYMENT")], 1)
    else:
        assert (results, await states(house, signed), books.live) == ([1, ["DEBIT_UNDER_WAY"]], [("SENT", None)], 0)


async def test_many_starts_while_the_file_is_made_leave_each_invoice_in_one_place(till: Till, house: House) -> None:
    signed = [await payer(house) for _ in range(12)]
    owed = [(await announced(house, each, 1_000 + n))[0] for n, each in enumerate(signed)]
    day = await collect_day(house, signed[0].family.id)

    async def start(number: int) -> list[str]:
        await asyncio.sleep(number * 0.01)
        return await house.problems(START, signed[number].token, **started(signed[number], owed[number]))

    count, *refused = await asyncio.gather(filed(house, day), *(start(n) for n in range(len(signed))))
    for each, codes in zip(signed, refused, strict=True):
        assert (await states(house, each), codes) in (
            ([("SENT", None)], ["DEBIT_UNDER_WAY"]),
            ([("DROPPED", "CARD_PAYMENT")], []),
        )
    assert count == len([codes for codes in refused if codes])
    assert (await till.books()).live == len(signed) - count
