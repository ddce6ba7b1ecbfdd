"""When to try again."""

import random

BASE = 5.0
CAP = 15 * 60.0


def backoff(attempts: int, *, base: float = BASE, cap: float = CAP) -> float:
    """Give the seconds to wait after `attempts` failed attempts (1 or more).

    Full jitter: anything between 0 and `base`·2^(attempts-1), which `cap` bounds, so that a thousand messages that
    failed together do not come back together.
    """
    # 2**30 is beyond any cap; a larger exponent would only overflow.
    return random.uniform(0, min(cap, base * 2 ** min(attempts - 1, 30)))  # noqa: S311 - spreads load, guards nothing
