"""GraphQL inside the source files of clients: whole files, and texts marked as GraphQL in programs.

JavaScript and its relatives mark them with gql`…`, graphql`…`, gql(`…`) or a comment /* GraphQL */ before; Dart, Kotlin
and Swift with gql(…) or that comment before a text in three quotes.
"""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

GRAPHQL = frozenset({".graphql", ".gql"})
BACKTICKS = frozenset({".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", ".vue"})
QUOTES = frozenset({".dart", ".kt", ".swift"})
NOT_OURS = frozenset({"node_modules", "Pods", "build", "dist"})

MARK = r"(?:\b(?:gql|graphql)\b(?:<[^`(]*>)?\s*\(?\s*(?:/\*\s*GraphQL\s*\*/\s*)?|/\*\s*GraphQL\s*\*/\s*)"
OTHER = r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'"""
IN_BACKTICKS = re.compile(rf"{MARK}`(?P<text>(?:\\.|[^`\\])*)`|{OTHER}|`(?:\\.|[^`\\])*`", re.DOTALL)
IN_QUOTES = re.compile(
    rf"(?:{MARK}|//\s*language=GraphQL[^\n]*\n[^\n\"']*)r?(?P<quotes>\"\"\"|''')(?P<text>.*?)(?P=quotes)"
    rf"|\"\"\".*?\"\"\"|'''.*?'''|{OTHER}",
    re.DOTALL,
)
"""Each finds marked texts, and steps over comments and other texts, in which a mark is none."""

PUT_IN = re.compile(r"\$\{[^}]*\}")
ESCAPED = re.compile(r"\\([`$\\])")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in a source file."""

    file: str
    line: int
    message: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A text in GraphQL and where it begins."""

    file: str
    line: int
    text: str

    def fault(self, line: int, message: str) -> Fault:
        """Name a fault in one of its lines, the first being 1."""
        return Fault(self.file, self.line + line - 1, message)


def pieces(folders: Sequence[Path]) -> Iterator[Piece | Fault]:
    """Give everything in GraphQL under some folders, in the order of the files' names."""
    for folder in folders:
        for file in _files(folder):
            try:
                text = file.read_text("utf-8")
            except UnicodeDecodeError:
                yield Fault(str(file), 1, "The file is not in UTF-8.")
                continue
            if file.suffix in GRAPHQL:
                yield Piece(str(file), 1, text)
            else:
                yield from _marked(str(file), text, IN_BACKTICKS if file.suffix in BACKTICKS else IN_QUOTES)


def _files(folder: Path) -> Iterator[Path]:
    if folder.is_file():
        yield folder
    for here, inside, names in os.walk(folder):
        inside[:] = sorted(name for name in inside if name not in NOT_OURS and not name.startswith("."))
        for name in sorted(names):
            file = Path(here, name)
            if file.suffix in GRAPHQL | BACKTICKS | QUOTES:
                yield file


def _marked(file: str, source: str, pattern: re.Pattern[str]) -> Iterator[Piece | Fault]:
    for found in pattern.finditer(source):
        if found["text"] is None:
            continue
        line = source.count("\n", 0, found.start("text")) + 1
        # A dollar sign that Kotlin must put in stands for itself.
        text = found["text"].replace("${'$'}", "$").replace('${"$"}', "$")
        inside = next((part for part in PUT_IN.finditer(text) if _depth(text[: part.start()]) > 0), None)
        if inside is not None:
            line += text.count("\n", 0, inside.start())
            yield Fault(file, line, f"{inside[0]} is known only while the program runs; use a variable or a fragment.")
            continue
        # Between definitions stand fragments of other files, which are found there.
        yield Piece(file, line, ESCAPED.sub(r"\1", PUT_IN.sub(" ", text)))


def _depth(text: str) -> int:
    """Tell how many selections are open at the end of a text."""
    plain = PUT_IN.sub("", text)
    return plain.count("{") - plain.count("}")
