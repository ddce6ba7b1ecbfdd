"""How big a document may be: one pass over it before it is validated.

Each fragment is measured once and counted wherever it is spread, so a short text that unfolds into a huge operation is
refused in the time that it takes to read it. The same limits hold on every transport.
"""

from dataclasses import dataclass, field
from typing import Self

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    is_composite_type,
)

from db import settings
from gateway.cost import SATURATED, Weight, page_of
from gateway.errors import RequestRefused
from gateway.merging import pairs_to_compare


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that a document may hold; an operation counts with its fragments, each time they are spread."""

    tokens: int = 1_000
    comments: int = 200
    depth: int = 12
    introspection_depth: int = 20
    """Levels under `__schema` and `__type`; the usual introspection query needs 15."""
    aliases: int = 30
    directives: int = 30
    root_fields: int = 20
    fragments: int = 30
    pairs: int = 2_000
    """Pairs of fields under one name in the same place (see `gateway.merging`)."""
    cost: int = 2_000
    page: int = 20
    """Entries a connection counts for when the request does not say."""

    @classmethod
    def of(cls, limits: settings.Limits) -> Self:
        """Take those that the settings hold."""
        return cls(
            tokens=limits.tokens,
            depth=limits.depth,
            aliases=limits.aliases,
            directives=limits.directives,
            root_fields=limits.root_fields,
            fragments=limits.fragments,
            cost=limits.cost,
        )


@dataclass(slots=True)
class Size:
    """What was counted in one selection."""

    depth: int = 0
    introspection_depth: int = 0
    aliases: int = 0
    directives: int = 0
    fields: int = 0
    weight: Weight = field(default_factory=Weight)

    def deepen(self, other: "Size", levels: int, introspection_levels: int) -> None:
        """Be at least as deep as another selection that stands so many levels below."""
        self.depth = max(self.depth, other.depth + levels)
        self.introspection_depth = max(self.introspection_depth, other.introspection_depth + introspection_levels)

    def count(self, other: "Size") -> None:
        """Count what another selection holds."""
        self.aliases = min(self.aliases + other.aliases, SATURATED)
        self.directives = min(self.directives + other.directives, SATURATED)
        self.fields = min(self.fields, SATURATED)
        self.weight.count(other.weight)


LEAF = Size()


class Measure:
    """Measures the operations of one document against a schema, and refuses what is too big."""

    def __init__(self, schema: GraphQLSchema, limits: Limits, document: DocumentNode) -> None:
        self._schema = schema
        self._limits = limits
        self._operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
        self._fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self._measured: dict[str, Size] = {}
        self._open: set[str] = set()

    def weights(self) -> list[Weight]:
        """Give the cost of each operation, in the order of the document.

        Raises RequestRefused (TOO_COSTLY) when a limit is passed, GRAPHQL_VALIDATION_FAILED for a cycle of fragments,
        which no count would end on.
        """
        self._hold("fragments", len(self._fragments), self._limits.fragments)
        try:
            sizes = [self._operation(node) for node in self._operations]
            spread = set(self._measured)
            idle = [node for name, node in self._fragments.items() if name not in spread]
            for node in idle:
                self._check(self._fragment(node.name.value))
        except RecursionError:
            raise RequestRefused("TOO_COSTLY", "The document is nested too deeply.") from None
        roots = [node.selection_set for node in (*self._operations, *idle)]
        pairs = pairs_to_compare(roots, self._fragments, self._limits.pairs)
        self._hold("fields under the same name", pairs, self._limits.pairs)
        return [size.weight for size in sizes]

    def _operation(self, node: OperationDefinitionNode) -> Size:
        size = self._selections(node.selection_set, self._schema.get_root_type(node.operation))
        size.directives += len(node.directives or ())
        size.directives += sum(len(definition.directives or ()) for definition in node.variable_definitions or ())
        self._hold("root fields", size.fields, self._limits.root_fields)
        self._check(size)
        return size

    def _check(self, size: Size) -> None:
        limits = self._limits
        self._hold("levels", size.depth, limits.depth)
        self._hold("levels of introspection", size.introspection_depth, limits.introspection_depth)
        self._hold("aliases", size.aliases, limits.aliases)
        self._hold("directives", size.directives, limits.directives)
        self._hold("points of cost", size.weight.fixed, limits.cost)

    def _hold(self, what: str, found: int, most: int) -> None:
        if found > most:
            raise RequestRefused("TOO_COSTLY", f"The document has too many {what}: at most {most} are allowed.")

    def _selections(self, selection_set: SelectionSetNode, parent: GraphQLNamedType | None) -> Size:
        """Measure one selection set; fields of the introspection types count their levels apart."""
        size = Size()
        inside_schema = parent is not None and parent.name.startswith("__")
        for node in selection_set.selections:
            if node.directives:
                size.directives += len(node.directives)
            if isinstance(node, FieldNode):
                size.aliases += node.alias is not None
                size.fields += 1
                size.weight.fixed += 1
                below = self._below(node, parent) if node.selection_set else LEAF
                size.deepen(below, 0 if inside_schema else 1, 1 if inside_schema else 0)
                if below is not LEAF:
                    size.count(below)
            elif isinstance(node, FragmentSpreadNode | InlineFragmentNode):
                spread = self._spread(node, parent)
                size.deepen(spread, 0, 0)
                size.fields += spread.fields
                size.count(spread)
        return size

    def _below(self, node: FieldNode, parent: GraphQLNamedType | None) -> Size:
        """Measure what is selected under a field; an unknown field is counted, validation names it."""
        definition = self._schema.get_field(parent, node.name.value) if is_composite_type(parent) else None
        inner = get_named_type(definition.type) if definition else None
        size = self._selections(node.selection_set, inner) if node.selection_set else Size()
        size.weight = size.weight.times(page_of(node, definition, self._limits.page))
        return size

    def _spread(self, node: FragmentSpreadNode | InlineFragmentNode, parent: GraphQLNamedType | None) -> Size:
        """Measure a fragment where it is spread, or an inline fragment."""
        if isinstance(node, FragmentSpreadNode):
            return self._fragment(node.name.value)
        condition = node.type_condition
        inner = self._schema.type_map.get(condition.name.value) if condition else parent
        return self._selections(node.selection_set, inner)

    def _fragment(self, name: str) -> Size:
        """Measure a fragment once; an unknown one counts as nothing here, validation names it."""
        if name in self._open:
            raise RequestRefused("GRAPHQL_VALIDATION_FAILED", f"Cannot spread fragment '{name}' within itself.")
        if name not in self._measured:
            self._open.add(name)
            node = self._fragments.get(name)
            condition = self._schema.type_map.get(node.type_condition.name.value) if node else None
            self._measured[name] = self._selections(node.selection_set, condition) if node else Size()
            self._open.remove(name)
        return self._measured[name]
