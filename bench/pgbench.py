"""The same hand-written statements without any server in between: pgbench, where it is installed."""

import asyncio
import os
import re
import shutil
import tempfile
from pathlib import Path

import asyncpg
import psutil

from bench import statements
from bench.city import Cluster, Login
from bench.documents import READS
from bench.programs import busy_tree
from bench.tables import table

CLIENTS = 10
NUMBERED = re.compile(r"\$(?=[0-9])")


async def measure(postgres: Cluster, dsn: str, senders: dict[str, list[Login]], seconds: float) -> None:
    """Print the rate and the cost of each statement, for one family or agent."""
    program = shutil.which("pgbench")
    if program is None:
        print("pgbench is not on this machine: left out")
        return
    connection = await asyncpg.connect(dsn, timeout=10)
    family = senders["family"][0].family_id
    account = await connection.fetchval("select account_id from session where id = $1", senders["family"][0].session_id)
    services = await connection.fetchval(
        "select a.services::text from session s join agent a on a.id = s.agent_id where s.id = $1",
        senders["agent"][0].session_id,
    )
    await connection.close()
    page = READS["page"].variables
    given = {
        "me": (statements.ME, [family, account]),
        "dashboard": (statements.DASHBOARD, [family, 10, "fr"]),
        "procedures": (statements.PROCEDURES, [services, "{SUBMITTED,IN_REVIEW}", 100, "fr"]),
        "work list": (statements.WORK, [services, 100, "fr"]),
        "catalogue": (statements.CATALOGUE, ["fr"]),
        "page": (statements.PAGE, [page["slug"], page["today"], page["tomorrow"], "fr"]),
        "search": (statements.SEARCH, [READS["search"].variables["words"], "fr"]),
    }
    rows = []
    for name, (sql, values) in given.items():
        rate, cpu = await _run(program, postgres, dsn, sql, [str(value) for value in values], seconds)
        rows.append([name, f"{rate:,.0f}", f"{cpu:.3f}"])
    print(table(["read", "pgbench/s", "PG CPU ms"], rows))


async def _run(
    program: str, postgres: Cluster, dsn: str, sql: str, values: list[str], seconds: float
) -> tuple[float, float]:
    # The length only: pgbench takes results as text, and bytes as text are twice as long.
    text = " ".join(f"select octet_length(answer) from ({NUMBERED.sub(':v', sql)}) q(answer)".split())
    options = [part for place, value in enumerate(values, 1) for part in ("-D", f"v{place}={value}")]
    environment = {
        **os.environ,
        "PGHOST": str(postgres.server.cluster.sockets),
        "PGUSER": "postgres",
        "PGOPTIONS": "-c plan_cache_mode=force_generic_plan",
    }
    name = dsn.partition("?")[0].rpartition("/")[2]
    process = psutil.Process(postgres.pid)
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(text + "\n")
        script.flush()
        before = busy_tree(process)
        child = await asyncio.create_subprocess_exec(
            *(program, "-n", "-M", "prepared", "-c", str(CLIENTS), "-T", str(max(1, round(seconds)))),
            *("-f", str(Path(script.name)), *options, name),
            env=environment,
            stdout=-1,
            stderr=-1,
        )
        output, errors = (part.decode() for part in await child.communicate())
    done = re.search(r"actually processed: (\d+)", output)
    rate = re.search(r"tps = ([0-9.]+)", output)
    if done is None or rate is None:
        raise RuntimeError(f"pgbench: {errors}")
    return float(rate[1]), 1000 * (busy_tree(process) - before) / int(done[1])
