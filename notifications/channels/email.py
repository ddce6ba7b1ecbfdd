"""E-mail, through the city's relay."""

import re
import ssl

from aiosmtplib import (
    SMTPAuthenticationError,
    SMTPException,
    SMTPNotSupported,
    SMTPRecipientRefused,
    SMTPResponseException,
)

from db.bounces import PROVIDER, sender_of
from db.clock import Clock
from db.keys import Keys
from db.settings import City
from db.settings_channels import Mail
from notifications.channels import Dead, Delivery, Later, Receipt
from notifications.channels.letter import Letterhead
from notifications.channels.relay import AfterTheDot, Relay
from notifications.channels.seal import signer
from notifications.messages import Messages

ANSWER_LENGTH = 200
_ANY_ADDRESS = re.compile(r"<?[^\s<>@]+@[^\s<>@]+>?")
_ENHANCED = re.compile(r"5\.(\d{1,3}\.\d{1,3})\b")

BYE = 421
OURS = (503, 521, 530, 535, 538)
"""Codes about how we speak to the relay: sequence, no mail here, sign-in."""

SENDERS = ("1.7", "1.8")
"""Enhanced codes about the sender's address."""


class Email:
    """Messages by SMTP, HTML with plain text beside it."""

    interrupts = False

    def __init__(
        self,
        settings: Mail,
        city: City,
        messages: Messages,
        keys: Keys,
        clock: Clock,
        *,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`tls` says which certificates of the relay to trust; the system's own when not given."""
        self.limit = settings.connections
        self.group_limit = settings.connections_per_domain
        self.patience = settings.timeout
        self._letterhead = Letterhead(settings.sender, settings.sender_name, city.contact_email)
        self._messages = messages
        self._keys = keys
        self._bounces = settings.bounces
        self._sign = signer(settings)
        self._relay = Relay(settings, tls)
        self._clock = clock

    def group(self, address: str) -> str:
        """Give the domain: a provider that is slow or flooded holds up only its own customers."""
        return address.rpartition("@")[2].lower()

    async def send(self, delivery: Delivery) -> Receipt:
        """Hand one message to the relay.

        Raises Dead when the address cannot receive, Later for everything that may mend itself or be mended by the city.
        """
        message = self._messages.write(delivery)
        try:
            letter = self._sign(self._letterhead.write(delivery.id, delivery.address, message, self._clock()))
        except ValueError as error:
            raise Dead("not an address", retire_address=True) from error
        try:
            answer = await self._relay.hand_over(self._sender(delivery), delivery.address, letter)
        except AfterTheDot as error:
            # Unknown, not failed: it goes out again under the same Message-ID, by which mailboxes know a duplicate.
            raise Later("the relay did not answer after the message; it may come twice") from error
        except SMTPNotSupported as error:
            raise Dead("the relay cannot write to such an address", retire_address=False) from error
        except SMTPResponseException as error:
            raise refusal(error) from error
        except (SMTPException, OSError) as error:
            raise Later(f"the relay is away: {type(error).__name__}") from error
        if not self._bounces:
            return Receipt(shown(answer))
        return Receipt(shown(answer), provider=PROVIDER, reference=str(delivery.id))

    def _sender(self, delivery: Delivery) -> str:
        """Give the address that a bounce comes back to."""
        if not self._bounces:
            return self._letterhead.sender
        return sender_of(self._bounces, self._keys, delivery.id)

    async def close(self) -> None:
        """Hang up."""
        await self._relay.close()


def refusal(error: SMTPResponseException) -> Later | Dead:
    """Tell what a relay's refusal means, by its code and, where it gives one, its enhanced code (RFC 5321, 3463)."""
    reason = f"{error.code} {shown(error.message)}"
    at_recipient = isinstance(error, SMTPRecipientRefused)
    enhanced = _ENHANCED.match(error.message)
    detail = enhanced.group(1) if enhanced else ""
    if error.code < 500:
        return Later(reason, channel_at_fault=not at_recipient or error.code == BYE)
    if isinstance(error, SMTPAuthenticationError) or error.code in OURS or detail in SENDERS:
        return Later(reason)
    if detail.startswith("1.") or (at_recipient and (not detail or detail == "2.1" or detail.startswith("4."))):
        return Dead(reason, retire_address=True)
    if at_recipient and detail.startswith("2."):
        return Dead(reason, retire_address=False)
    # A policy, the content or the protocol: ours to mend, and not the address's fault.
    return Later(reason)


def shown(answer: str) -> str:
    """Give a relay's answer as it may be kept: one line, bounded, without any address."""
    line = re.sub(r"[\x00-\x1f\x7f]+", " ", answer)
    return _ANY_ADDRESS.sub("<…>", line)[:ANSWER_LENGTH].strip()
