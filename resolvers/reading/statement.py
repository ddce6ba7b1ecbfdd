"""A tree of fields as one parameterised SQL text in which PostgreSQL builds the finished JSON.

An object without aliases is a row whose columns have the schema's names (`row_to_json`); one with aliases is built
key by
key, and those keys are parameters: nothing that a request wrote becomes SQL.
"""

import re
from collections.abc import Callable, Sequence
from collections.abc import Mapping as MappingType
from dataclasses import dataclass, field
from typing import Any

from graphql import FieldNode, GraphQLObjectType, NameNode, SelectionSetNode, get_named_type

from resolvers.reading import arguments
from resolvers.reading.identity import id_sql
from resolvers.reading.mapping import Aggregate, Column, Computed, Embedded, Mapping, NodeById, One, Page, Stored
from resolvers.reading.pages import PageWriter
from resolvers.reading.parameters import Parameters
from resolvers.reading.selection import Document, Selected, below, fields_of, possible_types

PLAIN = re.compile(r"\{t\}\.(\w+)")
PARAMETER = re.compile(r"(?<!:):([a-z]\w*)")
ONCE = re.compile(r"\{once (.+?)\}")
NO_CASTS: MappingType[str, str] = {}
TYPE_KEY = "#type"
"""Under what a row tells its type to graphql-core: no key of a request looks like it."""
TYPE_NAME = SelectionSetNode(selections=(FieldNode(alias=NameNode(value=TYPE_KEY), name=NameNode(value="__typename")),))
PAIRS_A_CALL = 50  # a PostgreSQL function takes 100 arguments at the most


class NotPlanned(Exception):
    """A field is computed in Python: the operation goes the other way."""


@dataclass(slots=True)
class Writer:
    """Writes the statement of one operation for one kind of viewer."""

    mapping: Mapping
    document: Document
    kind: str
    casts: MappingType[str, str]
    """SQL types of the viewer's values."""
    tells_types: bool = False
    """True when graphql-core walks the rows afterwards and must know each one's type."""
    doubtful: frozenset[tuple[str, str]] = frozenset()
    """Fields that must not be planned because nobody would check what they promise."""
    constants: MappingType[str, str] = field(default_factory=dict)
    """Texts that are the same for everybody as long as the process runs, by name."""
    parameters: Parameters = field(default_factory=Parameters)
    shared: dict[str, str] = field(default_factory=dict)
    """Expressions over parameters alone that several places of the statement need, and their names."""
    _aliases: int = 0

    def alias(self) -> str:
        """Give a new name for a row source."""
        self._aliases += 1
        return f"t{self._aliases}"

    def render(
        self, template: str, *, t: str = "", o: str = "", slot: int = -1, casts: MappingType[str, str] = NO_CASTS
    ) -> str:
        """Fill a template of the mapping: row names and numbered parameters."""

        def parameter(match: re.Match[str]) -> str:
            name = match[1]
            if name.startswith("arg_"):
                return f"{self.parameters.argument(slot, name[4:], casts[name[4:]])}::{casts[name[4:]]}"
            if name.startswith("source_"):
                return f"{self.parameters.source(name[7:])}::{casts[name]}"
            if name == "now":
                return f"{self.parameters.now()}::timestamptz"
            if name in self.constants:
                return f"{self.parameters.constant(name, self.constants[name])}::text"
            return f"{self.parameters.viewer(name)}::{self.casts[name]}"

        written = PARAMETER.sub(parameter, template.replace("{t}", t).replace("{o}", o))
        return ONCE.sub(lambda found: self._once(found[1]), written)

    def _once(self, expression: str) -> str:
        """Refer to a value that is the same for all rows: equal expressions are worked out once a statement."""
        name = self.shared.setdefault(expression, f"w{len(self.shared) + 1}")
        return f"(select {name}.v from {name})"

    def statement(self, select: str) -> str:
        """Give the text of the whole statement: with the values that several places of it share."""
        shared = ", ".join(f"{name} as materialized (select {sql} as v)" for sql, name in self.shared.items())
        return f"with {shared} {select}" if shared else select

    def seen(self, stored: Stored, alias: str) -> str:
        """Give the condition under which this kind of viewer sees a row of the table."""
        return self.render(stored.seen_by(self.kind), t=alias, o=alias)

    def json(self, pairs: Sequence[tuple[Selected, str]]) -> str:
        """Give the expression of an object from its fields and theirs; an alias of the request is a value."""
        written = [
            f"{self.parameters.key(selected.key) if selected.aliased else literal(selected.key)}, {sql}"
            for selected, sql in pairs
        ]
        calls = [
            f"json_build_object({', '.join(written[n : n + PAIRS_A_CALL])})"
            for n in range(0, len(written), PAIRS_A_CALL)
        ]
        joined, *others = calls or ["json_build_object()"]
        for call in others:
            joined = f"(left(({joined})::text, -1) || ', ' || substr(({call})::text, 2))::json"
        return joined

    def object(self, parent: GraphQLObjectType, sets: Sequence[SelectionSetNode], t: str) -> str:
        """Give the expression of an object of type `parent` whose row is `t`."""
        selected = fields_of(self.document, parent, sets)
        return self.json([(one, self.field(parent, one, t)) for one in selected])

    def field(self, parent: GraphQLObjectType, selected: Selected, t: str) -> str:
        """Give the expression of one field of row `t`."""
        if selected.name == "__typename":
            return f"{literal(parent.name)}::text"
        reading = self.mapping.reading(parent.name, selected.name)
        if (parent.name, selected.name) in self.doubtful:
            raise NotPlanned(f"{parent.name}.{selected.name}")
        match reading:
            case Column():
                return self._column(parent, reading, selected, t)
            case Embedded():
                return self._embedded(parent, selected, reading, t)
            case One():
                return self._one(parent, selected, reading, t)
            case Aggregate():
                return self._aggregate(reading, t)
            case Page():
                return PageWriter(self, parent, selected, reading, t).json()
            case NodeById():
                return self._node(parent, selected, reading)
            case Computed() if self.tells_types:
                return self._inputs(parent, selected, reading, t)
        raise NotPlanned(f"{parent.name}.{selected.name}")

    def slot(self, parent: GraphQLObjectType, selected: Selected, prepare: Any = dict) -> int:
        """Reserve the place of a field's arguments; -1 when it has none."""
        definition = parent.fields[selected.name]
        return self.parameters.slot(definition, selected.nodes[0], prepare) if definition.args else -1

    def _column(self, parent: GraphQLObjectType, reading: Column, selected: Selected, t: str) -> str:
        if reading.sql == "{t}.id" and selected.name == "id" and parent.name in self.mapping.tables:
            return id_sql(self.mapping.tables[parent.name]).replace("{t}", t)
        return self.render(reading.sql or "", t=t, slot=self.slot(parent, selected), casts=reading.casts)

    def _inputs(self, parent: GraphQLObjectType, selected: Selected, reading: Computed, t: str) -> str:
        slot = self.slot(parent, selected)
        inputs = [self.render(sql, t=t, slot=slot, casts=reading.casts) for sql in reading.inputs]
        return f"json_build_array({', '.join(inputs)})"

    def _embedded(self, parent: GraphQLObjectType, selected: Selected, reading: Embedded, t: str) -> str:
        target = get_named_type(parent.fields[selected.name].type)
        if not isinstance(target, GraphQLObjectType):
            raise NotPlanned(f"{parent.name}.{selected.name}")
        if not reading.values:
            return self.object(target, below(selected), t)
        o = self.alias()
        row = self.object(target, below(selected), o)
        plain = {name: found[1] for name, sql in reading.values.items() if (found := PLAIN.fullmatch(sql))}
        if plain.keys() != reading.values.keys():
            return f"(select {row} from {self.render(reading.source, t=t, o=o)} where {o} is not null)"
        # Other columns of the same row need no row of their own: their names are put in the place of those of `o`.
        there = " and ".join(f"{t}.{column} is not null" for column in plain.values())
        row = re.sub(rf"\b{o}\.(\w+)", lambda found: f"{t}.{plain[found[1]]}", row)
        return f"case when {there} then {row} end"

    def _aggregate(self, reading: Aggregate, t: str) -> str:
        stored, o = self.mapping.tables[reading.target], self.alias()
        return (
            f"(select {self.render(reading.expression, o=o)} from {stored.table} {o} "
            f"where ({self.render(reading.on, t=t, o=o)}) and ({self.seen(stored, o)}))"
        )

    def _one(self, parent: GraphQLObjectType, selected: Selected, reading: One, t: str) -> str:
        target = possible_types(self.document.schema, parent.fields[selected.name])[0]
        slot = self.slot(parent, selected)
        o = self.alias()
        condition = self.render(reading.on, t=t, o=o, slot=slot, casts=reading.casts)
        return self.row(target, below(selected), o, condition)

    def row(self, target: GraphQLObjectType, sets: Sequence[SelectionSetNode], o: str, condition: str) -> str:
        """Give the JSON of the one row of the target's table that meets the condition and that the viewer sees."""
        stored = self.mapping.tables[target.name]
        return self._row(target, sets, o, f"{stored.table} {o}", condition)

    def _row(self, target: GraphQLObjectType, sets: Sequence[SelectionSetNode], o: str, rows: str, on: str) -> str:
        seen = self.seen(self.mapping.tables[target.name], o)
        return f"(select {self.object(target, sets, o)} from {rows} where ({on}) and ({seen}) limit 1)"

    def _node(self, parent: GraphQLObjectType, selected: Selected, reading: NodeById) -> str:
        prepare = arguments.ids(self.mapping) if reading.many else arguments.one_id(self.mapping)
        slot = self.slot(parent, selected, prepare)
        if not reading.many:
            casts = dict(arguments.ID_PARTS)
            return self._node_cases(
                parent, selected, lambda name: f"{self.parameters.argument(slot, name)}::{casts[name]}"
            )
        columns = ", ".join(f"{self.parameters.argument(slot, name)}::{cast}[]" for name, cast in arguments.ID_PARTS)
        k = self.alias()
        names = ", ".join(name for name, _ in arguments.ID_PARTS)
        case = self._node_cases(parent, selected, lambda name: f"{k}.{name}")
        return (
            f"(select coalesce(json_agg({case} order by {k}.n), '[]') "
            f"from unnest({columns}) with ordinality {k}({names}, n))"
        )

    def _node_cases(self, parent: GraphQLObjectType, selected: Selected, part: Callable[[str], str]) -> str:
        """Give the object of an id; `part` refers to a part of it, of which only those may be asked that are used."""
        cases = []
        for target in possible_types(self.document.schema, parent.fields[selected.name]):
            stored = self.mapping.tables[target.name]
            if stored.seen_by(self.kind) == "false":
                continue  # every branch makes the statement slower, also those that are not taken
            o = self.alias()
            rows, condition = self._by_key(stored, o, part)
            sets = [*below(selected), TYPE_NAME] if self.tells_types else below(selected)
            cases.append(f"when {stored.tag} then {self._row(target, sets, o, rows, condition)}")
        return f"(case {part('tag')} {' '.join(cases)} end)"

    def _by_key(self, stored: Stored, o: str, part: Callable[[str], str]) -> tuple[str, str]:
        """Give where the row `o` of a key is looked for, and the condition that it is the one.

        Where the key is more than UUIDs, it comes as one JSON object, and may have parts that are null.
        """
        if not stored.types:
            return f"{stored.table} {o}", " and ".join(
                f"{o}.{column} = {part(f'key_{n}')}" for n, column in enumerate(stored.key)
            )
        k = self.alias()
        columns = ", ".join(f"{column} {stored.types.get(column, 'uuid')}" for column in stored.key)
        rows = f"lateral {self.render(stored.again.replace('{k}', k))}" if stored.again else stored.table
        same = "is not distinct from" if stored.again else "="
        return f"json_to_record({part('named')}) {k}({columns}) cross join {rows} {o}", " and ".join(
            f"{o}.{column} {same} {k}.{column}" for column in stored.key
        )


def literal(name: str) -> str:
    """Quote a name of the schema; never called with text of a request."""
    if not name.replace("_", "").isalnum():
        raise ValueError(name)
    return f"'{name}'"
