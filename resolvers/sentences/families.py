"""What refusals about families, their members and how they are reached say, by their codes."""

from resolvers.sentence import Sentence

FAMILIES = {
    "CHANNEL_NOT_AVAILABLE": Sentence(
        "Aucune adresse confirmée ne permet ce moyen de contact. Ajoutez-en une d’abord.",
        "No confirmed address allows this channel. Add one first.",
    ),
    "CHANNEL_NOT_OFFERED": Sentence(
        "La ville ne propose pas ce moyen de contact. Choisissez-en un autre.",
        "The city does not offer this channel. Choose another one.",
    ),
    "PHONE_NOT_VALID": Sentence(
        "Ce numéro n’est pas celui d’un téléphone mobile français, outre-mer compris. Écrivez-le comme 06 12 34 56 78 "
        "ou +33 6 12 34 56 78.",
        "This is not the number of a French mobile phone, overseas included. Write it like 06 12 34 56 78 or "
        "+33 6 12 34 56 78.",
    ),
    "CODE_NOT_VALID": Sentence(
        "Ce code n’est pas le bon ou a expiré. Vérifiez-le, ou demandez-en un nouveau.",
        "This code is not right or has expired. Check it, or ask for a new one.",
    ),
    "PUSH_NOT_VALID": Sentence(
        "Cet appareil ne peut pas recevoir de notifications du portail. Essayez avec un autre navigateur.",
        "This device cannot take push messages of the portal. Try another browser.",
    ),
    "ADDRESS_IN_USE": Sentence(
        "Cette adresse sert à vous connecter ou à vous écrire. Changez-la plutôt que de la retirer.",
        "This address serves to sign in or to write to you. Change it rather than remove it.",
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
    "SERVICE_IN_USE": Sentence(
        "Une de vos démarches est en cours auprès de ce service : attendez la décision ou retirez-la d’abord.",
        "One of your procedures is open at this service: wait for the decision, or withdraw it first.",
    ),
    "EXPORT_TOO_SOON": Sentence(
        "Une copie de vos données a déjà été demandée il y a moins d’un jour. Utilisez-la, ou réessayez demain.",
        "A copy of your data was already asked for less than a day ago. Use that one, or try again tomorrow.",
    ),
    "FAMILY_IN_USE": Sentence(
        "Une démarche de cette famille est en cours : décidez-la ou clôturez-la d’abord.",
        "A procedure of this family is open: decide or close it first.",
    ),
}
