"""The store of uploaded files: whole under a name of ours, or not there at all."""

import errno
import fcntl
import os
import re
import secrets
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Self

from api.errors import BodyTooLarge, DiskFull, UploadNotFound
from api.settings import MEBIBYTE

PARTIAL_SUFFIX = ".partial"
STORED_NAME = re.compile(r"[0-9a-f]{12}_[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
MAX_NAME_LENGTH = 100  # with the 13 characters before it well below the 255 bytes of every file system
NO_SPACE = {errno.ENOSPC, errno.EDQUOT}
FILE_MODE = 0o640  # nginx reads by group


class UploadStore:
    """Files in `folder`, each of at most `max_upload_mb` MiB."""

    def __init__(self, folder: Path, max_upload_mb: int) -> None:
        self.max_mb = max_upload_mb
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def find(self, name: str) -> Path:
        """The path of the upload called exactly `name`. Raises UploadNotFound."""
        path = self._folder / name
        if not STORED_NAME.fullmatch(name) or not path.is_file():
            raise UploadNotFound
        return path

    @contextmanager
    def receive(self) -> Iterator["PartialUpload"]:
        """A file to write to, which vanishes unless it is kept. Raises BodyTooLarge and DiskFull."""
        with _disk_full_as_ours():
            partial = PartialUpload.create(self._folder, self.max_mb)
            try:
                yield partial
            finally:
                partial.discard()

    def sweep(self) -> None:
        """Deletes what killed processes left half-written. A running upload holds a lock; it ends with its process."""
        for path in self._folder.glob(f"*{PARTIAL_SUFFIX}"):
            try:
                with path.open("rb") as file:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    path.unlink()
            except (FileNotFoundError, BlockingIOError):  # swept by another worker; in use
                continue


class PartialUpload:
    """A file under a temporary name, locked for as long as it is being written."""

    def __init__(self, path: Path, file: IO[bytes], max_mb: int) -> None:
        self._path = path
        self._file = file
        self._max_mb = max_mb
        self._size_bytes = 0

    @classmethod
    def create(cls, folder: Path, max_mb: int) -> Self:
        while True:
            path = folder / f"{secrets.token_hex(8)}{PARTIAL_SUFFIX}"
            file = open(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, FILE_MODE), "wb", buffering=0)  # noqa: PTH123, SIM115
            fcntl.flock(file, fcntl.LOCK_EX)
            # A sweep may have come between the creation and the lock.
            if os.fstat(file.fileno()).st_nlink:
                return cls(path, file, max_mb)
            file.close()

    def write(self, data: bytes) -> None:
        self._size_bytes += len(data)
        if self._size_bytes > self._max_mb * MEBIBYTE:
            raise BodyTooLarge(f"The file is larger than {self._max_mb} MB (MAX_UPLOAD_MB).")
        view = memoryview(data)
        while view:
            view = view[self._file.write(view) :]

    def keep(self, original_name: str) -> str:
        """Makes the file durable under its final name, which it returns. Blocks for as long as the disk takes."""
        name = f"{secrets.token_hex(6)}_{safe_name(original_name)}"
        os.fsync(self._file.fileno())
        self._path.rename(self._path.with_name(name))
        _fsync_folder(self._path.parent)
        return name

    def discard(self) -> None:
        """Nothing is left of a file that was not kept."""
        self._path.unlink(missing_ok=True)
        self._file.close()


@contextmanager
def _disk_full_as_ours() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in NO_SPACE:
            raise DiskFull from error
        raise


def _fsync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


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
