"""What every import of a CSV register shares: progress, result, and the report of faults beside the file.

The report names line, column and code; it never repeats what the file says, which is personal data.
"""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Protocol

from db.imports import Counts
from resolvers.imports_csv import Fault, ImportRefused

Language = Literal["fr", "en"]

MESSAGES: dict[str, tuple[str, str]] = {
    "FILE_UNREADABLE": ("Le fichier est introuvable ou illisible.", "The file cannot be found or read."),
    "REPORT_UNWRITABLE": ("Le rapport ne peut pas être écrit.", "The report cannot be written."),
    "FILE_EMPTY": ("Le fichier est vide.", "The file is empty."),
    "DELIMITER_UNKNOWN": (
        "Les colonnes ne sont séparées ni par « ; » ni par « , ».",
        "The columns are separated neither by ';' nor by ','.",
    ),
    "COLUMN_MISSING": ("Cette colonne manque dans l'en-tête.", "This column is missing from the header."),
    "COLUMN_UNKNOWN": ("Cette colonne est inconnue.", "This column is unknown."),
    "COLUMN_REPEATED": ("Cette colonne figure deux fois.", "This column appears twice."),
    "NOT_UTF8": (
        "Le texte n'est pas en UTF-8 : enregistrez le fichier au format « CSV UTF-8 ».",
        "The text is not UTF-8: save the file as 'CSV UTF-8'.",
    ),
    "LONE_SURROGATE": ("Moitié de caractère (surrogate) interdite en UTF-8.", "Lone surrogate, forbidden in UTF-8."),
    "NUL_CHARACTER": ("Caractère nul interdit.", "NUL character."),
    "CONTROL_CHARACTER": ("Caractère non imprimable.", "Character that cannot be printed."),
    "LINE_TOO_LONG": ("La ligne dépasse 64 Kio.", "The line is longer than 64 KiB."),
    "FIELD_TOO_LONG": ("Plus de 1 000 caractères.", "More than 1,000 characters."),
    "QUOTE_NOT_CLOSED": ("Guillemet ouvert mais jamais fermé sur la ligne.", "A quote is not closed on its line."),
    "BAD_QUOTES": ("Guillemet mal placé.", "Misplaced quote."),
    "NUMBER_OF_COLUMNS": (
        "La ligne n'a pas autant de colonnes que l'en-tête.",
        "The line does not have as many columns as the header.",
    ),
    "REQUIRED": ("Valeur obligatoire.", "A value is required."),
    "TOO_LONG": ("Valeur trop longue.", "The value is too long."),
    "NOT_A_FAMILY_NUMBER": ("Un numéro de famille a 6 à 10 chiffres.", "A family number has 6 to 10 digits."),
    "UNKNOWN_VALUE": ("Valeur inconnue pour cette colonne.", "Not one of the values of this column."),
    "NOT_A_DATE": ("Date attendue : AAAA-MM-JJ ou JJ/MM/AAAA.", "A date is expected: YYYY-MM-DD or DD/MM/YYYY."),
    "DATE_IN_FUTURE": ("Cette date est dans le futur.", "This date is in the future."),
    "DATE_TOO_OLD": ("Cette date est antérieure à 1900.", "This date is before 1900."),
    "NOT_AN_ACTIVATION_CODE": (
        "Un code d'activation a dix lettres ou chiffres.",
        "An activation code has ten letters or digits.",
    ),
    "CODE_EXPIRED": (
        "Ce code d'activation est déjà expiré : laissez les deux colonnes vides.",
        "This activation code has already expired: leave both columns empty.",
    ),
    "DATE_TOO_FAR": ("Cette date est à plus de cinq ans.", "This date is more than five years away."),
    "FAMILY_DIFFERS": (
        "La valeur diffère de celle de la première ligne de la même famille.",
        "The value differs from the first line of the same family.",
    ),
    "FAMILY_NOT_ADJACENT": (
        "Les lignes de cette famille ne se suivent pas.",
        "The lines of this family are not next to each other.",
    ),
    "SIRET_NOT_VALID": ("Un SIRET a 14 chiffres, avec clé de contrôle.", "A SIRET has 14 digits with a check digit."),
    "RNA_NOT_VALID": ("Un numéro RNA a la forme W et 9 chiffres.", "An RNA number is W and 9 digits."),
    "REGISTRY_NUMBER_NOT_VALID": (
        "Volume/folio (par exemple 94/123) ou SIREN attendu.",
        "Volume/folio (such as 94/123) or a SIREN is expected.",
    ),
    "IDENTIFIER_NOT_FOR_PROFILE": (
        "Cet identifiant ne correspond pas au profil de la ligne.",
        "This identifier does not go with the profile of the line.",
    ),
    "POSTAL_ADDRESS_NOT_VALID": (
        "Adresse postale non valable : 2 à 6 lignes de 38 caractères au plus, séparées par une barre verticale.",
        "The postal address is not valid: 2 to 6 lines of 38 characters at the most, parted by a vertical bar.",
    ),
    "EMAIL_NOT_VALID": ("Adresse électronique non valable.", "The e-mail address is not valid."),
    "CHILD_NOT_ALLOWED": (
        "Un professionnel ou une association n'a pas d'enfant.",
        "A professional or an association has no children.",
    ),
    "MEMBER_TWICE": ("Ce membre figure deux fois dans la famille.", "This member appears twice in the family."),
    "TOO_MANY_MEMBERS": ("Plus de 100 membres dans une famille.", "More than 100 members in one family."),
    "FAMILY_UNKNOWN": ("Aucune famille n'a ce numéro.", "No family has this number."),
    "MEMBER_UNKNOWN": (
        "La famille n'a pas de membre de ces nom, prénom et date de naissance.",
        "The family has no member of these names and birth date.",
    ),
    "MEMBER_AMBIGUOUS": (
        "Plusieurs membres portent ces nom et prénom : indiquez la date de naissance.",
        "Several members have these names: say the birth date.",
    ),
    "TARIFF_UNKNOWN": ("Aucun tarif n'a ce code.", "No tariff has this code."),
    "CONSUMPTION_TWICE": (
        "Ce membre, ce jour et ce tarif figurent déjà plus haut dans le fichier.",
        "This member, day and tariff stand on an earlier line of the file.",
    ),
    "NOT_A_QUANTITY": ("Un nombre entier de 0 à 1 000 est attendu.", "A whole number from 0 to 1,000 is expected."),
    "SERVICE_UNKNOWN": ("Aucun service n'a ce code.", "No service has this code."),
    "TARIFF_DIFFERS": (
        "La valeur diffère de celle d'une ligne précédente du même tarif.",
        "The value differs from an earlier line of the same tariff.",
    ),
    "BRACKETS_HAVE_GAPS": (
        "Les tranches doivent se suivre sans trou, de 0 à la dernière, sans limite haute.",
        "Brackets must follow each other without gap, from 0 to the last one, which has no end.",
    ),
    "ENDS_BEFORE_IT_BEGINS": ("La fin précède le début.", "It ends before it begins."),
    "NOT_A_CODE": (
        "Un code a des minuscules, des chiffres et des tirets.",
        "A code has small letters, digits and dashes.",
    ),
    "NOT_A_QUOTIENT": ("Un nombre entier d'euros est attendu.", "A whole number of euros is expected."),
    "NOT_A_PRICE": ("Un prix en euros est attendu : 2,75 ou 2.75.", "A price in euros is expected: 2.75 or 2,75."),
    "DAY_TOO_OLD": ("Ce jour est antérieur à l'an 2000.", "This day is before the year 2000."),
}


def message_of(code: str, language: Language = "fr") -> str:
    """Say what a fault code means."""
    french, english = MESSAGES[code]
    return french if language == "fr" else english


class Progress(Protocol):
    """Hears how far an import is; called after every batch."""

    def __call__(self, bytes_read: int, bytes_total: int, lines: int) -> None:
        """Take the bytes read of the file, its size, and the lines read without the header."""


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import did."""

    lines: int
    batches_loaded: int
    batches_refused: int
    families: Counts
    members: Counts
    codes_issued: int
    faults: int
    report: Path

    @property
    def complete(self) -> bool:
        """Whether everything in the file is now in the database."""
        return self.faults == 0


class Report:
    """The file of faults, written as they are found so that memory stays constant; replaced by each run.

    Raises ImportRefused when it cannot be written.
    """

    def __init__(self, path: Path, language: Language) -> None:
        self.path = path
        self.faults = 0
        self._language = language
        try:
            # The byte order mark makes spreadsheets read the accents.
            self._stream = path.open("w", encoding="utf-8-sig", newline="")
        except OSError as error:
            raise ImportRefused([Fault(0, "", "REPORT_UNWRITABLE")]) from error
        self._writer = csv.writer(self._stream)
        self._writer.writerow(["line", "column", "code", "message"])

    def __enter__(self) -> "Report":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._stream.close()

    def add(self, faults: Iterable[Fault]) -> None:
        """Write down faults."""
        for fault in faults:
            self.faults += 1
            self._writer.writerow([fault.line, fault.column, fault.code, message_of(fault.code, self._language)])


def report_path(file: Path) -> Path:
    """Give where the report of a register stands: beside it, `families.report.csv` for `families.csv`."""
    return file.with_suffix(".report.csv")
