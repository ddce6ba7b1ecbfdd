"""Who may, as the committed `schema.graphql` says it and as the running portal does it, for every field that says so.

The contract is read as text and understood here anew: neither the declarations of `schema/` nor what enforces them are
asked what to expect.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest
from graphql import (
    BooleanValueNode,
    EnumTypeDefinitionNode,
    EnumValueNode,
    FieldDefinitionNode,
    GraphQLEnumType,
    GraphQLNonNull,
    GraphQLObjectType,
    ListValueNode,
    ObjectTypeDefinitionNode,
    get_named_type,
    is_leaf_type,
    parse,
)

import schema
from db.ids import uuid7
from db.pool import API_ROLE
from gateway import portal
from gateway.documents import Documents
from gateway.errors import RequestRefused
from gateway.limits import Limits
from gateway.portal import Portal
from resolvers.context import Context
from resolvers.viewer import Kind, Viewer, anonymous
from tests.conftest import Cluster
from tests.documents import Bare, literal
from tests.test_isolation import silent

GRAPHQL = schema.build().graphql
SDL = parse((Path(__file__).parents[2] / "schema.graphql").read_text(encoding="utf-8"))
ROOTS = ("Query", "Mutation", "Subscription")
DOORS = {"UNAUTHENTICATED", "FORBIDDEN", "TERMS_NOT_ACCEPTED", "MAINTENANCE"}
"""What a closed door says."""

VALUES: dict[str, Any] = {
    "ID": "AAAA", "String": "x", "Int": 1, "Float": 1.5, "Boolean": False, "JSON": {}, "EmailAddress": "a@b.example",
    "PhoneNumber": "+33600000000", "Date": "2026-01-01", "DateTime": "2026-01-01T00:00:00Z", "UUID": str(uuid7()),
}  # fmt: skip
"""A value of each scalar, to fill what a field needs."""


WAYS = {"Viewer": "viewer", "Account": "viewer.account"}
"""How to reach the types below the roots whose fields say who may."""


@dataclass(frozen=True, slots=True)
class Door:
    """What the contract says of one field."""

    parent: str
    name: str
    viewers: frozenset[str]
    roles: frozenset[str]
    scopes: frozenset[str]
    before_terms: bool
    in_maintenance: str
    """Of a command: REFUSED, AGENTS or ALWAYS; else empty."""

    @property
    def root(self) -> str:
        """The kind of operation that leads to it."""
        return self.parent.lower() if self.parent in ROOTS else "query"

    def says(self, viewer: Viewer, *, maintenance: str = "") -> str | None:
        """Give the code with which it stays closed for somebody, or None where it opens.

        `maintenance` says that there is some: `FOR_ALL`, or `AGENTS_WORK`.
        """
        works = self.in_maintenance in ("", "ALWAYS")
        works |= self.in_maintenance == "AGENTS" and viewer.kind is Kind.AGENT and maintenance == "AGENTS_WORK"
        if maintenance and not works:
            return "MAINTENANCE"
        if viewer.kind.value not in self.viewers:
            return "UNAUTHENTICATED" if viewer.kind is Kind.ANONYMOUS else "FORBIDDEN"
        if viewer.kind is Kind.AGENT and self.roles.isdisjoint(viewer.roles):
            return "FORBIDDEN"
        if viewer.kind is Kind.PARTNER and not self.scopes <= viewer.scopes:
            return "FORBIDDEN"
        if viewer.kind is Kind.FAMILY and not self.before_terms and not viewer.terms_accepted:
            return "TERMS_NOT_ACCEPTED"
        return None


def doors() -> list[Door]:
    """Read from the contract the doors that everybody can knock at."""
    return [door for door in _every_door() if door.parent in (*ROOTS, *WAYS)]


def doors_on_rows() -> list[Door]:
    """Read from the contract the doors on rows, at which only they can knock who see the row."""
    return [door for door in _every_door() if door.parent not in (*ROOTS, *WAYS)]


def _every_door() -> Iterator[Door]:
    for node in (found for found in SDL.definitions if isinstance(found, ObjectTypeDefinitionNode)):
        for each in node.fields or ():
            if node.name.value in ROOTS or any(said.name.value == "may" for said in each.directives or ()):
                yield _door(node.name.value, each)


def _door(parent: str, node: FieldDefinitionNode) -> Door:
    [may] = [directive for directive in node.directives or () if directive.name.value == "may"]
    told = {argument.name.value: argument.value for argument in may.arguments or ()}
    before_terms, in_maintenance = told["beforeTerms"], told.get("inMaintenance")
    assert isinstance(before_terms, BooleanValueNode)
    at_work = in_maintenance.value if isinstance(in_maintenance, EnumValueNode) else ""
    scopes = _names(told["scopes"]) if "scopes" in told else frozenset[str]()
    names = _names(told["viewers"]), _names(told["roles"]), scopes
    return Door(parent, node.name.value, *names, before_terms.value, at_work)


def _names(node: Any) -> frozenset[str]:
    assert isinstance(node, ListValueNode)
    return frozenset(each.value for each in node.values if isinstance(each, EnumValueNode))


def enum(name: str) -> list[str]:
    """Give the values of an enum of the contract."""
    [found] = [n for n in SDL.definitions if isinstance(n, EnumTypeDefinitionNode) and n.name.value == name]
    return [value.name.value for value in found.values or ()]


LOGIN = uuid7(), uuid7()
"""The one family that there is, and its login."""


def callers() -> dict[str, Viewer]:
    """Everybody who could knock, as the contract tells them apart."""
    agent = uuid7()
    found = {
        "nobody": anonymous(),
        "a partner": Viewer(Kind.PARTNER),
        "a family": Viewer(Kind.FAMILY, "fr", uuid7(), None, *LOGIN, terms_accepted=True),
        "a family before the terms": Viewer(Kind.FAMILY, "fr", uuid7(), None, *LOGIN),
    }
    for roles in (*([role] for role in enum("AgentRole")), []):
        name = f"an agent {roles[0] if roles else 'without a role'}"
        found[name] = Viewer(Kind.AGENT, "fr", uuid7(), agent_id=agent, roles=frozenset(roles), services=(uuid7(),))
    return found


CALLERS = callers()


@dataclass(frozen=True, slots=True)
class Street:
    """A portal on a city of one family in which nothing can be written: what opens does no harm."""

    opened: Portal
    documents: Documents
    maintenance: str = ""

    async def wrong(self, door: Door, viewer: Viewer) -> str | None:
        """Say how the portal does not do what the contract says, or None."""
        said = door.says(viewer, maintenance=self.maintenance)
        heard = await self.knock(door, viewer)
        return (
            None if heard == ({said} if said else set()) else f"contract: {said or 'open'}, portal: {heard or 'open'}"
        )

    async def knock(self, door: Door, viewer: Viewer) -> set[str]:
        """Ask for a root field; give the codes with which it stayed closed."""
        operation = self.documents.prepare(f"{door.root} {{ {selection(door)} }}").operation(None)
        context = Context(self.opened.process, viewer, "test")
        executor = self.opened.endpoint.executor
        try:
            if door.root == "subscription":
                (await executor.subscribe(operation, {}, context, Deaf())).close()
                return set()
            answer = msgspec.json.decode((await executor.execute(operation, {}, context)).body)
        except RequestRefused as refused:
            return {refused.code} & DOORS
        except PermissionError:
            return set()  # the door stood open, and somebody was met who has no business behind it
        return {error["extensions"]["code"] for error in answer.get("errors", ())} & DOORS


class Deaf:
    """A listener that keeps nothing."""

    def push(self, body: bytes) -> None:
        """Hear nothing."""

    def end(self, error: bytes | None = None) -> None:
        """Hear nothing."""


def selection(door: Door) -> str:
    """Write a field with all that it needs, the way to it, and the least that can be selected of it."""
    parent = GRAPHQL.type_map[door.parent]
    assert isinstance(parent, GraphQLObjectType)
    field = parent.fields[door.name]
    needed = {name: each.type for name, each in field.args.items() if isinstance(each.type, GraphQLNonNull)}
    written = ", ".join(f"{name}: {literal(_value(kind))}" for name, kind in needed.items())
    below = "" if is_leaf_type(get_named_type(field.type)) else " { __typename }"
    text = f"{door.name}{f'({written})' if written else ''}{below}"
    for step in reversed(WAYS[door.parent].split(".") if door.parent in WAYS else []):
        text = f"{step} {{ {text} }}"
    return text


def _value(kind: Any) -> Any:
    named = get_named_type(kind)
    if isinstance(named, GraphQLEnumType):
        value: Any = Bare(next(iter(named.values)))
    elif named.name in VALUES:
        value = VALUES[named.name]
    else:
        needed = {name: each.type for name, each in named.fields.items() if isinstance(each.type, GraphQLNonNull)}
        value = Bare(f"{{{', '.join(f'{name}: {literal(_value(kind))}' for name, kind in needed.items())}}}")
    return [value] if "[" in str(kind) else value


@pytest.fixture(scope="module")
async def street(cluster: Cluster) -> AsyncIterator[Street]:
    """Open the portal."""
    async with built(cluster) as made:
        yield made


@asynccontextmanager
async def built(cluster: Cluster, maintenance: str = "") -> AsyncIterator[Street]:
    """Open a portal on a city of one family."""
    wide = dict.fromkeys(("tokens", "depth", "aliases", "directives", "root_fields", "fragments", "cost"), 10**9)
    async with cluster.database("empty") as database:
        await _move_in(database.dsn, maintenance)
        async with portal.opened(silent(database.dsn), database.dsn) as opened:
            await _close_the_books(database.dsn)
            yield Street(opened, Documents(GRAPHQL, Limits(**wide)), maintenance)


async def _move_in(dsn: str, maintenance: str) -> None:
    """Write the family, its login, and the maintenance that there is."""
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        await connection.execute(
            "insert into family (id, number, name, created_at) values ($1, '1234567', 'Essai', now())", LOGIN[0]
        )
        await connection.execute(
            """insert into account (family_id, id, email, password_hash, created_at)
               values ($1, $2, 'essai@example.org', 'x', now())""",
            *LOGIN,
        )
        if maintenance:
            await connection.execute(
                """insert into maintenance (id, message_fr, message_en, starts_at, agents_may_work, created_at)
                   values ($1, 'Travaux', 'Works', now(), $2, now())""",
                uuid7(),
                maintenance == "AGENTS_WORK",
            )
    finally:
        await connection.close()


async def _close_the_books(dsn: str) -> None:
    """Let the portal write nothing: whoever is let in changes nothing for those who knock after."""
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        await connection.execute(f"revoke insert, update, delete on all tables in schema public from {API_ROLE}")
        columns = """select format('revoke insert (%1$I), update (%1$I) on %2$I from ', column_name, table_name)
            from information_schema.columns where table_schema = 'public'"""
        for row in await connection.fetch(columns):
            await connection.execute(row[0] + API_ROLE)
    finally:
        await connection.close()


def test_the_contract_names_every_root_field_once() -> None:
    built = {
        (root.name, name)
        for root in (GRAPHQL.query_type, GRAPHQL.mutation_type, GRAPHQL.subscription_type)
        if root is not None
        for name in root.fields
    }
    told = [(door.parent, door.name) for door in doors() if door.parent in ROOTS]
    assert set(told) == built and len(told) == len(built)


@pytest.mark.parametrize("who", CALLERS)
async def test_every_door_opens_for_whom_the_contract_names_and_for_nobody_else(street: Street, who: str) -> None:
    found = {f"{door.parent}.{door.name}": await street.wrong(door, CALLERS[who]) for door in doors()}
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


@pytest.mark.parametrize("maintenance", ["FOR_ALL", "AGENTS_WORK"])
async def test_during_maintenance_commands_open_for_whom_the_contract_names(cluster: Cluster, maintenance: str) -> None:
    async with built(cluster, maintenance) as street:
        found = {
            f"{door.name} for {who}": await street.wrong(door, viewer)
            for door in doors()
            for who, viewer in CALLERS.items()
        }
    assert {name: wrong for name, wrong in found.items() if wrong} == {}
