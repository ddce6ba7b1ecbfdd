"""Texts as mobile networks carry them: the 7-bit alphabet where it will do, and what a text costs (3GPP TS 23.038).

One character outside that alphabet more than halves what fits: 70 instead of 160. French loses little without its
circumflexes, so they are written plainly; a name in another script keeps its letters and its price.
"""

import unicodedata

BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = {
    **{"\f": 0x0A, "^": 0x14, "{": 0x28, "}": 0x29, "\\": 0x2F},
    **{"[": 0x3C, "~": 0x3D, "]": 0x3E, "|": 0x40, "€": 0x65},
}
ESCAPE = 0x1B
_BASIC = {character: code for code, character in enumerate(BASIC) if code != ESCAPE}

SEVEN_BITS = (160, 153)
"""Septets of a message alone, and of each part of a longer one."""

SIXTEEN_BITS = (70, 67)
"""The same in UTF-16 units (UCS-2)."""

SPELT = {
    **dict.fromkeys("\u2019\u2018\u02bc\u2032\u0060\u00b4", "'"),
    **dict.fromkeys("«»“”„", '"'),
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"),
    **dict.fromkeys("\u00a0\u202f\u2007\u2009\u200a\t", " "),
    **dict.fromkeys("\u00ad\u200b\u200c\u200d\u2060\ufeff", ""),
    "…": "...",
    "œ": "oe",
    "Œ": "OE",
    "•": "-",
    "·": ".",
    "°": "o",
    "№": "No",
    "\r": "",
}
"""What is written otherwise, and nobody minds."""


def is_seven_bit(text: str) -> bool:
    """Whether the 7-bit alphabet has every character."""
    return all(character in _BASIC or character in EXTENDED for character in text)


def plain(text: str) -> str:
    """Write a text with the 7-bit alphabet as far as it stays the same to its reader.

    Quotes, dashes, blanks and ligatures are spelt out, and Latin letters lose the accents that the alphabet lacks; a
    letter of another script stays what it is.
    """
    return "".join(map(_plain, unicodedata.normalize("NFC", text)))


def _plain(character: str) -> str:
    if character in _BASIC or character in EXTENDED:
        return character
    if character in SPELT:
        return SPELT[character]
    bare = "".join(each for each in unicodedata.normalize("NFKD", character) if not unicodedata.combining(each))
    return bare if bare and is_seven_bit(bare) else character


def encoded(text: str) -> bytes:
    """Give the 7-bit codes, one an octet. Raises ValueError for a character that the alphabet lacks."""
    codes = bytearray()
    for character in text:
        if character in _BASIC:
            codes.append(_BASIC[character])
        elif character in EXTENDED:
            codes += bytes((ESCAPE, EXTENDED[character]))
        else:
            raise ValueError("not in the 7-bit alphabet")
    return bytes(codes)


def decoded(codes: bytes) -> str:
    """Read 7-bit codes, one an octet; what follows an escape and means nothing is read without it."""
    shown, extended, escaped = [], {code: character for character, code in EXTENDED.items()}, False
    for code in codes:
        if code == ESCAPE and not escaped:
            escaped = True
            continue
        basic = BASIC[code] if code < len(BASIC) else "?"
        shown.append(extended.get(code, basic) if escaped else basic)
        escaped = False
    return "".join(shown)


def segments(text: str) -> int:
    """Count the messages that a text is paid as; an empty one costs one."""
    seven = is_seven_bit(text)
    sizes = [_size(character, seven=seven) for character in text]
    alone, part = SEVEN_BITS if seven else SIXTEEN_BITS
    if sum(sizes) <= alone:
        return 1
    count, filled = 1, 0
    for size in sizes:
        # An escape and its character, or the halves of one beyond the first plane, are never parted.
        if filled + size > part:
            count, filled = count + 1, 0
        filled += size
    return count


def _size(character: str, *, seven: bool) -> int:
    if seven:
        return 2 if character in EXTENDED else 1
    return len(character.encode("utf-16-be")) // 2


def cut(text: str, most: int) -> str:
    """Give as much of a text as fits into `most` messages, with three dots where it was cut."""
    if segments(text) <= most:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if segments(text[:middle].rstrip() + "...") <= most:
            low = middle
        else:
            high = middle - 1
    return text[:low].rstrip() + "..."
