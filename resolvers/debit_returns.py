"""What banks send back: the payment is undone, the invoice owed again, the family told, the mandate perhaps ended.

Reasons: ISO 20022 ExternalReturnReason1Code, those that the SEPA rulebook (EPC016-06, AT-R004) allows. The city charges
no fee for a returned debit.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from db import debits as stored
from db import ledger, mandates, money
from db.debits import Debit
from db.ledger import By
from db.outbox import Told, tell
from resolvers import tasks
from resolvers.context import Context
from resolvers.mandates import PARIS, end, today
from resolvers.sentence import Sentence
from resolvers.tariffs import formatted


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a bank sends a debit back."""

    sentence: Sentence
    ends_mandate: bool = False
    """Whether another debit of the mandate would come back too."""


def _reason(fr: str, en: str, *, ends: bool = False) -> Reason:
    return Reason(Sentence(fr, en), ends)


REASONS = {
    "AC01": _reason("le numéro de compte n’est pas reconnu", "the account number is not known", ends=True),
    "AC04": _reason("le compte est clos", "the account is closed", ends=True),
    "AC06": _reason("le compte est bloqué", "the account is blocked"),
    "AC13": _reason(
        "ce type de compte n’accepte pas ce prélèvement", "this kind of account takes no such debit", ends=True
    ),
    "AG01": _reason("ce compte n’accepte pas les prélèvements", "this account takes no direct debits", ends=True),
    "AG02": _reason("la banque n’a pas pu traiter l’opération", "the bank could not process the operation"),
    "AM04": _reason("la provision du compte est insuffisante", "there was not enough money on the account"),
    "AM05": _reason("la banque a vu un prélèvement en double", "the bank saw the debit twice"),
    "BE05": _reason("la banque ne reconnaît pas le créancier", "the bank does not know the creditor"),
    "CNOR": _reason("la banque du créancier n’est pas joignable", "the creditor’s bank cannot be reached"),
    "DNOR": _reason("votre banque n’est pas joignable", "your bank cannot be reached"),
    "FOCR": _reason("le prélèvement a été annulé", "the debit was cancelled"),
    "MD01": _reason("la banque ne trouve pas de mandat autorisé", "the bank finds no authorised mandate", ends=True),
    "MD02": _reason("les données du mandat sont incomplètes", "the data of the mandate are incomplete"),
    "MD06": _reason(
        "vous en avez demandé le remboursement à votre banque", "you asked your bank to pay the money back"
    ),
    "MD07": _reason("la banque a clos le dossier du titulaire", "the bank closed the holder’s file", ends=True),
    "MS02": _reason("vous avez refusé ce prélèvement", "you refused this debit"),
    "MS03": _reason("la banque n’a pas donné de motif", "the bank gave no reason"),
    "RC01": _reason("le code de la banque n’est pas reconnu", "the bank’s code is not known"),
    "RR01": _reason("il manque une donnée du titulaire du compte", "the bank lacks data of the account holder"),
    "RR02": _reason("il manque le nom ou l’adresse du titulaire", "the bank lacks the holder’s name or address"),
    "RR03": _reason("il manque le nom ou l’adresse du créancier", "the bank lacks the creditor’s name or address"),
    "RR04": _reason("la banque a invoqué une raison réglementaire", "the bank named a regulatory reason"),
    "SL01": _reason(
        "vous avez limité les prélèvements auprès de votre banque", "you limited debits at your bank", ends=True
    ),
}
"""By code; each sentence goes on after “car” or “because”."""

RETURNED = Sentence(
    "Le prélèvement de {amount} pour la facture {number} a été rejeté, car {why}. La facture reste à payer, sans "
    "frais.",
    "The direct debit of {amount} for the invoice {number} was returned because {why}. The invoice is still to be "
    "paid, at no extra charge.",
)


async def record(context: Context, end_to_end_id: str, reason: str, returned_on: date) -> tuple[UUID, UUID]:
    """Record that the bank sent a debit back on a day; give its key. The same once more changes nothing.

    Raises Refusal: NOT_FOUND, DEBIT_NOT_SENT, DEBIT_ALREADY_RETURNED, RETURN_DATE_NOT_VALID.
    """
    async with context.transaction() as tx:
        found = await stored.named(tx, end_to_end_id)
        if found is None:
            raise context.refusal("NOT_FOUND", ["endToEndId"])
        await ledger.hold(tx, found[0])
        debit = await stored.hold(tx, *found)
        assert debit is not None, "debits are never deleted"
        if _to_be_returned(context, debit, reason, returned_on):
            await _give_back(tx, context, debit, reason, returned_on)
    return found


def _to_be_returned(context: Context, debit: Debit, reason: str, returned_on: date) -> bool:
    """Tell whether a return is news; raises Refusal for one that cannot be."""
    if debit.state == "RETURNED":
        if debit.return_reason != reason:
            raise context.refusal("DEBIT_ALREADY_RETURNED", ["endToEndId"])
        return False
    if debit.state not in ("SENT", "BOOKED"):
        raise context.refusal("DEBIT_NOT_SENT", ["endToEndId"])
    # A bank may reject before the day of the debit, but not before the family was told of it.
    if not debit.announced_at.astimezone(PARIS).date() <= returned_on <= today(context.process):
        raise context.refusal("RETURN_DATE_NOT_VALID", ["returnedOn"])
    return True


async def _give_back(tx: Any, context: Context, debit: Debit, reason: str, returned_on: date) -> None:
    now, agent_id = context.process.clock(), context.viewer.agent_id
    if debit.payment_id is not None:
        by = By(context.viewer.kind.value, agent_id)
        await money.unbook(tx, debit.family_id, debit.payment_id, f"Prélèvement rejeté ({reason})", now, by, told=False)
    returns = await stored.give_back(tx, debit, reason, returned_on, now, agent_id)
    await tell(tx, _told(context, debit, reason, returned_on))
    await tasks.ask_for(tx, context, "DEBIT_RETURNED", debit.family_id, debit.id)
    await context.record(tx, "debit_returned", family=debit.family_id, subject=debit.id, reason=reason)
    if REASONS[reason].ends_mandate or returns >= context.process.settings.debit.returns:
        mandate = await mandates.hold(tx, debit.family_id, debit.mandate_id)
        if mandate is not None and mandate.ended_at is None:
            await end(tx, context.process, debit.family_id, mandate, "RETURNED")
            await context.record(tx, "mandate_ended", family=debit.family_id, subject=mandate.id, reason=reason)


def _told(context: Context, debit: Debit, reason: str, returned_on: date) -> Told:
    why = REASONS[reason].sentence
    data: dict[str, Any] = {
        "invoice": debit.number,
        "reason": reason,
        "returned_on": returned_on.isoformat(),
    }
    for language in ("fr", "en"):
        amount = formatted(debit.cents, language)
        words = {"number": debit.number, "amount": amount, "why": why.to(language)}
        data |= {f"amount_{language}": amount, f"why_{language}": why.to(language)}
        data[f"summary_{language}"] = RETURNED.to(language).format(**words)
    now = context.process.clock()
    return Told(debit.family_id, "DIRECT_DEBIT", "debit_returned", debit.id, data, now, priority=0)
