"""Documents, parsed, limited and validated once, and kept by the SHA-256 of their text."""

from collections import OrderedDict
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Literal

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    StringValueNode,
    Visitor,
    parse,
    specified_rules,
    validate,
    visit,
)

from gateway.cost import Weight, default_pages, given_pages
from gateway.errors import RequestRefused, formatted, formatted_all
from gateway.limits import Limits, Measure

Kind = Literal["query", "mutation", "subscription"]

ERRORS_TOLD = 5
"""Faults of a document told at once; an endless list of them is work for nobody."""

CHARACTERS_KEPT = 8_000_000
REFUSALS_KEPT = 200
COSTS_KEPT = 50

TOO_BIG = ("Document contains more than", "Document is nested too deeply")
"""How the parser begins to say that it stopped at a limit, not at a fault."""


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """One operation of a document, ready to run."""

    document: "Document"
    node: OperationDefinitionNode
    name: str | None
    kind: Kind
    key: str
    """Hash of the document and name of the operation: the same key is the same operation."""
    cost: int
    """Cost in points when the request gives no variables; see `cost_of`."""
    weight: Weight
    pages: dict[str, int]
    costs: dict[tuple[int, ...], int] = field(default_factory=dict)
    """Costs already worked out, by the pages asked for."""


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """One valid document; made by `Documents` only."""

    node: DocumentNode
    hash: str
    operations: dict[str | None, Operation]

    def operation(self, name: str | None) -> Operation:
        """Give the operation to run; an empty name counts as none.

        Raises RequestRefused (BAD_REQUEST) when the name fits none, or is missing where there are several.
        """
        if name:
            if name in self.operations:
                return self.operations[name]
            raise RequestRefused("BAD_REQUEST", "The document has no operation of this operationName.")
        if len(self.operations) > 1:
            raise RequestRefused("BAD_REQUEST", "The document has several operations: operationName must name one.")
        return next(iter(self.operations.values()))


def cost_of(operation: Operation, variables: dict[str, Any]) -> int:
    """Give the cost of an operation with these variables, in points."""
    if not operation.weight.parts:
        return operation.cost
    pages = given_pages(operation.pages, variables)
    key = tuple(pages.values())
    cost = operation.costs.get(key)
    if cost is None:
        if len(operation.costs) >= COSTS_KEPT:
            operation.costs.clear()
        cost = operation.costs[key] = operation.weight.worth(pages, {})
    return cost


class Documents:
    """Gives documents by their text; bounded in number and in characters.

    Refusals are kept too, apart, so that a stream of faulty documents does not push out the good ones. `suggestions`
    lets validation propose names of the schema, and `introspection` lets documents ask for them: both are for
    development only.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        limits: Limits,
        capacity: int = 1_000,
        *,
        suggestions: bool = False,
        introspection: bool = True,
    ) -> None:
        self.schema = schema
        self.limits = limits
        self._capacity = capacity
        self._suggestions = suggestions
        self._rules = specified_rules if introspection else (*specified_rules, NoSchemaIntrospectionCustomRule)
        self._known: OrderedDict[str, tuple[Document, int]] = OrderedDict()
        self._characters = 0
        self._refused: OrderedDict[str, RequestRefused] = OrderedDict()

    def prepare(self, source: str) -> Document:
        """Give the document of a text.

        Raises RequestRefused (GRAPHQL_PARSE_FAILED, TOO_COSTLY, GRAPHQL_VALIDATION_FAILED, BAD_REQUEST).
        """
        key = sha256(source.encode()).hexdigest()
        known = self._known.get(key)
        if known is not None:
            self._known.move_to_end(key)
            return known[0]
        if key in self._refused:
            raise self._refused[key].again()
        try:
            document = self._read(source, key)
        except RequestRefused as refused:
            self._refused[key] = refused.again()
            if len(self._refused) > REFUSALS_KEPT:
                self._refused.popitem(last=False)
            raise
        self._keep(key, document, len(source))
        return document

    def _keep(self, key: str, document: Document, characters: int) -> None:
        self._known[key] = document, characters
        self._characters += characters
        while len(self._known) > self._capacity or self._characters > CHARACTERS_KEPT:
            self._characters -= self._known.popitem(last=False)[1][1]

    def _read(self, source: str, key: str) -> Document:
        node = self._parse(source)
        weights = Measure(self.schema, self.limits, node).weights()
        if "\\u" in source:
            visit(node, _NoNul())
        faults = validate(
            self.schema, node, self._rules, max_errors=ERRORS_TOLD, hide_suggestions=not self._suggestions
        )
        if faults:
            message = "The document is not valid."
            errors = formatted_all(faults, "", "GRAPHQL_VALIDATION_FAILED")
            raise RequestRefused("GRAPHQL_VALIDATION_FAILED", message, errors=errors)
        document = Document(node, key, {})
        nodes = [found for found in node.definitions if isinstance(found, OperationDefinitionNode)]
        for found, weight in zip(nodes, weights, strict=True):
            operation = self._operation(document, found, weight)
            document.operations[operation.name] = operation
        return document

    def _operation(self, document: Document, node: OperationDefinitionNode, weight: Weight) -> Operation:
        name = node.name.value if node.name else None
        pages = default_pages(node, self.limits.page)
        cost = weight.worth(pages, {})
        key = f"{document.hash}:{name or ''}"
        return Operation(document, node, name, node.operation.value, key, cost, weight, pages)

    def _parse(self, source: str) -> DocumentNode:
        try:
            return parse(
                source,
                max_lexical_tokens=self.limits.tokens,
                max_comments=self.limits.comments,
                allow_empty_selection_sets=False,
            )
        except GraphQLSyntaxError as fault:
            if fault.description.startswith(TOO_BIG):
                raise RequestRefused("TOO_COSTLY", fault.description) from None
            errors = [formatted(fault, "", "GRAPHQL_PARSE_FAILED")]
            raise RequestRefused("GRAPHQL_PARSE_FAILED", fault.message, errors=errors) from None
        except GraphQLError as fault:
            raise RequestRefused("GRAPHQL_PARSE_FAILED", fault.message) from None


class _NoNul(Visitor):
    """Refuses NUL in texts: JSON and GraphQL allow it, the database has no room for it."""

    def enter_string_value(self, node: StringValueNode, *_: Any) -> None:
        if "\0" in node.value:
            raise RequestRefused("BAD_REQUEST", "A text in the document holds the character NUL.")
