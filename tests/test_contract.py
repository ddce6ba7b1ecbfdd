"""The schema breaks no client of the last release; docs/partners.md says what clients can rely on."""

from datetime import date
from pathlib import Path

import pytest
from graphql import build_schema

from tests.contract import breaks

ROOT = Path(__file__).parents[1]
RELEASED = ROOT / "docs" / "released.graphql"
TODAY = date(2026, 11, 23)
BEFORE = """
    type Query {
        procedure(reference: String!): Procedure
        old: String @deprecated(reason: "Until 2026-06-30: use procedure.")
    }
    type Procedure { reference: String! status: Status }
    enum Status { OPEN CLOSED }
"""


def test_the_schema_breaks_no_client_of_the_last_release() -> None:
    """At a release `schema.graphql` is copied to `docs/released.graphql`."""
    present = (ROOT / "schema.graphql").read_text(encoding="utf-8")
    assert breaks(RELEASED.read_text(encoding="utf-8"), present, date.today()) == []


def test_what_clients_build_on_is_in_the_baseline() -> None:
    """A baseline that somebody emptied would let anything pass."""
    before = build_schema(RELEASED.read_text(encoding="utf-8"))
    assert before.query_type is not None and before.mutation_type is not None and before.subscription_type is not None
    assert {"procedures", "statistics", "webhooks"} <= before.query_type.fields.keys()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("reference: String! ", ""),
        ("reference: String! ", "reference: Int! "),
        ("reference: String! ", "reference: String "),
        ("(reference: String!)", "(reference: String!, year: Int!)"),
        ("OPEN CLOSED", "OPEN"),
        ("type Procedure", "interface Procedure"),
    ],
)
def test_what_breaks_clients_is_found(old: str, new: str) -> None:
    assert old in BEFORE
    assert breaks(BEFORE, BEFORE.replace(old, new), TODAY) != []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("status: Status", "status: Status more: String"),
        ("status: Status", "status: Status!"),
        ("(reference: String!)", "(reference: String!, year: Int)"),
        ("OPEN CLOSED", "OPEN CLOSED NEW"),
        ('old: String @deprecated(reason: "Until 2026-06-30: use procedure.")', ""),
    ],
)
def test_what_breaks_nobody_passes(old: str, new: str) -> None:
    assert old in BEFORE
    assert breaks(BEFORE, BEFORE.replace(old, new), TODAY) == []


def test_a_field_goes_only_after_the_day_that_was_announced() -> None:
    gone = BEFORE.replace('old: String @deprecated(reason: "Until 2026-06-30: use procedure.")', "")
    [told] = breaks(BEFORE, gone, date(2026, 6, 29))
    assert "Query.old" in told
