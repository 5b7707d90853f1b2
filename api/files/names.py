"""The names in the store: of uploads and their texts, of what is half-written or half-deleted, of accounts' folders."""

import re
import unicodedata

STORED_NAME = re.compile(r"[0-9a-f]{12}_[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
# Not stored names, whatever a client calls its file: those have `_` where these have a digit.
PARTIAL_NAME = re.compile(r"[0-9a-f]{16}\.partial")
REMOVED_NAME = re.compile(r"[0-9a-f]{16}\.removed")
# The text of the upload with these digits, which has `_` in place of the dot.
TEXT_NAME = re.compile(r"[0-9a-f]{12}\.text")
# None of the above, which have `_` or `.`; and no two that differ only in case.
ACCOUNT_ID = re.compile(r"[a-z0-9]{1,64}")
MAX_NAME_LENGTH = 100  # with the 13 characters before it well below the 255 bytes of every file system
MAX_ORIGINAL_LENGTH = 255  # as file systems have it
MAX_SUFFIX_LENGTH = 20
# Normalizing takes the square of the number of accents in a row, so a name is cut before.
MAX_NORMALIZED_LENGTH = 1000
# They reverse what follows: `\u202etxt.exe` looks like `exe.txt`.
DIRECTIONS = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])


def text_name(stored_name: str) -> str:
    """Of the file with the text of an upload, in the same folder. It goes when the upload does."""
    return f"{stored_name[:12]}.text"


def safe_name(original: str) -> str:
    """What is left of a client's file name when it may hold nothing but ASCII letters, digits, `.`, `_` and `-`.

    No folder, no leading dot or dash, at most MAX_NAME_LENGTH characters, the suffix kept; `file` if nothing is left.
    """
    base = _shortened(_without_folder(original).lstrip("."), MAX_NORMALIZED_LENGTH)
    ascii_only = unicodedata.normalize("NFKD", base).encode("ascii", "ignore").decode()
    stem, dot, suffix = re.sub(r"[^A-Za-z0-9._-]+", "_", ascii_only).rstrip("._-").rpartition(".")
    if not dot:
        stem, suffix = suffix, ""
    suffix = f"{dot}{suffix[:MAX_SUFFIX_LENGTH]}"
    return f"{stem.lstrip('._-')[: MAX_NAME_LENGTH - len(suffix)] or 'file'}{suffix}"


def original_name(sent: str) -> str:
    """A client's file name for people, in any script: without folder and control characters, not too long, in NFC."""
    base = _without_folder(sent).translate(DIRECTIONS)
    # A line's end or a tab is a blank; other control characters and halves of surrogate pairs are nothing.
    readable = "".join(one for one in re.sub(r"\s", " ", base) if unicodedata.category(one) not in {"Cc", "Cs"}).strip()
    # NFC makes a few characters longer.
    normalized = unicodedata.normalize("NFC", _shortened(readable, MAX_ORIGINAL_LENGTH))
    return _shortened(normalized, MAX_ORIGINAL_LENGTH) or "file"


def _without_folder(name: str) -> str:
    return name.replace("\\", "/").rpartition("/")[2]


def _shortened(name: str, length: int) -> str:
    """At most `length` characters of it, among them the suffix, if it is one: "Dr. Who and the ..." has none."""
    if len(name) <= length:
        return name
    stem, dot, suffix = name.rpartition(".")
    if not dot or len(suffix) > MAX_SUFFIX_LENGTH:
        return name[:length]
    return f"{stem[: length - len(suffix) - 1]}.{suffix}"
