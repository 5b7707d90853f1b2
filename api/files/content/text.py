"""Whether a file is text, told as it streams by: UTF-8, UTF-16, or bytes that have no control characters among them.

The last are texts in Windows-1252, GBK, Shift-JIS and their like. All of them leave the control characters of ASCII as
they are, and a binary format has one in every dozen bytes. Which one it is does not matter before the text is read.
"""

import codecs

# Of the 32, a text has 7 to 13 (bell to carriage return), 26 (the end of a file under DOS) and 27 (colors, ISO-2022).
CONTROLS = bytes([*range(7), *range(14, 26), *range(28, 32)])
# What a text has though it isn't str.isprintable(). U+2000 is missing: that is a blank in the wrong byte order.
BLANKS = dict.fromkeys([*b"\t\n\v\f\r\x1a\x1b", 0xA0, 0xAD, *range(0x2001, 0x2010), *range(0x2028, 0x2030), 0x3000])
# Enough to tell the byte order by: in the wrong one are characters that nobody has, such as a line's end as U+0A00.
SAMPLE_BYTES = 512


class NotText(Exception):
    """What was fed is no text."""


class TextFollower:
    """Feed it a file from its beginning. Raises NotText as soon as that is known."""

    def __init__(self, head: bytes) -> None:
        encoding = _encoding(head)
        self._is_utf8 = encoding == "utf-8"
        self._decoder: codecs.IncrementalDecoder | None = codecs.getincrementaldecoder(encoding)()

    def feed(self, data: bytes, *, final: bool = False) -> None:
        if self._decoder is None:
            _refuse_controls(data)
            return
        try:
            text = self._decoder.decode(data, final)
        except UnicodeDecodeError as error:
            if not self._is_utf8:
                raise NotText from error
            self._decoder = None
            # `object` begins with what was held back of a character that the last data ended in.
            text = error.object[: error.start].decode()
            _refuse_controls(error.object[error.start :])
        if "\0" in text:
            raise NotText


def _refuse_controls(data: bytes) -> None:
    if len(data.translate(None, CONTROLS)) != len(data):
        raise NotText


def _encoding(head: bytes) -> str:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    sample = head[:SAMPLE_BYTES]
    if b"\0" in sample:
        for encoding in ("utf-16-le", "utf-16-be"):
            if _reads_well(sample, encoding):
                return encoding
    return "utf-8"


def _reads_well(sample: bytes, encoding: str) -> bool:
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(sample)
    except UnicodeDecodeError:
        return False
    # The zeros have to be of ASCII's characters: numbers in 16 bits make letters too, in one order or the other.
    return text.translate(BLANKS).isprintable() and any(map(str.isascii, text))
