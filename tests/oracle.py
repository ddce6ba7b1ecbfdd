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

import schema
from db.clock import utc_now
from db.settings import Settings
from resolvers import tariffs
from resolvers.reading.mapping import (
    Aggregate,
    Column,
    Computed,
    Embedded,
    NodeById,
    One,
    Order,
    Page,
    node_type,
    object_type,
)
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


def _reads(row: Row, viewer: Viewer) -> bool:
    """Tell whether a partner reads procedures of the row's service."""
    return viewer.kind == "PARTNER" and "PROCEDURES_READ" in viewer.scopes and row["service_id"] in viewer.services


def _partners_own(column: str) -> Callable[[Row, Viewer], bool]:
    return lambda row, viewer: (
        "ADMIN" in viewer.roles or (viewer.kind == "PARTNER" and row[column] == viewer.partner_id)
    )


def _public(_row: Row, _viewer: Viewer) -> bool:
    return True


def _nobody(_row: Row, _viewer: Viewer) -> bool:
    return False


def _in_force(row: Row, _viewer: Viewer) -> bool:
    now = datetime.now(UTC)
    begins, ends = row["visible_from"], row["visible_until"]
    return begins is not None and begins <= now and (ends is None or ends > now)


def _own_or_filed(row: Row, viewer: Viewer) -> bool:
    return _own(row, viewer) or (viewer.kind == "AGENT" and not set(viewer.services).isdisjoint(row["#filed with"]))


def _document(row: Row, viewer: Viewer) -> bool:
    if row["agent_id"] is None:
        return _own_or_filed(row, viewer)
    handled = viewer.kind == "AGENT" and row["#handed in for"] in viewer.services
    return handled or (_own_or_filed(row, viewer) and (viewer.kind == "AGENT" or row["sent_at"] is not None))


def _colleague(row: Row, viewer: Viewer) -> bool:
    handles = "AGENT" in row["roles"] and row["disabled_at"] is None
    if viewer.kind == "AGENT":
        return handles and bool(set(row["services"]) & set(viewer.services))
    return viewer.kind == "FAMILY" and viewer.family_id in (row["#families"] or ())


def _own_or_till(row: Row, viewer: Viewer) -> bool:
    return _own(row, viewer) or (viewer.kind == "AGENT" and bool(viewer.roles & {"CASHIER", "ADMIN"}))


def _own_or_of_service_or_till(row: Row, viewer: Viewer) -> bool:
    return _own_or_of_service(row, viewer) or _of_the_till(row, viewer)


def _of_the_till(_row: Row, viewer: Viewer) -> bool:
    return viewer.kind == "AGENT" and bool(viewer.roles & {"CASHIER", "ADMIN"})


SEEN: Mapping[str, Callable[[Row, Viewer], bool]] = {
    "service": _public,
    "terms": _public,
    "terms_acceptance": _own,
    "procedure_kind": _public,
    "required_document": _public,
    "ServiceWork": lambda row, viewer: viewer.kind == "AGENT" and row["id"] in viewer.services,
    "Colleague": _colleague,
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
    "mandate": lambda row, viewer: _own(row, viewer) or bool(viewer.roles & {"CASHIER", "ADMIN"}),
    "debit": lambda row, viewer: _own(row, viewer) or bool(viewer.roles & {"CASHIER", "ADMIN"}),
    "docket": lambda _, viewer: bool(viewer.roles & {"CASHIER", "ADMIN"}),
    "debit_batch": lambda _, viewer: bool(viewer.roles & {"CASHIER", "ADMIN"}),
    "agent_task": lambda row, viewer: (
        bool(viewer.roles & set(row["roles"])) and row["service_id"] in (None, *viewer.services)
    ),
    "audit_entry": lambda row, viewer: "ADMIN" in viewer.roles,
    "session": _own_session,
    "channel_preference": _own,
    "data_choice": _own,
    "service_opt_in": _own,
    "export": _own,
    "delivery": _own,
    "DeadLetter": lambda row, viewer: "ADMIN" in viewer.roles and row["status"] == "DEAD_LETTER",
    "address": _own,
    "procedure": lambda row, viewer: (
        _own(row, viewer)
        or ((_own_or_of_service(row, viewer) or _reads(row, viewer)) and row["submitted_at"] is not None)
    ),
    "information_request": _own_or_of_service,
    "procedure_message": _own_or_of_service,
    "procedure_event": lambda row, viewer: (
        _own_or_of_service(row, viewer)
        or (_reads(row, viewer) and (row["from_status"], row["to_status"]) != ("DRAFT", "WITHDRAWN"))
    ),
    "procedure_feed": lambda row, viewer: _reads(row, viewer) and row["position"] is not None,
    "partner": _partners_own("id"),
    "webhook": _partners_own("partner_id"),
    "webhook_delivery": _partners_own("partner_id"),
    "webhook_attempt": _partners_own("partner_id"),
    "partner_secret": lambda _, viewer: "ADMIN" in viewer.roles,
    "partner_task": lambda _, viewer: "ADMIN" in viewer.roles,
    "acknowledgement": _own_or_of_service,
    **dict.fromkeys(("invoice", "invoice_line", "payment", "allocation", "refund"), _own_or_till),
    **dict.fromkeys(("daily_closing", "daily_total", "till_totals"), _of_the_till),
    "account_entries": _own_or_till,
    "channel_routes": _own,
    **dict.fromkeys(("consumption", "consumption_change"), _own_or_of_service_or_till),
    **dict.fromkeys(("billing_run", "draft_invoice", "draft_line", "billing_check"), _of_the_till),
    "card_attempt": _own_or_till,
    "bank_message": lambda row, viewer: viewer.kind == "AGENT" and _own_or_till(row, viewer),
    "tariff": _public,
    "tariff_price": _public,
    "StatisticsRow": lambda _, viewer: viewer.kind == "AGENT" or "STATISTICS_READ" in viewer.scopes,
    "revenue": lambda row, viewer: _of_the_till(row, viewer) or "INVOICES_AGGREGATE" in viewer.scopes,
    "news": _own_or_of_service,
    "document": _document,
    "requested_document": _own_or_of_service,
    "procedure_document": _own_or_filed,
}
"""Who sees a row, by table, or by type where a table has two: said a second time, independently of `whose`."""


FUNCTIONS = {"account_entries", "channel_routes", "till_totals", "statistics", "revenue"}
"""Types whose rows a function gives, so that there is nothing to look them up in."""

FILED = """select coalesce(array_agg(l.service_id), '{}') from procedure_document l, procedure p
    where p.family_id = l.family_id and p.id = l.procedure_id and p.submitted_at is not null
        and l.family_id = o.family_id and"""
BESIDE: Mapping[str, list[tuple[str, str]]] = {
    "document": [
        ("filed with", f"{FILED} l.document_id = o.id"),
        (
            "handed in for",
            "select p.service_id from procedure p where p.family_id = o.family_id and p.id = o.procedure_id "
            "and p.submitted_at is not null",
        ),
    ],
    "procedure_document": [("filed with", f"{FILED} l.id = o.id")],
    "agent": [("families", "(select array_agg(p.family_id) from procedure p where p.assigned_agent_id = o.id)")],
}
"""What tells who sees a row and does not stand in it: the services a document was submitted to, the families that
a colleague works for."""

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
            case Computed() if reading.casts:
                return await self._own_price(source, reading, info.context, given)
            case Computed():
                return UNSEALED[info.parent_type.name, info.field_name](source.row)
            case Embedded():
                return await self._embedded(reading, source, info)
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
            sql, values = _fill(f"select {reading.sql} as value", source.row, info.context, {}, {})
            return encoded((await self._fetched(sql, values))[0]["value"])
        embedded = source.type_name not in self.declared.tables
        return encoded(source.row[f"#{source.type_name}.{info.field_name}" if embedded else f"#{info.field_name}"])

    async def _own_price(self, source: Found, reading: Computed, viewer: Viewer, given: Mapping[str, Any]) -> Any:
        """Say a second time what a family pays: by a search through all brackets, from what the statement reads."""
        inputs = ", ".join(f"({sql.replace('{t}', 'o')}) as v{n}" for n, sql in enumerate(reading.inputs))
        sql = f"select {inputs} from tariff o where o.id = {{t}}.id"
        text, values = _fill(sql, source.row, viewer, given, reading.casts)
        [row] = await self._fetched(text, values)
        language, name, family, quotient, prices, unit, member = row.values()
        brackets = json.loads(prices)
        if family is None or member is None or not brackets:
            return None
        known = json.loads(quotient) if quotient else None
        sealed = base64.b64decode(known["sealed"]) if known else b""
        value = int(KEYS.unseal(f"quotient-familial/{family}", sealed)) if known else None
        fits = [
            each
            for each in brackets
            if value is not None
            and each["quotient_from"] <= value
            and (each["quotient_until"] is None or value < each["quotient_until"])
        ]
        chosen = fits[0] if fits else max(brackets, key=lambda each: int(each["cents"]))
        told = value is not None and len(brackets) > 1
        price = {
            "id": f"EUR {chosen['cents']}",
            "cents": chosen["cents"],
            "currency": "EUR",
            "formatted": tariffs.formatted(chosen["cents"], language),
        }
        explained = tariffs.own_price(KEYS, family, quotient, prices, language, unit, member)
        return {
            "id": name,
            "price": price,
            "quotient": value if told else None,
            "quotientValidFrom": known["valid_from"] if known and told else None,
            "quotientFrom": chosen["quotient_from"],
            "quotientUntil": chosen["quotient_until"],
            "explanation": explained.explanation if explained else None,
        }

    async def _embedded(self, reading: Embedded, source: Any, info: GraphQLResolveInfo[Viewer]) -> Found | None:
        if not reading.values:
            return Found(get_named_type(info.return_type).name if source else "", source.row if source else {})
        of, table = reading.source, self.declared.tables.get(source.type_name)
        sql = f"select o.* from {of} where o is not null"
        if table is not None and table.table not in FUNCTIONS:
            made = of.replace("{t}", "holder")
            found = f"{table.table} holder cross join lateral {made}"
            sql = f"select o.* from {found} where o is not null and holder.id = {{t}}.id"
        rows = await self._fetched(*_fill(sql, source.row, info.context, {}, {}))
        return Found("", rows[0]) if rows else None

    async def _of_arguments(self, source: Found, reading: Column, viewer: Viewer, given: Mapping[str, Any]) -> Any:
        """Give the value of an expression over arguments, for one row that has an `id`."""
        expression = (reading.sql or "").replace("{t}", "o")
        table = self.declared.tables[source.type_name].table
        sql = f"select ({expression}) as value from {table} o where o.id = {{t}}.id"
        text, values = _fill(sql, source.row, viewer, given, reading.casts)
        return encoded((await self._fetched(text, values))[0]["value"])

    def _id(self, source: Found) -> str:
        stored = self.declared.tables[source.type_name]
        parts = [source.row[name] for name in stored.key]
        if all(isinstance(part, UUID) for part in parts):
            return base64.b64encode(bytes([stored.tag]) + b"".join(part.bytes for part in parts)).decode()
        texts = [part if part is None or isinstance(part, list) else _text(part) for part in parts]
        return base64.b64encode(bytes([stored.tag]) + json.dumps(texts, ensure_ascii=False).encode()).decode()

    async def _node(self, text: str, viewer: Viewer) -> Found | None:
        try:
            raw = base64.b64decode(text, validate=True)
        except ValueError:
            return None
        target = self.declared.by_tag.get(raw[0]) if raw else None
        key = self.declared.tables[target].key if target else ()
        if target is not None and self.declared.tables[target].types:
            return await self._given(target, raw[1:], viewer)
        if target is None or len(raw) != 1 + 16 * len(key):
            return None
        parts = {name: UUID(bytes=raw[1 + 16 * n : 17 + 16 * n]) for n, name in enumerate(key)}
        on = " and ".join(f"{{o}}.{name} = :arg_{name}" for name in key)
        rows = await self._rows(target, on, None, viewer, parts, dict.fromkeys(key, "uuid"))
        return Found(target, rows[0]) if rows else None

    async def _given(self, target: str, raw: bytes, viewer: Viewer) -> Found | None:
        """Read the row of a key that is more than UUIDs: out of all rows that the function gives for its parts."""
        stored = self.declared.tables[target]
        try:
            parts = dict(zip(stored.key, json.loads(raw), strict=True))
        except (ValueError, TypeError):
            return None
        given = {name: int(value) if stored.types.get(name) == "bigint" else value for name, value in parts.items()}
        casts = {name: stored.types.get(name, "uuid") for name in stored.key}
        again = stored.again.replace("{k}.", ":arg_")
        rows = await self._rows(target, "true", None, viewer, given, casts, function=again)
        same = [row for row in rows if self._id(Found(target, row)).encode() == self._encoded(stored.tag, raw)]
        return Found(target, same[0]) if same else None

    def _encoded(self, tag: int, raw: bytes) -> bytes:
        return base64.b64encode(bytes([tag]) + raw)

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
        found = await self._rows(target, on, source, info.context, given, reading.casts, more, reading.source)
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
        function: str = "",
    ) -> list[Row]:
        """Read all rows of a table, or of a function, that meet a condition and that the viewer sees; `placed` are the
        order's columns.
        """
        table = self.declared.tables[target].table
        beside = [*self._expressions(target), *BESIDE.get(table, ())]
        more = "".join(f', ({sql}) as "#{name}"' for name, sql in beside)
        sql = f"select o.*{more}{placed} from {function or table} o where {on}"
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
        """Give the fields of a type that are more than a plain column, those of objects made of the same row too."""
        more: list[tuple[str, str]] = []
        for (parent, name), reading in self.declared.fields.items():
            if parent == target and isinstance(reading, Embedded) and not reading.values:
                inside = object_type(self.declared.schema, parent, name).name
                more += [(f"{inside}.{each}", sql) for each, sql in self._expressions(inside)]
        return more + [
            (name, (reading.sql or "").replace("{t}", "o"))
            for (parent, name), reading in self.declared.fields.items()
            if parent == target
            and isinstance(reading, Column)
            and not reading.casts
            and not re.fullmatch(r"\{t\}\.\w+", reading.sql or "")
        ]


VIEWER_TYPES = {
    "services": "uuid[]",
    "roles": "text[]",
    "scopes": "text[]",
    "language": "text",
    "admin": "boolean",
}
NOW = utc_now()
KNOWN: Mapping[str, tuple[Any, str]] = {
    "now": (NOW, "::timestamptz"),
    **{name: (value, "::text") for name, value in schema.constants(Settings()).items()},
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
            value = row[match["column"]]
            return number(value, ("::integer" if abs(value) < 2**31 else "::bigint") if type(value) is int else "")
        name = match["name"]
        if name.startswith("arg_"):
            value, cast = given.get(name[4:]), casts[name[4:]]
            if cast == "timestamptz" and value is not None:
                value = datetime.fromisoformat(value)
            if cast == "date" and value is not None:
                value = date.fromisoformat(value)
            return number(value, f"::{cast}")
        if name in KNOWN:
            return number(*KNOWN[name])
        return number(viewer.values[name], f"::{VIEWER_TYPES.get(name, 'uuid')}")

    sql = re.sub(r"\{once (.+?)\}", r"(\1)", sql)
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
            "date": date.fromisoformat,
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
