"""What a GraphQL field is in the database: declared beside the field, collected once from the finished schema.

SQL here is a template. `{t}` is the row that holds the field, `{o}` the row that is read, `:name` a value of the
viewer, of an
argument (`:arg_name`) or of the Python object that a payload starts from (`:source_name`), a constant of the
process, or `:now`. `{once f(:name)}` is an expression over such values alone that is dear: it is worked out once,
however many rows and fields need it. A request never adds text to it.
"""

from collections.abc import Callable
from collections.abc import Mapping as MappingType
from dataclasses import dataclass, field
from typing import Any

from graphql import GraphQLField, GraphQLNamedType, GraphQLObjectType, GraphQLSchema, get_named_type

METADATA = "reading"
DEFINITION = "strawberry-definition"
EVERYBODY = "*"


@dataclass(frozen=True, slots=True)
class Column:
    """A value of the row itself; `sql` defaults to the column of the field's own name.

    `casts` gives the SQL type of each argument that it uses.
    """

    sql: str | None = None
    casts: MappingType[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Embedded:
    """An object made of columns of the same row, or of `values`: templates over that row, by the names that the
    object's own columns know them by.

    There is no object when one of the values is null.
    """

    values: MappingType[str, str] = field(default_factory=dict)

    @property
    def source(self) -> str:
        """Give a row source of the values, named `{o}`; fenced, so that each is worked out once however often used."""
        columns = ", ".join(f"{sql} as {name}" for name, sql in self.values.items())
        return f"(select {columns} offset 0) {{o}}"


@dataclass(frozen=True, slots=True)
class One:
    """At most one row, found by the condition `on`.

    `kept_by` says who keeps the promise of a row that is always there, where no constraint of the database can.
    """

    on: str
    casts: MappingType[str, str] = field(default_factory=dict)
    kept_by: str = ""


@dataclass(frozen=True, slots=True)
class Aggregate:
    """A value over all rows of the type `target` that meet `on` and that the viewer sees, e.g. `count(*)`."""

    target: str
    expression: str
    on: str


@dataclass(frozen=True, slots=True)
class Order:
    """The order of a list: columns of `{o}` with their SQL types, unique together, all in one direction.

    A column may be an expression, also over arguments of the list, such as the rank of a row in a search.

    `name` tells its cursors from those of other orders of the same rows.
    """

    columns: tuple[tuple[str, str], ...]
    descending: bool = False
    name: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """A Relay connection: the rows found by `on`, narrowed by the filters whose argument is given.

    `casts` gives the SQL type of each argument that a filter uses; `orders` those that the argument `orderBy` can name.
    `apart` are columns of `{o}` and the templates of the lists that they are compared with: the first rows are then
    taken for each value by itself along an index, and merged, instead of sorting all that match. `ranked` gives the
    order that holds when an argument is given and no other was asked for. `source` stands in the place of the table:
    a function of the database that gives such rows, called with arguments of the list and values of the viewer.
    """

    on: str
    order: Order
    filters: MappingType[str, str] = field(default_factory=dict)
    casts: MappingType[str, str] = field(default_factory=dict)
    orders: MappingType[str, Order] = field(default_factory=dict)
    apart: MappingType[str, str] = field(default_factory=dict)
    ranked: MappingType[str, Order] = field(default_factory=dict)
    source: str = ""

    def order_of(self, given: MappingType[str, object]) -> Order:
        """Give the order for the arguments that are given (not null)."""
        asked = given.get("orderBy")
        if isinstance(asked, str):
            return self.orders[asked]
        return next((order for name, order in self.ranked.items() if name in given), self.order)


@dataclass(frozen=True, slots=True)
class NodeById:
    """The object of a global id, whatever its type; `many` takes a list of ids."""

    many: bool = False


@dataclass(frozen=True, slots=True)
class Computed:
    """A value that Python makes of columns of the row, such as one that is encrypted where it lies.

    `inputs` are templates of text values, which may name arguments; `make` takes the reader's `tools` and these values.
    It gives a scalar, or an object whose fields are attributes; where these are mapped, `Made`. An operation that
    selects such a field is walked by graphql-core; all others stay one statement.
    """

    inputs: tuple[str, ...]
    make: Callable[..., Any]
    casts: MappingType[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Made:
    """An object of a mapped type that Python made of nothing stored: its values by the names of the schema."""

    values: MappingType[str, Any]


Reading = Column | Embedded | One | Aggregate | Page | NodeById | Computed


@dataclass(frozen=True, slots=True)
class Stored:
    """The table of a GraphQL type.

    `whose` gives per kind of viewer the condition under which a row is seen; a kind that is not named sees nothing.
    `tag` is the first byte of its global ids (0: not a node) and `key` the columns that follow: UUIDs, unless `types`
    gives the SQL types of others. `again` stands in the place of the table where one row is found by its id: rows that
    a function of the database gives, called with columns of the key, `{k}.name`.
    """

    table: str
    whose: MappingType[str, str]
    tag: int = 0
    key: tuple[str, ...] = ("family_id", "id")
    types: MappingType[str, str] = field(default_factory=dict)
    again: str = ""

    def seen_by(self, kind: str) -> str:
        """Give the condition for a kind of viewer; nothing is seen unless declared."""
        return self.whose.get(kind, self.whose.get(EVERYBODY, "false"))


class MappingError(Exception):
    """A declaration of the schema contradicts itself; found at start, never at a request."""


@dataclass(frozen=True, slots=True)
class Mapping:
    """All declarations of one schema."""

    schema: GraphQLSchema
    tables: MappingType[str, Stored]
    """Type name → table."""
    fields: MappingType[tuple[str, str], Reading]
    """(type name, GraphQL field name) → what it is."""
    by_tag: MappingType[int, str]
    """First byte of a global id → type name."""

    def reading(self, parent: str, name: str) -> Reading | None:
        """Give what a field is, or None when it is computed in Python."""
        return self.fields.get((parent, name))


def mapping_of(schema: GraphQLSchema) -> Mapping:
    """Collect the declarations of a schema.

    Raises MappingError for two types with one tag and for a table-less target.
    """
    tables: dict[str, Stored] = {}
    fields: dict[tuple[str, str], Reading] = {}
    by_tag: dict[int, str] = {}
    for named in schema.type_map.values():
        if not isinstance(named, GraphQLObjectType):
            continue
        stored = _stored(named)
        if stored is not None:
            tables[named.name] = stored
            if stored.tag and by_tag.setdefault(stored.tag, named.name) != named.name:
                raise MappingError(f"{named.name} and {by_tag[stored.tag]} share the tag {stored.tag}")
        for name, graphql_field in named.fields.items():
            reading = _reading(graphql_field)
            if reading is not None:
                fields[named.name, name] = reading
    mapping = Mapping(schema, tables, fields, by_tag)
    _check_targets(mapping)
    return mapping


def _stored(named: GraphQLNamedType) -> Stored | None:
    definition = named.extensions.get(DEFINITION)
    return getattr(getattr(definition, "origin", None), "__stored__", None)


def _reading(graphql_field: GraphQLField) -> Reading | None:
    definition = graphql_field.extensions.get(DEFINITION)
    if definition is None:
        return None
    reading: Reading | None = definition.metadata.get(METADATA)
    if isinstance(reading, Column) and reading.sql is None:
        return Column(f"{{t}}.{definition.python_name}", reading.casts)
    return reading


def _check_targets(mapping: Mapping) -> None:
    for (parent, name), reading in mapping.fields.items():
        if isinstance(reading, Aggregate) and reading.target not in mapping.tables:
            raise MappingError(f"{parent}.{name} reads {reading.target}, which has no table")
        if not isinstance(reading, (One, Page)):
            continue
        target = object_type(mapping.schema, parent, name)
        if isinstance(reading, Page):
            target = node_type(target)
        if target.name not in mapping.tables:
            raise MappingError(f"{parent}.{name} reads {target.name}, which has no table")


def object_type(schema: GraphQLSchema, parent: str, name: str) -> GraphQLObjectType:
    """Give the object type of a field; raises MappingError when it holds something else."""
    holder = schema.type_map[parent]
    named = get_named_type(holder.fields[name].type) if isinstance(holder, GraphQLObjectType) else None
    if not isinstance(named, GraphQLObjectType):
        raise MappingError(f"{parent}.{name} is not an object")
    return named


def node_type(connection: GraphQLObjectType) -> GraphQLObjectType:
    """Give the type of the rows of a connection type."""
    edge = get_named_type(connection.fields["edges"].type)
    node = get_named_type(edge.fields["node"].type) if isinstance(edge, GraphQLObjectType) else None
    if not isinstance(node, GraphQLObjectType):
        raise MappingError(f"{connection.name} is not a connection of objects")
    return node
