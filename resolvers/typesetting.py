"""Setting PDFs in type: one bounded thread, so that a flood of certificates cannot stall everything else.

What comes out depends on what goes in alone: only the fonts that typst brings along, the date of the document from its
data. It is PDF/A (ISO 19005-2, or 19005-3 where asked for) and PDF/UA-1 (ISO 14289-1): to be kept, and to be read
aloud (RGAA 13).
"""

import asyncio
import re
import unicodedata
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec

MOST_WAITING = 20

# What the fonts have a sign for; a test sets every one of them. PDF/A forbids text without.
UNSET = re.compile("[^\n\u0020-\u007e\u00a0-\u024f\u0370-\u04ff\u1e00-\u203f\u2070-\u20bf\u2190-\u22ff\u2500-\u25ff]")
NO_SIGN = frozenset({"Cc", "Cf", "Cn", "Zl", "Zp"})
"""Categories without a sign; those that turn the order of letters round would let a text look like another."""


class TypesetterBusy(Exception):
    """Too many documents wait, or one took too long."""


def printable(text: str) -> str:
    """Give a text with what no font has a sign for written by its number, such as [U+1F600]."""
    plain = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\t", " ")
    return "".join(each if _has_sign(each) else _number(each) for each in plain)


@lru_cache(maxsize=4096)
def _has_sign(each: str) -> bool:
    return each == "\n" or (UNSET.match(each) is None and unicodedata.category(each) not in NO_SIGN)


def _number(each: str) -> str:
    return "" if unicodedata.category(each) == "Cc" else f"[U+{ord(each):04X}]"


class Typesetter:
    """Makes PDFs of typst templates and JSON."""

    def __init__(self) -> None:
        self._thread = self._new_thread()
        self._waiting = 0
        self._fonts: Any = None

    async def pdf(
        self,
        template: bytes,
        data: Mapping[str, Any],
        at: datetime,
        seconds: float,
        *,
        standards: Sequence[str] = ("a-2a", "ua-1"),
    ) -> bytes:
        """Give a PDF with the texts of `data` as they are, dated `at`, that keeps to `standards`.

        Raises TypesetterBusy when 20 wait already, or when it takes longer than so many seconds.
        """
        if self._waiting >= MOST_WAITING:
            raise TypesetterBusy
        self._waiting += 1
        try:
            work = asyncio.get_running_loop().run_in_executor(self._thread, self._set, template, data, at, standards)
            return await asyncio.wait_for(work, seconds)
        except TimeoutError as error:
            # A thread cannot be stopped: it ends by itself, and the others go on with a new one.
            self._thread.shutdown(wait=False)
            self._thread = self._new_thread()
            raise TypesetterBusy from error
        finally:
            self._waiting -= 1

    def _set(self, template: bytes, data: Mapping[str, Any], at: datetime, standards: Sequence[Any]) -> bytes:
        import typst  # 60 MB and a third of a second that a portal without certificates does not spend

        if self._fonts is None:
            self._fonts = typst.Fonts(include_system_fonts=False)
        inputs = {"data": msgspec.json.encode(_all_printable(data)).decode()}
        compiler = typst.Compiler(input=template, font_paths=self._fonts, sys_inputs=inputs)
        made = compiler.compile(format="pdf", pdf_standards=list(standards), timestamp=at.replace(microsecond=0))
        assert isinstance(made, bytes), "one document"
        return made

    @staticmethod
    def _new_thread() -> ThreadPoolExecutor:
        return ThreadPoolExecutor(1, thread_name_prefix="typst")

    def close(self) -> None:
        """Stop the thread; what waits is dropped."""
        self._thread.shutdown(wait=False, cancel_futures=True)


def _all_printable(value: Any) -> Any:
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, Mapping):
        return {key: _all_printable(each) for key, each in value.items()}
    return [_all_printable(each) for each in value] if isinstance(value, list | tuple) else value
