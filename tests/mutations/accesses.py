"""Who may call a field, widened door by door: everybody, one kind or role more, before the terms, in maintenance.

Doors on rows are widened for those who see the row: to nobody else are they ever shown.
"""

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from graphql import GraphQLObjectType

import schema
from resolvers.problems import Refusal
from resolvers.reading.mapping import DEFINITION
from resolvers.viewer import Kind, Viewer
from schema.access import EVERYBODY, METADATA, STAFF, Access, InMaintenance, declared
from tests.attacks.test_doors import CALLERS, ROOTS, WAYS, Door, Street, doors
from tests.attacks.test_doors_on_rows import callers, every_door, sees, wrong
from tests.mutations.mutant import Mutant
from tests.test_isolation import Town

NOTICING = "tests/attacks/test_doors.py::test_every_door_opens_for_whom_the_contract_names_and_for_nobody_else"
ON_ROWS = "tests/attacks/test_doors_on_rows.py::test_every_door_on_a_row_opens_for_whom_the_contract_names"
DURING = "tests/attacks/test_doors.py::test_during_maintenance_commands_open_for_whom_the_contract_names"


def mutants() -> list[Mutant]:
    """Give the mutants of every field, but of rows, that says who may."""
    return [_mutant(*each) for each in _wider((*ROOTS, *WAYS))]


def _wider(holders: Iterable[str]) -> Iterator[tuple[str, str, str, Access]]:
    for holder in holders:
        named = schema.build().graphql.type_map[holder]
        for name, field in (named.fields if isinstance(named, GraphQLObjectType) else {}).items():
            access = declared(field)
            for how, wider in widened(access, command=holder == "Mutation") if access else ():
                yield holder, name, how, wider


def _mutant(holder: str, name: str, how: str, wider: Access) -> Mutant:
    return Mutant("access", f"{holder}.{name} {how}", partial(widen, _field(holder, name), wider))


def _field(holder: str, name: str) -> Any:
    named = schema.build().graphql.type_map[holder]
    assert isinstance(named, GraphQLObjectType)
    return named.fields[name]


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
    for mutant in mutants:
        parent, _, name = mutant.name.split(" ")[0].partition(".")
        before = declared(_field(parent, name))
        assert before is not None, "mutants are made of what is declared"
        mutant.apply()
        try:
            found = await _first_wrong(streets, told[parent, name])
        finally:
            widen(_field(parent, name), before)
        yield mutant, found


async def mutants_on_rows(town: Town) -> list[Mutant]:
    """Give the mutants of every field of rows that open it to somebody who sees a row."""
    found = []
    for parent in sorted({door.parent for door in every_door()}):
        seeing = [viewer for viewer in callers(town).values() if await sees(town, parent, viewer)]
        for holder, name, how, wider in _wider([parent]):
            before = declared(_field(holder, name))
            if any(_permits(wider, viewer) != _permits(before, viewer) for viewer in seeing):
                found.append(_mutant(holder, name, how, wider))
    return found


def _permits(access: Access | None, viewer: Viewer) -> bool:
    try:
        if access is not None:
            access.permit(viewer)
    except Refusal:
        return False
    return True


async def noticed_on_rows(town: Town, mutants: list[Mutant]) -> AsyncIterator[tuple[Mutant, str | None]]:
    """Knock at each widened door on a row, as `ON_ROWS` does at all."""
    told = {(door.parent, door.name): door for door in every_door()}
    for mutant in mutants:
        parent, _, name = mutant.name.split(" ")[0].partition(".")
        before = declared(_field(parent, name))
        assert before is not None, "mutants are made of what is declared"
        mutant.apply()
        town.executor._ready.clear()  # type: ignore[attr-defined]
        wrongs = [await wrong(town, told[parent, name], viewer) for viewer in callers(town).values()]
        widen(_field(parent, name), before)
        yield mutant, ON_ROWS if any(wrongs) else None


async def _first_wrong(streets: Sequence[Street], door: Door) -> str | None:
    for street in streets:
        street.opened.endpoint.executor._ready.clear()  # type: ignore[attr-defined]
        for who, viewer in CALLERS.items():
            if await street.wrong(door, viewer):
                return f"{DURING}[{street.maintenance}]" if street.maintenance else f"{NOTICING}[{who}]"
    return None
