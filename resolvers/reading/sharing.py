"""Which fields are the same for everybody: no value of the viewer goes into them but the language.

Answers made of such fields alone may be kept by caches between the portal and its readers.
"""

import re
from collections.abc import Iterable, Set

from graphql import GraphQLObjectType, get_named_type

from resolvers.reading.mapping import EVERYBODY, Aggregate, Column, Embedded, Mapping, One, Page, Reading, object_type

NAMED = re.compile(r"(?<!:):([a-z]\w*)")
SHARED = frozenset({"language", "now"})

SEEN_AT_ONCE = frozenset({"ServiceStatus"})
"""Types that are the same for everybody and yet never old: whether the portal is open (R8)."""

FieldName = tuple[str, str]
"""Name of the type and of the field."""


def shared_fields(mapping: Mapping, constants: Set[str]) -> frozenset[FieldName]:
    """Give the fields that are the same for everybody; `constants` are texts of the process, as the reader knows them.

    Deny by default: what Python computes, objects of any id and rows that only some may see are not among them.
    """
    known = _Known(mapping, SHARED | constants)
    found = {name for name, reading in mapping.fields.items() if known.is_shared(name, reading)}
    pages = [name for name in found if isinstance(mapping.fields[name], Page)]
    lists = [each for name in pages for each in _list_fields(object_type(mapping.schema, *name))]
    return frozenset(found | {name for name in lists if name not in mapping.fields})


class _Known:
    """Tells what depends on the viewer."""

    def __init__(self, mapping: Mapping, names: Set[str]) -> None:
        self._mapping = mapping
        self._names = names

    def is_shared(self, name: FieldName, reading: Reading) -> bool:
        """Tell whether a field is the same for everybody."""
        templates: Iterable[str]
        match reading:
            case Column(sql):
                return self._are_shared([sql or ""])
            case Embedded(values):
                return (
                    self._are_shared(values.values())
                    and object_type(self._mapping.schema, *name).name not in SEEN_AT_ONCE
                )
            case One(on):
                return self._are_shared([on]) and self._is_public(object_type(self._mapping.schema, *name).name)
            case Page(on):
                orders = [reading.order, *reading.orders.values(), *reading.ranked.values()]
                columns = [column for order in orders for column, _ in order.columns]
                templates = [on, reading.source, *reading.filters.values(), *reading.apart.values(), *columns]
                return self._are_shared(templates) and self._is_public(_row_type(self._mapping, name))
            case Aggregate(target, expression, on):
                return self._are_shared([expression, on]) and self._is_public(target)
        return False

    def _are_shared(self, templates: Iterable[str]) -> bool:
        used = {name for template in templates for name in NAMED.findall(template)}
        return all(name in self._names or name.startswith("arg_") for name in used)

    def _is_public(self, target: str) -> bool:
        """Tell whether everybody sees the same rows of a type."""
        stored = self._mapping.tables[target]
        return set(stored.whose) == {EVERYBODY} and self._are_shared(stored.whose.values())


def _row_type(mapping: Mapping, name: FieldName) -> str:
    edge = object_type(mapping.schema, object_type(mapping.schema, *name).name, "edges")
    return object_type(mapping.schema, edge.name, "node").name


def _list_fields(connection: GraphQLObjectType) -> Iterable[FieldName]:
    """Give the fields of a list, of its edges and of its `pageInfo`."""
    for part in (connection, *(get_named_type(connection.fields[name].type) for name in ("edges", "pageInfo"))):
        if isinstance(part, GraphQLObjectType):
            yield from ((part.name, field) for field in part.fields)
