"""What refusals about tariffs, invoices and payments say, by their codes."""

from resolvers.sentence import Sentence

MONEY = {
    "CARD_NOT_OFFERED": Sentence(
        "Le paiement par carte n'est pas proposé ici. Payez par les autres moyens indiqués sur la facture.",
        "Payment by card is not offered here. Pay by the other means printed on the invoice.",
    ),
    "WHOLE_AMOUNT_ONLY": Sentence(
        "Une facture se paie en ligne en une fois, pour tout ce qui reste dû. Pour un échelonnement, appelez la "
        "mairie.",
        "An invoice is paid online at once, for all that is owed. To pay in parts, call the town hall.",
    ),
    "AMOUNT_NOT_PAYABLE": Sentence(
        "La banque n'accepte pas ce montant en ligne. Payez plusieurs factures ensemble, ou par un autre moyen.",
        "The bank does not take this amount online. Pay several invoices together, or by other means.",
    ),
    "DEBIT_UNDER_WAY": Sentence(
        "La banque prélève déjà cette facture. Ne la payez pas une seconde fois.",
        "The bank is debiting this invoice already. Do not pay it a second time.",
    ),
    "PAYMENT_UNDER_WAY": Sentence(
        "Un paiement de cette facture est en cours. Terminez-le, annulez-le, ou attendez quinze minutes.",
        "This invoice is being paid. Finish that payment, cancel it, or wait for fifteen minutes.",
    ),
    "PAYMENT_MADE": Sentence(
        "Ce paiement est déjà fait : il ne peut plus être annulé ici. Pour un remboursement, appelez la mairie.",
        "This payment is made: it cannot be cancelled here any more. For a refund, call the town hall.",
    ),
    "BANK_UNAVAILABLE": Sentence(
        "La banque ne répond pas. Rien n'a été débité ; réessayez dans quelques minutes, ou payez par un autre moyen.",
        "The bank does not answer. Nothing was debited; try again in a few minutes, or pay by other means.",
    ),
    "MONTH_NOT_OVER": Sentence(
        "Ce mois n’est pas terminé : on ne facture que des mois passés.",
        "This month is not over: only past months are billed.",
    ),
    "BILLING_RUN_OPEN": Sentence(
        "Une autre campagne est en cours. Publiez-la ou abandonnez-la d’abord.",
        "Another billing run is open. Publish it or give it up first.",
    ),
    "BILLING_RUN_NOT_READY": Sentence(
        "Cette campagne n’en est pas là : attendez ses brouillons, ou voyez si elle est déjà publiée ou abandonnée.",
        "This billing run is not at that point: wait for its drafts, or see whether it is published or given up.",
    ),
    "BILLING_RUN_EMPTY": Sentence(
        "Cette campagne n’a rien à facturer. Abandonnez-la.", "This billing run has nothing to bill. Give it up."
    ),
    "BILLING_RUN_TOO_LARGE": Sentence(
        "Une facture dépasse 1 000 000 €, ou la campagne 21 474 836,47 €. Corrigez les consommations ou les tarifs, "
        "puis recommencez la campagne.",
        "An invoice is for more than €1,000,000, or the billing run for more than €21,474,836.47. Correct consumptions "
        "or tariffs, then start the billing run again.",
    ),
    "PRICE_MISSING": Sentence(
        "Des prestations n’ont pas de prix à leur date. Complétez les tarifs, puis recommencez la campagne.",
        "Some consumptions have no price on their day. Complete the tariffs, then start the billing run again.",
    ),
    "REFERENCE_UNKNOWN": Sentence(
        "Aucune facture ne porte cette référence. Vérifiez les douze chiffres du talon.",
        "No invoice has this reference. Check the twelve digits of the coupon.",
    ),
    "NOT_ONE_FAMILY": Sentence(
        "Ces factures sont de plusieurs familles : encaissez-les l’une après l’autre.",
        "These invoices are of several families: take the payments one after the other.",
    ),
    "INVOICE_CANCELLED": Sentence("Cette facture est annulée.", "This invoice was cancelled."),
    "INVOICE_PAID": Sentence("Cette facture est déjà payée.", "This invoice is paid already."),
    "AMOUNT_NOT_VALID": Sentence("Un montant va de 0,01 à 100 000 euros.", "An amount is 0.01 to 100,000 euros."),
    "MEANS_NOT_POSSIBLE": Sentence(
        "Ce moyen de paiement n’est pas admis ici, ou il figure deux fois.",
        "This means of payment is not accepted here, or is named twice.",
    ),
    "CASH_LIMIT": Sentence(
        "Ce montant dépasse ce que la régie peut prendre ou rendre en espèces.",
        "This is more than may be paid in cash.",
    ),
    "CESU_NOT_ELIGIBLE": Sentence(
        "Les CESU ne règlent que certaines lignes : le montant dépasse ce qui en reste dû.",
        "CESU settle some lines only: the amount is more than is still owed for them.",
    ),
    "TOO_MUCH": Sentence(
        "Le montant dépasse ce qui reste dû ou à rendre.", "The amount is more than is owed, or left to be paid back."
    ),
    "DAY_CLOSED": Sentence(
        "La journée de caisse est arrêtée : elle ne change plus.", "The day of the till is closed: it changes no more."
    ),
    "DAY_NOT_OVER": Sentence("Cette journée n’a pas commencé.", "This day has not begun."),
    "TOTALS_DIFFER": Sentence(
        "Les montants comptés ne sont pas ceux enregistrés.", "The amounts counted are not those recorded."
    ),
    "PAYMENT_UNDONE": Sentence("Ce paiement est déjà annulé.", "This payment was undone already."),
    "PAYMENT_REFUNDED": Sentence(
        "Une partie de ce paiement a été remboursée : il ne peut plus être annulé.",
        "A part of this payment was paid back: it can no longer be undone.",
    ),
    "NOT_OF_THE_TILL": Sentence(
        "Ce paiement vient de la banque : il ne s’annule pas à la caisse.",
        "This payment came from the bank: the till cannot undo it.",
    ),
    "NOT_TODAY": Sentence(
        "Un encaissement ne s’annule que le jour même. Remboursez le crédit, ou annulez la facture.",
        "A payment is undone on the same day only. Pay its credit back, or cancel the invoice.",
    ),
    "REASON_MISSING": Sentence("Indiquez le motif, en 3 à 4 000 signes.", "Give the reason, in 3 to 4,000 characters."),
    "CARD_DATA": Sentence(
        "Un numéro de carte ou de compte ne s’écrit jamais ici. Retirez-le.",
        "Never write the number of a card or an account here. Take it out.",
    ),
    "LINES_NOT_VALID": Sentence(
        "Les lignes à refacturer ne sont pas valables.", "The lines to be invoiced again are not valid."
    ),
    "NO_CREDIT": Sentence(
        "Aucun crédit de la famille ne peut régler ces factures.", "No credit of the family can settle these invoices."
    ),
    "TARIFF_NOT_VALID": Sentence(
        "Les tranches se suivent sans trou : la première commence à 0, la dernière n’a pas de fin ; un prix va de 0 à "
        "100 000 euros.",
        "Brackets follow each other without a gap: the first begins at 0, the last has no end; a price is 0 to 100,000 "
        "euros.",
    ),
    "DEBIT_NOT_OFFERED": Sentence(
        "La ville ne propose pas le prélèvement. Choisissez un autre moyen de paiement.",
        "The city does not offer direct debit. Choose another way to pay.",
    ),
    "MANDATE_NOT_AGREED": Sentence(
        "Acceptez le texte du mandat pour le signer.", "Agree to the words of the mandate to sign it."
    ),
    "IBAN_NOT_VALID": Sentence(
        "L’IBAN n’est pas valable. Recopiez-le depuis votre relevé d’identité bancaire.",
        "The IBAN is not valid. Copy it from your bank’s statement.",
    ),
    "IBAN_NOT_SEPA": Sentence(
        "Ce compte est hors de l’espace SEPA : il ne peut pas être prélevé. Indiquez-en un autre.",
        "This account is outside SEPA and cannot be debited. Give another one.",
    ),
    "BIC_NOT_VALID": Sentence(
        "Le BIC n’est pas valable, ou votre banque l’exige. Recopiez-le depuis votre relevé d’identité bancaire.",
        "The BIC is not valid, or your bank asks for it. Copy it from your bank’s statement.",
    ),
    "HOLDER_NOT_VALID": Sentence(
        "Indiquez le nom du titulaire du compte et son adresse, en 70 caractères par ligne au plus.",
        "Give the name of the account holder and the address, in 70 characters a line at most.",
    ),
    "HOLDER_ADDRESS_MISSING": Sentence(
        "Pour un compte de ce pays, indiquez aussi l’adresse du titulaire : rue, code postal et ville.",
        "For an account of this country, give the holder’s address too: street, postcode and town.",
    ),
    "BATCH_BOOKED": Sentence(
        "Le jour de ces prélèvements est venu : enregistrez les rejets un à un.",
        "The day of these debits has come: record what comes back one by one.",
    ),
    "DEBIT_NOT_SENT": Sentence(
        "Ce prélèvement n’a pas été transmis à la banque. Vérifiez la référence.",
        "This debit was not sent to the bank. Check the reference.",
    ),
    "DEBIT_ALREADY_RETURNED": Sentence(
        "Ce prélèvement est déjà enregistré comme rejeté, pour un autre motif. Vérifiez la référence.",
        "This debit is recorded as returned already, for another reason. Check the reference.",
    ),
    "RETURN_DATE_NOT_VALID": Sentence(
        "La date du rejet ne peut pas être celle-ci. Reprenez celle du relevé de la banque.",
        "The day of the return cannot be this one. Take it from the bank’s statement.",
    ),
}
