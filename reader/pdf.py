"""PDFs: the text of the pages that are wanted, and no others are looked at."""

from collections.abc import Iterator
from typing import BinaryIO

import pypdfium2
from pypdfium2 import raw

from reader.answers import MAX_CHARACTERS, PageRanges, Reading, Reason, Unreadable

BETWEEN_PAGES = "\n\n"
# Whether a document without text is a scan, its first pages tell.
PAGES_SEARCHED_FOR_PICTURES = 3
OBJECTS_SEARCHED = 1000


def read_pdf(file: BinaryIO, ranges: PageRanges | None) -> Reading:
    """Raises Unreadable."""
    document = _opened(file)
    count = len(document)
    pages = list(_wanted(ranges or ((1, count),), count))
    texts: list[str] = []
    size = 0
    for page in pages:
        text = _text_of(document, page)
        size += len(text) + len(BETWEEN_PAGES)
        if size > MAX_CHARACTERS:
            raise Unreadable(Reason.TOO_LONG, pages[len(texts) - 1] if texts else None)
        texts.append(text)
    if not any(text.strip() for text in texts):
        raise Unreadable(Reason.SCAN if _has_pictures(document, pages) else Reason.EMPTY)
    return Reading(BETWEEN_PAGES.join(text.strip() for text in texts), "plain", count)


def _opened(file: BinaryIO) -> pypdfium2.PdfDocument:
    try:
        return pypdfium2.PdfDocument(file)
    except pypdfium2.PdfiumError as error:
        locked = getattr(error, "err_code", None) in (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY)
        raise Unreadable(Reason.ENCRYPTED if locked else Reason.BROKEN) from error


def _wanted(ranges: PageRanges, count: int) -> Iterator[int]:
    """Each once, in the order of the document."""
    if any(last > count for _, last in ranges):
        raise Unreadable(Reason.NO_SUCH_PAGE, count)
    beyond = 1
    for first, last in sorted(ranges):
        yield from range(max(first, beyond), last + 1)
        beyond = max(beyond, last + 1)


def _text_of(document: pypdfium2.PdfDocument, number: int) -> str:
    """None of a page that cannot be loaded: the others may be whole."""
    try:
        page = document[number - 1]
    except pypdfium2.PdfiumError:
        return ""
    text = page.get_textpage()
    try:
        return str(text.get_text_bounded())
    finally:
        text.close()
        page.close()


def _has_pictures(document: pypdfium2.PdfDocument, pages: list[int]) -> bool:
    return any(_has_picture(document, number) for number in pages[:PAGES_SEARCHED_FOR_PICTURES])


def _has_picture(document: pypdfium2.PdfDocument, number: int) -> bool:
    try:
        page = document[number - 1]
    except pypdfium2.PdfiumError:
        return False
    objects = page.get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE], max_depth=3)
    return next(iter(objects), None) is not None
