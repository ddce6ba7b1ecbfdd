"""Where the values of a statement come from at run time: viewer, argument, source object, or response key."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from graphql import FieldNode, GraphQLField, ListValueNode, ObjectValueNode, Undefined, ValueNode, VariableNode
from graphql.execution import get_argument_values

from db.clock import Clock


@dataclass(frozen=True, slots=True)
class Moment:
    """What is known when a plan runs."""

    viewer: Mapping[str, Any]
    """Values of the viewer by name."""

    arguments: Sequence[Mapping[str, Any]]
    """Per field with arguments: its coerced arguments, prepared."""

    source: Any
    """The Python object that a payload starts from, or None."""

    clock: Clock
    """Tells what `:now` is."""


Value = Callable[[Moment], Any]
Prepare = Callable[[dict[str, Any]], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Slot:
    """The arguments of one field of the operation."""

    definition: GraphQLField
    node: FieldNode
    prepare: Prepare
    """Checks them and takes cursors and ids apart; raises a refusal."""
    constant: Mapping[str, Any] | None
    """What they are, where they have no variables; else they are put together anew at each run."""
    written: "Written | None"
    """How to, where each is a constant or a variable; None where one has variables inside."""

    def variable(self, name: str) -> str | None:
        """Give the variable that an argument without a default is, as it stands; None where it is anything else."""
        definition = self.definition.args.get(name)
        if definition is None or definition.default is not None or definition.default_value is not Undefined:
            return None
        values = [argument.value for argument in self.node.arguments or () if argument.name.value == name]
        return values[0].name.value if values and isinstance(values[0], VariableNode) else None

    def arguments(self, variables: Any) -> Mapping[str, Any]:
        """Give the arguments of one run; raises GraphQLError or a refusal."""
        if self.constant is not None:
            return self.constant
        given = self.written.given(variables.coerced) if self.written is not None else None
        if given is None:
            given = get_argument_values(self.definition, self.node, variables)
        return self.prepare(plain(given))


@dataclass(frozen=True, slots=True)
class Written:
    """Arguments as a field was written with them: what graphql-core works out anew each time, worked out once."""

    constants: Mapping[str, Any]
    """What does not depend on variables, with defaults."""
    variables: tuple[tuple[str, str], ...]
    """Name of an argument and of the variable that it is."""

    @classmethod
    def of(cls, definition: GraphQLField, node: FieldNode) -> "Written | None":
        """Look at the arguments of a field in a valid document."""
        alone = {each.name.value: each.value for each in node.arguments or () if isinstance(each.value, VariableNode)}
        others = tuple(each for each in node.arguments or () if each.name.value not in alone)
        if any(_holds_variable(each.value) for each in others):
            return None
        rest = {name: each for name, each in definition.args.items() if name not in alone}
        constants = get_argument_values(
            GraphQLField(definition.type, rest), FieldNode(name=node.name, arguments=others)
        )
        names = ((definition.args[name].out_name or name, value.name.value) for name, value in alone.items())
        return cls(constants, tuple(names))

    def given(self, coerced: Mapping[str, Any]) -> dict[str, Any] | None:
        """Give the arguments of one run; None when a variable is null or missing, so that defaults and faults count."""
        given = dict(self.constants)
        for name, variable in self.variables:
            value = coerced.get(variable)
            if value is None:
                return None
            given[name] = value
        return given


@dataclass(slots=True)
class Parameters:
    """The parameters of a statement that is being written: equal ones share a number."""

    values: list[Value] = field(default_factory=list)
    slots: list[Slot] = field(default_factory=list)
    _numbers: dict[tuple[Any, ...], int] = field(default_factory=dict)

    def slot(self, definition: GraphQLField, node: FieldNode, prepare: Prepare) -> int:
        """Reserve a place for a field's arguments; raises a refusal for constant ones that are wrong."""
        written = Written.of(definition, node)
        constant = prepare(plain(dict(written.constants))) if written is not None and not written.variables else None
        self.slots.append(Slot(definition, node, prepare, constant, written))
        return len(self.slots) - 1

    def viewer(self, name: str) -> str:
        """Refer to a value of the viewer."""
        return self._refer(("viewer", name), lambda moment: moment.viewer[name])

    def argument(self, slot: int, name: str, cast: str = "") -> str:
        """Refer to an argument of a field; one variable in several fields is one parameter, where all cast it alike."""
        variable = self.slots[slot].variable(name) if cast else None
        what = ("argument", slot, name) if variable is None else ("variable", variable, cast)
        return self._refer(what, lambda moment: moment.arguments[slot].get(name))

    def now(self) -> str:
        """Refer to the present moment, as the injected clock shows it."""
        return self._refer(("now",), lambda moment: moment.clock())

    def constant(self, name: str, value: Any) -> str:
        """Refer to a value that is the same as long as the process runs."""
        return self._refer(("constant", name), lambda _: value)

    def source(self, name: str) -> str:
        """Refer to an attribute of the source object."""
        return self._refer(("source", name), lambda moment: getattr(moment.source, name))

    def key(self, text: str) -> str:
        """Refer to a response key that the request chose: a value, never text of the statement."""
        return f"{self._refer(('key', text), lambda _: text)}::text"

    def _refer(self, what: tuple[Any, ...], value: Value) -> str:
        number = self._numbers.get(what)
        if number is None:
            self.values.append(value)
            number = self._numbers[what] = len(self.values)
        return f"${number}"


def coerce(slots: Sequence[Slot], variables: Any) -> list[Mapping[str, Any]]:
    """Give the arguments of this run, slot by slot; raises GraphQLError or a refusal."""
    return [slot.arguments(variables) for slot in slots]


def _holds_variable(value: ValueNode) -> bool:
    if isinstance(value, ListValueNode):
        return any(map(_holds_variable, value.values))
    if isinstance(value, ObjectValueNode):
        return any(_holds_variable(field.value) for field in value.fields)
    return isinstance(value, VariableNode)


def plain(given: dict[str, Any]) -> dict[str, Any]:
    """Give enum values by their names, as they are stored."""
    return {name: _names(value) for name, value in given.items()}


def _names(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.name
    return [_names(item) for item in value] if isinstance(value, list) else value
