"""Documents by their hash: who may send what, on every transport and on every node."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from db import documents
from db.clock import utc_now
from tests.conftest import Cluster, Database
from tests.house import SIGN_IN, House, Reply, opened
from tests.live import Socket

KINDS = "query Kinds($n: Int) { procedureKinds(first: $n) { totalCount } }"
SAVE = 'mutation Refresh { refreshSession(refreshToken: "none") { problems { code } } }'
NEWS = "subscription News { news { cursor } }"
UNKNOWN = "query Unknown { procedureKinds(first: 1) { totalCount } }"
NOT_FOUND = [{"message": "PersistedQueryNotFound", "extensions": {"code": "PERSISTED_QUERY_NOT_FOUND"}}]


def digest(text: str) -> str:
    """Give the hash as clients compute it."""
    return hashlib.sha256(text.encode()).hexdigest()


def persisted(text: str) -> dict[str, Any]:
    """Give the extensions of Apollo's clients."""
    return {"persistedQuery": {"version": 1, "sha256Hash": digest(text)}}


async def register(dsn: str, *texts: str, client: str = "web") -> None:
    """Register documents, as the command does."""
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        for text in texts:
            await documents.register(connection, digest(text), client, text, ["Some"], utc_now())
    finally:
        await connection.close()


async def send(house: House, body: dict[str, Any], token: str | None = None, **headers: str) -> Reply:
    """Send any parameters."""
    headers |= {"Authorization": f"Bearer {token}"} if token else {}
    async with house.http.post(f"{house.url}/graphql", json=body, headers=headers) as answer:
        return Reply(answer.status, await answer.json(content_type=None))


async def get(house: House, **params: str) -> Reply:
    """Ask by GET."""
    async with house.http.get(f"{house.url}/graphql", params=params) as answer:
        return Reply(answer.status, await answer.json(content_type=None))


async def known_everywhere(house: House, text: str, *, known: bool = True) -> None:
    """Wait until a node has heard the bell."""
    async with asyncio.timeout(10):
        while (await send(house, {"extensions": persisted(text)})).codes.count("PERSISTED_QUERY_NOT_FOUND") == known:
            await asyncio.sleep(0.01)


@pytest.fixture(scope="module")
async def town(cluster: Cluster) -> AsyncIterator[House]:
    """Run a portal in production that knows some documents."""
    async with cluster.database("city") as made:
        await register(made.dsn, KINDS, SAVE, NEWS)
        async with opened(made.dsn, server={"port": 0, "production": True}) as house:
            yield house


async def test_a_registered_document_is_called_by_its_hash_and_by_its_text(town: House) -> None:
    by_hash = await send(town, {"extensions": persisted(KINDS), "variables": {"n": 1}})
    for body in (
        {"query": KINDS, "variables": {"n": 1}},
        {"query": KINDS, "extensions": persisted(KINDS), "variables": {"n": 1}},
        {"documentId": f"sha256:{digest(KINDS)}", "variables": {"n": 1}},
    ):
        assert (await send(town, body)).data == by_hash.data
    assert by_hash.data["procedureKinds"]["totalCount"] > 0


async def test_an_unknown_hash_is_told_in_apollos_words(town: House) -> None:
    for body in ({"extensions": persisted(UNKNOWN)}, {"documentId": f"sha256:{digest(UNKNOWN)}"}):
        answer = await send(town, body)
        assert (answer.status, answer.body) == (200, {"errors": NOT_FOUND})
        answer = await send(town, body, Accept="application/graphql-response+json")
        assert (answer.status, answer.body) == (400, {"errors": NOT_FOUND})


async def test_sending_text_and_hash_registers_nothing(town: House) -> None:
    first = await send(town, {"query": UNKNOWN, "extensions": persisted(UNKNOWN)})
    assert (first.status, first.codes) == (403, ["FORBIDDEN"])
    assert (await send(town, {"extensions": persisted(UNKNOWN)})).codes == ["PERSISTED_QUERY_NOT_FOUND"]
    assert not await town.connection.fetchval(
        "select count(*) from registered_document where hash = $1", digest(UNKNOWN)
    )


async def test_a_hash_of_another_text_is_refused_also_where_every_text_is_free(town: House, house: House) -> None:
    for portal in (town, house):
        answer = await send(portal, {"query": KINDS, "extensions": persisted(UNKNOWN)})
        assert (answer.status, answer.codes) == (400, ["BAD_REQUEST"])
        assert answer.body["errors"][0]["message"] == "provided sha does not match query"


@pytest.mark.parametrize(
    "body",
    [
        {"extensions": {"persistedQuery": {"version": 2, "sha256Hash": digest(KINDS)}}},
        {"extensions": {"persistedQuery": {"version": 1}}},
        {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": 5}}},
        {"extensions": {"persistedQuery": "yes"}},
        {"documentId": digest(KINDS)},
        {"documentId": f"md5:{digest(KINDS)}"},
        {"documentId": f"sha256:{digest(KINDS)}", "query": KINDS},
        {"extensions": {}},
    ],
)
async def test_a_hash_that_is_not_named_rightly_is_a_bad_request(town: House, body: dict[str, Any]) -> None:
    answer = await send(town, body)
    assert (answer.status, answer.codes) == (400, ["BAD_REQUEST"])


async def test_in_production_a_free_query_is_refused_whoever_asks(town: House) -> None:
    sign_in = await town.connection.fetchval("select count(*) from session")
    for query in (UNKNOWN, "{ __schema { types { name } } }", "{", "mutation { nothing }"):
        answer = await town.ask(query)
        assert (answer.status, answer.codes) == (403, ["FORBIDDEN"])
        assert "types" not in json.dumps(answer.body) and "nothing" not in json.dumps(answer.body)
    assert await town.connection.fetchval("select count(*) from session") == sign_in


async def test_viewers_whom_the_settings_name_may_send_any_document(city: Database) -> None:
    server = {"port": 0, "production": True, "free_queries": ["AGENT"]}
    async with opened(city.dsn, server=server, agents={"second_factor": "optional"}) as house:
        await register(house.dsn, SIGN_IN)
        await known_everywhere(house, SIGN_IN)
        assert (await house.ask(UNKNOWN, await house.agent())).data
        assert (await house.ask(UNKNOWN, await house.sign_in("1000000"))).codes == ["FORBIDDEN"]
        assert (await house.ask(UNKNOWN)).codes == ["FORBIDDEN"]


async def test_get_takes_a_registered_query_and_never_a_mutation(town: House) -> None:
    asked = await get(town, extensions=json.dumps(persisted(KINDS)), variables='{"n":1}')
    assert asked.data == (await get(town, documentId=f"sha256:{digest(KINDS)}")).data
    for params in (
        {"query": UNKNOWN},
        {"extensions": json.dumps(persisted(SAVE))},
        {"query": SAVE},
        {"extensions": json.dumps(persisted(NEWS))},
    ):
        assert (await get(town, **params)).status == 405


async def test_event_streams_follow_the_same_rule(town: House) -> None:
    headers = {"Accept": "text/event-stream"}
    for body, wanted in (
        ({"extensions": persisted(KINDS)}, '"totalCount"'),
        ({"query": UNKNOWN}, "FORBIDDEN"),
        ({"extensions": persisted(UNKNOWN)}, "PERSISTED_QUERY_NOT_FOUND"),
    ):
        async with town.http.post(f"{town.url}/graphql", json=body, headers=headers) as answer:
            assert wanted in await answer.text()


async def test_sockets_follow_the_same_rule(town: House) -> None:
    async with Socket(town, None) as socket:
        await socket.send("a", {"extensions": persisted(KINDS), "variables": {"n": 1}})
        assert (await socket.next("a"))["procedureKinds"]["totalCount"] > 0
        for key, body, code in (
            ("b", {"query": UNKNOWN}, "FORBIDDEN"),
            ("c", {"extensions": persisted(UNKNOWN)}, "PERSISTED_QUERY_NOT_FOUND"),
            ("d", {"documentId": f"sha256:{digest(NEWS)}"}, "UNAUTHENTICATED"),
        ):
            await socket.send(key, body)
            told = await socket.message(key)
            assert (told["type"], told["payload"][0]["extensions"]["code"]) == ("error", code)


async def test_every_node_learns_of_new_and_of_retired_documents(city: Database) -> None:
    async with (
        opened(city.dsn, server={"port": 0, "production": True}) as one,
        opened(city.dsn, server={"port": 0, "production": True}) as other,
    ):
        assert (await send(one, {"extensions": persisted(KINDS)})).codes == ["PERSISTED_QUERY_NOT_FOUND"]
        await register(city.dsn, KINDS, client="web")
        await register(city.dsn, KINDS, client="mobile")
        for node in (one, other):
            await known_everywhere(node, KINDS)
            assert (await send(node, {"extensions": persisted(KINDS)})).data
        assert await documents.retire(one.connection, "web", [digest(KINDS)], utc_now()) == 1
        await asyncio.sleep(0.2)
        assert (await send(one, {"extensions": persisted(KINDS)})).data, "the other client still has it"
        assert await documents.retire(one.connection, None, [digest(KINDS)], utc_now()) == 1
        for node in (one, other):
            await known_everywhere(node, KINDS, known=False)
            assert (await node.ask(KINDS)).codes == ["FORBIDDEN"]


async def test_unknown_hashes_do_not_reach_the_database(town: House) -> None:
    assert town.opened is not None
    pool = town.opened.process.database.pool
    lent = [await pool.acquire() for _ in range(town.settings.database.pool_size)]
    try:
        async with asyncio.timeout(3.5):  # less than whoever wants a connection waits for one
            answers = [send(town, {"extensions": persisted(f"query Q{n} {{ a }}")}) for n in range(50)]
            assert {code for answer in await asyncio.gather(*answers) for code in answer.codes} == {
                "PERSISTED_QUERY_NOT_FOUND"
            }
    finally:
        for connection in lent:
            pool.release(connection)
