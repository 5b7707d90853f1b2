"""Documents that are ZIP archives: told by the names of their first entries, and by their own name."""

import re
import struct
from collections.abc import Iterator

from api.errors import UnsupportedFile
from api.files.content.kinds import (
    EPUB,
    EXCEL,
    KINDS,
    OFFICE_KINDS,
    OPEN_DOCUMENTS,
    POWERPOINT,
    WORD,
    Kind,
)
from api.files.content.refusals import ACCEPTED

ZIP = re.compile(rb"PK(?:\x03\x04|\x05\x06|\x07\x08)")  # a first entry, no entry, a first of several volumes
LOCAL_HEADER = b"PK\x03\x04"
# Signature, version, flags, method, time, date, checksum, compressed and plain size, lengths of name and extra field.
HEADER = struct.Struct("<4s5H3L2H")

OFFICE_FOLDERS = {b"word/": WORD, b"xl/": EXCEL, b"ppt/": POWERPOINT}
OLD_NAMES = {".doc": WORD, ".xls": EXCEL, ".ppt": POWERPOINT, ".pps": POWERPOINT}
# One of them is in every document of Office: first in Word's own, last in Google's.
OFFICE_PARTS = {b"[Content_Types].xml", b"_rels/.rels"}
# What comes first in documents of Office, LibreOffice, Google, Apple and libraries. Office leaves [trash] of its own.
OFFICE_STARTS = (b"[Content_Types].xml", b"_rels/", b"docProps/", b"customXml/", b"[trash]/", *OFFICE_FOLDERS)
IWORK_SUFFIXES = {".pages", ".numbers", ".key"}

BY_TYPE = {next(iter(kind.types.values())).encode(): kind for kind in [*OPEN_DOCUMENTS, EPUB]}


def zip_kind(head: bytes, suffix: str) -> Kind:
    """Raises UnsupportedFile."""
    names = [name.replace(b"\\", b"/").lstrip(b"/") for name in _entries(head)]
    kind = _by_media_type(head) or _by_parts(names, suffix)
    if kind is None and suffix == ".epub" and b"META-INF/container.xml" in names:
        kind = EPUB
    if kind is None:
        raise UnsupportedFile(f"{_words(suffix)} {ACCEPTED}")
    return kind


def _entries(head: bytes) -> Iterator[bytes]:
    """The names in the local headers that `head` has."""
    # The size is 0 where it follows the data, as in files that Google Docs exports: the next signature is searched for.
    at = head.find(LOCAL_HEADER)
    while 0 <= at <= len(head) - HEADER.size:
        *_, size, _, name_size, extra_size = HEADER.unpack_from(head, at)
        start = at + HEADER.size
        yield head[start : start + name_size]
        data = start + name_size + extra_size
        at = head.find(LOCAL_HEADER, data + size)


def _by_media_type(head: bytes) -> Kind | None:
    """OpenDocument and EPUB have a first entry `mimetype`, not compressed, so that its content can be read here."""
    size, name_size, extra_size = struct.unpack_from("<L4x2H", head.ljust(HEADER.size, b"\0"), 18)
    start = HEADER.size + name_size + extra_size
    if head[HEADER.size : HEADER.size + name_size] != b"mimetype":
        return None
    # Where the size follows, the next signature ends it.
    content = head[start : start + size] if size else head[start : start + 100].partition(b"PK")[0]
    return BY_TYPE.get(content.strip())


def _by_parts(names: list[bytes], suffix: str) -> Kind | None:
    """Office's documents: the folder says which, and if it comes too late the suffix."""
    claimed = OLD_NAMES.get(suffix) or KINDS.get(suffix)
    is_claimed = claimed in OFFICE_KINDS
    if not names or not (names[0].startswith(OFFICE_STARTS) if is_claimed else OFFICE_PARTS.intersection(names)):
        return None
    found = [kind for folder, kind in OFFICE_FOLDERS.items() if any(name.startswith(folder) for name in names)]
    if len(found) == 1:
        return found[0]
    return claimed if is_claimed else None


def _words(suffix: str) -> str:
    if suffix in IWORK_SUFFIXES:
        return "This is a document of Apple's iWork: export it as PDF, Word, Excel or PowerPoint, and upload that."
    not_the_claimed = f", and not {KINDS[suffix].name}" if suffix in KINDS else ""
    return f"This is a ZIP archive{not_the_claimed}: unpack it and upload the files."
