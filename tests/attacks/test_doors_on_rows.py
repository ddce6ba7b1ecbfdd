"""Who may read a field of a row that it sees, as `schema.graphql` says it and as the running portal does it."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace

import pytest
from graphql import GraphQLObjectType

from resolvers.viewer import Kind, Viewer
from tests.attacks.test_doors import DOORS, GRAPHQL, Door, doors_on_rows, enum, selection
from tests.conftest import Cluster
from tests.documents import literal
from tests.test_isolation import Town, town_of

PEOPLE = frozenset({"FAMILY", "AGENT", "ANONYMOUS"})


def every_door() -> list[Door]:
    """Read from the contract the doors on rows; a type that opens fields to partners closes its others to them."""
    told = doors_on_rows()
    known = {(door.parent, door.name) for door in told} | {(door.parent, "id") for door in told}
    roles = frozenset(enum("AgentRole"))
    return told + [
        Door(parent, name, PEOPLE, roles, frozenset(), before_terms=True, in_maintenance="")
        for parent in sorted({door.parent for door in told if door.scopes})
        for name in _fields(parent)
        if (parent, name) not in known
    ]


def _fields(parent: str) -> list[str]:
    named = GRAPHQL.type_map[parent]
    assert isinstance(named, GraphQLObjectType)
    return list(named.fields)


def callers(town: Town) -> Mapping[str, Viewer]:
    """Everybody who sees rows of theirs, as the contract tells them apart, and strangers."""
    family, agent, partner = town.theirs.family, town.theirs.agent, town.theirs.partner
    less = {scope: replace(partner, scopes=partner.scopes - {scope}) for scope in partner.scopes}
    return {
        "the family": family,
        "the family before the terms": replace(family, terms_accepted=False),
        **{f"an agent {role}": replace(agent, roles=frozenset({role})) for role in enum("AgentRole")},
        "the partner": partner,
        **{f"the partner without {scope}": viewer for scope, viewer in less.items()},
        **{viewer.kind.value: viewer for viewer, _ in town.strangers.values()},
    }


BEFORE_TERMS = {"Page": "pages", "Tariff": "tariffs"}
"""Types of which even a family that has not accepted the terms sees rows, and where."""


async def sees(town: Town, parent: str, viewer: Viewer) -> bool:
    """Tell whether somebody sees rows of theirs of a type."""
    return "__typename" in await town.ask("query", way(town, parent, viewer, "__typename"), viewer)


async def wrong(town: Town, door: Door, viewer: Viewer) -> str | None:
    """Say how the portal does not do what the contract says of rows that a viewer sees, or None."""
    if not await sees(town, door.parent, viewer):
        return None
    answer = await town.ask("query", way(town, door.parent, viewer, selection(door)), viewer)
    said, heard = door.says(viewer), {code for code in DOORS if f'"{code}"' in answer}
    return None if heard == ({said} if said else set()) else f"contract: {said}, portal: {heard}"


def way(town: Town, parent: str, viewer: Viewer, text: str) -> str:
    """Write how to read something of rows of theirs."""
    if viewer.kind is Kind.FAMILY and not viewer.terms_accepted and parent in BEFORE_TERMS:
        return f"{BEFORE_TERMS[parent]}(first: 1) {{ edges {{ node {{ {text} }} }} }}"
    return f"nodes(ids: {literal(town.theirs.ids[parent][:20])}) {{ ... on {parent} {{ {text} }} }}"


@pytest.fixture(scope="module")
async def town(cluster: Cluster) -> AsyncIterator[Town]:
    """Open the portal on two families."""
    async with town_of(cluster) as made:
        yield made


async def test_every_door_on_a_row_opens_for_whom_the_contract_names(town: Town) -> None:
    doors, everybody = every_door(), callers(town)
    seen = {door.parent for door in doors for who in everybody.values() if await sees(town, door.parent, who)}
    assert seen == {door.parent for door in doors}, "otherwise nothing would be proven"
    found = {
        f"{door.parent}.{door.name} for {who}": await wrong(town, door, viewer)
        for door in doors
        for who, viewer in everybody.items()
    }
    assert {name: why for name, why in found.items() if why} == {}
