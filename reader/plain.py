"""Text files, in whatever encoding they are."""

import codecs
from typing import BinaryIO

from charset_normalizer import from_bytes

from reader.answers import MAX_CHARACTERS, PageRanges, Reading, Reason, Unreadable

# No encoding needs more for a character.
MAX_BYTES = 4 * MAX_CHARACTERS
MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
# Guessed from so much of a text, which takes a tenth of a second.
SAMPLE_BYTES = 64 * 1024
# Those that text files have outside museums. Where the guess is a draw, the first.
ENCODINGS = [
    *("cp1252", "gb18030", "cp932", "big5", "cp949", "cp1251", "koi8_r"),
    *("cp1250", "cp1253", "cp1254", "cp1255", "cp1256", "utf_16_le", "utf_16_be"),
]
# Of the bytes of a Western text, which may be too short for any other guess.
FEW_LETTERS_BEYOND_ASCII = 1 / 3


def warm_up() -> None:
    """Loads the encodings."""
    _guessed(b"\xe4\xc4\xd6\xfc")
    for name in {*ENCODINGS, *MARKS.values()}:
        codecs.lookup(name)


def read_plain(file: BinaryIO, pages: PageRanges | None) -> Reading:
    """Raises Unreadable."""
    if pages is not None:
        raise Unreadable(Reason.NO_PAGES)
    data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise Unreadable(Reason.TOO_LONG)
    return Reading(_decoded(data), "plain", None)


def _decoded(data: bytes) -> str:
    for mark, encoding in MARKS.items():
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        return data.decode(_guessed(_around(data, error.start)), "replace")
    # Each character of ASCII in UTF-16 is one, and a NUL.
    return data.decode(_guessed(_around(data, text.index("\0"))), "replace") if "\0" in text else text


def _around(data: bytes, place: int) -> bytes:
    """Half of the sample before it, by whole pairs of bytes."""
    start = max(0, place - SAMPLE_BYTES // 2) // 2 * 2
    return data[start : start + SAMPLE_BYTES]


def _guessed(data: bytes) -> str:
    """Raises Unreadable."""
    if _is_damaged_utf8(data):
        return "utf-8"
    allowed = [name for name in ENCODINGS if b"\0" in data or not name.startswith("utf_16")]
    found = {match.encoding: match.coherence - 2 * match.chaos for match in from_bytes(data, cp_isolation=allowed)}
    if b"\0" in data:
        found = {name: sure for name, sure in found.items() if name.startswith("utf_16")}
    elif max(found.values(), default=0) <= 0 and _beyond_ascii(data) < FEW_LETTERS_BEYOND_ASCII:
        return "cp1252"
    if not found:
        raise Unreadable(Reason.BINARY)
    return max(sorted(found, key=allowed.index), key=lambda name: found[name])


def _is_damaged_utf8(data: bytes) -> bool:
    text = data.decode("utf-8", "replace")
    damage = text.count("\ufffd")
    return len(text) - len(text.encode("ascii", "ignore")) > 2 * damage


def _beyond_ascii(data: bytes) -> float:
    return 1 - len(data.decode("ascii", "ignore")) / len(data)
