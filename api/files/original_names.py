"""What a file was called where it came from: kept in a file beside it, where its stored name does not tell.

`.3f9a1c07be52_file.png` tells it of `3f9a1c07be52_file.png`; no stored name begins with a dot.
"""

import os
from contextlib import suppress
from pathlib import Path

from api.files.disk import files_in, locked
from api.files.names import STORED_NAME

DIGITS = len("3f9a1c07be52_")
MAX_CHARACTERS = 255


def keep(folder: Path, stored_name: str, original_name: str) -> None:
    """For the upload that is about to be stored, under its folder's lock."""
    original_name = original_name[:MAX_CHARACTERS]
    if original_name in ("", implied_by(stored_name)):
        return
    with (folder / beside(stored_name)).open("wb") as file:
        file.write(original_name.encode(errors="replace"))
        file.flush()
        os.fsync(file.fileno())


def implied_by(stored_name: str) -> str:
    return stored_name[DIGITS:]


def beside(stored_name: str) -> str:
    return f".{stored_name}"


def read(folder: Path, stored_name: str) -> str:
    try:
        kept = (folder / beside(stored_name)).read_bytes().decode(errors="replace")
    except OSError:  # the upload has just been deleted, or its account; or an operator put the file there
        kept = ""
    return kept or implied_by(stored_name)


def forget(upload: Path) -> None:
    """Deletes what an upload was called that has just been deleted."""
    with suppress(FileNotFoundError, NotADirectoryError):  # it has none; the account is being deleted
        upload.with_name(beside(upload.name)).unlink()


def remove_orphans(folder: Path) -> None:
    """Those of files that were removed by hand, or that a killed process did not store or delete. Raises OSError."""
    if _orphans(folder):
        with locked(folder):  # No upload has its name kept, but is not stored yet.
            for name in _orphans(folder):
                (folder / name).unlink(missing_ok=True)


def _orphans(folder: Path) -> set[str]:
    found = files_in(folder).keys()
    return {name for name in found if STORED_NAME.fullmatch(name[1:]) and name[0] == "." and name[1:] not in found}
