"""Who may call a root field, widened door by door: for everybody, one kind or role more, before the terms."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import schema
from resolvers.reading.mapping import DEFINITION
from resolvers.viewer import Kind
from schema.access import EVERYBODY, METADATA, STAFF, Access, access_of
from tests.attacks.test_doors import CALLERS, Door, Street, doors
from tests.mutations.mutant import Mutant

NOTICING = "tests/attacks/test_doors.py::test_every_door_opens_for_whom_the_contract_names_and_for_nobody_else"


def mutants() -> list[Mutant]:
    """Give the mutants of every root field."""
    graphql = schema.build().graphql
    found = []
    for root in (graphql.query_type, graphql.mutation_type, graphql.subscription_type):
        for name, field in (root.fields if root else {}).items():
            for how, wider in widened(access_of(field)):
                full = f"{root.name}.{name} {how}" if root else name
                found.append(Mutant("access", full, partial(widen, field, wider)))
    return found


def widened(access: Access) -> Iterator[tuple[str, Access]]:
    """Give every way to ask less."""
    if access != EVERYBODY:
        yield "for everybody", EVERYBODY
    for kind in Kind:
        if kind not in access.kinds:
            yield f"for {kind} too", replace(access, kinds=access.kinds | {kind}, roles=access.roles or STAFF)
    if Kind.AGENT in access.kinds:
        for role in sorted(STAFF - access.roles):
            yield f"for {role} too", replace(access, roles=access.roles | {role})
    if Kind.FAMILY in access.kinds:
        how = "after the terms only" if access.before_terms else "before the terms"
        yield how, replace(access, before_terms=not access.before_terms)


def widen(field: Any, access: Access) -> None:
    """Give a field of the built schema another declaration, wherever it is looked at."""
    definition = field.extensions[DEFINITION]
    definition.metadata = {**definition.metadata, METADATA: access}
    guarded = field.resolve
    place = guarded.__code__.co_freevars.index("access")
    guarded.__closure__[place].cell_contents = access


async def noticed(street: Street, mutants: list[Mutant]) -> AsyncIterator[tuple[Mutant, str | None]]:
    """Knock at each widened door, as `NOTICING` does at all; gives the test's name where it opens to others."""
    told = {(door.root, door.name): door for door in doors()}
    graphql = schema.build().graphql
    for mutant in mutants:
        root, _, name = mutant.name.split(" ")[0].partition(".")
        holder: Any = graphql.type_map[root]
        before = access_of(holder.fields[name])
        mutant.apply()
        try:
            found = await _first_wrong(street, told[root.lower(), name])
        finally:
            widen(holder.fields[name], before)
        yield mutant, found and f"{NOTICING}[{found}]"


async def _first_wrong(street: Street, door: Door) -> str | None:
    street.opened.endpoint.executor._ready.clear()  # type: ignore[attr-defined]
    for who, viewer in CALLERS.items():
        said = door.says(viewer)
        if await street.knock(door, viewer) != ({said} if said else set()):
            return who
    return None
