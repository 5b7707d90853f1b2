"""Documents with text that is known, and some that are meant to hurt who reads them."""

import io
import zipfile
import zlib

import docx
import openpyxl
import pptx
from pypdf import PdfReader, PdfWriter
from reportlab.pdfgen.canvas import Canvas

WIDTH, HEIGHT = 595, 842


def pdf(pages: int = 1, lines: int = 1) -> bytes:
    """Each line says its page and its number."""
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=(WIDTH, HEIGHT))
    for page in range(1, pages + 1):
        for line in range(1, lines + 1):
            canvas.drawString(50, HEIGHT - 16 * line, f"Page {page}, line {line}: a zebra crosses the street at noon.")
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def scan() -> bytes:
    """A page that is a picture."""
    pixel = zlib.compress(b"\xff" * 300)
    picture = (
        b"<</Type/XObject/Subtype/Image/Width 10/Height 10/ColorSpace/DeviceRGB/BitsPerComponent 8"
        b"/Filter/FlateDecode/Length %d>>stream\n%b\nendstream" % (len(pixel), pixel)
    )
    return raw_pdf(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</XObject<</P 5 0 R>>>>>>",
        b"<</Length 28>>stream\nq 500 0 0 800 0 0 cm /P Do Q\nendstream",
        picture,
    )


def raw_pdf(*objects: bytes) -> bytes:
    """Of objects as they are; the first is the catalogue."""
    body, offsets = b"%PDF-1.7\n", []
    for number, content in enumerate(objects, 1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    count = len(objects) + 1
    end = b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (count, len(body))
    return body + b"xref\n0 %d\n0000000000 65535 f \n%b" % (count, table) + end


def encrypted_pdf(password: str) -> bytes:
    """An empty password is one that only holds its changes back."""
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf())))
    writer.encrypt(password, "the owner's", algorithm="RC4-128")
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


def word() -> bytes:
    document = docx.Document()
    document.add_heading("Zebras", 1)
    document.add_paragraph("They cross the street \u00e4\u00f6\u00fc.")
    table = document.add_table(1, 2)
    table.cell(0, 0).text, table.cell(0, 1).text = "stripes", "many"
    return _saved(document)


def excel() -> bytes:
    book = openpyxl.Workbook()
    book.active.append(["zebra", 42])
    return _saved(book)


def powerpoint() -> bytes:
    show = pptx.Presentation()
    slide = show.slides.add_slide(show.slide_layouts[1])
    slide.shapes.title.text = "Zebras"
    slide.placeholders[1].text = "They cross the street"
    return _saved(show)


def _saved(document: object) -> bytes:
    file = io.BytesIO()
    document.save(file)  # type: ignore[attr-defined]
    return file.getvalue()


OPEN_DOCUMENT_NAMES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "text", "table")
)


def open_document() -> bytes:
    body = "<office:text><text:p>A zebra crosses the street</text:p></office:text>"
    content = (
        f"<office:document-content {OPEN_DOCUMENT_NAMES}><office:body>{body}</office:body></office:document-content>"
    )
    return archive({"mimetype": b"application/vnd.oasis.opendocument.text", "content.xml": content.encode()})


RICH_TEXT = rb"{\rtf1\ansi\ansicpg1252 {\fonttbl{\f0 Arial;}}\f0 A zebra \b crosses\b0  the stra\'dfe\par}"


def book() -> bytes:
    names = 'xmlns="urn:oasis:names:tc:opendocument:xmlns:container" version="1.0"'
    root = '<rootfile full-path="c.opf" media-type="application/oebps-package+xml"/>'
    item = '<item id="a" href="a.xhtml" media-type="application/xhtml+xml"/>'
    package = f"<manifest>{item}</manifest><spine><itemref idref='a'/></spine>"
    page = "<h1>Zebras</h1><p>They cross the street</p>"
    return archive(
        {
            "mimetype": b"application/epub+zip",
            "META-INF/container.xml": f"<container {names}><rootfiles>{root}</rootfiles></container>".encode(),
            "c.opf": f'<package xmlns="http://www.idpf.org/2007/opf" version="3.0">{package}</package>'.encode(),
            "a.xhtml": f'<html xmlns="http://www.w3.org/1999/xhtml"><body>{page}</body></html>'.encode(),
        }
    )


def archive(parts: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as whole:
        for name, content in parts.items():
            # As OpenDocument and EPUB have it, so that the type can be read without unpacking.
            whole.writestr(name, content, zipfile.ZIP_STORED if name == "mimetype" else None)
    return file.getvalue()


def word_with(document_xml: bytes) -> bytes:
    """A Word document with this as its main part."""
    with zipfile.ZipFile(io.BytesIO(word())) as whole:
        parts = {name: whole.read(name) for name in whole.namelist()}
    return archive({**parts, "word/document.xml": document_xml})


WORD_NAMES = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def paragraphs(inner: bytes) -> bytes:
    """A Word document's main part with one paragraph of XML."""
    head = f"<w:document {WORD_NAMES}><w:body><w:p><w:r><w:t>".encode()
    return head + inner + b"</w:t></w:r></w:p></w:body></w:document>"


def entity_bomb() -> bytes:
    """A billion laughs."""
    entities = '<!ENTITY a0 "ha">' + "".join(f'<!ENTITY a{level} "{f"&a{level - 1};" * 10}">' for level in range(1, 10))
    return word_with(f"<!DOCTYPE w [{entities}]>".encode() + paragraphs(b"&a9;"))


def zip_bomb(megabytes: int) -> bytes:
    """A part that is a thousand times what it takes up."""
    return word_with(paragraphs(b"a" * megabytes * 1024 * 1024))


def zip_bomb_that_lies(megabytes: int) -> bytes:
    """It says that its large part is short."""
    bomb = zip_bomb(megabytes)
    size = len(paragraphs(b"a" * megabytes * 1024 * 1024))
    return bomb.replace(size.to_bytes(4, "little"), (1000).to_bytes(4, "little"))


def nested_xml(depth: int) -> bytes:
    return word_with(paragraphs(b"<w:r>" * depth + b"</w:r>" * depth))


def nested_pdf(depth: int) -> bytes:
    """Arrays in arrays, where the page's content should be."""
    return raw_pdf(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents " + b"[" * depth + b"]" * depth + b">>",
    )


def recursive_pdf() -> bytes:
    """The page tree is its own branch, and a form draws itself."""
    return raw_pdf(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[2 0 R 3 0 R 2 0 R]/Count 3>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R/Resources<</XObject<</F 4 0 R>>>>>>",
        b"<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</F 4 0 R>>>>/Length 5>>"
        b"stream\n/F Do\nendstream",
    )


def pdf_of_a_million_pages() -> bytes:
    """It has one, a thousand times in each of a thousand branches."""
    return raw_pdf(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[" + b"3 0 R " * 1000 + b"]/Count 1000000>>",
        b"<</Type/Pages/Parent 2 0 R/Kids[" + b"4 0 R " * 1000 + b"]/Count 1000>>",
        b"<</Type/Page/Parent 3 0 R/MediaBox[0 0 9 9]>>",
    )


def long_pdf(pages: int) -> bytes:
    """Of one page of 6,000 letters, many times."""
    lines = b"(" + b"zebras " * 15 + b") Tj T* "
    content = b"BT /F 1 Tf 1 TL 5 800 Td " + lines * 58 + b"ET"
    return raw_pdf(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[" + b"3 0 R " * pages + b"]/Count %d>>" % pages,
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%b\nendstream" % (len(content), content),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    )


def stream_bomb(megabytes: int) -> bytes:
    """A page whose content is a thousand times as long as it looks."""
    content = zlib.compress(b"q " * (megabytes * 512 * 1024))
    return raw_pdf(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>",
        b"<</Filter/FlateDecode/Length %d>>stream\n%b\nendstream" % (len(content), content),
    )
