"""Search over ten thousand pages: words as they stand, without accents, with a slip, many hits and none.

The goal is 10 ms a question, from the plan to the bytes.
"""

import argparse
import time

import asyncpg
from graphql import OperationDefinitionNode, parse
from graphql.execution import get_variable_values

import schema
from bench.city import cluster
from bench.pages import write_pages
from bench.tables import table
from db.pool import Database
from resolvers.reading.reader import Reader
from resolvers.viewer import anonymous

BUILT = schema.build()
GOAL_MS = 10.0
CITY = 200
SEARCHES = (
    "cantine",
    "inscription cantine",
    "ecole",
    "cantinne",
    "stationement",
    "stationnement résident",
    "bamolitu",
    "zzzz",
)
QUERY = """query ($q: String!) { pages(search: $q, first: 10) { edges { node { slug title summary
    highlight(search: $q) } } } }"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command line takes."""
    parser.add_argument("--pages", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=60)


async def run(arguments: argparse.Namespace) -> None:
    """Make the pages and print how long each search takes."""
    async with cluster() as postgres:
        dsn = await postgres.fresh("search", CITY)
        connection = await asyncpg.connect(dsn, timeout=10)
        database = await Database.open(dsn, size=1, command_seconds=60, statement_seconds=60, wait_seconds=2)
        try:
            await write_pages(connection, arguments.pages)
            await connection.execute("vacuum analyze", timeout=300)
            reader = Reader(BUILT.mapping, database, schema.VIEWER_CASTS)
            rows = [await _ask(reader, words, arguments.rounds) for words in SEARCHES]
            print(table(["search", "found", "p50 ms", "p99 ms", f"≤ {GOAL_MS:.0f} ms"], rows))
        finally:
            await database.close()
            await connection.close()


async def _ask(reader: Reader, words: str, rounds: int) -> list[str]:
    node = parse(QUERY).definitions[0]
    assert isinstance(node, OperationDefinitionNode)
    variables = get_variable_values(BUILT.graphql, node.variable_definitions or (), {"q": words})
    took, found = [], 0
    for _ in range(rounds):
        began = time.perf_counter()
        answer = await reader.whole(QUERY, node, {}, variables, anonymous())
        took.append((time.perf_counter() - began) * 1000)
        assert answer is not None, "every read is planned"
        found = answer.count(b'"slug"')
    took.sort()
    p50, p99 = took[len(took) // 2], took[min(int(len(took) * 0.99), len(took) - 1)]
    return [words, str(found), f"{p50:.1f}", f"{p99:.1f}", "yes" if p50 <= GOAL_MS else "no"]
