"""The variables of an operation, coerced as graphql-core coerces them (specification, section 6.1.2).

graphql-core looks at the definitions of an operation anew at each request. Most variables are one scalar or enum that
the request gives: for these the types are looked up once, and everything else is left to graphql-core, with its faults.
"""

from dataclasses import dataclass
from typing import Any, Self

from graphql import (
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    Undefined,
    coerce_input_value,
    get_nullable_type,
    is_leaf_type,
)
from graphql.execution import VariableValues, get_variable_values
from graphql.execution.get_variable_signature import GraphQLVariableSignature, get_variable_signature
from graphql.execution.values import VariableValueSource

ERRORS_TOLD = 10


@dataclass(frozen=True, slots=True)
class Variables:
    """How the variables of one operation are read; nothing of what a request sent is kept."""

    schema: GraphQLSchema
    node: OperationDefinitionNode
    leaves: tuple[GraphQLVariableSignature, ...] | None
    """Of all variables, where each is a scalar or an enum."""

    @classmethod
    def of(cls, schema: GraphQLSchema, node: OperationDefinitionNode) -> Self:
        """Look at the definitions of a valid operation."""
        found = [get_variable_signature(schema, definition) for definition in node.variable_definitions or ()]
        leaves = [
            each for each in found if not isinstance(each, GraphQLError) and is_leaf_type(get_nullable_type(each.type))
        ]
        return cls(schema, node, tuple(leaves) if len(leaves) == len(found) else None)

    def coerced(self, given: dict[str, Any]) -> VariableValues | list[GraphQLError]:
        """Give the values of one request, or at most ten faults and one that says that there are more."""
        found = self._leaves_of(given)
        if found is not None:
            return found
        nodes = self.node.variable_definitions or ()
        return get_variable_values(self.schema, nodes, given, max_errors=ERRORS_TOLD, hide_suggestions=True)

    def _leaves_of(self, given: dict[str, Any]) -> VariableValues | None:
        """Give the values where all are leaves, given and right."""
        if self.leaves is None:
            return None
        sources, coerced = {}, {}
        for signature in self.leaves:
            value = given.get(signature.name, Undefined)
            read = Undefined if value is Undefined else coerce_input_value(value, signature.type)
            if read is Undefined:
                return None
            sources[signature.name] = VariableValueSource(signature, value)
            coerced[signature.name] = read
        return VariableValues(sources, coerced)
