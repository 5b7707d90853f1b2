"""What a path on disk is and what is in a folder; a folder locked, made durable, deleted whole."""

import fcntl
import logging
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

log = logging.getLogger(__name__)


def is_file(path: Path) -> bool:
    """Whether it is one itself: a link may lead out of the store, a pipe would be waited for."""
    return file_status(path) is not None


def file_status(path: Path) -> os.stat_result | None:
    """None for anything else."""
    status = _status(path)
    return status if status and stat.S_ISREG(status.st_mode) else None


def is_folder(path: Path) -> bool:
    """Whether it is one itself: a link may lead to another account's."""
    status = _status(path)
    return status is not None and stat.S_ISDIR(status.st_mode)


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None


def files_in(folder: Path) -> dict[str, os.stat_result]:
    """The files in it, by name. They and the folder may be deleted at the same time."""
    found = {}
    with suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(status.st_mode):
                    found[entry.name] = status
    return found


@contextmanager
def locked(folder: Path, *, wait: bool = True) -> Iterator[None]:
    """By one thread at a time, of all processes; a lock ends with its process.

    Raises BlockingIOError if it is not to wait, and NotADirectoryError.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


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
