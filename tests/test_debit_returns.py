"""What banks send back: the invoice is owed again, the family told, the mandate ended where it must (R26)."""

import base64
import subprocess
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from db.cluster import binaries
from resolvers.debit_returns import REASONS
from resolvers.debits import collect
from tests.bank import (
    IBAN,
    OTHER_IBAN,
    RETURN,
    REVOKE,
    SIGN,
    Payer,
    announced,
    by_the_clock,
    calm,
    cashier,
    collect_day,
    debits,
    on_the_day,
    owe,
    payer,
    process,
    states,
    today,
)
from tests.conftest import Cluster, Database
from tests.house import PASSWORD, House
from tests.test_families import acts

TASKS = """{ agentTasks(kinds: [DEBIT_RETURNED], first: 5) { edges { node {
    kind debit { endToEndId returnedBecause } family { number } } } } }"""


@pytest.fixture
async def house(city: Database) -> AsyncIterator[House]:
    """Give a portal at which one stays signed in for months."""
    async with calm(city.dsn) as running:
        yield running


async def collected(house: House, signed: Payer, *cents: int, booked: bool = True) -> list[str]:
    """Let invoices be collected; give what the bank calls their debits."""
    await announced(house, signed, *cents)
    day = await collect_day(house, signed.family.id)
    await collect(process(house), day)
    if booked:
        await on_the_day(house, day)
    found = await debits(house, signed.family.id)
    return [each["end_to_end_id"] for each in found if each["state"] in ("SENT", "BOOKED")]


async def come_back(house: House, token: str, named: str, reason: str = "AM04") -> dict[str, Any]:
    """Record a return of today; give the debit."""
    payload = await house.do(RETURN, token, named=named, reason=reason, on=today(house).isoformat())
    debit: dict[str, Any] = payload["debit"]
    return debit


async def owed(house: House, signed: Payer) -> int:
    """Give what a family sees that it owes, in cents."""
    query = "{ viewer { family { invoices(first: 20) { edges { node { open { cents } } } } } } }"
    edges = (await house.ask(query, signed.token)).data["viewer"]["family"]["invoices"]["edges"]
    return sum(edge["node"]["open"]["cents"] for edge in edges)


async def ended(house: House, signed: Payer) -> str | None:
    """Give why the mandate of a family ended."""
    why: str | None = await house.connection.fetchval(
        "select ended_reason from mandate where family_id = $1", signed.family.id
    )
    return why


async def test_each_reason_makes_the_invoice_payable_and_ends_the_mandate_where_it_says_so(house: House) -> None:
    signed = {reason: await payer(house) for reason in sorted(REASONS)}
    for each in signed.values():
        await owe(house, each.family.id)
    [named] = await collected(house, await payer(house))
    till = await cashier(house)
    for reason, each in signed.items():
        [named] = [found["end_to_end_id"] for found in await debits(house, each.family.id)]
        debit = await come_back(house, till, named, reason)
        assert (debit["state"], debit["returnReason"]) == ("RETURNED", reason)
        assert debit["returnedBecause"] == REASONS[reason].sentence.fr
        assert await owed(house, each) == 2_350
        assert await ended(house, each) == ("RETURNED" if REASONS[reason].ends_mandate else None)
        undone = "select undone_at is not null from payment where family_id = $1"
        assert await house.connection.fetchval(undone, each.family.id)
        told = "select data ->> 'summary_fr' from news where family_id = $1 and type = 'debit_returned'"
        [row] = await house.connection.fetch(told, each.family.id)
        assert REASONS[reason].sentence.fr in row[0] and "sans frais" in row[0].replace("\N{NO-BREAK SPACE}", " ")
    await by_the_clock(house, "announce_debits")
    returned = "select count(*), count(distinct invoice_id) from debit where state <> 'BOOKED'"
    counted = await house.connection.fetchrow(returned)
    assert counted and tuple(counted) == (len(REASONS), len(REASONS)), "a returned invoice is not debited again"


async def test_a_return_is_recorded_once_and_leaves_a_task(house: House) -> None:
    signed = await payer(house)
    [named] = await collected(house, signed)
    till = await cashier(house)
    debit = await come_back(house, till, named)
    assert await come_back(house, till, named) == debit
    again = {"named": named, "reason": "MS03", "on": today(house).isoformat()}
    assert await house.problems(RETURN, till, **again) == ["DEBIT_ALREADY_RETURNED"]
    assert [edge["node"] for edge in (await house.ask(TASKS, till)).data["agentTasks"]["edges"]] == [
        {
            "kind": "DEBIT_RETURNED",
            "debit": {"endToEndId": named, "returnedBecause": debit["returnedBecause"]},
            "family": {"number": signed.family.number},
        }
    ]
    assert (await acts(house, signed.family))[-2:] == ["payment_undone", "debit_returned"]


async def test_a_rejection_before_the_day_books_nothing(house: House) -> None:
    signed = await payer(house)
    [named] = await collected(house, signed, booked=False)
    till = await cashier(house)
    await come_back(house, till, named, "RC01")
    assert await owed(house, signed) == 2_350
    house.clock.ahead += timedelta(days=40)
    await by_the_clock(house, "book_debits")
    assert await house.connection.fetchval("select count(*) from payment where family_id = $1", signed.family.id) == 0
    assert await states(house, signed) == [("RETURNED", None)]


async def test_after_two_returns_of_any_reason_the_mandate_ends(house: House) -> None:
    signed = await payer(house)
    first, second = await collected(house, signed, 100, 200)
    till = await cashier(house)
    await come_back(house, till, first)
    assert await ended(house, signed) is None
    await announced(house, signed, 300)
    await come_back(house, till, second)
    assert await ended(house, signed) == "RETURNED"
    assert (await states(house, signed))[-1] == ("DROPPED", "MANDATE_ENDED")
    told = "select data ->> 'change' from news where family_id = $1 and type = 'mandate_changed' order by seq"
    changes = [row[0] for row in await house.connection.fetch(told, signed.family.id)]
    assert changes == ["SIGNED", "RETURNED"]


async def test_what_cannot_have_come_back_is_refused_without_effect(house: House) -> None:
    signed = await payer(house)
    await announced(house, signed)
    [debit] = await debits(house, signed.family.id)
    till = await cashier(house)
    given = {"named": debit["end_to_end_id"], "reason": "AM04", "on": today(house).isoformat()}
    assert await house.problems(RETURN, till, **given) == ["DEBIT_NOT_SENT"]
    assert await house.problems(RETURN, till, **given | {"named": "2026-999999-1"}) == ["NOT_FOUND"]
    day = await collect_day(house, signed.family.id)
    await collect(process(house), day)
    for wrong in (today(house) + timedelta(days=1), today(house) - timedelta(days=1)):
        assert await house.problems(RETURN, till, **given | {"on": wrong.isoformat()}) == ["RETURN_DATE_NOT_VALID"]
    assert (await house.ask(RETURN, till, **given | {"reason": "XX99"})).codes == ["BAD_USER_INPUT"]
    for token in (signed.token, await house.agent()):
        assert (await house.ask(RETURN, token, **given)).codes == ["FORBIDDEN"]
    assert await states(house, signed) == [("SENT", None)]


async def test_an_account_can_be_read_nowhere(
    house: House, cluster: Cluster, capfd: pytest.CaptureFixture[str]
) -> None:
    signed = await payer(house)
    await house.do(SIGN, signed.token, iban=OTHER_IBAN, password=PASSWORD)
    [named] = await collected(house, signed)
    await come_back(house, await cashier(house), named, "MD01")
    replaced = await payer(house)
    await house.do(REVOKE, replaced.token, mandate=replaced.mandate["id"])
    await house.ask(SIGN, signed.token, iban=f"{IBAN}X", password=PASSWORD)
    dump = dumped(house, cluster)
    assert b"INSERT INTO public.mandate" in dump and b"INSERT INTO public.debit_batch" in dump
    logs = "".join(capfd.readouterr()).encode()
    mails = "\n".join(f"{each.message}" for each in house.catcher.messages).encode()
    shown = (
        await house.ask("{ viewer { family { inbox(first: 50) { edges { node { summary } } } } } }", signed.token)
    ).body
    for iban in (IBAN, OTHER_IBAN):
        for spelling in (iban, iban[4:], iban[8:-4]):
            for written in (spelling.encode(), spelling.encode().hex().encode(), base64.b64encode(spelling.encode())):
                for place in (dump, logs, mails, str(shown).encode()):
                    assert written not in place


def dumped(house: House, cluster: Cluster) -> bytes:
    """Give all rows of a database as text."""
    program = binaries(cluster.server.cluster) / "pg_dump"
    arguments: list[Any] = [program, house.dsn.split("?")[0], "-h", _folder(house), "--inserts"]
    return subprocess.run(arguments, capture_output=True, check=True).stdout


def _folder(house: House) -> str:
    """Give the folder of the database's socket."""
    return house.dsn.partition("host=")[2].partition("&")[0]
