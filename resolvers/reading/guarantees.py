"""What the schema promises, compared with what the database guarantees: types, values that are there, values of enums.

Only a column that is read as it stands can be compared; an expression is its author's promise.
"""

import re
from collections.abc import Iterable
from collections.abc import Mapping as MappingType
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    get_named_type,
    get_nullable_type,
    is_list_type,
)

from resolvers.reading.mapping import Column, Mapping, One, Stored

PLAIN = re.compile(r"\{t\}\.(\w+)")
JOINED = re.compile(r"\{o\}\.(\w+) = \{t\}\.(\w+)")
VALUES = re.compile(r"'([^']*)'::text")

COLUMNS = """
    select c.relname as table_name, a.attname as name, format_type(a.atttypid, null) as type, a.attnotnull as required
    from pg_attribute a join pg_class c on c.oid = a.attrelid
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped
"""
CONSTRAINTS = """
    select c.relname as table_name, k.contype::text as kind, pg_get_constraintdef(k.oid) as text, f.relname as target,
        array(select a.attname::text from unnest(k.conkey) with ordinality n(at, place)
            join pg_attribute a on a.attrelid = k.conrelid and a.attnum = n.at order by n.place) as columns,
        array(select a.attname::text from unnest(k.confkey) with ordinality n(at, place)
            join pg_attribute a on a.attrelid = k.confrelid and a.attnum = n.at order by n.place) as target_columns
    from pg_constraint k join pg_class c on c.oid = k.conrelid left join pg_class f on f.oid = k.confrelid
    where c.relnamespace = 'public'::regnamespace and k.contype in ('c', 'f')
"""
TYPES: MappingType[str, frozenset[str]] = {
    "Int": frozenset({"smallint", "integer"}),
    "Float": frozenset({"real", "double precision"}),
    "Boolean": frozenset({"boolean"}),
    "Date": frozenset({"date"}),
    "DateTime": frozenset({"timestamp with time zone"}),
    "JSON": frozenset({"json"}),
}
"""SQL types that a scalar may be read from; any other scalar, and an enum, is text."""
TEXT = frozenset({"text"})


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What the database knows of its tables."""

    columns: MappingType[tuple[str, str], tuple[str, bool]]
    """(table, column) → its type and whether it always has a value."""
    constraints: tuple[Any, ...]

    def checks(self, table: str, column: str) -> list[str]:
        """Give the checks on one column alone."""
        return [
            each["text"]
            for each in self.constraints
            if each["kind"] == "c" and each["table_name"] == table and each["columns"] == [column]
        ]

    def refers(self, table: str, target: str, joined: Iterable[tuple[str, str]]) -> bool:
        """Tell whether a foreign key leads from one table to another; pairs of (target's column, own column)."""
        wanted = set(joined)
        return any(
            each["kind"] == "f"
            and (each["table_name"], each["target"]) == (table, target)
            and set(zip(each["target_columns"], each["columns"], strict=True)) == wanted
            for each in self.constraints
        )


@dataclass(frozen=True, slots=True)
class Broken:
    """A promise of the schema that the database does not guarantee."""

    parent: str
    name: str
    why: str

    def __str__(self) -> str:
        return f"{self.parent}.{self.name}: {self.why}"


async def broken_promises(connection: Any, mapping: Mapping) -> list[Broken]:
    """Give the promises of the schema that the database does not guarantee."""
    columns = {
        (row["table_name"], row["name"]): (row["type"], row["required"]) for row in await connection.fetch(COLUMNS)
    }
    catalogue = Catalogue(columns, tuple(await connection.fetch(CONSTRAINTS)))
    broken: list[Broken] = []
    for (parent, name), reading in mapping.fields.items():
        stored, holder = mapping.tables.get(parent), mapping.schema.type_map[parent]
        if stored is None or not isinstance(holder, GraphQLObjectType):
            continue
        wanted = holder.fields[name].type
        if isinstance(reading, Column) and (plain := PLAIN.fullmatch(reading.sql or "")) and name != "id":
            broken += [Broken(parent, name, why) for why in _of_column(catalogue, stored, plain[1], wanted)]
        elif isinstance(reading, One) and isinstance(wanted, GraphQLNonNull) and not reading.kept_by:
            target = mapping.tables[wanted.of_type.name]
            broken += [Broken(parent, name, why) for why in _of_row(catalogue, stored, target, reading)]
    return broken


def _of_column(catalogue: Catalogue, stored: Stored, column: str, wanted: Any) -> Iterable[str]:
    known = catalogue.columns.get((stored.table, column))
    if known is None:
        yield f"{stored.table} has no column {column}"
        return
    (sql_type, required), named = known, get_named_type(wanted)
    if is_list_type(get_nullable_type(wanted)) or sql_type not in TYPES.get(named.name, TEXT):
        yield f"{stored.table}.{column} is {sql_type}, not {wanted}"
    checks = catalogue.checks(stored.table, column)
    if isinstance(wanted, GraphQLNonNull) and not _is_there(column, sql_type, required, checks):
        yield f"{stored.table}.{column} may be null"
    if isinstance(named, GraphQLEnumType) and not _is_of(named, checks):
        yield f"{stored.table}.{column} may hold a value that {named.name} has not"


def _is_there(column: str, sql_type: str, required: bool, checks: list[str]) -> bool:
    """Tell whether a column always gives a value: `null` is a value of JSON that is none of GraphQL's."""
    return required and (sql_type != "json" or any(f"json_typeof({column})" in check for check in checks))


def _is_of(enum: GraphQLNamedType, checks: list[str]) -> bool:
    assert isinstance(enum, GraphQLEnumType)
    return any((values := set(VALUES.findall(check))) and values <= set(enum.values) for check in checks)


def _of_row(catalogue: Catalogue, stored: Stored, target: Stored, reading: One) -> Iterable[str]:
    joined = JOINED.findall(reading.on)
    for _, own in joined:
        if not catalogue.columns.get((stored.table, own), ("", False))[1]:
            yield f"{stored.table}.{own} may be null"
    if " and ".join(f"{{o}}.{other} = {{t}}.{own}" for other, own in joined) != reading.on:
        yield "its condition is more than a foreign key"
    elif not catalogue.refers(stored.table, target.table, joined):
        yield f"no foreign key leads from {stored.table} to {target.table}"
