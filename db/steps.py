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
    "broadcast.batch",
    "broadcast.told",
    "job.claimed",
    "job.worked",
    "job.finished",
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
