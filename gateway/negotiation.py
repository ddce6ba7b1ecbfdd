"""Which form an answer takes, by the request's `Accept` (RFC 9110, section 12.5.1).

The highest quality wins, then the order in which the client wrote its wishes: a client that merely lists
`text/event-stream` last does not want its queries as events.
"""

from dataclasses import dataclass
from functools import lru_cache

from gateway.errors import RequestRefused

GRAPHQL = "application/graphql-response+json"
JSON = "application/json"
EVENTS = "text/event-stream"
HTML = "text/html"

ANSWERS = (JSON, GRAPHQL, EVENTS)
"""What POST gives; the first is taken where the client does not care."""

LONGEST = 1_000


@dataclass(frozen=True, slots=True)
class Choice:
    """The form of an answer."""

    media: str
    """The best form for one finished answer."""

    events: bool
    """The client named `text/event-stream` itself, so a subscription may be answered so."""


@lru_cache(maxsize=256)
def choose(accept: str, offered: tuple[str, ...] = ANSWERS) -> Choice:
    """Give the best offered form.

    Raises RequestRefused (406) when the client accepts none of them.
    """
    if not accept.strip():
        return Choice(offered[0], False)
    wishes = _wishes(accept[:LONGEST])
    events = any(wish == EVENTS for wish, _ in wishes)
    refused = {wish for wish, quality in wishes if quality == 0}
    for wish, quality in sorted(wishes, key=lambda found: -found[1]):
        for media in offered:
            if quality > 0 and media not in refused and _fits(wish, media):
                return Choice(media, events)
    message = f"Accept must allow one of {', '.join(offered)}."
    raise RequestRefused("BAD_REQUEST", message, status=406)


def _wishes(accept: str) -> list[tuple[str, float]]:
    """Read the header into media ranges with their quality, in the order written."""
    wishes = []
    for part in accept.split(","):
        wish, *parameters = (piece.strip().lower() for piece in part.split(";"))
        quality = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                quality = _quality(parameter[2:])
        if wish:
            wishes.append((wish, quality))
    return wishes


def _quality(text: str) -> float:
    """Read a quality of 0 to 1; one that is not a number counts as 1, since the client did name the form."""
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 1.0


def _fits(wish: str, media: str) -> bool:
    return wish in (media, "*/*") or (wish.endswith("/*") and media.startswith(wish[:-1]))
