"""`import tariffs`: what services cost, from the file that the council's decision is typed into.

One line is one price: a tariff, a bracket of quotients, a period. A file of tariffs is short and stands or falls as a
whole. It says everything from the first day that it names for a tariff on; what held before ends the day before, so
that a second run changes nothing.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from asyncpg import Connection

from db import audit
from db import tariffs as stored
from db.clock import PARIS, Clock
from db.ids import uuid7
from db.tariffs import Price, Tariff
from resolvers import tariffs
from resolvers.imports import Language, Progress, Report, report_path
from resolvers.imports_cells import Cells
from resolvers.imports_csv import CsvFile, Fault, ImportRefused, Line

COLUMNS = ("tariff", "service", "label_fr", "label_en", "quotient_from", "price", "valid_from")
OPTIONAL_COLUMNS = ("unit_fr", "unit_en", "cesu", "quotient_until", "valid_until")
LONGEST = {"tariff": 60, "service": 40, "label_fr": 200, "label_en": 200, "unit_fr": 60, "unit_en": 60}
OF_TARIFF = ("service", "label_fr", "label_en", "unit_fr", "unit_en", "cesu")
CESU = ("NEVER", "UNDER_6", "ALWAYS")
AS_SYSTEM = "select set_config('kiosque.system', 'on', true), pg_advisory_xact_lock(hashtext('kiosque import tariffs'))"


@dataclass(frozen=True, slots=True)
class TariffsImported:
    """What an import of tariffs did: all that the file says, or nothing."""

    lines: int
    tariffs: int
    prices: int
    faults: int
    report: Path


@dataclass(slots=True)
class _Period:
    """The prices of a tariff that hold from one day on."""

    line: int
    until: date | None
    prices: list[tuple[int, Price]] = field(default_factory=list)


@dataclass(slots=True)
class _Tariff:
    line: int
    cells: dict[str, str]
    tariff: Tariff
    periods: dict[date, _Period] = field(default_factory=dict)


class _Register:
    """What a file says, as far as it could be read; what is wrong goes to the report at once."""

    def __init__(self, today: date, report: Report) -> None:
        self.lines = 0
        self.tariffs: dict[str, _Tariff] = {}
        self._today = today
        self._report = report

    def take(self, line: Line) -> None:
        """Read one line."""
        self.lines += 1
        faults = list(line.faults)
        if not faults:
            self._price(line, Cells(line, faults, self._today, LONGEST))
        self._report.add(faults)

    def _price(self, line: Line, cells: Cells) -> None:
        tariff = self._tariff(line, cells)
        price = Price(_whole(cells, "quotient_from") or 0, _whole(cells, "quotient_until"), _cents(cells))
        since, until = cells.any_date("valid_from"), cells.any_date("valid_until")
        cells.required("quotient_from")
        cells.required("valid_from")
        if since is None:
            return
        if since < tariffs.EARLIEST:
            cells.fault("valid_from", "DAY_TOO_OLD")
        if until is not None and until < since:
            cells.fault("valid_until", "ENDS_BEFORE_IT_BEGINS")
        period = tariff.periods.setdefault(since, _Period(line.number, until))
        if period.until != until:
            cells.fault("valid_until", "TARIFF_DIFFERS")
        period.prices.append((line.number, price))

    def _tariff(self, line: Line, cells: Cells) -> _Tariff:
        code = cells.required("tariff")
        known = self.tariffs.get(code)
        if known is not None:
            for column in OF_TARIFF:
                if cells.text[column] and cells.text[column] != known.cells[column]:
                    cells.fault(column, "TARIFF_DIFFERS")
            return known
        if code and not tariffs.CODE.fullmatch(code):
            cells.fault("tariff", "NOT_A_CODE")
        cells.required("service")
        label = cells.required("label_fr"), cells.required("label_en")
        unit = cells.limited("unit_fr"), cells.limited("unit_en")
        made = Tariff(code, label, unit, len(self.tariffs), cells.choice("cesu", CESU))
        self.tariffs[code] = _Tariff(line.number, line.cells, made)
        return self.tariffs[code]

    def look_over(self) -> None:
        """Find what is wrong with tariffs as wholes: brackets with gaps, periods that overlap."""
        for each in self.tariffs.values():
            for period in each.periods.values():
                period.prices.sort(key=lambda found: found[1].quotient_from)
                fault = tariffs.fault_of([price for _, price in period.prices])
                if fault is not None:
                    place = int(fault[0]) if fault else 0
                    column = {"quotientFrom": "quotient_from", "quotientUntil": "quotient_until", "cents": "price"}
                    where = column[fault[1]] if fault else ""
                    self._report.add([Fault(period.prices[place][0], where, "BRACKETS_HAVE_GAPS")])


def _whole(cells: Cells, column: str) -> int | None:
    text = cells.text[column]
    if not text:
        return None
    if text.isascii() and text.isdigit() and int(text) <= tariffs.HIGHEST_QUOTIENT:
        return int(text)
    cells.fault(column, "NOT_A_QUOTIENT")
    return None


def _cents(cells: Cells) -> int:
    """Read a price in euros, written 2.75 or 2,75."""
    text = cells.required("price").replace(",", ".")
    try:
        cents = Decimal(text or "0") * 100
    except InvalidOperation:
        cents = Decimal(-1)
    if cents.is_finite() and cents == cents.to_integral_value() and 0 <= cents <= tariffs.HIGHEST_CENTS:
        return int(cents)
    cells.fault("price", "NOT_A_PRICE")
    return 0


async def import_tariffs(
    connect: Callable[[], Awaitable[Connection]],
    clock: Clock,
    file: Path,
    *,
    progress: Progress | None = None,
    language: Language = "fr",
    report: Path | None = None,
) -> TariffsImported:
    """Load tariffs from a CSV file, all or nothing; prices in euros, quotients in euros a month.

    `connect` opens a connection in the role `kiosque_api`, which is closed at the end. Faults are written to `report`.
    Raises ImportRefused when nothing of the file can be read.
    """
    place = report or report_path(file)
    try:
        with CsvFile(file, COLUMNS, OPTIONAL_COLUMNS) as lines, Report(place, language) as faults:
            now = clock()
            register = _Register(now.astimezone(PARIS).date(), faults)
            for line in lines:
                register.take(line)
            if not faults.faults:
                register.look_over()
            prices = 0 if faults.faults else await _loaded(connect, register, faults, now)
            if progress:
                progress(lines.position, lines.size, register.lines)
            written = 0 if faults.faults else len(register.tariffs)
            return TariffsImported(register.lines, written, prices, faults.faults, place)
    except ImportRefused as refusal:
        if all(fault.line for fault in refusal.faults):
            with Report(place, language) as faults:
                faults.add(refusal.faults)
        raise


async def _loaded(
    connect: Callable[[], Awaitable[Connection]], register: _Register, report: Report, now: datetime
) -> int:
    """Write everything in one transaction, or nothing when a service is unknown; give the number of prices."""
    connection: Any = await connect()
    transaction = connection.transaction()
    await transaction.start()
    written = 0
    try:
        await connection.execute(AS_SYSTEM)
        for each in register.tariffs.values():
            tariff_id = await stored.save(connection, uuid7(now), each.cells["service"], each.tariff, now)
            if tariff_id is None:
                report.add([Fault(each.line, "service", "SERVICE_UNKNOWN")])
                continue
            for since, period in sorted(each.periods.items()):
                prices = [(uuid7(now), price) for _, price in period.prices]
                await stored.replace_prices(connection, tariff_id, prices, since, period.until)
                written += len(prices)
        data = {"tariffs": len(register.tariffs), "prices": written}
        await audit.record(connection, audit.Act("tariffs_imported", "SYSTEM", now, data=data))
    except BaseException:
        await transaction.rollback()
        raise
    else:
        await (transaction.rollback() if report.faults else transaction.commit())
    finally:
        await connection.close()
    return 0 if report.faults else written
