"""A mutant: one protection taken away, and who should notice."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mutant:
    """One protection taken away in a process that is thrown away afterwards."""

    kind: str
    """What is weakened: `policy`, `predicate`, `access`, `refusal`, `gate`, `guard`."""
    name: str
    """Names it from run to run; holds no line numbers."""
    apply: Callable[[], None] = lambda: None
    """Takes the protection away in the memory of this process."""
    spoiling: str = ""
    """Takes it away in each database of the run."""
    tests: Sequence[str] = ()
    """Tests that should notice, the likeliest first."""
    line: tuple[str, int] | None = None
    """File and line that a test must reach to notice it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one mutant."""

    mutant: Mutant
    noticed_by: str | None
    """The test that failed; None: the mutant lives."""
    seconds: float
    why: str = ""
    """Of a survivor: what was tried."""
