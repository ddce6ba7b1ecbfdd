"""How fast a month is billed: consumptions imported, drafts, publication, PDFs: `python -m bench billing`.

The city is made anew; every family has about ten lines. The goals: 20,000 families drafted in 60 s, 40 invoices a
second and core.
"""

import argparse
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any

import asyncpg
import psutil

from bench.city import KEYS, cluster
from bench.programs import busy_tree
from bench.tables import table
from db import billing, billing_drafts, billing_states, issuing
from db.clock import utc_now
from db.ids import uuid7
from db.pool import API_ROLE, connect
from db.settings import Settings
from resolvers import invoice_pdf
from resolvers.imports_consumptions import import_consumptions
from resolvers.typesetting import Typesetter

MONTH = date(2026, 10, 1)
BATCH = Settings().billing.families_at_once
LINES = """
    select f.number, m.first_name, m.last_name, t.code, d.day::date::text, m.birth_date::text
    from family f join lateral (
        select * from member m where m.family_id = f.id order by m.id limit 4
    ) m on true cross join generate_series($1::date, $1::date + 30, interval '1 day') d(day)
    join tariff t on t.code = any(case when extract(isodow from d.day) = 3
        then '{journee-centre-loisirs}' when extract(isodow from d.day) < 6 then '{repas-cantine,accueil-du-soir}'
        else '{}' end::text[])
    order by d.day, t.code, f.number limit $2
"""
AVERAGE = "select count(*)::float / greatest(1, (select count(*) from invoice)) from invoice_line"
HEAD = "family_number;first_name;last_name;tariff;day;birth_date;quantity\n"
Row = list[str]


async def written(connection: asyncpg.Connection, file: Path, lines: int) -> int:
    """Write a register of consumptions; give how many lines it has."""
    count = 0
    with file.open("w", encoding="utf-8") as stream:
        stream.write(HEAD)
        async with connection.transaction():
            async for row in connection.cursor(LINES, MONTH, lines, prefetch=5000):
                stream.write(";".join(each or "" for each in row) + ";1\n")
                count += 1
    return count


async def imported(dsn: str, file: Path, lines: int, measured: Callable[..., Row]) -> list[Row]:
    """Import the register twice: into an empty table, and when everything is there."""

    async def opened() -> asyncpg.Connection:
        return await connect(dsn, role=API_ROLE, application="bench")

    rows = []
    for name in ("import, first run", "import, second run"):
        begun = time.perf_counter()
        result = await import_consumptions(opened, utc_now, file)
        assert result.complete, "the file is good"
        rows.append(measured(name, lines, "lines", time.perf_counter() - begun))
    return rows


@asynccontextmanager
async def as_portal(connection: asyncpg.Connection) -> AsyncIterator[asyncpg.Connection]:
    """Open a transaction as the jobs of the portal do."""
    async with connection.transaction():
        await connection.execute("select set_config('kiosque.system', 'on', true)")
        yield connection


async def drafted(connection: asyncpg.Connection) -> tuple[billing.Run, int]:
    """Draft a month as the job does; give the run and how many families it concerned."""
    run_id = uuid7()
    async with as_portal(connection) as tx:
        await billing.insert(tx, run_id, MONTH, None, None, utc_now())
    while True:
        async with as_portal(connection) as tx:
            run = await billing.hold(tx, run_id)
            assert run is not None, "just made"
            families = await billing.next_families(tx, run, 500)
            if not families:
                return run, run.families_done
            known = await billing.quotients(tx, KEYS, families, run.period, run.end)
            await billing.draft(tx, run, families, known, billing.Limits(60_000, 5_000, 50))
            await billing_states.move_on(tx, run.id, families[-1], len(families))


async def published(connection: asyncpg.Connection, run: billing.Run, held: list[float]) -> int:
    """Publish all drafts as the job does; give how many invoices there are, and in `held` how long families waited."""
    day = utc_now().date()
    async with as_portal(connection) as tx:
        await billing_states.publishing(tx, run.id, None, day, day)
    while True:
        async with as_portal(connection) as tx:
            ordered = await billing.hold(tx, run.id)
            assert ordered is not None, "just drafted"
            begun = time.perf_counter()
            if not await billing_drafts.publish_next(tx, ordered, BATCH, utc_now()):
                return (await billing_states.published(tx, run.id, utc_now()))["invoices"]
        held.append(time.perf_counter() - begun)


async def set_in_type(connection: asyncpg.Connection, run: billing.Run, count: int) -> int:
    """Set invoices in type, one after the other in one thread; give how many."""
    async with as_portal(connection) as tx:
        batch = await issuing.unissued(tx, run.id, None, count)
    setter = Typesetter()
    try:
        for each in batch:
            data = invoice_pdf.contents(each, Settings(), "ABCDE-FGHJK", MONTH)
            await setter.pdf(invoice_pdf.TEMPLATE, data, utc_now(), 60, standards=invoice_pdf.STANDARDS)
    finally:
        setter.close()
    return len(batch)


async def run(arguments: argparse.Namespace) -> None:
    """Measure and print the table."""
    async with cluster() as postgres:
        dsn = await postgres.fresh("billing", arguments.families)
        database, own = psutil.Process(postgres.pid), psutil.Process()
        used = [0.0, 0.0]

        def measured(name: str, count: int, what: str, seconds: float) -> Row:
            now = [sum(own.cpu_times()[:2]), busy_tree(database)]
            cpu = [after - before for after, before in zip(now, used, strict=True)]
            used[:] = now
            rate = f"{count / seconds:,.0f}/s"
            return [name, f"{count:,} {what}", f"{seconds:.1f} s", rate, f"{cpu[0]:.1f} s", f"{cpu[1]:.1f} s"]

        superuser = await asyncpg.connect(dsn, timeout=10)
        connection: Any = await asyncpg.connect(
            dsn, server_settings={"role": API_ROLE, "plan_cache_mode": "force_generic_plan", "jit": "off"}
        )
        try:
            rows: list[Row] = []
            held: list[float] = []
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder, "consumptions.csv")
                lines = await written(superuser, file, arguments.lines)
                measured("", 1, "", 1)
                rows += await imported(dsn, file, lines, measured)
            await superuser.execute("vacuum analyze consumption")
            for name, work in (("drafts", drafted), ("publication", published), ("PDF, one thread", set_in_type)):
                begun = time.perf_counter()
                if work is drafted:
                    billing_run, count = await drafted(connection)
                elif work is published:
                    count = await published(connection, billing_run, held)
                else:
                    count = await set_in_type(connection, billing_run, arguments.pdfs)
                what = "families" if work is drafted else "invoices"
                rows.append(measured(name, count, what, time.perf_counter() - begun))
            average = await superuser.fetchval(AVERAGE)
        finally:
            await connection.close()
            await superuser.close()
    print(table(["work", "how much", "took", "rate", "CPU program", "CPU PostgreSQL"], rows))
    print(f"{average:.1f} lines an invoice; publication held families for {max(held):.2f} s at the longest")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what can be chosen."""
    parser.add_argument("--families", type=int, default=20_000)
    parser.add_argument("--lines", type=int, default=1_000_000, help="of the register of consumptions")
    parser.add_argument("--pdfs", type=int, default=400)
