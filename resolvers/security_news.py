"""What a family is told about its logins: the one place where such news is born. None of it can be muted."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from db.outbox import Told
from resolvers.sentence import Sentence

SENTENCES = {
    "account_activated": Sentence("Votre compte a été activé.", "Your account was activated."),
    "email_verification": Sentence(
        "Un lien a été envoyé pour confirmer une adresse.", "A link was sent to confirm an address."
    ),
    "password_reset_requested": Sentence(
        "Un lien pour choisir un nouveau mot de passe a été demandé.", "A link to choose a new password was asked for."
    ),
    "password_changed": Sentence(
        "Un mot de passe de votre compte a été changé.", "A password of your account changed."
    ),
    "email_change_requested": Sentence(
        "Un changement d’adresse électronique a été demandé.", "A change of e-mail address was asked for."
    ),
    "email_change_confirmation": Sentence(
        "Un lien a été envoyé à la nouvelle adresse électronique.", "A link was sent to the new e-mail address."
    ),
    "email_changed": Sentence(
        "Une adresse électronique de votre compte a été changée.", "An e-mail address of your account changed."
    ),
    "email_change_cancelled": Sentence(
        "Le changement d’adresse électronique est annulé.", "The change of e-mail address was cancelled."
    ),
    "account_locked": Sentence(
        "Une utilisation non autorisée a été signalée : l’accès est bloqué.",
        "Unauthorised use was reported: the login is locked.",
    ),
}
"""Summaries, by type of news."""


def told(kind: str, family_id: UUID, account_id: UUID, at: datetime, *, to: Sequence[str] = (), **data: Any) -> Told:
    """Make an item of news about a login; `to` are e-mail addresses instead of the channels that the family chose.

    The login and the moment go into every item, so that its message can carry the link that reports unauthorised use.
    """
    sentence = SENTENCES[kind]
    common = {
        "account": str(account_id),
        "at": at.isoformat(),
        "summary_fr": sentence.fr,
        "summary_en": sentence.en,
    }
    return Told(
        family_id,
        "ACCOUNT_SECURITY",
        kind,
        account_id,
        common | data,
        at,
        priority=0,
        to=[("EMAIL", email) for email in to],
    )
