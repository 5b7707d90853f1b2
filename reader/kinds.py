"""What a document is, by its name and its first bytes."""

from typing import Literal

from reader.answers import Reason, Unreadable

Kind = Literal["pdf", "office", "plain"]

OPEN_XML = "application/vnd.openxmlformats-officedocument."
OPEN_DOCUMENT = "application/vnd.oasis.opendocument."
# By what a format is, its macros and templates included. Not OpenDocument presentations: kreuzberg cannot read them.
SUFFIXES = {
    OPEN_XML + "wordprocessingml.document": ".docx .docm .dotx .dotm",
    OPEN_XML + "spreadsheetml.sheet": ".xlsx .xlsm .xltx .xltm",
    OPEN_XML + "presentationml.presentation": ".pptx .pptm .ppsx .ppsm .potx .potm",
    OPEN_DOCUMENT + "text": ".odt .ott",
    OPEN_DOCUMENT + "spreadsheet": ".ods .ots",
    "application/epub+zip": ".epub",
    "application/rtf": ".rtf",
}
OFFICE_TYPES = {suffix: media_type for media_type, suffixes in SUFFIXES.items() for suffix in suffixes.split()}
PDF_MARK = b"%PDF-"
HEAD_BYTES = 1024  # PDF's own readers look for its mark so far
# What an office document with a password is, whatever its name says, and what those of before 2007 are.
OLE_MARK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
PICTURE_MARKS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"II*\0", b"MM\0*")


def kind_of(suffix: str, head: bytes) -> Kind:
    """Raises Unreadable."""
    if suffix in OFFICE_TYPES:
        if head.startswith(OLE_MARK):
            raise Unreadable(Reason.ENCRYPTED)
        return "office"
    if PDF_MARK in head and suffix in ("", ".pdf"):
        return "pdf"
    # As the API tells them when they are uploaded: every picture has a zero, and no text about GIF89a has.
    if head.startswith(PICTURE_MARKS) and b"\0" in head:
        raise Unreadable(Reason.PICTURE)
    if suffix == ".pdf":
        raise Unreadable(Reason.BROKEN)
    return "plain"
