"""Who asks for too much is told to wait: by cost, by login or address, on all nodes together."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st

from gateway.addresses import Proxies, household_of
from gateway.throttling import Bucket, Rate
from tests.conftest import Database
from tests.house import House, Reply, opened
from tests.live import Socket

ON = {
    "throttle": True,
    "points_per_second": 1,
    "points_burst": 100,
    "anonymous_points_per_second": 1,
    "anonymous_points_burst": 100,
}
"""So little flows back that a slow machine is refused too."""

TEN = "{ terms { version hash effectiveAt } a: terms { version hash effectiveAt } b: terms { version } }"
NEWS = "subscription { news { cursor } }"
ADDRESS = "X-Forwarded-For"

rates = st.builds(Rate, st.floats(0.5, 200), st.floats(1, 2000))
spendings = st.lists(st.tuples(st.floats(0, 30), st.integers(1, 300)), max_size=60)


@given(rate=rates, spendings=spendings)
def test_never_more_than_the_burst_and_what_flowed_back_is_spent(
    rate: Rate, spendings: list[tuple[float, int]]
) -> None:
    bucket, now, spent, began = Bucket(b"", rate), 100.0, 0.0, 100.0
    for pause, points in spendings:
        now += pause
        if bucket.spend(points, now) == 0:
            assert spent + min(points, rate.burst) <= rate.burst + (now - began) * rate.per_second + 1e-6
            spent += points
    assert bucket.untold == spent


@given(rate=rates, spendings=spendings)
def test_who_waits_as_long_as_told_is_let_through_and_not_before(
    rate: Rate, spendings: list[tuple[float, int]]
) -> None:
    bucket, now = Bucket(b"", rate), 100.0
    for pause, points in spendings:
        now += pause
        wait = bucket.spend(points, now)
        if wait:
            assert bucket.spend(points, now + wait * 0.98 - 1e-6) > 0
            now += wait + 1e-6
            assert bucket.spend(points, now) == 0


@given(rate=rates, spendings=spendings)
def test_who_stays_under_the_rate_is_never_refused(rate: Rate, spendings: list[tuple[float, int]]) -> None:
    bucket, now = Bucket(b"", rate), 100.0
    for _, points in spendings:
        assert bucket.spend(points, now) == 0
        now += points / rate.per_second + 1e-6


@given(rate=rates, steps=st.lists(st.tuples(st.floats(0, 3), st.integers(1, 300), st.integers(0, 2), st.booleans())))
def test_nodes_together_let_through_one_part_and_one_operation_more_each(
    rate: Rate, steps: list[tuple[float, int, int, bool]]
) -> None:
    """The database as it counts, three nodes that tell it now and then: the bound of docs/decisions/0010."""
    nodes, shared, now, began, spent, dearest = [Bucket(b"", rate) for _ in range(3)], 0.0, 100.0, 100.0, 0.0, 0
    for pause, points, number, tells in steps:
        now += pause
        node = nodes[number]
        if tells or node.must_wait:
            shared = max(shared, now) + node.untold / rate.per_second
            node.untold = 0.0
            node.learn(shared - now, now)
        if node.spend(points, now) == 0:
            spent, dearest = spent + points, max(dearest, points)
            bound = rate.burst + (now - began) * rate.per_second + 3 * (rate.burst / 5 + dearest)
            assert spent <= bound + 1e-6


@asynccontextmanager
async def throttled(database: Database, **limits: Any) -> AsyncIterator[House]:
    """Run a portal with small buckets that believes this machine's proxies."""
    server = {"port": 0, "trusted_proxies": ["127.0.0.0/8"]}
    async with opened(database.dsn, limits=ON | limits, server=server) as house:
        yield house


async def from_address(house: House, address: str, query: str = TEN) -> tuple[int, str | None]:
    """Ask as a client of an address; give status and Retry-After."""
    headers = {ADDRESS: address, "Accept": "application/graphql-response+json"}
    async with house.http.post(f"{house.url}/graphql", json={"query": query}, headers=headers) as answer:
        return answer.status, answer.headers.get("Retry-After")


async def test_too_fast_is_429_with_the_time_to_wait(city: Database) -> None:
    async with throttled(city, points_per_second=10) as house:
        _, token = await house.member()
        began, headers = time.monotonic(), {"Authorization": f"Bearer {token}"}
        reply, let_through = await house.ask(TEN, token), 0
        assert reply.body["extensions"] == {"cost": 10}
        while reply.status == 200:
            let_through += 1
            async with house.http.post(f"{house.url}/graphql", json={"query": TEN}, headers=headers) as answer:
                reply = Reply(answer.status, await answer.json(content_type=None))
        assert 10 <= let_through <= 10 + (time.monotonic() - began)
        assert (reply.status, reply.codes) == (429, ["THROTTLED"])
        seconds = reply.body["errors"][0]["extensions"]["retryAfter"]
        assert 1 <= seconds <= 2 and "data" not in reply.body
        assert answer.headers["Retry-After"] == str(seconds)
        await asyncio.sleep(seconds)
        assert (await house.ask(TEN, token)).data


async def test_a_refused_mutation_has_no_effect(city: Database) -> None:
    async with throttled(city, points_per_second=0.5) as house:
        _, token = await house.member()
        while (await house.ask(TEN, token)).status == 200:
            pass
        assert (await house.ask("mutation { signOut { problems { code } } }", token)).codes == ["THROTTLED"]
        async with asyncio.timeout(10):
            while (reply := await house.ask("{ __typename }", token)).codes == ["THROTTLED"]:
                await asyncio.sleep(0.05)
        assert reply.data


async def test_a_login_is_counted_wherever_it_is_and_others_are_not(city: Database) -> None:
    async with throttled(city) as house:
        (_, mine), (_, other) = await house.member(), await house.member()
        while (await house.ask(TEN, mine)).status == 200:
            pass
        assert (await house.ask(TEN, other)).status == 200
        assert (await house.ask(TEN)).status == 200


async def test_a_stranger_is_counted_by_address_and_a_household_of_ipv6_is_one(city: Database) -> None:
    async with throttled(city) as house:
        while (await from_address(house, "2001:db8:1:2::1"))[0] == 200:
            pass
        assert (await from_address(house, "2001:db8:1:2:ffff::9"))[0] == 429
        assert (await from_address(house, "2001:db8:1:3::1"))[0] == 200
        assert (await from_address(house, "192.0.2.1"))[0] == 200


async def test_on_a_socket_the_operation_is_refused_and_the_socket_stays(city: Database) -> None:
    async with throttled(city, points_per_second=2) as house:
        _, token = await house.member()
        async with Socket(house, token) as socket:
            for number in range(12):
                await socket.subscribe(f"q{number}", TEN)
            told = [await socket.message(f"q{number}") for number in range(12)]
            refused = [message["payload"][0]["extensions"]["code"] for message in told if message["type"] == "error"]
            assert [message["type"] for message in told].count("next") + len(refused) == 12
            assert set(refused) == {"THROTTLED"} and len(refused) <= 3
            await socket.subscribe("news", NEWS)
            await asyncio.sleep(1)
            await socket.subscribe("after", "{ __typename }")
            assert await socket.next("after")


async def test_a_stream_of_events_counts_when_it_starts_and_is_refused_with_429(city: Database) -> None:
    async with throttled(city) as house:
        _, token = await house.member()
        headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}
        while (await house.ask(TEN, token)).status == 200:
            pass
        async with house.http.post(f"{house.url}/graphql", json={"query": TEN}, headers=headers) as answer:
            assert answer.status == 429 and answer.headers["Retry-After"]


async def test_faulty_documents_are_counted_too(city: Database) -> None:
    async with throttled(city) as house:
        _, token = await house.member()
        statuses = [(await house.ask("{ nothing }", token)).status for _ in range(24)]
        assert statuses[0] != 429 and statuses[-1] == 429


async def test_two_nodes_let_through_little_more_than_one(city: Database) -> None:
    """20 at once on each of two nodes: alone they would let through 200 points."""
    async with throttled(city, points_per_second=1) as one, throttled(city, points_per_second=1) as other:
        _, token = await one.member()
        began = time.monotonic()
        answers = await asyncio.gather(*(node.ask(TEN, token) for _ in range(20) for node in (one, other)))
        let_through = 10 * sum(answer.status == 200 for answer in answers)
        bound = 100 + (time.monotonic() - began) + 2 * (100 / 5 + 10)
        assert 90 <= let_through <= bound
        owed = "select coalesce(extract(epoch from max(tat) - now()), 0) from bucket"
        async with asyncio.timeout(10):
            while (debt := await one.connection.fetchval(owed)) <= 80:
                await asyncio.sleep(0.02)
        assert debt < let_through + 5, "both told what they let through"
        for node in (one, other):
            assert (await node.ask(TEN, token)).status == 429


async def test_few_points_do_not_reach_the_database(city: Database) -> None:
    async with throttled(city, points_burst=1000) as house:
        _, token = await house.member()
        async with asyncio.timeout(10):  # the sign-in is told of its address
            while not (before := await house.connection.fetchval("select count(*) from bucket")):
                await asyncio.sleep(0.01)
        for _ in range(4):
            await house.ask(TEN, token)
        await asyncio.sleep(0.1)
        assert await house.connection.fetchval("select count(*) from bucket") == before
        await house.ask(TEN, token)
        async with asyncio.timeout(5):
            while await house.connection.fetchval("select count(*) from bucket") == before:
                await asyncio.sleep(0.01)


async def test_requests_go_on_while_the_database_cannot_count(city: Database) -> None:
    async with throttled(city) as house:
        _, token = await house.member()
        async with house.connection.transaction():
            await house.connection.execute("lock table bucket in access exclusive mode")
            answers = await asyncio.gather(*(house.ask(TEN, token) for _ in range(30)))
        statuses = [answer.status for answer in answers]
        assert 9 <= statuses.count(200) <= 20 and statuses.count(429) == 30 - statuses.count(200)


async def test_nobody_can_tell_whose_a_bucket_is(city: Database) -> None:
    async with throttled(city) as house:
        family, token = await house.member()
        for _ in range(3):
            await house.ask(TEN, token)
            await from_address(house, "192.0.2.77")
        async with asyncio.timeout(5):
            while not (rows := await house.connection.fetch("select subject from bucket")):
                await asyncio.sleep(0.01)
        account = await house.connection.fetchval("select id from account where family_id = $1", family.id)
        for row in rows:
            assert len(row["subject"]) == 16
            assert row["subject"] not in (account.bytes, family.id.bytes, b"192.0.2.77")


@pytest.mark.parametrize(
    ("production", "throttle", "on"), [(False, None, False), (True, None, True), (True, False, False)]
)
async def test_it_is_on_in_production_unless_the_settings_say_otherwise(
    city: Database, production: bool, throttle: bool | None, on: bool
) -> None:
    server = {"port": 0, "production": production, "free_queries": ["ANONYMOUS"]}
    async with opened(city.dsn, limits={"throttle": throttle}, server=server) as house:
        kinds = "{ procedureKinds(first: 60) { edges { node { code } } } }"
        statuses = [(await house.ask(kinds)).status for _ in range(4)]
        assert (statuses[-1] == 429) is on


def test_only_trusted_proxies_are_believed() -> None:
    trusting, nobody = Proxies.from_texts(("10.0.0.0/8", "2001:db8::1")), Proxies()

    def client(proxies: Proxies, remote: str, forwarded: str) -> str:
        request = make_mocked_request("GET", "/", headers={ADDRESS: forwarded})
        return proxies.client_of(request.clone(remote=remote))

    assert client(nobody, "10.0.0.1", "192.0.2.1") == "10.0.0.1"
    assert client(trusting, "198.51.100.7", "192.0.2.1") == "198.51.100.7"
    assert client(trusting, "10.0.0.1", "192.0.2.1") == "192.0.2.1"
    assert client(trusting, "10.0.0.1", "6.6.6.6, 192.0.2.1, 10.0.0.2") == "192.0.2.1"
    assert client(trusting, "2001:db8::1", "2001:db8:9::1") == "2001:db8:9::1"
    assert client(trusting, "10.0.0.1", "nonsense") == "10.0.0.1"
    assert client(trusting, "10.0.0.1", "") == "10.0.0.1"


@pytest.mark.parametrize(
    ("address", "household"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("", ""),
    ],
)
def test_a_household_is_one_address_or_one_network(address: str, household: str) -> None:
    assert household_of(address) == household
