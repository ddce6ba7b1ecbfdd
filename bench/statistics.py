"""Statistics over a million procedures: any group, all time and parts of months, folded and not.

The rows are made by the database itself, with its triggers at work: twelve kinds, three years, decisions after hours to
months. The goal is 50 ms a question, from the plan to the bytes.
"""

import argparse
import time
from datetime import timedelta

import asyncpg
from graphql import OperationDefinitionNode, parse
from graphql.execution import get_variable_values

import schema
from bench.city import cluster
from bench.tables import table
from db.clock import utc_now
from db.pool import Database
from resolvers.reading.reader import Reader
from resolvers.viewer import Kind, Viewer

BUILT = schema.build()
GOAL_MS = 50.0
KINDS = """
    insert into procedure_kind (id, code, version, service_id, title_fr, title_en, summary_fr, summary_en, form,
        attestation_fr, attestation_en, decision_months, silence_means, published_at)
    select gen_random_uuid(), 'banc-' || n, 1, (select id from service order by code offset n % 7 limit 1), 'Banc',
        'Bench', '', '', '{}', 'x', 'x', 2, 'ACCEPTED', now()
    from generate_series(1, 12 - (select count(*)::integer from procedure_kind)) n
"""
ROWS = """
    insert into procedure (family_id, id, reference, kind_id, service_id, status, answers, attestation, submitted_at,
        implied_decision_on, decided_at, created_at, updated_at)
    select f.id, gen_random_uuid(), 'BANC-' || $1 || '-' || n, k.id, k.service_id, s.status, '{}', 'x', s.at,
        s.at + interval '2 months',
        case when s.status in ('ACCEPTED', 'REJECTED', 'CLOSED') then s.at + s.took end, s.at,
        s.at
    from (
        select n, now() - random() * interval '1095 days' as at, interval '1 hour' * exp(random() * 6.5 + 1) as took,
            (array['ACCEPTED', 'ACCEPTED', 'ACCEPTED', 'REJECTED', 'CLOSED', 'WITHDRAWN', 'IN_REVIEW', 'SUBMITTED'])
                [1 + floor(random() * 8)::integer] as status,
            1 + floor(random() * (select count(*) from procedure_kind))::integer as kind,
            1 + floor(random() * (select count(*) from family))::integer as family
        from generate_series(1, $2::integer) n
    ) s
    join (select id, service_id, row_number() over () as place from procedure_kind) k on k.place = s.kind
    join (select id, row_number() over () as place from family) f on f.place = s.family
"""
CHUNK = 50_000
TODAY = utc_now().date()
QUESTIONS: tuple[tuple[str, str], ...] = (
    ("all", "groupBy: []"),
    ("by kind", "groupBy: [KIND]"),
    ("by service and status", "groupBy: [SERVICE, STATUS]"),
    ("by month", "groupBy: [MONTH]"),
    ("by month and kind", "groupBy: [MONTH, KIND]"),
    ("by everything", "groupBy: [MONTH, SERVICE, KIND, STATUS]"),
    ("one year", f'groupBy: [MONTH], from: "{TODAY - timedelta(365)}"'),
    ("17 days to 17 days ago", f'groupBy: [KIND], from: "{TODAY - timedelta(900)}", until: "{TODAY - timedelta(17)}"'),
    ("one week", f'groupBy: [STATUS], from: "{TODAY - timedelta(107)}", until: "{TODAY - timedelta(100)}"'),
)
FIELDS = "id month kindCode kindTitle status submitted open decided medianHours p90Hours service { code name }"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command line takes."""
    parser.add_argument("--procedures", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=40)


async def run(arguments: argparse.Namespace) -> None:
    """Make the procedures and print how long each question takes."""
    async with cluster() as postgres:
        dsn = await postgres.fresh("statistics", 200)
        connection = await asyncpg.connect(dsn, timeout=10)
        database = await Database.open(dsn, size=1, command_seconds=60, statement_seconds=60, wait_seconds=2)
        try:
            loading = await _load(connection, arguments.procedures)
            print(f"{arguments.procedures:,} procedures with their counts in {loading:.0f} s")
            folding = await _fold(connection)
            lines = {
                grain: await connection.fetchval("select count(*) from procedure_count where grain = $1", grain)
                for grain in ("MONTH", "DAY")
            }
            print(f"folded in {folding:.0f} s into {lines['MONTH']:,} lines by month, {lines['DAY']:,} by day")
            await _load(connection, 100)  # and what moves between two folds
            reader = Reader(BUILT.mapping, database, schema.VIEWER_CASTS)
            rows = [
                row for viewer in await _viewers(connection) for row in await _ask(reader, viewer, arguments.rounds)
            ]
            print(table(["question", "viewer", "groups", "p50 ms", "p99 ms", f"≤ {GOAL_MS:.0f} ms"], rows))
        finally:
            await database.close()
            await connection.close()


async def _load(connection: asyncpg.Connection, count: int) -> float:
    began = time.perf_counter()
    await connection.execute(KINDS)
    for start in range(0, count, CHUNK):
        await connection.execute("set statement_timeout = 0")
        await connection.fetch(ROWS, str(utc_now().timestamp()) + str(start), min(CHUNK, count - start), timeout=600)
    return time.perf_counter() - began


async def _fold(connection: asyncpg.Connection) -> float:
    began = time.perf_counter()
    while await connection.fetchval("select fold_procedure_counts(20000)", timeout=60):
        pass
    await connection.execute("vacuum analyze procedure_count", timeout=300)
    await connection.execute("vacuum analyze procedure_count_change", timeout=300)
    return time.perf_counter() - began


async def _viewers(connection: asyncpg.Connection) -> list[tuple[str, Viewer]]:
    found = await connection.fetch("select id, email, roles, services from agent where email ~ '^(admin|scolaire)@'")
    return [
        (
            row["email"].partition("@")[0],
            Viewer(Kind.AGENT, agent_id=row["id"], roles=frozenset(row["roles"]), services=tuple(row["services"])),
        )
        for row in found
    ]


async def _ask(reader: Reader, viewer: tuple[str, Viewer], rounds: int) -> list[list[str]]:
    rows = []
    for name, question in QUESTIONS:
        text = f"{{ statistics({question}, first: 100) {{ edges {{ node {{ {FIELDS} }} }} }} }}"
        node = parse(text).definitions[0]
        assert isinstance(node, OperationDefinitionNode)
        variables = get_variable_values(BUILT.graphql, (), {})
        took = []
        groups = 0
        for _ in range(rounds):
            began = time.perf_counter()
            answer = await reader.whole(text, node, {}, variables, viewer[1])
            took.append((time.perf_counter() - began) * 1000)
            assert answer is not None, "every read is planned"
            groups = answer.count(b'"submitted"')
        took.sort()
        p50, p99 = took[len(took) // 2], took[min(int(len(took) * 0.99), len(took) - 1)]
        rows.append([name, viewer[0], str(groups), f"{p50:.1f}", f"{p99:.1f}", "yes" if p50 <= GOAL_MS else "no"])
    return rows
