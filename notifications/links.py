"""Signed links in messages: which news carries one, what it lets its holder do, and for how long."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from db.keys import Keys
from db.outbox import OPTIONAL
from db.preferences import UNSUBSCRIBE
from notifications.channels import Delivery


@dataclass(frozen=True, slots=True)
class Link:
    """One kind of link."""

    path: str
    """Page of the families' web app, with fields of the news' data in braces; the token follows as `?token=`."""

    purpose: str
    """What the token is good for; see `Keys.link_token`."""

    claims: tuple[str, ...]
    """Fields of the news' data that the token carries, beside the family."""

    life: timedelta
    """Counted from the moment the message is written."""

    def to(self, portal_url: str, keys: Keys, delivery: Delivery, now: datetime) -> str:
        """Give the address; `now` is UTC, `portal_url` has no slash at its end."""
        claims = {name: delivery.news.data[name] for name in self.claims} | {"family": str(delivery.family.id)}
        path = self.path.format_map(delivery.news.data)
        return f"{portal_url}{path}?token={keys.link_token(self.purpose, claims, now + self.life)}"


REPORT = Link("/report-unauthorized-use", "report-unauthorized-use", ("account", "at"), timedelta(days=7))
"""Of alerts: whoever reads one can close the login at once, without signing in (R20)."""

EMAIL_CHANGE = Link("/email-change", "email-change", ("change", "side"), timedelta(hours=24))
"""One page that confirms or cancels; the change itself ends a day after it was asked for."""

UNSUBSCRIBE_LIFE = timedelta(days=365)
"""People clear out their mailboxes long after a message came."""


def unsubscribe_link(site_url: str, keys: Keys, delivery: Delivery, now: datetime) -> str | None:
    """Give the address that ends the e-mails of a delivery's topic (RFC 8058); None for what nobody can end."""
    if delivery.news.type not in OPTIONAL:
        return None
    claims = {"family": str(delivery.family.id), "topic": delivery.news.topic, "language": delivery.family.language}
    return f"{site_url}/unsubscribe?token={keys.link_token(UNSUBSCRIBE, claims, now + UNSUBSCRIBE_LIFE)}"


LINKS = {
    "email_verification": Link("/verify-email", "verify-email", ("account", "email"), timedelta(hours=24)),
    # Its row says until when it can be accepted (`families.invitation_days`); this is only the longest there is.
    "invitation": Link("/invitation", "invitation", ("invitation",), timedelta(days=30)),
    "new_device": REPORT,
    "session_stolen": REPORT,
    "export_ready": Link("/exports/{export}", "download-export", ("export",), timedelta(days=7)),
    "invoice_issued": Link("/invoices/{invoice}.pdf", "download-invoice", ("invoice",), timedelta(days=60)),
    "account_activated": REPORT,
    "password_reset_requested": Link("/reset-password", "reset-password", ("request",), timedelta(minutes=30)),
    "password_changed": REPORT,
    "payment_received": Link("/receipts/{visit}.pdf", "download-receipt", ("visit",), timedelta(days=7)),
    "email_change_requested": EMAIL_CHANGE,
    "email_change_confirmation": EMAIL_CHANGE,
    "email_changed": REPORT,
}
"""By type of news."""
