"""What an uploaded file is, told by its content alone: its type, that it is whole, and that it is nothing else besides.

ASVS 5.0, 5.2.2: neither the name nor what the client says of a file is believed.
"""

import codecs
import re
import unicodedata
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import filetype

HEAD_BYTES = 4096
TAIL_BYTES = 22 + 65_535 + 22
"""The end of a ZIP archive with the longest comment begins no further from the end of the file."""

LONGEST_NAME = 120
TEXT = "text/plain"
UNKNOWN = "application/octet-stream"

UNDECLARED = frozenset({"", UNKNOWN, "binary/octet-stream"})
ALIASES = {
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/heif": "image/heic",
    "application/x-pdf": "application/pdf",
}
"""What clients write instead of the registered name of a type."""


class NotAccepted(Exception):
    """A file is not taken; the code says why: `DOCUMENT_TYPE_NOT_ALLOWED`, `DOCUMENT_TYPE_MISMATCH`, `DOCUMENT_BROKEN`
    or `DOCUMENT_EMPTY`.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Media:
    """A type that can be taken."""

    extensions: tuple[str, ...]
    """The first is the one that a name gets."""
    is_whole: Callable[[bytes, bytes], bool]
    """Tells by the first and the last bytes of a file whether it begins and ends as its format asks."""


def _pdf(head: bytes, tail: bytes) -> bool:
    """ISO 32000-1, 7.5.2 and 7.5.5."""
    return head.startswith(b"%PDF-") and b"%%EOF" in tail[-2048:]


def _jpeg(head: bytes, tail: bytes) -> bool:
    """ITU-T T.81, B.2: from SOI to EOI; what cameras append stays."""
    return head.startswith(b"\xff\xd8\xff") and b"\xff\xd9" in tail


def _png(head: bytes, tail: bytes) -> bool:
    """W3C PNG, 5.3 and 5.6: IHDR first, IEND last."""
    return head[12:16] == b"IHDR" and b"IEND\xae\x42\x60\x82" in tail


def _heic(head: bytes, tail: bytes) -> bool:
    """ISO/IEC 14496-12, 4.3: a box of file types, which has its size, and more behind it."""
    return 16 <= int.from_bytes(head[:4]) < len(head) and head[4:8] == b"ftyp"


def _webp(head: bytes, tail: bytes) -> bool:
    """RFC 9649, 2.4."""
    return head[:4] == b"RIFF" and head[8:12] == b"WEBP"


MEDIA: Mapping[str, Media] = {
    "application/pdf": Media((".pdf",), _pdf),
    "image/jpeg": Media((".jpg", ".jpeg", ".jpe", ".jfif"), _jpeg),
    "image/png": Media((".png",), _png),
    "image/heic": Media((".heic", ".heif"), _heic),
    "image/webp": Media((".webp",), _webp),
    TEXT: Media((".txt", ".text"), lambda head, tail: True),
}
EXTENSIONS = tuple(extension for media in MEDIA.values() for extension in media.extensions)

CONTROL = re.compile("[\0-\x08\x0b\x0e-\x1f\x7f]")
ACTIVE = re.compile(rb"<(?:!doctype|html|head|body|script|iframe|svg|\?php)\b|<\?=|^\s*#!", re.IGNORECASE)
"""What lazy programs take for a page or a program, whatever stands around it (WHATWG MIME Sniffing, 7.1)."""

SNIFFED_BYTES = 1445
"""How far the sniffers of browsers look (WHATWG MIME Sniffing, 5.2)."""

ZIP_END = re.compile(rb"PK\x05\x06\0\0\0\0", re.DOTALL)
"""The end of an archive on one disk (APPNOTE 4.3.16); its readers look for it from the end of the file."""


class Inspection:
    """Looks at a file while it arrives; keeps some kilobytes of it."""

    def __init__(self) -> None:
        self._head = b""
        self._tail = b""
        self._text = _Text()

    def feed(self, data: bytes) -> None:
        """Look at the next bytes."""
        if len(self._head) < HEAD_BYTES:
            self._head += data[: HEAD_BYTES - len(self._head)]
        self._tail = data[-TAIL_BYTES:] if len(data) >= TAIL_BYTES else (self._tail + data)[-TAIL_BYTES:]
        self._text.feed(data)

    def media_type(self, declared: str, allowed: Collection[str]) -> str:
        """Give the type of the file, which has ended. Raises NotAccepted."""
        if not self._head:
            raise NotAccepted("DOCUMENT_EMPTY")
        found = self._found()
        if found not in allowed:
            raise NotAccepted("DOCUMENT_TYPE_NOT_ALLOWED")
        said = ALIASES.get(declared.lower(), declared.lower())
        if (said not in UNDECLARED and said != found) or self._is_more(found):
            raise NotAccepted("DOCUMENT_TYPE_MISMATCH")
        if not MEDIA[found].is_whole(self._head, self._tail):
            raise NotAccepted("DOCUMENT_BROKEN")
        return found

    def _found(self) -> str:
        """Give the type by signature; a text that happens to begin like another format, as with BM, is a text."""
        guess = filetype.guess_mime(self._head)
        if guess in MEDIA:
            return str(guess)
        return TEXT if self._text.ended_well() else str(guess or UNKNOWN)

    def _is_more(self, found: str) -> bool:
        """Tell whether the file is of another type too: a page, a PDF behind something else, an archive at the end."""
        sniffed = self._head[:SNIFFED_BYTES]
        if ACTIVE.search(sniffed) or (found != "application/pdf" and b"%PDF-" in self._head[:1024]):
            return True
        return any(
            int.from_bytes(self._tail[end.start() + 20 : end.start() + 22], "little")
            <= len(self._tail) - end.start() - 22
            for end in ZIP_END.finditer(self._tail)
        )


class _Text:
    """Tells whether bytes are text in UTF-8, without control characters."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._good = True

    def feed(self, data: bytes, *, final: bool = False) -> None:
        if self._good:
            try:
                self._good = CONTROL.search(self._decoder.decode(data, final)) is None
            except UnicodeDecodeError:
                self._good = False

    def ended_well(self) -> bool:
        self.feed(b"", final=True)
        return self._good


UNWANTED = {"Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp"}
"""Control, invisible and direction-changing characters, private ones, and lines (Unicode TR 36, 3.2)."""

FORBIDDEN = re.compile(r'[<>:"|?*]')
"""What a name on some system cannot hold."""

DEVICE = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)", re.IGNORECASE)


def clean_name(name: str, media_type: str) -> str:
    """Give a name that is safe on every system and screen: no path, nothing invisible, 120 characters at the most.

    Its extension is that of the type.
    """
    last = re.split(r"[/\\]", name)[-1]
    seen = "".join(char for char in unicodedata.normalize("NFC", last) if unicodedata.category(char) not in UNWANTED)
    stem = FORBIDDEN.sub("_", " ".join(seen.split())).rstrip(" .")
    while stem.lower().endswith(EXTENSIONS):
        stem = stem[: stem.rindex(".")].rstrip(" .")
    stem = stem.lstrip(" .")
    if DEVICE.match(stem):
        stem = f"_{stem}"
    extension = MEDIA[media_type].extensions[0]
    return (stem[: LONGEST_NAME - len(extension)].rstrip(" .") or "document") + extension
