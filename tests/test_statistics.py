"""Statistics: counts that are right after any moves, delays within their bound, and to whom they are shown."""

import asyncio
import math
import random
import signal
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from resolvers.statistics import FOLD
from tests.clockwork import run_due
from tests.conftest import Database
from tests.house import ACCEPT, TAKE, House, opened
from tests.program import Program, environment

READ = """query ($by: [StatisticsGroup!]!, $from: Date, $until: Date, $services: [String!], $after: String) {
    statistics(groupBy: $by, from: $from, until: $until, services: $services, first: 50, after: $after) {
        totalCount pageInfo { hasNextPage endCursor }
        edges { node { id month kindCode kindTitle status submitted open decided accepted rejected medianHours p90Hours
            service { code } } } } }"""
RECOUNT = """
    select s.code as service, k.code as kind, p.status,
        date_trunc('month', p.submitted_at at time zone 'Europe/Paris')::date as month,
        (p.submitted_at at time zone 'Europe/Paris')::date as day,
        extract(epoch from p.decided_at - p.submitted_at)::float8 / 3600 as hours
    from procedure p join service s on s.id = p.service_id join procedure_kind k on k.id = p.kind_id
    where p.submitted_at is not null
"""
TALLIED = """
    select day, service_id, kind_id, status, delay, sum(n) as n from (
        select t.starts_on as day, t.service_id, t.kind_id, t.status, d.class::smallint as delay, d.n
        from procedure_count t, unnest(t.delays) with ordinality d(n, class) where t.grain = $1
        union all
        select t.starts_on, t.service_id, t.kind_id, t.status, null, t.n from procedure_count t where t.grain = $1
        union all
        select d.day, c.service_id, c.kind_id, c.status, e.delay, c.n from procedure_count_change c,
            lateral (select case $1 when 'DAY' then c.day else date_trunc('month', c.day::timestamp)::date end) d(day),
            lateral (select null::smallint as delay union all select c.delay where c.delay is not null) e
    ) t group by 1, 2, 3, 4, 5 having sum(n) <> 0
"""
COUNTED = """
    select case $1 when 'DAY' then d.day else date_trunc('month', d.day::timestamp)::date end as day, p.service_id,
        p.kind_id, p.status, e.delay, count(*) as n
    from procedure p, lateral (select (p.submitted_at at time zone 'Europe/Paris')::date as day) d,
        lateral (select null::smallint as delay union all
            select delay_class(p.submitted_at, p.decided_at) where p.decided_at is not null) e
    where p.submitted_at is not null group by 1, 2, 3, 4, 5
"""
GROUPS = ("KIND", "STATUS", "SERVICE", "MONTH")


async def read(house: House, token: str, *by: str, **arguments: Any) -> list[Any]:
    """Give all groups."""
    rows: list[Any] = []
    after = None
    while True:
        found = (await house.ask(READ, token, by=list(by), after=after, **arguments)).data["statistics"]
        rows += [edge["node"] for edge in found["edges"]]
        if not found["pageInfo"]["hasNextPage"]:
            assert found["totalCount"] == len(rows)
            return rows
        after = found["pageInfo"]["endCursor"]


def named(row: Any) -> tuple[Any, ...]:
    """Give what a group is of."""
    return row["kindCode"], row["status"], row["service"] and row["service"]["code"], row["month"]


async def consistent(house: House) -> None:
    """Compare both tallies with a recount."""
    for grain in ("DAY", "MONTH"):
        tallied = {tuple(row) for row in await house.connection.fetch(TALLIED, grain)}
        assert tallied == {tuple(row) for row in await house.connection.fetch(COUNTED, grain)}, grain


@pytest.mark.parametrize(
    "by", [(), ("KIND",), ("STATUS",), ("SERVICE",), ("MONTH",), ("MONTH", "KIND"), ("SERVICE", "STATUS"), GROUPS]
)
async def test_an_administrator_counts_everything_as_a_recount_does(house: House, by: tuple[str, ...]) -> None:
    admin = await house.sign_in("admin@mairie.example", agent=True)
    rows = await house.connection.fetch(RECOUNT)

    def key(row: Any) -> tuple[Any, ...]:
        of = {"KIND": row["kind"], "STATUS": row["status"], "SERVICE": row["service"], "MONTH": str(row["month"])}
        return tuple(of[group] if group in by else None for group in GROUPS)

    for _ in range(2):
        found = {named(row): row for row in await read(house, admin, *by)}
        assert {group: row["submitted"] for group, row in found.items()} == Counter(key(row) for row in rows)
        for group, row in found.items():
            own = [each for each in rows if key(each) == group]
            assert row["decided"] == sum(each["hours"] is not None for each in own)
            assert row["accepted"] == sum(each["status"] == "ACCEPTED" for each in own)
            assert row["rejected"] == sum(each["status"] == "REJECTED" for each in own)
            assert row["open"] == sum(each["status"] in ("SUBMITTED", "IN_REVIEW", "AWAITING_FAMILY") for each in own)
            close(row, [each["hours"] for each in own if each["hours"] is not None])
        await run_due(house, FOLD)
        assert await house.connection.fetchval("select count(*) from procedure_count_change") == 0


def close(row: Any, hours: list[float]) -> None:
    """Compare percentiles with those of the delays themselves (the value of the nearest rank)."""
    ordered = sorted(hours)
    for name, share in (("medianHours", 0.5), ("p90Hours", 0.9)):
        if not ordered:
            assert row[name] is None
            continue
        exact = ordered[max(-int(-len(ordered) * share // 1), 1) - 1]
        assert abs(row[name] - exact) <= 0.05 * exact + 0.06, (name, row[name], exact)


def test_the_bound_of_percentiles_holds_for_any_delay() -> None:
    for tenths in range(1, 200_000, 7):
        hours = tenths / 10
        bucket = round(math.log(1 + hours, 1.1))
        assert abs(1.1**bucket - 1 - hours) <= 0.05 * hours + 0.05


async def test_any_part_of_a_month_counts_by_days(house: House) -> None:
    admin = await house.sign_in("admin@mairie.example", agent=True)
    rows = await house.connection.fetch(RECOUNT)
    for _ in range(2):
        randoms = random.Random(7)
        days = sorted(row["day"] for row in rows)
        for _ in range(25):
            first, last = sorted(randoms.choices([*days, days[0] - timedelta(40), days[-1] + timedelta(40)], k=2))
            wanted = Counter(row["status"] for row in rows if first <= row["day"] <= last)
            found = await read(house, admin, "STATUS", **{"from": str(first), "until": str(last)})
            assert {row["status"]: row["submitted"] for row in found} == wanted, (first, last)
        await run_due(house, FOLD)
        house.clock.ahead += timedelta(hours=1)
        admin = await house.sign_in("admin@mairie.example", agent=True)


async def test_agents_see_their_services_only_and_others_nothing(house: House) -> None:
    agent = await house.agent()
    own = {"cantine", "periscolaire", "centre-loisirs", "petite-enfance"}
    found = await read(house, agent, "SERVICE")
    rows = await house.connection.fetch(RECOUNT)
    wanted = Counter(row["service"] for row in rows if row["service"] in own)
    assert {row["service"]["code"]: row["submitted"] for row in found} == wanted
    assert await read(house, agent, "SERVICE", services=["urbanisme-voirie"]) == []
    assert [row["service"]["code"] for row in await read(house, agent, "SERVICE", services=["cantine"])] == ["cantine"]
    _, family = await house.member()
    assert (await house.ask(READ, family, by=[])).codes == ["FORBIDDEN"]
    assert (await house.ask(READ, None, by=[])).codes == ["UNAUTHENTICATED"]


async def test_moves_count_at_once_before_anything_is_folded(house: House) -> None:
    agent = await house.agent()
    _, token = await house.member()
    await run_due(house, FOLD)

    async def stands() -> tuple[int, int, int]:
        [row] = await read(house, agent, services=["cantine"])
        return row["submitted"], row["open"], row["accepted"]

    submitted, waiting, accepted = await stands()
    procedure = await house.submitted(token)
    assert await stands() == (submitted + 1, waiting + 1, accepted)
    await house.do(TAKE, agent, procedure=procedure)
    await house.do(ACCEPT, agent, procedure=procedure)
    assert await stands() == (submitted + 1, waiting, accepted + 1)
    await consistent(house)


MOVES = (
    "update procedure set status = 'IN_REVIEW', updated_at = $2 where id = $1 and status in "
    "('SUBMITTED', 'AWAITING_FAMILY', 'ACCEPTED', 'REJECTED', 'CLOSED')",
    "update procedure set status = 'AWAITING_FAMILY', updated_at = $2 where id = $1 and status = 'IN_REVIEW'",
    "update procedure set status = 'ACCEPTED', updated_at = $2 where id = $1 and status in ('IN_REVIEW', 'SUBMITTED')",
    "update procedure set status = 'REJECTED', updated_at = $2 where id = $1 and status = 'IN_REVIEW'",
    "update procedure set status = 'WITHDRAWN', updated_at = $2 where id = $1 and status <> 'ACCEPTED'",
)


async def test_after_random_moves_by_many_at_once_and_folding_meanwhile_a_recount_says_the_same(house: House) -> None:
    await consistent(house)
    randoms = random.Random(33)
    ids = [row["id"] for row in await house.connection.fetch("select id from procedure order by id")]
    assert house.opened is not None
    database = house.opened.process.database

    async def mover(seed: int) -> None:
        own = random.Random(seed)
        for _ in range(60):
            async with database.transaction({"kiosque.system": "on"}) as tx:
                moment = house.clock() + timedelta(hours=own.randint(0, 2_000))
                await tx.execute(own.choice(MOVES), own.choice(ids), moment)

    async def folder() -> None:
        for _ in range(15):
            async with database.transaction({"kiosque.system": "on"}) as tx:
                await tx.fetchval("select fold_procedure_counts($1)", randoms.randint(1, 80))

    await asyncio.gather(*(mover(seed) for seed in range(5)), folder(), folder())
    await consistent(house)
    await run_due(house, FOLD)
    await consistent(house)


@pytest.mark.parametrize("step", ["statistics.folded", "job.worked"])
async def test_a_fold_that_is_killed_counts_nothing_twice(city: Database, tmp_path: Path, step: str) -> None:
    async with opened(city.dsn) as house:
        arguments = ["gateway", "jobs", "run", "--kind", FOLD, "--database", city.dsn]
        run = Program(arguments, environment(jobs__lease=1), tmp_path / "log")
        await run.start(step)
        assert await run.ended() == -signal.SIGKILL
        await consistent(house)
        await asyncio.sleep(1.2)
        await run.start()
        assert await run.ended() == 0, run.said()
        await consistent(house)
        assert await house.connection.fetchval("select count(*) from procedure_count_change") == 0
