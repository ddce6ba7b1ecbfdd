"""Reading CSV registers line by line, in constant memory, naming what is wrong by line and column.

One line of the file is one record: a line break inside quotes is reported as a quote that was not closed, so that one
forgotten quote spoils one line and not the rest of the file.
"""

import csv
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

LONGEST_FIELD = 1_000  # characters
LONGEST_LINE = 64 * 1024  # bytes
DELIMITERS = (";", ",")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, and where: the line counts from 1 (the header), the column is its name, or its number when it has
    none, or empty when the whole line is meant."""

    line: int
    column: str
    code: str


class ImportRefused(Exception):
    """Nothing of the file can be read: it is missing, empty, in another encoding, or its header is faulty."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(", ".join(f"line {fault.line} {fault.column}: {fault.code}" for fault in faults))
        self.faults = tuple(faults)


@dataclass(slots=True)
class Line:
    """One line: its cells by column name, cleaned; where it has faults, as far as they could be read."""

    number: int
    cells: dict[str, str]
    faults: list[Fault] = field(default_factory=list)


def clean(text: str) -> str:
    """Compose accents (Unicode NFC) and make any run of blanks one space, none at the ends."""
    return " ".join((text if text.isascii() else unicodedata.normalize("NFC", text)).split())


def _cells(text: str, delimiter: str) -> list[str]:
    """Split one line; raises csv.Error for misplaced quotes."""
    return next(csv.reader([text], delimiter=delimiter, strict=True), [])


def _likely_cells(text: str, delimiter: str) -> list[str]:
    """Split a faulty line as far as it goes."""
    one_line = text.replace("\r", "").replace("\n", "")
    return next(csv.reader([one_line], delimiter=delimiter, strict=False), [])


class CsvFile:
    """An open register; iterate it for its lines. Raises ImportRefused when it cannot be one.

    The file has all `columns` and may have `optional` ones: those it lacks are empty in every line.
    """

    def __init__(self, path: Path, columns: Sequence[str], optional: Sequence[str] = ()) -> None:
        try:
            self._stream: BinaryIO = path.open("rb")
        except OSError as error:
            raise ImportRefused([Fault(0, "", "FILE_UNREADABLE")]) from error
        try:
            self.size = path.stat().st_size
            self.delimiter, self.header = self._read_header(columns, (*columns, *optional))
            self._absent = {name: "" for name in optional if name not in self.header}
        except BaseException:
            self._stream.close()
            raise

    def __enter__(self) -> "CsvFile":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._stream.close()

    @property
    def position(self) -> int:
        """Bytes read so far."""
        return self._stream.tell()

    def _read_header(self, columns: Sequence[str], known: Sequence[str]) -> tuple[str, list[str]]:
        raw = self._stream.readline(LONGEST_LINE)
        if not raw:
            raise ImportRefused([Fault(1, "", "FILE_EMPTY")])
        try:
            if raw.startswith(_UTF16):
                raise ImportRefused([Fault(1, "", "NOT_UTF8")])
            text = raw.removeprefix(_BOM).decode()
        except UnicodeDecodeError as error:
            raise ImportRefused([Fault(1, "", "NOT_UTF8")]) from error
        if "\0" in text:
            raise ImportRefused([Fault(1, "", "NUL_CHARACTER")])
        found = {each: [clean(cell).lower() for cell in _likely_cells(text, each)] for each in DELIMITERS}
        delimiter = max(DELIMITERS, key=lambda each: len(set(found[each]) & set(known)))
        header = found[delimiter]
        if len(header) < 2:
            raise ImportRefused([Fault(1, "", "DELIMITER_UNKNOWN")])
        while header and not header[-1]:
            header.pop()
        faults = [Fault(1, name, "COLUMN_MISSING") for name in columns if name not in header]
        strangers = [(at, name) for at, name in enumerate(header, 1) if name not in known]
        faults += [Fault(1, name or str(at), "COLUMN_UNKNOWN") for at, name in strangers]
        faults += [Fault(1, name, "COLUMN_REPEATED") for name in known if header.count(name) > 1]
        if faults:
            raise ImportRefused(faults)
        return delimiter, header

    def __iter__(self) -> Iterator[Line]:
        number = 1
        while raw := self._stream.readline(LONGEST_LINE + 1):
            number += 1
            if len(raw) > LONGEST_LINE:
                self._skip_rest(raw)
                yield Line(number, {}, [Fault(number, "", "LINE_TOO_LONG")])
                continue
            line = self._read(raw, number)
            if line.faults or any(line.cells.values()):
                yield line

    def _skip_rest(self, raw: bytes) -> None:
        while raw and not raw.endswith(b"\n"):
            raw = self._stream.readline(LONGEST_LINE)

    def _read(self, raw: bytes, number: int) -> Line:
        try:
            text = raw.decode()
        except UnicodeDecodeError as error:
            before = raw[: error.start].decode()
            return self._unreadable(number, raw.decode(errors="replace"), before, _encoding_fault(raw, error.start))
        text = text.rstrip("\r\n")
        if "\r" in text:
            return self._unreadable(number, text, text[: text.index("\r")], "CONTROL_CHARACTER")
        try:
            cells = _cells(text, self.delimiter)
        except csv.Error:
            end = bisect_left(range(len(text) + 1), True, key=lambda end: self._misquoted(text[:end]))
            code = "BAD_QUOTES" if end <= len(text) else "QUOTE_NOT_CLOSED"
            return self._unreadable(number, text, text[: end - 1], code)
        return self._checked(number, cells)

    def _misquoted(self, text: str) -> bool:
        """Tell a quote in a wrong place from one that only waits for its end."""
        try:
            _cells(text, self.delimiter)
        except csv.Error as error:
            return "unexpected end" not in str(error)
        return False

    def _unreadable(self, number: int, text: str, before: str, code: str) -> Line:
        """Name the column where reading failed, and keep what tells the family that the line belongs to."""
        at = max(len(_likely_cells(before, self.delimiter)), 1) - 1
        cells = [clean(cell) for cell in _likely_cells(text, self.delimiter)]
        return Line(number, self._named(cells), [Fault(number, self._column(at), code)])

    def _named(self, cells: Sequence[str]) -> dict[str, str]:
        return {**self._absent, **dict(zip(self.header, cells, strict=False))}

    def _column(self, at: int) -> str:
        return self.header[at] if at < len(self.header) else str(at + 1)

    def _checked(self, number: int, raw_cells: list[str]) -> Line:
        cells = [clean(cell) for cell in raw_cells]
        while len(cells) > len(self.header) and not cells[-1]:
            cells.pop()
        line = Line(number, self._named(cells))
        if not any(cells):
            return line
        if len(cells) != len(self.header):
            line.faults.append(Fault(number, self._column(min(len(cells), len(self.header))), "NUMBER_OF_COLUMNS"))
        for at, cell in enumerate(cells):
            if "\0" in cell:
                line.faults.append(Fault(number, self._column(at), "NUL_CHARACTER"))
            elif not cell.isprintable():
                line.faults.append(Fault(number, self._column(at), "CONTROL_CHARACTER"))
            elif len(cell) > LONGEST_FIELD:
                line.faults.append(Fault(number, self._column(at), "FIELD_TOO_LONG"))
        return line


def _encoding_fault(raw: bytes, at: int) -> str:
    """Tell half of a surrogate pair (U+D800 to U+DFFF, which UTF-8 forbids) from another encoding."""
    surrogate = raw[at] == 0xED and len(raw) > at + 1 and 0xA0 <= raw[at + 1] <= 0xBF
    return "LONE_SURROGATE" if surrogate else "NOT_UTF8"
