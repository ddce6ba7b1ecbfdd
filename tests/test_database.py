"""The database as the migrations make it: the snapshot, and every statement of the code prepared against it."""

import ast
import importlib
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import astuple, is_dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from db import consumptions, imports
from db.cluster import binaries
from db.snapshot import SNAPSHOT, snapshot
from tests.conftest import Cluster, Database

DB = Path(__file__).parents[1] / "db"
IS_STATEMENT = re.compile(r"^\s*(select|insert|update|delete|with)\b")
"""In small letters, as we write it: `UPDATE 1` is what PostgreSQL answers."""
SERVER_SIDE = {"cluster.py", "embedded.py", "migrate.py", "snapshot.py"}
"""Modules that speak to a server without our tables."""


async def test_migrations_from_empty_give_exactly_the_committed_snapshot(cluster: Cluster, database: Database) -> None:
    """To renew it after a migration: `python3 run.py snapshot`."""
    assert snapshot(binaries(cluster.server.cluster) / "pg_dump", database.dsn) == SNAPSHOT.read_text(encoding="utf-8")


def statements() -> list[tuple[str, str]]:
    """Find every SQL text in `db/`: constants of modules, fields of such, and literals given to a connection."""
    found = []
    for path in sorted(DB.glob("*.py")):
        if path.name in SERVER_SIDE:
            continue
        constants = vars(importlib.import_module(f"db.{path.stem}"))
        inline = (_text(argument, constants) for argument in _given(ast.parse(path.read_text(encoding="utf-8"))))
        grouped = (astuple(each) for each in constants.values() if is_dataclass(each) and not isinstance(each, type))
        texts = {each for each in chain(constants.values(), inline, *grouped) if isinstance(each, str)}
        whole = {text for text in texts if IS_STATEMENT.match(text)}
        found += [
            (path.name, text) for text in sorted(whole) if not any(text != other and text in other for other in whole)
        ]
    return found


def _given(module: ast.Module) -> Iterator[ast.expr]:
    for node in ast.walk(module):
        if isinstance(node, ast.Call):
            yield from node.args
        elif isinstance(node, ast.Assign):
            yield node.value


def _text(node: ast.expr, constants: Mapping[str, Any]) -> str | None:
    """Give the text of a literal, or of an f-string made of constants of the module only."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if not isinstance(node, ast.JoinedStr):
        return None
    texts = []
    for part in node.values:
        value = part.value if isinstance(part, ast.FormattedValue) else part
        text = str(constants[value.id]) if isinstance(value, ast.Name) and value.id in constants else None
        texts.append(text if isinstance(value, ast.Name) else _text(value, constants))
    return None if None in texts else "".join(text for text in texts if text is not None)


def test_statements_are_found() -> None:
    assert len(statements()) > 60


@pytest.mark.parametrize(("module", "statement"), statements())
async def test_every_statement_fits_the_database(prepared: asyncpg.Connection, module: str, statement: str) -> None:
    await prepared.prepare(statement)


@pytest.fixture(scope="module")
async def prepared(cluster: Cluster) -> AsyncIterator[asyncpg.Connection]:
    """Give a connection to a migrated database, with the staging tables of imports."""
    async with cluster.database("empty") as database:
        connection = await asyncpg.connect(database.dsn, timeout=10)
        await imports.prepare(connection)
        await consumptions.prepare(connection)
        yield connection
        await connection.close()


def test_the_snapshot_names_every_table_of_the_migrations() -> None:
    written = "".join(path.read_text() for path in DB.glob("migrations/*.sql"))
    created, dropped = (set(re.findall(rf"{verb} table (\w+)", written)) for verb in ("create", "drop"))
    assert created - dropped <= set(re.findall(r"CREATE TABLE public\.(\w+)", SNAPSHOT.read_text()))
