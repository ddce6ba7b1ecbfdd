"""What the portal asks of a bank that takes cards; the gateway speaks with the real ones (`gateway/banks/`)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Protocol

EURO = "978"
"""ISO 4217, as banks write it."""


class BankUnavailable(Exception):
    """The bank does not answer, or not as a bank answers; a later try may succeed."""


class NotAMessage(Exception):
    """What came is no message of this bank, or cannot be read; nothing of it is kept."""


class Outcome(StrEnum):
    """What a bank says became of a payment."""

    PAID = "PAID"
    """Authorised or captured."""
    REFUSED = "REFUSED"
    CANCELLED = "CANCELLED"
    """Given up by the person who was to pay."""
    EXPIRED = "EXPIRED"
    """The bank knows of no payment, and there will be none."""
    WAITING = "WAITING"
    """Nothing is decided."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be paid."""

    reference: str
    """Ours, 26 letters and digits; never used twice."""
    cents: int
    email: str
    subject: str
    """A few words for the bank's page."""


@dataclass(frozen=True, slots=True)
class Redirect:
    """Where a browser is sent to pay: an address, and for POST the fields of the form."""

    url: str
    method: str
    fields: Mapping[str, str]
    bank_reference: str
    """By which the bank's messages name this payment."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What a bank says of one payment, as far as we compare or keep it (R35): nothing of the card is in here."""

    bank_reference: str
    outcome: Outcome
    signed: bool
    """Signed by the bank, or read from the bank itself."""
    mode: str
    """`PRODUCTION` or `TEST`."""
    site: str
    currency: str
    cents: int | None
    operation: str
    """`DEBIT` when money comes to us."""
    status: str
    """In the bank's own word."""
    transaction: str | None
    """The bank's id of the money that moved."""
    authorisation: str | None = None


@dataclass(frozen=True, slots=True)
class Contract:
    """What every message of a bank must agree with."""

    site: str
    mode: str
    paid: frozenset[str]
    """The bank's words for authorised and captured."""
    smallest: int = 1
    largest: int = 99_999_999
    """Amounts that it takes, in cents."""


class Bank(Protocol):
    """One bank."""

    @property
    def contract(self) -> Contract:
        """What its messages must agree with."""

    async def order(self, order: Order) -> Redirect:
        """Prepare a payment at the bank. Raises BankUnavailable."""

    def named(self, message: bytes) -> str:
        """Give the bank's reference that a message names; nothing is believed yet. Raises NotAMessage."""

    async def read(self, message: bytes, age: timedelta) -> Statement:
        """Read a message about a payment that was ordered `age` ago, at the bank where it is not signed.

        Raises NotAMessage, BankUnavailable.
        """

    async def enquire(self, bank_reference: str, age: timedelta) -> Statement | None:
        """Ask the bank about a payment; None where it offers no enquiry. Raises BankUnavailable."""

    async def look(self) -> str:
        """See that the bank can be used; give a few words about it. Raises BankUnavailable."""


Banks = Mapping[str, Bank]
"""By the name in the address of their messages."""
