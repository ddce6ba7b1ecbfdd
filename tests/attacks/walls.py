"""What row-level security lets everybody do with the rows of one family and with all others, tried table by table.

Every table is tried as if its roles were granted everything, so that only the policies are left to refuse. The outcome
is `walls.txt`, a table that is committed and read like the contract: `python -m tests.attacks.walls` writes it anew.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

import schema
from db.ids import uuid7
from db.pool import API_ROLE, DISPATCH_ROLE
from resolvers.viewer import SYSTEM_SIGHT
from tests.conftest import Cluster, running
from tests.marked import Side, rows_of, sides

DRAWN = Path(__file__).with_name("walls.txt")
PROBER = "kiosque_prober"
"""Owns a table for the length of a trial: FORCE must hold its owner as well."""

EVERY = 2**31

HEAD = """\
# What row-level security lets everybody do, were all privileges granted. Written by: python -m tests.attacks.walls
# s select, i insert, u update, d delete, t transfer to the other family: a capital where it holds for all rows of the
# group, a small letter for some, - for none, . where the group has no row.
"""

OWNED = "select count(*) = 1 from pg_attribute where attrelid = $1::regclass and attname = $2"
WALLED = """
    select c.relname from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and c.relrowsecurity order by 1
"""
COLUMNS = """
    select array_agg(quote_ident(attname) order by attnum) from pg_attribute
    where attrelid = $1::regclass and attnum > 0 and not attisdropped and attgenerated = '' and attidentity = ''
"""


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody in front of the wall: a role of the program and what it says of who looks."""

    name: str
    role: str
    sight: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Ground:
    """A city with two marked families, on a connection that may do anything."""

    connection: asyncpg.Connection
    ours: Side
    theirs: Side

    @property
    def callers(self) -> list[Caller]:
        """Everybody, as the portal introduces them to the database."""

        def api(name: str, sight: Any) -> Caller:
            return Caller(name, API_ROLE, tuple(sight.items()))

        its, other = (replace(side.agent, roles=frozenset({"AGENT"})) for side in (self.theirs, self.ours))
        boss = replace(self.ours.agent, roles=frozenset({"ADMIN"}), services=())
        return [
            api("nobody", {}),
            api("the family", self.theirs.family.sight),
            api("another family", self.ours.family.sight),
            api("an agent of its service", its.sight),
            api("an agent of another one", other.sight),
            api("an agent of none", replace(other, services=()).sight),
            api("an administrator", boss.sight),
            api("the portal itself", SYSTEM_SIGHT),
            Caller("a dispatcher", DISPATCH_ROLE),
            Caller("the owner", PROBER),
        ]

    async def drawn(self) -> str:
        """Try every walled table."""
        return "".join([f"{line}\n" for table in await self.walled() async for line in self.lines(table)])

    async def lines(self, table: str) -> AsyncGenerator[str, None]:
        """Try one table as everybody; nothing stays of it."""
        transaction = self.connection.transaction()
        await transaction.start()
        try:
            await self.connection.execute(f"create role {PROBER}; grant create on schema public to {PROBER}")
            transfer = await self.connection.fetchval(OWNED, table, "family_id")
            for caller in self.callers:
                found = [
                    f"{group}: {await Trial(self, table, caller, rows).outcome(transfer=transfer)}"
                    for group, rows in (await self.groups(table)).items()
                ]
                yield f"{table:24} {caller.name:24} {'  '.join(found)}".rstrip()
        finally:
            await transaction.rollback()

    async def walled(self) -> list[str]:
        """Give the tables with row-level security."""
        return [row["relname"] for row in await self.connection.fetch(WALLED)]

    async def groups(self, table: str) -> dict[str, str]:
        """Give the conditions of the rows of the family and its agent, and of those of the other one; one for all rows
        of a table that is nobody's.
        """
        theirs, ours = keys_of(self.theirs), keys_of(self.ours)
        if table in ("family", "agent", "session") or await self.connection.fetchval(OWNED, table, "family_id"):
            return {"its": rows_of(table, *theirs), "the other's": rows_of(table, *ours)}
        if await self.connection.fetchval(OWNED, table, "agent_id"):
            return {"its": f"agent_id = '{theirs[1]}'", "the other's": f"agent_id = '{ours[1]}'"}
        return {"all": "true"}


@dataclass(frozen=True, slots=True)
class Trial:
    """One table, one caller, one group of rows."""

    ground: Ground
    table: str
    caller: Caller
    group: str

    async def outcome(self, *, transfer: bool) -> str:
        """Try everything; give a letter each."""
        connection = self.ground.connection
        total = await connection.fetchval(f"select count(*) from {self.table} where {self.group}")
        if not total:
            return "." * 5
        columns = await connection.fetchval(COLUMNS, self.table)
        first, names = columns[0], ", ".join(columns)
        other = f"'{self.ground.ours.family.family_id}'"
        statements = {
            "s": [f"select 1 from {self.table} where {self.group}"],
            "i": [f"insert into {self.table} ({names}) overriding system value {_one(names, n)}" for n in range(total)],
            "u": [f"update {self.table} set {first} = {first} where {self.group}"],
            "d": [f"delete from {self.table} where {self.group}"],
            "t": [f"update {self.table} set family_id = {other} where {self.group}"] if transfer else [],
        }
        if self.caller.role == PROBER:
            statements = {"s": statements["s"]}
        letters = ""
        for letter in "siudt":
            tried = statements.get(letter)
            letters += letter_of(letter, await self._try(tried), total) if tried else " "
        return letters

    async def _try(self, statements: Sequence[str]) -> int:
        """Give how many rows the statements reach as the caller; a refused one reaches none."""
        connection = self.ground.connection
        savepoint = connection.transaction()
        await savepoint.start()
        try:
            sample = f"select * from {self.table} where {self.group}"
            owned = f"alter table {self.table} owner to {PROBER};" if self.caller.role == PROBER else ""
            sight = "".join(f"select set_config('{name}', '{value}', true);" for name, value in self.caller.sight)
            await connection.execute(
                f"""create temp table sample on commit drop as {sample}; {owned}
                grant all on {self.table}, sample to {self.caller.role}; set local role {self.caller.role}; {sight}"""
            )
            return sum([await self._reached(statement) for statement in statements])
        finally:
            await savepoint.rollback()

    async def _reached(self, statement: str) -> int:
        try:
            async with self.ground.connection.transaction():
                return int((await self.ground.connection.execute(statement)).split()[-1])
        except asyncpg.InsufficientPrivilegeError:
            return 0
        except asyncpg.IntegrityConstraintViolationError:
            return 1 if statement.startswith("insert") else EVERY  # looked at when the policies have let a row pass


def _one(names: str, place: int) -> str:
    return f"select {names} from sample offset {place} limit 1"


def keys_of(side: Side) -> tuple[UUID, UUID]:
    """Give the ids of a side's family and agent."""
    family, agent = side.family.family_id, side.agent.agent_id
    assert isinstance(family, UUID) and isinstance(agent, UUID)
    return family, agent


def letter_of(letter: str, reached: int, total: int) -> str:
    """Write how many rows were reached."""
    if not reached:
        return "-"
    return letter.upper() if reached >= total else letter


@asynccontextmanager
async def ground(cluster: Cluster) -> AsyncIterator[Ground]:
    """Give a city to try on; triggers and foreign keys sleep, as they ask who did what, not who may."""
    async with cluster.database("city") as database:
        connection = await asyncpg.connect(database.dsn, timeout=10)
        try:
            made = await sides(connection, schema.build().mapping)
            await connection.execute("set session_replication_role = replica")
            given = Ground(connection, made["ours"][0], made["theirs"][0])
            await populate(given)
            yield given
        finally:
            await connection.close()


NEEDED = """
    select a.attname as name, format_type(a.atttypid, a.atttypmod) as type, t.typcategory::text as category
    from pg_attribute a join pg_type t on t.oid = a.atttypid
    where a.attrelid = $1::regclass and a.attnum > 0 and not a.attisdropped and a.attidentity = ''
        and (a.attnotnull and not a.atthasdef or a.attname = any($2)) order by a.attnum
"""
CHECKS = "select quote_ident(conname) from pg_constraint where conrelid = $1::regclass and contype = 'c'"
PLAIN = {"S": "'xxxxxxxx'", "N": "1", "D": "now()", "B": "false", "A": "'{}'", "T": "'1 day'", "I": "'127.0.0.1'"}
"""A value of each category of types; other types take `'{}'`."""


async def populate(made: Ground) -> None:
    """Write a row into every walled table in which a side has none, whatever its checks say of such rows."""
    for table in await made.walled():
        for side, group in zip((made.theirs, made.ours), (await made.groups(table)).values(), strict=False):
            if not await made.connection.fetchval(f"select exists (select from {table} where {group})"):
                await _insert_any(made.connection, table, side)


async def _insert_any(connection: asyncpg.Connection, table: str, side: Side) -> None:
    family, agent = keys_of(side)
    for check in await connection.fetch(CHECKS, table):
        await connection.execute(f"alter table {table} drop constraint {check[0]}")
    known = {"family_id": family, "agent_id": agent, "account_id": side.family.account_id}
    columns = await connection.fetch(NEEDED, table, list(known))
    values = [f"'{known[each['name']]}'" if each["name"] in known else _any_value(each) for each in columns]
    names = ", ".join(each["name"] for each in columns)
    await connection.execute(f"insert into {table} ({names}) values ({', '.join(values)})")


def _any_value(column: Any) -> str:
    if column["type"] == "uuid":
        return f"'{uuid7()}'"
    if column["type"] == "bytea":
        return f"'\\x{uuid7().hex * 2}'"
    return PLAIN.get(column["category"], "'{}'")


async def write() -> None:
    """Draw the walls anew."""
    async with running() as cluster, ground(cluster) as made:
        DRAWN.write_text(HEAD + await made.drawn(), encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(write())
