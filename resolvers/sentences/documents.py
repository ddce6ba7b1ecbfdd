"""What refusals about documents say, by their codes."""

from resolvers.sentence import Sentence

DOCUMENTS = {
    "DOCUMENT_TOO_BIG": Sentence(
        "Le fichier dépasse {size} Mo. Réduisez-le ou envoyez-le en plusieurs fois.",
        "The file is larger than {size} MB. Make it smaller or send it in parts.",
    ),
    "DOCUMENT_EMPTY": Sentence("Le fichier est vide.", "The file is empty."),
    "DOCUMENT_TYPE_NOT_ALLOWED": Sentence(
        "Ce type de fichier n’est pas accepté. Envoyez un PDF, une photo (JPEG, PNG, HEIC) ou un texte.",
        "This type of file is not accepted. Send a PDF, a photo (JPEG, PNG, HEIC) or a text.",
    ),
    "DOCUMENT_TYPE_MISMATCH": Sentence(
        "Le contenu du fichier ne correspond pas à ce qu’il annonce. Enregistrez-le de nouveau, par exemple en PDF.",
        "The content of the file is not what it says. Save it again, for example as a PDF.",
    ),
    "DOCUMENT_BROKEN": Sentence(
        "Le fichier est abîmé ou incomplet. Envoyez-le de nouveau.", "The file is damaged or cut off. Send it again."
    ),
    "DOCUMENT_INFECTED": Sentence(
        "Le fichier contient un virus et n’a pas été gardé. Vérifiez votre appareil.",
        "The file contains a virus and was not kept. Check your device.",
    ),
    "SCANNER_UNAVAILABLE": Sentence(
        "Le fichier n’a pas pu être vérifié et n’a pas été gardé. Réessayez dans quelques minutes.",
        "The file could not be checked and was not kept. Try again in a few minutes.",
    ),
    "STORAGE_UNAVAILABLE": Sentence(
        "Les documents ne sont pas disponibles en ce moment. Réessayez dans quelques minutes.",
        "Documents are not available at the moment. Try again in a few minutes.",
    ),
    "UPLOAD_TOO_SLOW": Sentence(
        "Le fichier n’est pas arrivé à temps. Réessayez avec une meilleure connexion ou un fichier plus petit.",
        "The file did not arrive in time. Try again with a better connection or a smaller file.",
    ),
    "TOO_MANY_DOCUMENTS": Sentence(
        "Le nombre de documents permis est atteint. Retirez-en d’abord.",
        "There are as many documents as there may be. Remove some first.",
    ),
    "DOCUMENTS_TOO_BIG": Sentence(
        "Vos documents occupent toute la place prévue. Retirez-en d’abord.",
        "Your documents fill all the room there is. Remove some first.",
    ),
    "DOCUMENT_IN_USE": Sentence(
        "Ce document a été envoyé avec une démarche et y reste joint.",
        "This document was submitted with a procedure and stays with it.",
    ),
    "DOCUMENT_EXPIRED": Sentence(
        "Ce document n’est plus valable. Envoyez-en un plus récent.",
        "This document is out of date. Send a more recent one.",
    ),
    "DOCUMENT_NOT_KEPT": Sentence(
        "Ce document est joint à une autre démarche. Pour le réutiliser, choisissez d’abord de garder vos documents "
        "dans votre compte, ou envoyez-le de nouveau.",
        "This document is filed with another procedure. To use it again, first choose to keep your documents in your "
        "account, or send it again.",
    ),
    "EXPIRY_NOT_VALID": Sentence(
        "La date de fin de validité est passée ou trop lointaine.", "The date of expiry is past or too far ahead."
    ),
    "DOCUMENT_MISSING": Sentence(
        "Il manque ce document : {document}. Joignez-le.", "This document is missing: {document}. Attach it."
    ),
    "FIELD_NOT_VALID": Sentence(
        "Ni le formulaire ni le service ne demandent de document sous ce nom.",
        "Neither the form nor the service asks for a document by this name.",
    ),
}
