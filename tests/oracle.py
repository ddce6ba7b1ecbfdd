"""The specification as an oracle: graphql-core resolves any read naively, one simple SELECT a row or list.

Nothing of the planner is used but its declarations: the schema is built anew from the SDL, who sees what is said again
in Python, rows are read whole and as superuser, and pages, cursors, ids and scalars are made here.
"""

import asyncio
import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import asyncpg
from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    build_schema,
    execute,
    get_named_type,
)

from db.clock import utc_now
from db.settings import Settings
from resolvers.reading.mapping import Aggregate, Column, Computed, Embedded, NodeById, One, Order, Page, node_type
from resolvers.reading.mapping import Mapping as Declared
from resolvers.viewer import Viewer
from tests.house import KEYS

ROWS = 20
Row = Mapping[str, Any]


def _own(row: Row, viewer: Viewer) -> bool:
    return viewer.kind == "FAMILY" and row["family_id"] == viewer.family_id


def _own_or_of_service(row: Row, viewer: Viewer) -> bool:
    return _own(row, viewer) or (viewer.kind == "AGENT" and row["service_id"] in viewer.services)


def _own_session(row: Row, viewer: Viewer) -> bool:
    mine = _own(row, viewer) or (viewer.kind == "AGENT" and row["agent_id"] == viewer.agent_id)
    return mine and row["ended_at"] is None


def _public(_row: Row, _viewer: Viewer) -> bool:
    return True


def _nobody(_row: Row, _viewer: Viewer) -> bool:
    return False


def _in_force(row: Row, _viewer: Viewer) -> bool:
    now = datetime.now(UTC)
    begins, ends = row["visible_from"], row["visible_until"]
    return begins is not None and begins <= now and (ends is None or ends > now)


SEEN: Mapping[str, Callable[[Row, Viewer], bool]] = {
    "service": _public,
    "terms": _public,
    "terms_acceptance": _own,
    "procedure_kind": _public,
    "agent": lambda row, viewer: viewer.kind == "AGENT" and (row["id"] == viewer.agent_id or "ADMIN" in viewer.roles),
    "second_factor": lambda row, viewer: (
        viewer.kind == "AGENT" and (row["agent_id"] == viewer.agent_id or "ADMIN" in viewer.roles)
    ),
    "identity_provider": _public,
    "provider_link": _own,
    "place": lambda row, _: row["archived_at"] is None,
    "opening_rule": _public,
    "exceptional_day": _public,
    "opening_span": _public,
    "page_category": _public,
    "Page": _in_force,
    "PageVersion": lambda _, viewer: bool(viewer.roles & {"EDITOR", "ADMIN"}),
    "family": lambda row, viewer: viewer.kind == "AGENT" or (viewer.kind == "FAMILY" and row["id"] == viewer.family_id),
    "member": lambda row, viewer: viewer.kind == "AGENT" or _own(row, viewer),
    "account": lambda row, viewer: _own(row, viewer) and row["removed_at"] is None,
    "invitation": _own,
    "member_change": lambda row, viewer: viewer.kind == "AGENT" or _own(row, viewer),
    "quotient_familial": lambda row, viewer: _own(row, viewer) or bool(viewer.roles & {"AGENT", "CASHIER"}),
    "agent_task": lambda row, viewer: bool(viewer.roles & set(row["roles"])),
    "audit_entry": lambda row, viewer: "ADMIN" in viewer.roles,
    "session": _own_session,
    "channel_preference": _own,
    "data_choice": _own,
    "service_opt_in": _own,
    "export": _own,
    "delivery": _own,
    "procedure": _own_or_of_service,
    "procedure_event": _own_or_of_service,
    "news": _own_or_of_service,
}
"""Who sees a row, by table, or by type where a table has two: said a second time, independently of `whose`."""


UNSEALED: Mapping[tuple[str, str], Callable[[Row], Any]] = {
    ("QuotientFamilial", "value"): lambda row: int(
        KEYS.unseal(f"quotient-familial/{row['family_id']}", row["sealed_value"])
    ),
}
"""What is made in Python of a row, said a second time."""


@dataclass(frozen=True, slots=True)
class Found:
    """One object of the answer."""

    type_name: str
    row: Row


@dataclass(frozen=True, slots=True)
class Listed:
    """One connection of the answer."""

    type_name: str
    order: Order
    all: list[Row]
    page: list[Row]
    next: bool
    previous: bool


class Wrong(Exception):
    """An argument is refused."""


@dataclass(slots=True)
class Oracle:
    """Answers reads on data that does not change meanwhile."""

    declared: Declared
    connection: asyncpg.Connection
    """As superuser, with JSON read by `json`."""
    schema: GraphQLSchema
    _known: dict[tuple[str, str], list[Row]] = field(default_factory=dict)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    @classmethod
    async def on(cls, declared: Declared, sdl: str, dsn: str) -> "Oracle":
        """Make one for a database."""
        connection = await asyncpg.connect(dsn, timeout=10)
        await connection.set_type_codec("json", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")
        return cls(declared, connection, build_schema(sdl))

    async def answer(self, document: DocumentNode, variables: dict[str, Any], viewer: Viewer) -> ExecutionResult:
        """Execute a query as the specification says."""
        result = execute(
            self.schema,
            document,
            context_value=viewer,
            variable_values=variables,
            field_resolver=self._resolve,
            type_resolver=lambda value, *_: value.type_name,
        )
        return result if isinstance(result, ExecutionResult) else await result

    async def _resolve(self, source: Any, info: GraphQLResolveInfo[Viewer], **given: Any) -> Any:
        if isinstance(source, Listed):
            return _of_list(source, info.field_name)
        if isinstance(source, dict):
            return source[info.field_name]
        reading = self.declared.fields[info.parent_type.name, info.field_name]
        match reading:
            case Column():
                return await self._column(source, info, reading, given)
            case Computed():
                return UNSEALED[info.parent_type.name, info.field_name](source.row)
            case Embedded():
                return Found("", {})
            case One():
                target = get_named_type(info.return_type).name
                rows = await self._rows(target, reading.on, source, info.context, given, reading.casts)
                return Found(target, rows[0]) if rows else None
            case Aggregate(target, "count(*)", on):
                return len(await self._rows(target, on, source, info.context, given, {}))
            case Page():
                return await self._page(source, info, reading, given)
            case NodeById():
                if reading.many:
                    return [await self._node(text, info.context) for text in given["ids"]]
                return await self._node(given["id"], info.context)

    async def _column(
        self, source: Found, info: GraphQLResolveInfo[Viewer], reading: Column, given: Mapping[str, Any]
    ) -> Any:
        column = re.fullmatch(r"\{t\}\.(\w+)", reading.sql or "")
        if info.field_name == "id" and column:
            return self._id(source)
        if column:
            return encoded(source.row[column[1]])
        if reading.casts:
            return await self._of_arguments(source, reading, info.context, given)
        if not source.type_name:
            sql, values = _fill(f"select {reading.sql} as value", {}, info.context, {}, {})
            return encoded((await self._fetched(sql, values))[0]["value"])
        return encoded(source.row[f"#{info.field_name}"])

    async def _of_arguments(self, source: Found, reading: Column, viewer: Viewer, given: Mapping[str, Any]) -> Any:
        """Give the value of an expression over arguments, for one row that has an `id`."""
        expression = (reading.sql or "").replace("{t}", "o")
        table = self.declared.tables[source.type_name].table
        sql = f"select ({expression}) as value from {table} o where o.id = {{t}}.id"
        text, values = _fill(sql, source.row, viewer, given, reading.casts)
        return encoded((await self._fetched(text, values))[0]["value"])

    def _id(self, source: Found) -> str:
        stored = self.declared.tables[source.type_name]
        return base64.b64encode(bytes([stored.tag]) + b"".join(source.row[name].bytes for name in stored.key)).decode()

    async def _node(self, text: str, viewer: Viewer) -> Found | None:
        try:
            raw = base64.b64decode(text, validate=True)
        except ValueError:
            return None
        target = self.declared.by_tag.get(raw[0]) if raw else None
        key = self.declared.tables[target].key if target else ()
        if target is None or len(raw) != 1 + 16 * len(key):
            return None
        parts = {name: UUID(bytes=raw[1 + 16 * n : 17 + 16 * n]) for n, name in enumerate(key)}
        on = " and ".join(f"{{o}}.{name} = :arg_{name}" for name in key)
        rows = await self._rows(target, on, None, viewer, parts, dict.fromkeys(key, "uuid"))
        return Found(target, rows[0]) if rows else None

    async def _page(
        self, source: Any, info: GraphQLResolveInfo[Viewer], reading: Page, given: dict[str, Any]
    ) -> Listed:
        connection = get_named_type(info.return_type)
        assert isinstance(connection, GraphQLObjectType)
        target = node_type(connection).name
        conditions = [reading.on, *(sql for name, sql in reading.filters.items() if given.get(name) is not None)]
        there = {name: getattr(value, "name", value) for name, value in given.items() if value is not None}
        order = reading.order_of(there)
        more = "".join(f', ({column}) as "{PLACED}{n}"' for n, (column, _) in enumerate(order.columns))
        on = " and ".join(conditions)
        found = await self._rows(target, on, source, info.context, given, reading.casts, more)
        rows = sorted(found, key=lambda row: _places(order, row), reverse=order.descending)
        return _paged(Listed(target, order, rows, [], False, False), given)

    async def _rows(
        self,
        target: str,
        on: str,
        source: Any,
        viewer: Viewer,
        given: Mapping[str, Any],
        casts: Mapping[str, str],
        placed: str = "",
    ) -> list[Row]:
        """Read all rows of a table that meet a condition and that the viewer sees; `placed` are the order's columns."""
        table = self.declared.tables[target].table
        more = "".join(f', ({sql}) as "#{name}"' for name, sql in self._expressions(target))
        sql = f"select o.*{more}{placed} from {table} o where {on}"
        text, values = _fill(sql, source.row if isinstance(source, Found) else {}, viewer, given, casts)
        return [
            row for row in await self._fetched(text, values) if SEEN.get(target, SEEN.get(table, _nobody))(row, viewer)
        ]

    async def _fetched(self, sql: str, values: list[Any]) -> list[Row]:
        """Run one SELECT, or remember what it gave."""
        known = (sql, repr(values))
        async with self._turn:
            if known not in self._known:
                self._known[known] = [dict(row) for row in await self.connection.fetch(sql, *values)]
        return self._known[known]

    def _expressions(self, target: str) -> list[tuple[str, str]]:
        """Give the fields of a type that are more than a plain column."""
        return [
            (name, (reading.sql or "").replace("{t}", "o"))
            for (parent, name), reading in self.declared.fields.items()
            if parent == target
            and isinstance(reading, Column)
            and not reading.casts
            and not re.fullmatch(r"\{t\}\.\w+", reading.sql or "")
        ]


VIEWER_TYPES = {"services": "uuid[]", "roles": "text[]", "language": "text"}
CITY = Settings().city
NOW = utc_now()
KNOWN: Mapping[str, tuple[Any, str]] = {
    "now": (NOW, "::timestamptz"),
    "city_name": (CITY.name, "::text"),
    "contact_phone": (CITY.contact_phone, "::text"),
    "contact_email": (CITY.contact_email, "::text"),
    "contact_hours": (CITY.contact_hours, "::text"),
    "contact_hours_en": (CITY.contact_hours_en, "::text"),
}
"""What is the same for every viewer; of `:now` only that it is between what is past and what is far ahead."""


def _fill(
    sql: str, row: Row, viewer: Viewer, given: Mapping[str, Any], casts: Mapping[str, str]
) -> tuple[str, list[Any]]:
    """Number the parameters of a template: `{t}.column` of the row above, `:name` of the viewer, `:arg_name`."""
    values: list[Any] = []

    def number(value: Any, cast: str) -> str:
        values.append(value)
        return f"${len(values)}{cast}"

    def parameter(match: re.Match[str]) -> str:
        if match["column"]:
            return number(row[match["column"]], "")
        name = match["name"]
        if name.startswith("arg_"):
            value, cast = given.get(name[4:]), casts[name[4:]]
            if cast == "timestamptz" and value is not None:
                value = datetime.fromisoformat(value)
            return number(value, f"::{cast}")
        if name in KNOWN:
            return number(*KNOWN[name])
        return number(viewer.values[name], f"::{VIEWER_TYPES.get(name, 'uuid')}")

    text = re.sub(r"\{t\}\.(?P<column>\w+)|(?<!:):(?P<name>[a-z]\w*)", parameter, sql.replace("{o}", "o"))
    return text, values


def encoded(value: Any) -> Any:
    """Give a value as JSON has it: moments in UTC with as many digits as they need."""
    if isinstance(value, datetime):
        text = value.isoformat()
        return re.sub(r"(\.\d*?)0+\+", r"\1+", text) if value.microsecond else text
    return value.isoformat() if isinstance(value, date) else value


PLACED = "#place"


def _places(order: Order, row: Row) -> list[Any]:
    """Give what says where a row stands in its list."""
    return [row[f"{PLACED}{n}"] for n in range(len(order.columns))]


def cursor(listed: Listed, row: Row) -> str:
    """Give the cursor of a row."""
    values = [_text(value) for value in _places(listed.order, row)]
    return base64.b64encode(
        json.dumps([listed.type_name + listed.order.name, *values], ensure_ascii=False).encode()
    ).decode()


def _text(value: Any) -> str:
    """Write a value as PostgreSQL casts it to text."""
    if isinstance(value, datetime):
        return re.sub(r"(\.\d*?)0+\+", r"\1+", value.isoformat(" ")).replace("+00:00", "+00")
    return str(value)


def _paged(listed: Listed, given: dict[str, Any]) -> Listed:
    first, after, last, before = (given.get(name) for name in ("first", "after", "last", "before"))
    if (last is not None and (first is not None or after is not None)) or (last is None and before is not None):
        raise Wrong
    limit = last if last is not None else first if first is not None else ROWS
    if not 0 <= limit <= 100:
        raise Wrong
    place = after if last is None else before
    rows = listed.all
    if place is not None:
        at = [cursor(listed, row) for row in rows]
        wanted = _place(listed, place)
        keep = [n for n, text in enumerate(at) if _beyond(listed, _place(listed, text), wanted, last is None)]
        rows = [rows[n] for n in keep]
    page = rows[:limit] if last is None else rows[max(len(rows) - limit, 0) :]
    further, beyond = len(rows) > limit, place is not None
    ahead, behind = (further, beyond) if last is None else (beyond, further)
    return Listed(listed.type_name, listed.order, listed.all, page, ahead, behind)


def _place(listed: Listed, text: str) -> list[Any]:
    try:
        name, *values = json.loads(base64.b64decode(text, validate=True))
        if name != listed.type_name + listed.order.name or len(values) != len(listed.order.columns):
            raise Wrong
        read: dict[str, Any] = {
            "uuid": UUID,
            "bigint": int,
            "integer": int,
            "text": str,
            "timestamptz": datetime.fromisoformat,
        }
        return [read[kind](value) for value, (_, kind) in zip(values, listed.order.columns, strict=True)]
    except (ValueError, TypeError) as error:
        raise Wrong from error


def _beyond(listed: Listed, place: list[Any], wanted: list[Any], forward: bool) -> bool:
    return place > wanted if forward != listed.order.descending else place < wanted


def _of_list(listed: Listed, name: str) -> Any:
    if name == "edges":
        return [{"cursor": cursor(listed, row), "node": Found(listed.type_name, row)} for row in listed.page]
    if name == "totalCount":
        return len(listed.all)
    return {
        "hasNextPage": listed.next,
        "hasPreviousPage": listed.previous,
        "startCursor": cursor(listed, listed.page[0]) if listed.page else None,
        "endCursor": cursor(listed, listed.page[-1]) if listed.page else None,
    }
