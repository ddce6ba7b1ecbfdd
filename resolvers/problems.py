"""Refusals that a client can expect: a stable code to match, a sentence to read."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from db.settings import City
from db.typography import set_finely
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
        self.code = code
        self.message = message
        self.path = path or []
        self.also = also
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence in the two languages of the portal, set as print is."""

    fr: str
    en: str

    def __post_init__(self) -> None:
        """Set both finely, so that whoever writes a sentence may type it plainly."""
        for language in ("fr", "en"):
            object.__setattr__(self, language, set_finely(getattr(self, language), language))

    def to(self, language: str) -> str:
        """Give it in `fr` or `en`."""
        return self.en if language == "en" else self.fr


SENTENCES = {
    "UNAUTHENTICATED": Sentence("Connectez-vous pour continuer.", "Sign in to go on."),
    "FORBIDDEN": Sentence(
        "Cette action ne vous est pas ouverte. Si elle devrait l’être, appelez la mairie.",
        "This is not open to you. If it should be, call the town hall.",
    ),
    "NOT_FOUND": Sentence(
        "Cet élément n’existe pas ou n’existe plus. Actualisez la page.",
        "There is no such item, or no longer. Refresh the page.",
    ),
    "TERMS_NOT_ACCEPTED": Sentence(
        "Acceptez d’abord les conditions générales d’utilisation en vigueur.", "Accept the terms of use in force first."
    ),
    "BAD_USER_INPUT": Sentence(
        "Une valeur n’est pas valable. Corrigez-la.", "A value is not valid. Please correct it."
    ),
    "THROTTLED": Sentence("Trop d’essais. Réessayez plus tard.", "Too many attempts. Try again later."),
    "TOO_MANY_REQUESTS": Sentence(
        "Trop de demandes à la fois. Réessayez dans un instant.", "Too many requests at once. Try again in a moment."
    ),
    "THROTTLED_FOR": Sentence("Trop d’essais. Réessayez dans {time}.", "Too many attempts. Try again in {time}."),
    "BUSY": Sentence(
        "Le portail est très sollicité. Réessayez dans un instant.", "The portal is busy. Try again in a moment."
    ),
    "BAD_CREDENTIALS": Sentence(
        "L’identifiant ou le mot de passe n’est pas le bon. Vérifiez-les, ou demandez un lien pour changer de mot de "
        "passe.",
        "The identifier or the password is not right. Check them, or ask for a link to choose a new password.",
    ),
    "PASSWORD_WRONG": Sentence(
        "Le mot de passe actuel n’est pas le bon. Réessayez.", "The present password is not right. Try again."
    ),
    "ACCOUNT_LOCKED": Sentence(
        "Cet accès est bloqué, car une utilisation non autorisée a été signalée. Demandez un lien pour choisir un "
        "nouveau mot de passe, ou un nouveau code d’activation à la mairie.",
        "This login is locked because unauthorised use was reported. Ask for a link to choose a new password, or for a "
        "new activation code at the town hall.",
    ),
    "EMAIL_NOT_VERIFIED": Sentence(
        "Confirmez d’abord votre adresse électronique, par le lien reçu à cette adresse.",
        "Confirm your e-mail address first, by the link that was sent there.",
    ),
    "ACTIVATION_REFUSED": Sentence(
        "Le numéro de famille ou le code d’activation n’est pas valable, ou le nombre d’essais du jour est dépassé. "
        "Vérifiez-les, réessayez demain ou demandez un nouveau code à la mairie.",
        "The family number or the activation code is not valid, or there were too many attempts today. "
        "Check them, try again tomorrow, or ask the town hall for a new code.",
    ),
    "PASSWORD_TOO_SHORT": Sentence(
        "Le mot de passe doit compter au moins 8 caractères.", "The password needs at least 8 characters."
    ),
    "PASSWORD_TOO_LONG": Sentence(
        "Le mot de passe doit compter au plus 25 caractères.", "The password may have at most 25 characters."
    ),
    "PASSWORD_TOO_SIMPLE": Sentence(
        "Le mot de passe doit mêler au moins trois des quatre sortes de caractères : minuscules, majuscules, chiffres, "
        "signes.",
        "The password needs at least three of the four kinds of characters: lower case, upper case, digits, signs.",
    ),
    "PASSWORD_TOO_COMMON": Sentence(
        "Ce mot de passe est trop courant : un mot connu, suivi de quelques chiffres ou signes, se devine vite. "
        "Choisissez-en un autre, par exemple plusieurs mots sans lien.",
        "This password is too common: a known word with a few digits or signs is soon guessed. "
        "Choose another one, for example several words that do not belong together.",
    ),
    "PASSWORD_PERSONAL": Sentence(
        "Le mot de passe contient un nom, une date de naissance, votre adresse, votre numéro de famille ou le nom de "
        "la ville : vos proches le devineraient. Choisissez-en un autre.",
        "The password contains a name, a date of birth, your address, your family number or the city’s name: "
        "those who know you would guess it. Choose another one.",
    ),
    "EMAIL_NOT_VALID": Sentence(
        "L’adresse électronique n’est pas valable. Écrivez-la comme nom@exemple.fr.",
        "The e-mail address is not valid. Write it like name@example.org.",
    ),
    "LINK_NOT_VALID": Sentence(
        "Ce lien n’est pas valable ou a expiré. Demandez-en un nouveau.",
        "This link is not valid or has expired. Ask for a new one.",
    ),
    "REFRESH_REFUSED": Sentence(
        "Votre session est terminée. Reconnectez-vous.", "Your session has ended. Sign in again."
    ),
    "CHALLENGE_NOT_VALID": Sentence(
        "Cette vérification a expiré ou a déjà servi. Reconnectez-vous.",
        "This check has expired or was already used. Sign in again.",
    ),
    "SECOND_FACTOR_REFUSED": Sentence(
        "Ce code ou cette clé n’est pas valable. Attendez le code suivant, ou utilisez un code de secours.",
        "This code or passkey is not valid. Wait for the next code, or use a recovery code.",
    ),
    "TOO_MANY_FACTORS": Sentence(
        "Vous avez déjà dix moyens de vérification. Retirez-en un d’abord.",
        "You have ten second factors already. Remove one first.",
    ),
    "NO_SECOND_FACTOR": Sentence(
        "Ajoutez d’abord une application ou une clé d’accès.", "Add an authenticator app or a passkey first."
    ),
    "LAST_SECOND_FACTOR": Sentence(
        "Il vous faut au moins un moyen de vérification. Ajoutez-en un autre d’abord.",
        "You need at least one second factor. Add another one first.",
    ),
    "EMAIL_TAKEN": Sentence("Cette adresse est celle d’un autre agent.", "This address is another agent’s."),
    "LAST_ADMIN": Sentence(
        "Il faut au moins un administrateur. Nommez-en un autre d’abord.",
        "There must be at least one administrator. Appoint another one first.",
    ),
    "NOT_FOR_ONESELF": Sentence(
        "Un autre administrateur doit le faire pour vous.", "Another administrator must do this for you."
    ),
    "PROVIDER_NOT_OFFERED": Sentence(
        "Aucun autre moyen de connexion n’est proposé.", "No other way to sign in is on offer."
    ),
    "PROVIDER_UNAVAILABLE": Sentence(
        "Ce service de connexion ne répond pas. Réessayez plus tard ou connectez-vous par mot de passe.",
        "This sign-in service does not answer. Try again later, or sign in by password.",
    ),
    "PROVIDER_REFUSED": Sentence(
        "Ce service de connexion n’a pas confirmé votre identité. Recommencez.",
        "This sign-in service did not confirm who you are. Start again.",
    ),
    "PROVIDER_ATTEMPT_NOT_VALID": Sentence(
        "Cette connexion a expiré, a déjà servi ou a commencé sur un autre appareil. Recommencez.",
        "This sign-in has expired, was already used, or began on another device. Start again.",
    ),
    "PROVIDER_NOT_LINKED": Sentence(
        "Aucun compte n’est relié à cette identité. Connectez-vous par mot de passe, puis reliez-la dans votre compte.",
        "No account is linked to this identity. Sign in by password, then link it in your account.",
    ),
    "PROVIDER_LINKED_ALREADY": Sentence(
        "Cette identité ou ce compte est déjà relié. Retirez l’ancien lien d’abord.",
        "This identity or this account is linked already. Remove the old link first.",
    ),
    "ALREADY_MOVED": Sentence(
        "Cette démarche a changé d’état entre-temps. Actualisez la page.",
        "This procedure has moved on meanwhile. Refresh the page.",
    ),
    "MOVE_NOT_ALLOWED": Sentence(
        "Ce changement n’est pas possible dans l’état actuel de la démarche.",
        "This move is not possible from the procedure’s present state.",
    ),
    "KIND_NOT_OPEN": Sentence(
        "Cette démarche n’est pas proposée en ce moment. Consultez la liste des démarches.",
        "This procedure is not on offer at present. See the list of procedures.",
    ),
    "ATTESTATION_MISSING": Sentence(
        "Attestez l’exactitude de votre déclaration pour l’envoyer (une fausse déclaration est punie par la loi).",
        "Attest that your declaration is true before you send it (false declarations are punishable).",
    ),
    "IDEMPOTENCY_KEY_REUSED": Sentence(
        "Cette clé a déjà servi pour une autre demande.", "This key was already used for another request."
    ),
    "CHANNEL_NOT_AVAILABLE": Sentence(
        "Aucune adresse confirmée ne permet ce moyen de contact. Ajoutez-en une d’abord.",
        "No confirmed address allows this channel. Add one first.",
    ),
    "NAME_NOT_VALID": Sentence(
        "Un nom compte de 1 à 100 lettres ; apostrophes, traits d’union et espaces sont admis.",
        "A name has 1 to 100 letters; apostrophes, hyphens and blanks are allowed.",
    ),
    "BIRTH_DATE_NOT_VALID": Sentence(
        "La date de naissance n’est pas valable. Vérifiez-la.", "The date of birth is not valid. Check it."
    ),
    "TOO_OLD_FOR_A_CHILD": Sentence(
        "Un enfant a moins de 25 ans : inscrivez cette personne comme adulte.",
        "A child is under 25: enter this person as an adult.",
    ),
    "SCHOOL_NOT_VALID": Sentence(
        "L’école compte au plus 200 caractères et ne s’indique que pour un enfant.",
        "A school has 200 characters at the most and is for children only.",
    ),
    "CHILD_NOT_ALLOWED": Sentence(
        "Un professionnel ou une association n’a que des contacts adultes.",
        "A professional or an association has adult contacts only.",
    ),
    "MEMBER_TWICE": Sentence(
        "Cette personne fait déjà partie de la famille.", "This person is a member of the family already."
    ),
    "TOO_MANY_MEMBERS": Sentence(
        "La famille compte déjà 100 membres. Retirez-en un d’abord.",
        "The family has 100 members already. Remove one first.",
    ),
    "LAST_ADULT": Sentence(
        "Le dernier adulte ne peut pas être retiré. Contactez la mairie.",
        "The last adult cannot be removed. Contact the town hall.",
    ),
    "ALREADY_SHARED": Sentence("Cet enfant fait déjà partie de deux familles.", "This child has two families already."),
    "NOT_A_CHILD": Sentence("Seul un enfant peut avoir deux familles.", "Only a child can have two families."),
    "SIRET_NOT_VALID": Sentence(
        "Ce numéro SIRET n’est pas valable (14 chiffres, avec clé de contrôle).",
        "This SIRET is not valid (14 digits with a check digit).",
    ),
    "RNA_NOT_VALID": Sentence(
        "Ce numéro RNA n’est pas valable (W et 9 chiffres).", "This RNA number is not valid (W and 9 digits)."
    ),
    "REGISTRY_NUMBER_NOT_VALID": Sentence(
        "Indiquez le volume et le folio (par exemple 94/123), ou un numéro SIREN.",
        "Give volume and folio (such as 94/123), or a SIREN.",
    ),
    "IDENTIFIER_MISSING": Sentence(
        "Un professionnel donne son SIRET ; une association, son numéro RNA ou de registre.",
        "A professional gives its SIRET; an association its RNA or registry number.",
    ),
    "IDENTIFIER_NOT_FOR_PROFILE": Sentence(
        "Cet identifiant ne correspond pas au profil du compte.", "This identifier does not go with the profile."
    ),
    "QUOTIENT_NOT_VALID": Sentence(
        "Le quotient familial est un montant de 0 à 100 000 euros, à partir d’un jour des dix dernières années "
        "ou de l’année qui vient.",
        "A quotient is 0 to 100,000 euros, from a day of the last ten years or of the coming year.",
    ),
    "TOO_MANY_LOGINS": Sentence(
        "La famille a atteint le nombre d’accès permis. Retirez-en un d’abord.",
        "The family has as many logins as it may have. Remove one first.",
    ),
    "TOO_MANY_INVITATIONS": Sentence(
        "Trop d’invitations en cours. Réessayez demain ou annulez-en une.",
        "Too many invitations are open. Try again tomorrow or revoke one.",
    ),
    "LAST_LOGIN": Sentence(
        "Le dernier accès ne peut pas être retiré ; fermez le compte si vous le souhaitez.",
        "The last login cannot be removed; close the account if you wish.",
    ),
    "OWN_LOGIN": Sentence(
        "Un autre accès de la famille peut retirer le vôtre.", "Another login of the family can remove yours."
    ),
    "SERVICE_IN_USE": Sentence(
        "Une de vos démarches est en cours auprès de ce service : attendez la décision ou retirez-la d’abord.",
        "One of your procedures is open at this service: wait for the decision, or withdraw it first.",
    ),
    "EXPORT_TOO_SOON": Sentence(
        "Une copie de vos données a déjà été demandée il y a moins d’un jour. Utilisez-la, ou réessayez demain.",
        "A copy of your data was already asked for less than a day ago. Use that one, or try again tomorrow.",
    ),
    "ACCOUNT_TERMINATED": Sentence(
        "La mairie a mis fin à l’accès à ce compte. Le message qui vous a été envoyé en donne le motif ; "
        "pour toute question, appelez-la.",
        "The city has ended the access to this account. The message sent to you says why; "
        "if you have a question, call the city.",
    ),
    "FAMILY_IN_USE": Sentence(
        "Une démarche de cette famille est en cours : décidez-la ou clôturez-la d’abord.",
        "A procedure of this family is open: decide or close it first.",
    ),
    "TERMS_CHANGED": Sentence(
        "Les conditions d’utilisation ont changé entre-temps. Lisez la version en vigueur, puis acceptez-la.",
        "The terms of use have changed meanwhile. Read the version in force, then accept it.",
    ),
}

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
