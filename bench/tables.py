"""Tables as Markdown, so that they can be read on a terminal and pasted into a text."""


def table(heads: list[str], rows: list[list[str]]) -> str:
    """Write a table; columns that begin with a figure in the first row stand to the right."""
    widths = [max(len(row[place]) for row in (heads, *rows)) for place in range(len(heads))]
    right = [bool(rows) and rows[0][place][:1].isdigit() for place in range(len(heads))]
    rule = "|".join(
        "-" * (width + 1) + (":" if to_right else "-") for width, to_right in zip(widths, right, strict=True)
    )
    lines = [_line(heads, widths, right), f"|{rule}|", *(_line(row, widths, right) for row in rows)]
    return "\n".join(lines)


def _line(cells: list[str], widths: list[int], right: list[bool]) -> str:
    padded = (
        cell.rjust(width) if to_right else cell.ljust(width)
        for cell, width, to_right in zip(cells, widths, right, strict=True)
    )
    return "| " + " | ".join(padded) + " |"
