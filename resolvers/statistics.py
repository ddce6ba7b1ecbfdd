"""Statistics: what moves counted is folded into the counts, so that reading it stays short."""

from db import statistics as stored
from db import steps
from db.jobs import Job
from resolvers.context import Process
from resolvers.job_runner import Progress, Result
from resolvers.viewer import SYSTEM_SIGHT

FOLD = "fold_statistics"
LINES = 20_000
"""In one transaction."""


async def fold(process: Process, job: Job, progress: Progress) -> Result:
    """Fold everything that was counted until now; figures are the same before, during and after."""
    total = 0
    for fold_some in (stored.fold, stored.fold_revenue):
        count = LINES
        while count == LINES:
            async with process.database.transaction(SYSTEM_SIGHT) as tx:
                count = await fold_some(tx, LINES)
                steps.reached("statistics.folded")
            total += count
            await progress(50)
    return {"lines": total}
