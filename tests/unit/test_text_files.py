"""Text in any encoding is accepted and kept as sent; what is no text is refused, wherever in the file that shows."""

import codecs
import random

import pytest

from api.errors import UnsupportedFile
from api.files.content.validator import ContentValidator

TEXT = "h\u00e9llo\tworld\r\n"
# Lines of which each encoding has the characters.
ENCODED = {
    "utf-8": "h\u00e9llo \u20ac \U0001f999\r\n",
    "utf-8-sig": TEXT,
    "utf-16": "h\u00e9llo \U0001f999\n",
    "utf-16-le": "h\u00e9llo \U0001f999\r\n",
    "utf-16-be": "h\u00e9llo \U0001f999\r\n",
    "cp1252": "Gr\u00fc\u00dfe f\u00fcr 3 \u20ac\r\n",
    "iso-8859-15": "Gr\u00fc\u00dfe f\u00fcr 3 \u20ac\n",
    "cp1251": "\u041f\u0440\u0438\u0432\u0435\u0442\r\n",
    "koi8-r": "\u041f\u0440\u0438\u0432\u0435\u0442\n",
    "cp437": "f\u00fcr DOS\r\n\x1a",
    "mac-roman": "caf\u00e9\r",
    "gbk": "\u4f60\u597d\uff0c\u4e16\u754c\r\n",
    "gb18030": "\u4f60\u597d\U0001f999\n",
    "big5": "\u4f60\u597d\r\n",
    "shift-jis": "\u3053\u3093\u306b\u3061\u306f\u30fb\uff76\uff85\r\n",
    "euc-jp": "\u3053\u3093\u306b\u3061\u306f\n",
    "iso-2022-jp": "\u3053\u3093\u306b\u3061\u306f\n",
    "euc-kr": "\uc548\ub155\n",
}
WITHOUT_BOM = {
    "Japanese": "\u3053\u3093\u306b\u3061\u306f\u3000\u4e16\u754c\r\n",
    "Persian": "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645\n",
    "table": "a\tb\r\n",
}


def check(data: bytes, piece_bytes: int = 65_536, name: str = "a.txt") -> None:
    content = ContentValidator(name)
    for start in range(0, len(data), piece_bytes):
        content.feed(data[start : start + piece_bytes])
    content.finish()


@pytest.mark.parametrize("piece_bytes", [1, 3, 4_095, 65_536])
@pytest.mark.parametrize("times", [1, 3_000])
@pytest.mark.parametrize(("encoding", "line"), ENCODED.items(), ids=ENCODED)
def test_accepts_text_in_any_encoding(encoding: str, line: str, times: int, piece_bytes: int) -> None:
    """Short and long, however it is split: also within a character."""
    data = (line * times).encode(encoding)
    check(data, max(piece_bytes, len(data) // 5_000))


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("text", WITHOUT_BOM.values(), ids=WITHOUT_BOM)
def test_accepts_utf16_without_its_mark(text: str, encoding: str) -> None:
    """If it has at least a line's end, by which it can be told."""
    check((text * 200).encode(encoding))


@pytest.mark.parametrize(
    "data", [b"\x1b[31mred\x1b[0m\f", b"8=FIX.4.2\x019=12\x01", b"N\x08NAME", b"page\x0cpage\x0b\x07"]
)
def test_accepts_control_characters_in_utf8(data: bytes) -> None:
    """Logs, messages and manual pages have some; only zero is binary."""
    check(data)


def test_one_bad_byte_does_not_make_a_long_text_binary() -> None:
    """As in a log that programs with different settings write to."""
    check(b"x\x01" * 50_000 + b"\xff\xfe\x80" + b"x" * 50_000)


@pytest.mark.parametrize("piece_bytes", [1_001, 65_536])
@pytest.mark.parametrize("binary", [b"\0", b"\xff\x01", b"\xe2\x82\x01", b"\x80" + b"x" * 70_000 + b"\x1f"])
@pytest.mark.parametrize("after", [b"", b"x" * 5_000])
def test_refuses_binary_bytes_late_in_a_text(binary: bytes, after: bytes, piece_bytes: int) -> None:
    """A file that turns binary in the middle or at the end is refused."""
    with pytest.raises(UnsupportedFile):
        check(b"x" * 100_000 + binary + after, piece_bytes)


@pytest.mark.parametrize(
    "data",
    [
        "hello".encode("utf-16") + b"x",
        "hello".encode("utf-16-le") + b"x",
        codecs.BOM_UTF16_LE + b"\0\0",
        codecs.BOM_UTF16_LE + b"\x00\xd8a\0",
        "hello".encode("utf-32"),
        "hello".encode("utf-32-le"),
        b"a\0b",
        b"\1\0\2\0\3\0",
        b"\0" * 10_000,
        "\u00e9".encode() * 5_000 + b"\0",
    ],
    ids=lambda data: repr(data[:12]),
)
def test_refuses_what_only_looks_like_text(data: bytes) -> None:
    """Half a character, half a pair, zeros, numbers."""
    with pytest.raises(UnsupportedFile):
        check(data)


@pytest.mark.parametrize("size", [300, 4_000, 100_000])
def test_refuses_random_bytes(size: int) -> None:
    """Of any size, as compressed and encrypted files are. (seed 20261201)"""
    chance = random.Random(20_261_201)
    for _ in range(200 if size < 10_000 else 20):
        with pytest.raises(UnsupportedFile):
            check(chance.randbytes(size))


@pytest.mark.parametrize("piece_bytes", [1, 2, 3, 5, 4_095])
def test_where_it_is_split_changes_nothing(piece_bytes: int) -> None:
    """The byte that is not UTF-8 is found at the same place."""
    check(b"x\x01" * 5_000 + b"\xe2\x82" + b"y" * 10_000, piece_bytes)
    with pytest.raises(UnsupportedFile):
        check(b"x\x01" * 5_000 + b"\xe2\x82\x01" + b"y" * 10_000, piece_bytes)
