"""Who may call a field, widened door by door: everybody, one kind or role more, before the terms, in maintenance."""

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from graphql import GraphQLObjectType

import schema
from resolvers.reading.mapping import DEFINITION
from resolvers.viewer import Kind
from schema.access import EVERYBODY, METADATA, STAFF, Access, InMaintenance, declared
from tests.attacks.test_doors import CALLERS, Door, Street, doors
from tests.mutations.mutant import Mutant

NOTICING = "tests/attacks/test_doors.py::test_every_door_opens_for_whom_the_contract_names_and_for_nobody_else"
DURING = "tests/attacks/test_doors.py::test_during_maintenance_commands_open_for_whom_the_contract_names"


def mutants() -> list[Mutant]:
    """Give the mutants of every field that says who may."""
    found = []
    for named in schema.build().graphql.type_map.values():
        for name, field in (named.fields if isinstance(named, GraphQLObjectType) else {}).items():
            access = declared(field)
            for how, wider in widened(access, command=named.name == "Mutation") if access else ():
                found.append(Mutant("access", f"{named.name}.{name} {how}", partial(widen, field, wider)))
    return found


def widened(access: Access, *, command: bool) -> Iterator[tuple[str, Access]]:
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
    for during in InMaintenance if command else ():
        if during is not access.in_maintenance:
            yield f"in maintenance {during.name}", replace(access, in_maintenance=during)


def widen(field: Any, access: Access) -> None:
    """Give a field of the built schema another declaration, wherever it is looked at."""
    definition = field.extensions[DEFINITION]
    definition.metadata = {**definition.metadata, METADATA: access}
    guarded = field.resolve
    place = guarded.__code__.co_freevars.index("access")
    guarded.__closure__[place].cell_contents = access


async def noticed(streets: Sequence[Street], mutants: list[Mutant]) -> AsyncIterator[tuple[Mutant, str | None]]:
    """Knock at each widened door, as `NOTICING` does at all; gives the test's name where it opens to others."""
    told = {(door.parent, door.name): door for door in doors()}
    graphql = schema.build().graphql
    for mutant in mutants:
        parent, _, name = mutant.name.split(" ")[0].partition(".")
        holder: Any = graphql.type_map[parent]
        before = declared(holder.fields[name])
        assert before is not None, "mutants are made of what is declared"
        mutant.apply()
        try:
            found = await _first_wrong(streets, told[parent, name])
        finally:
            widen(holder.fields[name], before)
        yield mutant, found


async def _first_wrong(streets: Sequence[Street], door: Door) -> str | None:
    for street in streets:
        street.opened.endpoint.executor._ready.clear()  # type: ignore[attr-defined]
        for who, viewer in CALLERS.items():
            if await street.wrong(door, viewer):
                return f"{DURING}[{street.maintenance}]" if street.maintenance else f"{NOTICING}[{who}]"
    return None
