"""Refusals that a client can expect: a stable code to match, a sentence to read."""

import math
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from db.settings import City
from resolvers.sentence import Sentence
from resolvers.sentences import SENTENCES
from resolvers.viewer import Viewer


class Refusal(Exception):
    """The request is understood and refused.

    `code` is for programs, `message` for people, `path` names the faulty input (argument names or a JSON pointer);
    `also` are further refusals of the same request, as of a form with several faults. `retry_after` are the seconds
    after which the same request may be granted, where that is known.
    """

    def __init__(
        self,
        code: str,
        message: str,
        path: list[str] | None = None,
        also: "Sequence[Refusal]" = (),
        retry_after: int | None = None,
    ) -> None:
        super().__init__(code)
        self.row: tuple[UUID, UUID] | None = None
        self.code = code
        self.message = message
        self.path = path or []
        self.also = also
        self.retry_after = retry_after

    def about(self, family_id: UUID, row_id: UUID) -> "Refusal":
        """Name the row that the request was about and that the viewer sees: the payload gives it as it stands now."""
        self.row = family_id, row_id
        return self


NEED_HELP = frozenset(
    {
        "ACCOUNT_LOCKED",
        "ACCOUNT_TERMINATED",
        "ACTIVATION_REFUSED",
        "EMAIL_NOT_VERIFIED",
        "LAST_ADULT",
        "LINK_NOT_VALID",
        "THROTTLED",
    }
)
"""Refusals that a family may be unable to mend alone: their sentence says whom to call or to write to (R40)."""

HELP = Sentence("Besoin d’aide ? {phone}, {email}.", "Need help? {phone}, {email}.")


def helped(refused: Refusal, city: City, viewer: Viewer) -> Refusal:
    """Give a refusal; one that needs it now says who helps (R40)."""
    if refused.code in NEED_HELP:
        help_desk = HELP.to(viewer.language).format(phone=city.contact_phone, email=city.contact_email)
        refused.message = f"{refused.message} {help_desk}"
    return refused


def refusal(code: str, viewer: Viewer, path: list[str] | None = None) -> Refusal:
    """Make a refusal whose sentence is in the viewer's language."""
    return Refusal(code, SENTENCES[code].to(viewer.language), path)


def refusals_of(code: str, faults: "Sequence[tuple[str, list[str]]]") -> Refusal:
    """Make one refusal of several faults of the same request, each a sentence and the path of what is faulty."""
    first, *others = [Refusal(code, message, path) for message, path in faults]
    first.also = others
    return first


def throttled(wait: timedelta, viewer: Viewer) -> Refusal:
    """Make the refusal THROTTLED that says after what time to try again."""
    seconds = max(math.ceil(wait.total_seconds()), 1)
    text = SENTENCES["THROTTLED_FOR"].to(viewer.language).format(time=_time(seconds, viewer.language))
    return Refusal("THROTTLED", text, retry_after=seconds)


UNITS = (
    (3600, Sentence("heure", "hour")),
    (60, Sentence("minute", "minute")),
    (1, Sentence("seconde", "second")),
)


def _time(seconds: int, language: str) -> str:
    """Write a time in its largest unit, rounded up."""
    size, unit = next((size, unit) for size, unit in UNITS if seconds >= size)
    count = math.ceil(seconds / size)
    return f"{count}\N{NO-BREAK SPACE}{unit.to(language)}{'s' if count > 1 else ''}"
