"""Refusals that a client can expect: a stable code to match, a sentence to read."""

from collections.abc import Sequence
from dataclasses import dataclass

from resolvers.viewer import Viewer


class Refusal(Exception):
    """The request is understood and refused.

    `code` is for programs, `message` for people, `path` names the faulty input (argument names or a JSON pointer);
    `also` are further refusals of the same request, as of a form with several faults.
    """

    def __init__(self, code: str, message: str, path: list[str] | None = None, also: "Sequence[Refusal]" = ()) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.path = path or []
        self.also = also


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence in the two languages of the portal."""

    fr: str
    en: str

    def to(self, language: str) -> str:
        """Give it in `fr` or `en`."""
        return self.en if language == "en" else self.fr


SENTENCES = {
    "UNAUTHENTICATED": Sentence("Connectez-vous pour continuer.", "Sign in to go on."),
    "FORBIDDEN": Sentence("Cette action ne vous est pas ouverte.", "This is not open to you."),
    "NOT_FOUND": Sentence("Cet élément n’existe pas.", "There is no such item."),
    "TERMS_NOT_ACCEPTED": Sentence(
        "Acceptez d’abord les conditions générales d’utilisation en vigueur.", "Accept the terms of use in force first."
    ),
    "BAD_USER_INPUT": Sentence("Une valeur n’est pas valable.", "A value is not valid."),
    "THROTTLED": Sentence("Trop d’essais. Réessayez plus tard.", "Too many attempts. Try again later."),
    "TOO_MANY_REQUESTS": Sentence(
        "Trop de demandes à la fois. Réessayez dans un instant.", "Too many requests at once. Try again in a moment."
    ),
    "BUSY": Sentence(
        "Le portail est très sollicité. Réessayez dans un instant.", "The portal is busy. Try again in a moment."
    ),
    "BAD_CREDENTIALS": Sentence(
        "L’identifiant ou le mot de passe n’est pas le bon.", "The identifier or the password is not right."
    ),
    "EMAIL_NOT_VERIFIED": Sentence(
        "Confirmez d’abord votre adresse électronique par le lien reçu.",
        "Confirm your e-mail address first by the link sent.",
    ),
    "ACTIVATION_REFUSED": Sentence(
        "Le numéro de famille ou le code d’activation n’est pas valable, ou le nombre d’essais est dépassé.",
        "The family number or the activation code is not valid, or there were too many attempts.",
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
    "EMAIL_NOT_VALID": Sentence("L’adresse électronique n’est pas valable.", "The e-mail address is not valid."),
    "LINK_NOT_VALID": Sentence(
        "Ce lien n’est pas valable ou a expiré. Demandez-en un nouveau.",
        "This link is not valid or has expired. Ask for a new one.",
    ),
    "REFRESH_REFUSED": Sentence(
        "Votre session est terminée. Reconnectez-vous.", "Your session has ended. Sign in again."
    ),
    "ALREADY_MOVED": Sentence("Cette démarche a déjà changé d’état.", "This procedure has already moved on."),
    "MOVE_NOT_ALLOWED": Sentence(
        "Ce changement n’est pas possible dans l’état actuel de la démarche.",
        "This move is not possible from the procedure’s present state.",
    ),
    "KIND_NOT_OPEN": Sentence("Cette démarche n’est pas proposée.", "This procedure is not on offer."),
    "ATTESTATION_MISSING": Sentence(
        "Attestez l’exactitude de votre déclaration pour l’envoyer (une fausse déclaration est punie par la loi).",
        "Attest that your declaration is true before you send it (false declarations are punishable).",
    ),
    "IDEMPOTENCY_KEY_REUSED": Sentence(
        "Cette clé a déjà servi pour une autre demande.", "This key was already used for another request."
    ),
    "CHANNEL_NOT_AVAILABLE": Sentence(
        "Aucune adresse vérifiée ne permet ce moyen de contact.", "No verified address allows this channel."
    ),
    "TERMS_CHANGED": Sentence(
        "Ce n’est pas la version en vigueur des conditions.", "This is not the version of the terms in force."
    ),
}


def refusal(code: str, viewer: Viewer, path: list[str] | None = None) -> Refusal:
    """Make a refusal whose sentence is in the viewer's language."""
    return Refusal(code, SENTENCES[code].to(viewer.language), path)
