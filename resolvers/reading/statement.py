"""A tree of fields as one parameterised SQL text in which PostgreSQL builds the finished JSON.

An object without aliases is a row whose columns have the schema's names (`row_to_json`); one with aliases is built
key by
key, and those keys are parameters: nothing that a request wrote becomes SQL.
"""

import re
from collections.abc import Mapping as MappingType
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import FieldNode, GraphQLObjectType, NameNode, SelectionSetNode, get_named_type

from resolvers.reading import arguments
from resolvers.reading.identity import id_sql
from resolvers.reading.mapping import Aggregate, Column, Computed, Embedded, Mapping, NodeById, One, Page, Stored
from resolvers.reading.pages import PageWriter
from resolvers.reading.parameters import Parameters
from resolvers.reading.selection import Document, Selected, below, fields_of, possible_types

PARAMETER = re.compile(r"(?<!:):([a-z]\w*)")
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
                return f"{self.parameters.argument(slot, name[4:])}::{casts[name[4:]]}"
            if name.startswith("source_"):
                return f"{self.parameters.source(name[7:])}::{casts[name]}"
            if name == "now":
                return f"{self.parameters.now()}::timestamptz"
            if name in self.constants:
                return f"{self.parameters.constant(name, self.constants[name])}::text"
            return f"{self.parameters.viewer(name)}::{self.casts[name]}"

        return PARAMETER.sub(parameter, template.replace("{t}", t).replace("{o}", o))

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
                return self._embedded(parent, selected, t)
            case One():
                return self._one(parent, selected, reading, t)
            case Aggregate():
                return self._aggregate(reading, t)
            case Page():
                return PageWriter(self, parent, selected, reading, t).json()
            case NodeById():
                return self._node(parent, selected, reading)
            case Computed() if self.tells_types:
                return f"json_build_array({', '.join(self.render(sql, t=t) for sql in reading.inputs)})"
        raise NotPlanned(f"{parent.name}.{selected.name}")

    def slot(self, parent: GraphQLObjectType, selected: Selected, prepare: Any = dict) -> int:
        """Reserve the place of a field's arguments; -1 when it has none."""
        definition = parent.fields[selected.name]
        return self.parameters.slot(definition, selected.nodes[0], prepare) if definition.args else -1

    def _column(self, parent: GraphQLObjectType, reading: Column, selected: Selected, t: str) -> str:
        if reading.sql == "{t}.id" and selected.name == "id" and parent.name in self.mapping.tables:
            return id_sql(self.mapping.tables[parent.name]).replace("{t}", t)
        return self.render(reading.sql or "", t=t, slot=self.slot(parent, selected), casts=reading.casts)

    def _embedded(self, parent: GraphQLObjectType, selected: Selected, t: str) -> str:
        target = get_named_type(parent.fields[selected.name].type)
        if not isinstance(target, GraphQLObjectType):
            raise NotPlanned(f"{parent.name}.{selected.name}")
        return self.object(target, below(selected), t)

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
        return (
            f"(select {self.object(target, sets, o)} from {stored.table} {o} "
            f"where ({condition}) and ({self.seen(stored, o)}) limit 1)"
        )

    def _node(self, parent: GraphQLObjectType, selected: Selected, reading: NodeById) -> str:
        prepare = arguments.ids(self.mapping) if reading.many else arguments.one_id(self.mapping)
        slot = self.slot(parent, selected, prepare)
        if not reading.many:
            key = [f"{self.parameters.argument(slot, name)}::{cast}" for name, cast in arguments.ID_PARTS]
            return self._node_cases(parent, selected, key)
        columns = ", ".join(f"{self.parameters.argument(slot, name)}::{cast}[]" for name, cast in arguments.ID_PARTS)
        k = self.alias()
        case = self._node_cases(parent, selected, [f"{k}.tag", f"{k}.a", f"{k}.b"])
        return (
            f"(select coalesce(json_agg({case} order by {k}.n), '[]') "
            f"from unnest({columns}) with ordinality {k}(tag, a, b, n))"
        )

    def _node_cases(self, parent: GraphQLObjectType, selected: Selected, key: list[str]) -> str:
        cases = []
        for target in possible_types(self.document.schema, parent.fields[selected.name]):
            stored = self.mapping.tables[target.name]
            o = self.alias()
            condition = " and ".join(
                f"{o}.{column} = {value}" for column, value in zip(stored.key, key[1:], strict=False)
            )
            sets = [*below(selected), TYPE_NAME] if self.tells_types else below(selected)
            cases.append(f"when {stored.tag} then {self.row(target, sets, o, condition)}")
        return f"(case {key[0]} {' '.join(cases)} end)"


def literal(name: str) -> str:
    """Quote a name of the schema; never called with text of a request."""
    if not name.replace("_", "").isalnum():
        raise ValueError(name)
    return f"'{name}'"
