"""Invoices set in type: what the template says, in the family's language, with a coupon that machines read (R27).

The coupon carries the reference twice for machines: as a QR code, and as a line of digits for optical readers, followed
by the amount with check digits of its own (ISO 7064, MOD 97-10). Both, and the amount, stand in the body too: a screen
reader reads them, and a cashier whose reader fails types them.
"""

from datetime import date
from pathlib import Path
from typing import Any

import segno
from babel.dates import format_date

from db.issuing import Printed, PrintedLine
from db.settings import Settings
from resolvers.sentence import Sentence
from resolvers.tariffs import formatted

TEMPLATE = (Path(__file__).parent / "data" / "invoice.typ").read_bytes()
STANDARDS = ("a-3a", "ua-1")
"""PDF/A-3a (ISO 19005-3), which Chorus Pro and archives take, and PDF/UA-1 (ISO 14289-1)."""

LOCALES = {"fr": "fr_FR", "en": "en_GB"}
WORDS = {
    "page": Sentence("Page", "Page"),
    "lines": Sentence("Ce qui est facturé", "What is billed"),
    "ways": Sentence("Comment payer", "How to pay"),
    "contact": Sentence("Nous joindre", "How to reach us"),
    "legal": Sentence("Mentions légales", "Legal notice"),
    "cut": Sentence("à détacher et à joindre à votre règlement", "tear off and enclose with your payment"),
    "coupon": Sentence("Coupon de règlement", "Payment coupon"),
}
COLUMNS = (
    Sentence("Prestation et prix appliqué", "Service and price applied"),
    Sentence("Quantité", "Quantity"),
    Sentence("Prix unitaire", "Unit price"),
    Sentence("CESU", "CESU"),
    Sentence("Montant", "Amount"),
)
LABELS = {
    "number": Sentence("Facture n°", "Invoice no."),
    "invoice": Sentence("Facture", "Invoice"),
    "family_number": Sentence("Famille n°", "Family no."),
    "family": Sentence("Famille", "Family"),
    "period": Sentence("Période", "Period"),
    "issued": Sentence("Émise le", "Issued on"),
    "due": Sentence("Échéance", "To be paid by"),
    "reference": Sentence("Référence", "Reference"),
    "replaces": Sentence("Remplace", "Replaces"),
    "amount": Sentence("Montant", "Amount"),
}
HEADING = Sentence("Facture", "Invoice")
RUNNING = Sentence("Facture {number} · famille {family} · {city}", "Invoice {number} · family {family} · {city}")
DUE = Sentence("À payer au plus tard le {due}", "To be paid by {due} at the latest")
NOTHING_DUE = Sentence("Rien à payer", "Nothing to pay")
CESU = Sentence("dont {cents} peuvent être payés par CESU", "of which {cents} may be paid by CESU vouchers")
NO_CESU = Sentence("aucune ligne ne peut être payée par CESU", "no line may be paid by CESU vouchers")
YES, NO = Sentence("oui", "yes"), Sentence("non", "no")
TOTAL = Sentence("Total à payer", "Total to pay")
BILLED = Sentence("Total de la facture", "Total of the invoice")
SETTLED = Sentence("déjà réglé, par exemple par un avoir", "settled already, by a credit for example")
TOTAL_CESU = Sentence("dont payable par CESU", "of which payable by CESU")
REPLACES = Sentence(
    "Cette facture remplace la facture n° {number}, qui est annulée. Ce que vous aviez déjà payé est pris en compte.",
    "This invoice replaces invoice no. {number}, which is cancelled. What you had paid already is taken into account.",
)
ONE_DAY = Sentence("le {first}", "on {first}")
DAYS = Sentence("du {first} au {last}", "from {first} to {last}")
ACTIVATION_TITLE = Sentence("Ouvrez votre compte famille", "Open your family account")
ACTIVATION = Sentence(
    "Sur {url}, avec le numéro de famille {family} et ce code personnel, vous suivez vos démarches et payez en ligne :",
    "At {url}, with the family number {family} and this personal code, you follow your procedures and pay online:",
)
ACTIVATION_UNTIL = Sentence("valable jusqu'au {day}", "valid until {day}")
WAYS = (
    (
        Sentence("En ligne :", "Online:"),
        Sentence("par carte bancaire, en une fois, sur {url}.", "by card, in one payment, at {url}."),
    ),
    (
        Sentence("Par prélèvement :", "By direct debit:"),
        Sentence(
            "si vous avez signé un mandat, vous n'avez rien à faire ; sinon, signez-le sur {url}.",
            "if you have signed a mandate there is nothing to do; if not, sign one at {url}.",
        ),
    ),
    (
        Sentence("Par courrier :", "By post:"),
        Sentence(
            "chèque à l'ordre du {payee}, CESU (lignes marquées « oui ») ou chèques-vacances (sans rendu de monnaie), "
            "avec le coupon, à : {address}.",
            "cheque made out to {payee}, CESU vouchers (lines marked “yes”) or holiday vouchers (no change given), "
            "with the coupon, to: {address}.",
        ),
    ),
    (
        Sentence("À l'accueil de la mairie :", "At the town hall:"),
        Sentence(
            "carte, espèces, chèque, CESU ou chèques-vacances, en présentant cette facture.",
            "card, cash, cheque, CESU or holiday vouchers, with this invoice.",
        ),
    ),
)
LEGAL = (
    Sentence(
        "Vous pouvez contester cette somme devant le juge compétent dans les deux mois qui suivent la réception de la "
        "facture (article L1617-5 du code général des collectivités territoriales). À défaut de paiement à la date "
        "indiquée, le comptable public peut engager le recouvrement forcé.",
        "You may contest this sum before the competent court within two months of receiving the invoice (article "
        "L1617-5 of the code général des collectivités territoriales). If it is not paid by the date above, the public "
        "accountant may enforce payment.",
    ),
    Sentence(
        "Les CESU ne sont jamais acceptés pour la cantine, et pour le centre de loisirs avant six ans seulement. "
        "TVA non applicable (article 256 B du code général des impôts).",
        "CESU vouchers are never accepted for the canteen, and for the leisure centre before the age of six only. VAT "
        "does not apply (article 256 B of the code général des impôts).",
    ),
)
CHEQUE = Sentence("Chèque à l'ordre du {payee}, à envoyer à : {address}.", "Cheque made out to {payee}, to: {address}.")
QR = Sentence("Code QR de la référence {reference}", "QR code of the reference {reference}")


def contents(printed: Printed, settings: Settings, code: str | None, code_until: date | None) -> dict[str, Any]:
    """Give what the template sets: texts only. `code` is an activation code for a family that has none used."""
    language, city, billing = printed.language, settings.city, settings.billing
    left = printed.total_cents - printed.settled_cents
    reference, amount = spaced(printed.reference), formatted(left, language)
    facts = {
        "url": settings.server.url,
        "payee": billing.payee,
        "address": billing.address,
        "family": printed.family_number,
        "number": printed.number,
        "city": city.name,
    }
    due = day(printed.due_on, language)
    running = say(RUNNING, language, facts)
    cesu_cents = min(printed.cesu_cents, left)
    cesu = formatted(cesu_cents, language)
    rows: dict[str, str | None] = {
        "number": printed.number,
        "family_number": printed.family_number,
        "period": _month(printed.period, language),
        "issued": day(printed.issued_on, language),
        "due": due if left else None,
        "reference": reference,
        "replaces": printed.replaces,
    }
    coupon: dict[str, str | None] = {
        "reference": reference,
        "invoice": f"{printed.number} · {_month(printed.period, language)}",
        "family": f"{printed.family_number} · {printed.family_name}",
        "amount": amount,
        "due": due,
    }
    issued = printed.issued_on
    return {
        "language": language,
        "title": f"{HEADING.to(language)} {printed.number}",
        "heading": HEADING.to(language),
        "running": running,
        "date": {"year": issued.year, "month": issued.month, "day": issued.day, "hour": 0, "minute": 0, "second": 0},
        "words": {name: word.to(language) for name, word in WORDS.items()}
        | {"columns": [each.to(language) for each in COLUMNS]},
        "city": {"name": city.name, "lines": [billing.sender, billing.address]},
        "facts": _labelled(rows, language),
        "recipient": [printed.family_name, *_address(printed.address)],
        "due": say(DUE, language, {"due": due}) if left else NOTHING_DUE.to(language),
        "cesu": _cesu(cesu_cents, left, language),
        "total": amount,
        "notices": [say(REPLACES, language, {"number": printed.replaces})] if printed.replaces else [],
        "lines": [_line(each, language) for each in printed.lines],
        "totals": [
            *_settled(printed, language),
            [TOTAL.to(language), amount, True],
            *([[TOTAL_CESU.to(language), cesu, False]] if cesu_cents else []),
        ],
        "activation": _activation(code, code_until, language, facts),
        "ways": [[way.to(language), say(how, language, facts)] for way, how in WAYS] if left else [],
        "contact": [billing.sender, f"{city.contact_phone} · {city.contact_email}", _hours(settings, language)],
        "legal": [each.to(language) for each in LEGAL],
        "coupon": {
            "title": WORDS["coupon"].to(language),
            "facts": _labelled(coupon, language),
            "sentence": say(CHEQUE, language, facts),
            "ocr": optical_line(printed.reference, left),
            "qr": _qr(printed.reference, say(QR, language, {"reference": reference})),
        }
        if left
        else None,
    }


def _cesu(cents: int, left: int, language: str) -> str:
    if not left:
        return ""
    return say(CESU, language, {"cents": formatted(cents, language)}) if cents else NO_CESU.to(language)


def _settled(printed: Printed, language: str) -> list[list[Any]]:
    """Give the rows above what is left to pay, where a part is settled."""
    if not printed.settled_cents:
        return []
    billed, settled = formatted(printed.total_cents, language), formatted(-printed.settled_cents, language)
    return [[BILLED.to(language), billed, False], [SETTLED.to(language), settled, False]]


def optical_line(reference: str, cents: int) -> str:
    """Give the line for optical readers: the reference, then the amount in ten digits of cents with check digits."""
    digits = f"{cents:010d}"
    return f"{reference} {digits}{98 - int(digits) * 100 % 97:02d}"


def spaced(reference: str) -> str:
    """Write a reference in groups of four, as people read and type it."""
    return "\u00a0".join(reference[start : start + 4] for start in range(0, len(reference), 4))


def say(sentence: Sentence, language: str, facts: dict[str, Any]) -> str:
    """Fill a sentence in."""
    return sentence.to(language).format(**facts)


def day(given: date, language: str) -> str:
    """Write a day as people do: 1er novembre 2026, 1 November 2026."""
    text: str = format_date(given, "d MMMM y", LOCALES[language])
    return "1er" + text[1:] if language == "fr" and given.day == 1 else text


def _month(given: date, language: str) -> str:
    text: str = format_date(given, "LLLL y", LOCALES[language])
    return text


def _labelled(rows: dict[str, str | None], language: str) -> list[list[str]]:
    return [[LABELS[name].to(language), value] for name, value in rows.items() if value]


def _address(text: str | None) -> list[str]:
    return [line.strip() for line in (text or "").replace("\n", ",").split(",") if line.strip()]


def _hours(settings: Settings, language: str) -> str:
    return settings.city.contact_hours_en if language == "en" else settings.city.contact_hours


def _line(line: PrintedLine, language: str) -> dict[str, Any]:
    label = line.label_en if language == "en" else line.label_fr
    return {
        "label": f"{line.member} – {label}" if line.member else label,
        "days": _days(line, language),
        "explanation": str(line.explanation.get(language, "")),
        "quantity": str(line.quantity),
        "unit": formatted(line.unit_cents, language),
        "cesu": (YES if line.cesu_eligible else NO).to(language),
        "amount": formatted(line.cents, language),
    }


def _days(line: PrintedLine, language: str) -> str:
    first, last = line.first_day, line.last_day
    if first is None or last is None:
        return ""
    if first == last:
        return say(ONE_DAY, language, {"first": day(first, language)})
    begins = day(first, language)
    if (first.year, first.month) == (last.year, last.month):
        begins = begins.split(" ", maxsplit=1)[0]
    return say(DAYS, language, {"first": begins, "last": day(last, language)})


def _activation(code: str | None, until: date | None, language: str, facts: dict[str, Any]) -> dict[str, str] | None:
    if code is None or until is None:
        return None
    return {
        "title": ACTIVATION_TITLE.to(language),
        "sentence": say(ACTIVATION, language, facts),
        "code": code,
        "until": say(ACTIVATION_UNTIL, language, {"day": day(until, language)}),
    }


def _qr(reference: str, alt: str) -> dict[str, Any]:
    """Give the modules of a QR code (ISO 18004) as grey values, row by row, with the quiet zone around them."""
    rows = list(segno.make(reference, error="q", micro=False).matrix_iter(border=4))
    return {"size": len(rows), "pixels": [0 if module else 255 for row in rows for module in row], "alt": alt}
