"""What refusals about partners and their webhooks say, by their codes."""

from resolvers.sentence import Sentence

PARTNERS = {
    "PARTNER_NAME_TAKEN": Sentence(
        "Un autre partenaire porte déjà ce nom. Choisissez-en un autre.",
        "Another partner has this name already. Choose another one.",
    ),
    "WEBHOOK_URL_REFUSED": Sentence(
        "Rien ne sera envoyé à cette adresse : il faut une adresse https publique, sans mot de passe ni fragment.",
        "Nothing is sent to this address: use a public https address without password or fragment.",
    ),
    "WEBHOOK_DISABLED": Sentence(
        "Ce webhook est désactivé. Réactivez-le d’abord.", "This webhook is disabled. Enable it first."
    ),
    "TOO_MANY_WEBHOOKS": Sentence(
        "Vous avez déjà autant de webhooks que possible. Désactivez-en un d’abord.",
        "You have as many webhooks as possible already. Disable one first.",
    ),
    "JWKS_NOT_VALID": Sentence(
        "Ce n’est pas un jeu de clés publiques valable (RSA de 2048 bits au moins, EC ou Ed25519). Demandez-le au "
        "partenaire.",
        "This is not a valid set of public keys (RSA of at least 2048 bits, EC or Ed25519). Ask the partner for it.",
    ),
}
