"""`import families`: the city's register of families, their members and activation codes.

One line is one member and the lines of a family follow each other. A batch with a fault is left out whole; what is
loaded is merged by family number, so that a second run of the mended file adds what is missing and doubles nothing.
"""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from asyncpg import Connection
from email_validator import EmailNotValidError

import db.imports
from db.clock import PARIS, Clock
from db.ids import uuid7
from db.imports import Counts, FamilyRow, MemberRow
from db.keys import Keys
from resolvers import activation_codes, identifiers
from resolvers.addresses import envelope, normalised_email
from resolvers.imports import ImportResult, Language, Progress, Report, report_path
from resolvers.imports_cells import Cells
from resolvers.imports_csv import CsvFile, Fault, ImportRefused, Line

FAMILY_COLUMNS = ("family_number", "profile", "name", "language", "activation_code", "activation_expires_on")
OPTIONAL_COLUMNS = ("siret", "rna", "registry_number", "contact_email", "postal_address")
"""Of families too; a file need not have them."""
MEMBER_COLUMNS = ("member_role", "first_name", "last_name", "birth_date", "school")
COLUMNS = (*FAMILY_COLUMNS, *MEMBER_COLUMNS)
PROFILES = ("INDIVIDUAL", "PROFESSIONAL", "ASSOCIATION")
LANGUAGES = ("fr", "en")
ROLES = ("ADULT", "CHILD")
MOST_MEMBERS = 100
CODE_LASTS = timedelta(days=365)
FARTHEST = timedelta(days=5 * 366)
LONGEST = {"name": 200, "first_name": 100, "last_name": 100, "school": 200}  # characters, as the tables have it


@dataclass(slots=True)
class _Family:
    """A family as its lines are read."""

    number: str
    cells: dict[str, str]
    line: int
    row: FamilyRow | None = None
    members: list[MemberRow] = field(default_factory=list)
    known: set[tuple[str, str, date | None]] = field(default_factory=set)


@dataclass(slots=True)
class _Batch:
    families: list[_Family] = field(default_factory=list)
    numbers: set[str] = field(default_factory=set)
    faulty: bool = False


class _Register:
    """Turns lines into batches of families; what is wrong goes to the report at once."""

    def __init__(self, keys: Keys, now: datetime, report: Report, batch_families: int) -> None:
        self.lines = 0
        self._keys = keys
        self._now = now
        self._today = now.astimezone(PARIS).date()
        self._report = report
        self._batch_families = batch_families
        self._batch = _Batch()

    def batches(self, lines: CsvFile) -> Iterator[_Batch]:
        """Give the batches of a file, one after the other."""
        for line in lines:
            self.lines += 1
            number = line.cells.get("family_number", "")
            if self._is_new(number) and len(self._batch.families) >= self._batch_families:
                yield self._batch
                self._batch = _Batch()
            self._take(line, number)
        if self._batch.families or self._batch.faulty:
            yield self._batch

    def _is_new(self, number: str) -> bool:
        """A line whose number cannot be read belongs to the family above it."""
        families = self._batch.families
        return bool(number) and (not families or families[-1].number != number)

    def _take(self, line: Line, number: str) -> None:
        faults = list(line.faults)
        if self._is_new(number):
            self._begin(line, number, faults)
        elif not number and not faults:
            faults.append(Fault(line.number, "family_number", "REQUIRED"))
        elif self._batch.families and self._batch.families[-1].row and not faults:
            self._compare(line, faults)
        if not faults:
            self._add_member(line, faults)
        self._report.add(faults)
        self._batch.faulty = self._batch.faulty or bool(faults)

    def _begin(self, line: Line, number: str, faults: list[Fault]) -> None:
        family = _Family(number, line.cells, line.number)
        if number in self._batch.numbers:
            faults.append(Fault(line.number, "family_number", "FAMILY_NOT_ADJACENT"))
        self._batch.numbers.add(number)
        self._batch.families.append(family)
        if not line.faults:
            family.row = self._family_row(line, faults)

    def _family_row(self, line: Line, faults: list[Fault]) -> FamilyRow:
        cells = Cells(line, faults, self._today, LONGEST)
        number = cells.text["family_number"]
        if not (number.isascii() and number.isdigit() and 6 <= len(number) <= 10):
            cells.fault("family_number", "NOT_A_FAMILY_NUMBER")
        code_hmac, expires_at = self._code(cells, number)
        siret, rna, registry_number = _identifiers(cells)
        return FamilyRow(
            number=number,
            id=uuid7(self._now),
            profile=cells.choice("profile", PROFILES),
            name=cells.required("name"),
            language=cells.choice("language", LANGUAGES),
            code_id=uuid7(self._now),
            code_hmac=code_hmac,
            code_expires_at=expires_at,
            siret=siret,
            rna=rna,
            registry_number=registry_number,
            contact_email=_contact(cells),
            address_id=uuid7(self._now),
            postal_address=_postal(cells),
            postal_id=uuid7(self._now),
        )

    def _code(self, cells: Cells, number: str) -> tuple[bytes | None, datetime | None]:
        code = cells.text["activation_code"]
        expires_on = cells.any_date("activation_expires_on") or self._today + CODE_LASTS
        if not code:
            return None, None
        if expires_on < self._today:
            cells.fault("activation_expires_on", "CODE_EXPIRED")
            return None, None
        if expires_on > self._today + FARTHEST:
            cells.fault("activation_expires_on", "DATE_TOO_FAR")
            return None, None
        try:
            return activation_codes.digest(self._keys, number, code), _end_of_day(expires_on)
        except ValueError:
            cells.fault("activation_code", "NOT_AN_ACTIVATION_CODE")
            return None, None

    def _compare(self, line: Line, faults: list[Fault]) -> None:
        """A family's later lines may leave its columns empty, but not contradict the first."""
        first = self._batch.families[-1].cells
        for column in (*FAMILY_COLUMNS, *OPTIONAL_COLUMNS):
            if line.cells[column] and line.cells[column] != first.get(column):
                faults.append(Fault(line.number, column, "FAMILY_DIFFERS"))

    def _add_member(self, line: Line, faults: list[Fault]) -> None:
        if not any(line.cells[column] for column in MEMBER_COLUMNS):
            return
        family = self._batch.families[-1]
        cells = Cells(line, faults, self._today, LONGEST)
        member = MemberRow(
            family_number=family.number,
            id=uuid7(self._now),
            role=cells.choice("member_role", ROLES) or cells.required("member_role"),
            first_name=cells.required("first_name"),
            last_name=cells.required("last_name"),
            birth_date=cells.past_date("birth_date"),
            school=cells.limited("school") or None,
        )
        person = (member.first_name, member.last_name, member.birth_date)
        if member.role == "CHILD" and family.row and family.row.profile in ("PROFESSIONAL", "ASSOCIATION"):
            cells.fault("member_role", "CHILD_NOT_ALLOWED")
        if person in family.known:
            cells.fault("first_name", "MEMBER_TWICE")
        elif len(family.known) >= MOST_MEMBERS:
            cells.fault("family_number", "TOO_MANY_MEMBERS")
        else:
            family.known.add(person)
            family.members.append(member)


IDENTIFIERS: dict[str, identifiers.Check] = {
    "siret": identifiers.siret_of,
    "rna": identifiers.rna_of,
    "registry_number": identifiers.registry_number_of,
}


def _identifiers(cells: Cells) -> tuple[str | None, str | None, str | None]:
    """Give the identifiers of a line; they say what the family is, so that its profile must stand beside them."""
    found: dict[str, str | None] = dict.fromkeys(IDENTIFIERS)
    for column, check in IDENTIFIERS.items():
        if not cells.text[column]:
            continue
        try:
            found[column] = check(cells.text[column])
        except identifiers.NotValid as error:
            cells.fault(column, str(error))
    if any(found.values()):
        profile = cells.required("profile").upper()
        wrong = identifiers.fault_of(profile, found["siret"], found["rna"], found["registry_number"])
        if profile and wrong == "IDENTIFIER_NOT_FOR_PROFILE":
            cells.fault(next(column for column, text in found.items() if text), wrong)
    return found["siret"], found["rna"], found["registry_number"]


def _contact(cells: Cells) -> str | None:
    """Give the address on file, in the form in which addresses are stored."""
    if not cells.text["contact_email"]:
        return None
    try:
        return normalised_email(cells.text["contact_email"])
    except EmailNotValidError:
        cells.fault("contact_email", "EMAIL_NOT_VALID")
        return None


def _postal(cells: Cells) -> str | None:
    """Give where letters go; `|` stands between two lines of it."""
    if not cells.text["postal_address"]:
        return None
    try:
        return envelope(cells.text["postal_address"].replace("|", "\n"))
    except ValueError:
        cells.fault("postal_address", "POSTAL_ADDRESS_NOT_VALID")
        return None


def _end_of_day(day: date) -> datetime:
    """Give the moment (UTC) when a day ends in Paris."""
    return datetime.combine(day + timedelta(days=1), time(), PARIS).astimezone(UTC)


async def import_families(
    connect: Callable[[], Awaitable[Connection]],
    keys: Keys,
    clock: Clock,
    file: Path,
    *,
    batch_families: int = 1_000,
    progress: Progress | None = None,
    language: Language = "fr",
    report: Path | None = None,
) -> ImportResult:
    """Load a register of families from a CSV file, in batches that are each loaded whole or not at all.

    `connect` opens a connection in the role `kiosque_api`, which is closed at the end. Faults are written to `report`
    (beside the file when not given) in `language`. May be run again: families are known by their number, members by
    family, names and birth date. Raises ImportRefused when nothing of the file can be read.
    """
    place = report or report_path(file)
    try:
        with CsvFile(file, COLUMNS, OPTIONAL_COLUMNS) as lines, Report(place, language) as faults:
            connection = await connect()
            try:
                return await _load(connection, lines, faults, keys, clock, batch_families, progress)
            finally:
                await connection.close()
    except ImportRefused as refusal:
        if all(fault.line for fault in refusal.faults):
            with Report(place, language) as faults:
                faults.add(refusal.faults)
        raise


async def _load(
    connection: Connection,
    lines: CsvFile,
    report: Report,
    keys: Keys,
    clock: Clock,
    batch_families: int,
    progress: Progress | None,
) -> ImportResult:
    await db.imports.prepare(connection)
    now = clock()
    register = _Register(keys, now, report, batch_families)
    families, members, codes, loaded, refused = Counts(), Counts(), 0, 0, 0
    for batch in register.batches(lines):
        repeated = await db.imports.see(connection, [*batch.numbers])
        again = [each for each in batch.families if each.number in repeated]
        report.add(Fault(each.line, "family_number", "FAMILY_NOT_ADJACENT") for each in again)
        if batch.faulty or repeated:
            refused += 1
        else:
            rows = [each.row for each in batch.families if each.row]
            people = (member for each in batch.families for member in each.members)
            done = await db.imports.load_families(connection, rows, people, now)
            families, members = families.plus(done.families), members.plus(done.members)
            codes, loaded = codes + done.codes_issued, loaded + 1
        if progress:
            progress(lines.position, lines.size, register.lines)
    return ImportResult(register.lines, loaded, refused, families, members, codes, report.faults, report.path)
