"""A portal in production gives a scanner nothing: what graphql-cop and its like look for, one by one.

Twice: as delivered, where only registered documents are answered, and with every document let in, so that what stands
behind the registry holds alone.
"""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.conftest import Cluster
from tests.house import House, opened

INTROSPECTION = "query cop { __schema { types { name fields { name } } } }"
CIRCULAR = "query cop { __schema { types { fields { type { fields { type { fields { type { name } } } } } } } } }"
ALIASES = "query cop { " + " ".join(f"alias{n}: __typename" for n in range(101)) + " }"
DUPLICATES = "query cop { " + "__typename " * 500 + "}"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    text: str
    headers: dict[str, str]

    @property
    def body(self) -> Any:
        """The JSON, where it is some."""
        return json.loads(self.text)

    @property
    def data(self) -> Any:
        """The data, where there is some."""
        return self.body.get("data") if isinstance(self.body, dict) else self.body


@pytest.fixture(scope="module", params=[(), ("ANONYMOUS",)], ids=["registered", "free"])
async def town(request: pytest.FixtureRequest, cluster: Cluster) -> AsyncIterator[House]:
    """Run a portal in production."""
    server = {"port": 0, "production": True, "free_queries": list(request.param)}
    async with cluster.database("city") as made, opened(made.dsn, server=server) as house:
        yield house


async def send(house: House, method: str = "POST", **more: Any) -> Answer:
    """Send anything."""
    async with house.http.request(method, f"{house.url}/graphql", **more) as answer:
        return Answer(answer.status, await answer.text(), dict(answer.headers))


async def ask(house: House, query: str, **more: Any) -> Answer:
    """Send a query as scanners do."""
    return await send(house, json={"query": query, "operationName": "cop", **more})


@pytest.mark.parametrize("query", [INTROSPECTION, CIRCULAR, 'query cop { __type(name: "Query") { name } }'])
async def test_the_schema_is_not_told(town: House, query: str) -> None:
    answer = await ask(town, query)
    assert answer.data is None and answer.body["errors"]
    assert "Family" not in answer.text


@pytest.mark.parametrize("query", ["query cop { __schema { directive } }", "query cop { viewr { famly } }"])
async def test_names_are_not_proposed(town: House, query: str) -> None:
    answer = await ask(town, query)
    assert answer.data is None and "Did you mean" not in answer.text


async def test_there_is_no_explorer(town: House) -> None:
    for path in ("/graphql", "/graphiql/", "/graphiql", "/playground", "/console", "/graphiql/page.js", "/"):
        async with town.http.get(f"{town.url}{path}", headers={"Accept": "text/html"}) as answer:
            text = await answer.text()
            assert answer.status in (400, 404, 405, 406)
            assert not any(word in text.lower() for word in ("graphiql", "playground", "<html"))


@pytest.mark.parametrize("query", ["query cop { __typename }", "mutation cop { __typename }"])
async def test_nothing_free_is_executed_by_get(town: House, query: str) -> None:
    answer = await send(town, "GET", params={"query": query})
    assert answer.status == 405 and "data" not in answer.body


async def test_forms_are_not_read(town: House) -> None:
    for headers in (FORM, {"Content-Type": "text/plain"}):
        answer = await send(town, data=b"query=query+cop+%7B+__typename+%7D", headers=headers)
        assert answer.status == 415 and "data" not in answer.body


@pytest.mark.parametrize("query", [ALIASES, DUPLICATES])
async def test_one_request_cannot_ask_the_same_a_hundred_times(town: House, query: str) -> None:
    answer = await ask(town, query)
    assert answer.data is None and answer.body["errors"]


async def test_many_directives_are_not_judged_one_by_one(town: House) -> None:
    answer = await ask(town, "query cop { __typename @aa@aa@aa@aa@aa@aa@aa@aa@aa@aa }")
    assert answer.data is None and len(answer.body["errors"]) < 10


async def test_queries_are_not_taken_in_batches(town: House) -> None:
    answer = await send(town, json=[{"query": "query cop { __typename }"}] * 10)
    assert isinstance(answer.body, dict) and answer.data is None and len(answer.body["errors"]) == 1


async def test_nothing_of_the_inside_is_told(town: House) -> None:
    for query in ("query cop { __typename }", "qwerty cop { abc }", "query cop { node(id: 5) { id } }"):
        answer = await ask(town, query)
        for error in answer.body.get("errors", []):
            assert set(error["extensions"]) <= {"code", "id", "retryAfter"}
        assert set(answer.body.get("extensions", {})) <= {"cost"}
        assert not any(word in answer.text for word in ("Traceback", "tracing", "exception", "asyncpg", ".py"))
        assert answer.headers["Server"] == "kiosque" and "X-Powered-By" not in answer.headers


async def test_the_health_of_the_portal_stays_readable(town: House) -> None:
    for path in ("/live", "/ready", "/metrics"):
        async with town.http.get(f"{town.url}{path}") as answer:
            assert answer.status == 200
