"""Receipts (quittances): what was received, by which means, what it settled; as a PDF to be kept and read aloud."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from babel.dates import format_date, format_datetime

from db import payment_receipts as stored
from db.clock import PARIS
from db.money_news import MEANS
from db.payment_receipts import Receipt
from resolvers.context import Context, Process
from resolvers.sentence import Sentence
from resolvers.tariffs import formatted

DOWNLOAD_RECEIPT = "download-receipt"
"""Purpose of the signed links."""

TEMPLATE = (Path(__file__).parent / "data" / "receipt.typ").read_bytes()
LOCALES = {"fr": "fr_FR", "en": "en_GB"}
TITLE = Sentence("Reçu de paiement", "Payment receipt")
WORDS = {
    "page": Sentence("Page", "Page"),
    "label": Sentence("Intitulé", "Label"),
    "value": Sentence("Contenu", "Content"),
    "receipt": Sentence("Le reçu", "The receipt"),
    "received": Sentence("Sommes reçues", "Amounts received"),
    "means": Sentence("Moyen de paiement", "Means of payment"),
    "amount": Sentence("Montant", "Amount"),
    "settled": Sentence("Factures réglées", "Invoices settled"),
    "invoice": Sentence("Facture", "Invoice"),
}
NUMBER = Sentence("Numéro", "Number")
RECEIVED = Sentence("Reçu le", "Received on")
FAMILY = Sentence("Famille", "Family")
FAMILY_NUMBER = Sentence("Numéro de famille", "Family number")
WAY = Sentence("Voie", "Way")
TOTAL = Sentence("Total reçu", "Total received")
FOR_MONTH = Sentence("{number} ({month})", "{number} ({month})")
WAYS = {
    "COUNTER": Sentence("au guichet", "at the counter"),
    "POST": Sentence("par courrier", "by post"),
    "CARD": Sentence("en ligne", "online"),
    "DEBIT": Sentence("par prélèvement", "by direct debit"),
    "CITY": Sentence("accordé par la ville", "granted by the city"),
}
TAKEN_BACK = Sentence("{means} (annulé, ne compte pas)", "{means} (undone, does not count)")
UNDONE = Sentence("{means} : annulé le {at}. Motif : {reason}", "{means}: undone on {at}. Reason: {reason}")
CREDIT = Sentence(
    "Au-delà de ce qui était dû, {cents} ont été portés à votre crédit. Ils règlent vos prochaines factures ; la régie "
    "peut aussi vous les rembourser.",
    "Beyond what was owed, {cents} were kept as your credit. They settle your next invoices; the cashier can also pay "
    "them back.",
)
FORFEITED = Sentence(
    "Les chèques-vacances ne donnent pas lieu à rendu de monnaie : {cents} de leur valeur n’ont pas été utilisés.",
    "Holiday vouchers give no change: {cents} of their worth were not used.",
)
HELD = Sentence(
    "Les paiements par chèque et par prélèvement sont reçus sous réserve d’encaissement.",
    "Payments by cheque and direct debit are received subject to their being honoured.",
)
CONTACT = Sentence("{city} – régie : {phone}, {email}", "{city} – cashier’s office: {phone}, {email}")


async def link_of(context: Context, payment: tuple[UUID, UUID]) -> tuple[str, datetime]:
    """Give the address of a payment's receipt for whoever has it, and when it ends. Raises Refusal NOT_FOUND."""
    async with context.look() as tx:
        visit_id = await stored.visit_of(tx, *payment)
    if visit_id is None:
        raise context.refusal("NOT_FOUND", ["payment"])
    process = context.process
    until = process.clock() + timedelta(seconds=process.settings.money.receipt_link_seconds)
    claims = {"family": str(payment[0]), "visit": str(visit_id)}
    token = process.keys.link_token(DOWNLOAD_RECEIPT, claims, until)
    return f"{process.settings.server.url}/receipts/{visit_id}.pdf?token={token}", until


async def pdf(process: Process, receipt: Receipt, language: str) -> bytes:
    """Give a receipt as a PDF; raises TypesetterBusy."""
    settings = process.settings
    data = contents(receipt, language, settings.city.name, settings.city.contact_phone, settings.city.contact_email)
    return await process.typesetter.pdf(TEMPLATE, data, receipt.received_at.astimezone(UTC), settings.money.pdf_timeout)


def contents(receipt: Receipt, language: str, city: str, phone: str, email: str) -> dict[str, Any]:
    """Give what the template sets: texts only."""
    utc = receipt.received_at.astimezone(UTC)
    total = sum(part.cents for part in receipt.parts if part.undone_at is None)
    return {
        "language": language,
        "city": city,
        "title": TITLE.to(language),
        "subtitle": receipt.number,
        "number": receipt.number,
        "date": {name: getattr(utc, name) for name in ("year", "month", "day", "hour", "minute", "second")},
        "words": {name: sentence.to(language) for name, sentence in WORDS.items()},
        "undone": [_undone(part, language) for part in receipt.parts if part.undone_at],
        "facts": [
            [NUMBER.to(language), receipt.number],
            [RECEIVED.to(language), _moment(receipt.received_at, language)],
            [WAY.to(language), WAYS[receipt.source].to(language)],
            [FAMILY.to(language), receipt.family_name],
            [FAMILY_NUMBER.to(language), receipt.family_number],
        ],
        "payments": [[_tendered(part, language), formatted(part.cents, language)] for part in receipt.parts],
        "total": [TOTAL.to(language), formatted(total, language)],
        "settled": [
            [
                FOR_MONTH.to(language).format(number=each.number, month=_month(each.period, language)),
                formatted(each.cents, language),
            ]
            for each in receipt.settled
        ],
        "sentences": _sentences(receipt, total, language),
        "notes": [HELD.to(language), CONTACT.to(language).format(city=city, phone=phone, email=email)],
    }


def _sentences(receipt: Receipt, total: int, language: str) -> list[str]:
    credit = total - sum(each.cents for each in receipt.settled)
    forfeited = sum(part.forfeited_cents for part in receipt.parts if part.undone_at is None)
    said = []
    if credit > 0:
        said.append(CREDIT.to(language).format(cents=formatted(credit, language)))
    if forfeited:
        said.append(FORFEITED.to(language).format(cents=formatted(forfeited, language)))
    return said


def _tendered(part: stored.Part, language: str) -> str:
    name = _means(part.means, language)
    return name if part.undone_at is None else TAKEN_BACK.to(language).format(means=name)


def _undone(part: stored.Part, language: str) -> str:
    assert part.undone_at is not None, "only of those undone"
    return UNDONE.to(language).format(
        means=_means(part.means, language), at=_moment(part.undone_at, language), reason=part.undone_reason
    )


def _means(means: str, language: str) -> str:
    fr, en = MEANS[means]
    name = en if language == "en" else fr
    return name[0].upper() + name[1:]


def _month(day: Any, language: str) -> str:
    return format_date(day, "MMMM y", LOCALES[language])


def _moment(moment: datetime, language: str) -> str:
    pattern = {"fr": "d MMMM y 'à' HH'\u00a0h\u00a0'mm", "en": "d MMMM y 'at' HH:mm"}[language]
    return format_datetime(moment.astimezone(PARIS), pattern, locale=LOCALES[language])
