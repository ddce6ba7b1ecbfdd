"""Relay connections: keyset pages both ways, counted only when asked.

Three queries inside each other: the rows of the page (`o`), what each contributes (`p`: node, cursor, position), and
one row
that gathers them (`a`: edges, whether there are more, first and last cursor).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphql import GraphQLObjectType, get_named_type
from graphql.execution import get_argument_values

from resolvers.reading import arguments
from resolvers.reading.identity import cursor_sql
from resolvers.reading.mapping import Page, node_type
from resolvers.reading.parameters import plain
from resolvers.reading.selection import Selected, below, fields_of

if TYPE_CHECKING:
    from resolvers.reading.statement import Writer


class PageWriter:
    """Writes one connection."""

    def __init__(self, writer: Writer, parent: GraphQLObjectType, selected: Selected, reading: Page, t: str) -> None:
        self.writer = writer
        self.reading = reading
        self.t = t
        self.connection = _object_type(parent, selected.name)
        self.target = node_type(self.connection)
        self.stored = writer.mapping.tables[self.target.name]
        self.wanted = fields_of(writer.document, self.connection, below(selected))
        self.given = _given(writer, parent, selected)
        self.backward = "last" in self.given
        self.order = reading.order_of(self.given)
        self.slot = writer.slot(parent, selected, arguments.page(self.target.name, self.order))
        self.o, self.p, self.a = writer.alias(), writer.alias(), writer.alias()
        self.looks_further = any(one.name == "pageInfo" for one in self.wanted)
        self.row_columns: list[str] = []
        self.gathered: list[str] = []

    def json(self) -> str:
        """Give the expression of the whole connection."""
        connection = self.writer.json([(one, self._field(one)) for one in self.wanted])
        return f"(select {connection} from ({self._gather()}) {self.a})" if self.gathered else connection

    def _field(self, one: Selected) -> str:
        match one.name:
            case "edges":
                return f"coalesce({self.a}.{self._edges(one)}, '[]')"
            case "pageInfo":
                return self._page_info(one)
            case "totalCount":
                return self._count()
            case "__typename":
                return f"'{self.connection.name}'::text"
        raise ValueError(one.name)

    def _edges(self, one: Selected) -> str:
        """Note what the inner queries must carry for one `edges`; give the name of its column in `a`."""
        edge_type = _object_type(self.connection, "edges")
        pairs = [
            (field, self._edge_field(edge_type, field))
            for field in fields_of(self.writer.document, edge_type, below(one))
        ]
        name = self.writer.alias()
        self.gathered.append(f"json_agg({self.writer.json(pairs)}{self._in_order()}){self._kept()} as {name}")
        return name

    def _edge_field(self, edge_type: GraphQLObjectType, field: Selected) -> str:
        if field.name == "cursor":
            return self._cursor()
        if field.name == "__typename":
            return f"'{edge_type.name}'::text"
        name = self.writer.alias()
        self.row_columns.append(f"{self.writer.object(self.target, below(field), self.o)} as {name}")
        return f"{self.p}.{name}"

    def _cursor(self) -> str:
        column = f"{self._of_row(cursor_sql(self.target.name, self.order))} as cursor"
        if column not in self.row_columns:
            self.row_columns.append(column)
        return f"{self.p}.cursor"

    def _page_info(self, one: Selected) -> str:
        cursors = f"array_agg({self._cursor()}{self._in_order()}){self._kept()} as cursors"
        self.gathered += [cursors, f"count(*) > {self.limit} as further"]
        beyond = "true" if ("before" if self.backward else "after") in self.given else "false"
        further = f"{self.a}.further"
        sql = {
            "hasNextPage": beyond if self.backward else further,
            "hasPreviousPage": further if self.backward else beyond,
            "startCursor": f"{self.a}.cursors[1]",
            "endCursor": f"{self.a}.cursors[cardinality({self.a}.cursors)]",
            "__typename": "'PageInfo'::text",
        }
        fields = fields_of(self.writer.document, _object_type(self.connection, "pageInfo"), below(one))
        return self.writer.json([(field, sql[field.name]) for field in fields])

    @property
    def limit(self) -> str:
        """Refer to the page's size; a parameter that no text refers to would have no type."""
        return f"{self.writer.parameters.argument(self.slot, 'limit')}::bigint"

    @property
    def _numbered(self) -> bool:
        return self.looks_further or self.backward

    def _in_order(self) -> str:
        """Order of an aggregate: the rows come in order by themselves unless they are numbered or read backward."""
        return f" order by {self.p}.n{' desc' if self.backward else ''}" if self._numbered else ""

    def _kept(self) -> str:
        """Leave out the one row that only tells whether there are more."""
        return f" filter (where {self.p}.n <= {self.limit})" if self.looks_further else ""

    def _gather(self) -> str:
        columns = [*self.row_columns, "row_number() over () as n"] if self._numbered else self.row_columns or ["1"]
        more = " + 1" if self.looks_further else ""
        first = f"order by {self._order()} limit {self.limit}{more}"
        lists, equal = self._apart()
        rows = (
            f"select {self.o}.* from {self._source()} {self.o} "
            f"where {self._condition(self.o)}{equal}{self._beyond_cursor()} {first}"
        )
        if lists:
            rows = f"select {self.o}.* from {' cross join '.join(lists)} cross join lateral ({rows}) {self.o} {first}"
        inner = f"select {', '.join(columns)} from ({rows}) {self.o}"
        return f"select {', '.join(dict.fromkeys(self.gathered))} from ({inner}) {self.p}"

    def _source(self) -> str:
        """Give the table of the rows, or the function that gives them."""
        source, casts = self.reading.source, self.reading.casts
        return self.writer.render(source, t=self.t, slot=self.slot, casts=casts) if source else self.stored.table

    def _apart(self) -> tuple[list[str], str]:
        """Give a row source for each list whose values are taken apart, and the conditions on one value of each."""
        lists, equal = [], ""
        for column, values in self.reading.apart.items():
            if not self._compares(values):
                continue
            v = self.writer.alias()
            rendered = self.writer.render(values, slot=self.slot, casts=self.reading.casts)
            lists.append(f"(select distinct v from unnest({rendered}) v) {v}")
            equal += f" and {self.o}.{column} = {v}.v"
        return lists, equal

    def _compares(self, values: str) -> bool:
        """Tell whether a list narrows this page: an argument that is given, or a value in the viewer's condition."""
        if values.startswith(":arg_"):
            return values[5:] in self.given
        return values in self.stored.seen_by(self.writer.kind)

    def _condition(self, o: str) -> str:
        writer, reading = self.writer, self.reading
        filters = [sql for name, sql in reading.filters.items() if name in self.given]
        parts = [
            writer.render(sql, t=self.t, o=o, slot=self.slot, casts=reading.casts) for sql in (reading.on, *filters)
        ]
        return " and ".join(f"({part})" for part in [*parts, writer.seen(self.stored, o)])

    def _beyond_cursor(self) -> str:
        """Give the condition of the cursor: a row comparison, so that the order's index is used."""
        side = "before" if self.backward else "after"
        if side not in self.given:
            return ""
        order = self.order
        columns = ", ".join(self._of_row(column) for column, _ in order.columns)
        cursor = [self.writer.parameters.argument(self.slot, f"{side}_{n}") for n in range(len(order.columns))]
        values = ", ".join(f"{value}::text::{cast}" for value, (_, cast) in zip(cursor, order.columns, strict=True))
        return f" and ({columns}) {'<' if order.descending != self.backward else '>'} ({values})"

    def _order(self) -> str:
        direction = " desc" if self.order.descending != self.backward else ""
        return ", ".join(f"{self._of_row(column)}{direction}" for column, _ in self.order.columns)

    def _of_row(self, template: str) -> str:
        """Render an expression of the order for a row `o`."""
        return self.writer.render(template, o=self.o, slot=self.slot, casts=self.reading.casts)

    def _count(self) -> str:
        o = self.writer.alias()
        return f"(select count(*) from {self._source()} {o} where {self._condition(o)})"


def _object_type(parent: GraphQLObjectType, name: str) -> GraphQLObjectType:
    named = get_named_type(parent.fields[name].type)
    if not isinstance(named, GraphQLObjectType):
        raise TypeError(f"{parent.name}.{name} is not an object")
    return named


def _given(writer: Writer, parent: GraphQLObjectType, selected: Selected) -> dict[str, Any]:
    """Give the arguments that are not null, enum values by their names.

    A plan is kept per set of null variables and per value of enums, so that what is decided from this holds for it.
    """
    values = get_argument_values(parent.fields[selected.name], selected.nodes[0], writer.document.variables)
    return {name: value for name, value in plain(values).items() if value is not None}
