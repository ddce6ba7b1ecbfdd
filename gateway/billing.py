"""`bill`: the jobs of a billing run, done here and now, with progress."""

import asyncio
from datetime import date
from typing import Any, NoReturn
from uuid import UUID

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from db import billing as stored
from db import migrate
from db.billing import Run
from db.clock import PARIS
from db.configuration import with_master_key
from db.settings import Settings
from gateway import portal
from gateway.jobs import database_of
from resolvers import billing
from resolvers.context import Process
from resolvers.job_runner import Runner
from resolvers.jobs import REGISTRY
from resolvers.sentences import SENTENCES
from resolvers.viewer import SYSTEM_SIGHT

STATE = """
    select r.families_total, r.families_done, r.invoices_told, r.first_number, r.last_number, r.state,
        (select count(*) from draft_invoice d where d.run_id = r.id) as drafts,
        (select count(*) from invoice i where i.run_id = r.id) as invoices,
        formatted_money(coalesce((select sum(d.total_cents) from draft_invoice d
            where d.run_id = r.id), 0), 'fr') as total
    from billing_run r where r.id = $1
"""
CHECKS = "select code, count(*) from billing_check where run_id = $1 group by code order by code"
POLL_SECONDS = 0.5


async def month_billed(settings: Settings, month: date, service: str | None, publish: bool, console: Console) -> None:
    """Draft a month, or go on with its open run; with `publish`, publish it. What forbids it ends with status 1."""
    settings = with_master_key(settings)
    async with database_of(settings) as dsn:
        await migrate.migrate(dsn)
        async with portal.opened(settings, dsn) as opened:
            process = opened.process
            run_id = await _run(process, month.replace(day=1), service, console)
            await _with_bar(process, run_id, "drafts", "families_done", "families_total", console, billing.DRAFT_RUN)
            await _show(process, run_id, console)
            if publish:
                await _publish(process, run_id, console)


async def _run(process: Process, month: date, service: str | None, console: Console) -> UUID:
    """Give the run of a month: the open one, or a new one."""
    now = process.clock()
    if month >= now.astimezone(PARIS).date().replace(day=1):
        _stop(console, "MONTH_NOT_OVER")
    async with process.database.transaction(SYSTEM_SIGHT) as tx:
        service_id = await tx.fetchval("select id from service where code = $1", service) if service else None
        if service and service_id is None:
            _stop(console, "NOT_FOUND")
        known = await stored.open_run(tx)
        if (
            known is not None
            and (known.period, known.service_id) == (month, service_id)
            and known.state != "DRAFTING_FAILED"
        ):
            return known.id
        begun = await billing.begin(tx, process, month, service_id, None, now)
    if begun is None:
        _stop(console, "BILLING_RUN_OPEN")
    return begun


def _stop(console: Console, code: str) -> NoReturn:
    console.print(f"[red]{code}[/] {SENTENCES[code].fr}")
    raise SystemExit(1)


async def _with_bar(
    process: Process, run_id: UUID, name: str, done: str, total: str, console: Console, *kinds: str
) -> None:
    """Do jobs and show how far they are."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    working = asyncio.create_task(Runner(process, REGISTRY).run_due(kinds))
    with Progress(*columns, console=console) as shown:
        task = shown.add_task(name)
        while not working.done():
            await asyncio.wait((working,), timeout=POLL_SECONDS)
            state = await _state(process, run_id)
            shown.update(task, completed=state[done], total=state[total] or None)
    failed = {kind for kind, outcome in working.result() if outcome not in ("done", "again")}
    if failed:
        console.print(f"[red]Not done:[/] {', '.join(sorted(failed))}; see the log, and run again.")
        raise SystemExit(1)


async def _state(process: Process, run_id: UUID) -> Any:
    async with process.database.transaction(SYSTEM_SIGHT) as tx:
        return await tx.fetchrow(STATE, run_id)


async def _show(process: Process, run_id: UUID, console: Console) -> None:
    state = await _state(process, run_id)
    console.print(f"{state['families_done']} families, {state['drafts']} drafts, {state['total']}")
    async with process.database.transaction(SYSTEM_SIGHT) as tx:
        for code, count in await tx.fetch(CHECKS, run_id):
            console.print(f"  {code}: {count}")


async def _publish(process: Process, run_id: UUID, console: Console) -> None:
    async with process.database.transaction(SYSTEM_SIGHT) as tx:
        run: Run | None = await stored.hold(tx, run_id)
        assert run is not None, "just drafted"
        fault = await billing.order(tx, process, run)
    if fault is not None:
        _stop(console, fault)
    kinds = (billing.PUBLISH_RUN, billing.ISSUE_INVOICES)
    await _with_bar(process, run_id, "invoices", "invoices_told", "invoices", console, *kinds)
    state = await _state(process, run_id)
    console.print(f"{state['invoices']} invoices published: {state['first_number']} to {state['last_number']}.")
