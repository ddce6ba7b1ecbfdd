"""Every way through the schema that could show a row to somebody, generated from its fields."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
)

from tests.documents import Bare, literal
from tests.marked import Side

LINKS = ("Connection", "Edge")
"""Endings of types that only lead on to others."""


@dataclass(frozen=True, slots=True)
class Way:
    """One call of a root field and everything that can be read below it."""

    name: str
    """The root field."""
    text: str
    """The selection, from the root field on."""
    pairs: frozenset[tuple[str, str]]
    """Every (type, field) in it."""


@dataclass(slots=True, eq=False)
class Place:
    """A place in a selection where fields of an object are read."""

    named: GraphQLObjectType
    call: str
    plain: list[str] = field(default_factory=lambda: ["__typename"])
    below: list["Place"] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Its selection."""
        return f"{self.call} {{ {' '.join([*self.plain, *(place.text for place in self.below)])} }}"


class Walk:
    """Every way through a schema, asked for what names one side: one document for each call of each root field.

    A type is opened where it stands nearest to the root. Where it is met again its plain fields are read, so that every
    field is followed from every root, and no document grows beyond the schema.
    """

    def __init__(
        self, schema: GraphQLSchema, given: Side, passes: Callable[[GraphQLField], bool] = lambda _: True
    ) -> None:
        """`passes` tells which fields to go through."""
        self.schema = schema
        self.given = given
        self.passes = passes

    def of(self, root: GraphQLObjectType) -> Iterator[Way]:
        """Give all ways from the fields of a root type."""
        for name, each in root.fields.items():
            if self.passes(each):
                yield from self.below(root, name)

    def below(self, root: GraphQLObjectType, name: str) -> Iterator[Way]:
        """Give the ways that begin with one root field: one for each way to call it."""
        definition = root.fields[name]
        named = get_named_type(definition.type)
        for argument in {"id", "ids"} & set(definition.args):
            yield from self._nodes(root, name, argument)
            return
        for call in self._calls(name, definition):
            if is_leaf_type(named):
                yield Way(name, call, frozenset({(root.name, name)}))
            else:
                place = Place(named, call)
                pairs = self._grown(place)
                yield Way(name, place.text, frozenset(pairs | {(root.name, name)}))

    def _nodes(self, root: GraphQLObjectType, name: str, argument: str) -> Iterator[Way]:
        """Give the ways through `node` or `nodes`: with ids of each type, as that type."""
        for type_name, found in self.given.ids.items():
            named = self.schema.type_map[type_name]
            assert isinstance(named, GraphQLObjectType), "rows are objects"
            call = _call(name, {argument: found[:50] if argument == "ids" else found[0]})
            place = Place(named, f"... on {type_name}")
            pairs = self._grown(place)
            text = f"{call} {{ __typename id {place.text} }}"
            yield Way(name, text, frozenset(pairs | {(root.name, name)}))

    def _grown(self, start: Place) -> set[tuple[str, str]]:
        """Write everything below a place; give every (type, field) that was written."""
        opened, pairs, waiting = set[str](), set[tuple[str, str]](), deque([start])
        while waiting:
            place = waiting.popleft()
            leads_on = place.named.name not in opened or place.named.name.endswith(LINKS)
            opened.add(place.named.name)
            for name, each in place.named.fields.items():
                target = get_named_type(each.type)
                if not self.passes(each) or not (leads_on or is_leaf_type(target)):
                    continue
                pairs.add((place.named.name, name))
                [call, *_] = self._calls(name, each)
                if is_leaf_type(target):
                    place.plain.append(call)
                else:
                    place.below.append(Place(target, call))
                    waiting.append(place.below[-1])
        return pairs

    def _calls(self, name: str, definition: GraphQLField) -> list[str]:
        """Give the ways to call a field: with what it needs, and with all that narrows it."""
        required = {arg for arg, each in definition.args.items() if isinstance(each.type, GraphQLNonNull)}
        pages = {"first": 100} if "first" in definition.args else {}
        needed = {arg: self.value(arg, definition.args[arg]) for arg in sorted(required)}
        narrow = {arg: self.given.arguments[arg] for arg in definition.args if arg in self.given.arguments}
        for arg in definition.args:
            own = self.given.arguments.get(f"{name}.{arg}")
            narrow |= {arg: own} if own else {}
        calls = [pages | needed, pages | needed | narrow] if narrow else [pages | needed]
        return [_call(name, arguments) for arguments in calls]

    def value(self, name: str, argument: GraphQLArgument) -> Any:
        """Give a value that names this side, or any where the argument names nobody."""
        if name in self.given.arguments:
            return self.given.arguments[name]
        named = get_named_type(argument.type)
        if isinstance(named, GraphQLEnumType):
            every = [Bare(value) for value in named.values]
            return every if is_list_type(get_nullable_type(argument.type)) else every[0]
        return ANY[name]


ANY: dict[str, Any] = {
    "day": "2026-01-05",
    "code": "cantine",
    "version": 1,
    "slug": "mentions-legales",
    "latitude": 44.8,
    "longitude": -0.6,
}


def _call(name: str, arguments: Mapping[str, Any]) -> str:
    written = ", ".join(f"{arg}: {literal(value)}" for arg, value in arguments.items())
    return f"{name}({written})" if written else name


def values(answer: Any, found: dict[tuple[str, str], list[Any]]) -> None:
    """Gather every value of an answer by (type, field); each object of it tells its type."""
    if isinstance(answer, list):
        for item in answer:
            values(item, found)
    elif isinstance(answer, dict):
        for name, value in answer.items():
            if value is not None and "__typename" in answer:
                found.setdefault((answer["__typename"], name), []).append(value)
            if name not in ("answers", "form"):
                values(value, found)
