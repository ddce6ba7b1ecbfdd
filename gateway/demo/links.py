"""What the links of messages open: pages of the families' web app, which the demonstration stands in for."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Action:
    """One button, and what is said once the portal has done it."""

    label: str
    mutation: str
    """Field of the API; it takes the link's token, and the password where the page asks for one."""
    done: str


@dataclass(frozen=True, slots=True)
class LinkPage:
    """One page; its path is that of the link (`notifications/links.py`)."""

    title: str
    about: str
    actions: tuple[Action, ...]
    password: bool = False
    """Whether it asks for a new password."""


LINK_PAGES = {
    "verify-email": LinkPage(
        "Confirmer votre adresse",
        "Confirmez que cette adresse est bien la vôtre.",
        (Action("Confirmer mon adresse", "verifyEmail", "Votre adresse est confirmée. Vous pouvez vous connecter."),),
    ),
    "reset-password": LinkPage(
        "Choisir un nouveau mot de passe",
        "De 8 à 25 caractères, de trois sortes au moins : minuscules, majuscules, chiffres, signes.",
        (Action("Changer mon mot de passe", "resetPassword", "Votre mot de passe est changé. Connectez-vous."),),
        password=True,
    ),
    "email-change": LinkPage(
        "Changer d’adresse électronique",
        "Le changement compte quand les deux adresses l’ont confirmé.",
        (
            Action(
                "Confirmer",
                "confirmEmailChange",
                "C’est confirmé ici. L’adresse change dès que les deux l’ont confirmé.",
            ),
            Action("Annuler le changement", "cancelEmailChange", "Le changement est annulé."),
        ),
    ),
    "report-unauthorized-use": LinkPage(
        "Bloquer cet accès",
        "Toutes les sessions de cet accès seront fermées, et la mairie sera prévenue.",
        (Action("Bloquer cet accès", "reportUnauthorizedUse", "L’accès est bloqué. Un message vous dit la suite."),),
    ),
    "invitation": LinkPage(
        "Ouvrir votre propre accès",
        "Choisissez un mot de passe : de 8 à 25 caractères, de trois sortes au moins.",
        (Action("Ouvrir mon accès", "acceptInvitation", "Votre accès est ouvert. Connectez-vous."),),
        password=True,
    ),
}
"""By path under `/demo/`."""
