"""The kinds of files that are accepted, with their suffixes and media types. What is none of them has to be text."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

OFFICE = "application/vnd.openxmlformats-officedocument"
OPEN_DOCUMENT = "application/vnd.oasis.opendocument"


@dataclass(frozen=True, eq=False)
class Kind:
    """`types` has the media type of each suffix, the usual suffix first."""

    name: str
    types: Mapping[str, str]


AVIF = Kind("an AVIF image", {".avif": "image/avif"})
BMP = Kind("a BMP image", {".bmp": "image/bmp"})
GIF = Kind("a GIF image", {".gif": "image/gif"})
HEIF = Kind("a HEIC image", {".heic": "image/heic", ".heif": "image/heif"})
JPEG = Kind("a JPEG image", {".jpg": "image/jpeg", ".jpeg": "image/jpeg"})
PNG = Kind("a PNG image", {".png": "image/png"})
TIFF = Kind("a TIFF image", {".tif": "image/tiff", ".tiff": "image/tiff"})
WEBP = Kind("a WebP image", {".webp": "image/webp"})

PDF = Kind("a PDF", {".pdf": "application/pdf"})
RTF = Kind("an RTF document", {".rtf": "application/rtf"})
EPUB = Kind("an EPUB book", {".epub": "application/epub+zip"})
WORD = Kind(
    "a Word document",
    {
        ".docx": f"{OFFICE}.wordprocessingml.document",
        ".docm": "application/vnd.ms-word.document.macroEnabled.12",
        ".dotx": f"{OFFICE}.wordprocessingml.template",
        ".dotm": "application/vnd.ms-word.template.macroEnabled.12",
    },
)
EXCEL = Kind(
    "an Excel workbook",
    {
        ".xlsx": f"{OFFICE}.spreadsheetml.sheet",
        ".xlsm": "application/vnd.ms-excel.sheet.macroEnabled.12",
        ".xlsb": "application/vnd.ms-excel.sheet.binary.macroEnabled.12",
        ".xltx": f"{OFFICE}.spreadsheetml.template",
        ".xltm": "application/vnd.ms-excel.template.macroEnabled.12",
    },
)
POWERPOINT = Kind(
    "a PowerPoint presentation",
    {
        ".pptx": f"{OFFICE}.presentationml.presentation",
        ".pptm": "application/vnd.ms-powerpoint.presentation.macroEnabled.12",
        ".ppsx": f"{OFFICE}.presentationml.slideshow",
        ".ppsm": "application/vnd.ms-powerpoint.slideshow.macroEnabled.12",
        ".potx": f"{OFFICE}.presentationml.template",
        ".potm": "application/vnd.ms-powerpoint.template.macroEnabled.12",
    },
)
# The formats of before 2007, and Outlook's messages. All are one container; only the name says which it is.
OLD_OFFICE = Kind(
    "a document of Office 97 to 2003",
    {
        ".doc": "application/msword",
        ".xls": "application/vnd.ms-excel",
        ".ppt": "application/vnd.ms-powerpoint",
        ".pps": "application/vnd.ms-powerpoint",
        ".msg": "application/vnd.ms-outlook",
    },
)
OFFICE_KINDS = [WORD, EXCEL, POWERPOINT]
OPEN_DOCUMENTS = [
    Kind("an OpenDocument text", {".odt": f"{OPEN_DOCUMENT}.text"}),
    Kind("an OpenDocument text template", {".ott": f"{OPEN_DOCUMENT}.text-template"}),
    Kind("an OpenDocument spreadsheet", {".ods": f"{OPEN_DOCUMENT}.spreadsheet"}),
    Kind("an OpenDocument spreadsheet template", {".ots": f"{OPEN_DOCUMENT}.spreadsheet-template"}),
    Kind("an OpenDocument presentation", {".odp": f"{OPEN_DOCUMENT}.presentation"}),
    Kind("an OpenDocument presentation template", {".otp": f"{OPEN_DOCUMENT}.presentation-template"}),
    Kind("an OpenDocument drawing", {".odg": f"{OPEN_DOCUMENT}.graphics"}),
    Kind("an OpenDocument formula", {".odf": f"{OPEN_DOCUMENT}.formula"}),
]

PICTURES = [AVIF, BMP, GIF, HEIF, JPEG, PNG, TIFF, WEBP]
DOCUMENTS = [PDF, *OFFICE_KINDS, OLD_OFFICE, *OPEN_DOCUMENTS, RTF, EPUB]
KINDS = {suffix: kind for kind in [*PICTURES, *DOCUMENTS] for suffix in kind.types}
# Other names of pictures, which few programs know.
UNUSUAL_SUFFIXES = {".apng", ".dib", ".hif", ".jfif", ".jpe", ".pjpeg"}


def media_type(name: str) -> str:
    """The media type to send a stored file with. Text is plain text: no browser shall render it as a page."""
    suffix = suffix_of(name)
    if not suffix:
        return "application/octet-stream"
    return KINDS[suffix].types[suffix] if suffix in KINDS else "text/plain; charset=utf-8"


def suffix_of(name: str) -> str:
    return PurePosixPath(name).suffix.lower()


def name_for(kind: Kind, name: str) -> str:
    """`name` as it is if it fits; otherwise with the kind's usual suffix, in place of one that claims another kind."""
    suffix = suffix_of(name)
    return name if suffix in kind.types else renamed(name, next(iter(kind.types)))


def renamed(name: str, suffix: str) -> str:
    claimed = suffix_of(name)
    if claimed in KINDS or claimed in UNUSUAL_SUFFIXES:
        name = name[: -len(claimed)]
    return f"{name}{suffix}"
