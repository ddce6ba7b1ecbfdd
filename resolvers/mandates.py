"""Mandates: a family lets the city debit its account, and takes that back (R26; SEPA rulebook EPC016-06, chapter 4)."""

import hashlib
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta

from db import accounts, audit, debits, families
from db import mandates as stored
from db.audit import Act
from db.jobs import Job
from db.mandates import Holder, Mandate, Signed
from db.outbox import Told, tell
from db.settings import Settings
from resolvers import sepa
from resolvers.context import Context, Process
from resolvers.job_runner import Progress, Result
from resolvers.reauthentication import confirm_password
from resolvers.sentence import Sentence
from resolvers.sepa import BankAccount, Creditor
from resolvers.viewer import SYSTEM_SIGHT, Kind

LAPSE_MANDATES = "lapse_mandates"
PARIS = ZoneInfo("Europe/Paris")
BATCH = 200
LONGEST_NAME = 70
LONGEST_LINE = 70

TEXT = Sentence(
    "En signant ce mandat, vous autorisez {creditor} (identifiant créancier {identifier}) à envoyer des instructions à "
    "votre banque pour débiter votre compte, et votre banque à débiter votre compte conformément à ces instructions. "
    "Vous avez le droit d’être remboursé par votre banque selon les conditions de la convention passée avec elle ; la "
    "demande doit être présentée dans les 8 semaines suivant la date de débit de votre compte.",
    "By signing this mandate, you authorise {creditor} (creditor identifier {identifier}) to send instructions to your "
    "bank to debit your account, and your bank to debit your account in accordance with these instructions. You are "
    "entitled to a refund from your bank under the terms of your agreement with it; a refund must be claimed within "
    "8 weeks of the date on which your account was debited.",
)
"""The words of the SEPA core mandate (EPC392-08)."""

CHANGES = {
    "SIGNED": Sentence(
        "Un mandat de prélèvement a été signé pour le compte {account}.",
        "A direct debit mandate was signed for the account {account}.",
    ),
    "REVOKED": Sentence(
        "Le mandat de prélèvement du compte {account} est révoqué.",
        "The direct debit mandate of the account {account} was revoked.",
    ),
    "REPLACED": Sentence(
        "Le compte {account} ne sera plus débité : un nouveau mandat l’a remplacé.",
        "The account {account} will be debited no more: a new mandate replaced it.",
    ),
    "LAPSED": Sentence(
        "Le mandat de prélèvement du compte {account} n’est plus valable : il n’a pas servi depuis 36 mois.",
        "The direct debit mandate of the account {account} is no longer valid: it was not used for 36 months.",
    ),
    "RETURNED": Sentence(
        "Le compte {account} ne sera plus débité, car votre banque a rejeté des prélèvements.",
        "The account {account} will be debited no more, because your bank returned debits.",
    ),
}
"""What a family is told of a mandate, by kind of change."""


@dataclass(frozen=True, slots=True)
class Given:
    """What somebody who signs says of the account."""

    iban: str
    bic: str | None
    name: str
    street: str | None
    postcode: str | None
    town: str | None


async def sign(context: Context, given: Given, password: str, *, agrees: bool) -> tuple[UUID, UUID]:
    """Sign a mandate for the viewer's family; give its key. The one in force for another account is replaced, one for
    the same account stays.

    Raises Refusal: DEBIT_NOT_OFFERED, MANDATE_NOT_AGREED, IBAN_NOT_VALID, IBAN_NOT_SEPA, BIC_NOT_VALID,
    HOLDER_NOT_VALID, HOLDER_ADDRESS_MISSING, PASSWORD_WRONG, THROTTLED, BUSY.
    """
    creditor = sepa.creditor_of(context.process.settings)
    if creditor is None:
        raise context.refusal("DEBIT_NOT_OFFERED")
    if not agrees:
        raise context.refusal("MANDATE_NOT_AGREED", ["agrees"])
    account = _account(context, given)
    holder = _holder(context, given, account)
    await confirm_password(context, password)
    process, family_id = context.process, context.viewer.family
    async with context.transaction() as tx:
        [family] = await families.hold(tx, family_id)
        before = await stored.in_force(tx, family_id)
        if before and before.account_hmac == stored.digest(process.keys, family_id, account.iban):
            return family_id, before.id
        if before:
            await end(tx, process, family_id, before, "REPLACED")
        signed = _signed(context, holder, creditor)
        prefix = process.settings.city.reference_prefix
        mandate_id, rum = await stored.insert(tx, process.keys, family.id, prefix, signed)
        masked = stored.masked(account.country, account.iban[-4:])
        await _tell(tx, process, family_id, mandate_id, rum, masked, "SIGNED")
        await context.record(tx, "mandate_signed", family=family_id, subject=mandate_id)
    return family_id, mandate_id


def _account(context: Context, given: Given) -> BankAccount:
    try:
        return sepa.account_of(given.iban, given.bic)
    except sepa.NotValid as error:
        code = str(error)
        raise context.refusal(code, ["bic" if code == "BIC_NOT_VALID" else "iban"]) from error


def _holder(context: Context, given: Given, account: BankAccount) -> Holder:
    name = " ".join(given.name.split())
    lines = [" ".join((line or "").split()) or None for line in (given.street, given.postcode, given.town)]
    if not 1 <= len(name) <= LONGEST_NAME:
        raise context.refusal("HOLDER_NOT_VALID", ["holder"])
    if any(len(line or "") > LONGEST_LINE for line in lines):
        raise context.refusal("HOLDER_NOT_VALID", ["address"])
    if account.needs_address and None in lines:
        raise context.refusal("HOLDER_ADDRESS_MISSING", ["address"])
    return Holder(account.iban, account.bic, name, *lines)


def _signed(context: Context, holder: Holder, creditor: Creditor) -> Signed:
    now, words = context.process.clock(), text(creditor, context.viewer.language)
    hashed = hashlib.sha256(words.encode()).digest()
    return Signed(holder, creditor.identifier, context.viewer.account, hashed, now, today(context.process))


def text(creditor: Creditor, language: str) -> str:
    """Give the words that are agreed to."""
    return TEXT.to(language).format(creditor=creditor.name, identifier=creditor.identifier)


def form(settings: Settings) -> dict[str, str]:
    """Give what a form for signing shows, as constants of the reader."""
    creditor = sepa.creditor_of(settings)
    return {
        "debit_offered": str(creditor is not None).lower(),
        "debit_creditor": creditor.name if creditor else "",
        "debit_identifier": creditor.identifier if creditor else "",
        "debit_text_fr": text(creditor, "fr") if creditor else "",
        "debit_text_en": text(creditor, "en") if creditor else "",
        "debit_notice_days": str(settings.debit.notice_days),
    }


def today(process: Process) -> date:
    """Give the day that it is in Paris."""
    return process.clock().astimezone(PARIS).date()


async def revoke(context: Context, family_id: UUID, mandate_id: UUID) -> tuple[UUID, UUID]:
    """Take a mandate back; debits that were announced and not sent to the bank are dropped. Once more changes nothing.

    Raises Refusal NOT_FOUND.
    """
    if context.viewer.kind is Kind.FAMILY and family_id != context.viewer.family:
        raise context.refusal("NOT_FOUND", ["mandate"])
    async with context.transaction() as tx:
        await families.hold(tx, family_id)
        found = await stored.hold(tx, family_id, mandate_id)
        if found is None:
            raise context.refusal("NOT_FOUND", ["mandate"])
        if found.ended_at is None:
            await end(tx, context.process, family_id, found, "REVOKED")
            await context.record(tx, "mandate_revoked", family=family_id, subject=mandate_id)
    return family_id, mandate_id


async def end(tx: Any, process: Process, family_id: UUID, mandate: Mandate, reason: str) -> None:
    """End a mandate, drop what was announced of it, and tell every address of the family."""
    now = process.clock()
    if await stored.end(tx, family_id, mandate.id, now, reason):
        await debits.drop_of_mandate(tx, family_id, mandate.id, now)
        await _tell(tx, process, family_id, mandate.id, mandate.rum, mandate.masked, reason)


async def _tell(
    tx: Any, process: Process, family_id: UUID, mandate_id: UUID, rum: str, masked: str, change: str
) -> None:
    """Tell a change at every address, whatever channels the family chose: who is debited is a matter of security."""
    sentence, now = CHANGES[change], process.clock()
    data = {
        "change": change,
        "rum": rum,
        "account": masked,
        "creditor": creditor.name if (creditor := sepa.creditor_of(process.settings)) else "",
        "ics": creditor.identifier if creditor else "",
        "summary_fr": sentence.fr.format(account=masked),
        "summary_en": sentence.en.format(account=masked),
    }
    to = [("EMAIL", email) for email in await accounts.verified_emails(tx, family_id)]
    await tell(tx, Told(family_id, "DIRECT_DEBIT", "mandate_changed", mandate_id, data, now, priority=0, to=to))


async def lapse(process: Process, job: Job, progress: Progress) -> Result:
    """End mandates that nobody used for 36 months (rulebook 4.1: the creditor must not use them any more)."""
    limit = today(process) - relativedelta(months=process.settings.debit.lapse_months)
    ended = 0
    while True:
        async with process.database.transaction(SYSTEM_SIGHT) as tx:
            found = await stored.unused_since(tx, limit, BATCH)
        for family_id, mandate_id in found:
            ended += await _lapse(process, family_id, mandate_id, limit)
        if len(found) < BATCH:
            return {"mandates": ended}


async def _lapse(process: Process, family_id: UUID, mandate_id: UUID, limit: date) -> int:
    async with process.database.transaction(SYSTEM_SIGHT) as tx:
        await families.hold(tx, family_id)
        mandate = await stored.hold(tx, family_id, mandate_id)
        if mandate is None or mandate.ended_at or (mandate.used_on or mandate.signed_on) > limit:
            return 0
        await end(tx, process, family_id, mandate, "LAPSED")
        act = Act("mandate_lapsed", "SYSTEM", process.clock(), family_id=family_id, subject_id=mandate_id)
        await audit.record(tx, act)
    return 1
