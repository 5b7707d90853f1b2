"""Which files are accepted: images, PDFs and text. The name claims, the content has to confirm."""

import codecs
import mimetypes
from pathlib import PurePosixPath

import puremagic

from api.errors import UnsupportedFile

HEAD_BYTES = 2048  # more than any signature here needs

# HEIF under names that puremagic tells apart or does not know: the ten-bit codec's, and the major brands of files that
# name their codec later (ISO/IEC 23008-12, 10.2).
HEIF, TEN_BIT_HEIF = "image/heif", "image/heic"
STRUCTURAL_BRANDS = {b"ftypmif1", b"ftypmsf1"}

# Suffix to media type, for the formats that models and browsers read. The type is what puremagic calls it.
BINARY_TYPES = {
    ".avif": "image/avif",
    ".bmp": "image/x-ms-bmp",
    ".gif": "image/gif",
    ".heic": HEIF,
    ".heif": HEIF,
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".webp": "image/webp",
}
# Text that the media type's first word does not tell.
TEXT_TYPES = {
    "application/json",
    "application/javascript",
    "application/rtf",
    "application/sql",
    "application/toml",
    "application/x-csh",
    "application/x-latex",
    "application/x-sh",
    "application/x-tcl",
    "application/x-tex",
    "application/xml",
    "application/yaml",
    "image/svg+xml",
    "message/rfc822",
}
TEXT_SUFFIXES = {".ts", ".mts", ".cts"}  # TypeScript, which the table below takes for a video format

# Only the standard library's table: the machine's own mime.types must not change what is accepted.
_media_types = mimetypes.MimeTypes()

ACCEPTED = "Accepted are images (AVIF, BMP, GIF, HEIC, JPEG, PNG, TIFF, WebP), PDFs and text."


class ContentValidator:
    """Follows a file as it streams by. Raises UnsupportedFile as soon as content and name are known not to fit."""

    def __init__(self, name: str) -> None:
        self._suffix = PurePosixPath(name).suffix.lower()
        self._expected = BINARY_TYPES.get(self._suffix)
        self._head = b""
        self._decoder: codecs.IncrementalDecoder | None = None
        self._settled = False
        if self._expected is None and not _may_be_text(name, self._suffix):
            raise UnsupportedFile(f"A file named *{self._suffix} is not accepted. {ACCEPTED}")

    def feed(self, data: bytes) -> None:
        if self._settled:
            self._decode(data)
            return
        self._head += data
        if len(self._head) >= HEAD_BYTES:
            self._settle()

    def finish(self) -> None:
        if not self._settled:
            self._settle()
        self._decode(b"", final=True)

    def _settle(self) -> None:
        self._settled = True
        types = _types_by_content(self._head)
        if self._expected is not None:
            if self._expected not in types:
                raise UnsupportedFile(f"The content doesn't match the {self._suffix} extension. {ACCEPTED}")
        elif self._suffix or not types & set(BINARY_TYPES.values()):
            self._decoder = _text_decoder(self._head)
            self._decode(self._head)

    def _decode(self, data: bytes, *, final: bool = False) -> None:
        if self._decoder is None:
            return
        try:
            text = self._decoder.decode(data, final)
        except UnicodeDecodeError as error:
            raise UnsupportedFile(f"This file isn't text in UTF-8 or UTF-16. {ACCEPTED}") from error
        if "\0" in text:
            raise UnsupportedFile(f"The content is binary. {ACCEPTED}")


def media_type(name: str) -> str:
    """The media type to send a stored file with. Text is plain text: no browser shall render it as a page."""
    suffix = PurePosixPath(name).suffix.lower()
    if not suffix:
        return "application/octet-stream"
    return BINARY_TYPES.get(suffix, "text/plain; charset=utf-8")


def _may_be_text(name: str, suffix: str) -> bool:
    guess, encoding = _media_types.guess_type(f"name{suffix}" if suffix else name)
    if encoding is not None:  # compressed
        return False
    return guess is None or guess.startswith("text/") or guess in TEXT_TYPES or suffix in TEXT_SUFFIXES


def _types_by_content(head: bytes) -> set[str]:
    if head[4:12] in STRUCTURAL_BRANDS:
        return {HEIF}
    try:
        types = {match.mime_type for match in puremagic.magic_string(head)} if head else set()
    except puremagic.PureError:
        return set()
    return types | {HEIF} if TEN_BIT_HEIF in types else types


def _text_decoder(head: bytes) -> codecs.IncrementalDecoder:
    is_utf16 = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return codecs.getincrementaldecoder("utf-16" if is_utf16 else "utf-8")()
