"""`import consumptions`: what the canteen's, after-school's and leisure centres' systems say was used on which day.

One line is one member, one day, one tariff. A batch with a fault is left out whole; what is loaded is known again by
family, day, member and tariff, so that a second run of the mended file adds what is missing and doubles nothing. What
an agent corrected by hand stays as he left it.
"""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from asyncpg import Connection

import db.consumptions
from db.clock import PARIS, Clock
from db.consumptions import ConsumptionRow, Loaded
from db.ids import uuid7
from resolvers.imports import Language, Progress, Report, report_path
from resolvers.imports_cells import Cells
from resolvers.imports_csv import CsvFile, Fault, ImportRefused, Line

COLUMNS = ("family_number", "first_name", "last_name", "tariff", "day", "quantity")
OPTIONAL_COLUMNS = ("birth_date",)
LONGEST = {"first_name": 100, "last_name": 100, "tariff": 60}  # characters, as the tables have it
MOST = 1_000
"""Units of one tariff that one member uses on one day."""

EARLIEST = date(2000, 1, 1)
PLACE_OF = {
    "FAMILY_UNKNOWN": "family_number",
    "MEMBER_UNKNOWN": "first_name",
    "MEMBER_AMBIGUOUS": "birth_date",
    "TARIFF_UNKNOWN": "tariff",
    "CONSUMPTION_TWICE": "",
}
"""Columns of the faults that only the database finds."""


@dataclass(frozen=True, slots=True)
class ConsumptionsImported:
    """What an import of consumptions did."""

    lines: int
    batches_loaded: int
    batches_refused: int
    consumptions: Loaded
    faults: int
    report: Path

    @property
    def complete(self) -> bool:
        """Whether everything in the file is now in the database."""
        return self.faults == 0


@dataclass(slots=True)
class _Batch:
    rows: list[ConsumptionRow] = field(default_factory=list)
    lines: int = 0
    faulty: bool = False


class _Register:
    """Turns lines into batches; what is wrong with a line goes to the report at once."""

    def __init__(self, now: datetime, report: Report, batch_lines: int) -> None:
        self.lines = 0
        self._now = now
        self._today = now.astimezone(PARIS).date()
        self._report = report
        self._batch_lines = batch_lines
        self._days: dict[str, date] = {}

    def batches(self, lines: CsvFile) -> Iterator[_Batch]:
        """Give the batches of a file, one after the other."""
        batch = _Batch()
        for line in lines:
            self.lines += 1
            batch.lines += 1
            faults = list(line.faults)
            row = None if faults else self._row(line, faults)
            if faults or row is None:
                self._report.add(faults)
                batch.faulty = True
            else:
                batch.rows.append(row)
            if batch.lines == self._batch_lines:
                yield batch
                batch = _Batch()
        if batch.lines:
            yield batch

    def _row(self, line: Line, faults: list[Fault]) -> ConsumptionRow | None:
        cells = Cells(line, faults, self._today, LONGEST)
        number, quantity, day = cells.required("family_number"), cells.required("quantity"), self._day(cells)
        if number and not (number.isascii() and number.isdigit() and 6 <= len(number) <= 10):
            cells.fault("family_number", "NOT_A_FAMILY_NUMBER")
        if quantity and not (
            quantity.isascii() and quantity.isdigit() and len(quantity) <= 4 and int(quantity) <= MOST
        ):
            cells.fault("quantity", "NOT_A_QUANTITY")
        first_name, last_name = cells.required("first_name"), cells.required("last_name")
        birth_date, tariff = cells.past_date("birth_date"), cells.required("tariff")
        if faults or day is None:
            return None
        return ConsumptionRow(
            line.number, number, first_name, last_name, birth_date, tariff, day, int(quantity), uuid7(self._now)
        )

    def _day(self, cells: Cells) -> date | None:
        """Read the day; a register names the same few days a million times."""
        text = cells.text["day"]
        known = self._days.get(text)
        if known is not None:
            return known
        day = cells.any_date("day")
        if not text:
            cells.fault("day", "REQUIRED")
        elif day is not None and day > self._today:
            cells.fault("day", "DATE_IN_FUTURE")
        elif day is not None and day < EARLIEST:
            cells.fault("day", "DAY_TOO_OLD")
        elif day is not None:
            self._days[text] = day
        return day


async def import_consumptions(
    connect: Callable[[], Awaitable[Connection]],
    clock: Clock,
    file: Path,
    *,
    batch_lines: int = 10_000,
    progress: Progress | None = None,
    language: Language = "fr",
    report: Path | None = None,
) -> ConsumptionsImported:
    """Load consumptions from a CSV file, in batches that are each loaded whole or not at all.

    `connect` opens a connection in the role `kiosque_api`, which is closed at the end. Faults are written to `report`
    (beside the file when not given) in `language`. May be run again. Raises ImportRefused when nothing of the file can
    be read.
    """
    place = report or report_path(file)
    try:
        with CsvFile(file, COLUMNS, OPTIONAL_COLUMNS) as lines, Report(place, language) as faults:
            connection = await connect()
            try:
                return await _load(connection, lines, faults, clock(), batch_lines, progress)
            finally:
                await connection.close()
    except ImportRefused as refusal:
        if all(fault.line for fault in refusal.faults):
            with Report(place, language) as faults:
                faults.add(refusal.faults)
        raise


async def _load(
    connection: Connection, lines: CsvFile, report: Report, now: datetime, batch_lines: int, progress: Progress | None
) -> ConsumptionsImported:
    await db.consumptions.prepare(connection)
    register = _Register(now, report, batch_lines)
    total, loaded, refused = Loaded(), 0, 0
    for batch in register.batches(lines):
        done, faults = await db.consumptions.load(connection, batch.rows, now, faulty=batch.faulty)
        report.add(Fault(line, PLACE_OF[code], code) for line, code in faults)
        if faults or batch.faulty:
            refused += 1
        else:
            total, loaded = total.plus(done), loaded + 1
        if progress:
            progress(lines.position, lines.size, register.lines)
    return ConsumptionsImported(register.lines, loaded, refused, total, report.faults, report.path)
