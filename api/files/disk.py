"""What a path on disk is, making a folder durable, deleting a folder whole."""

import logging
import os
import shutil
import stat
from pathlib import Path

log = logging.getLogger(__name__)


def is_file(path: Path) -> bool:
    """Whether it is one itself: a link may lead out of the store, a pipe would be waited for."""
    return stat.S_ISREG(_mode(path))


def is_folder(path: Path) -> bool:
    """Whether it is one itself: a link may lead to another account's."""
    return stat.S_ISDIR(_mode(path))


def _mode(path: Path) -> int:
    try:
        return path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return 0


def fsync_folder(folder: Path) -> None:
    """Makes the names in it durable. Raises NotADirectoryError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_whole(path: Path) -> None:
    """Deletes a folder and what is in it, or whatever else `path` is. Another process may be doing the same."""
    while os.path.lexists(path):
        try:
            if is_folder(path):
                shutil.rmtree(path)
            else:
                path.unlink()
        except FileNotFoundError:
            continue
        except OSError as error:
            log.warning("%s cannot be deleted; it is tried again at the next start: %s", path, error)
            return
