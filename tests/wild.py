"""Operations as nobody writes them: any root field of a read or a write, any argument with any value.

An operation is made from a seed, so that a failing one can be made again. Unlike `tests.documents`, which writes what
is answered, this writes what may well be refused: values of another type, texts that were never meant, ids of others.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
)

from tests.rows import ANSWERS, DAYS, MOMENTS, TEXTS

INTEGERS = (-1, 0, 1, 2, 7, 100, 101, 2**31 - 1, -(2**31), 2**31, 10**18)
ADDRESSES = (
    "a@example.org",
    "é@exámple.org",
    "a@b",
    "",
    "x" * 300 + "@example.org",
    "a@example.org\r\nBcc: b@example.org",
)
PHONES = ("+33612345678", "0612345678", "+", "112")
ANYTHING: tuple[Any, ...] = (None, True, 0, -1.5, 1e300, "", "é", [], {}, [[None]], {"a": {"b": [1]}}, "null")
SENSIBLE = 0.85
DEPTH = 4


@dataclass(slots=True)
class Wild:
    """Writes one operation."""

    schema: GraphQLSchema
    supply: Mapping[str, Sequence[Any]]
    """Values worth giving, by name of the argument; any other text comes from what no client sends."""
    random: Random
    variables: dict[str, Any] = field(default_factory=dict)
    _declared: list[str] = field(default_factory=list)

    def operation(self, kind: str) -> str:
        """Write a `query` or a `mutation`."""
        root = self.schema.query_type if kind == "query" else self.schema.mutation_type
        assert root is not None
        names = self.random.choices(list(root.fields), k=self.random.choice((1, 1, 1, 2, 3)))
        body = " ".join(f"r{at}: {self._field(name, root.fields[name], DEPTH)}" for at, name in enumerate(names))
        declared = f"({', '.join(self._declared)})" if self._declared else ""
        return f"{kind} Wild{declared} {{ {body} }}"

    def _field(self, name: str, definition: GraphQLField, depth: int) -> str:
        below = get_named_type(definition.type)
        selection = "" if is_leaf_type(below) else f" {{ {self._selection(below, depth - 1)} }}"
        return f"{name}{self._arguments(definition)}{selection}"

    def _selection(self, parent: GraphQLNamedType, depth: int) -> str:
        if not isinstance(parent, (GraphQLObjectType, GraphQLInterfaceType)):
            return "__typename"
        leaves = [name for name, each in parent.fields.items() if is_leaf_type(get_named_type(each.type))]
        deeper = [name for name in parent.fields if name not in leaves] if depth > 0 else []
        chosen = self.random.sample(leaves, k=min(len(leaves), self.random.choice((0, 1, 2, 4))))
        chosen += self.random.sample(deeper, k=min(len(deeper), self.random.choice((0, 1, 1, 2))))
        parts = [f"f{at}: {self._field(name, parent.fields[name], depth)}" for at, name in enumerate(chosen)]
        if isinstance(parent, GraphQLInterfaceType) and depth > 0:
            each = self.random.choice(self.schema.get_possible_types(parent))
            parts.append(f"... on {each.name} {{ g: __typename {self._inner(each, depth - 1)} }}")
        return " ".join(parts) or "__typename"

    def _inner(self, parent: GraphQLObjectType, depth: int) -> str:
        """Write a selection whose keys meet no other's."""
        return " ".join(
            f"{name}_in: {self._field(name, each, depth)}"
            for name, each in parent.fields.items()
            if self.random.random() < 0.2 and (depth > 0 or is_leaf_type(get_named_type(each.type)))
        )

    def _arguments(self, definition: GraphQLField) -> str:
        parts = [
            f"{name}: {self._given(name, argument)}"
            for name, argument in definition.args.items()
            if isinstance(argument.type, GraphQLNonNull) or self.random.random() < 0.4
        ]
        return f"({', '.join(parts)})" if parts else ""

    def _given(self, name: str, argument: GraphQLArgument) -> str:
        """Give a value as a literal, or as a variable, where another type is no fault of the document."""
        if self.random.random() < 0.4:
            return _literal(self._value(name, argument.type))
        variable = f"v{len(self._declared)}"
        self._declared.append(f"${variable}: {argument.type}")
        sensible = self.random.random() < SENSIBLE
        self.variables[variable] = _plain(
            self._value(name, argument.type) if sensible else self.random.choice(ANYTHING)
        )
        return f"${variable}"

    def _value(self, name: str, wanted: Any) -> Any:
        inner = get_nullable_type(wanted)
        if not isinstance(wanted, GraphQLNonNull) and self.random.random() < 0.15:
            return None
        if isinstance(inner, GraphQLList):
            return [self._value(name, inner.of_type) for _ in range(self.random.choice((0, 1, 1, 2, 5, 40)))]
        if isinstance(inner, GraphQLEnumType):
            return _Bare(self.random.choice(list(inner.values)))
        if isinstance(inner, GraphQLInputObjectType):
            return self._object(inner)
        return self._scalar(name, inner.name)

    def _object(self, wanted: GraphQLInputObjectType) -> dict[str, Any]:
        fields: dict[str, GraphQLInputField] = wanted.fields
        return {
            name: self._value(name, each.type)
            for name, each in fields.items()
            if isinstance(each.type, GraphQLNonNull) or self.random.random() < 0.5
        }

    def _scalar(self, name: str, kind: str) -> Any:
        worth = self.supply.get(name if kind != "ID" else "id", ())
        if worth and self.random.random() < SENSIBLE:
            return self.random.choice(worth)
        values: dict[str, Sequence[Any]] = {
            "Int": INTEGERS[:-2],
            "Float": (0.0, -1.5, 1e300),
            "Boolean": (True, False),
            "Date": (*DAYS, "2026-02-30", "x"),
            "DateTime": (*MOMENTS, "2026-02-30T00:00:00Z", "x"),
            "EmailAddress": ADDRESSES,
            "PhoneNumber": PHONES,
            "JSON": [json.loads(text) for text in ANSWERS] + [{"a": "x" * 2000}],
        }
        return self.random.choice(values.get(kind, TEXTS))


class _Bare(str):
    """The name of an enum's value."""


def _literal(value: Any) -> str:
    """Write a value in GraphQL."""
    if isinstance(value, _Bare):
        return value
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    if isinstance(value, dict):
        inside = ", ".join(f"{name}: {_literal(each)}" for name, each in value.items() if name.isidentifier())
        return f"{{{inside}}}"
    return json.dumps(value, ensure_ascii=False)


def _plain(value: Any) -> Any:
    """Give a value as it stands in JSON."""
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return str(value) if isinstance(value, _Bare) else value
