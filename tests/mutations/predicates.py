"""Whose rows a read shows, weakened type by type: a kind of viewer sees all, a part of the condition is gone."""

import re
from collections.abc import AsyncIterator, Iterator, MutableMapping
from dataclasses import replace
from functools import partial

import schema
from resolvers.reading.mapping import EVERYBODY, Stored
from resolvers.reading.reader import Reader
from resolvers.viewer import Kind
from tests.mutations.mutant import Mutant
from tests.test_row_security import STAFF_SEES, Breached, walked

NOTICING = "tests/test_row_security.py::test_without_row_security_no_foreign_row_is_seen"

USUAL = ("tests/test_isolation.py", "tests/test_accounts.py", "tests/test_reading.py")


def mutants() -> list[Mutant]:
    """Give the mutants of every type."""
    found = []
    for name, stored in schema.build().mapping.tables.items():
        if EVERYBODY in stored.whose:
            continue
        for how, weaker in weakened(stored):
            found.append(Mutant("predicate", f"{name} {how}", partial(_put, name, weaker), tests=USUAL))
    return found


def weakened(stored: Stored) -> Iterator[tuple[str, Stored]]:
    """Give every way to show more."""
    for kind in Kind:
        condition = stored.seen_by(kind.value)
        if condition != "true":
            yield f"all to {kind}", replace(stored, whose={**stored.whose, kind.value: "true"})
        parts = re.split(r"\s+and\s+(?![^()]*\))", condition)
        if len(parts) > 1:
            for place, part in enumerate(parts):
                left = " and ".join(parts[:place] + parts[place + 1 :])
                yield f"to {kind} without {part}", replace(stored, whose={**stored.whose, kind.value: left})


def _put(name: str, stored: Stored) -> None:
    tables = schema.build().mapping.tables
    assert isinstance(tables, MutableMapping)
    tables[name] = stored


async def noticed(unwalled: Breached, mutants: list[Mutant]) -> AsyncIterator[tuple[Mutant, str | None]]:
    """Walk through each weakened type without the second wall, as `NOTICING` does through all."""
    mapping = schema.build().mapping
    for mutant in mutants:
        name = mutant.name.split(" ")[0]
        before = mapping.tables[name]
        mutant.apply()
        try:
            reader = Reader(mapping, unwalled.pool, schema.VIEWER_CASTS)
            await walked(replace(unwalled, reader=reader), STAFF_SEES, set(), through=name)
            found = None
        except AssertionError:
            found = NOTICING
        finally:
            _put(name, before)
        yield mutant, found
