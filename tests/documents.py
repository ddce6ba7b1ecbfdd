"""Random documents over the whole schema: every way of writing a selection that the specification allows.

A document is made from a seed, so that a failing one can be made again. Same-named fields of one object are written
alike, so that they merge; what validation refuses all the same is thrown away and the next one is tried.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    parse,
    validate,
)

from resolvers.reading.mapping import node_type

ALIASES = ("id", "name", "select", "null", "true", "_", "__proto__", "constructor", "a1", "A1", "j", "t1", "s")
PAGE = ("first", "after", "last", "before")
SIZES = (0, 1, 1, 2, 2, 3, 5, 100, None)


@dataclass(frozen=True, slots=True)
class Supply:
    """Values worth asking for."""

    arguments: Mapping[str, Sequence[Any]]
    """By name of the argument, or by name and type (`until:Date`) where several have it."""

    cursors: Mapping[str, Sequence[str]]
    """By name of the type that a list holds, or by type and field (`Page@pages`) where these differ."""
    ranked: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Per type of a list: arguments that bring an order of their own."""


@dataclass(frozen=True, slots=True)
class Written:
    """One document and the variables that go with it."""

    text: str
    node: DocumentNode
    variables: dict[str, Any]
    wrong: bool
    """True when some page is asked for in a way that is refused."""


@dataclass(slots=True)
class Level:
    """What is selected at one place of the answer, by key."""

    calls: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    """Key → field, how it is called, its type."""
    below: dict[str, "Level"] = field(default_factory=dict)


def document(schema: GraphQLSchema, supply: Supply, roots: Sequence[str], seed: int) -> Written:
    """Give the valid query of a seed."""
    random = Random(seed)
    while True:
        written = Author(schema, supply, random).query(roots)
        if not validate(schema, written.node, max_errors=1):
            return written


class Author:
    """Writes one document."""

    def __init__(self, schema: GraphQLSchema, supply: Supply, random: Random) -> None:
        self.schema = schema
        self.supply = supply
        self.random = random
        self.declared: list[str] = []
        self.variables: dict[str, Any] = {}
        self.fragments: list[tuple[str, GraphQLNamedType, str]] = []
        self.numbers = 0
        self.wrong = False
        self.budget = random.choice((10, 20, 40, 80))

    def query(self, roots: Sequence[str]) -> Written:
        """Write a query that selects some of the root fields."""
        root = self.schema.query_type
        assert root is not None
        level, depth = Level(), self.random.choice((3, 4, 5, 6, 7))
        names = [self.random.choice(roots) for _ in range(self.random.choice((1, 1, 2, 3)))]
        parts = [self._field(root, root.fields[name], name, depth, level) for name in names]
        if self._chance(0.15):
            parts.append(self._fragment(root, 0, level) if self._chance(0.5) else "__typename")
        body = " ".join(parts)
        declared = f"({', '.join(self.declared)})" if self.declared else ""
        texts = [f"query Q{declared} {{ {body} }}"]
        texts += [f"fragment {name} on {on.name} {{ {inside} }}" for name, on, inside in self.fragments]
        self.random.shuffle(texts)
        text = "\n".join(texts)
        return Written(text, parse(text), self.variables, self.wrong)

    def _chance(self, share: float) -> bool:
        return self.random.random() < share

    def _new(self, prefix: str) -> str:
        self.numbers += 1
        return f"{prefix}{self.numbers}"

    def _selection(self, parent: GraphQLNamedType, depth: int, level: Level) -> str:
        assert isinstance(parent, (GraphQLObjectType, GraphQLInterfaceType))
        width = self.random.choice((1, 2, 2, 3, 3, 4, 6)) if self.budget > 0 else 1
        parts = [self._part(parent, depth if self.budget > 0 else 0, level) for _ in range(width)]
        if isinstance(parent, GraphQLInterfaceType):
            possible = self.random.sample(self.schema.get_possible_types(parent), k=2 if self.budget > 0 else 0)
            parts += [f"... on {each.name} {{ {self._selection(each, depth, level)} }}" for each in possible]
        if self._chance(0.004) and isinstance(parent, GraphQLObjectType):
            leaves = [name for name, each in parent.fields.items() if is_leaf_type(get_named_type(each.type))]
            parts += [f"{self._new('wide')}: {self.random.choice([*leaves, '__typename'])}" for _ in range(120)]
        self.random.shuffle(parts)
        return " ".join(parts)

    def _part(self, parent: GraphQLObjectType | GraphQLInterfaceType, depth: int, level: Level) -> str:
        if self._chance(0.16) and self.budget > 0:
            return self._fragment(parent, depth, level)
        leaves = [name for name, each in parent.fields.items() if is_leaf_type(get_named_type(each.type))]
        objects = [name for name in parent.fields if name not in leaves] if depth > 0 else []
        if not (leaves or objects) or self._chance(0.05):
            return self._leaf(level, "__typename", "String!")
        name = self.random.choice(objects if objects and (not leaves or self._chance(0.45)) else leaves)
        return self._field(parent, parent.fields[name], name, depth, level)

    def _leaf(self, level: Level, name: str, type_name: str) -> str:
        self.budget -= 1
        return f"{self._keyed(level, name, name, type_name)[1]}{self._directives()}"

    def _field(self, parent: Any, definition: GraphQLField, name: str, depth: int, level: Level) -> str:
        self.budget -= 1
        named = get_named_type(definition.type)
        again = [key for key, (known, _, _) in level.calls.items() if known == name]
        if again and self._chance(0.3):
            key = self.random.choice(again)
            call = level.calls[key][1]
            text = call if key == name else f"{key}: {call}"
        else:
            call = f"{name}{self._arguments(definition, name)}"
            key, text = self._keyed(level, name, call, str(definition.type))
        text += self._directives()
        if is_leaf_type(named):
            return text
        # Connections and edges do not count as levels of their own.
        down = depth if named.name.endswith(("Connection", "Edge")) or named.name == "PageInfo" else depth - 1
        return f"{text} {{ {self._selection(named, down, level.below.setdefault(key, Level()))} }}"

    def _keyed(self, level: Level, name: str, call: str, type_name: str) -> tuple[str, str]:
        """Choose the key of a call: the field's name, an alias, or one that nothing else has."""
        key = self.random.choice(ALIASES) if self._chance(0.25) else name
        wanted = (name, call, type_name)
        if level.calls.setdefault(key, wanted) != wanted:
            key = self._new("k")
            level.calls[key] = wanted
        return key, call if key == name else f"{key}: {call}"

    def _fragment(self, parent: GraphQLObjectType | GraphQLInterfaceType, depth: int, level: Level) -> str:
        over = [parent, *parent.interfaces] if isinstance(parent, GraphQLObjectType) else [parent]
        known = [name for name, on, _ in self.fragments if on in over]
        if known and self._chance(0.4):
            return f"...{self.random.choice(known)}{self._directives()}"
        on = self.random.choice(over)
        if self._chance(0.5):
            condition = f" on {on.name}" if on is not parent or self._chance(0.5) else ""
            return f"...{condition}{self._directives()} {{ {self._inside(on, depth, level)} }}"
        name = self._new("F")
        inside = self._inside(on, depth, level)
        self.fragments.append((name, on, inside))
        return f"...{name}{self._directives()}"

    def _inside(self, on: GraphQLObjectType | GraphQLInterfaceType, depth: int, level: Level) -> str:
        if on is self.schema.query_type:
            return "__typename"
        return self._selection(on, depth - 1, level)

    def _directives(self) -> str:
        if self._chance(0.85):
            return ""
        names = self.random.sample(("include", "skip"), k=self.random.choice((1, 1, 1, 2)))
        return "".join(f" @{name}(if: {self._condition()})" for name in names)

    def _condition(self) -> str:
        value = self._chance(0.5)
        if self._chance(0.3):
            return str(value).lower()
        name = self._new("v")
        default = self._chance(0.3)
        self.declared.append(f"${name}: Boolean" + (f" = {str(not value).lower()}" if default else "!"))
        if not default or self._chance(0.5):
            self.variables[name] = value
        return f"${name}"

    def _arguments(self, definition: GraphQLField, of: str) -> str:
        chosen: dict[str, Any] = {}
        for name, argument in definition.args.items():
            required = isinstance(argument.type, GraphQLNonNull)
            if name not in PAGE and (required or self._chance(0.4)):
                chosen[name] = self._value(name, argument.type)
        if "first" in definition.args:
            chosen |= self._page(definition, of, chosen)
        parts = [f"{name}: {self._written(definition.args[name], value)}" for name, value in chosen.items()]
        return f"({', '.join(parts)})" if parts else ""

    def _page(self, definition: GraphQLField, of: str, chosen: dict[str, Any]) -> dict[str, Any]:
        """Choose a page; an order that has cursors of its own takes no others, nor does one that an argument brings."""
        connection = get_named_type(definition.type)
        assert isinstance(connection, GraphQLObjectType)
        name = node_type(connection).name
        usual = self.supply.cursors.get(f"{name}@{of}", self.supply.cursors.get(name, ()))
        cursors = [*self.supply.cursors.get(f"{name}.{_order(definition, chosen)}", usual), None]
        if any(chosen.get(argument) is not None for argument in self.supply.ranked.get(name, ())):
            cursors = [None]
        size, cursor = self.random.choice(SIZES), self.random.choice(cursors)
        forward = {"first": size, "after": cursor}
        backward = {"last": size if size is not None else 2, "before": cursor}
        if self._chance(0.005):
            self.wrong = True
            return {"first": size, "before": self.random.choice(("", "AAAA", "WyJhIl0="))}
        return dict(self.random.choice([{}, {"first": size}, forward, forward, {"last": 2}, backward, backward]))

    def _value(self, name: str, wanted: Any) -> Any:
        inner = get_nullable_type(wanted)
        if isinstance(wanted, GraphQLNonNull) or self._chance(0.9):
            if isinstance(inner, GraphQLList):
                return [
                    self._value(name, GraphQLNonNull(get_named_type(inner))) for _ in range(self.random.randrange(5))
                ]
            if isinstance(inner, GraphQLEnumType):
                return Bare(self.random.choice(list(inner.values)))
            own = f"{name}:{get_named_type(inner).name}"
            known = own if own in self.supply.arguments else name
            assert known in self.supply.arguments, f"say in the supply what `{name}` may be"
            return self.random.choice(self.supply.arguments[known])
        return None

    def _written(self, argument: GraphQLArgument, value: Any) -> str:
        """Write a value as it is or as a variable, with or without a default."""
        if self._chance(0.5):
            return literal(value)
        name, required = self._new("v"), isinstance(argument.type, GraphQLNonNull)
        wanted = get_nullable_type(argument.type)
        default = value is not None and self._chance(0.3)
        self.declared.append(f"${name}: {wanted}" + (f" = {literal(value)}" if default else "!" if required else ""))
        given = self._chance(0.3) if default else required or value is not None or self._chance(0.5)
        if given:
            self.variables[name] = plain(value)
        return f"${name}"


def _order(definition: GraphQLField, chosen: Mapping[str, Any]) -> Any:
    """Give the name of the order that is asked for; the first of the enum is the usual one."""
    if "orderBy" not in definition.args:
        return None
    enum = get_named_type(definition.args["orderBy"].type)
    assert isinstance(enum, GraphQLEnumType)
    return chosen.get("orderBy") or next(iter(enum.values))


class Bare(str):
    """The name of an enum's value."""


def literal(value: Any) -> str:
    """Write a value in GraphQL."""
    if isinstance(value, Bare):
        return value
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    return json.dumps(value, ensure_ascii=False)


def plain(value: Any) -> Any:
    """Give a value as it stands in JSON variables."""
    return (
        [plain(item) for item in value] if isinstance(value, list) else str(value) if isinstance(value, Bare) else value
    )
