"""Issuing invoices: each is set in type, its bytes are kept, and its family is told, in one transaction.

The bytes lie in the invoice's own row, sealed with a key of the family (decision 0016): a code to activate the account
may stand in them. They are made once; who asks before the job has come by makes it happen at once.
"""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

from db import issuing, jobs, money_news, steps
from db.clock import PARIS
from db.ids import uuid7
from db.issuing import Printed
from db.jobs import Job
from db.keys import Keys
from db.outbox import tell
from resolvers import activation_codes, invoice_pdf
from resolvers.context import Process
from resolvers.job_runner import Progress, Result
from resolvers.viewer import SYSTEM_SIGHT

DOWNLOAD_INVOICE = "download-invoice"
"""Purpose of the signed links; see `notifications.links`."""

BATCH = 25


def _purpose(family_id: UUID, invoice_id: UUID) -> str:
    return f"invoice/{family_id}/{invoice_id}"


def opened(keys: Keys, family_id: UUID, invoice_id: UUID, sealed: bytes) -> bytes:
    """Give the bytes of an invoice as issued; raises InvalidTag for what was altered or moved."""
    return keys.unseal(_purpose(family_id, invoice_id), sealed)


async def issue_run(process: Process, job: Job, progress: Progress) -> Result:
    """Issue the invoices of a run, or one alone (`family`, `invoice`); what is issued already is passed by."""
    if "invoice" in job.parameters:
        await issue_one(process, UUID(job.parameters["family"]), UUID(job.parameters["invoice"]))
        return {"invoices": 1}
    run_id, after, count = UUID(job.parameters["run"]), None, 0
    while True:
        async with process.database.transaction(SYSTEM_SIGHT) as tx:
            batch = await issuing.unissued(tx, run_id, after, BATCH)
        if not batch:
            break
        after = batch[-1].id
        made = [(each, *await _set(process, each)) for each in batch]
        async with process.database.transaction(SYSTEM_SIGHT) as tx:
            done = sum([await _keep(tx, process, *each) for each in made])
            await issuing.told(tx, run_id, done)
            await jobs.hold(tx, job)
            steps.reached("billing.issued")
        count += done
        await progress(50)
    now = process.clock()
    async with process.database.transaction(SYSTEM_SIGHT) as tx:
        await issuing.all_told(tx, run_id, now)
        await jobs.hold(tx, job)
    return {"invoices": count}


async def issue_one(process: Process, family_id: UUID, invoice_id: UUID) -> None:
    """Issue one invoice, unless it is issued already. Raises TypesetterBusy."""
    async with process.database.transaction(SYSTEM_SIGHT) as tx:
        printed = await issuing.invoice(tx, family_id, invoice_id)
    if printed is None:
        return
    made = await _set(process, printed)
    async with process.database.transaction(SYSTEM_SIGHT) as tx:
        await _keep(tx, process, printed, *made)


async def _set(process: Process, printed: Printed) -> tuple[bytes, str | None, datetime]:
    """Give the PDF of an invoice, with the code on it that its family gets, and until when it holds."""
    settings = process.settings
    until = process.clock().astimezone(PARIS).date() + timedelta(days=settings.billing.code_days)
    code = activation_codes.new_code() if printed.waiting else None
    data = invoice_pdf.contents(printed, settings, code, until)
    at = datetime.combine(printed.issued_on, time(), UTC)
    pdf = await process.typesetter.pdf(
        invoice_pdf.TEMPLATE, data, at, settings.billing.timeout, standards=invoice_pdf.STANDARDS
    )
    return pdf, code, datetime.combine(until + timedelta(days=1), time(), PARIS).astimezone(UTC)


async def _keep(
    tx: Any, process: Process, printed: Printed, pdf: bytes, code: str | None, code_until: datetime
) -> bool:
    """Keep the bytes, the code on them, and tell the family; False when another process was first."""
    now, key = process.clock(), (printed.family_id, printed.id)
    if not await issuing.keep(tx, *key, process.keys.seal(_purpose(*key), pdf)):
        return False
    if code is not None:
        digest = activation_codes.digest(process.keys, printed.family_number, code)
        await issuing.insert_code(tx, printed.family_id, uuid7(now), digest, code_until, now)
    if not await issuing.is_told(tx, *key):
        await tell(tx, await money_news.issued(tx, *key, now))
    return True
