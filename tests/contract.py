"""What of a schema would break clients of an earlier one, under the policy of docs/partners.md."""

import re
from datetime import date

from graphql import GraphQLInterfaceType, GraphQLObjectType, GraphQLSchema, build_schema
from graphql.utilities import BreakingChangeType, find_breaking_changes

NAMED = re.compile(r"\b(\w+)\.(\w+)\b")
DATE = re.compile(r"\b(\d{4}-\d{2}-\d{2})\b")


def breaks(released: str, present: str, today: date) -> list[str]:
    """Give the changes from a released SDL to the present one that break clients.

    A field that was released as deprecated, with a date that has passed, may go.
    """
    before = build_schema(released)
    return [
        change.description
        for change in find_breaking_changes(before, build_schema(present))
        if not (change.type is BreakingChangeType.FIELD_REMOVED and announced(before, change.description, today))
    ]


def announced(before: GraphQLSchema, description: str, today: date) -> bool:
    """Tell whether the field that a change removes was deprecated until a day that has passed."""
    named = NAMED.search(description)
    if named is None:
        return False
    type_name, field = named.groups()
    holder = before.type_map.get(type_name)
    if not isinstance(holder, (GraphQLObjectType, GraphQLInterfaceType)):
        return False
    found = DATE.search(holder.fields[field].deprecation_reason or "")
    return found is not None and date.fromisoformat(found[1]) <= today
