"""Documents: Office's, OpenDocument, EPUB, PDF and RTF, as the programs that people have write them."""

import io
import zipfile

import pytest

from api.errors import UnsupportedFile
from api.files.content.kinds import EXCEL, OPEN_DOCUMENTS, POWERPOINT, WORD, Kind
from api.files.content.validator import ContentValidator
from tests.unit.files import OLE, PDF, PNG, zipped

ODF = "application/vnd.oasis.opendocument"
EPUB = "application/epub+zip"
WORDS = ("[Content_Types].xml", "_rels/.rels", "word/document.xml")
SHEETS = ("[Content_Types].xml", "_rels/.rels", "xl/workbook.xml")
SLIDES = ("[Content_Types].xml", "_rels/.rels", "ppt/presentation.xml")

ACCEPTED = {
    "word.docx": zipped(*WORDS),
    "macros.DOCM": zipped(*WORDS),
    "excel.xlsx": zipped(*SHEETS),
    "powerpoint.pptx": zipped(*SLIDES),
    "show.ppsx": zipped(*SLIDES),
    "libreoffice.docx": zipped("_rels/.rels", "docProps/core.xml", "word/document.xml", "[Content_Types].xml"),
    "openpyxl.xlsx": zipped("docProps/app.xml", "docProps/core.xml", "xl/styles.xml", "[Content_Types].xml"),
    "google.docx": zipped("word/numbering.xml", "word/document.xml", "[Content_Types].xml", streamed=True),
    "google.xlsx": zipped("xl/drawings/drawing1.xml", "[Content_Types].xml", streamed=True),
    "pages-export.docx": zipped("[Content_Types].xml", "_rels/.rels", "docProps/app.xml", "word/a.xml", streamed=True),
    "late.pptx": zipped("[Content_Types].xml", *(f"docProps/{n}" for n in range(300)), "ppt/presentation.xml"),
    "trash.docx": zipped("[trash]/0000.dat", *WORDS[::-1]),
    "folders.xlsx": zipped("[Content_Types].xml", "_rels/", "_rels/.rels", "xl/", "xl/workbook.xml"),
    "cut.docx": zipped(*WORDS)[:60],
    "letter.odt": zipped("content.xml", first=f"{ODF}.text"),
    "template.ott": zipped("content.xml", first=f"{ODF}.text-template"),
    "newline.odt": zipped("content.xml", first=f"{ODF}.text\n"),
    "table.ods": zipped("content.xml", first=f"{ODF}.spreadsheet"),
    "slides.odp": zipped("content.xml", first=f"{ODF}.presentation", streamed=True),
    "book.epub": zipped("META-INF/container.xml", first=EPUB),
    "newline.epub": zipped("META-INF/container.xml", first=f"{EPUB}\r\n"),
    "zipped-anew.epub": zipped("META-INF/container.xml", "mimetype"),
    "old.doc": OLE,
    "old.xls": OLE,
    "old.ppt": OLE,
    "outlook.msg": OLE,
    "a.rtf": b"{\\rtf1\\ansi\\ansicpg1252 Gr\\'fc\\'dfe}",
    "printer.pdf": b"\x1b%-12345X@PJL\r\n" + PDF,
    "web-server.pdf": b"HTTP/1.1 200 OK\r\nContent-Type: application/pdf\r\n\r\n" + PDF,
    "blank-lines.pdf": b"\r\n" * 500 + PDF,
    "mac-binary.pdf": b"\0\x05a.pdf".ljust(128, b"\0") + PDF,
}
RENAMED = {
    "report": (zipped(*WORDS), "report.docx"),
    "backslash.docx": (zipped("[Content_Types].xml", "_rels\\.rels", "xl\\workbook.xml"), "backslash.xlsx"),
    "new.doc": (zipped(*WORDS), "new.docx"),
    "sheet.docx": (zipped(*SHEETS), "sheet.xlsx"),
    "new.xls": (zipped("[Content_Types].xml", "docProps/app.xml"), "new.xlsx"),
    "report.pdf": (zipped(*WORDS), "report.docx"),
    "letter.docx": (zipped("content.xml", first=f"{ODF}.text"), "letter.odt"),
    "book.zip.1": (zipped("META-INF/container.xml", first=EPUB), "book.zip.1.epub"),
}
REFUSED = {
    "plain.docx": (zipped("a.txt"), "a ZIP archive, and not a Word document: unpack it"),
    "plain.odt": (zipped("a.txt"), "not an OpenDocument text"),
    "plain.epub": (zipped("a.txt"), "not an EPUB book"),
    "empty.docx": (zipped(), "a ZIP archive"),
    "header-only.docx": (b"PK\3\4", "a ZIP archive"),
    "folder": (zipped("word/document.xml", "word/styles.xml"), "a ZIP archive"),
    "package": (zipped("[Content_Types].xml", "_rels/.rels", "visio/document.xml"), "a ZIP archive"),
    "other.odt": (zipped("content.xml", first="application/zip"), "a ZIP archive"),
    "java": (zipped("META-INF/MANIFEST.MF", "A.class"), "a ZIP archive"),
    "letter.pages": (zipped("Index/Document.iwa", "preview.jpg"), "Apple's iWork: export it as PDF"),
    "protected.docx": (OLE, "protected with a password.* as .docx"),
    "installer": (OLE, "give it the extension that it needs: .doc, .xls"),
    "text.docx": (b"hi", "doesn't match the .docx extension: it is text"),
    "program.docx": (b"MZ\x90\0" + bytes(60), "This is a program"),
    "old.pdf": (OLE, "looks like a document of Office 97 to 2003"),
    "late.txt": (b"\x1b%-12345X\r\n" + PDF + b"\0", "neither text nor"),
}


def check(name: str, data: bytes, piece_bytes: int) -> str:
    content = ContentValidator(name)
    for start in range(0, len(data), piece_bytes):
        content.feed(data[start : start + piece_bytes])
    return content.finish()


@pytest.mark.parametrize("piece_bytes", [7, 65_536])
@pytest.mark.parametrize(("name", "data"), ACCEPTED.items(), ids=ACCEPTED)
def test_accepts_documents(name: str, data: bytes, piece_bytes: int) -> None:
    """Programs order the parts of a document differently, and some write the sizes after the data."""
    assert check(name, data, piece_bytes) == name


@pytest.mark.parametrize("piece_bytes", [7, 65_536])
@pytest.mark.parametrize(("name", "data", "stored"), [(name, *row) for name, row in RENAMED.items()], ids=RENAMED)
def test_a_wrong_suffix_is_set_right(name: str, data: bytes, stored: str, piece_bytes: int) -> None:
    """The content says what it is."""
    assert check(name, data, piece_bytes) == stored


@pytest.mark.parametrize("piece_bytes", [7, 65_536])
@pytest.mark.parametrize(("name", "data", "words"), [(name, *row) for name, row in REFUSED.items()], ids=REFUSED)
def test_refuses_the_rest_in_words(name: str, data: bytes, words: str, piece_bytes: int) -> None:
    """A plain archive under a document's name, and what only the extension says."""
    with pytest.raises(UnsupportedFile, match=words):
        check(name, data, piece_bytes)


@pytest.mark.parametrize(
    ("suffix", "parts"),
    [
        (suffix, parts)
        for kind, parts in ((WORD, WORDS), (EXCEL, SHEETS), (POWERPOINT, SLIDES))
        for suffix in kind.types
    ],
)
def test_every_suffix_of_office_stays(suffix: str, parts: tuple[str, ...]) -> None:
    """Templates, shows and those with macros."""
    assert check(f"a{suffix}", zipped(*parts), 65_536) == f"a{suffix}"


@pytest.mark.parametrize("kind", OPEN_DOCUMENTS, ids=lambda kind: next(iter(kind.types)))
def test_every_open_document_is_told(kind: Kind) -> None:
    """By its media type, also without a suffix."""
    ((suffix, media_type),) = kind.types.items()
    assert check("a", zipped("content.xml", first=media_type), 65_536) == f"a{suffix}"


def test_a_document_in_an_archive_is_an_archive() -> None:
    """The names in a stored entry are not taken for the archive's own."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.docx", zipped(*WORDS))
    with pytest.raises(UnsupportedFile, match="ZIP archive"):
        check("archive", file.getvalue(), 65_536)


def test_a_picture_is_no_document() -> None:
    """Whatever it is called."""
    assert check("a.docx", PNG, 65_536) == "a.png"
