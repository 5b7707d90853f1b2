"""What is not accepted, in words: what it is, what to do instead, and what is accepted."""

import re

ACCEPTED = (
    "Accepted are images (AVIF, BMP, GIF, HEIC, JPEG, PNG, TIFF, WebP), PDF, Word, Excel, PowerPoint, OpenDocument, "
    "RTF, EPUB, email, and text of any kind: HTML, Markdown, CSV, JSON, notebooks, source code."
)

ARCHIVE, AUDIO, PROGRAM, VIDEO = "an archive", "an audio file", "a program", "a video"
RAW, DESIGN, DISK = "a camera's raw image", "a Photoshop document", "a disk image"
REMEDIES = {
    ARCHIVE: "Unpack it and upload the files.",
    AUDIO: "Upload a transcript of it.",
    VIDEO: "Upload a transcript or screenshots of it.",
    RAW: "Export it as JPEG.",
    DESIGN: "Export it as PNG or JPEG.",
    DISK: "Unpack it and upload the files.",
}
# Refused whatever the content is: somebody who opens it later would start it, or be misled.
SUFFIXES = {
    ARCHIVE: "7z br bz2 cab gz lz lz4 lzma rar tar tbz2 tgz txz xz z zip zst",
    AUDIO: "aac aif aiff amr flac m4a m4b mid midi mp3 oga ogg opus wav wma",
    PROGRAM: "apk appimage class deb dll exe ipa jar msi pyc rpm scr war wasm",
    VIDEO: "3gp avi flv m2ts m4v mkv mov mp4 mpeg mpg ogv webm wmv",
    RAW: "arw cr2 cr3 dng nef orf pef raf rw2",
    DISK: "dmg iso vhd vhdx vmdk",
}
BY_SUFFIX = {f".{suffix}": kind for kind, suffixes in SUFFIXES.items() for suffix in suffixes.split()}

# Only of formats that no text begins like, or whose content is never text: they explain why it is not.
SIGNATURES = {
    rb"\x1f\x8b|\x1f\x9d|BZh[1-9]|\xfd7zXZ\0|\x28\xb5\x2f\xfd|\x04\x22\x4d\x18|LZIP": ARCHIVE,
    rb"7z\xbc\xaf\x27\x1c|Rar!\x1a|MSCF\0|!<arch>\n|.{257}ustar": ARCHIVE,
    rb"MZ|\x7fELF|\xca\xfe\xba\xbe|\0asm|dex\n\d|\xfe\xed\xfa[\xce\xcf]|[\xce\xcf]\xfa\xed\xfe": PROGRAM,
    rb".{4}ftypM4[AB]|ID3[\x02-\x04]|\xff[\xe2\xe3\xf2\xf3\xfa\xfb]|fLaC|OggS|MThd|#!AMR": AUDIO,
    rb"RIFF.{4}WAVE|FORM.{4}AIF": AUDIO,
    rb".{4}ftypcrx |IIRO|IIRS|IIU\0|FUJIFILMCCD-RAW": RAW,
    rb".{4}(?:ftyp|moov|mdat|wide)|\x1aE\xdf\xa3|RIFF.{4}AVI |FLV\x01|\0\0\x01[\xba\xb3]|0&\xb2u": VIDEO,
    rb"G.{187}G.{187}G": VIDEO,
    rb"8BPS": DESIGN,
    rb"SQLite format 3\0": "a database",
    rb"\0\x01\0\0\0|OTTO\0|wOF[F2]": "a font",
}
_signatures = [(re.compile(pattern, re.DOTALL), kind) for pattern, kind in SIGNATURES.items()]


def refusal_by_name(suffix: str) -> str | None:
    kind = BY_SUFFIX.get(suffix)
    return kind and _joined(f"A file named *{suffix} is not accepted: it is {kind}.", REMEDIES.get(kind), ACCEPTED)


def refusal_by_content(head: bytes) -> str | None:
    kind = described(head)
    return kind and _joined(f"This is {kind}.", REMEDIES.get(kind), ACCEPTED)


def described(head: bytes) -> str | None:
    """What it is, if its first bytes are those of a known kind that is not accepted."""
    return next((kind for signature, kind in _signatures if signature.match(head)), None)


def _joined(*sentences: str | None) -> str:
    return " ".join(filter(None, sentences))
