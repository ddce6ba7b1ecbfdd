"""What an operation asks for: its root fields, and what its fields declare about who may."""

from collections.abc import Iterable
from typing import Any

from graphql import FieldNode, FragmentDefinitionNode, GraphQLSchema, Node, TypeInfo, TypeInfoVisitor, Visitor, visit

from schema.access import Access, declared


def root_names(selection_set: Any, fragments: dict[str, FragmentDefinitionNode]) -> set[str]:
    """Give the names of all root fields that an operation can select, whatever its conditions say."""
    names: set[str] = set()
    visited: set[str] = set()
    waiting = [selection_set]
    while waiting:
        for selection in waiting.pop().selections:
            if selection.kind == "field":
                names.add(selection.name.value)
            elif selection.kind == "inline_fragment":
                waiting.append(selection.selection_set)
            elif selection.name.value not in visited:
                visited.add(selection.name.value)
                waiting.append(fragments[selection.name.value].selection_set)
    return names


def every_access(schema: GraphQLSchema, nodes: Iterable[Node]) -> tuple[Access, ...]:
    """Give what all fields of an operation declare, whatever its conditions say."""
    info = TypeInfo(schema)
    asked = _Asked(info)
    for node in nodes:
        visit(node, TypeInfoVisitor(info, asked))
    return tuple(asked.found)


def every_field(schema: GraphQLSchema, nodes: Iterable[Node]) -> frozenset[tuple[str, str]]:
    """Give all fields of an operation but `__typename`, each with its type, whatever its conditions say."""
    info = TypeInfo(schema)
    asked = _Asked(info)
    for node in nodes:
        visit(node, TypeInfoVisitor(info, asked))
    return frozenset(asked.fields)


class _Asked(Visitor):
    """Gathers fields, and what they declare."""

    def __init__(self, info: TypeInfo) -> None:
        super().__init__()
        self._info = info
        self.found: set[Access] = set()
        self.fields: set[tuple[str, str]] = set()

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        definition, parent = self._info.get_field_def(), self._info.get_parent_type()
        if parent is not None and node.name.value != "__typename":
            self.fields.add((parent.name, node.name.value))
        access = declared(definition) if definition is not None else None
        if access is not None:
            self.found.add(access)
