"""The feed of partners: every step once, in one order, live and as a list, whatever commits at the same time."""

import asyncio
import random
from typing import Any

import asyncpg
import pytest

from db import feed
from db.ids import uuid7
from db.pool import DISPATCH_ROLE, connect
from tests.house import ACCEPT, TAKE, House
from tests.live import Socket
from tests.test_partners import partner

FOLLOW = """subscription ($after: String) { procedureEvents(after: $after) {
    id cursor event { number fromStatus toStatus } procedure { reference } service { code } } }"""
LIST = """query ($after: String, $first: Int) { procedureEvents(after: $after, first: $first) {
    pageInfo { hasNextPage endCursor }
    edges { cursor node { id cursor event { number toStatus } procedure { reference } } } } }"""
SERVICES = "{cantine,periscolaire,centre-loisirs}"


async def whole(house: House, access: str, after: str | None = None, first: int = 100) -> list[dict[str, Any]]:
    """Read the list page by page to its end."""
    found: list[dict[str, Any]] = []
    while True:
        page = (await house.ask(LIST, access, after=after, first=first)).data["procedureEvents"]
        found += [edge["node"] for edge in page["edges"]]
        assert [edge["cursor"] for edge in page["edges"]] == [edge["node"]["cursor"] for edge in page["edges"]]
        if not page["pageInfo"]["hasNextPage"]:
            return found
        after = page["pageInfo"]["endCursor"]


async def numbered(house: House) -> None:
    """Wait until every step has its place, so that none of the past is new."""
    async with asyncio.timeout(15):
        while await house.connection.fetchval("select exists (select from procedure_feed where position is null)"):
            await asyncio.sleep(0.02)


async def test_the_list_begins_with_all_history_of_the_partners_services(house: House) -> None:
    await numbered(house)
    rows = await house.connection.fetch(
        f"""select p.reference, e.number from procedure_event e join procedure p on p.family_id = e.family_id
            and p.id = e.procedure_id join service s on s.id = e.service_id
            where s.code = any('{SERVICES}') and (from_status, to_status) <> ('DRAFT', 'WITHDRAWN')"""
    )
    items = await whole(house, await partner(house), first=37)
    seen = [(item["procedure"]["reference"], item["event"]["number"]) for item in items]
    assert len(seen) == len(set(seen)) and set(seen) == {tuple(row) for row in rows} and seen
    for reference in {reference for reference, _ in seen}:
        numbers = [number for found, number in seen if found == reference]
        assert numbers == sorted(numbers), "steps of one procedure keep their order"


async def test_a_step_is_pushed_live_and_resumed_behind_a_cursor(house: House) -> None:
    await numbered(house)
    access, agent = await partner(house), await house.agent()
    _, family = await house.member()
    start = (await whole(house, access))[-1]["cursor"]
    async with Socket(house, access) as socket:
        await socket.subscribe("s", FOLLOW, after=start)
        procedure = await house.submitted(family)
        first = (await socket.next("s"))["procedureEvents"]
        assert (first["event"]["fromStatus"], first["event"]["toStatus"]) == ("DRAFT", "SUBMITTED")
        await house.do(TAKE, agent, procedure=procedure)
        second = (await socket.next("s"))["procedureEvents"]
    await house.do(ACCEPT, agent, procedure=procedure)
    await numbered(house)
    async with Socket(house, access) as socket:
        await socket.subscribe("s", FOLLOW, after=first["cursor"])
        again = [(await socket.next("s"))["procedureEvents"] for _ in range(2)]
    assert again[0] == second | {"procedure": again[0]["procedure"]} and again[1]["event"]["toStatus"] == "ACCEPTED"
    listed = await whole(house, access, after=first["cursor"])
    assert [item["cursor"] for item in listed] == [item["cursor"] for item in again]


async def test_no_step_is_missed_or_doubled_while_many_commit_at_once(house: House) -> None:
    """Transactions that note steps end in another order than they began; some are undone."""
    await numbered(house)
    access = await partner(house, scope="procedures:read")
    procedures = await house.connection.fetch(
        f"""select p.family_id, p.id, p.service_id, p.event_count from procedure p join service s on s.id = p.service_id
            where s.code = any('{SERVICES}') and p.submitted_at is not null order by p.id limit 12"""
    )
    start = (await whole(house, access))[-1]["cursor"]
    written: set[tuple[Any, int]] = set()

    async def write(row: Any, connection: Any, seed: int) -> None:
        chance, number = random.Random(seed), row["event_count"]
        for _ in range(12):
            undone = chance.random() < 0.2
            try:
                async with connection.transaction():
                    await connection.execute(
                        """insert into procedure_event (family_id, procedure_id, number, id, service_id, from_status,
                               to_status, actor, occurred_at)
                           values ($1, $2, $3, $4, $5, 'SUBMITTED', 'IN_REVIEW', 'AGENT', $6)""",
                        row["family_id"], row["id"], number + 1, uuid7(), row["service_id"], house.clock(),
                    )  # fmt: skip
                    await asyncio.sleep(chance.random() * 0.03)
                    if undone:
                        raise asyncio.InvalidStateError
            except asyncio.InvalidStateError:
                continue
            number += 1
            written.add((row["id"], number))

    async def follow(socket: Socket, heard: list[str]) -> None:
        while True:
            heard.append((await socket.next("s"))["procedureEvents"]["cursor"])

    heard: list[str] = []
    polled: list[str] = []

    async def poll() -> None:
        after = start
        while True:
            items = await whole(house, access, after=after, first=5)
            polled.extend(item["cursor"] for item in items)
            after = items[-1]["cursor"] if items else after
            await asyncio.sleep(0.01)

    pool = await asyncpg.create_pool(house.dsn, min_size=6, max_size=6)
    second = await connect(house.dsn, role=DISPATCH_ROLE, application="second-sequencer")

    async def rival() -> None:
        while True:
            async with second.transaction():
                await feed.number(second, 3)
            await asyncio.sleep(0.005)

    async with Socket(house, access) as socket:
        await socket.subscribe("s", FOLLOW, after=start)
        others = [asyncio.create_task(each) for each in (follow(socket, heard), poll(), rival())]

        async def job(n: int, row: Any) -> None:
            async with pool.acquire() as connection:
                await write(row, connection, n)

        await asyncio.gather(*(job(n, row) for n, row in enumerate(procedures)))
        await numbered(house)
        async with asyncio.timeout(20):
            while len(heard) < len(written) or len(polled) < len(written):
                await asyncio.sleep(0.05)
        await asyncio.sleep(0.3)
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
    await pool.close()
    await second.close()
    assert len(heard) == len(set(heard)) == len(written) > 80
    assert polled == heard
    places = await house.connection.fetch("select position from procedure_feed order by position")
    assert [row[0] for row in places] == list(range(1, len(places) + 1)), "without gap"


@pytest.mark.parametrize("cursor", ["", "x", "MTI=", "WyJQcm9jZWR1cmVGZWVkRXZlbnQiLCAiOTk5OTk5OTkiXQ=="])
async def test_what_is_no_cursor_of_the_feed_is_refused(house: House, cursor: str) -> None:
    access = await partner(house)
    async with Socket(house, access) as socket:
        await socket.subscribe("s", FOLLOW, after=cursor)
        message = await socket.message("s")
        assert message["type"] == "error" and message["payload"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_the_feed_is_for_partners_with_the_scope_only(house: House) -> None:
    _, family = await house.member()
    for access, code in (
        (family, "FORBIDDEN"),
        (await house.agent(), "FORBIDDEN"),
        (None, "UNAUTHENTICATED"),
        (await partner(house, scope="statistics:read"), "FORBIDDEN"),
    ):
        assert (await house.ask(LIST, access, first=1)).codes == [code]
        async with Socket(house, access) as socket:
            await socket.subscribe("s", FOLLOW)
            message = await socket.message("s")
            assert message["payload"][0]["extensions"]["code"] == code


async def test_a_draft_that_is_withdrawn_is_no_step_for_partners(house: House) -> None:
    await numbered(house)
    access = await partner(house)
    before = len(await whole(house, access))
    _, family = await house.member()
    draft = await house.do(
        """mutation { startProcedure(kind: "cantine", idempotencyKey: "brouillon-2") {
            problems { code } procedure { id } } }""",
        family,
    )
    await house.do(
        "mutation ($p: ID!) { withdrawProcedure(procedure: $p) { problems { code } } }",
        family,
        p=draft["procedure"]["id"],
    )
    await asyncio.sleep(0.5)
    assert len(await whole(house, access)) == before
