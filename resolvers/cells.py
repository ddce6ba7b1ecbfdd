"""Cells of files that people open in a spreadsheet."""


def cell(text: str) -> str:
    """Keep a spreadsheet from taking a text for a formula (CWE-1236)."""
    return f"'{text}" if text[:1] in "=+-@\t\r" and text not in ("", "-") else text
