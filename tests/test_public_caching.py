"""What caches may keep: public answers to registered documents by GET, each with its validator; nothing of anybody."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from gateway.caching import VARY
from resolvers.reading.mapping import Aggregate, One
from resolvers.reading.sharing import shared_fields
from tests.conftest import Cluster, Database
from tests.house import House, opened
from tests.protocol.test_registry import digest, register
from tests.test_row_security import BUILT, CONSTANTS

PAGE = """query Page($slug: String!) { page(slug: $slug) { id slug title html publishedAt category { title }
    places(first: 3) { edges { node { name isOpen } } pageInfo { hasNextPage } }
    tariffs { edges { node { label prices { edges { node { price { formatted } } } } } } }
    kinds(phase: BEFORE) { totalCount edges { cursor node { code title } } } } }"""
SEARCH = "query Search($q: String!) { pages(search: $q, first: 5) { edges { node { ...Found } } } } " + (
    "fragment Found on Page { title highlight(search: $q) }"
)
CATALOGUE = """{ procedureKinds { edges { node { code title isOpen service { name } } } } contact { phone }
    terms { version } pageCategories { edges { node { title } } } }"""
PUBLIC = (PAGE, SEARCH, CATALOGUE)
OWN = (
    'query Viewer { viewer { id } page(slug: "mentions-legales") { title } }',
    'query Because { page(slug: "mentions-legales") { title suggestedBecause } }',
    "query Price { tariffs { edges { node { label yourPrice { quotient } } } } }",
    "query Procedures { procedures { totalCount } }",
    'query Node { node(id: "AAAA") { id } }',
    "query Status { serviceStatus { available } }",
)
SLUG = '{"slug": "mentions-legales"}'


@pytest.fixture(scope="module")
async def town(cluster: Cluster) -> AsyncIterator[House]:
    """Run a portal in production that knows the documents."""
    async with cluster.database("city") as made:
        await register(made.dsn, *PUBLIC, *OWN)
        free = ["ANONYMOUS", "FAMILY"]
        server = {"port": 0, "production": True, "public_cache_seconds": 300, "free_queries": free}
        async with opened(made.dsn, server=server, limits={"throttle": False}) as house:
            yield house


@dataclass(frozen=True, slots=True)
class Got:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def body(self) -> Any:
        """The answer, where it is one."""
        return json.loads(self.text)


async def get(house: House, document: str, token: str | None = None, **headers: str) -> Got:
    """Ask by GET for a registered document."""
    headers |= {"Authorization": f"Bearer {token}"} if token else {}
    params = {
        "documentId": f"sha256:{digest(document)}",
        "variables": SLUG if "$slug" in document else '{"q": "cantine"}',
    }
    async with house.http.get(f"{house.url}/graphql", params=params, headers=headers) as answer:
        return Got(answer.status, answer.headers, await answer.text())


@pytest.mark.parametrize("document", PUBLIC)
async def test_a_public_answer_may_be_kept_and_is_not_sent_twice(town: House, document: str) -> None:
    first = await get(town, document)
    body = first.body
    assert first.status == 200 and "errors" not in body and body["data"]
    assert first.headers["Cache-Control"] == "public, max-age=300" and first.headers["Vary"] == VARY
    etag = first.headers["ETag"]
    assert etag.startswith('"') and etag == (await get(town, document)).headers["ETag"]
    for given in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        again = await get(town, document, **{"If-None-Match": given})
        assert (again.status, again.text, again.headers["ETag"]) == (304, "", etag)
        assert again.headers["Cache-Control"] == "public, max-age=300"
    assert (await get(town, document, **{"If-None-Match": '"other"'})).status == 200


async def test_another_language_or_media_type_is_another_answer(town: House) -> None:
    tags = {
        (await get(town, PAGE, **headers)).headers["ETag"]
        for headers in ({}, {"Accept-Language": "en"}, {"Accept": "application/graphql-response+json"})
    }
    assert len(tags) == 3
    assert {"Accept", "Accept-Language", "Authorization", "Cookie"} <= set(VARY.split(", "))


async def test_a_page_that_was_written_anew_has_another_validator(town: House) -> None:
    first = await get(town, PAGE)
    connection = town.connection
    title = await connection.fetchval(
        "update page_version set title_fr = title_fr || '.' where slug = 'mentions-legales' returning title_fr"
    )
    second = await get(town, PAGE, **{"If-None-Match": first.headers["ETag"]})
    assert second.status == 200 and second.body["data"]["page"]["title"] == title
    assert second.headers["ETag"] != first.headers["ETag"]


@pytest.mark.parametrize("document", OWN)
async def test_what_may_differ_from_one_viewer_to_the_next_is_never_kept(town: House, document: str) -> None:
    answer = await get(town, document)
    assert answer.headers["Cache-Control"] == "private, no-store" and "ETag" not in answer.headers


async def test_nothing_that_is_sent_to_somebody_signed_in_is_kept(town: House) -> None:
    _, token = await town.member()
    etag = (await get(town, PAGE)).headers["ETag"]
    answer = await get(town, PAGE, token, **{"If-None-Match": etag})
    assert answer.status == 200 and answer.headers["Cache-Control"] == "private, no-store"
    assert "ETag" not in answer.headers


async def test_a_refusal_or_an_answer_to_a_post_is_never_kept(town: House) -> None:
    unknown = await get(town, "query Unknown { pages { totalCount } }")
    wrong = await town.http.get(f"{town.url}/graphql", params={"documentId": f"sha256:{digest(PAGE)}"})
    posted = await town.http.post(
        f"{town.url}/graphql",
        json={"documentId": f"sha256:{digest(PAGE)}", "variables": {"slug": "mentions-legales"}},
    )
    for answer in (unknown, wrong, posted):
        assert answer.headers["Cache-Control"] == "private, no-store" and "ETag" not in answer.headers


async def test_a_city_may_let_nothing_be_kept(city: Database) -> None:
    await register(city.dsn, PAGE)
    async with opened(city.dsn, server={"port": 0, "production": True, "public_cache_seconds": 0}) as house:
        answer = await get(house, PAGE)
        assert answer.status == 200 and answer.headers["Cache-Control"] == "private, no-store"


def test_shared_fields_read_only_what_everybody_sees() -> None:
    """Said a second time: every object that a shared field leads to has one predicate, for all kinds of viewer."""
    shared = shared_fields(BUILT.mapping, CONSTANTS.keys())
    assert {("Query", "page"), ("Query", "pages"), ("Page", "title"), ("PageConnection", "edges")} <= shared
    for parent, name in shared:
        reading = BUILT.mapping.fields.get((parent, name))
        if isinstance(reading, Aggregate):
            assert set(BUILT.mapping.tables[reading.target].whose) == {"*"}
        if isinstance(reading, One):
            assert ":family" not in reading.on and ":agent" not in reading.on
    assert not {("Query", name) for name in ("node", "nodes", "procedures", "serviceStatus")} & shared
    personal = {("Tariff", "yourPrice"), ("Page", "suggestedBecause"), ("Viewer", "suggestedPages"), ("Viewer", "id")}
    assert not personal & shared
