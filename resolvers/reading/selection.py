"""An operation as a tree of fields: fragments merged, `@skip` and `@include` decided, arguments left as they were
written.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLIncludeDirective,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLSkipDirective,
    GraphQLUnionType,
    InlineFragmentNode,
    SelectionSetNode,
    get_named_type,
)
from graphql.execution import get_directive_values

Abstract = (GraphQLInterfaceType, GraphQLUnionType)


@dataclass(frozen=True, slots=True)
class Document:
    """What is needed of a document while its operation is turned into a tree."""

    schema: GraphQLSchema
    fragments: dict[str, FragmentDefinitionNode]
    variables: Any
    """graphql-core's coerced variable values."""


@dataclass(frozen=True, slots=True)
class Selected:
    """One field of the answer."""

    key: str
    """Its name in the answer: the alias, or the field's own name."""

    name: str
    """The field's name in the schema."""

    nodes: tuple[FieldNode, ...]
    """All places where it is written; their selections are merged."""

    @property
    def aliased(self) -> bool:
        """True when the key comes from the request."""
        return self.key != self.name


def fields_of(document: Document, parent: GraphQLObjectType, sets: Sequence[SelectionSetNode]) -> list[Selected]:
    """Give the fields selected on `parent`, merged by key, in the order of the specification (6.3.2)."""
    found: dict[str, list[FieldNode]] = {}
    visited: set[str] = set()
    for selection_set in sets:
        _collect(document, parent, selection_set, found, visited)
    return [Selected(key, nodes[0].name.value, tuple(nodes)) for key, nodes in found.items()]


def below(selected: Selected) -> list[SelectionSetNode]:
    """Give the selection sets under a field."""
    return [node.selection_set for node in selected.nodes if node.selection_set is not None]


def possible_types(schema: GraphQLSchema, graphql_field: GraphQLField) -> list[GraphQLObjectType]:
    """Give the object types that a field may hold."""
    named = get_named_type(graphql_field.type)
    if isinstance(named, Abstract):
        return list(schema.get_possible_types(named))
    return [named] if isinstance(named, GraphQLObjectType) else []


def _collect(
    document: Document,
    parent: GraphQLObjectType,
    selection_set: SelectionSetNode,
    found: dict[str, list[FieldNode]],
    visited: set[str],
) -> None:
    for selection in selection_set.selections:
        if not _included(document, selection):
            continue
        if isinstance(selection, FieldNode):
            key = selection.alias.value if selection.alias else selection.name.value
            found.setdefault(key, []).append(selection)
        elif isinstance(selection, InlineFragmentNode):
            if _applies(document.schema, selection.type_condition, parent):
                _collect(document, parent, selection.selection_set, found, visited)
        elif isinstance(selection, FragmentSpreadNode) and selection.name.value not in visited:
            visited.add(selection.name.value)
            fragment = document.fragments[selection.name.value]
            if _applies(document.schema, fragment.type_condition, parent):
                _collect(document, parent, fragment.selection_set, found, visited)


def _applies(schema: GraphQLSchema, condition: Any, parent: GraphQLObjectType) -> bool:
    if condition is None or condition.name.value == parent.name:
        return True
    named = schema.type_map[condition.name.value]
    return isinstance(named, Abstract) and schema.is_sub_type(named, parent)


def _included(document: Document, selection: Any) -> bool:
    if not selection.directives:
        return True
    skip = get_directive_values(GraphQLSkipDirective, selection, document.variables)
    if skip and skip["if"]:
        return False
    include = get_directive_values(GraphQLIncludeDirective, selection, document.variables)
    return not (include and not include["if"])
