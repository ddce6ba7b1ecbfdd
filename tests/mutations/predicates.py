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
from tests.test_row_security import CONSTANTS, STAFF_SEES, Breached, seen_by, strangers, ways
from tests.walks import Way

NOTICING = "tests/test_row_security.py::test_without_row_security_no_foreign_row_is_seen"

OF_NOBODY = {
    "Account": "tests/attacks/test_hidden.py::test_what_has_ended_is_listed_no_more",
    "DeadLetter": "tests/test_row_security.py::test_without_row_security_administrators_see_only_what_was_put_aside",
    "Session": "tests/attacks/test_hidden.py::test_what_has_ended_is_listed_no_more",
    "PageVersion": "tests/attacks/test_hidden.py::test_versions_of_pages_are_shown_to_editors_only",
    **dict.fromkeys(
        ("StatisticsRow", "RevenueRow"),
        "tests/test_row_security.py::"
        "test_without_row_security_counts_of_ones_own_services_need_the_scope_or_the_till_all_the_same",
    ),
}
"""What hides rows by their state or from their own family, or rows that are no family's: no canary can tell."""

OUT_OF_REACH = {
    "TermsAcceptance": "is read below a family or a login only, which are seen by their own",
    "WebhookAttempt": "is read below a delivery only, which is seen by its partner",
}
"""Types of which nobody can name a row without seeing something else first."""


def mutants() -> list[Mutant]:
    """Give the mutants of every type."""
    found = []
    for name, stored in schema.build().mapping.tables.items():
        if EVERYBODY in stored.whose or name in OUT_OF_REACH:
            continue
        for how, weaker in weakened(stored):
            found.append(Mutant("predicate", f"{name} {how}", partial(_put, name, weaker), tests=_tests(name)))
    return found


def _tests(name: str) -> tuple[str, ...]:
    return (OF_NOBODY[name],) if name in OF_NOBODY else ()


def weakened(stored: Stored) -> Iterator[tuple[str, Stored]]:
    """Give every way to show more."""
    for kind in Kind:
        condition = stored.seen_by(kind.value)
        if condition != "true":
            yield f"all to {kind}", replace(stored, whose={**stored.whose, kind.value: "true"})
        parts = conjuncts(condition)
        if len(parts) > 1:
            for place, part in enumerate(parts):
                left = " and ".join(parts[:place] + parts[place + 1 :])
                yield f"to {kind} without {part}", replace(stored, whose={**stored.whose, kind.value: left})


def conjuncts(condition: str) -> list[str]:
    """Split a condition at each `and` that stands in no parentheses."""
    parts, depth = [""], 0
    for word in re.split(r"(\s+|[()])", condition):
        depth += (word == "(") - (word == ")")
        if word == "and" and depth == 0:
            parts.append("")
        else:
            parts[-1] += word
    return [part.strip() for part in parts]


def _put(name: str, stored: Stored) -> None:
    tables = schema.build().mapping.tables
    assert isinstance(tables, MutableMapping)
    tables[name] = stored


async def noticed(unwalled: Breached, mutants: list[Mutant]) -> AsyncIterator[tuple[Mutant, str | None]]:
    """Go every way through each weakened type without the second wall, as `NOTICING` does through all: short ways
    first, and only as the kind of viewer that sees more.
    """
    built = schema.build()
    shortest_first = sorted(ways(unwalled), key=lambda way: len(way.text))
    for mutant in mutants:
        name, kind = mutant.name.split(" ")[0], next(kind for kind in Kind if f"to {kind}" in mutant.name)
        before = built.mapping.tables[name]
        mutant.apply()
        town = replace(unwalled, reader=Reader(built.mapping, unwalled.pool, schema.VIEWER_CASTS, constants=CONSTANTS))
        through = [way for way in shortest_first if any(parent == name for parent, _ in way.pairs)]
        yield mutant, await _first_seen(town, through, kind)
        _put(name, before)


async def _first_seen(town: Breached, through: list[Way], kind: Kind) -> str | None:
    allowed = STAFF_SEES if kind is Kind.AGENT else set()
    for viewer in strangers(town):
        for way in through if viewer.kind is kind else ():
            try:
                await seen_by(town, way, viewer, allowed)
            except AssertionError:
                return NOTICING
    return None
