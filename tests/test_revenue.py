"""Revenue by service and month: right to the cent after anything that happens to invoices, and shown as sums only."""

import asyncio
from collections import defaultdict
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import accumulate
from random import Random
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from db import ledger_check, money
from db.clock import utc_now
from db.ids import uuid7
from resolvers.statistics import FOLD
from tests.clockwork import run_due
from tests.counters import cashier
from tests.house import House
from tests.purse import as_portal, pay
from tests.test_partners import made, partner, service_id, token

READ = """query ($from: Date, $until: Date, $services: [String!], $first: Int, $after: String) {
    revenue(from: $from, until: $until, services: $services, first: $first, after: $after) {
        totalCount pageInfo { hasNextPage endCursor }
        edges { node { id month invoices families invoiced { cents } paid { cents } due { cents }
            service { code } } } } }"""
BOOKS = """
    select i.period, s.code, i.family_id, i.id, i.cancelled_at is null as stands, l.position, l.cents,
        coalesce((select sum(a.cents) from allocation a where a.family_id = i.family_id and a.invoice_id = i.id
            and a.freed_at is null and a.line_position = l.position), 0)::integer as own,
        coalesce((select sum(a.cents) from allocation a where a.family_id = i.family_id and a.invoice_id = i.id
            and a.freed_at is null and a.line_position is null), 0)::integer as free
    from invoice i join invoice_line l on l.family_id = i.family_id and l.invoice_id = i.id
        join service s on s.id = l.service_id order by i.id, l.position
"""
FREE = """update allocation set freed_at = now(), freed_because = 'UNDONE'
    where family_id = $1 and id = $2 and freed_at is null"""
Sums = dict[tuple[str, str], tuple[int, int, int, int]]


async def read(house: House, access: str, **arguments: Any) -> list[Any]:
    """Give all rows, some at a time."""
    rows: list[Any] = []
    after = None
    while True:
        found = (await house.ask(READ, access, first=3, after=after, **arguments)).data["revenue"]
        rows += [edge["node"] for edge in found["edges"]]
        if not found["pageInfo"]["hasNextPage"]:
            assert found["totalCount"] == len(rows)
            return rows
        after = found["pageInfo"]["endCursor"]


def sums(rows: list[Any]) -> Sums:
    """Give invoices, families, invoiced and paid cents by month and service."""
    found = {}
    for row in rows:
        key = row["month"], row["service"]["code"]
        found[key] = row["invoices"], row["families"], row["invoiced"]["cents"], row["paid"]["cents"]
        assert row["due"]["cents"] == row["invoiced"]["cents"] - row["paid"]["cents"]
    assert len({row["id"] for row in rows}) == len(rows)
    return found


async def recount(connection: asyncpg.Connection) -> Sums:
    """Say the same from the invoices themselves, with another arithmetic."""
    invoices: dict[UUID, list[Any]] = defaultdict(list)
    for row in await connection.fetch(BOOKS):
        invoices[row["id"]].append(row)
    totals: dict[tuple[str, str], list[Any]] = defaultdict(lambda: [set(), set(), 0, 0])
    for invoice_id, lines in invoices.items():
        if not lines[0]["stands"]:
            assert not any(line["own"] or line["free"] for line in lines)
            continue
        rests = list(accumulate((line["cents"] - line["own"] for line in lines), initial=0))
        marks = [_rounded(lines[0]["free"], rest, rests[-1]) for rest in rests]
        for place, line in enumerate(lines):
            held = totals[str(line["period"]), line["code"]]
            held[0].add(invoice_id)
            held[1].add(line["family_id"])
            held[2] += line["cents"]
            held[3] += line["own"] + marks[place + 1] - marks[place]
    return {key: (len(one), len(two), three, four) for key, (one, two, three, four) in totals.items()}


def _rounded(amount: int, part: int, whole: int) -> int:
    return int((Decimal(amount) * part / whole).quantize(Decimal(1), ROUND_HALF_UP)) if whole else 0


async def publish(house: House, family_id: UUID, lines: dict[str, list[int]], period: date, *, cesu: bool) -> UUID:
    """Publish an invoice with lines of several services."""
    connection, [first, *others] = house.connection, lines
    wanted = [
        money.Line(
            await connection.fetchval("select id from service where code = $1", code),
            {"fr": "Repas", "en": "Meals"},
            1,
            cents,
            cesu_eligible=cesu and bool(others) and code == first,
        )
        for code, all_cents in lines.items()
        for cents in all_cents
    ]
    new = money.NewInvoice(family_id, period, utc_now().date() + timedelta(days=60), wanted)
    async with connection.transaction():
        [published] = await money.publish(connection, [new], utc_now())
    return published.id


async def act(house: House, dice: Random, families: list[UUID], standing: list[tuple[UUID, UUID]]) -> None:
    """Let something happen to somebody's invoices."""
    connection, kind = house.connection, dice.choice(("publish", "publish", "pay", "pay", "pay", "undo", "cancel"))
    family_id = dice.choice(families)
    if kind == "publish" or not standing:
        codes = dice.sample(["cantine", "periscolaire", "etat-civil", "centre-loisirs"], dice.randint(1, 3))
        lines = {code: [dice.choice((1, 33, 99, 1250)) for _ in range(dice.randint(1, 2))] for code in codes}
        lines[codes[-1]].append(-1 if sum(map(sum, lines.values())) > 1 else 1)
        period = date(2026, dice.choice((9, 10)), 1)
        standing.append((family_id, await publish(house, family_id, lines, period, cesu=dice.random() < 0.5)))
    elif kind == "pay":
        owner, invoice_id = dice.choice(standing)
        means = dice.choice(("ONLINE_CARD", "CESU", "CHEQUE"))
        await pay(connection, owner, dice.choice((1, 7, 100, 5000)), [invoice_id], means=means)
    elif kind == "undo":
        found = await connection.fetch("select family_id, id from payment where undone_at is null order by id")
        if found:
            chosen = dice.choice(found)
            async with connection.transaction():
                await money.unbook(connection, chosen["family_id"], chosen["id"], "Erreur.", utc_now())
    else:
        owner, invoice_id = standing.pop(dice.randrange(len(standing)))
        async with connection.transaction():
            await money.cancel(connection, owner, invoice_id, "Erreur.", utc_now())


@pytest.mark.parametrize("seed", range(3))
async def test_after_anything_that_happens_a_recount_says_the_same_to_the_cent(house: House, seed: int) -> None:
    till, dice = await cashier(house), Random(seed)
    families = [row["id"] for row in await house.connection.fetch("select id from family order by id limit 4")]
    standing: list[tuple[UUID, UUID]] = []
    for number in range(40):
        await act(house, dice, families, standing)
        if number % 10 == 9:
            assert sums(await read(house, till)) == await recount(house.connection)
            assert await ledger_check.violations(house.connection) == {}
        if number % 20 == 14:
            await house.connection.fetchval("select fold_revenue_counts($1)", dice.randint(1, 20))
    await run_due(house, FOLD)
    assert await house.connection.fetchval("select count(*) from revenue_count_change") == 0
    assert sums(await read(house, till)) == await recount(house.connection)


async def test_parts_that_are_freed_at_once_leave_the_right_rest(house: House) -> None:
    family, _ = await house.member()
    lines = {"cantine": [33], "periscolaire": [33], "etat-civil": [34]}
    invoice_id = await publish(house, family.id, lines, date(2026, 9, 1), cesu=False)
    for _ in range(10):
        await pay(house.connection, family.id, 7, [invoice_id])
    rows = await house.connection.fetch("select id from allocation where invoice_id = $1", invoice_id)
    ids = [row["id"] for row in rows]

    async def free(allocation_id: UUID) -> None:
        connection = await asyncpg.connect(house.dsn, timeout=10)
        try:
            async with connection.transaction():
                await as_portal(connection)
                await connection.execute(FREE, family.id, allocation_id)
                await asyncio.sleep(0.02)
        finally:
            await connection.close()

    await asyncio.gather(*(free(each) for each in ids[:7]))
    found = sums(await read(house, await cashier(house), **{"from": "2026-09-30", "until": "2026-09-01"}))
    assert found == {key: value for key, value in (await recount(house.connection)).items() if key[0] == "2026-09-01"}
    assert sum(each[3] for each in found.values()) >= 21


async def test_a_partner_sees_sums_of_its_services_over_five_families_at_least(house: House) -> None:
    families = [row["id"] for row in await house.connection.fetch("select id from family order by id limit 5")]
    for number, family_id in enumerate(families):
        lines = {"cantine": [1000], "etat-civil": [500], **({"periscolaire": [700]} if number else {})}
        invoice_id = await publish(house, family_id, lines, date(2031, 3, 1), cesu=False)
    await publish(house, families[4], {"periscolaire": [700]}, date(2031, 3, 1), cesu=False)
    await pay(house.connection, families[4], 2200, [invoice_id])
    access = await partner(house, scope="invoices:aggregate")
    for _ in range(2):
        found = {row["service"]["code"]: row for row in await read(house, access, **{"from": "2031-03-17"})}
        assert set(found) == {"cantine", "periscolaire"}
        assert sums([found["cantine"]]) == {("2031-03-01", "cantine"): (5, 5, 5000, 1000)}
        assert (found["periscolaire"]["invoices"], found["periscolaire"]["families"]) == (5, 4)
        assert [found["periscolaire"][name] for name in ("invoiced", "paid", "due")] == [None, None, None]
        till = sums(await read(house, await cashier(house), services=["periscolaire"], **{"from": "2031-03-17"}))
        assert till == {("2031-03-01", "periscolaire"): (5, 4, 3500, 700)}
        assert await read(house, access, services=["etat-civil"]) == []
        await run_due(house, FOLD)


async def test_without_the_scope_or_the_till_nobody_sees_revenue(house: House) -> None:
    _, family = await house.member()
    _, client, secret = await made(house, scopes=["STATISTICS_READ", "PROCEDURES_READ"])
    other = (await token(house, {}, (client, secret))).access
    for access in (other, await partner(house, scope="statistics:read"), family, await house.agent()):
        assert (await house.ask(READ, access)).codes == ["FORBIDDEN"]
    assert (await house.ask(READ, None)).codes == ["UNAUTHENTICATED"]
    service = await service_id(house, "etat-civil")
    _, client, secret = await made(house, scopes=["INVOICES_AGGREGATE"], services=[service])
    narrow = (await token(house, {}, (client, secret))).access
    assert await read(house, narrow, services=["cantine"]) == []
    for field in ("invoices { totalCount }", "payments { totalCount }", f'invoice(number: "{uuid7()}") {{ id }}'):
        assert (await house.ask(f"{{ {field} }}", narrow)).codes == ["FORBIDDEN"]


@pytest.mark.parametrize(
    "statement",
    [
        """insert into revenue_count_change (period, service_id, invoices, families, invoiced_cents, paid_cents)
           select '2026-09-01', id, 1, 1, 100, 100 from service limit 1""",
        "select note_invoiced(1, array_agg(family_id), array_agg(id)) from invoice where period = '2032-01-01'",
        """select note_paid(array_agg(family_id), array_agg(id), array_agg(1), array_agg(1::bigint)) from invoice
           where period = '2032-01-01'""",
    ],
)
async def test_only_what_moves_money_notes_revenue(house: House, statement: str) -> None:
    family, _ = await house.member()
    await publish(house, family.id, {"cantine": [100]}, date(2032, 1, 1), cesu=False)
    before = await house.connection.fetch("select * from revenue_count_change order by id")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with house.connection.transaction():
            await as_portal(house.connection)
            await house.connection.execute(statement)
    assert await house.connection.fetch("select * from revenue_count_change order by id") == before
