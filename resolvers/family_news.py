"""What a family is told of changes to itself: its members, its identifiers, its logins (R16)."""

from typing import Any
from uuid import UUID

from db import accounts
from db.outbox import Told, tell
from resolvers.context import Context
from resolvers.sentence import Sentence

TYPE = "family_changed"

SENTENCES = {
    "MEMBER_ADDED": Sentence(
        "{who} figure maintenant parmi les membres de votre compte.", "{who} is now a member on your account."
    ),
    "MEMBER_CHANGED": Sentence("Les informations de {who} ont été modifiées.", "The details of {who} were changed."),
    "MEMBER_REMOVED": Sentence(
        "{who} ne figure plus parmi les membres de votre compte.", "{who} is no longer a member on your account."
    ),
    "CHILD_SHARED": Sentence(
        "{who} fait désormais partie de deux familles : chacune ne voit que ses propres démarches.",
        "{who} has two families: each sees only its own procedures.",
    ),
    "CHILD_UNSHARED": Sentence(
        "{who} ne fait plus partie que de votre famille.", "{who} is now a member of your family only."
    ),
    "CHANGE_PROPOSED": Sentence(
        "La modification demandée pour {who} est transmise à la mairie.",
        "The change asked for {who} was passed on to the town hall.",
    ),
    "CHANGE_REFUSED": Sentence(
        "La mairie n’a pas retenu la modification demandée pour {who}.",
        "The town hall did not accept the change asked for {who}.",
    ),
    "IDENTIFIER_CHANGED": Sentence(
        "Les identifiants de votre compte ont été modifiés.", "The identifiers of your account were changed."
    ),
    "QUOTIENT_RECORDED": Sentence("Votre quotient familial a été enregistré.", "Your quotient familial was recorded."),
    "ADULT_INVITED": Sentence(
        "Une invitation à ouvrir un accès à votre compte a été envoyée à {who}.",
        "An invitation to open a login on your account was sent to {who}.",
    ),
    "INVITATION_REVOKED": Sentence("L’invitation envoyée à {who} est annulée.", "The invitation to {who} was revoked."),
    "LOGIN_ADDED": Sentence(
        "Un nouvel accès à votre compte a été ouvert pour {who}.", "A new login on your account was opened for {who}."
    ),
    "ADDRESS_ADDED": Sentence(
        "Vous pouvez désormais être prévenus par ce moyen : {who}.", "You can now be told by this means: {who}."
    ),
    "ADDRESS_REMOVED": Sentence(
        "Vous ne serez plus prévenus par ce moyen : {who}.", "You will no more be told by: {who}."
    ),
    "EMAIL_UNREACHABLE": Sentence(
        "Nos courriels à {who} reviennent : nous n’y écrivons plus. Indiquez-nous une autre adresse.",
        "Our e-mails to {who} come back, so we stopped writing there. Please give us another address.",
    ),
    "PHONE_STOPPED": Sentence(
        "Le {who} a répondu STOP : nous n’y envoyons plus de SMS. Pour en recevoir de nouveau, ajoutez ce numéro.",
        "{who} answered STOP, so we send it no more text messages. To get them again, add the number.",
    ),
    "EMAIL_ENDED": Sentence(
        "Vous ne recevrez plus de courriels sur : {who}. Vous pouvez revenir sur ce choix dans vos préférences.",
        "You will get no more e-mails about: {who}. You can change this in your preferences.",
    ),
    "LOGIN_REMOVED": Sentence(
        "L’accès de {who} à votre compte a été retiré.", "The login of {who} on your account was removed."
    ),
}
"""By kind of change; `{who}` is a member's name or an address."""

OF_LOGINS = frozenset({"ADULT_INVITED", "INVITATION_REVOKED", "LOGIN_ADDED", "LOGIN_REMOVED", "ADDRESS_ADDED"})
"""Told to every address of the family, whatever channels it prefers: who can sign in, and who reads what the family is
told, is a matter of security."""


async def confirm(tx: Any, context: Context, family_id: UUID, subject_id: UUID, change: str, who: str = "") -> None:
    """Confirm a change to the family, in the transaction that makes it."""
    await tell(tx, await confirmation(tx, context, family_id, subject_id, change, who))


async def confirmation(
    tx: Any, context: Context, family_id: UUID, subject_id: UUID, change: str, who: str = ""
) -> Told:
    """Give what confirms a change, for the addresses that the family has now."""
    sentence = SENTENCES[change]
    data = {
        "change": change,
        "summary_fr": sentence.fr.format(who=who),
        "summary_en": sentence.en.format(who=who),
    }
    at = context.process.clock()
    if change not in OF_LOGINS:
        return Told(family_id, "ACCOUNT_SECURITY", TYPE, subject_id, data, at)
    to = [("EMAIL", email) for email in await accounts.verified_emails(tx, family_id)]
    return Told(family_id, "ACCOUNT_SECURITY", TYPE, subject_id, data, at, priority=0, to=to)
