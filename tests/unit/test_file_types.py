"""Which files are accepted: the content decides, and gives the stored file its suffix."""

from pathlib import Path

import pytest

from api.errors import UnsupportedFile
from api.files.content.kinds import EPUB, EXCEL, PICTURES, POWERPOINT, RTF, WORD, Kind, media_type
from api.files.content.kinds import PDF as PDF_KIND
from api.files.content.refusals import ACCEPTED as ACCEPTED_WORDS
from api.files.content.validator import ContentValidator
from tests.unit.files import JPEG, OLE, PDF, PNG, WEBP, zipped

README = (Path(__file__).parents[2] / "README.md").read_text()
ACCEPTED = {
    "a.png": PNG,
    "A.PNG": PNG,
    "jfif.jpg": JPEG,
    "exif.jpeg": b"\xff\xd8\xff\xe1\x1a\x00Exif\0\0" + bytes(50),
    "raw.jpg": b"\xff\xd8\xff\xdb\x00C\0" + b"\1" * 50,
    "a.gif": b"GIF89a\1\0\1\0\x80\0\0" + bytes(50),
    "script-inside.gif": b"GIF89a/*\1\0\x80\0\0*/=1;alert(1)//" + bytes(50),
    "a.bmp": b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0" + bytes(50),
    "le.tif": b"II*\0\x08\0\0\0" + bytes(50),
    "be.tiff": b"MM\0*\0\0\0\x08" + bytes(50),
    "a.webp": WEBP,
    "a.avif": b"\0\0\0\x1cftypavif\0\0\0\0mif1avif" + bytes(50),
    "structural.avif": b"\0\0\0\x20ftypmif1\0\0\0\0mif1miafavif" + bytes(50),
    "iphone.heic": b"\0\0\0\x1cftypheic\0\0\0\0mif1heic" + bytes(50),
    "ten-bit.heic": b"\0\0\0\x1cftypheix\0\0\0\0mif1heix" + bytes(50),
    "structural.heif": b"\0\0\0\x1cftypmif1\0\0\0\0mif1heic" + bytes(50),
    "a.pdf": PDF,
    "cut.pdf": PDF[:20],
    "zip-after-it.pdf": PDF + zipped("a.exe"),
    "a.txt": b"hello",
    "empty.txt": b"",
    "Makefile": b"all:\n",
    "a.md": b"# hi",
    "a.json": b"{}",
    "a.ipynb": b'{"cells": []}',
    "a.yaml": b"a: 1",
    "a.csv": b"a;b",
    "a.tsv": b"a\tb",
    "a.py": b"print()",
    "a.ts": b"let a = 1",
    "a.js": b"1",
    "a.sh": b"#!/bin/sh",
    "a.html": b"<html>",
    "a.svg": b"<svg/>",
    "a.eml": b"From: a@example.org\r\nSubject: hi\r\n\r\nhi",
    "a.ics": b"BEGIN:VCALENDAR",
    "a.unknown": b"text of a suffix that nobody knows",
    "gif.md": b"GIF89a is a format",
    "gif.js": b"GIF89a=1;alert(1)",
    "bmp.txt": b"BMW is a brand, and so are II* and MM.",
    "mz.txt": b"MZ is a signature",
    "PDF-NOTES": b"A file begins with %PDF-1.7",
    "pdf.py": b'MAGIC = b"%PDF-1.7"',
}
# What it is stored as.
RENAMED = {
    "IMG_0001.HEIC": (JPEG, "IMG_0001.jpg"),
    "shot.jpg": (PNG, "shot.png"),
    "sticker.JPG": (WEBP, "sticker.webp"),
    "download.jfif": (JPEG, "download.jpg"),
    "png-without-suffix": (PNG, "png-without-suffix.png"),
    "scan.2024": (JPEG, "scan.2024.jpg"),
    "notes.txt": (PNG, "notes.txt.png"),
    "photo.hif": (ACCEPTED["iphone.heic"], "photo.heic"),
    "paper": (PDF, "paper.pdf"),
    "drawing.ai": (PDF, "drawing.ai.pdf"),
    "letter.doc": (b"{\\rtf1\\ansi hi}", "letter.rtf"),
    "export.xls": (b"\xef\xbb\xbf\r\n<HTML><table></table>", "export.html"),
    "tabs.xls": (b"a\tb\r\nGr\xfc\xdfe\t1\r\n", "tabs.txt"),
    "2003.xls": (b"<?xml version='1.0'?><Workbook/>", "2003.xml"),
    "page.doc": (b"MIME-Version: 1.0\r\n\r\n", "page.mht"),
    "plain.rtf": (b"hi", "plain.txt"),
}
# What the message says.
REFUSED = {
    "a.exe": (b"MZ\x90\0" + bytes(60), r"\*\.exe is not accepted: it is a program"),
    "text.exe": (b"just text", "a program"),
    "a.zip": (zipped("a.txt"), "an archive. Unpack it and upload the files"),
    "zip": (zipped("a.txt"), "a ZIP archive: unpack it and upload the files"),
    "a.tar.gz": (b"\x1f\x8b" + bytes(60), "an archive"),
    "a.csv.gz": (b"text", "an archive"),
    "gz.txt": (b"\x1f\x8b\x08\0" + bytes(60), "This is an archive. Unpack it"),
    "tar": (b"a.txt".ljust(257, b"\0") + b"ustar\x0000" + bytes(60), "This is an archive"),
    "a.mp4": (b"\0\0\0\x18ftypmp42" + bytes(60), "a video. Upload a transcript or screenshots"),
    "IMG_1.heic": (b"\0\0\0\x14ftypqt  " + bytes(60), "This is a video"),
    "camera.mts": ((b"G" + bytes(187)) * 3, "This is a video"),
    "a.mp3": (b"ID3\3" + bytes(60), "an audio file. Upload a transcript"),
    "wave.txt": (b"RIFF\x24\0\0\0WAVEfmt " + bytes(60), "This is an audio file"),
    "elf.txt": (b"\x7fELF\2\1\1" + bytes(60), "This is a program"),
    "elf": (b"\x7fELF\2\1\1" + bytes(60), "This is a program"),
    "a.dng": (b"II*\0" + bytes(60), "a camera's raw image. Export it as JPEG"),
    "a.sqlite": (b"SQLite format 3\0\x10\0\1\1" + bytes(60), "This is a database"),
    "mz.pdf": (b"MZ\x90\0" + bytes(60) + PDF, "This is a program"),
    "text.png": (b"just text", "doesn't match the .png extension: it is text"),
    "page.png": (b"<html>404", "doesn't match the .png extension: it is text"),
    "script.gif": (b"GIF89a=1;alert(1)", "doesn't match the .gif extension: it is text"),
    "empty.png": (b"", "doesn't match the .png extension: it is empty"),
    "cut.png": (PNG[:7], "doesn't match the .png extension"),
    "zip.pdf": (zipped("a.txt"), "a ZIP archive, and not a PDF"),
    "zip-first.pdf": (zipped("a.txt") + PDF, "a ZIP archive, and not a PDF"),
    "text.pdf": (b"x" * 1025 + PDF, "it is text|doesn't match"),
    "data.bin": (b"\x80\1\2", "neither text nor of another type"),
    "unknown.jpg": (b"\x80\1\2", "doesn't match the .jpg extension"),
    "old": (OLE, "Office 97 to 2003, .* extension that it needs: .doc"),
}


def check(name: str, data: bytes, piece_bytes: int = 65_536) -> str:
    """The name that it is stored under."""
    content = ContentValidator(name)
    for start in range(0, len(data), piece_bytes):
        content.feed(data[start : start + piece_bytes])
    return content.finish()


@pytest.mark.parametrize("piece_bytes", [1, 65_536])
@pytest.mark.parametrize(("name", "data"), ACCEPTED.items(), ids=ACCEPTED)
def test_accepts_images_pdfs_and_text(name: str, data: bytes, piece_bytes: int) -> None:
    """However the bytes are split; what is named by what it is keeps its name."""
    assert check(name, data, piece_bytes) == name


@pytest.mark.parametrize("piece_bytes", [1, 65_536])
@pytest.mark.parametrize(("name", "data", "stored"), [(name, *row) for name, row in RENAMED.items()], ids=RENAMED)
def test_a_wrong_suffix_is_set_right(name: str, data: bytes, stored: str, piece_bytes: int) -> None:
    """Phones and browsers name pictures by what they were, and web applications call HTML a workbook."""
    assert check(name, data, piece_bytes) == stored


@pytest.mark.parametrize("piece_bytes", [1, 65_536])
@pytest.mark.parametrize(("name", "data", "words"), [(name, *row) for name, row in REFUSED.items()], ids=REFUSED)
def test_refuses_the_rest_in_words(name: str, data: bytes, words: str, piece_bytes: int) -> None:
    """It says what the file is, and what to do."""
    with pytest.raises(UnsupportedFile, match=words):
        check(name, data, piece_bytes)


def test_a_refusal_says_what_is_accepted() -> None:
    """All of it."""
    with pytest.raises(UnsupportedFile, match=r"Accepted are images .*WebP.*, PDF, Word, .*source code"):
        check("a", b"\0")


@pytest.mark.parametrize("kind", [*PICTURES, PDF_KIND, WORD, EXCEL, POWERPOINT, RTF, EPUB], ids=lambda kind: kind.name)
def test_what_is_accepted_is_named(kind: Kind) -> None:
    """In the refusals and in the README, each kind by its name."""
    name = kind.name.split()[1]
    assert name in ACCEPTED_WORDS
    assert name in README.partition("### Files")[2].partition("\n#")[0]


def test_a_refused_name_needs_no_content() -> None:
    """It is refused before the first byte."""
    with pytest.raises(UnsupportedFile, match=r"\*\.exe"):
        ContentValidator("a.exe")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("1_a.png", "image/png"),
        ("1_a.HEIC", "image/heic"),
        ("1_a.PDF", "application/pdf"),
        ("1_a.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("1_a.xls", "application/vnd.ms-excel"),
        ("1_a.odt", "application/vnd.oasis.opendocument.text"),
        ("1_a.html", "text/plain; charset=utf-8"),
        ("1_a.mht", "text/plain; charset=utf-8"),
        ("1_a.svg", "text/plain; charset=utf-8"),
        ("1_a.js", "text/plain; charset=utf-8"),
        ("1_a", "application/octet-stream"),
    ],
)
def test_no_browser_is_told_to_render_text(name: str, expected: str) -> None:
    """HTML and SVG are sent as plain text."""
    assert media_type(name) == expected
