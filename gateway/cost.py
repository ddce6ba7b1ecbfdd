"""The cost of an operation: a field costs 1, a connection multiplies what is under it by the page asked for, and a list
of ids by their number.

Both may be variables, so a cost is kept as a sum that is worked out again with the values of each request.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    FieldNode,
    GraphQLArgument,
    GraphQLField,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    ValueNode,
    VariableNode,
)

SATURATED = 1_000_000_000
"""No cost is counted further than this: a hostile document multiplies without end."""

PAGE_ARGUMENTS = ("first", "last")
IDS = "ids"
"""The argument of `nodes`."""

Page = int | str
"""Entries asked for: a number, or the name of the variable that holds it."""


@dataclass(slots=True, eq=False)
class Weight:
    """What a selection costs: a fixed part, and parts that depend on variables. Not changed once it is counted."""

    fixed: int = 0
    parts: list[tuple[Page, "Weight"]] = field(default_factory=list)

    def times(self, page: Page) -> "Weight":
        """Multiply by a page, given as a number or as the name of a variable."""
        if isinstance(page, int) and not self.parts:
            return Weight(min(self.fixed * page, SATURATED))
        return Weight(0, [(page, self)])

    def count(self, other: "Weight") -> None:
        """Count another weight in; one that depends on variables is shared, not copied."""
        if other.parts:
            self.parts.append((1, other))
        else:
            self.fixed = min(self.fixed + other.fixed, SATURATED)

    def worth(self, pages: Mapping[str, int], seen: dict[int, int]) -> int:
        """Work the sum out; `seen` remembers shared parts, so that each is worked out once."""
        known = seen.get(id(self))
        if known is None:
            known = self.fixed
            for page, part in self.parts:
                times = page if isinstance(page, int) else pages[page]
                known = min(known + times * part.worth(pages, seen), SATURATED)
            seen[id(self)] = known
        return known


def page_of(node: FieldNode, definition: GraphQLField | None, default: int) -> Page:
    """Give what a field multiplies its children by: 1, the page of a connection, or the number of ids."""
    if definition is None or not any(name in definition.args for name in (*PAGE_ARGUMENTS, IDS)):
        return 1
    for argument in node.arguments or ():
        if argument.name.value in (*PAGE_ARGUMENTS, IDS):
            if isinstance(argument.value, VariableNode):
                return argument.value.name.value
            written = _written(argument.value)
            if written is not None:
                return written
    own = next((definition.args[name] for name in PAGE_ARGUMENTS if name in definition.args), None)
    return 1 if own is None else _default_of(own, default)


def default_pages(node: OperationDefinitionNode, default: int) -> dict[str, int]:
    """Give each variable of an operation the number it counts for when the request gives none."""
    return {
        definition.variable.name.value: default if written is None else written
        for definition in node.variable_definitions or ()
        for written in (_written(definition.default_value),)
    }


def given_pages(defaults: Mapping[str, int], variables: Mapping[str, Any]) -> dict[str, int]:
    """Give each variable the number that the request gives it, where it gives one."""
    return {name: _given(variables.get(name), default) for name, default in defaults.items()}


def _given(value: Any, default: int) -> int:
    if type(value) is list:
        return len(value)
    return min(max(value, 0), SATURATED) if type(value) is int else default


def _written(value: ValueNode | None) -> int | None:
    """Give the number that a literal is, or that a list has of values."""
    if isinstance(value, ListValueNode):
        return len(value.values)
    return _bounded(value) if isinstance(value, IntValueNode) else None


def _default_of(argument: GraphQLArgument, default: int) -> int:
    """Give the default that the schema declares, as a value or as a literal."""
    declared = argument.default_value
    if argument.default is not None:
        literal = argument.default.literal
        declared = _bounded(literal) if isinstance(literal, IntValueNode) else argument.default.value
    return declared if type(declared) is int else default


def _bounded(node: IntValueNode) -> int:
    """Read a literal; one with very many digits is not worth reading."""
    return min(max(int(node.value), 0), SATURATED) if len(node.value) < 12 else SATURATED
