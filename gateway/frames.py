"""Frames of a WebSocket as a server writes them: whole, unmasked, not compressed (RFC 6455, section 5.2)."""

from struct import Struct

SHORT = Struct("!BB").pack
MEDIUM = Struct("!BBH").pack
LONG = Struct("!BBQ").pack

TEXT = 0x81
CLOSE = 0x88

LONGEST_REASON = 123
"""Bytes: a control frame holds 125, two of them are the code."""


def text_frame(message: bytes) -> bytes:
    """Make the frame of one text message in UTF-8."""
    size = len(message)
    if size < 126:
        return SHORT(TEXT, size) + message
    if size < 65_536:
        return MEDIUM(TEXT, 126, size) + message
    return LONG(TEXT, 127, size) + message


def close_frame(code: int, reason: str) -> bytes:
    """Make the frame that begins, or answers, the closing."""
    text = reason.encode()[:LONGEST_REASON].decode(errors="ignore").encode()
    return SHORT(CLOSE, len(text) + 2) + code.to_bytes(2, "big") + text
