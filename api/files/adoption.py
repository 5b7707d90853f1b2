"""Gives the account of the settings what an earlier version stored: that had no accounts, and no folders for them.

During a redeploy the earlier version runs beside this one, and finds files in the store's root only. So a file is first
linked into the folder, and leaves the root at a later start, when the earlier version is gone. It always has a name in
one of the two, so a process that is killed loses nothing, and the next start goes on.
"""

import logging
import os
import time
from contextlib import suppress
from pathlib import Path

from api.files.disk import fsync_folder, is_file
from api.files.names import STORED_NAME

log = logging.getLogger(__name__)

# scripts/redeploy gives the earlier version ten minutes to finish.
EARLIER_VERSION_SECONDS = 3600


def adopt(root: Path, folder: Path, earlier_version_seconds: float = EARLIER_VERSION_SECONDS) -> None:
    """Any number of processes may do it at once. Raises OSError."""
    names = [path.name for path in root.iterdir() if STORED_NAME.fullmatch(path.name) and is_file(path)]
    faults = [fault for name in names if (fault := _link(root / name, folder / name))]
    if faults:
        # Not every file system has hard links, and a file may belong to somebody else.
        log.warning("%d uploads stay in %s, where they are still found: %s", len(faults), root, faults[-1])
    if names:
        fsync_folder(folder)
    for name in names:
        with suppress(FileNotFoundError):
            if _seconds_since_linked(root / name, folder / name) >= earlier_version_seconds:
                (root / name).unlink()


def _link(old: Path, new: Path) -> OSError | None:
    try:
        os.link(old, new)
    except (FileExistsError, FileNotFoundError):  # linked, or linked and gone from the root, by another process
        return None
    except OSError as error:
        return error
    return None


def _seconds_since_linked(old: Path, new: Path) -> float:
    """Negative when they are two files. Raises FileNotFoundError."""
    status = new.lstat()
    # A link counts as a change of the file itself (st_ctime).
    return time.time() - status.st_ctime if os.path.samestat(status, old.lstat()) else -1
