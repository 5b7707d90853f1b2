"""Bounds what a JSON body can cost before it is parsed.

Nearly all of a large chat is text and pictures, in a few long strings; nothing that is checked is among them. Each is
replaced by a short one before parsing, so memory and time follow the rest, which is bounded. Where a string ends is
found in one pass, whatever it holds.
"""

import codecs
import re

from api.errors import BodyTooLarge

# 150,000 numbers of a `context`, or 50,000 messages with a long text each. 1 MB of the smallest values takes 30 MB once
# parsed, and holds up the worker's other requests for 60 ms at most: Python parses an object in one go.
MAX_STRUCTURE_BYTES = 1024 * 1024
TOO_MANY_VALUES = (
    f"The body has too many values: more than {MAX_STRUCTURE_BYTES >> 20} MB remains without its long strings."
)
# Longer than a name of a model is; the content of such a string is not looked at.
LONG_STRING_BYTES = 200
FEW_ESCAPES = 20  # in a string that is short between them
# Python's other threads wait for a match: as long as 64 kB take, a millisecond.
WINDOW_BYTES = 64 * 1024

# Everything up to a long string or the window's end. Possessive, so that nothing is looked at twice.
_SHORT_STRING = rb'"[^"\\]{0,%(long)d}+(?:\\.[^"\\]{0,%(long)d}+){0,%(escapes)d}+"'
STRUCTURE = re.compile(
    rb'(?:[^"]++|' + _SHORT_STRING % {b"long": LONG_STRING_BYTES, b"escapes": FEW_ESCAPES} + rb")*+", re.DOTALL
)
CONTENT = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL)


def without_long_strings(body: bytes) -> bytes:
    """`body` with each long string replaced by a short one of its own, if the body is larger than MAX_STRUCTURE_BYTES.

    The replacement begins with half a surrogate pair, so it is never the name of a model. Raises BodyTooLarge when
    more than MAX_STRUCTURE_BYTES are left, ValueError for a string that does not end and for what isn't UTF-8.
    """
    if len(body) <= MAX_STRUCTURE_BYTES:
        return body
    _refuse_unless_utf8(body)
    rest = bytearray()
    position = 0
    while position < len(body):
        end = _end_of(STRUCTURE, body, position)
        if end > position:
            rest += body[position:end]
        else:
            end = _end_of_string(body, position)
            rest += b'"\\udc00%d"' % position
        position = end
        if len(rest) > MAX_STRUCTURE_BYTES:
            raise BodyTooLarge(TOO_MANY_VALUES)
    return bytes(rest)


def _end_of_string(body: bytes, start: int) -> int:
    """Where the string that opens at `start` ends. Raises ValueError."""
    quote = body.find(b'"', start + 1)
    if quote > 0 and body.find(b"\\", start + 1, quote) < 0:
        return quote + 1
    position = start + 1
    while True:
        end = _end_of(CONTENT, body, position)
        if body[end : end + 1] == b'"':
            return end + 1
        if end == position:
            raise ValueError(f"the string at byte {start} does not end")
        position = end


def _end_of(pattern: re.Pattern[bytes], body: bytes, start: int) -> int:
    match = pattern.match(body, start, start + WINDOW_BYTES)
    return match.end() if match else start


def _refuse_unless_utf8(body: bytes) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")()
    for start in range(0, len(body), WINDOW_BYTES):
        decoder.decode(body[start : start + WINDOW_BYTES])
    decoder.decode(b"", final=True)
