"""What a provider of text messages is to the channel, and the text that it gets."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from db.receipts import State
from notifications import gsm7
from notifications.messages import Short


@dataclass(frozen=True, slots=True)
class Text:
    """One text message."""

    id: UUID
    """Of the delivery: the same over all attempts and providers."""

    to: str
    """E.164."""

    sender: str
    body: str
    segments: int

    @property
    def seven_bit(self) -> bool:
        """Whether the 7-bit alphabet will do."""
        return gsm7.is_seven_bit(self.body)


class Provider(Protocol):
    """One way to the mobile networks."""

    name: str
    """As in the settings, and in the address of its receipts."""

    patience: float
    """Seconds after which `submit` has ended."""

    limit: int
    """Messages in flight at once."""

    rate: float
    """Messages a second."""

    receipts: bool
    """Whether it tells what became of a message."""

    async def submit(self, text: Text) -> str:
        """Hand one text over; gives what the provider's receipts will call it.

        Raises Dead for a number that does not exist, Later when it was not taken, Unsure when nobody knows.
        """

    async def look(self) -> str:
        """Ask something that sends nothing; gives what to tell an operator. Raises Later."""

    async def close(self) -> None:
        """Let go of connections."""


@dataclass(frozen=True, slots=True)
class CameReceipt:
    """A receipt that came by the provider's own connection."""

    provider: str
    reference: str
    state: State


@dataclass(frozen=True, slots=True)
class CameText:
    """A text message that somebody sent to the portal."""

    sender: str
    body: str


Hear = Callable[[CameReceipt | CameText], None]


def text_of(short: Short, most: int) -> tuple[str, int]:
    """Put a message into at most `most` text messages; gives it with its cost.

    The link comes last and whole. What explains is left out before the subject is cut.
    """
    subject, more, link = gsm7.plain(short.title), gsm7.plain(short.text), gsm7.plain(short.link)
    end = "" if subject.endswith((".", "!", "?")) else "."
    for words in (f"{subject}{end} {more}", f"{subject}{end}"):
        text = f"{words} {link}"
        if gsm7.segments(text) <= most:
            return text, gsm7.segments(text)
    # Both halves are counted in the alphabet of the dearer one.
    low, high = 0, len(subject)
    while low < high:
        middle = (low + high + 1) // 2
        if gsm7.segments(f"{subject[:middle]}... {link}") <= most:
            low = middle
        else:
            high = middle - 1
    text = f"{subject[:low]}... {link}"
    return text, gsm7.segments(text)
