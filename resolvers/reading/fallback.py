"""The other way: graphql-core walks the operation, and each entry field gets its rows from the same planner.

Under an entry field everything is already read: a field of a row is looked up by its key in the answer. One that is
computed in Python finds its inputs there.
"""

from typing import Any

from graphql import GraphQLInterfaceType, GraphQLObjectType, GraphQLResolveInfo, GraphQLUnionType

from resolvers.reading.mapping import Computed, Made, Mapping
from resolvers.reading.statement import TYPE_KEY


def attach(mapping: Mapping) -> None:
    """Give every mapped field of the schema its resolver, and every abstract type its way to tell the concrete one."""
    for (parent, name), reading in mapping.fields.items():
        named = mapping.schema.type_map[parent]
        if isinstance(named, GraphQLObjectType):
            named.fields[name].resolve = _computing(reading) if isinstance(reading, Computed) else resolve
    for named in mapping.schema.type_map.values():
        if isinstance(named, (GraphQLInterfaceType, GraphQLUnionType)):
            named.resolve_type = _type_name
        elif isinstance(named, GraphQLObjectType):
            named.is_type_of = None
    for connection in _read_only_types(mapping):
        for field in connection.fields.values():
            field.resolve = resolve


def resolve(source: Any, info: GraphQLResolveInfo[Any], **_: Any) -> Any:
    """Give a field's value: from the row when there is one, by a statement of its own at an entry."""
    if isinstance(source, dict):
        return source[info.path.key]
    if isinstance(source, Made):
        return source.values[info.field_name]
    context = info.context
    return context.reader.field(info, source, context.viewer)


def _computing(reading: Computed) -> Any:
    """Give the resolver of a field that Python makes of the inputs that its row brought along."""

    def compute(source: dict[str, Any], info: GraphQLResolveInfo[Any], **_: Any) -> Any:
        return reading.make(info.context.reader.tools, *source[str(info.path.key)])

    return compute


def _type_name(value: Any, _info: GraphQLResolveInfo[Any], _abstract: Any) -> str:
    name: str = value[TYPE_KEY]
    return name


def _read_only_types(mapping: Mapping) -> list[GraphQLObjectType]:
    """Connections, edges and PageInfo: made by the planner, never by a resolver."""
    return [
        named
        for named in mapping.schema.type_map.values()
        if isinstance(named, GraphQLObjectType)
        and (named.name.endswith(("Connection", "Edge")) or named.name == "PageInfo")
    ]
