"""Variables and arguments of reads are exactly what graphql-core makes of them, however they are worked out."""

from typing import Any

from graphql import FieldNode, GraphQLError, GraphQLSchema, OperationDefinitionNode, build_schema, parse
from graphql.execution import VariableValues, get_argument_values, get_variable_values
from hypothesis import example, given
from hypothesis import strategies as some

from resolvers.reading.parameters import Parameters, coerce, plain
from resolvers.reading.variables import ERRORS_TOLD, Variables

SCHEMA: GraphQLSchema = build_schema("""
    enum Colour { RED GREEN }
    input Range { from: Int! until: Int = 9 }
    type Query {
        list(id: ID, first: Int = 20, share: Float, text: String!, colour: Colour = GREEN, colours: [Colour!],
            wanted: Boolean, range: Range): Int
    }
""")
assert SCHEMA.query_type is not None
LIST = SCHEMA.query_type.fields["list"]
TYPES = {
    "id": "ID",
    "first": "Int",
    "share": "Float",
    "text": "String!",
    "colour": "Colour",
    "colours": "[Colour!]",
    "wanted": "Boolean",
    "range": "Range",
}
LITERALS = {
    "id": ['"a"', "7", "null"],
    "first": ["3", "null"],
    "share": ["1", "0.5"],
    "text": ['"b"', '"RED"'],
    "colour": ["RED", "null"],
    "colours": ["[RED, GREEN]", "RED", "[]"],
    "wanted": ["true"],
    "range": ["{from: 1}", "{from: $number, until: 2}"],
}
VALUES = some.one_of(
    some.none(),
    some.booleans(),
    some.integers(-(2**33), 2**33),
    some.floats(allow_nan=False),
    some.sampled_from(["RED", "GREEN", "BLUE", "", "12"]),
    some.lists(some.sampled_from(["RED", "GREEN", "BLUE", None]), max_size=3),
    some.fixed_dictionaries({"from": some.integers(0, 5)}, optional={"until": some.integers(0, 5)}),
)


@some.composite
def asked(draw: Any) -> tuple[str, dict[str, Any]]:
    """Draw a valid document whose field has variables, literals or nothing as arguments, and values for it."""
    variables, arguments, values = {"number": "Int = 4"}, {}, {}
    for name, kind in TYPES.items():
        how = draw(some.sampled_from(["variable", "literal", "nothing"] if name != "text" else ["variable", "literal"]))
        if how == "literal":
            arguments[name] = draw(some.sampled_from(LITERALS[name]))
        elif how == "variable":
            default = draw(some.sampled_from(["", f" = {LITERALS[name][0]}"])) if name != "range" else ""
            variables[name] = kind + default
            arguments[name] = f"${name}"
    for name in variables:
        if draw(some.booleans()):
            values[name] = draw(VALUES)
    head = ", ".join(f"${name}: {kind}" for name, kind in variables.items())
    body = ", ".join(f"{name}: {value}" for name, value in arguments.items())
    return f"query ({head}) {{ list({body}) }}", values


def taken_apart(document: str) -> tuple[OperationDefinitionNode, FieldNode]:
    """Give the operation of a document and its field."""
    [operation] = parse(document).definitions
    assert isinstance(operation, OperationDefinitionNode)
    [field] = operation.selection_set.selections
    assert isinstance(field, FieldNode)
    return operation, field


def outcome(work: Any) -> Any:
    """Give what some work gives, or what it complains of."""
    try:
        found = work()
    except GraphQLError as fault:
        return [fault.message]
    if isinstance(found, list):
        return [each.message for each in found]
    if isinstance(found, VariableValues):
        return found.coerced, {name: source.value for name, source in found.sources.items()}
    return found


@given(asked())
@example(('query ($text: String! = "b", $first: Int) { list(text: $text, first: $first) }', {"first": None}))
@example(("query ($text: String!, $colour: Colour) { list(text: $text, colour: $colour) }", {"text": "x"}))
def test_what_is_worked_out_once_is_what_graphql_core_works_out_each_time(what: tuple[str, dict[str, Any]]) -> None:
    document, values = what
    operation, field = taken_apart(document)
    definition = LIST
    reference = get_variable_values(
        SCHEMA, operation.variable_definitions or (), values, max_errors=ERRORS_TOLD, hide_suggestions=True
    )
    found = Variables.of(SCHEMA, operation).coerced(values)
    assert outcome(lambda: found) == outcome(lambda: reference)
    if isinstance(found, list) or isinstance(reference, list):
        return
    parameters = Parameters()
    parameters.slot(definition, field, dict)
    assert outcome(lambda: dict(coerce(parameters.slots, found)[0])) == outcome(
        lambda: plain(get_argument_values(definition, field, reference))
    )
