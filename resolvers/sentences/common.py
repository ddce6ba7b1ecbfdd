"""What refusals about any request say, by their codes."""

from resolvers.sentence import Sentence

COMMON = {
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
    "LINK_NOT_VALID": Sentence(
        "Ce lien n’est pas valable ou a expiré. Demandez-en un nouveau.",
        "This link is not valid or has expired. Ask for a new one.",
    ),
    "IDEMPOTENCY_KEY_REUSED": Sentence(
        "Cette clé a déjà servi pour une autre demande.", "This key was already used for another request."
    ),
    "TERMS_CHANGED": Sentence(
        "Les conditions d’utilisation ont changé entre-temps. Lisez la version en vigueur, puis acceptez-la.",
        "The terms of use have changed meanwhile. Read the version in force, then accept it.",
    ),
}
