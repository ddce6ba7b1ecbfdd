"""Two families whose every text tells whose it is, and every way through the schema that could show it to others.

Both are generated: the canaries from the columns of the database, the walk from the fields of the schema.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg
from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_leaf_type,
)

from db.news import NewsRow
from resolvers.reading.identity import make_id
from resolvers.reading.mapping import Mapping as Declared
from resolvers.viewer import Viewer
from tests.documents import Bare, literal
from tests.rows import agent_viewer, family_viewer, fill

DEEPEST = 6
KEPT = {"ended_at", "removed_at", "valid_from"}
"""Left as it is: an ended session or a removed login would hide what is to be looked for; quotients of the future too.
"""

OWNED_COLUMNS = """
    select c.table_name, c.column_name, c.data_type from information_schema.columns c
    where c.table_schema = 'public' and c.data_type in ('text', 'json', 'timestamp with time zone', 'date')
        and c.is_generated = 'NEVER'
        and c.table_name in (select table_name from information_schema.columns
            where table_schema = 'public' and column_name = 'family_id'
                or table_name in ('family', 'agent', 'second_factor'))
    order by c.table_name, c.ordinal_position
"""
HERE = "§"
"""Where a path that is being written goes on."""
MARKS = {"ours": 1, "theirs": 2}


@dataclass(frozen=True, slots=True)
class Side:
    """A family, an agent of the service that all its procedures belong to, and how to name their rows."""

    family: Viewer
    agent: Viewer
    ids: Mapping[str, Sequence[str]]
    """By type: global ids of its rows; of everybody's where a type is nobody's."""
    arguments: Mapping[str, Any]
    """What names it in arguments."""
    news: Sequence[NewsRow]


@dataclass(slots=True)
class Canaries:
    """What tells that an answer holds rows of a side, and of which table."""

    mark: str
    tables: list[str]
    words: dict[str, str] = field(default_factory=dict)
    """Ids and numbers → table."""
    refused: set[tuple[str, str]] = field(default_factory=set)
    """Columns whose checks allow no canary."""

    def text(self, table: str, column: str, number: int) -> str:
        """Make the canary of a text."""
        return f"canary-{self.mark}-{table}-{column}-{number}"

    def moment(self, table: str) -> str:
        """Make the fraction of a second that marks a moment."""
        return f"0.{MARKS[self.mark] * 111}{self.tables.index(table):02d}7"

    def day(self, table: str) -> str:
        """Make the day that marks a date."""
        return f"2{MARKS[self.mark]}{self.tables.index(table):02d}-02-03"

    def found(self, answer: str) -> set[str]:
        """Give the tables whose rows an answer holds."""
        digit = MARKS[self.mark]
        numbers = re.findall(rf"\.{digit * 111}(\d\d)7\+|\b2{digit}(\d\d)-02-03\b", answer)
        found = {self.tables[int(a or b)] for a, b in numbers}
        found |= set(re.findall(rf"canary-{self.mark}-(\w+)-\w+-", answer))
        return found | {table for word, table in self.words.items() if word in answer}


@dataclass(frozen=True, slots=True)
class Path:
    """One way from a root field to the fields of one object."""

    name: str
    text: str
    """The selection, from the root field on."""
    pairs: frozenset[tuple[str, str]]
    """Every (type, field) on it."""

    def then(self, parent: str, name: str, written: str, of: str = "") -> "Path":
        """Give the path that goes on through a field, written in the place that was left for it."""
        step = f"{name}<{of}>" if of else name
        return Path(f"{self.name}.{step}".strip("."), self.text.replace(HERE, written), self.pairs | {(parent, name)})


async def sides(connection: asyncpg.Connection, declared: Declared) -> dict[str, tuple[Side, Canaries]]:
    """Mark the rows of two families of a city, each with an agent and a service of its own."""
    await fill(connection)
    await connection.execute("alter table audit_entry disable trigger keep")  # marking is a change that it refuses
    rows = await connection.fetch(
        """select f.id from family f join account a on a.family_id = f.id join procedure p on p.family_id = f.id
           join delivery d on d.family_id = f.id group by f.id order by count(distinct p.id) desc, f.id limit 2"""
    )
    services = await connection.fetch("select id from service order by id limit 2")
    agents = await connection.fetch("select s.* from session s where agent_id is not null order by id limit 2")
    tables = sorted({row["table_name"] for row in await connection.fetch(OWNED_COLUMNS)})
    await share_a_child(connection, [row["id"] for row in rows])
    made = {}
    for mark, row, service, agent in zip(MARKS, rows, services, agents, strict=True):
        for table in ("procedure", "procedure_event", "news"):
            await connection.execute(
                f"update {table} set service_id = $2 where family_id = $1 and service_id is not null",
                row["id"],
                service["id"],
            )
        canaries = Canaries(mark, tables)
        await complete(connection, canaries, row["id"])
        await plant(connection, canaries, row["id"], agent["agent_id"])
        made[mark] = await side(connection, declared, canaries, row["id"], agent, service["id"]), canaries
    return made


async def share_a_child(connection: asyncpg.Connection, families: Sequence[UUID]) -> None:
    """Let both families have one child, as separated parents do: neither may learn anything of the other by it."""
    for family in families:
        await connection.execute(
            """insert into member (family_id, id, role, first_name, last_name, child_id, created_at)
               values ($1, gen_random_uuid(), 'CHILD', 'x', 'x', 'c0000000-0000-7000-8000-000000000000', now())""",
            family,
        )


async def complete(connection: asyncpg.Connection, canaries: Canaries, family: UUID) -> None:
    """Write what is there for few families only: identifiers, a former member, a quotient to come."""
    digit = MARKS[canaries.mark]
    identifiers = f"7328293200007{digit}", f"W00000007{digit}", f"77{digit}/77{digit}"
    await connection.execute(
        "update family set profile = 'ASSOCIATION', siret = $2, rna = $3, registry_number = $4 where id = $1",
        family,
        *identifiers,
    )
    canaries.words.update(dict.fromkeys(identifiers, "family"))
    await connection.execute(
        f"""insert into member (family_id, id, role, first_name, last_name, created_at, ended_at)
            values ($1, gen_random_uuid(), 'ADULT', 'x', 'x', now(),
                date_trunc('second', now()) + interval '{canaries.moment("member")} s')""",
        family,
    )
    await connection.execute(
        f"update quotient_familial set valid_from = '{canaries.day('quotient_familial')}' "
        "where family_id = $1 and valid_from > now()",
        family,
    )
    await connection.execute(
        "update account a set member_id = (select m.id from member m where m.family_id = $1 order by m.id limit 1) "
        "where a.family_id = $1",
        family,
    )


def rows_of(table: str, family: UUID, agent: UUID) -> str:
    """Give the condition of a side's rows."""
    return {
        "family": f"id = '{family}'",
        "agent": f"id = '{agent}'",
        "second_factor": f"agent_id = '{agent}'",
        "session": f"(family_id = '{family}' or agent_id = '{agent}')",
    }.get(table, f"family_id = '{family}'")


async def plant(connection: asyncpg.Connection, canaries: Canaries, family: UUID, agent: UUID) -> None:
    """Write a canary into every text, moment and day of a side's rows that allows one."""
    for column in await connection.fetch(OWNED_COLUMNS):
        table, name, kind = column["table_name"], column["column_name"], column["data_type"]
        if name in KEPT:
            continue
        where = rows_of(table, family, agent)
        for number, row in enumerate(
            await connection.fetch(f"select ctid::text from {table} where {where} order by ctid")
        ):
            text = canaries.text(table, name, number)
            json = f'{{"summary_fr": "{text}", "summary_en": "{text}"}}'
            day, moment = (
                canaries.day(table),
                f"date_trunc('second', coalesce({name}, now())) + interval '{canaries.moment(table)} s'",
            )
            value = {"text": f"'{text}'", "json": f"'{json}'", "date": f"'{day}'"}.get(kind, moment)
            try:
                async with connection.transaction():
                    await connection.execute(
                        f"update {table} set {name} = {value} where ctid = $1::text::tid", row["ctid"]
                    )
            except asyncpg.IntegrityConstraintViolationError:
                canaries.refused.add((table, name))


async def side(
    connection: asyncpg.Connection, declared: Declared, canaries: Canaries, family: UUID, agent: Any, service: UUID
) -> Side:
    """Give a side as it stands in the database; its ids become canaries too."""
    ids: dict[str, list[str]] = {}
    for name, stored in declared.tables.items():
        if not stored.tag:
            continue
        owned = stored.table in canaries.tables
        where = rows_of(stored.table, family, agent["agent_id"]) if owned else "true"
        rows = await connection.fetch(f"select {', '.join(stored.key)} from {stored.table} where {where}")
        ids[name] = [make_id(declared, name, *row.values()) for row in rows]
        if owned:
            canaries.words.update(dict.fromkeys(ids[name], stored.table))
            canaries.words.update({str(row["id"]): stored.table for row in rows})
    number = await connection.fetchval("select number from family where id = $1", family)
    canaries.words[number] = "family"
    reference = await connection.fetchval("select reference from procedure where family_id = $1 limit 1", family)
    session = await connection.fetchrow("select * from session where family_id = $1 limit 1", family)
    arguments = {"number": number, "search": number, "reference": reference, "familyNumber": number}
    columns = "family_id, seq, topic, type, procedure_id, service_id"
    news = await connection.fetch(
        f"select {columns} from news where family_id = $1 and procedure_id is not null", family
    )
    told = [NewsRow(*row.values()) for row in news]
    return Side(family_viewer(session), agent_viewer(agent, [service]), ids, arguments, told)


class Walk:
    """Every way through a schema, asked for what names one side."""

    def __init__(self, schema: GraphQLSchema, given: Side) -> None:
        self.schema = schema
        self.given = given

    def of(self, root: GraphQLObjectType) -> Iterator[Path]:
        """Give all paths from the fields of a root type."""
        for name in root.fields:
            yield from self.below(root, name)

    def below(self, root: GraphQLObjectType, name: str) -> Iterator[Path]:
        """Give all paths that begin with one root field, once for each way to call it."""
        start = Path("", HERE, frozenset())
        for argument in {"id", "ids"} & set(root.fields[name].args):
            yield from self._nodes(root, name, argument, start)
            return
        for call in self._calls(name, root.fields[name]):
            yield from self._field(root, name, call, start, ())

    def _nodes(self, root: GraphQLObjectType, name: str, argument: str, start: Path) -> Iterator[Path]:
        """Give the paths through `node` or `nodes`: with ids of each type, as that type."""
        for type_name, found in self.given.ids.items():
            for ids in [found[:50]] if argument == "ids" else found[:2]:
                call = _call(name, {argument: ids})
                inside = f"{call} {{ __typename id ... on {type_name} {{ {HERE} }} }}"
                named = self.schema.type_map[type_name]
                yield from self._object(named, start.then(root.name, name, inside, type_name), ())

    def _field(self, parent: Any, name: str, call: str, above: Path, types: tuple[str, ...]) -> Iterator[Path]:
        """Give the paths through one field; `types` are those of the objects above it."""
        named = get_named_type(parent.fields[name].type)
        if is_leaf_type(named):
            yield above.then(parent.name, name, call)
        else:
            yield from self._object(named, above.then(parent.name, name, f"{call} {{ {HERE} }}"), types)

    def _object(self, named: Any, above: Path, types: tuple[str, ...]) -> Iterator[Path]:
        leaves = [name for name, each in named.fields.items() if is_leaf_type(get_named_type(each.type))]
        calls = [self._calls(name, named.fields[name])[0] for name in leaves]
        text = above.text.replace(HERE, " ".join(["__typename", *calls]))
        yield Path(above.name, text, above.pairs | {(named.name, name) for name in leaves})
        for name, each in named.fields.items():
            target = get_named_type(each.type).name
            if name in leaves or (*types, named.name).count(target) > 1 or len(types) > DEEPEST:
                continue
            [call, *_] = self._calls(name, each)
            made = named.name.endswith(("Connection", "Edge"))
            down = Path(above.name, above.text.replace(HERE, f"__typename {HERE}"), above.pairs)
            yield from self._field(named, name, call, down, types if made else (*types, named.name))

    def _calls(self, name: str, definition: GraphQLField) -> list[str]:
        """Give the ways to call a field: with what it needs, and with all that narrows it."""
        required = {arg for arg, each in definition.args.items() if isinstance(each.type, GraphQLNonNull)}
        pages = {"first": 100} if "first" in definition.args else {}
        needed = {arg: self.value(arg, definition.args[arg]) for arg in sorted(required)}
        narrow = {arg: self.given.arguments[arg] for arg in definition.args if arg in self.given.arguments}
        calls = [pages | needed, pages | needed | narrow] if narrow else [pages | needed]
        return [_call(name, arguments) for arguments in calls]

    def value(self, name: str, argument: GraphQLArgument) -> Any:
        """Give a value that names this side, or any where the argument names nobody."""
        if name in self.given.arguments:
            return self.given.arguments[name]
        named = get_named_type(argument.type)
        if isinstance(named, GraphQLEnumType):
            return Bare(next(iter(named.values)))
        return ANY[name]


ANY: dict[str, Any] = {
    "code": "cantine",
    "version": 1,
    "slug": "mentions-legales",
    "latitude": 44.8,
    "longitude": -0.6,
}


def _call(name: str, arguments: Mapping[str, Any]) -> str:
    written = ", ".join(f"{arg}: {literal(value)}" for arg, value in arguments.items())
    return f"{name}({written})" if written else name


def values(answer: Any, found: dict[tuple[str, str], list[Any]]) -> None:
    """Gather every value of an answer by (type, field); each object of it tells its type."""
    if isinstance(answer, list):
        for item in answer:
            values(item, found)
    elif isinstance(answer, dict):
        for name, value in answer.items():
            if value is not None and "__typename" in answer:
                found.setdefault((answer["__typename"], name), []).append(value)
            if name not in ("answers", "form"):
                values(value, found)
