"""Reading the cells of one line of a register as texts, dates and choices."""

from collections.abc import Mapping
from datetime import date

from resolvers.imports_csv import Fault, Line

_OLDEST = date(1900, 1, 1)


class Cells:
    """The cells of one line, read as what they must be; what is wrong with them is added to `faults`.

    `today` is the day in Paris, `longest` the greatest length of columns in characters.
    """

    def __init__(self, line: Line, faults: list[Fault], today: date, longest: Mapping[str, int]) -> None:
        self.text = line.cells
        self._line = line.number
        self._faults = faults
        self._today = today
        self._longest = longest

    def fault(self, column: str, code: str) -> None:
        """Note what is wrong with a column."""
        self._faults.append(Fault(self._line, column, code))

    def limited(self, column: str) -> str:
        """Give a text that may be empty."""
        if len(self.text[column]) > self._longest.get(column, len(self.text[column])):
            self.fault(column, "TOO_LONG")
        return self.text[column]

    def required(self, column: str) -> str:
        """Give a text that may not be empty."""
        if not self.text[column]:
            self.fault(column, "REQUIRED")
        return self.limited(column)

    def choice(self, column: str, values: tuple[str, ...]) -> str | None:
        """Give one of some values, whatever its case, or None for an empty cell."""
        text = self.text[column]
        if not text:
            return None
        for value in values:
            if value.casefold() == text.casefold():
                return value
        self.fault(column, "UNKNOWN_VALUE")
        return text

    def any_date(self, column: str) -> date | None:
        """Give a date written as 2019-03-14 or 14/03/2019, or None for an empty cell."""
        text = self.text[column]
        if not text:
            return None
        try:
            if len(text) == 10 and text[2] == text[5] == "/":
                text = f"{text[6:]}-{text[3:5]}-{text[:2]}"
            if len(text) != 10 or text[4] != "-" or text[7] != "-":
                raise ValueError
            return date.fromisoformat(text)
        except ValueError:
            self.fault(column, "NOT_A_DATE")
            return None

    def past_date(self, column: str) -> date | None:
        """Give a date between 1900 and today."""
        found = self.any_date(column)
        if found and found > self._today:
            self.fault(column, "DATE_IN_FUTURE")
        if found and found < _OLDEST:
            self.fault(column, "DATE_TOO_OLD")
        return found
