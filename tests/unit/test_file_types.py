"""Which files are accepted: the content has to match what the name claims."""

import pytest

from api.errors import UnsupportedFile
from api.files.content import ContentValidator, media_type
from tests.unit.files import PNG

ACCEPTED = {
    "a.png": PNG,
    "A.PNG": PNG,
    "png-without-suffix": PNG,
    "jfif.jpg": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + bytes(50),
    "exif.jpeg": b"\xff\xd8\xff\xe1\x1a\x00Exif\0\0" + bytes(50),
    "raw.jpg": b"\xff\xd8\xff\xdb\x00C\0" + b"\1" * 50,
    "a.gif": b"GIF89a\1\0\1\0\x80\0\0" + bytes(50),
    "a.bmp": b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0" + bytes(50),
    "le.tif": b"II*\0\x08\0\0\0" + bytes(50),
    "be.tiff": b"MM\0*\0\0\0\x08" + bytes(50),
    "a.webp": b"RIFF\x24\0\0\0WEBPVP8 " + bytes(50),
    "a.avif": b"\0\0\0\x1cftypavif\0\0\0\0mif1avif" + bytes(50),
    "iphone.heic": b"\0\0\0\x1cftypheic\0\0\0\0mif1heic" + bytes(50),
    "ten-bit.heic": b"\0\0\0\x1cftypheix\0\0\0\0mif1heix" + bytes(50),
    "structural.heif": b"\0\0\0\x1cftypmif1\0\0\0\0mif1heic" + bytes(50),
    "a.pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj",
    "a.txt": b"hello",
    "empty.txt": b"",
    "bom.txt": b"\xef\xbb\xbfhello",
    "utf16.txt": "h\u00e9llo \U0001f999".encode("utf-16"),
    "utf16be.csv": b"\xfe\xff" + "a;b".encode("utf-16-be"),
    "escape.log": b"\x1b[31mred\x1b[0m\f",
    "Makefile": b"all:\n",
    "a.md": b"# hi",
    "a.json": b"{}",
    "a.yaml": b"a: 1",
    "a.py": b"print()",
    "a.ts": b"let a = 1",
    "a.js": b"1",
    "a.sh": b"#!/bin/sh",
    "a.html": b"<html>",
    "a.svg": b"<svg/>",
    "a.unknown": b"text of a suffix that nobody knows",
}

REFUSED = {
    "a.exe": b"MZ\x90\0" + bytes(60),
    "text.exe": b"just text",
    "a.zip": b"PK\3\4" + bytes(60),
    "a.tar.gz": b"\x1f\x8b" + bytes(60),
    "a.csv.gz": b"text",
    "a.docx": b"PK\3\4" + bytes(60),
    "a.mp4": b"\0\0\0\x18ftypmp42" + bytes(60),
    "elf.txt": b"\x7fELF\2\1\1" + bytes(60),
    "elf": b"\x7fELF\2\1\1" + bytes(60),
    "png.txt": PNG,
    "png.jpg": PNG,
    "text.png": b"just text",
    "empty.png": b"",
    "cut.png": PNG[:4],
    "zip.pdf": b"PK\3\4" + bytes(60),
    "utf16-without-bom.txt": "hello".encode("utf-16-le"),
    "odd-utf16.txt": "hello".encode("utf-16") + b"x",
    "utf32.txt": "hello".encode("utf-32"),
    "latin1.txt": "h\u00e9llo".encode("latin-1"),
    "cut.txt": "\u20ac".encode()[:2],
}


def check(name: str, data: bytes, piece_bytes: int) -> None:
    content = ContentValidator(name)
    for start in range(0, len(data), piece_bytes):
        content.feed(data[start : start + piece_bytes])
    content.finish()


@pytest.mark.parametrize("piece_bytes", [1, 65_536])
@pytest.mark.parametrize(("name", "data"), ACCEPTED.items(), ids=ACCEPTED)
def test_accepts_images_pdfs_and_text(name: str, data: bytes, piece_bytes: int) -> None:
    """However the bytes are split."""
    check(name, data, piece_bytes)


@pytest.mark.parametrize("piece_bytes", [1, 65_536])
@pytest.mark.parametrize(("name", "data"), REFUSED.items(), ids=REFUSED)
def test_refuses_the_rest(name: str, data: bytes, piece_bytes: int) -> None:
    """Another type, or one type under another's extension."""
    with pytest.raises(UnsupportedFile, match="Accepted are"):
        check(name, data, piece_bytes)


@pytest.mark.parametrize("binary", [b"\0", b"\xff\xfe", b"\x80"])
@pytest.mark.parametrize("after", [b"", b"x" * 5_000])
def test_refuses_binary_bytes_late_in_a_text(binary: bytes, after: bytes) -> None:
    """A file that turns binary in the middle or at the end is refused."""
    with pytest.raises(UnsupportedFile):
        check("a.txt", b"x" * 100_000 + binary + after, 4_096)


@pytest.mark.parametrize("piece_bytes", [1, 2, 3, 5, 4_095])
def test_a_character_may_be_split(piece_bytes: int) -> None:
    """Chunks may end inside characters of two, three and four bytes."""
    check("a.txt", "\u00e9\u20ac\U0001f999".encode() * 2_000, piece_bytes)


def test_a_refused_name_needs_no_content() -> None:
    """It is refused before the first byte."""
    with pytest.raises(UnsupportedFile, match=r"\*\.exe"):
        ContentValidator("a.exe")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("1_a.png", "image/png"),
        ("1_a.PDF", "application/pdf"),
        ("1_a.html", "text/plain; charset=utf-8"),
        ("1_a.svg", "text/plain; charset=utf-8"),
        ("1_a.js", "text/plain; charset=utf-8"),
        ("1_a", "application/octet-stream"),
    ],
)
def test_no_browser_is_told_to_render_text(name: str, expected: str) -> None:
    """HTML and SVG are sent as plain text."""
    assert media_type(name) == expected
