"""What refusals about procedures and their catalogue say, by their codes."""

from resolvers.sentence import Sentence

PROCEDURES = {
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
    "ALREADY_TAKEN": Sentence(
        "Un autre agent suit déjà cette démarche. Actualisez la liste.",
        "Another agent is in charge of this procedure already. Refresh the list.",
    ),
    "KIND_NOT_OPEN_YET": Sentence(
        "Cette démarche ouvre le {day}. Revenez à partir de ce jour.",
        "This procedure opens on {day}. Come back from that day on.",
    ),
    "KIND_CLOSED": Sentence(
        "Cette démarche était ouverte jusqu’au {day}. Écrivez au service si votre situation le demande.",
        "This procedure was open until {day} only. Write to the service if you need it all the same.",
    ),
    "KIND_FULL": Sentence(
        "Toutes les places de cette démarche sont prises. Réessayez plus tard : une place peut se libérer.",
        "All places of this procedure are taken. Try again later: a place may become free.",
    ),
    "KIND_CHANGED": Sentence(
        "Cette démarche a été modifiée entre-temps : relisez-la avant d’enregistrer.",
        "This kind of procedure was changed meanwhile: read it again before you save.",
    ),
    "ANSWER_NOT_ASKED": Sentence(
        "Cette réponse n’est pas demandée : elle ne peut plus changer. Écrivez au service si elle est fausse.",
        "This answer was not asked for: it cannot change any more. Write to the service if it is wrong.",
    ),
    "ATTESTATION_MISSING": Sentence(
        "Attestez l’exactitude de votre déclaration pour l’envoyer (une fausse déclaration est punie par la loi).",
        "Attest that your declaration is true before you send it (false declarations are punishable).",
    ),
}
