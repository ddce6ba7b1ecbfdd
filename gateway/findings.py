"""What the command `check` finds."""

from dataclasses import dataclass
from enum import StrEnum


class Mark(StrEnum):
    """How a finding is shown; only `FAIL` ends the command with status 1."""

    GOOD = "[green]ok  [/]"
    LOOK = "[yellow]look[/]"
    FAIL = "[red]FAIL[/]"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the answer."""

    name: str
    words: str
    mark: Mark = Mark.GOOD
