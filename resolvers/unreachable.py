"""Addresses that are written to no more: e-mails that came back, of which the staff is told too, and phones that said
STOP. The family is told by its other ways.
"""

from uuid import UUID

from db import addresses, audit, tasks
from db.ids import uuid7
from db.jobs import Job
from db.outbox import Told, tell
from resolvers import family_news
from resolvers.context import Process
from resolvers.job_runner import Progress, Result
from resolvers.phone_numbers import masked
from resolvers.tasks import DONE_BY
from resolvers.viewer import SYSTEM_SIGHT

TELL_UNREACHABLE = "tell_unreachable"
KIND = "EMAIL_UNREACHABLE"
STOPPED = "PHONE_STOPPED"
BATCH = 200


async def tell_unreachable(process: Process, job: Job, progress: Progress) -> Result:
    """Tell of every address that was given up since the last time, each in a transaction of its own, once."""
    told = 0
    while True:
        async with process.database.transaction(SYSTEM_SIGHT) as tx:
            batch = await addresses.dead_untold(tx, BATCH)
        for family_id, address_id in batch:
            told += await _tell(process, family_id, address_id)
        if len(batch) < BATCH:
            return {"told": told}
        await progress(50)


async def _tell(process: Process, family_id: UUID, address_id: UUID) -> bool:
    now = process.clock()
    async with process.database.transaction(SYSTEM_SIGHT) as tx:
        found = await addresses.tell_dead(tx, family_id, address_id)
        if found is None:
            return False
        channel, value = found
        change, who = (STOPPED, masked(value)) if channel == "SMS" else (KIND, value)
        sentence = family_news.SENTENCES[change]
        data = {
            "change": change,
            "summary_fr": sentence.fr.format(who=who),
            "summary_en": sentence.en.format(who=who),
        }
        await tell(tx, Told(family_id, "ACCOUNT_SECURITY", family_news.TYPE, address_id, data, now))
        if change == STOPPED:
            return True
        await tasks.insert(tx, family_id, uuid7(now), KIND, DONE_BY[KIND], address_id, now)
        await audit.record(tx, audit.Act("address_unreachable", "SYSTEM", now, None, family_id, address_id))
    return True
