"""What a file is by its first bytes."""

import re

from api.files.content.kinds import (
    AVIF,
    BMP,
    GIF,
    HEIF,
    JPEG,
    OLD_OFFICE,
    PDF,
    PNG,
    RTF,
    TIFF,
    WEBP,
    Kind,
)
from api.files.content.refusals import described
from api.files.content.zips import ZIP, zip_kind

HEAD_BYTES = 8192  # a PDF's header is in the first 1,024; Office's first parts take some 2,000
PDF_HEADER_BYTES = 1024  # where readers look for it (PDF 1.7, appendix H.3, note 13)

# The brands of HEIF: the codec's, or a structural one with the codec's among those that follow (ISO/IEC 23008-12, 10).
STRUCTURE = rb"(?:mif1|msf1|miaf)"
PICTURES = {
    rb"\x89PNG\r\n\x1a\n": PNG,
    rb"\xff\xd8\xff": JPEG,
    rb"GIF8[79]a": GIF,
    rb"RIFF.{4}WEBP": WEBP,
    rb"II[*+]\0|MM\0[*+]": TIFF,
    # The two letters may begin a text; the size of the second header is one of a few.
    rb"BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0": BMP,
    rb".{4}ftyp(?:avi[fs]|%b.{4}(?:.{4}){0,12}?avi[fs])" % STRUCTURE: AVIF,
    rb".{4}ftyp(?:he[iv][cxms]|%b)" % STRUCTURE: HEIF,
}
DOCUMENTS = {
    rb"%PDF-": PDF,
    rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": OLD_OFFICE,
    rb"\{\\rtf": RTF,
}
_pictures = [(re.compile(pattern, re.DOTALL), kind) for pattern, kind in PICTURES.items()]
_documents = [(re.compile(pattern), kind) for pattern, kind in DOCUMENTS.items()]


def kind_of(head: bytes, suffix: str) -> Kind | None:
    """None for what may be text. The suffix counts where the content leaves it open. Raises UnsupportedFile."""
    if ZIP.match(head):
        return zip_kind(head, suffix)
    # Every picture has a zero in its first bytes, and no text has: "GIF89a" alone is a text about GIF.
    signatures = [*_pictures, *_documents] if b"\0" in head else _documents
    for signature, kind in signatures:
        if signature.match(head):
            return kind
    return PDF if suffix == ".pdf" and _is_late_pdf(head) else None


def _is_late_pdf(head: bytes) -> bool:
    """Whether other bytes come first: a printer's, an email's, a web server's."""
    return b"%PDF-" in head[:PDF_HEADER_BYTES] and described(head) is None
