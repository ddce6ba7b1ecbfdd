"""Every answer says what its request cost: a field 1, a connection what is under it times the page asked for."""

from db.ids import uuid7
from tests.house import ACCEPT, START, House

KINDS = "query ($n: Int) { procedureKinds(first: $n) { edges { node { code service { name } } } } }"
REFUSED = "{ viewer { family { number } } procedures(first: 2) { totalCount } }"


def kinds(page: int) -> int:
    """Count the catalogue's query: the connection, and each time edges, node, code, service and its name."""
    return 1 + page * 5


async def test_an_answer_says_the_cost_of_its_request(house: House) -> None:
    assert (await house.ask(KINDS, n=3)).body["extensions"] == {"cost": kinds(3)}
    assert (await house.ask(KINDS)).body["extensions"] == {"cost": kinds(20)}


async def test_ids_cost_as_many_times_what_is_asked_of_each(house: House) -> None:
    """So a hundred reports by their ids are no cheaper than a hundred reports."""
    text = 'query ($ids: [ID!]! = ["a", "b"]) { nodes(ids: $ids) { __typename id } }'
    assert (await house.ask(text, ids=["x"] * 30)).body["extensions"] == {"cost": 1 + 30 * 2}
    assert (await house.ask(text)).body["extensions"] == {"cost": 1 + 2 * 2}
    assert (await house.ask('{ nodes(ids: ["x", "y", "z"]) { id } }')).body["extensions"] == {"cost": 1 + 3}
    assert (await house.ask('{ nodes(ids: "x") { id } }')).body["extensions"] == {"cost": 1 + 1}
    dear = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Family { invoices(first: 20) { edges { cursor } } } } }"
    refused = await house.ask(dear, ids=["x"] * 100)
    assert (refused.status, refused.codes) == (400, ["TOO_COSTLY"])


async def test_the_cost_is_told_in_both_lanes(house: House) -> None:
    lanes = house.opened.health.executor.lanes if house.opened else {}
    before = dict(lanes)
    planned = await house.ask("query Planned { procedureKinds(first: 2) { totalCount } }")
    walked = await house.ask("query Walked { procedureKinds(first: 2) { totalCount } __schema { __typename } }")
    assert set(lanes) - set(before) == {("planned", "Planned"), ("walked", "Walked")}
    assert planned.body["extensions"] == {"cost": 1 + 2}
    assert walked.body["extensions"] == {"cost": 1 + 2 + 2}


async def test_a_mutation_and_a_refused_read_say_their_cost_too(house: House) -> None:
    _, token = await house.member()
    begun = await house.ask(START, token, kind="cantine", key=str(uuid7()))
    assert begun.body["extensions"] == {"cost": 1 + (1 + 3) + (1 + 4)}
    refused = await house.ask(ACCEPT, token, procedure=begun.data["startProcedure"]["procedure"]["id"])
    assert refused.body["extensions"] == {"cost": 1 + (1 + 3) + (1 + 2)}
    assert refused.codes or refused.data["acceptProcedure"]["problems"]
    nobody = await house.ask(REFUSED)
    assert nobody.codes and nobody.body["extensions"] == {"cost": 3 + (1 + 2)}
