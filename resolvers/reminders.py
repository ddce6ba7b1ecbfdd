"""Reminders of overdue invoices: by the clock, each once, never for what is paid or cancelled."""

from datetime import timedelta
from uuid import UUID

from db import audit, money, money_news
from db import reminders as stored
from db.clock import PARIS
from db.jobs import Job
from db.outbox import tell
from resolvers.context import Process
from resolvers.job_runner import Progress, Result
from resolvers.viewer import SYSTEM_SIGHT

REMIND_OF_INVOICES = "remind_of_invoices"
BATCH = 200


async def remind_of_invoices(process: Process, job: Job, progress: Progress) -> Result:
    """Remind families of every invoice that is still owed so many days after its due date as the settings say.

    Each reminder is a transaction of its own, under the family's row: a payment in the same second comes before it or
    after it. A second run, or another node, finds it written.
    """
    today, sent = process.clock().astimezone(PARIS).date(), 0
    for number, days in enumerate(sorted(process.settings.money.reminder_days), 1):
        place, due_by = stored.FIRST, today - timedelta(days=days)
        while True:
            async with process.database.transaction(SYSTEM_SIGHT) as tx:
                batch = await stored.due(tx, due_by, place, number, BATCH)
            for place in batch:
                sent += await _remind(process, stored.Reminder(place[1], place[2], number))
            if len(batch) < BATCH:
                break
            await progress(50)
    return {"sent": sent}


async def _remind(process: Process, reminder: stored.Reminder) -> bool:
    now = process.clock()
    async with process.database.transaction(SYSTEM_SIGHT) as tx:
        await money.hold(tx, reminder.family_id)
        if not await stored.remind(tx, reminder, now):
            return False
        subject: UUID = reminder.invoice_id
        await tell(tx, await money_news.overdue(tx, reminder.family_id, subject, reminder.number, now))
        data = {"number": reminder.number}
        await audit.record(tx, audit.Act("invoice_reminded", "SYSTEM", now, None, reminder.family_id, subject, data))
    return True
