"""Documents of Word, Excel, PowerPoint and LibreOffice, RTF and books, as Markdown."""

import io
import re
import zipfile
from typing import BinaryIO

import kreuzberg

from reader.answers import PageRanges, Reading, Reason, Unreadable
from reader.kinds import OFFICE_TYPES

# Their text is in these; their pictures, which may be large, are not read.
PARTS_WITH_TEXT = (".xml", ".rels", "mimetype", ".opf", ".ncx", ".xhtml", ".html", ".htm")
# Of those, decompressed. Reading them takes some times as much.
MAX_PARTS_BYTES = 48 * 1024 * 1024
PICTURE = re.compile(r"\\?!\[[^\]\n]{0,500}\]\([^)\n]{0,500}\)\n*")

CONFIG = kreuzberg.ExtractionConfig(
    use_cache=False,
    output_format="markdown",
    enable_quality_processing=False,
    concurrency=kreuzberg.ConcurrencyConfig(max_threads=1),
)


def warm_up() -> None:
    """Starts the threads that it reads with, for which files have to be opened."""
    kreuzberg.extract_bytes_sync(b"a,b", "text/csv", config=CONFIG)


def read_office(file: BinaryIO, suffix: str, pages: PageRanges | None) -> Reading:
    """Raises Unreadable."""
    if pages is not None:
        raise Unreadable(Reason.NO_PAGES)
    try:
        document = file.read() if suffix == ".rtf" else _without_pictures(file)
        text = kreuzberg.extract_bytes_sync(document, OFFICE_TYPES[suffix], config=CONFIG).content
    except (kreuzberg.KreuzbergError, zipfile.BadZipFile, NotImplementedError) as error:
        raise Unreadable(Reason.BROKEN) from error
    return Reading(PICTURE.sub("", text), "markdown", None)


def _without_pictures(file: BinaryIO) -> bytes:
    kept = io.BytesIO()
    with zipfile.ZipFile(file) as whole, zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as parts:
        wanted = [part for part in whole.infolist() if part.filename.lower().endswith(PARTS_WITH_TEXT)]
        if sum(part.file_size for part in wanted) > MAX_PARTS_BYTES:
            raise Unreadable(Reason.TOO_LARGE)
        for part in wanted:
            if part.flag_bits & 1:
                raise Unreadable(Reason.ENCRYPTED)
            # No more than `file_size`, whatever follows in a part that lies about it.
            parts.writestr(part.filename, whole.read(part))
    return kept.getvalue()
