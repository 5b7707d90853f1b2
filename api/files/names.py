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


def text_name(stored_name: str) -> str:
    """Of the file with the text of an upload, in the same folder. It goes when the upload does."""
    return f"{stored_name[:12]}.text"


def safe_name(original: str) -> str:
    """What is left of a client's file name when it may hold nothing but ASCII letters, digits, `.`, `_` and `-`.

    No folder, no leading dot or dash, at most MAX_NAME_LENGTH characters, the suffix kept; `file` if nothing is left.
    """
    base = re.split(r"[/\\]", original)[-1].lstrip(".")
    ascii_only = unicodedata.normalize("NFKD", base).encode("ascii", "ignore").decode()
    stem, dot, suffix = re.sub(r"[^A-Za-z0-9._-]+", "_", ascii_only).rstrip("._-").rpartition(".")
    if not dot:
        stem, suffix = suffix, ""
    suffix = f"{dot}{suffix[:20]}"
    return f"{stem.lstrip('._-')[: MAX_NAME_LENGTH - len(suffix)] or 'file'}{suffix}"
