"""Named steps between which a crash must lose nothing.

`KIOSQUE_CRASH_AT=name[:n]` ends the process with SIGKILL when it reaches the step for the n-th time, exactly as a power
cut would: tests walk over every name of `STEPS`. Without the variable a step costs one comparison.
"""

import os
import signal

STEPS = (
    "mutation.before_commit",
    "mutation.committed",
    "dispatch.claimed",
    "dispatch.before_send",
    "dispatch.sent",
    "dispatch.recorded",
    "feed.numbered",
    "feed.told",
    "webhook.claimed",
    "webhook.sent",
    "webhook.recorded",
    "broadcast.batch",
    "broadcast.told",
    "digest.told",
    "digest.written",
    "upload.received",
    "upload.stored",
    "job.claimed",
    "job.worked",
    "job.finished",
    "debit.announced",
    "debit.held",
    "debit.made",
    "debit.before_filed",
    "debit.filed",
    "debit.before_booked",
    "debit.booked",
    "docket.held",
    "docket.made",
    "docket.before_filed",
    "docket.filed",
    "clock.decision_written",
    "clock.decided",
    "statistics.folded",
    "billing.drafts_written",
    "billing.before_published",
    "billing.published",
    "billing.issued",
    "card.created",
    "card.ordered",
    "card.redirected",
    "bank.heard",
    "bank.booked",
    "bank.committed",
    "enquiry.answered",
)

_wanted, _, _count = os.environ.get("KIOSQUE_CRASH_AT", "").partition(":")
if _wanted and _wanted not in STEPS:
    raise SystemExit(f"KIOSQUE_CRASH_AT: {_wanted!r} is none of {', '.join(STEPS)}")
_left = int(_count or 1)


def reached(step: str) -> None:
    """Say that a named step was reached."""
    global _left
    if step == _wanted:
        _left -= 1
        if _left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
