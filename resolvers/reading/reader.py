"""Plans made once, kept, and run: the finished bytes of an operation, or the rows of one field for the fallback."""

from collections import OrderedDict
from collections.abc import Mapping as MappingType
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

import msgspec
from graphql import FragmentDefinitionNode, GraphQLResolveInfo, OperationDefinitionNode, OperationType

from db.clock import Clock, utc_now
from resolvers.reading.mapping import Mapping
from resolvers.reading.parameters import Moment, Slot, Value, coerce
from resolvers.reading.selection import Document, Selected
from resolvers.reading.statement import NotPlanned, Writer

CAPACITY = 2000


class Pool(Protocol):
    """What the reader needs of a database: borrowed connections."""

    def connection(self, *, ahead: bool = False) -> Any:
        """Lend a connection in an asynchronous context, `ahead` of all who wait or in turn."""


class Viewer(Protocol):
    """What the reader needs of a viewer."""

    @property
    def kind(self) -> str: ...
    @property
    def sight(self) -> MappingType[str, str]: ...
    @property
    def values(self) -> MappingType[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Plan:
    """One statement and where its values come from."""

    sql: str
    values: Sequence[Value]
    slots: Sequence[Slot]


@dataclass(slots=True)
class Reader:
    """Reads what an operation selects, in one statement each, as a viewer may see it."""

    mapping: Mapping
    database: Pool
    casts: MappingType[str, str]
    """SQL types of the viewer's values."""
    doubtful: frozenset[tuple[str, str]] = frozenset()
    """(type, field) whose promises the database does not guarantee: graphql-core must check them."""
    tools: Any = None
    """What computed fields need beside their columns."""
    constants: MappingType[str, str] = field(default_factory=dict)
    """Texts that templates name and that are the same for everybody, such as the city's name."""
    clock: Clock = utc_now
    """Tells what `:now` is in templates."""
    planned: int = 0
    """How many plans were made."""
    _plans: OrderedDict[tuple[Any, ...], Plan | None] = field(default_factory=OrderedDict)

    async def whole(
        self,
        key: str,
        operation: OperationDefinitionNode,
        fragments: dict[str, FragmentDefinitionNode],
        variables: Any,
        viewer: Viewer,
        source: Any = None,
    ) -> bytes | None:
        """Give the JSON of `data`, or None when a field of the operation needs Python.

        `key` names the operation for good (hash of its document and its name); `variables` are graphql-core's, coerced;
        `source` is the event that a subscription's root field starts from.
        """
        cache_key = (key, viewer.kind, *_shape(operation, variables))
        if cache_key not in self._plans:
            document = Document(self.mapping.schema, fragments, variables)
            self._keep(cache_key, self._plan_whole(document, operation, viewer))
        plan = self._plans[cache_key]
        if plan is None:
            return None
        return await self._run(plan, variables, viewer, source)

    async def field(self, info: GraphQLResolveInfo[Any], source: Any, viewer: Viewer) -> Any:
        """Give the value of one field as dicts and lists keyed like the answer; `source` fills `:source_…`."""
        document = Document(info.schema, info.fragments, info.variable_values)
        writer = self._writer(document, viewer, tells_types=True)
        selected = Selected(str(info.path.key), info.field_name, tuple(info.field_nodes))
        parent = info.parent_type
        plan = _plan(f"to_json({writer.field(parent, selected, '')})", writer, viewer)
        # What a mutation wrote is answered before another one begins: else all who came at once wait for the last.
        ahead = info.operation.operation is OperationType.MUTATION
        answer = await self._run(plan, info.variable_values, viewer, source, ahead=ahead)
        return None if answer is None else msgspec.json.decode(answer)

    def _writer(
        self,
        document: Document,
        viewer: Viewer,
        *,
        tells_types: bool = False,
        doubtful: frozenset[tuple[str, str]] = frozenset(),
    ) -> Writer:
        self.planned += 1
        return Writer(self.mapping, document, viewer.kind, self.casts, tells_types, doubtful, self.constants)

    def _plan_whole(self, document: Document, operation: OperationDefinitionNode, viewer: Viewer) -> Plan | None:
        writer = self._writer(document, viewer, doubtful=self.doubtful)
        root = self.mapping.schema.get_root_type(operation.operation)
        if root is None:
            return None
        try:
            body = writer.object(root, [operation.selection_set], "")
        except NotPlanned:
            return None
        return _plan(body, writer, viewer)

    def _keep(self, key: tuple[Any, ...], plan: Plan | None) -> None:
        self._plans[key] = plan
        if len(self._plans) > CAPACITY:
            self._plans.popitem(last=False)

    async def _run(
        self, plan: Plan, variables: Any, viewer: Viewer, source: Any, *, ahead: bool = False
    ) -> bytes | None:
        moment = Moment(viewer.values, coerce(plan.slots, variables), source, self.clock)
        values = [value(moment) for value in plan.values]
        async with self.database.connection(ahead=ahead) as connection:
            answer: bytes | None = await connection.fetchval(plan.sql, *values, *viewer.sight.values())
        return answer


def _plan(body: str, writer: Writer, viewer: Viewer) -> Plan:
    """Wrap a body so that row-level security sees the viewer in the same round trip.

    The settings are made in `s` and last as long as the statement. The body is evaluated only after that row exists;
    would it ever run before, row-level security would show no rows.
    """
    parameters = writer.parameters
    first = len(parameters.values) + 1
    settings = [f"set_config('{name}', ${first + n}, true)" for n, name in enumerate(viewer.sight)]
    if settings:
        seen = " || ".join(settings)
        sql = (
            f"select convert_to((case when s.v is not null then {body} end)::text, 'UTF8') "
            f"from (select {seen} as v offset 0) s"
        )
    else:
        sql = f"select convert_to(({body})::text, 'UTF8')"
    return Plan(writer.statement(sql), tuple(parameters.values), tuple(parameters.slots))


def _shape(operation: OperationDefinitionNode, variables: Any) -> tuple[Any, ...]:
    """What of the variables decides a statement's text: which are null, booleans (`@skip`) and enums (`orderBy`)."""
    coerced = variables.coerced
    names = [definition.variable.name.value for definition in operation.variable_definitions or ()]
    return tuple(value if isinstance(value := coerced.get(name), bool | Enum | None) else ... for name in names)
