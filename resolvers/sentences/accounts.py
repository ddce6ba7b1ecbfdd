"""What refusals about signing in, logins and agents say, by their codes."""

from resolvers.sentence import Sentence

ACCOUNTS = {
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
    "ACCOUNT_TERMINATED": Sentence(
        "La mairie a mis fin à l’accès à ce compte. Le message qui vous a été envoyé en donne le motif ; "
        "pour toute question, appelez-la.",
        "The city has ended the access to this account. The message sent to you says why; "
        "if you have a question, call the city.",
    ),
}
