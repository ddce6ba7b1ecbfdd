"""The database as the migrations make it: the snapshot, and every statement of the code prepared against it."""

import ast
import re
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from db import imports
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
    """Find every SQL text in `db/`: constants, and literals given to a connection."""
    found = []
    for path in sorted(DB.glob("*.py")):
        if path.name in SERVER_SIDE:
            continue
        module = ast.parse(path.read_text(encoding="utf-8"))
        constants: dict[str, str] = {}
        for node in ast.walk(module):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                text = _number(node.value) or _text(node.value, constants)
                if text is not None:
                    constants[node.targets[0].id] = text
        texts = {text for node in ast.walk(module) if (text := _text(node, constants))}
        whole = {text for text in texts if IS_STATEMENT.match(text)}
        found += [
            (path.name, text) for text in sorted(whole) if not any(text != other and text in other for other in whole)
        ]
    return found


def _number(node: ast.AST) -> str | None:
    return str(node.value) if isinstance(node, ast.Constant) and isinstance(node.value, int) else None


def _text(node: ast.AST, constants: dict[str, str]) -> str | None:
    """Give the text of a literal, or of an f-string made of constants only."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        parts = [part.value if isinstance(part, ast.FormattedValue) else part for part in node.values]
        texts = [constants.get(part.id) if isinstance(part, ast.Name) else _text(part, constants) for part in parts]
        return None if None in texts else "".join(text for text in texts if text is not None)
    return None


def test_statements_are_found() -> None:
    assert len(statements()) > 60


@pytest.mark.parametrize(("module", "statement"), statements())
async def test_every_statement_fits_the_database(prepared: asyncpg.Connection, module: str, statement: str) -> None:
    await prepared.prepare(statement)


@pytest.fixture(scope="module")
async def prepared(cluster: Cluster) -> AsyncIterator[asyncpg.Connection]:
    """Give a connection to a migrated database, with the staging tables of an import."""
    async with cluster.database("empty") as database:
        connection = await asyncpg.connect(database.dsn, timeout=10)
        await imports.prepare(connection)
        yield connection
        await connection.close()


def test_the_snapshot_names_every_table_of_the_migrations() -> None:
    created = set(re.findall(r"create table (\w+)", "".join(path.read_text() for path in DB.glob("migrations/*.sql"))))
    assert created <= set(re.findall(r"CREATE TABLE public\.(\w+)", SNAPSHOT.read_text()))
